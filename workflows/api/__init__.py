"""The agents' door to work: claim, ask, finish, start runs, look into shared memory; and a person's answers."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, AgentsOnly, Door, PeopleOnly, Then
from agents.api.hiring import MovingDoor, visible_agent
from agents.api.shapes.reasons import NothingInput
from agents.api.versions import IF_MATCH, IF_MATCH_INSTEAD
from agents.models import Agent
from agents.operations import OutsideWorkingHours
from agents.serializers import AgentDetail
from governance import operations as governance
from governance.models import Decision, Escalation, EscalationQuerySet
from governance.operations import Paused, Question
from observability import ledger
from observability.ledger import database_now
from observability.serializers import page_of
from workflows import memory, operations
from workflows.api.handling import as_told, read_sha256, visible_escalation
from workflows.models import Run, Space, Step, Workflow
from workflows.serializers import (
    ActionInput,
    AnswerInput,
    AnswerOutput,
    BpmnInput,
    ClaimInput,
    DecisionOutput,
    EscalationOutput,
    EscalationsQuery,
    FactAnswer,
    FactInput,
    FactQuery,
    FailedOutput,
    FailInput,
    FinishInput,
    LeaseInput,
    LeaseOutput,
    PublishedOutput,
    ReadinessOutput,
    RetireInput,
    RunInput,
    RunOutput,
    RunsQuery,
    WorkOutput,
    answer_of,
    decision_of,
    fact_of,
    work_of,
)

Answer = tuple[int, Mapping[str, Any]]


class WorkDoor(ActingDoor):
    """What all doors for an agent's work share."""

    permission_classes = [AgentsOnly]
    scope = "work"

    def step(self, uid: UUID) -> Step:
        """A step of a workflow that the agent works in; anything else is not found."""
        mine = Workflow.objects.worked_by(self.agent)
        step = Step.objects.only("uid", "run").filter(uid=uid, run__workflow__in=mine).first()
        if step is None:
            raise ledger.NotFound
        return step

    def claimed(self, key: str) -> Answer:
        """The next step for the agent as an answer, `{"work": null}` without one."""
        at = database_now()
        return 200, work_of(operations.claim(self.agent, at=at), at)

    def claimed_unless_paused(self, key: str) -> Answer:
        """The same, and no work while all work is paused or the agent's working hours are over: what was finished
        before stays finished."""
        try:
            return self.claimed(key)
        except (Paused, OutsideWorkingHours):
            return 200, work_of(None, database_now())

    @property
    def next_work(self) -> Then:
        """Claim later, as soon as a step stands ready for the agent."""
        return Then(self.claimed_unless_paused, self.stands_ready)

    def stands_ready(self) -> bool:
        """Whether there is a step for the agent, by the rights that it has now."""
        self.agent.principal.forget_grants()
        return operations.has_work(self.agent, at=database_now())


class ClaimView(WorkDoor):
    """Ask for work."""

    @extend_schema(request=ClaimInput, responses=WorkOutput, parameters=[IDEMPOTENCY], summary="Claim the next step")
    def post(self, request: Request) -> Response:
        wait = self.read(ClaimInput, request.data)["wait_seconds"]
        return self.answer_once(request, self.claimed, then=self.next_work, wait_seconds=wait)


class HeartbeatView(WorkDoor):
    """Keep a lease alive."""

    @extend_schema(request=LeaseInput, responses=LeaseOutput, parameters=[IDEMPOTENCY], summary="Keep the lease alive")
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(LeaseInput, request.data)

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
            operations.finish(self.step(uid), agent=self.agent, at=database_now(), **given)
            return self.claimed_unless_paused(key) if claim_next else (200, {"work": None})

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


class RunsView(ActingDoor):
    """Runs: list those one may see, start one."""

    scope = "work"
    query = RunsQuery

    @extend_schema(parameters=[RunsQuery], responses=page_of(RunOutput), summary="List runs, newest first")
    def get(self, request: Request) -> Response:
        runs = Run.objects.visible_to(self.principal)
        if code := self.asked["workflow"]:
            # Its key first: then the newest of one workflow stand in one index, in their order.
            known = Workflow.objects.visible_to(self.principal).filter(code=code).values_list("pk", flat=True).first()
            runs = Run.objects.filter(workflow=known)
        if status := self.asked["status"]:
            runs = runs.filter(status=status)
        return self.page(runs.as_told(), RunOutput, by="-pk")

    @extend_schema(
        request=RunInput, responses={200: RunOutput, 201: RunOutput}, parameters=[IDEMPOTENCY], summary="Start a run"
    )
    def post(self, request: Request) -> Response:
        given = self.read(RunInput, request.data)

        def act(key: str) -> Answer:
            workflow = Workflow.objects.visible_to(self.principal).filter(code=given["workflow"]).first()
            if workflow is None:
                raise ledger.NotFound(f"There is no workflow {given['workflow']}, or you may not see it.")
            by = self.agent if request.auth else self.principal
            run, new = operations.start(workflow, key=given["key"], variables=given["input"], by=by, at=database_now())
            return (201 if new else 200), RunOutput(run).data

        return self.answer_once(request, act)


class RunView(Door):
    """One run."""

    scope = "work"
    shows_one = True

    @extend_schema(responses=RunOutput, summary="Show a run")
    def get(self, request: Request, uid: UUID) -> Response:
        run = Run.objects.visible_to(self.principal).as_told().filter(uid=uid).first()
        if run is None:
            raise ledger.NotFound
        return self.tagged(RunOutput(run).data)


class FactsView(ActingDoor):
    """Shared memory."""

    permission_classes = [AgentsOnly]
    scope = {"get": "memory:read", "post": "memory:write"}
    query = FactQuery

    def space(self, code: str) -> Space:
        """A space the agent may see; anything else is not found."""
        space: Space | None = Space.objects.visible_to(self.agent.principal).filter(code=code).first()
        if space is None:
            raise ledger.NotFound(f"There is no space {code} in shared memory, or you may not see it.")
        return space

    def run(self, uid: UUID | None) -> Run | None:
        """The run a fact belongs to, if one is named."""
        if uid is None:
            return None
        run = Run.objects.visible_to(self.agent.principal).select_related("workflow").filter(uid=uid).first()
        if run is None:
            raise ledger.NotFound(f"There is no run {uid}, or you may not see it.")
        return run

    @extend_schema(parameters=[FactQuery], responses=FactAnswer, summary="Look before you work")
    def get(self, request: Request) -> Response:
        given, at = self.asked, database_now()
        fact = memory.get(self.space(given["space"]), given["key"], agent=self.agent, at=at, run=self.run(given["run"]))
        return Response(fact_of(fact, at))

    @extend_schema(
        request=FactInput, responses={201: FactAnswer}, parameters=[IDEMPOTENCY], summary="Keep a finding for others"
    )
    def post(self, request: Request) -> Response:
        given = self.read(FactInput, request.data)
        own_key = f"memory:{request.headers.get('Idempotency-Key', '')}"[:200]
        # Asked before the act: what the policies answer stays on record when it is no and the act is undone.
        memory.permit(
            "memory.write", self.space(given["space"]), given["key"], agent=self.agent, at=database_now(),
            request_key=own_key,
        )  # fmt: skip

        def act(key: str) -> Answer:
            space, at = self.space(given["space"]), database_now()
            finding = {name: value for name, value in given.items() if name not in ("space", "run")}
            found = memory.Finding(run=self.run(given["run"]), **finding)
            return 201, fact_of(memory.put(space, found, agent=self.agent, at=at, request_key=own_key), at)

        return self.answer_once(request, act)


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


class WorkflowsView(ActingDoor):
    """Workflows: publish the next version of one from a BPMN file."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=BpmnInput, responses={201: PublishedOutput}, parameters=[IDEMPOTENCY], summary="Publish a BPMN file"
    )
    def post(self, request: Request) -> Response:
        given = self.read(BpmnInput, request.data)
        self.require_recent()

        def act(key: str) -> Answer:
            known = Workflow.objects.visible_to(self.principal).filter(code=given["code"]).first()
            if known is None:
                raise ledger.NotFound(f"There is no workflow {given['code']}, or you may not see it.")
            version = operations.publish(
                known.code, given["bpmn"].encode(), by=self.principal, at=database_now(), unit=known.unit,
                owner=known.owner, incident_path=known.incident_path,
            )  # fmt: skip
            return 201, {"workflow": known.code, "version": version.number, "sha256": version.sha256}

        return self.answer_once(request, act)


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
