"""The registry as agents and people's programs read it."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import AgentsOnly, Door
from agents.models import Agent
from agents.serializers import AgentSerializer, MeSerializer
from observability import ledger
from observability.serializers import PageQuery, page_of


class MeView(Door):
    """Who am I?"""

    permission_classes = [AgentsOnly]
    scope = "read"
    shows_one = True

    @extend_schema(responses=MeSerializer, summary="Who am I?")
    def get(self, request: Request) -> Response:
        return self.tagged(MeSerializer(self.agent).data)


class AgentsView(Door):
    """The agents that the caller may see."""

    scope = "read"
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(AgentSerializer), summary="List agents")
    def get(self, request: Request) -> Response:
        agents = Agent.objects.visible_to(self.principal).with_people()
        return self.page(agents, AgentSerializer, by="code")


class AgentView(Door):
    """One agent."""

    scope = "read"
    shows_one = True

    @extend_schema(responses=AgentSerializer, summary="Show an agent")
    def get(self, request: Request, code: str) -> Response:
        agent = Agent.objects.visible_to(self.principal).with_people().filter(code=code).first()
        if agent is None:
            raise ledger.NotFound
        return self.tagged(AgentSerializer(agent).data)
