"""A run stands still and goes on: meanwhile nothing of it is handed out, and its clocks stand still as well."""

from datetime import datetime, timedelta

from django.db import transaction

from governance import operations as governance
from governance.models import Escalation
from observability import ledger
from workflows.models import Run, Step, Timer
from workflows.operations.definitions import graph_of
from workflows.operations.intervening.entering import entered
from workflows.operations.stopping import PAUSED_RUN, has_acted, put_back


@transaction.atomic
def pause_run(run: Run, *, by: ledger.Acts, at: datetime, why: str) -> Run:
    """Nothing of the run is handed out, no clock of it runs out; what agents hold goes back to the queue without blame,
    except where one was allowed to act already: its report is still taken."""
    run = entered(run, by=by, why=why)
    if run.is_paused:
        raise ledger.WrongStatus(f"Run {run} is paused already.")
    ledger.move(run, Run.Status.PAUSED, by=by, verb="run.paused", at=at, why=why, paused_at=at)
    # Ready ones are locked too: whoever claims one at this moment is waited for, and then has it taken back.
    open_steps = run.steps.select_for_update(of=("self",)).filter(status__in=(Step.Status.READY, Step.Status.WORKING))
    for step in open_steps.order_by("id"):
        step.run = run
        if step.status == Step.Status.WORKING and not has_acted(step):
            put_back(step, by=by, why=f"{PAUSED_RUN} {why}", at=at)
    return run


@transaction.atomic
def resume_run(run: Run, *, by: ledger.Acts, at: datetime, why: str) -> Run:
    """The run goes on where it stood. The time of the pause counts for nobody: its clocks and the deadlines of its open
    questions are later by it. A clock that was set to a date keeps it."""
    run = entered(run, by=by, why=why)
    if not run.is_paused:
        raise ledger.WrongStatus(f"Run {run} is not paused.")
    length = at - (run.paused_at or at)
    told = {"seconds": round(length.total_seconds(), 3)}
    ledger.move(run, Run.Status.RUNNING, by=by, verb="run.resumed", at=at, why=why, data=told, paused_at=None)
    _set_clocks_back(run, length, by=by, at=at)
    return run


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
