"""Circuits: a system in which too much fails is left alone for a while, then tried by a few."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Count, F, Q

from agents.models import Agent
from governance.models import Decision, Incident, SystemGuard, SystemReport
from governance.operations.facts import system_of
from governance.operations.incidents import open_incident, resolve_recovered
from governance.rules.breaking import blows
from observability import ledger

Status = SystemGuard.Status


def guard_of(action: str) -> SystemGuard | None:
    """The circuit breaker of the system that offers this action; None while nothing was ever reported or set."""
    guards = SystemGuard.objects.select_related("system")
    return next((each for each in guards if action in {item["name"] for item in each.system.actions}), None)


def disconnected(guard: SystemGuard | None, at: datetime) -> str:
    """Why nothing is allowed in the system now; empty while something may be."""
    if guard is None or guard.status == Status.CLOSED or _on_trial(guard, at):
        return ""
    return left_alone(guard)


def _on_trial(guard: SystemGuard, at: datetime) -> bool:
    """Whether a trial may be made now: one is left, or it is time for new ones."""
    return guard.trials_left > 0 or guard.retry_at is None or guard.retry_at <= at


def left_alone(guard: SystemGuard) -> str:
    """That the system is left alone, and until when."""
    when = f"after {guard.retry_at.isoformat(timespec='seconds')}" if guard.retry_at else "later"
    return f"{guard.system} fails too often and is left alone. Try again {when}."


def take_permit(guard: SystemGuard | None, at: datetime) -> bool:
    """Whether an allowed action may go to the system: always while it works, by one of its few permits on trial."""
    if guard is None or guard.status == Status.CLOSED:
        return True
    # Each step is one guarded UPDATE: of many that come at once exactly as many get through as there are permits.
    retry_at = at + timedelta(seconds=guard.cool_down_seconds)
    if guard.status == Status.OPEN and guard.retry_at is not None and guard.retry_at <= at:
        try:
            ledger.move(
                guard, Status.HALF_OPEN, by=ledger.SYSTEM, verb="circuit.tried", at=at, since=at, retry_at=retry_at,
                trials_left=guard.trials,
            )  # fmt: skip
        except ledger.TooLate:
            guard.refresh_from_db(fields=["status", "retry_at", "trials_left"])
    own = SystemGuard.objects.filter(pk=guard.pk, status=Status.HALF_OPEN)
    # Trials of which nobody ever reported are given out anew.
    own.filter(trials_left=0, retry_at__lte=at).update(trials_left=F("trials"), retry_at=retry_at)
    return bool(own.filter(trials_left__gt=0).update(trials_left=F("trials_left") - 1))


def hold_circuits(guards: Iterable[SystemGuard]) -> None:
    """Lock the circuits that may give permits now, in one order, and look at them anew."""
    on_trial = {guard.pk: guard for guard in guards if guard.status != Status.CLOSED}
    if on_trial:
        locked = SystemGuard.objects.select_for_update(no_key=True).filter(pk__in=on_trial).order_by("pk")
        for row in locked:
            guard = on_trial[row.pk]
            guard.status, guard.retry_at, guard.trials_left = row.status, row.retry_at, row.trials_left


def report_of_step(step: str, *, run: str, agent: Agent, failed: bool, at: datetime) -> None:
    """What the agent reported about its step says how the systems work in which it was allowed to act; a decision whose
    own outcome it reported has counted."""
    allowed = Decision.objects.filter(run=run, step=step, agent=agent, effect=Decision.Effect.ALLOW, reported_at=None)
    last = allowed.order_by("action", "-id")
    seen = {decision.action: decision for decision in reversed(last)}
    for decision in seen.values():
        report(decision, failed=failed, at=at)


def report(decision: Decision, *, failed: bool, at: datetime) -> None:
    """What an allowed action came to: too many failures open the circuit of its system, a trial closes or opens it."""
    guard = guard_of(decision.action) or _new_guard(decision.action)
    if guard is None:
        return
    SystemReport.objects.create(system=guard.system, at=at, failed=failed)
    if guard.status == Status.HALF_OPEN and guard.since is not None and decision.at >= guard.since:
        _end_trial(guard, failed, decision, at)
    elif guard.status == Status.CLOSED and failed and _blows(guard, at):
        why = (
            f"{guard.system} failed in at least {guard.percent} % of its reports within {guard.window_minutes} minutes."
        )
        _disconnect(guard, decision, at, why)


def _new_guard(action: str) -> SystemGuard | None:
    system = system_of(action)
    return SystemGuard.objects.get_or_create(system=system)[0] if system is not None else None


def _blows(guard: SystemGuard, at: datetime) -> bool:
    begin = at - timedelta(minutes=guard.window_minutes)
    since = max(begin, guard.since) if guard.since else begin
    told = SystemReport.objects.filter(system=guard.system, at__gt=since).order_by()
    counted = told.aggregate(failed=Count("pk", filter=Q(failed=True)), all=Count("pk"))
    return blows(counted["failed"], counted["all"], guard.fuse)


def _end_trial(guard: SystemGuard, failed: bool, decision: Decision, at: datetime) -> None:
    if failed:
        _disconnect(guard, decision, at, f"{guard.system} failed again on trial.")
        return
    try:
        ledger.move(
            guard, Status.CLOSED, by=ledger.SYSTEM, verb="circuit.closed", at=at, why="A trial succeeded.", since=at,
            trials_left=0,
        )  # fmt: skip
    except ledger.TooLate:
        return  # another report was faster; the ledger has it
    resolve_recovered(guard.system, at=at)


def _disconnect(guard: SystemGuard, decision: Decision, at: datetime, why: str) -> None:
    try:
        ledger.move(
            guard, Status.OPEN, by=ledger.SYSTEM, verb="circuit.opened", at=at, why=why, since=at, trials_left=0,
            retry_at=at + timedelta(seconds=guard.cool_down_seconds),
        )  # fmt: skip
    except ledger.TooLate:
        return  # another report was faster; the ledger has it
    kind, about = Incident.Kind.CIRCUIT, f"system:{guard.system.code}"
    open_incident(kind, about, why=why, at=at, system=guard.system, evidence=[decision])
