"""The door to autonomy for programs: what an agent may do, the evidence for its level, promotions."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly
from agents.models import Agent
from governance import operations
from governance.api.shapes.autonomy import (
    EvidenceOutput,
    EvidenceQuery,
    PromotionAnswerInput,
    PromotionInput,
    PromotionOutput,
    evidence_data,
    promotion_of,
)
from governance.api.shapes.boundaries import BoundariesOutput, boundaries_data
from governance.models import PromotionRequest
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of

Answer = tuple[int, Mapping[str, Any]]


class AgentDoor(Door):
    """What all doors to one agent share: people see the agents of their units, an agent sees itself."""

    def agent_of(self, code: str) -> Agent:
        """The agent, if the caller may see it; not found otherwise."""
        agents = Agent.objects.with_people().select_related("principal")
        if isinstance(self.request.auth, Agent):
            agents = agents.filter(pk=self.request.auth.pk)
        else:
            agents = agents.visible_to(self.principal)
        agent = agents.filter(code=code).first()
        if agent is None:
            raise ledger.NotFound(f"There is no agent {code}, or you may not see it.")
        return agent


class BoundariesView(AgentDoor):
    """What may this agent do alone, what must it ask about, what does it never do?"""

    scope = "read"
    shows_one = True

    @extend_schema(responses=BoundariesOutput, summary="Show an agent's boundaries and access")
    def get(self, request: Request, code: str) -> Response:
        agent = self.agent_of(code)
        return self.tagged(boundaries_data(agent, operations.access_of(agent, self.principal, at=database_now())))


class EvidenceView(AgentDoor):
    """What does the agent's record say about its autonomy?"""

    scope = "read"
    query = EvidenceQuery

    @extend_schema(
        parameters=[EvidenceQuery], responses=EvidenceOutput, summary="Show the evidence for an agent's autonomy"
    )
    def get(self, request: Request, code: str) -> Response:
        agent = self.agent_of(code)
        span = operations.span_of(agent, at=database_now(), days=self.asked["days"])
        return Response(evidence_data(agent, span, operations.evidence_of(agent, self.principal, span=span)))


class PromotionsView(AgentDoor, ActingDoor):
    """Requests to let an agent act one level higher."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=page_of(PromotionOutput),
        summary="List an agent's requests for promotion, newest first",
    )  # fmt: skip
    def get(self, request: Request, code: str) -> Response:
        found = PromotionRequest.objects.with_people().filter(agent=self.agent_of(code))
        return self.page(found, PromotionOutput, by="-pk")

    @extend_schema(
        request=PromotionInput, responses={201: PromotionOutput}, parameters=[IDEMPOTENCY],
        summary="Ask the council for a promotion",
    )  # fmt: skip
    def post(self, request: Request, code: str) -> Response:
        given = self.read(PromotionInput, request.data)

        def act(key: str) -> Answer:
            agent = self.agent_of(code)
            asked = operations.ask_promotion(agent, by=self.principal, at=database_now(), why=given["reason"])
            return 201, promotion_of(asked)

        return self.answer_once(request, act)


class PromotionAnswerView(ActingDoor):
    """The council approves or rejects a request; who asked may withdraw it."""

    permission_classes = [PeopleOnly]
    answer: Callable[..., None] = operations.approve_promotion
    loosens = True

    @extend_schema(
        request=PromotionAnswerInput, responses=PromotionOutput, parameters=[IDEMPOTENCY],
        summary="Settle a promotion request",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        given, settle = self.read(PromotionAnswerInput, request.data), type(self).answer
        if self.loosens:
            self.require_recent()

        def act(key: str) -> Answer:
            asked = PromotionRequest.objects.visible_to(self.principal).with_people().filter(uid=uid).first()
            if asked is None:
                raise ledger.NotFound("There is no such request, or you may not see it.")
            settle(asked, by=self.principal, at=database_now(), why=given["reason"])
            return 200, promotion_of(asked)

        return self.answer_once(request, act)


class RejectPromotionView(PromotionAnswerView):
    """The council leaves the agent at its level."""

    answer = operations.reject_promotion
    loosens = False


class WithdrawPromotionView(PromotionAnswerView):
    """The request is no longer wanted."""

    answer = operations.withdraw_promotion
    loosens = False
