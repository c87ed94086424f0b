"""Sweeps: the periodic tasks. A worker that falls behind does each of them once, not once for each call that waits."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Task
from celery.beat import PersistentScheduler, ScheduleEntry, Scheduler
from celery.schedules import schedule

CALLS_LAST = timedelta(minutes=10)
OFTEN, MANY_WAIT = timedelta(seconds=10), 100
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


class EmbeddedBeat(Scheduler):
    """The clock of the sweeps: while many calls wait, as when no worker takes them, it sends no more of what is done
    every few seconds. What is done seldom is sent all the same."""

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        comes_often = isinstance(entry.schedule, schedule) and entry.schedule.run_every <= OFTEN
        if not comes_often or self._waiting() < MANY_WAIT:
            super().apply_entry(entry, producer=producer)

    def _waiting(self) -> int:
        """How many calls nobody has taken; 0 for a broker that does not answer, as sending tells of that."""
        try:
            queue = self.producer.channel.queue_declare(queue=self.app.conf.task_default_queue, passive=True)
        except (*self.connection.connection_errors, *self.connection.channel_errors):
            return 0
        return int(queue.message_count)


class Beat(EmbeddedBeat, PersistentScheduler):
    """The same as a process of its own, which keeps in a file what it has sent."""


def periodic(tasks: Mapping[str, tuple[str, float]]) -> dict[str, dict[str, Any]]:
    """The schedule of Celery's beat, of a task and seconds for each title. Calls that nobody took in ten minutes are
    dropped."""
    return {
        title: {"task": task, "schedule": seconds, "options": {"expires": CALLS_LAST.total_seconds()}}
        for title, (task, seconds) in tasks.items()
    }
