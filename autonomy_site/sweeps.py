"""Sweeps: the periodic tasks. A worker that falls behind does each of them once, not once for each call that waits."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Task

CALLS_LAST = timedelta(minutes=10)
WORN = 30.0  # after so many seconds a sweep runs again whatever the clocks of the machines say
_began: dict[str | None, tuple[datetime, float]] = {}


class Sweep(Task):
    """A task that does nothing when a periodic call of it is older than the beginning of its last run in this process:
    what that call asked to be looked for was looked for then."""

    abstract = True

    def __call__(self, *args: Any, **named: Any) -> Any:
        sent = sent_at(self.request.expires)
        if sent is not None:
            if is_done_already(_began.get(self.name), sent, time.monotonic()):
                return None
            _began[self.name] = (datetime.now(UTC), time.monotonic())
        return super().__call__(*args, **named)


def sent_at(expires: str | datetime | None) -> datetime | None:
    """When a periodic call was sent, from the moment at which it expires; None for a call that does not."""
    if not expires:
        return None
    ends = datetime.fromisoformat(expires) if isinstance(expires, str) else expires
    return (ends if ends.tzinfo else ends.replace(tzinfo=UTC)) - CALLS_LAST


def is_done_already(last: tuple[datetime, float] | None, sent: datetime, now: float) -> bool:
    """Whether the last run, which began at that moment and that reading of the monotonic clock, came after this call
    was sent; never true longer than WORN seconds, so that a clock that runs ahead holds nothing up."""
    return last is not None and sent < last[0] and now - last[1] < WORN


def periodic(schedule: Mapping[str, tuple[str, float]]) -> dict[str, dict[str, Any]]:
    """The schedule of Celery's beat for tasks and seconds by title. A call that nobody took in ten minutes is dropped:
    without a worker they would fill the memory of Redis."""
    return {
        title: {"task": task, "schedule": seconds, "options": {"expires": CALLS_LAST.total_seconds()}}
        for title, (task, seconds) in schedule.items()
    }
