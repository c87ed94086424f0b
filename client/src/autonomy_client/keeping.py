"""Keeping a lease alive from a second thread while the first one works."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from autonomy_client.errors import AutonomyError, Conflict, NotFound, Unauthorized
from autonomy_client.shapes import Work


class Keeper:
    """A context that sends heartbeats; `lost` turns true when the lease went to somebody else."""

    def __init__(self, work: Work, beat: Callable[[Work], float]) -> None:
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
        self.thread.join()

    def _run(self) -> None:
        # Three beats in one lease: two may get lost before the work does.
        lease_seconds = self.work.lease_seconds
        while not self.over.wait(lease_seconds / 3):
            try:
                lease_seconds = self.beat(self.work) or lease_seconds
            except (Conflict, NotFound, Unauthorized):
                self.lost = True
                return
            except AutonomyError:
                continue  # the next beat may still come in time
