"""A task of an ad-hoc sub-process is done, or done once more, because somebody who looks after the run asks for it."""

from datetime import datetime

from django.db import transaction

from observability import ledger
from workflows.models import Step
from workflows.operations.around import OVER, ad_hoc_of, task_in
from workflows.operations.intervening.entering import entered_step
from workflows.operations.runs import happen
from workflows.plan import StaleHappening, Task, TaskChosen


def tasks_around(step: Step) -> tuple[Task, ...]:
    """The tasks that can be chosen beside an open step; none where it lies in no ad-hoc sub-process."""
    try:
        return ad_hoc_of(step).tasks
    except ledger.WrongStatus:
        return ()


@transaction.atomic
def choose(step: Step, task: str, *, by: ledger.Acts, at: datetime, why: str) -> Task:
    """Have a task of the ad-hoc sub-process around the step done, now or once more; the task as it stands then. Raises
    WrongStatus for a step in none, Invalid for what is no task of it."""
    step = entered_step(step, by=by, why=why)
    run, around = step.run, ad_hoc_of(step)
    chosen = task_in(around, task)
    told = {"element": chosen.node_id, "at": chosen.name, "step": str(step.uid)}
    ledger.record("run.task_chosen", run, by=by, at=at, why=why, data=told)
    try:
        happen(run, TaskChosen(around.token, task), by=by, at=at)
    except StaleHappening as stale:
        raise ledger.WrongStatus(OVER.format(step.name)) from stale
    return task_in(ad_hoc_of(step), task)
