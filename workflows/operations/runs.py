"""Runs: start one, let it advance by what happens, end it. Whoever touches a run locks its row first."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from agents.models import Agent, Principal
from agents.operations import require, require_at_work
from governance import operations as governance
from governance.language import RequestInvalid
from observability import ledger
from observability.prepared import Insertion, Prepared
from workflows.models import Run, Step, Timer, Workflow
from workflows.operations import questions
from workflows.operations.definitions import graph_of, newest_version
from workflows.operations.schemas import too_large, wrong_with_values
from workflows.operations.writing import keep, open_for_agents, open_for_people, write_now
from workflows.plan import (
    CancelStep,
    CancelTimer,
    Effect,
    EndRun,
    Happening,
    Marking,
    NodeKind,
    OpenStep,
    RaiseIncident,
    RunCancelled,
    Started,
    StartTimer,
    TimerFired,
    advance,
)


def locked(run_id: int) -> Run:
    """The run, locked until the transaction ends: the first line of everything that touches its steps."""
    run = _LOCKED.first(pk=run_id)
    if run is None:
        raise Run.DoesNotExist(f"There is no run {run_id}.")
    return run


_NEW_RUN = Insertion(Run)
_STARTED = Prepared(lambda workflow, key: Run.objects.filter(workflow=workflow, key=key), "key", workflow=int)
_LOCKED = Prepared(
    lambda pk: (
        Run.objects.select_for_update(of=("self",))
        .select_related("workflow", "unit", "version")
        .defer("version__bpmn", "version__graph")
        .filter(pk=pk)
    ),
    pk=int,
)


def start(
    workflow: Workflow, *, key: str, variables: Mapping[str, Any], by: ledger.Acts, at: datetime, priority: int = 0
) -> tuple[Run, bool]:
    """A run of the newest version for the business key, and whether it is new: the same key gets the run it has. Raises
    Paused where work is paused: whoever wants the run keeps what it is about, and asks again."""
    require(by, "workflows.start_workflow", workflow)
    if isinstance(by, Agent):
        require_at_work(by, at=at)
    existing = _STARTED.first(workflow=workflow.pk, key=key)
    if existing is not None:
        return existing, False
    try:
        with transaction.atomic():
            return _start(workflow, key, variables, by, at, priority), True
    except IntegrityError:
        return workflow.runs.get(key=key), False


def _start(
    workflow: Workflow, key: str, variables: Mapping[str, Any], by: ledger.Acts, at: datetime, priority: int
) -> Run:
    agent = by if isinstance(by, Agent) else None
    reach = governance.reach_of(agent, workflow=workflow.code, path=workflow.unit.path)
    glance = governance.glance_now()
    governance.require_running(reach, governance.stops_for_work(at) if glance.stops else (), at=at)
    version = newest_version(workflow)
    checked = checked_values(version.pk, graph_of(version.pk).start.id, variables)
    starter = by.principal if isinstance(by, Agent) else by
    run = Run(
        key=key, workflow=workflow, version=version, unit=workflow.unit, variables={"input": checked}, started_at=at,
        started_by=starter if isinstance(starter, Principal) else None, priority=priority,
    )  # fmt: skip
    _NEW_RUN.insert(run)
    if glance.budgets:
        spender = governance.Spender(agent, workflow.unit, workflow.code, str(run.uid))
        governance.count_run(spender=spender, what=f"Run {run.key}", at=at)
    with ledger.gathered():
        ledger.record("run.started", run, by=by, at=at, after=run.status, data={"version": version.number})
        happen(run, Started(), by=by, at=at)
    return run


def checked_values(version_id: int, element: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What an element leaves behind (the start node takes in), checked against its declared types, as JSON keeps it."""
    detail = "The values do not fit what the workflow declares; nothing was changed."
    graph, root = graph_of(version_id), "output"
    wrong = too_large(values, root=root) or wrong_with_values(values, graph.nodes[element].output_schema, root=root)
    if wrong:
        raise ledger.Invalid(detail, fields=wrong)
    try:
        checked = graph.outputs_schema(element).coerce(values)
    except RequestInvalid as invalid:
        raise ledger.Invalid(detail, fields=dict(invalid.errors)) from invalid
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in checked.items()}


def happen(run: Run, happening: Happening, *, by: ledger.Acts, at: datetime) -> None:
    """Advance a locked run by one happening and carry out what follows from it."""
    marking, effects = advance(graph_of(run.version_id), Marking.from_json(run.marking), happening, run.variables)
    run.marking = marking.to_json()
    keep(run)
    for effect in effects:
        _carry_out(run, effect, by, at)


def _carry_out(run: Run, effect: Effect, by: ledger.Acts, at: datetime) -> None:
    if not isinstance(effect, OpenStep):
        write_now()
    match effect:
        case OpenStep(token=token, node_id=element):
            _open_step(run, token, element, at)
        case CancelStep(token=token):
            _cancel_step(run, token, at)
        case StartTimer(token=token, node_id=element, seconds=seconds):
            Timer.objects.create(run=run, token=token, element=element, due_at=at + timedelta(seconds=seconds))
        case CancelTimer(token=token):
            _stop_timer(run, token, at)
        case RaiseIncident(node_id=element, reason=reason, token=token):
            _raise_incident(run, element, reason, token, at)
        case EndRun(node_id=element):
            end(run, Run.Status.DONE, outcome=graph_of(run.version_id).nodes[element].name or element, by=by, at=at)


def _open_step(run: Run, token: int, element: str, at: datetime) -> None:
    node = graph_of(run.version_id).nodes[element]
    kind = Step.Kind.AGENT if node.kind is NodeKind.SERVICE_TASK else Step.Kind.PERSON
    step = Step(
        run=run, token=token, element=element, name=node.name or element, kind=kind, role=node.role, available_at=at,
        opened_at=at, status=Step.Status.READY if kind == Step.Kind.AGENT else Step.Status.WAITING,
    )  # fmt: skip
    if kind == Step.Kind.AGENT:
        open_for_agents(step, node)
    else:
        open_for_people(step)
    ledger.record("step.opened", step, by=ledger.SYSTEM, at=at, after=step.status)
    if kind == Step.Kind.PERSON:
        questions.ask_about_step(step, at=at)


def _cancel_step(run: Run, token: int, at: datetime) -> None:
    for step in _unsettled(run).filter(token=token):
        close_step(step, Step.Status.CANCELLED, verb="step.cancelled", by=ledger.SYSTEM, at=at, why="No longer needed.")


def _unsettled(run: Run) -> QuerySet[Step]:
    return run.steps.select_for_update(of=("self",)).select_related("escalation").unsettled()


def close_step(step: Step, to: str, *, verb: str, by: ledger.Acts, at: datetime, why: str) -> None:
    """End a step before its time; a question that waits for a person because of it is withdrawn."""
    ledger.move(
        step, to, by=by, verb=verb, at=at, why=why, ended_at=at, leased_until=None, lease_token=step.lease_token + 1
    )  # fmt: skip
    governance.release_step(str(step.uid), at=at, why=why)
    if step.escalation is not None and step.escalation.is_pending:
        governance.withdraw(step.escalation, by=by, at=at, why=why)


def _stop_timer(run: Run, token: int, at: datetime) -> None:
    for timer in run.timers.filter(token=token, status=Timer.Status.SET):
        ledger.move(timer, Timer.Status.STOPPED, by=ledger.SYSTEM, verb="timer.stopped", at=at)


def _raise_incident(run: Run, element: str, reason: str, token: int, at: datetime) -> None:
    node = graph_of(run.version_id).nodes[element]
    step = Step.objects.create(
        run=run, token=token, element=element, name=node.name or element, kind=Step.Kind.PERSON, available_at=at,
        opened_at=at, status=Step.Status.WAITING, error=reason,
    )  # fmt: skip
    ledger.record("step.opened", step, by=ledger.SYSTEM, at=at, after=step.status, why=reason)
    questions.ask_about_incident(step, reason=reason, at=at)


def end(run: Run, to: str, *, outcome: str, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """End a locked run; its figures go into the ledger: seconds from start to end, cost, people asked."""
    verb = {Run.Status.DONE: "run.finished", Run.Status.FAILED: "run.failed"}.get(Run.Status(to), "run.cancelled")
    seconds = Decimal(str(round((at - run.started_at).total_seconds(), 3)))
    facts = {
        "people": run.people_asked,
        "touchless": not run.people_asked,
        "outcome": outcome,
        "version": run.version.number,
    }
    ledger.move(
        run, to, by=by, verb=verb, at=at, why=why, seconds=seconds, cost=run.cost, data=facts, ended_at=at,
        outcome=outcome,
    )  # fmt: skip


@transaction.atomic
def cancel(run: Run, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Stop the run: its steps are taken back, questions withdrawn, timers stopped. Needs a reason."""
    require(by, "workflows.cancel_workflow", run.workflow)
    if not why.strip():
        raise ledger.Invalid("Say why the run is cancelled.", fields={"why": "A reason is needed."})
    run = locked(run.pk)
    if run.status != Run.Status.RUNNING:
        raise ledger.WrongStatus(f"{run} is {run.status} and cannot be cancelled any more.")
    stop(run, Run.Status.CANCELLED, outcome="Cancelled", by=by, at=at, why=why)


def stop(run: Run, to: str, *, outcome: str, by: ledger.Acts, at: datetime, why: str) -> None:
    """End a locked run before its end, with everything that is open in it."""
    happen(run, RunCancelled(), by=by, at=at)
    for step in _unsettled(run):
        close_step(step, Step.Status.CANCELLED, verb="step.cancelled", by=by, at=at, why=why)
    end(run, to, outcome=outcome, by=by, at=at, why=why)


@transaction.atomic
def fire_timer(timer: Timer, *, at: datetime) -> bool:
    """Let a due timer fire; False when it was stopped or fired meanwhile."""
    run = locked(timer.run_id)
    timer.refresh_from_db(fields=["status"])
    if timer.status != Timer.Status.SET:
        return False
    ledger.move(timer, Timer.Status.FIRED, by=ledger.SYSTEM, verb="timer.fired", at=at)
    happen(run, TimerFired(timer.token), by=ledger.SYSTEM, at=at)
    return True
