"""A run goes on: what happens to it moves its tokens, what follows is carried out, and in the end it ends."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import transaction

from agents.operations import require
from observability import ledger
from workflows.models import Message, Run, Step, Timer
from workflows.operations.definitions import graph_of
from workflows.operations.runs import limits, outbox, waiting
from workflows.operations.runs.gathering import gather
from workflows.operations.runs.rows import locked
from workflows.operations.runs.steps import cancel_steps, close_step, open_steps, raise_incident, unsettled
from workflows.operations.sharing import in_turn, look_first
from workflows.operations.writing import KEPT, keep, write_now
from workflows.plan import (
    Assign,
    CallWorkflow,
    CancelCall,
    CancelStep,
    CancelTimer,
    Effect,
    EndRun,
    Gathered,
    GatherOutputs,
    Happening,
    LoopKind,
    Marking,
    OpenStep,
    RaiseIncident,
    RunCancelled,
    Send,
    StaleHappening,
    StartTimer,
    StepFinished,
    Subscribe,
    TellEscalation,
    TimerFired,
    Unsubscribe,
    advance,
)

SAVED = KEPT
BUT_VARIABLES = tuple(name for name in KEPT if name != "variables")


def happen(
    run: Run, happening: Happening, *, by: ledger.Acts, at: datetime, saved: Sequence[str] = SAVED
) -> None:  # fmt: skip
    """Advance a locked run by one happening and by what follows from it at once, and carry out its effects. A run that
    stands still at a limit keeps it for later. `saved` are the columns of the run that may have changed."""
    if run.over_limit and not isinstance(happening, RunCancelled):
        limits.keep(run, [happening])
        keep(run, saved)
        return
    happenings, marking = deque([happening]), Marking.from_json(run.marking)
    looking: list[Step] = []
    while happenings or looking:
        if not happenings:  # all that opened looks into shared memory, in the order of the keys
            write_now()
            step = looking.pop(0)
            if look_first(run, step, at=at):
                happenings.append(StepFinished(step.token))
                saved = SAVED
            continue
        advanced, effects = advance(graph_of(run.version_id), marking, happenings[0], run.variables)
        limit = limits.passed(run, advanced, effects)
        if limit is not None and not advanced.ended:
            limits.stand_still(run, limit, happenings, at=at)
            break
        happenings.popleft()
        marking = advanced
        run.marking = marking.to_json()
        happenings.extend(_carry_out(run, effects, by, at, looking))
        saved = SAVED if any(isinstance(each, Assign | GatherOutputs) for each in effects) else saved
    keep(run, saved)


def step_is_done(run: Run, step: Step, values: Mapping[str, Any], *, by: ledger.Acts, at: datetime) -> None:
    """Go on after a step: its values stand under its element, but those of one instance beside many are kept with its
    row until all are gathered, so that ten thousand of them do not rewrite one long list as often."""
    run.variables[step.element] = {**values}
    beside = graph_of(run.version_id).nodes[step.element].loop is LoopKind.PARALLEL
    happen(run, StepFinished(step.token), by=by, at=at, saved=BUT_VARIABLES if beside else SAVED)


def carry_out(run: Run, effects: Sequence[Effect], *, by: ledger.Acts, at: datetime) -> None:
    """Do in a locked run what somebody's change of its tokens asks for, and what follows from it at once."""
    looking: list[Step] = []
    follows = _carry_out(run, effects, by, at, looking)
    write_now()
    follows += [StepFinished(step.token) for step in looking if look_first(run, step, at=at)]
    for each in follows:
        happen(run, each, by=by, at=at)


def _carry_out(
    run: Run, effects: Sequence[Effect], by: ledger.Acts, at: datetime, looking: list[Step]
) -> list[Happening]:
    # Equal ones that stand together are carried out together: ten thousand instances are few statements.
    follows: list[Happening] = []
    for kind, group in groupby(effects, key=type):
        if kind not in (OpenStep, EndRun):
            write_now()
        if kind is GatherOutputs:
            follows += [_gathered(run, each) for each in group if isinstance(each, GatherOutputs)]
        elif kind is OpenStep:
            opened = open_steps(run, [each for each in group if isinstance(each, OpenStep)], at=at)
            looking[:] = in_turn([*looking, *opened])
        else:
            _ACTS[kind](run, list(group), by, at)
    return follows


def _gathered(run: Run, effect: GatherOutputs) -> Happening:
    gather(run, effect)
    return Gathered(effect.token)


def _assign(run: Run, effects: Iterable[Assign], by: ledger.Acts, at: datetime) -> None:
    for effect in effects:
        run.variables[effect.node_id] = {**effect.values}


def _tell_escalation(run: Run, effects: Iterable[TellEscalation], by: ledger.Acts, at: datetime) -> None:
    for effect in effects:
        node = graph_of(run.version_id).nodes[effect.node_id]
        told = {"element": effect.node_id, "at": node.name or node.id, "code": effect.code}
        ledger.record("run.escalated", run, by=by, at=at, data=told)


def _raise_incidents(run: Run, effects: Iterable[RaiseIncident], by: ledger.Acts, at: datetime) -> None:
    for effect in effects:
        raise_incident(run, effect.node_id, effect.reason, effect.token, at=at)


def _end(run: Run, effects: Iterable[EndRun], by: ledger.Acts, at: datetime) -> None:
    for effect in effects:
        outcome = graph_of(run.version_id).nodes[effect.node_id].name or effect.node_id
        end(run, Run.Status.DONE, outcome=outcome, by=by, at=at)


def _cancel_calls(run: Run, effects: Iterable[CancelCall], by: ledger.Acts, at: datetime) -> None:
    # From the caller down to the called, as everywhere: a called run never locks the one that called it.
    tokens = [effect.token for effect in effects]
    why = f"The run {run} does not need it any more."
    for message in Message.objects.on_its_way().filter(sender=run, kind=Message.Kind.CALL, token__in=tokens):
        ledger.move(
            message, Message.Status.DROPPED, by=by, verb="message.dropped", at=at, why=why, settled_at=at, trouble=why
        )
    called = run.children.under_way().filter(parent_token__in=tokens).order_by("pk")
    for pk in called.values_list("pk", flat=True):
        child = locked(pk)
        if child.is_under_way:
            stop(child, Run.Status.CANCELLED, outcome="Cancelled", by=by, at=at, why=why)


_Act = Callable[[Run, Any, ledger.Acts, datetime], None]
_ACTS: Mapping[type[Effect], _Act] = {
    CancelStep: lambda run, effects, by, at: cancel_steps(run, effects, at=at),
    StartTimer: lambda run, effects, by, at: waiting.start_timers(run, effects, at=at),
    CancelTimer: lambda run, effects, by, at: waiting.stop_timers(run, effects, at=at),
    Subscribe: lambda run, effects, by, at: waiting.subscribe(run, effects, at=at),
    Unsubscribe: lambda run, effects, by, at: waiting.unsubscribe(run, effects, at=at),
    Send: lambda run, effects, by, at: outbox.send(run, effects, by=by, at=at),
    CallWorkflow: lambda run, effects, by, at: outbox.call(run, effects, by=by, at=at),
    CancelCall: _cancel_calls,
    Assign: _assign,
    TellEscalation: _tell_escalation,
    RaiseIncident: _raise_incidents,
    EndRun: _end,
}


def end(run: Run, to: str, *, outcome: str, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """End a locked run; its figures go into the ledger: seconds from start to end, cost, people asked. Who called it,
    and what follows on it, hears of it."""
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
    outbox.tell_end(run, by=by, at=at)


@transaction.atomic
def cancel(run: Run, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Stop the run: its steps are taken back, questions withdrawn, timers stopped, runs that it called as well. Needs a
    reason."""
    require(by, "workflows.cancel_workflow", run.workflow)
    if not why.strip():
        raise ledger.Invalid("Say why the run is cancelled.", fields={"why": "A reason is needed."})
    run = locked(run.pk)
    if not run.is_under_way:
        raise ledger.WrongStatus(f"{run} is {run.status} and cannot be cancelled any more.")
    stop(run, Run.Status.CANCELLED, outcome="Cancelled", by=by, at=at, why=why)


def stop(run: Run, to: str, *, outcome: str, by: ledger.Acts, at: datetime, why: str) -> None:
    """End a locked run before its end, with everything that is open in it."""
    happen(run, RunCancelled(), by=by, at=at)
    for step in unsettled(run):
        step.run = run
        close_step(step, Step.Status.CANCELLED, verb="step.cancelled", by=by, at=at, why=why)
    end(run, to, outcome=outcome, by=by, at=at, why=why)


def let_go(run: Run, *, by: ledger.Acts, at: datetime) -> None:
    """Let a locked run that stands still at a limit go on, with as much again as it was allowed."""
    for happening in limits.let_go(run):
        try:
            happen(run, happening, by=by, at=at)
        except StaleHappening as stale:
            ledger.record("run.heard_too_late", run, by=ledger.SYSTEM, at=at, why=str(stale))


@transaction.atomic
def fire_timer(timer: Timer, *, at: datetime) -> bool:
    """Let a due timer fire; False when it was stopped or fired meanwhile, is later now, or its run stands still."""
    return _fire(timer, at)


@transaction.atomic
def fire_together(timers: Sequence[Timer], *, at: datetime) -> int:
    """Let several due timers fire in one transaction, but for those whose run somebody else holds now; how many."""
    # In the order of their keys, as from the caller down to the called: nobody waits in a circle.
    runs = Run.objects.filter(pk__in={timer.run_id for timer in timers}).order_by("pk")
    held = set(runs.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True))
    with ledger.gathered():
        return sum(_fire(timer, at) for timer in timers if timer.run_id in held)


def _fire(timer: Timer, at: datetime) -> bool:
    run = locked(timer.run_id)
    timer.refresh_from_db(fields=["status", "due_at"])
    if timer.status != Timer.Status.SET or timer.due_at > at or run.stands_still:
        return False
    timer.run = run
    ledger.move(timer, Timer.Status.FIRED, by=ledger.SYSTEM, verb="timer.fired", at=at)
    happen(run, TimerFired(timer.token), by=ledger.SYSTEM, at=at)
    return True


@transaction.atomic
def check_time(run: Run, *, at: datetime) -> bool:
    """Let a run that takes too long stand still and ask a person; False when it is in time."""
    run = locked(run.pk)
    limit = limits.too_long(run, at)
    if limit is None or run.over_limit or run.status != Run.Status.RUNNING:
        return False
    limits.stand_still(run, limit, at=at)
    return True
