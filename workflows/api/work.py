"""The agents' door to work: claim, keep alive, finish, fail, ask before acting."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, AgentsOnly, Door, Then
from agents.operations import OutsideWorkingHours
from governance.models import Decision
from governance.operations import Paused, Question
from observability import ledger
from observability.ledger import database_now
from observability.prepared import Prepared
from workflows import operations
from workflows.models import Step, Workflow
from workflows.serializers import (
    ActionInput,
    ClaimInput,
    DecisionOutput,
    FailedOutput,
    FailInput,
    FinishInput,
    HeartbeatInput,
    LeaseOutput,
    WorkOutput,
    decision_of,
    work_of,
)

Answer = tuple[int, Mapping[str, Any]]


class WorkDoor(ActingDoor):
    """What all doors for an agent's work share."""

    permission_classes = [AgentsOnly]
    scope = "work"

    def step(self, uid: UUID) -> Step:
        """A step of a workflow that the agent works in; anything else is not found."""
        mine = self.agent.principal.granted("workflows.work_in_workflow", Workflow)
        step = _STEP.first(uid=uid)
        if step is None or step.run.workflow_id not in mine:
            raise ledger.NotFound
        return step

    def claimed(self, key: str) -> Answer:
        """The next step for the agent as an answer, `{"work": null}` without one."""
        at = database_now()
        return 200, work_of(operations.claim_many(self.agent, count=1, at=at), at)

    def claimed_unless_paused(self, key: str) -> Answer:
        """The same, and no work while all work is paused or the agent's working hours are over: what was finished
        before stays finished."""
        try:
            return self.claimed(key)
        except (Paused, OutsideWorkingHours) as stopped:
            return 200, work_of(operations.Claimed(why=stopped.detail), database_now())

    @property
    def next_work(self) -> Then:
        """Claim later, as soon as a step stands ready for the agent."""
        return Then(self.claimed_unless_paused, self.stands_ready)

    def stands_ready(self) -> bool:
        """Whether there is a step for the agent, by the rights that it has now."""
        self.agent.principal.forget_grants()
        return operations.has_work(self.agent, at=database_now())


_STEP = Prepared(
    lambda uid: Step.objects.select_related("run").only("uid", "run__workflow").filter(uid=uid), uid=UUID
)  # fmt: skip


class ClaimView(WorkDoor):
    """Ask for work."""

    @extend_schema(request=ClaimInput, responses=WorkOutput, parameters=[IDEMPOTENCY], summary="Claim the next step")
    def post(self, request: Request) -> Response:
        wait = self.read(ClaimInput, request.data)["wait_seconds"]
        return self.answer_once(request, self.claimed, then=self.next_work, wait_seconds=wait)


class HeartbeatView(WorkDoor):
    """Keep a lease alive."""

    @extend_schema(
        request=HeartbeatInput, responses=LeaseOutput, parameters=[IDEMPOTENCY], summary="Keep the lease alive"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(HeartbeatInput, request.data)

        def act(key: str) -> Answer:
            seconds = operations.heartbeat(self.step(uid), agent=self.agent, at=database_now(), **given)
            return 200, {"lease_seconds": seconds}

        return self.answer_once(request, act)


class FinishView(WorkDoor):
    """Report what was done."""

    @extend_schema(
        request=FinishInput, responses=WorkOutput, parameters=[IDEMPOTENCY], summary="Finish a step, claim the next"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(FinishInput, request.data)
        claim_next, wait = given.pop("claim_next"), given.pop("wait_seconds")

        def act(key: str) -> Answer:
            step, lease_token, at = self.step(uid), given["lease_token"], database_now()
            if not claim_next:
                operations.finish(step, agent=self.agent, at=at, **given)
                return 200, {"work": None, "why": ""}
            result = operations.Result(**{name: value for name, value in given.items() if name != "lease_token"})
            next_one = operations.finish_and_claim(step, result, agent=self.agent, lease_token=lease_token, at=at)
            return 200, work_of(next_one, at)

        return self.answer_once(request, act, then=self.next_work if claim_next else None, wait_seconds=wait)


class FailView(WorkDoor):
    """Report that the work did not succeed."""

    @extend_schema(request=FailInput, responses=FailedOutput, parameters=[IDEMPOTENCY], summary="Report a failed try")
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(FailInput, request.data)

        def act(key: str) -> Answer:
            step = operations.fail(self.step(uid), agent=self.agent, at=database_now(), **given)
            return 200, {"status": step.status, "available_at": step.available_at}

        return self.answer_once(request, act)


class ActionsView(WorkDoor):
    """Ask before acting."""

    scope = "ask"

    @extend_schema(request=ActionInput, responses=DecisionOutput, parameters=[IDEMPOTENCY], summary="May I do this?")
    def post(self, request: Request) -> Response:
        given = self.read(ActionInput, request.data)
        uid, lease_token, _ = given.pop("step"), given.pop("lease_token"), given.pop("approval")

        def act(key: str) -> Answer:
            question = Question(request_key=key, **given)
            step = self.step(uid) if uid else None
            decision = operations.request_action(
                question, agent=self.agent, at=database_now(), step=step, lease_token=lease_token
            )
            return 200, decision_of(decision)

        def instead(key: str, kept: Mapping[str, Any]) -> Answer | None:
            if kept["effect"] != Decision.Effect.ALLOW:
                return None
            status, now = act(key)  # an allow from before a stop allows nothing while it holds
            return None if str(now["decision"]) == str(kept["decision"]) else (status, now)

        return self.answer_once(request, act, instead=instead)


class DecisionView(Door):
    """One decision."""

    scope = "ask"
    shows_one = True

    @extend_schema(responses=DecisionOutput, summary="Show a decision")
    def get(self, request: Request, uid: UUID) -> Response:
        decision = Decision.objects.visible_to(self.principal).filter(uid=uid).first()
        if decision is None:
            raise ledger.NotFound
        return self.tagged(decision_of(decision))
