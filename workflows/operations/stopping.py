"""Stopping work: what a stop touches, what becomes of the steps that agents hold, and what one would see before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from agents.models import Agent, Blueprint, Principal, System, Unit
from governance import operations as governance
from governance.models import ControlDrill, ControlState, Decision, Escalation, Incident
from governance.operations import EVERYTHING, Reach, Scope, Stop
from governance.rules.stopping import PAUSED, RESTRICTED
from observability import ledger
from workflows.models import Run, Step, Workflow
from workflows.operations.runs import locked

Kind = ControlState.Kind
PAUSED_RUN = "This run is paused."
MODELS: Mapping[str, Any] = {
    Kind.UNIT: Unit, Kind.BLUEPRINT: Blueprint, Kind.AGENT: Agent, Kind.WORKFLOW: Workflow, Kind.SYSTEM: System,
}  # fmt: skip


class LeaseVoid(governance.Paused):
    """Work is paused here and this lease is void; the step is handed out again later. Nothing was changed."""

    code = "lease_void"


# --- scopes ---------------------------------------------------------------------------------------------------
def scope_of(row: Any) -> Scope:
    """The scope that this unit, blueprint, agent, workflow or system is."""
    kind = next(kind for kind, model in MODELS.items() if isinstance(row, model))
    noun = "" if kind == Kind.AGENT else f"{kind} "
    return Scope(str(kind), row.code, f"{noun}{row}", row if kind == Kind.UNIT else row.unit, row)


def find_scope(kind: str, code: str, *, user: Principal | None = None) -> Scope:
    """The scope of this kind and code, if the person may see it. Raises NotFound, or Invalid for an unknown kind."""
    if kind == Kind.EVERYTHING:
        if code:
            raise ledger.Invalid(fields={"id": "Everything has no id."})
        return EVERYTHING
    if kind not in MODELS:
        raise ledger.Invalid(fields={"kind": f"Choose one of {', '.join(Kind.values)}."})
    rows = MODELS[kind].objects.all()
    rows = rows if user is None else rows.visible_to(user)
    row = (rows if kind == Kind.UNIT else rows.select_related("unit")).filter(code=code).first()
    if row is None:
        raise ledger.NotFound(f"There is no {kind} {code}, or you may not see it.")
    return scope_of(row)


def reach_of_step(step: Step, agent: Agent | None) -> Reach:
    """What a step in the hand of this agent touches."""
    return governance.reach_of(agent, workflow=step.run.workflow.code, path=step.run.unit.path)


# --- the queue ------------------------------------------------------------------------------------------------
def ready_steps(agent: Agent, stops: Iterable[Stop], *, at: datetime) -> QuerySet[Step]:
    """Steps that the agent may take now, without those of workflows and units that are paused."""
    ready = Step.objects.ready_for(agent, at)
    for stop in stops:
        if stop.is_paused and stop.kind == Kind.WORKFLOW:
            ready = ready.exclude(run__workflow__code=stop.code)
        elif stop.is_paused and stop.kind == Kind.UNIT:
            ready = ready.exclude(run__unit__path__startswith=stop.path)
    return ready


def without_stopped(steps: QuerySet[Step]) -> QuerySet[Step]:
    """The same without those of runs that stand still until somebody resolves an incident."""
    return steps.exclude(run__uid__in=Incident.objects.stopped_runs())


def pausing(step: Step, agent: Agent | None, *, at: datetime) -> Stop | None:
    """The pause that this step is under in the hand of this agent, None without one. Call it with the run locked."""
    stop = governance.ruling_stop(reach_of_step(step, agent), at=at)
    return stop if stop is not None and stop.is_paused else None


def why_void(step: Step, agent: Agent | None, *, at: datetime) -> str:
    """Why the step is not worked on in the hand of this agent now: its run or all work there is paused; "" when it is.
    Call it with the run locked."""
    if step.run.is_paused:
        return PAUSED_RUN
    stop = pausing(step, agent, at=at)
    return stop.words if stop is not None else ""


def has_acted(step: Step) -> bool:
    """Whether its agent was allowed an action in this step already: what it did outside cannot be undone, so its report
    is taken even while work is paused, and nobody else does it again meanwhile."""
    allowed = Decision.objects.filter(run=str(step.run.uid), step=str(step.uid), effect=Decision.Effect.ALLOW)
    return allowed.filter(agent=step.agent_id).exists()


def void_leases(*, at: datetime) -> int:
    """Return every step that an agent holds under a pause to the queue, without blame; how many. Each run in a
    transaction of its own; a step whose lease is not void yet is refused its report all the same."""
    stops = [stop for stop in governance.stops_for_work(at) if stop.is_paused]
    paused = Q(run__status=Run.Status.PAUSED)  # claimed in the moment in which its run was paused
    held = Step.objects.filter(_touched(stops) | paused, status=Step.Status.WORKING)
    return sum(_void_in(run, at) for run in sorted(set(held.values_list("run", flat=True))))


@transaction.atomic
def _void_in(run_id: int, at: datetime) -> int:
    run, done = locked(run_id), 0
    working = run.steps.select_for_update(of=("self",)).filter(status=Step.Status.WORKING)
    for step in working.select_related("agent__unit", "agent__blueprint"):
        step.run = run
        why = why_void(step, step.agent, at=at)
        if why and not has_acted(step):
            put_back(step, by=ledger.SYSTEM, why=why, at=at)
            done += 1
    return done


def put_back(step: Step, *, by: ledger.Acts, why: str, at: datetime, delay: timedelta = timedelta(0)) -> None:
    """Return a held step to the queue without blame: no attempt is lost, its lease is void, and it may be claimed again
    after `delay`. What it had reserved of budgets is free again."""
    governance.release_step(str(step.uid), at=at, why=why)
    ledger.move(
        step, Step.Status.READY, by=by, verb="step.returned", at=at, why=why, available_at=at + delay,
        lease_token=step.lease_token + 1, leased_until=None, attempt=max(step.attempt - 1, 0),
    )  # fmt: skip


def _touched(stops: Iterable[Stop]) -> Q:
    found = Q(pk__in=())
    for stop in stops:
        found |= _steps_of(stop.kind, stop.code, stop.path)
    return found


def _steps_of(kind: str, code: str, path: str) -> Q:
    match kind:
        case Kind.EVERYTHING:
            return Q(pk__isnull=False)
        case Kind.UNIT:
            return Q(agent__unit__path__startswith=path) | Q(run__unit__path__startswith=path)
        case Kind.BLUEPRINT:
            return Q(agent__blueprint__code=code)
        case Kind.AGENT:
            return Q(agent__code=code)
        case Kind.WORKFLOW:
            return Q(run__workflow__code=code)
        case _:
            return Q(pk__in=())  # a system: its actions are denied, the work on other things goes on


# --- stop and let go ------------------------------------------------------------------------------------------
def set_control(
    scope: Scope, to: str, *, by: ledger.Acts, at: datetime, why: str, until: datetime | None = None
) -> tuple[ControlState, int]:
    """Restrict, pause or let go a scope; its state, and how many leases are void with it. The change is committed
    first: no lock of a run is waited for while decisions wait for the change."""
    row = governance.change_control(to, by=by, at=at, why=why, scope=scope, until=until)
    return row, void_leases(at=at) if to == ControlState.Status.PAUSED else 0


def practise(scope: Scope, *, by: ledger.Acts, at: datetime, why: str) -> ControlDrill:
    """A drill of pausing this scope: what it would stop is counted, nothing stops."""
    return governance.start_drill(scope, by=by, at=at, why=why, would_stop=stops_if(scope, PAUSED).counts)


# --- before the click -----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Stops:
    """What a state would stop in a scope now: the rows behind each number."""

    state: str
    agents: QuerySet[Agent]
    runs: QuerySet[Run]
    voided: QuerySet[Step]
    reported: QuerySet[Step]
    questions: QuerySet[Escalation]
    actions: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """The numbers: agents and runs held up, steps whose lease is void, steps that may still be reported, questions
        to people that go on, actions that are denied."""
        return {
            "agents": self.agents.count(), "runs": self.runs.count(), "steps_returned": self.voided.count(),
            "steps_reported": self.reported.count(), "questions_go_on": self.questions.count(),
            "actions": len(self.actions),
        }  # fmt: skip


def stops_if(scope: Scope, state: str) -> Stops:
    """What this state of the scope would stop now, in the whole company: a stop asks nobody's sight."""
    path = scope.unit.path if scope.kind == Kind.UNIT and scope.unit else ""
    steps = Step.objects.filter(_steps_of(scope.kind, scope.code, path))
    working = steps.filter(status=Step.Status.WORKING) if state == PAUSED else steps.none()
    acted = _acted(working)
    # Only a pause holds work up; what is restricted goes on and is denied all but actions of low risk.
    held_up = state in (PAUSED, RESTRICTED)
    return Stops(
        state=state,
        agents=_agents_of(scope, path) if held_up else Agent.objects.none(),
        runs=_runs_of(scope, path) if held_up else Run.objects.none(),
        voided=working.exclude(pk__in=acted).select_related("run", "agent"),
        reported=working.filter(pk__in=acted).select_related("run", "agent"),
        questions=_questions_of(scope, path).select_related("agent"),
        actions=_actions_of(scope, state),
    )


def _acted(working: QuerySet[Step]) -> list[int]:
    held = {str(uid): (pk, agent) for pk, uid, agent in working.values_list("pk", "uid", "agent")}
    allowed = Decision.objects.filter(step__in=held, effect=Decision.Effect.ALLOW).values_list("step", "agent")
    return [held[step][0] for step, agent in set(allowed) if held[step][1] == agent]


def _agents_of(scope: Scope, path: str) -> QuerySet[Agent]:
    agents = Agent.objects.at_work().select_related("unit")
    match scope.kind:
        case Kind.EVERYTHING:
            return agents
        case Kind.UNIT:
            return agents.filter(unit__path__startswith=path)
        case Kind.BLUEPRINT:
            return agents.filter(blueprint__code=scope.code)
        case Kind.AGENT:
            return agents.filter(code=scope.code)
        case Kind.WORKFLOW:
            working = Step.objects.filter(run__workflow__code=scope.code, status=Step.Status.WORKING)
            return agents.filter(pk__in=working.order_by().values("agent"))
        case _:
            names = _action_names(scope)
            able = [each.pk for each in Blueprint.objects.all() if any(each.allows(name) for name in names)]
            return agents.filter(blueprint__in=able)


def _runs_of(scope: Scope, path: str) -> QuerySet[Run]:
    runs = Run.objects.under_way().select_related("workflow")
    match scope.kind:
        case Kind.EVERYTHING:
            return runs
        case Kind.WORKFLOW:
            return runs.filter(workflow__code=scope.code)
        case Kind.UNIT:
            held = _held(Q(agent__unit__path__startswith=path))
            return runs.filter(Q(unit__path__startswith=path) | Q(pk__in=held))
        case _:
            return runs.filter(pk__in=_held(_steps_of(scope.kind, scope.code, path)))


def _held(steps: Q) -> list[int]:
    return list(Step.objects.in_hand().filter(steps).order_by().values_list("run", flat=True).distinct())


def _questions_of(scope: Scope, path: str) -> QuerySet[Escalation]:
    asked = Escalation.objects.open()
    if scope.kind == Kind.EVERYTHING:
        return asked
    held = Step.objects.filter(_steps_of(scope.kind, scope.code, path), escalation__isnull=False)
    return asked.filter(pk__in=held.order_by().values("escalation"))


def _actions_of(scope: Scope, state: str) -> tuple[str, ...]:
    if scope.kind != Kind.SYSTEM or state not in (PAUSED, RESTRICTED):
        return ()
    actions = scope.row.actions if state == PAUSED else [each for each in scope.row.actions if each.get("risk", 3) > 1]
    return tuple(each.get("label", each["name"]) for each in actions)


def _action_names(scope: Scope) -> tuple[str, ...]:
    return tuple(each["name"] for each in scope.row.actions)


def may_be_stopped_by(user: Principal, *, at_most: int = 200) -> list[Scope]:
    """The scopes that this person may see and stop, everything first."""
    scopes = [EVERYTHING]
    for kind, model in MODELS.items():
        rows = model.objects.visible_to(user)
        if kind == Kind.AGENT:
            rows = rows.exclude(status=Agent.Status.RETIRED)
        scopes += [scope_of(row) for row in (rows if kind == Kind.UNIT else rows.select_related("unit"))[:at_most]]
    return [scope for scope in scopes if governance.may_stop(user, scope)]
