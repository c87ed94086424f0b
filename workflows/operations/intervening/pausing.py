"""A run stands still and goes on, and with it the runs that it called: meanwhile nothing of them is handed out, and
their clocks stand still as well."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from governance import operations as governance
from governance.models import Escalation
from observability import ledger
from workflows.models import Run, Step, Timer
from workflows.operations.definitions import graph_of
from workflows.operations.intervening.entering import entered
from workflows.operations.runs import locked
from workflows.operations.stopping import PAUSED_RUN, has_acted, put_back


@dataclass(frozen=True)
class Reached:
    """The run, and how many of the runs that it called, and that those called, it took along."""

    run: Run
    called: int = 0


@transaction.atomic
def pause_run(run: Run, *, by: ledger.Acts, at: datetime, why: str) -> Reached:
    """Nothing of the run and of the runs that it called is handed out, no clock of them runs out; what agents hold goes
    back to the queue without blame, except where one was allowed to act already: its report is still taken. What
    somebody paused before stays as it is."""
    run = entered(run, by=by, why=why)
    if run.is_paused:
        raise ledger.WrongStatus(f"Run {run} is paused already.")
    called = [each for each in _called_by(run) if each.status == Run.Status.RUNNING]
    _pause(run, by=by, at=at, why=why, data={"called": len(called)} if called else {})
    for each in called:
        _pause(each, by=by, at=at, why=why, data={"with": run.key})
    return Reached(run, len(called))


def _pause(run: Run, *, by: ledger.Acts, at: datetime, why: str, data: dict[str, object]) -> None:
    ledger.move(run, Run.Status.PAUSED, by=by, verb="run.paused", at=at, why=why, data=data, paused_at=at)
    # Ready ones are locked too: whoever claims one at this moment is waited for, and then has it taken back.
    open_steps = run.steps.select_for_update(of=("self",)).filter(status__in=(Step.Status.READY, Step.Status.WORKING))
    for step in open_steps.order_by("id"):
        step.run = run
        if step.status == Step.Status.WORKING and not has_acted(step):
            put_back(step, by=by, why=f"{PAUSED_RUN} {why}", at=at)


@transaction.atomic
def resume_run(run: Run, *, by: ledger.Acts, at: datetime, why: str) -> Reached:
    """The run goes on where it stood, and with it the called ones that were paused with it. The time of the pause
    counts for nobody: its clocks and the deadlines of its open questions are later by it. A clock that was set to a
    date keeps it."""
    run = entered(run, by=by, why=why)
    if not run.is_paused:
        raise ledger.WrongStatus(f"Run {run} is not paused.")
    called = [each for each in _called_by(run) if each.is_paused and each.paused_at == run.paused_at]
    _resume(run, by=by, at=at, why=why, data={"called": len(called)} if called else {})
    for each in called:
        _resume(each, by=by, at=at, why=why, data={"with": run.key})
    return Reached(run, len(called))


def _resume(run: Run, *, by: ledger.Acts, at: datetime, why: str, data: dict[str, object]) -> None:
    length = at - (run.paused_at or at)
    told = {"seconds": round(length.total_seconds(), 3), **data}
    ledger.move(run, Run.Status.RUNNING, by=by, verb="run.resumed", at=at, why=why, data=told, paused_at=None)
    _set_clocks_back(run, length, by=by, at=at)


def _called_by(run: Run) -> list[Run]:
    """The runs under way that this locked one called, and that those called, all locked: in the order of their keys, so
    that a caller is locked before what it called. One that is called meanwhile is seen when its caller is locked."""
    found: dict[int, Run] = {}
    while fresh := sorted(_keys_below(run) - found.keys()):
        found |= {pk: locked(pk) for pk in fresh}
    return [each for each in found.values() if each.is_under_way]


def _keys_below(run: Run) -> set[int]:
    found: set[int] = set()
    callers = {run.pk}
    while callers:
        callers = set(Run.objects.under_way().filter(parent__in=callers).values_list("pk", flat=True))
        found |= callers
    return found


def called_with(run: Run) -> int:
    """How many called runs pausing this one, or letting it go on, takes along now."""
    below = Run.objects.filter(pk__in=_keys_below(run))
    if run.is_paused:
        return below.filter(status=Run.Status.PAUSED, paused_at=run.paused_at).count()
    return below.filter(status=Run.Status.RUNNING).count()


def _set_clocks_back(run: Run, length: timedelta, *, by: ledger.Acts, at: datetime) -> None:
    nodes, why = graph_of(run.version_id).nodes, f"Run {run} was paused."
    for timer in run.timers.select_for_update(of=("self",)).filter(status=Timer.Status.SET):
        node = nodes.get(timer.element)
        if node is None or not node.duration_seconds:
            continue
        timer.run, timer.due_at = run, timer.due_at + length
        timer.save(update_fields=["due_at"])
        ledger.record("timer.prolonged", timer, by=by, at=at, why=why, data={"until": timer.due_at.isoformat()})
    for asked in Escalation.objects.open().filter(steps__run=run).distinct():
        governance.prolong(asked, length, by=by, at=at, why=why)
