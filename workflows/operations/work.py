"""The work queue: an agent claims a step under a lease, keeps it alive, finishes or fails it; silence gives it back."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from agents.models import Agent
from agents.operations import look_again, require_active, require_at_work
from governance import operations as governance
from governance.models import Budget, Incident
from governance.rules.stopping import strictest
from observability import ledger
from workflows.models import Step
from workflows.operations import questions
from workflows.operations.definitions import graph_of
from workflows.operations.landing import keep_and_tell
from workflows.operations.runs import checked_values, happen, limits, locked, step_is_done
from workflows.operations.stopping import LeaseVoid, has_acted, put_back, ready_steps, why_void
from workflows.plan import LoopKind, StepFailed

BACK_OFF = timedelta(seconds=5)
BACK_OFF_AT_MOST = timedelta(minutes=15)
DOUBLINGS_AT_MOST = 8
VOID = "Your lease is void and nothing was changed. The step is handed out again when work is resumed."


class StaleLease(ledger.Refused):
    """Your lease on this step is over; somebody else may have it. Nothing was changed: claim new work."""

    code = "stale_lease"


def claim(agent: Agent, *, at: datetime) -> Step | None:
    """The next step for this agent, leased to it until `step.leased_until`; None when there is none.
    `at` is the database's time. Each claim raises the step's lease token, which all later calls must name."""
    look_again(agent)  # who waits for work may have been paused meanwhile
    require_at_work(agent, at=at)
    with transaction.atomic():
        stops = governance.stops_for_work(at)
        governance.require_running(governance.reach_of(agent), stops, at=at)
        ready = (
            ready_steps(agent, stops, at=at)
            .exclude(run__uid__in=Incident.objects.stopped_runs())
            .select_for_update(skip_locked=True, of=("self",))
        )
        step = ready.select_related("run__workflow").first()
        if step is None:
            return None
        lease = timedelta(seconds=graph_of(step.run.version_id).nodes[step.element].lease_seconds)
        ledger.move(
            step, Step.Status.WORKING, by=agent, verb="step.claimed", at=at, expect={"lease_token": step.lease_token},
            agent=agent, lease_token=step.lease_token + 1, leased_until=at + lease, attempt=step.attempt + 1,
            started_at=step.started_at or at,
        )  # fmt: skip
    return step


def has_work(agent: Agent, *, at: datetime) -> bool:
    """Whether a step stands ready for the agent that `claim` would hand out."""
    stops = governance.stops_for_work(at)
    stop = strictest(stops, governance.reach_of(agent), at)
    return (stop is None or not stop.is_paused) and ready_steps(agent, stops, at=at).exists()


def held(step: Step, *, agent: Agent, lease_token: int, at: datetime) -> Step:
    """The step as it stands now with its run locked, if this agent still holds it. Raises StaleLease otherwise, or
    LeaseVoid when a pause took it."""
    run = locked(step.run_id)
    step = Step.objects.select_for_update(of=("self",)).get(pk=step.pk)
    step.run = run
    mine = step.status == Step.Status.WORKING and step.agent_id == agent.pk and step.lease_token == lease_token
    if not mine or step.leased_until is None or step.leased_until <= at:
        why = why_void(step, agent, at=at)
        raise LeaseVoid(f"{why} {VOID}") if why else StaleLease
    return step


def held_for_report(step: Step, *, agent: Agent, lease_token: int, at: datetime) -> Step:
    """The same for a report: under a pause only who was allowed to act in this step before still reports on it."""
    step = held(step, agent=agent, lease_token=lease_token, at=at)
    why = why_void(step, agent, at=at)
    if why and not has_acted(step):
        raise LeaseVoid(f"{why} {VOID}")
    return step


@transaction.atomic
def heartbeat(step: Step, *, agent: Agent, lease_token: int, at: datetime) -> int:
    """Make the lease last its full time again, from `at` on; how many seconds that is."""
    require_active(agent)
    step = held_for_report(step, agent=agent, lease_token=lease_token, at=at)
    seconds = graph_of(step.run.version_id).nodes[step.element].lease_seconds
    step.leased_until = at + timedelta(seconds=seconds)
    step.save(update_fields=["leased_until"])
    return seconds


@transaction.atomic
def finish(
    step: Step, *, agent: Agent, lease_token: int, output: Mapping[str, Any], at: datetime, cost: Decimal = Decimal(0),
    note: str = "", tokens: int | None = None,
) -> Step:  # fmt: skip
    """The work is done: keep its output and let the run go on. Cost in the company's currency, not negative. What its
    allowed actions reserved of budgets is spent, and so are cost, tokens and time.
    Raises StaleLease, or Invalid that names each output that does not fit."""
    require_active(agent)
    step = held_for_report(step, agent=agent, lease_token=lease_token, at=at)
    run, values = step.run, checked_values(step.run.version_id, step.element, output)
    ledger.move(
        step, Step.Status.DONE, by=agent, verb="step.finished", at=at, why=note, cost=cost, seconds=_worked(step, at),
        data={"output": values, "attempt": step.attempt}, expect={"lease_token": lease_token}, ended_at=at,
        leased_until=None, output=values, note=note[:2000],
    )  # fmt: skip
    Step.objects.filter(pk=step.pk).update(cost=step.cost + cost)
    _settle_budgets(step, agent, cost, tokens, at)
    run.cost += cost
    governance.report_of_step(str(step.uid), agent=agent, failed=False, at=at)
    keep_and_tell(run, step, values, at=at, seconds=_worked(step, at), cost=cost)
    limit = limits.step_too_dear(step, step.cost + cost)
    if limit is not None:
        limits.stand_still(run, limit, at=at)
    step_is_done(run, step, values, by=agent, at=at)
    if graph_of(run.version_id).nodes[step.element].loop is not LoopKind.PARALLEL:  # one beside many opens nothing new
        governance.watch_run(str(run.uid), agent=agent, at=at)
    return step


def _settle_budgets(step: Step, agent: Agent, cost: Decimal, tokens: int | None, at: datetime) -> None:
    used: dict[str, Decimal] = {Budget.Metric.MONEY: cost, Budget.Metric.SECONDS: _worked(step, at)}
    known = used if tokens is None else {**used, Budget.Metric.TOKENS: Decimal(tokens)}
    governance.settle_step(str(step.uid), spender=_spender(step, agent), used=known, what=step.name, at=at)


def _spender(step: Step, agent: Agent) -> governance.Spender:
    return governance.Spender(agent, agent.unit, step.run.workflow.code, str(step.run.uid))


def _worked(step: Step, at: datetime) -> Decimal:
    return Decimal(str(round((at - (step.started_at or at)).total_seconds(), 3)))


@transaction.atomic
def fail(
    step: Step, *, agent: Agent, lease_token: int, reason: str, retryable: bool, at: datetime, error_code: str = ""
) -> Step:
    """The work did not succeed: it is tried again later, or after the last attempt put to a person. With the code of an
    error of the drawing it is over, and the run goes on where the drawing says what to do about that error."""
    step = held_for_report(step, agent=agent, lease_token=lease_token, at=at)
    governance.release_step(str(step.uid), at=at, why=reason)
    if error_code:
        _end_with_error(step, error_code, by=agent, reason=reason, at=at)
    else:
        _give_back(step, by=agent, reason=reason, retryable=retryable, verb="step.failed", at=at)
    governance.report_of_step(str(step.uid), agent=agent, failed=True, at=at)
    return step


def _end_with_error(step: Step, code: str, *, by: Agent, reason: str, at: datetime) -> None:
    ledger.move(
        step, Step.Status.FAILED, by=by, verb="step.ended_with_error", at=at, why=reason, error=reason, ended_at=at,
        lease_token=step.lease_token + 1, leased_until=None, data={"code": code},
    )  # fmt: skip
    _spend_time(step, at)
    happen(step.run, StepFailed(step.token, code, reason), by=by, at=at)


@transaction.atomic
def pass_time_limit(step: Step, *, at: datetime) -> bool:
    """Take a step from an agent that works on it for longer than the drawing allows, and ask a person; False when it is
    in time."""
    run = locked(step.run_id)
    step = Step.objects.select_for_update(of=("self",)).select_related("agent").get(pk=step.pk)
    step.run = run
    most = graph_of(run.version_id).nodes[step.element].seconds_limit
    if step.status != Step.Status.WORKING or not most or _worked(step, at) <= most:
        return False
    reason = f"{step.agent} worked on it for more than {most:,} seconds."
    governance.release_step(str(step.uid), at=at, why=reason)
    _give_back(step, by=ledger.SYSTEM, reason=reason, retryable=False, verb="step.over_limit", at=at)
    return True


@transaction.atomic
def reclaim(step: Step, *, at: datetime) -> bool:
    """Take a step back from an agent that fell silent; False when it was heard of meanwhile."""
    run = locked(step.run_id)
    step = Step.objects.select_for_update(of=("self",)).select_related("agent").get(pk=step.pk)
    step.run = run
    if step.status != Step.Status.WORKING or step.leased_until is None or step.leased_until > at:
        return False
    reason = f"{step.agent} was not heard of until its lease ran out."
    why = why_void(step, step.agent, at=at)
    if why:  # silence under a pause is no failed try
        put_back(step, by=ledger.SYSTEM, why=f"{reason} {why}", at=at)
        return True
    _give_back(step, by=ledger.SYSTEM, reason=reason, retryable=True, verb="step.reclaimed", at=at)
    return True


def _give_back(step: Step, *, by: ledger.Acts, reason: str, retryable: bool, verb: str, at: datetime) -> None:
    attempts = graph_of(step.run.version_id).nodes[step.element].attempts
    again = retryable and step.attempt < attempts
    ledger.move(
        step, Step.Status.READY if again else Step.Status.FAILED, by=by, verb=verb, at=at, why=reason, error=reason,
        available_at=at + _back_off(step), lease_token=step.lease_token + 1, leased_until=None,
    )  # fmt: skip
    if not again:
        _spend_time(step, at)
        questions.ask_about_incident(step, reason=reason, at=at)


def _spend_time(step: Step, at: datetime) -> None:
    if step.agent is not None:
        used: dict[str, Decimal] = {Budget.Metric.SECONDS: _worked(step, at)}
        governance.spend(used, spender=_spender(step, step.agent), what=step.name, step=str(step.uid), at=at)


def _back_off(step: Step) -> timedelta:
    # Doubles with each attempt; the step's own number spreads equal failures over a fifth of the time.
    doublings = min(max(step.attempt - 1, 0), DOUBLINGS_AT_MOST)
    wait = min(BACK_OFF * int(2**doublings), BACK_OFF_AT_MOST)
    return wait * (1 + (step.pk % 20) / 100)
