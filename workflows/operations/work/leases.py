"""A lease: who holds a step and until when; it is kept alive, lasts longer when asked, and is given back."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from agents.models import Agent
from agents.operations import require_active
from governance import operations as governance
from observability import ledger
from observability.prepared import Prepared, PreparedList
from workflows.models import Run, Step
from workflows.operations.definitions import graph_of
from workflows.operations.stopping import PAUSED_RUN, LeaseVoid, has_acted, put_back, reach_of_step, why_void

VOID = "Your lease is void and nothing was changed. The step is handed out again when work is resumed."
AFTER_RELEASE = timedelta(seconds=5)


class StaleLease(ledger.Refused):
    """Your lease on this step is over; somebody else may have it. Nothing was changed: claim new work."""

    code = "stale_lease"


def held(step: Step, *, agent: Agent, lease_token: int, at: datetime) -> Step:
    """The step as it stands now with its run locked, if this agent still holds it. Raises StaleLease otherwise, or
    LeaseVoid when a pause took it."""
    found = locked_with_run(step.pk)
    if not is_held(found, agent, lease_token, at):
        why = why_void(found, agent, at=at)
        raise LeaseVoid(f"{why} {VOID}") if why else StaleLease
    return found


def held_for_report(step: Step, *, agent: Agent, lease_token: int, at: datetime) -> Step:
    """The same for a report: under a pause only who was allowed to act in this step before still reports on it."""
    step = held(step, agent=agent, lease_token=lease_token, at=at)
    why = why_void(step, agent, at=at)
    if why and not has_acted(step):
        raise LeaseVoid(f"{why} {VOID}")
    return step


def locked_with_run(pk: int) -> Step:
    """The step and its run, locked until the transaction ends: the run first, as everywhere."""
    found = _LOCKED.first(pk=pk)
    if found is None:
        raise ledger.NotFound
    return found


_LOCKED = Prepared(
    lambda pk: (
        Step.objects.select_for_update(of=("run", "self"), no_key=True)
        .select_related("run__workflow", "run__unit", "run__version")
        .defer("run__version__bpmn", "run__version__graph")
        .filter(pk=pk)
    ),
    pk=int,
)


def locked_together(steps: Iterable[int]) -> dict[int, Step]:
    """These steps, by their keys, and their runs, all locked: the runs first, in one order."""
    keys = list(dict.fromkeys(steps))
    runs = {run.pk: run for run in _RUNS.all(steps=keys)}
    found = {step.pk: step for step in _STEPS.all(steps=keys)}
    for step in found.values():
        step.run = runs[step.run_id]
    return found


_RUNS = PreparedList(
    lambda steps: (
        Run.objects.select_for_update(of=("self",), no_key=True)
        .select_related("workflow", "unit", "version")
        .defer("version__bpmn", "version__graph")
        .filter(pk__in=Step.objects.filter(pk__in=steps).order_by().values("run"))
        .order_by("pk")
    ),
    steps=int,
)
_STEPS = PreparedList(
    lambda steps: Step.objects.select_for_update(of=("self",)).filter(pk__in=steps).order_by("pk"), steps=int
)


def is_held(step: Step, agent: Agent, lease_token: int, at: datetime) -> bool:
    """Whether this is the agent's valid lease on the step."""
    mine = step.status == Step.Status.WORKING and step.agent_id == agent.pk and step.lease_token == lease_token
    return mine and step.leased_until is not None and step.leased_until > at


def require_held(step: Step, lease_token: int, oversight: governance.Oversight) -> None:
    """Raise StaleLease unless the agent holds this locked step, LeaseVoid when a pause keeps it from reporting."""
    stop = oversight.pausing(reach_of_step(step, oversight.agent))
    why = PAUSED_RUN if step.run.is_paused else stop.words if stop is not None else ""
    if not is_held(step, oversight.agent, lease_token, oversight.at):
        raise LeaseVoid(f"{why} {VOID}") if why else StaleLease
    if why and not has_acted(step):
        raise LeaseVoid(f"{why} {VOID}")


@transaction.atomic
def heartbeat(step: Step, *, agent: Agent, lease_token: int, at: datetime, seconds: int | None = None) -> int:
    """Make the lease last its full time again from `at` on, or that many seconds, which have a bound; how many seconds
    that is."""
    require_active(agent)
    most = settings.LEASE_AT_MOST_SECONDS
    if seconds is not None and not 0 < seconds <= most:
        raise ledger.Invalid(fields={"seconds": f"A lease lasts from 1 to {most:,} seconds; ask again before it ends."})
    step = held_for_report(step, agent=agent, lease_token=lease_token, at=at)
    usual = graph_of(step.run.version_id).nodes[step.element].lease_seconds
    lasts = usual if seconds is None else seconds
    step.leased_until = at + timedelta(seconds=lasts)
    step.save(update_fields=["leased_until"])
    if lasts > usual:
        ledger.record("step.extended", step, by=agent, at=at, data={"seconds": lasts})
    return lasts


@transaction.atomic
def release(step: Step, *, agent: Agent, lease_token: int, why: str, at: datetime) -> Step:
    """Give the step back to the queue: no attempt is lost, and somebody else may have it. Raises WrongStatus when the
    agent was allowed to act in it: what it did outside is to be reported."""
    step = held_for_report(step, agent=agent, lease_token=lease_token, at=at)
    if has_acted(step):
        raise ledger.WrongStatus("You were allowed to act in this step; finish it, or report that it failed.")
    put_back(step, by=agent, why=why, at=at, delay=AFTER_RELEASE)
    return step
