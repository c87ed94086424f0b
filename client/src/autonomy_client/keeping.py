"""Keeping a lease alive while its holder works: from a second thread, or from a task of the same loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from autonomy_client.errors import Conflict, Forbidden, NotFound, Unauthorized
from autonomy_client.shapes import Work

LEAVE_WITHIN_SECONDS = 1.0
GONE = (Conflict, Forbidden, NotFound, Unauthorized)


class Lease:
    """What is known about a lease: how long it is, until when it holds, and whether it is lost."""

    def __init__(self, work: Work, now: float) -> None:
        self.seconds = work.lease_seconds
        self.held_until = now + self.seconds
        self.lost = False

    @property
    def beat_seconds(self) -> float:
        """The pause between two beats: three in one lease, so that two may get lost before the work does."""
        return self.seconds / 3

    def renewed(self, seconds: float, asked_at: float) -> None:
        """The server has renewed the lease on a beat that was sent at `asked_at`."""
        self.seconds = seconds or self.seconds
        self.held_until = asked_at + self.seconds

    def failed(self, error: Exception, now: float) -> None:
        """A beat failed; unless the server says that the lease is gone, the next one may still come in time."""
        self.lost = isinstance(error, GONE) or now >= self.held_until


class Keeper:
    """A context that sends heartbeats; `lost` turns true when the lease went to somebody else or ran out.

    `beat(work, within_seconds)` renews the lease once, without repeats, and returns its new length."""

    def __init__(self, work: Work, beat: Callable[[Work, float], float]) -> None:
        self.work = work
        self.beat = beat
        self.lease = Lease(work, time.monotonic())
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"lease-{work.step}", daemon=True)

    @property
    def lost(self) -> bool:
        """Whether the work is somebody else's by now."""
        return self.lease.lost

    def __enter__(self) -> Self:
        self.lease = Lease(self.work, time.monotonic())
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        # A beat that gets no answer must not hold up the report of work that is done.
        self.thread.join(LEAVE_WITHIN_SECONDS)

    def _run(self) -> None:
        while not self.lease.lost and not self.over.wait(self.lease.beat_seconds):
            asked_at = time.monotonic()
            try:
                self.lease.renewed(self.beat(self.work, self.lease.beat_seconds), asked_at)
            except Exception as error:  # whatever it was, the work goes on
                self.lease.failed(error, time.monotonic())


class AsyncKeeper:
    """The same for a coroutine, with a task that ends with the context, also when the work is cancelled."""

    def __init__(self, work: Work, beat: Callable[[Work, float], Awaitable[float]]) -> None:
        self.work = work
        self.beat = beat
        self.lease = Lease(work, time.monotonic())
        self.task: asyncio.Task[None] | None = None

    @property
    def lost(self) -> bool:
        """Whether the work is somebody else's by now."""
        return self.lease.lost

    async def __aenter__(self) -> Self:
        self.lease = Lease(self.work, time.monotonic())
        self.task = asyncio.create_task(self._run(), name=f"lease-{self.work.step}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.task:
            self.task.cancel()
            # Waits for its end without taking over its cancellation, and without hiding one of this task.
            await asyncio.wait([self.task], timeout=LEAVE_WITHIN_SECONDS)

    async def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while not self.lease.lost:
                await asyncio.sleep(self.lease.beat_seconds)
                asked_at = time.monotonic()
                try:
                    self.lease.renewed(await self.beat(self.work, self.lease.beat_seconds), asked_at)
                except Exception as error:  # whatever it was, the work goes on
                    self.lease.failed(error, time.monotonic())
