"""The worker inside the server process: Celery's own worker and beat in threads, for installations without Redis."""

import logging
import os
import threading

from celery.beat import EmbeddedService
from celery.worker import WorkController

from autonomy_site.celery import app

log = logging.getLogger(__name__)
THREADS = 2


class EmbeddedWorker:
    """A Celery worker on the in-memory broker and the clock that feeds it; starts and ends with the server."""

    def __init__(self) -> None:
        app.loader.import_default_modules()
        self._worker = WorkController(
            app=app, pool_cls="threads", concurrency=THREADS, hostname=f"embedded-{os.getpid()}",
            loglevel=logging.WARNING,
            without_mingle=True, without_gossip=True, without_heartbeat=True, quiet=True,
        )  # fmt: skip
        self._beat = EmbeddedService(
            app, max_interval=1, thread=True, scheduler_cls="autonomy_site.sweeps:EmbeddedBeat"
        )
        self._thread = threading.Thread(target=self._worker.start, name="worker", daemon=True)

    def start(self) -> None:
        """Begin to take tasks and to send the periodic ones."""
        self._thread.start()
        self._beat.start()

    def end(self) -> None:
        """Finish what is under way and stop."""
        self._beat.stop()
        self._worker.stop(exitcode=0)
        self._thread.join(timeout=10)
