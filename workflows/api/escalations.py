"""Questions to people: list them, read one, answer it, undo the answer."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly
from agents.api.shapes.reasons import NothingInput
from agents.api.versions import IF_MATCH_INSTEAD
from governance import operations as governance
from governance.models import Escalation, EscalationQuerySet
from observability.ledger import database_now
from observability.serializers import page_of
from workflows import operations
from workflows.api.handling import as_told, read_sha256, visible_escalation
from workflows.serializers import (
    AnswerInput,
    AnswerOutput,
    EscalationOutput,
    EscalationsQuery,
    answer_of,
)

Answer = tuple[int, Mapping[str, Any]]


class EscalationsView(Door):
    """Questions to people that the caller may see."""

    scope = "ask"
    query = EscalationsQuery

    @extend_schema(
        parameters=[EscalationsQuery], responses=page_of(EscalationOutput),
        summary="List escalations: open ones most urgent first, others newest first",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        found = Escalation.objects.visible_to(self.principal).select_related("path", "settled_by")
        if self.asked["agent"]:
            found = found.filter(agent__code=self.asked["agent"])
        is_agent, status = not self.principal.is_person, self.asked["status"]
        if status == Escalation.Status.OPEN:
            return self.most_urgent(found.pending() if is_agent else found.open())
        unseen = is_agent and status == Escalation.Status.HELD
        return self.page(found.none() if unseen else found.filter(status=status), EscalationOutput, by="-pk")

    def most_urgent(self, found: EscalationQuerySet) -> Response:
        """A page of the most urgent ones as they were when the first page was read: time changes no order meanwhile."""
        start = self.listing.start
        at = datetime.fromisoformat(start[0]) if start else database_now()
        rows = found.most_urgent_after(start[1], at) if start else found.most_urgent_first(at)
        return self.paged(
            list(rows[: self.listing.limit + 1]),
            lambda row: [at.isoformat(), row.pk],
            lambda some: EscalationOutput([as_told(each, self.principal) for each in some], many=True).data,
        )


class EscalationView(Door):
    """One escalation."""

    scope = "ask"
    shows_one = True

    @extend_schema(responses=EscalationOutput, summary="Show an escalation")
    def get(self, request: Request, uid: UUID) -> Response:
        return self.tagged(EscalationOutput(visible_escalation(self.principal, uid)).data)


class AnswerView(ActingDoor):
    """A person approves or rejects what was read: named by its request's SHA-256 or by its entity tag."""

    permission_classes = [PeopleOnly]
    answer = Escalation.Status.APPROVED

    @extend_schema(
        request=AnswerInput, responses=AnswerOutput, parameters=[IDEMPOTENCY, IF_MATCH_INSTEAD],
        summary="Answer an escalation",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(AnswerInput, request.data)
        told = given.pop("confirmation")
        confirmation = governance.Confirmation(told["typed"], tuple(told["ticked"])) if told else governance.UNCONFIRMED

        def act(key: str) -> Answer:
            read = given["request_sha256"] or read_sha256(request, self.principal, uid)
            answer = {
                **{name: value for name, value in given.items() if name != "undo_seconds"},
                "request_sha256": read,
            }
            settled = operations.settle(
                uid, self.answer, reviewer=self.principal, at=database_now(),
                undo=timedelta(seconds=given["undo_seconds"]), **answer, confirmation=confirmation,
            )  # fmt: skip
            return 200, answer_of(settled)

        return self.answer_once(request, act)


class UndoView(ActingDoor):
    """A person takes an answer back before it takes effect."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=NothingInput, responses=AnswerOutput, parameters=[IDEMPOTENCY], summary="Undo one's own answer"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        self.read(NothingInput, request.data)

        def act(key: str) -> Answer:
            return 200, answer_of(operations.undo(uid, by=self.principal, at=database_now()))

        return self.answer_once(request, act)
