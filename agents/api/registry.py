"""The registry as agents and people's programs read it."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import AgentsOnly, Door
from agents.models import Agent
from agents.serializers import AgentSerializer, MeSerializer
from observability import ledger


class MeView(Door):
    """Who am I?"""

    permission_classes = [AgentsOnly]
    scope = "read"

    @extend_schema(responses=MeSerializer, summary="Who am I?")
    def get(self, request: Request) -> Response:
        return Response(MeSerializer(self.agent).data)


class AgentsView(Door):
    """The agents that the caller may see."""

    scope = "read"

    @extend_schema(responses=AgentSerializer(many=True), summary="List agents")
    def get(self, request: Request) -> Response:
        agents = Agent.objects.visible_to(self.principal).with_people()
        return Response({"results": AgentSerializer(agents[:200], many=True).data})


class AgentView(Door):
    """One agent."""

    scope = "read"

    @extend_schema(responses=AgentSerializer, summary="Show an agent")
    def get(self, request: Request, code: str) -> Response:
        agent = Agent.objects.visible_to(self.principal).with_people().filter(code=code).first()
        if agent is None:
            raise ledger.NotFound
        return Response(AgentSerializer(agent).data)
