"""Batches: an agent reports on many steps and claims the next ones in one transaction; each item is answered on its
own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, transaction

from agents.models import Agent
from agents.operations import look_again, require_active, require_at_work
from governance import operations as governance
from observability import ledger
from workflows.models import Step
from workflows.operations.work.claiming import CLAIMS_AT_MOST, Claimed, claim_under
from workflows.operations.work.leases import StaleLease, locked_together, locked_with_run, require_held
from workflows.operations.work.reporting import Done, Failure, Result, fail_held, finish_held, runs_to_watch, values_of

ITEMS_AT_MOST = 50
NOTHING = Claimed()


@dataclass(frozen=True)
class Report:
    """What an agent says about one step, under the lease with this token."""

    step: Step
    lease_token: int
    says: Result | Failure


@dataclass(frozen=True)
class Answered:
    """What became of one report: the step as it is now, or why nothing was changed."""

    step: Step
    refused: ledger.Refused | None = None


@dataclass(frozen=True)
class Batch:
    """What became of each report, in their order, and what was claimed."""

    reports: tuple[Answered, ...] = ()
    claimed: Claimed = NOTHING


def report_together(agent: Agent, reports: Sequence[Report], *, claim: int = 0, at: datetime) -> Batch:
    """Finish and fail these steps, then claim up to `claim` others, as far as the agent may. A report that is refused
    changes nothing and stops no other. What no item alone could explain makes all be done one by one."""
    require_active(agent)
    try:
        with transaction.atomic():
            answered, oversight = _report(agent, reports, at)
            return Batch(answered, _claimed(oversight, claim))
    except (ledger.Refused, DatabaseError):
        with transaction.atomic():
            return _one_by_one(agent, reports, claim, at)


def finish_and_claim(step: Step, result: Result, *, agent: Agent, lease_token: int, at: datetime) -> Claimed:
    """Finish the step as `finish` does, and claim the next one in the same transaction, as far as the agent may: what
    was finished stays finished. Raises what `finish` raises; a transaction in which it is called ends with that."""
    require_active(agent)
    with transaction.atomic(savepoint=False):
        held = locked_with_run(step.pk)
        oversight = governance.Oversight(agent, {str(held.uid): str(held.run.uid)}, at=at)
        require_held(held, lease_token, oversight)
        done = Done(held, result, values_of(held, result))
        with ledger.gathered():
            finish_held([done], oversight)
        oversight.watch(runs_to_watch([held]))
        return _claimed(oversight, 1)


def _report(agent: Agent, reports: Sequence[Report], at: datetime) -> tuple[tuple[Answered, ...], governance.Oversight]:
    steps = locked_together([each.step.pk for each in reports]) if reports else {}
    told = {str(step.uid): str(step.run.uid) for step in steps.values()}
    oversight = governance.Oversight(agent, told, at=at)
    done: list[Done] = []
    failed: list[tuple[Step, Failure]] = []
    answered = [_sorted(each, steps, oversight, done, failed) for each in reports]
    with ledger.gathered():
        finish_held(done, oversight)
        for step, failure in failed:
            fail_held(step, failure, oversight)
    oversight.watch(runs_to_watch([each.step for each in done]))
    return tuple(answered), oversight


def _sorted(
    report: Report, steps: Mapping[int, Step], oversight: governance.Oversight, done: list[Done],
    failed: list[tuple[Step, Failure]],
) -> Answered:  # fmt: skip
    # What can be refused is refused here, before anything is written.
    step = steps[report.step.pk]
    try:
        if any(each.step is step for each in done) or any(each is step for each, _ in failed):
            raise StaleLease("This batch reports on the step already.")
        require_held(step, report.lease_token, oversight)
        if isinstance(report.says, Failure):
            failed.append((step, report.says))
        else:
            done.append(Done(step, report.says, values_of(step, report.says)))
    except ledger.Refused as refused:
        return Answered(step, refused)
    return Answered(step)


def _claimed(oversight: governance.Oversight, claim: int) -> Claimed:
    if not claim:
        return NOTHING
    agent = oversight.agent
    look_again(agent)
    try:
        require_at_work(agent, at=oversight.at)
        governance.require_running(governance.reach_of(agent), oversight.stops, at=oversight.at)
    except ledger.Refused as refused:  # what was reported stands
        return Claimed(why=refused.detail)
    return claim_under(oversight, min(claim, CLAIMS_AT_MOST))


def _one_by_one(agent: Agent, reports: Sequence[Report], claim: int, at: datetime) -> Batch:
    answered = tuple(_alone(agent, each, at) for each in reports)
    return Batch(answered, _claimed(governance.Oversight(agent, {}, at=at), claim))


def _alone(agent: Agent, report: Report, at: datetime) -> Answered:
    try:
        with transaction.atomic():
            (answered,), _ = _report(agent, [report], at)
            return answered
    except ledger.Refused as refused:
        return Answered(report.step, refused)
