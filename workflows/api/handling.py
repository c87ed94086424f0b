"""The doors to a question beside its answer: amend the request, ask the agent, hand it over."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, AgentsOnly, Door, PeopleOnly
from agents.api.versions import IF_MATCH_INSTEAD, body_tag, require_match
from agents.models import Principal
from governance import operations as governance
from governance.models import Escalation, Inquiry
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of
from workflows import operations
from workflows.api.shapes.handling import (
    AmendInput,
    AskAgentInput,
    HandOverInput,
    HandOverOutput,
    InquiryAnswerInput,
    InquiryOutput,
    WaitingInquiriesOutput,
)
from workflows.serializers import EscalationOutput

Answer = tuple[int, Mapping[str, Any]]


def visible_escalation(user: Any, uid: UUID) -> Escalation:
    """The escalation, if this user may see it; not found otherwise."""
    found = Escalation.objects.visible_to(user).select_related("path", "settled_by").filter(uid=uid).first()
    if found is None:
        raise ledger.NotFound
    return as_told(found, user)


def as_told(escalation: Escalation, user: Principal) -> Escalation:
    """The escalation as this user reads it: for an agent, what was answered and can still be undone waits for a
    person."""
    if user.is_person or escalation.status != Escalation.Status.HELD:
        return escalation
    escalation.status, escalation.settled_by, escalation.settled_at = Escalation.Status.OPEN, None, None
    escalation.reason, escalation.reason_code, escalation.effect_at = "", "", None
    return escalation


def read_sha256(request: Request, user: Any, uid: UUID) -> str:
    """The SHA-256 of the request that was read, known by the tag; the operation compares it again under its lock.
    Raises MatchNeeded or ChangedSince."""
    escalation = visible_escalation(user, uid)
    require_match(request, body_tag(EscalationOutput(escalation).data))
    return escalation.request_sha256


class AmendView(ActingDoor):
    """Change what is asked, within the bounds of the policy, which decides it again."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=AmendInput, responses=EscalationOutput, parameters=[IDEMPOTENCY, IF_MATCH_INSTEAD],
        summary="Amend the request of an escalation",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(AmendInput, request.data)

        def act(key: str) -> Answer:
            read = given["request_sha256"] or read_sha256(request, self.principal, uid)
            amendment = governance.Amendment(given["values"], read, given["reason"])
            operations.amend(uid, amendment, reviewer=self.principal, at=database_now())
            return 200, EscalationOutput(visible_escalation(self.principal, uid)).data

        return self.answer_once(request, act)


class AskAgentView(ActingDoor):
    """Put a question to the agent."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=AskAgentInput, responses={201: InquiryOutput}, parameters=[IDEMPOTENCY],
        summary="Ask the agent about its request",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(AskAgentInput, request.data)

        def act(key: str) -> Answer:
            made = operations.ask_agent(uid, given["text"], reviewer=self.principal, at=database_now())
            return 201, InquiryOutput(made).data

        return self.answer_once(request, act)


class InquiriesView(Door):
    """The questions to the agent about one escalation."""

    scope = "ask"
    query = PageQuery

    @extend_schema(
        parameters=[PageQuery],
        responses=page_of(InquiryOutput),
        summary="List the questions to the agent, oldest first",
    )
    def get(self, request: Request, uid: UUID) -> Response:
        asked = Inquiry.objects.filter(escalation=visible_escalation(self.principal, uid))
        if not self.principal.is_person:  # what people ask another agent is none of its affair
            asked = asked.put_to(self.principal)
        return self.page(asked.select_related("escalation", "asked_by"), InquiryOutput, by="pk")


class MyInquiriesView(Door):
    """The questions that wait for this agent, the 200 oldest."""

    permission_classes = [AgentsOnly]
    scope = "ask"

    @extend_schema(responses=WaitingInquiriesOutput, summary="List the questions that wait for the agent, oldest first")
    def get(self, request: Request) -> Response:
        waiting = Inquiry.objects.unanswered().put_to(self.principal).select_related("escalation", "asked_by")
        return Response({"results": InquiryOutput(waiting.order_by("pk")[:200], many=True).data})


class AnswerInquiryView(ActingDoor):
    """The agent answers, once."""

    permission_classes = [AgentsOnly]
    scope = "ask"

    @extend_schema(
        request=InquiryAnswerInput, responses=InquiryOutput, parameters=[IDEMPOTENCY], summary="Answer a question"
    )
    def post(self, request: Request, uid: UUID, inquiry: UUID) -> Response:
        given = self.read(InquiryAnswerInput, request.data)

        def act(key: str) -> Answer:
            told = operations.answer_inquiry(uid, inquiry, given["answer"], agent=self.agent, at=database_now())
            return 200, InquiryOutput(told).data

        return self.answer_once(request, act)


class HandOverView(ActingDoor):
    """Have somebody else asked as well."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=HandOverInput, responses={201: HandOverOutput}, parameters=[IDEMPOTENCY],
        summary="Hand an escalation over",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(HandOverInput, request.data)

        def act(key: str) -> Answer:
            to = receiver(given["to"], given["role"])
            made = operations.hand_over(uid, to, note=given["note"], reviewer=self.principal, at=database_now())
            return 201, HandOverOutput(made).data

        return self.answer_once(request, act)


def receiver(username: str, role: str) -> governance.Receiver:
    """The person or the role that is named; one that there is not is told like one that may not decide, so that nobody
    learns names by trying. Raises Invalid."""
    if bool(username) == bool(role):
        raise ledger.Invalid(fields={"to": "Name a person or a role."})
    person = Principal.objects.people().filter(username=username).first() if username else None
    group = Group.objects.filter(name=role).first() if role else None
    if person is None and group is None:
        raise governance.MayNotDecide(fields={"to": f"{username or role} may not decide this."})
    return governance.Receiver(person, group)
