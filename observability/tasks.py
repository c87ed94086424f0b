"""The sealer: one thread in each server process that gives committed events their position and rings for browsers.
Beside it the tasks that read event logs and count what the sealed ledger says into the days behind the figures."""

import asyncio
import logging
import threading
import time

from celery import shared_task
from channels.layers import get_channel_layer
from django.db import DatabaseError, InterfaceError, connection

from observability import kpis, ledger, operations
from observability.models import EventLog
from observability.operations.event_logs import STANDS_STILL

log = logging.getLogger(__name__)
GROUP = "ledger"
RING_AGAIN_SECONDS = 2.0
TELL_AGAIN_SECONDS = 60.0
BATCHES_AT_MOST = 50


class Sealer(threading.Thread):
    """Seals after each commit here, and at least every `every` seconds for commits elsewhere. A ring may get lost:
    while nothing happens it rings again for the last position, so that every page catches up within seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop, every: float) -> None:
        super().__init__(name="sealer", daemon=True)
        self._loop, self._every, self._ended = loop, every, threading.Event()
        self._rang_at, self._told_at = 0.0, -TELL_AGAIN_SECONDS

    def run(self) -> None:
        rings = 0
        while not self._ended.is_set():
            rings = ledger.bell.wait(rings, self._every)
            try:
                self._seal_all()
            except (DatabaseError, InterfaceError) as error:
                self._tell_of(error)
                connection.close()
        connection.close()

    def _tell_of(self, error: Exception) -> None:
        # An outage fails four rounds a second: it is told once a minute, in a line.
        if time.monotonic() - self._told_at > TELL_AGAIN_SECONDS:
            log.error("events get no position: %s; tried again until it works", str(error).partition("\n")[0])
            self._told_at = time.monotonic()

    def _seal_all(self) -> None:
        while position := ledger.seal():
            self._ring(position)
        if time.monotonic() - self._rang_at > RING_AGAIN_SECONDS:
            self._ring(ledger.last_position())

    def _ring(self, position: int) -> None:
        ring(self._loop, position)
        self._rang_at = time.monotonic()

    def end(self) -> None:
        """Stop after the round that is under way."""
        self._ended.set()
        ledger.bell.ring()
        self.join(timeout=5)


def ring(loop: asyncio.AbstractEventLoop, position: int) -> None:
    """Tell every open page, in all processes, that the ledger reaches `position` now; may get lost without harm."""
    layer = get_channel_layer()
    if layer is not None and not loop.is_closed():
        asyncio.run_coroutine_threadsafe(
            layer.group_send(GROUP, {"type": "ledger.reached", "position": position}), loop
        )


@shared_task(name="observability.read_logs")
def read_logs() -> int:
    """Read the event log that waits longest, one at a time in all processes; how many were read. One whose worker is
    gone waits again. Lost or doubled, this does nothing wrong: only one takes a log, and the next sweep comes."""
    at = ledger.database_now()
    for still in EventLog.objects.standing_still(at - STANDS_STILL):
        try:
            operations.release_log(still, at=at)
        except ledger.Refused as refused:
            log.info("event log %s left for the next sweep: %s", still.uid, refused.detail)
    waiting = EventLog.objects.filter(status=EventLog.Status.QUEUED).order_by("pk").first()
    if waiting is None or not operations.begin_reading(waiting, at=at):
        return 0
    return int(operations.read_log(waiting, clock=ledger.database_now))


@shared_task(name="observability.count_ended")
def count_ended() -> int:
    """Add what ended since the last time to the days behind the performance page; how many entries were read."""
    counted = 0
    for _ in range(BATCHES_AT_MOST):
        read = kpis.count_ended()
        counted += read
        if not read:
            break
    return counted
