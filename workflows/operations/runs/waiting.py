"""What a run waits for: moments, messages and signals."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.utils.timezone import get_default_timezone

from observability import ledger
from workflows.models import Run, Subscription, Timer
from workflows.plan import CancelTimer, StartTimer, Subscribe, Unsubscribe
from workflows.plan.times import read_length

AT_ONCE = 1_000


def start_timers(run: Run, effects: Sequence[StartTimer], *, at: datetime) -> None:
    """Set the clocks; a moment without an offset is one in UTC, months are those of the company's time zone."""
    Timer.objects.bulk_create(
        [Timer(run=run, token=each.token, element=each.node_id, due_at=_due_at(each, at)) for each in effects],
        batch_size=AT_ONCE,
    )


def _due_at(effect: StartTimer, at: datetime) -> datetime:
    length = read_length(effect.length) if effect.length else None
    if length is not None:
        return length.after(at, get_default_timezone())
    if not effect.at:
        return at + timedelta(seconds=effect.seconds)
    due = datetime.fromisoformat(effect.at)
    return due if due.tzinfo else due.replace(tzinfo=UTC)


def stop_timers(run: Run, effects: Sequence[CancelTimer], *, at: datetime) -> None:
    """Stop the clocks that still run."""
    tokens = [each.token for each in effects]
    for start in range(0, len(tokens), AT_ONCE):
        for timer in run.timers.filter(token__in=tokens[start : start + AT_ONCE], status=Timer.Status.SET):
            timer.run = run
            ledger.move(timer, Timer.Status.STOPPED, by=ledger.SYSTEM, verb="timer.stopped", at=at)


def subscribe(run: Run, effects: Sequence[Subscribe], *, at: datetime) -> None:
    """Begin to wait for these messages and signals."""
    rows = [
        Subscription(
            run=run,
            token=each.token,
            element=each.node_id,
            kind=each.kind,
            name=each.name[:200],
            key=each.key[:200],
            opened_at=at,
        )
        for each in effects
    ]
    Subscription.objects.bulk_create(rows, batch_size=AT_ONCE)
    ledger.record_all(
        [
            ledger.event_of(
                "subscription.opened",
                row,
                by=ledger.SYSTEM,
                at=at,
                after=row.status,
                data={"kind": row.kind, "key": row.key},
            )
            for row in rows
        ]
    )


def unsubscribe(run: Run, effects: Sequence[Unsubscribe], *, at: datetime) -> None:
    """No longer wait for what these tokens waited for."""
    tokens = [each.token for each in effects]
    for start in range(0, len(tokens), AT_ONCE):
        for row in run.subscriptions.open().filter(token__in=tokens[start : start + AT_ONCE]):
            row.run = run
            ledger.move(
                row, Subscription.Status.CLOSED, by=ledger.SYSTEM, verb="subscription.closed", at=at, closed_at=at
            )
