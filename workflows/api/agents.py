"""An agent begins to work, and retires from it."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, Door, PeopleOnly
from agents.api.hiring import MovingDoor, visible_agent
from agents.api.shapes.reasons import NothingInput
from agents.api.versions import IF_MATCH
from agents.models import Agent
from agents.serializers import AgentDetail
from governance import operations as governance
from observability.ledger import database_now
from workflows import operations
from workflows.serializers import (
    ReadinessOutput,
    RetireInput,
)


class ReadinessView(Door):
    """What has to be in place before an agent begins."""

    permission_classes = [PeopleOnly]
    shows_one = True

    @extend_schema(responses=ReadinessOutput, summary="Show what is missing before an agent can begin")
    def get(self, request: Request, code: str) -> Response:
        checks = governance.readiness(visible_agent(self.principal, code), at=database_now())
        told = [{"name": each.name, "words": each.words, "met": each.is_met, "about": each.about} for each in checks]
        return self.tagged({"ready": all(each.is_met for each in checks), "checks": told})


class ActivateView(MovingDoor):
    """Let an agent in review begin, as a second person."""

    loosens = True

    @extend_schema(
        request=NothingInput, responses=AgentDetail, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Let a reviewed agent begin",
    )  # fmt: skip
    def post(self, request: Request, code: str) -> Response:
        self.read(NothingInput, request.data)
        at = database_now()
        return self.move(request, code, lambda agent: governance.activate_agent(agent, by=self.principal, at=at))


class RetireView(MovingDoor):
    """End an agent's work for good."""

    @extend_schema(
        request=RetireInput, responses=AgentDetail, parameters=[IDEMPOTENCY, IF_MATCH], summary="Retire an agent"
    )
    def post(self, request: Request, code: str) -> Response:
        given, at = self.read(RetireInput, request.data), database_now()

        def retire(agent: Agent) -> None:
            successor = visible_agent(self.principal, given["successor"]) if given["successor"] else None
            operations.retire_agent(agent, by=self.principal, at=at, why=given["why"], successor=successor)

        return self.move(request, code, retire)
