"""Telling: an agent that works on a step tells its surroundings something, or asks for other work beside its own. The
step stays with it, unless the drawing says otherwise."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from agents.models import Agent
from agents.operations import require_active
from governance import operations as governance
from observability import ledger
from workflows.models import Step
from workflows.operations.around import OVER, ad_hoc_of, task_in
from workflows.operations.definitions import graph_of
from workflows.operations.runs import happen
from workflows.operations.work.leases import locked_with_run, require_held
from workflows.plan import (
    AdHoc,
    Happening,
    Marking,
    StaleHappening,
    StepEscalated,
    Task,
    TaskChosen,
    heard_by,
)


@dataclass(frozen=True)
class Heard:
    """What became of an escalation: the step as it is now, and the event that heard it, empty when none did."""

    step: Step
    by: str = ""


def escalate(step: Step, code: str, *, agent: Agent, lease_token: int, why: str, at: datetime) -> Heard:
    """Tell the surroundings of the step a BPMN escalation. The nearest event that knows the code hears it; one that
    interrupts takes the step away. What no event hears goes on record. Raises StaleLease."""
    require_active(agent)
    with transaction.atomic():
        step, oversight = _held(step, agent, lease_token, at)
        run = step.run
        try:
            hears = heard_by(graph_of(run.version_id), Marking.from_json(run.marking), step.token, code)
        except StaleHappening as stale:
            raise ledger.WrongStatus(OVER.format(step.name)) from stale
        told = {"code": code, "heard_by": hears}
        with ledger.gathered():
            ledger.record("step.escalated", step, by=agent, at=at, after=step.status, why=why, data=told)
            _happen(step, StepEscalated(step.token, code, why), oversight)
        oversight.watch([str(run.uid)])
    step.refresh_from_db(fields=["status", "lease_token", "leased_until"])
    return Heard(step, hears)


def tasks_beside(step: Step, *, agent: Agent) -> AdHoc:
    """The ad-hoc sub-process around a step that the agent holds, with the tasks that it can choose there. Raises
    NotFound for a step that it does not hold, WrongStatus for one in no such sub-process."""
    found = Step.objects.select_related("run").filter(pk=step.pk, agent=agent, status=Step.Status.WORKING).first()
    if found is None:
        raise ledger.NotFound
    return ad_hoc_of(found)


def choose_task(step: Step, element: str, *, agent: Agent, lease_token: int, why: str, at: datetime) -> Task:
    """Have a task of the ad-hoc sub-process around the step done, now or once more; the task as it stands then. Raises
    StaleLease, WrongStatus for a step in no such sub-process, Invalid for what is no task of it."""
    require_active(agent)
    with transaction.atomic():
        step, oversight = _held(step, agent, lease_token, at)
        run, around = step.run, ad_hoc_of(step)
        chosen = task_in(around, element)
        told = {"element": chosen.node_id, "at": chosen.name, "step": str(step.uid)}
        with ledger.gathered():
            ledger.record("run.task_chosen", run, by=agent, at=at, why=why, data=told)
            _happen(step, TaskChosen(around.token, element), oversight)
        oversight.watch([str(run.uid)])
        return task_in(ad_hoc_of(step), element)


def _held(step: Step, agent: Agent, lease_token: int, at: datetime) -> tuple[Step, governance.Oversight]:
    step = locked_with_run(step.pk)
    oversight = governance.Oversight(agent, {str(step.uid): str(step.run.uid)}, at=at)
    require_held(step, lease_token, oversight)
    return step, oversight


def _happen(step: Step, happening: Happening, oversight: governance.Oversight) -> None:
    try:
        happen(step.run, happening, by=oversight.agent, at=oversight.at)
    except StaleHappening as stale:
        raise ledger.WrongStatus(OVER.format(step.name)) from stale
