"""Keeping a lease alive from a second thread while the first one works."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from autonomy_client.errors import AutonomyError, Conflict, Forbidden, NotFound, Unauthorized
from autonomy_client.shapes import Work

LEAVE_WITHIN_SECONDS = 1.0


class Keeper:
    """A context that sends heartbeats; `lost` turns true when the lease went to somebody else or ran out.

    `beat(work, within_seconds)` renews the lease once, without repeats, and returns its new length."""

    def __init__(self, work: Work, beat: Callable[[Work, float], float]) -> None:
        self.work = work
        self.lost = False
        self.beat = beat
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"lease-{work.step}", daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        # A beat that gets no answer must not hold up the report of work that is done.
        self.thread.join(LEAVE_WITHIN_SECONDS)

    def _run(self) -> None:
        # Three beats in one lease: two may get lost before the work does.
        lease_seconds = self.work.lease_seconds
        held_until = time.monotonic() + lease_seconds
        while not self.over.wait(lease_seconds / 3):
            asked_at = time.monotonic()
            try:
                lease_seconds = self.beat(self.work, lease_seconds / 3) or lease_seconds
                held_until = asked_at + lease_seconds
            except (Conflict, Forbidden, NotFound, Unauthorized):
                self.lost = True
                return
            except AutonomyError:
                self.lost = time.monotonic() >= held_until
                # Until then the next beat may still come in time.
                if self.lost:
                    return
