"""Reporting: an agent says that a step is done, or that it did not succeed; silence says the same after a while."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from agents.models import Agent
from agents.operations import require_active
from governance import operations as governance
from governance.models import Budget
from observability import ledger
from workflows.models import Step
from workflows.operations import questions
from workflows.operations.definitions import graph_of
from workflows.operations.landing import keep_and_tell
from workflows.operations.runs import checked_values, happen, limits, step_is_done
from workflows.operations.stopping import put_back, why_void
from workflows.operations.turns import next_turn
from workflows.operations.work.leases import locked_with_run, require_held
from workflows.operations.writing import written_together
from workflows.plan import LoopKind, StaleHappening, StepFailed

BACK_OFF_AT_MOST = timedelta(minutes=15)
DOUBLINGS_AT_MOST = 8
NOTE_AT_MOST = 2000


@dataclass(frozen=True)
class Result:
    """What came of a step: its output, what it took, how sure the agent is, and what shows it. Cost in the company's
    currency, not negative."""

    output: Mapping[str, Any] = field(default_factory=dict)
    cost: Decimal = Decimal(0)
    note: str = ""
    tokens: int | None = None
    confidence: Decimal | None = None
    evidence: Sequence[Mapping[str, Any]] = ()


def finish(
    step: Step, *, agent: Agent, lease_token: int, output: Mapping[str, Any], at: datetime, cost: Decimal = Decimal(0),
    note: str = "", tokens: int | None = None, confidence: Decimal | None = None,
    evidence: Sequence[Mapping[str, Any]] = (),
) -> Step:  # fmt: skip
    """The work is done: keep what came of it and let the run go on. What its allowed actions reserved of budgets is
    spent, and so are cost, tokens and time. Raises StaleLease, or Invalid that names each output that does not fit."""
    require_active(agent)
    result = Result(output, cost, note, tokens, confidence, evidence)
    with transaction.atomic():
        step = locked_with_run(step.pk)
        oversight = governance.Oversight(agent, {str(step.uid): str(step.run.uid)}, at=at)
        require_held(step, lease_token, oversight)
        with ledger.gathered():
            finish_held([Done(step, result, values_of(step, result))], oversight)
        oversight.watch(runs_to_watch([step]))
    return step


def runs_to_watch(done: Sequence[Step]) -> list[str]:
    """The runs in which something new may have opened behind these steps: one beside many opens nothing."""
    alone = [step for step in done if graph_of(step.run.version_id).nodes[step.element].loop is not LoopKind.PARALLEL]
    return list(dict.fromkeys(str(step.run.uid) for step in alone))


def values_of(step: Step, result: Result) -> dict[str, Any]:
    """The output of a step as its run keeps it. Raises Invalid that names each value that does not fit."""
    return checked_values(step.run.version_id, step.element, result.output)


@dataclass(frozen=True)
class Done:
    """A step that its agent holds, what came of it, and the values that its run keeps."""

    step: Step
    result: Result
    values: dict[str, Any]


def finish_held(done: Sequence[Done], oversight: governance.Oversight) -> None:
    """Finish these locked steps, which their agent holds, and let their runs go on. Whoever calls it watches the runs
    afterwards, when everything is in the ledger."""
    agent, at = oversight.agent, oversight.at
    ledger.move_all([_as_done(each, at) for each in done], Step.Status.DONE, by=agent, verb="step.finished", at=at)
    with written_together():
        for each in done:
            _go_on(each, oversight)


def _go_on(done: Done, oversight: governance.Oversight) -> None:
    step, run = done.step, done.step.run
    at, cost = oversight.at, done.result.cost
    _settle_budgets(step, done.result, oversight)
    run.cost += cost
    oversight.tell_systems(str(step.uid), failed=False)
    keep_and_tell(run, step, done.values, at=at, seconds=worked_seconds(step, at), cost=cost)
    limit = limits.step_too_dear(step, step.cost)
    if limit is not None:
        limits.stand_still(run, limit, at=at)
    try:
        step_is_done(run, step, done.values, by=oversight.agent, at=at)
    except StaleHappening as stale:
        raise ledger.WrongStatus(f"{step.name} does not belong to the run any more: {stale}") from stale


def _as_done(done: Done, at: datetime) -> ledger.Move:
    step, result, worked = done.step, done.result, worked_seconds(done.step, at)
    changes = {
        "ended_at": at, "leased_until": None, "output": done.values, "note": result.note[:NOTE_AT_MOST],
        "cost": step.cost + result.cost, "tokens": result.tokens, "seconds": worked, "confidence": result.confidence,
        "evidence": list(result.evidence),
    }  # fmt: skip
    said = {"output": done.values, "attempt": step.attempt}
    known = {"tokens": result.tokens, "confidence": result.confidence and str(result.confidence)}
    told = said | {name: value for name, value in known.items() if value is not None}
    return ledger.Move(
        step, changes=changes, expect={"lease_token": step.lease_token}, why=result.note, cost=result.cost,
        seconds=worked, data=told,
    )  # fmt: skip


def _settle_budgets(step: Step, result: Result, oversight: governance.Oversight) -> None:
    used: dict[str, Decimal] = {
        Budget.Metric.MONEY: result.cost, Budget.Metric.SECONDS: worked_seconds(step, oversight.at)
    }  # fmt: skip
    if result.tokens is not None:
        used[Budget.Metric.TOKENS] = Decimal(result.tokens)
    oversight.settle(str(step.uid), spender=_spender(step, oversight.agent), used=used, what=step.name)


def _spender(step: Step, agent: Agent) -> governance.Spender:
    return governance.Spender(agent, agent.unit, step.run.workflow.code, str(step.run.uid))


def worked_seconds(step: Step, at: datetime) -> Decimal:
    """For how long agents have worked on the step, from the first claim on."""
    return Decimal(str(round((at - (step.started_at or at)).total_seconds(), 3)))


@dataclass(frozen=True)
class Failure:
    """Why a try did not succeed, and whether another one can help; with the code of an error of the drawing the step is
    over, and the run goes on where the drawing says what to do about that error."""

    reason: str
    retryable: bool = True
    error_code: str = ""


def fail(
    step: Step, *, agent: Agent, lease_token: int, reason: str, retryable: bool, at: datetime, error_code: str = ""
) -> Step:  # fmt: skip
    """The work did not succeed: it is tried again later, or after the last attempt put to a person."""
    with transaction.atomic(), ledger.gathered():
        step = locked_with_run(step.pk)
        oversight = governance.Oversight(agent, {str(step.uid): str(step.run.uid)}, at=at)
        require_held(step, lease_token, oversight)
        fail_held(step, Failure(reason, retryable, error_code), oversight)
    return step


def fail_held(step: Step, failure: Failure, oversight: governance.Oversight) -> None:
    """Fail this locked step, which its agent holds."""
    agent, at = oversight.agent, oversight.at
    governance.release_step(str(step.uid), at=at, why=failure.reason)
    if failure.error_code:
        _end_with_error(step, failure, by=agent, at=at)
    else:
        _give_back(step, failure, by=agent, verb="step.failed", at=at)
    oversight.tell_systems(str(step.uid), failed=True)


def _end_with_error(step: Step, failure: Failure, *, by: Agent, at: datetime) -> None:
    code, reason = failure.error_code, failure.reason
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
    step = locked_with_run(step.pk)
    most = graph_of(step.run.version_id).nodes[step.element].seconds_limit
    if step.status != Step.Status.WORKING or not most or worked_seconds(step, at) <= most:
        return False
    reason = f"{step.agent} worked on it for more than {most:,} seconds."
    governance.release_step(str(step.uid), at=at, why=reason)
    _give_back(step, Failure(reason, retryable=False), by=ledger.SYSTEM, verb="step.over_limit", at=at)
    return True


@transaction.atomic
def reclaim(step: Step, *, at: datetime) -> bool:
    """Take a step back from an agent that fell silent; False when it was heard of meanwhile."""
    step = locked_with_run(step.pk)
    if step.status != Step.Status.WORKING or step.leased_until is None or step.leased_until > at:
        return False
    reason = f"{step.agent} was not heard of until its lease ran out."
    why = why_void(step, step.agent, at=at)
    if why:  # silence under a pause is no failed try
        put_back(step, by=ledger.SYSTEM, why=f"{reason} {why}", at=at)
        return True
    _give_back(step, Failure(reason), by=ledger.SYSTEM, verb="step.reclaimed", at=at)
    return True


def _give_back(step: Step, failure: Failure, *, by: ledger.Acts, verb: str, at: datetime) -> None:
    node = graph_of(step.run.version_id).nodes[step.element]
    again, reason = failure.retryable and step.attempt < node.attempts, failure.reason
    ledger.move(
        step, Step.Status.READY if again else Step.Status.FAILED, by=by, verb=verb, at=at, why=reason, error=reason,
        available_at=at + _back_off(step, node.back_off_seconds), lease_token=step.lease_token + 1, leased_until=None,
        turn=next_turn(step) if again else step.turn, ranked_at=at,
    )  # fmt: skip
    if not again:
        _spend_time(step, at)
        questions.ask_about_incident(step, reason=reason, at=at)


def _spend_time(step: Step, at: datetime) -> None:
    if step.agent is not None:
        used: dict[str, Decimal] = {Budget.Metric.SECONDS: worked_seconds(step, at)}
        governance.spend(used, spender=_spender(step, step.agent), what=step.name, step=str(step.uid), at=at)


def _back_off(step: Step, begin_seconds: int) -> timedelta:
    # Doubles with each attempt; the step's own number spreads equal failures over a fifth of the time.
    doublings = min(max(step.attempt - 1, 0), DOUBLINGS_AT_MOST)
    wait = min(timedelta(seconds=begin_seconds) * int(2**doublings), BACK_OFF_AT_MOST)
    return wait * (1 + (step.pk % 20) / 100)
