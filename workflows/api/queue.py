"""People's door to the queue for programs: look at a question, watch it, put it aside, answer several at once."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly
from agents.api.shapes.reasons import NothingInput
from agents.models import Principal
from governance import operations as governance
from governance.models import Escalation
from observability import ledger
from observability.ledger import database_now
from workflows import operations
from workflows.api.shapes.queue import (
    AssignInput,
    AttentionOutput,
    SnoozeInput,
    TogetherInput,
    TogetherOutput,
    attention_of,
    together_of,
)
from workflows.operations import Item

Answer = tuple[int, Mapping[str, Any]]
Act = Callable[[Escalation, datetime], object]


class AttentionView(Door):
    """Who gives attention to a question."""

    permission_classes = [PeopleOnly]
    shows_one = True

    @extend_schema(responses=AttentionOutput, summary="Show who looks at an escalation")
    def get(self, request: Request, uid: UUID) -> Response:
        return self.tagged(attention_of(visible(self.principal, uid), self.principal, database_now()))


class AttentionDoor(ActingDoor):
    """What all acts on a question share that leave it undecided."""

    permission_classes = [PeopleOnly]

    def act_on(self, request: Request, uid: UUID, act: Act) -> Response:
        """Do it to the question while nobody else does, and say who gives attention to it then."""

        def acted(key: str) -> Answer:
            at, asked = database_now(), visible(self.principal, uid, hold=True)
            act(asked, at)
            return 200, attention_of(asked, self.principal, at)

        return self.answer_once(request, acted)


class ClaimView(AttentionDoor):
    """Look at it."""

    @extend_schema(
        request=NothingInput, responses=AttentionOutput, parameters=[IDEMPOTENCY],
        summary="Tell the others that one looks at an escalation",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        self.read(NothingInput, request.data)
        return self.act_on(request, uid, lambda one, at: governance.claim_escalation(one, by=self.principal, at=at))


class ReleaseView(AttentionDoor):
    """Look at it no more."""

    @extend_schema(
        request=NothingInput, responses=AttentionOutput, parameters=[IDEMPOTENCY],
        summary="Leave an escalation to others",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        self.read(NothingInput, request.data)
        return self.act_on(request, uid, lambda one, at: governance.release_escalation(one, by=self.principal, at=at))


class AssignView(AttentionDoor):
    """Let somebody else look at it."""

    @extend_schema(
        request=AssignInput, responses=AttentionOutput, parameters=[IDEMPOTENCY],
        summary="Let somebody who is asked look at an escalation",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        name = self.read(AssignInput, request.data)["person"]

        def assign(one: Escalation, at: datetime) -> None:
            to = Principal.objects.people().filter(username=name).first()
            if to is None:
                raise ledger.Invalid(fields={"person": "This person is not asked to decide this."})
            governance.assign_escalation(one, to=to, by=self.principal, at=at)

        return self.act_on(request, uid, assign)


class WatchView(AttentionDoor):
    """Watch it."""

    @extend_schema(
        request=NothingInput, responses=AttentionOutput, parameters=[IDEMPOTENCY], summary="Watch an escalation"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        self.read(NothingInput, request.data)
        return self.act_on(request, uid, lambda one, at: governance.watch_escalation(one, by=self.principal, at=at))


class UnwatchView(AttentionDoor):
    """Watch it no more."""

    @extend_schema(
        request=NothingInput, responses=AttentionOutput, parameters=[IDEMPOTENCY], summary="Stop watching an escalation"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        self.read(NothingInput, request.data)
        return self.act_on(request, uid, lambda one, at: governance.unwatch_escalation(one, by=self.principal, at=at))


class SnoozeView(AttentionDoor):
    """Put it aside for oneself."""

    @extend_schema(
        request=SnoozeInput, responses=AttentionOutput, parameters=[IDEMPOTENCY],
        summary="Put an escalation aside for a while",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        until = self.read(SnoozeInput, request.data)["until"]
        by = self.principal
        return self.act_on(
            request, uid, lambda one, at: governance.snooze_escalation(one, until=until, by=by, at=at)
        )  # fmt: skip


class WakeView(AttentionDoor):
    """Take it up again."""

    @extend_schema(
        request=NothingInput, responses=AttentionOutput, parameters=[IDEMPOTENCY],
        summary="Take up an escalation that was put aside",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        self.read(NothingInput, request.data)
        return self.act_on(request, uid, lambda one, at: governance.wake_escalation(one, by=self.principal, at=at))


class DecideView(ActingDoor):
    """One answer to at most 20 questions that are no high risk, each decided on its own."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=TogetherInput, responses=TogetherOutput, parameters=[IDEMPOTENCY], summary="Answer several escalations"
    )
    def post(self, request: Request) -> Response:
        given = self.read(TogetherInput, request.data)
        items = [Item(each["id"], each["request_sha256"]) for each in given.pop("items")]

        def act(key: str) -> Answer:
            done = operations.settle_together(items, reviewer=self.principal, at=database_now(), **given)
            return 200, together_of(done)

        return self.answer_once(request, act)


def visible(user: Principal, uid: UUID, *, hold: bool = False) -> Escalation:
    """The question, if this user may see it, on wish held until the act is over; not found otherwise."""
    rows = Escalation.objects.visible_to(user).select_related("asked", "claimed_by")
    rows = rows.select_for_update(of=("self",)) if hold else rows
    found = rows.filter(uid=uid).first()
    if found is None:
        raise ledger.NotFound
    return found
