"""The loop that all four programs share: claim, keep the lease, do, report the result and its cost."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from autonomy_client import Autonomy, AutonomyError, RateLimited, StaleLease, Unauthorized, Work

log = logging.getLogger(__name__)

CLAIM_SECONDS = 20
PAUSE_SECONDS = 2.0
LONGEST_NOTE = 2000


class Stopped(BaseException):
    """The program was told to end while it waited for work."""


class GiveUp(Exception):
    """This step cannot succeed, however often it is tried; the text says why."""


@dataclass(frozen=True)
class Result:
    """What a handler found out; the note is for people."""

    output: Mapping[str, Any]
    note: str = ""


# None: the step waits for a person now, and nothing is to be reported.
Handler = Callable[[Work], Result | None]


def options_for(description: str) -> argparse.ArgumentParser:
    """The command line that all four programs understand."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--server", default=os.environ.get("AUTONOMY_SERVER", "http://127.0.0.1:8000"))
    parser.add_argument("--key-file", type=Path, help="file with the agent's key; else AUTONOMY_KEY")
    parser.add_argument("--documents", type=_folder, required=True, help="folder with the invoices")
    parser.add_argument("--out", type=Path, required=True, help="folder for what the program writes")
    parser.add_argument("--cost-per-hour", type=Decimal, default=Decimal("4.80"), help="EUR per working hour")
    parser.add_argument("--once", action="store_true", help="stop when no work came for a while")
    parser.add_argument("--idle-seconds", type=float, default=10, help="how long that while is")
    parser.add_argument("--until-input-ends", action="store_true", help="stop when standard input is closed")
    return parser


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a folder")
    return path


def connect(options: argparse.Namespace) -> Autonomy:
    """A client with the key from the file or the environment; ends the program when there is none."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        key = options.key_file.read_text().strip() if options.key_file else os.environ.get("AUTONOMY_KEY", "")
        if not key:
            raise SystemExit("No key: give --key-file or set AUTONOMY_KEY.")
        return Autonomy(options.server, key)
    except (OSError, ValueError) as wrong:
        raise SystemExit(str(wrong)) from wrong


class Worker:
    """One agent program at work until it is told to stop, or with `once` until there is nothing to do."""

    def __init__(
        self,
        client: Autonomy,
        handle: Handler,
        options: argparse.Namespace,
        between: Callable[[], int] = lambda: 0,
        claim_seconds: int = CLAIM_SECONDS,
    ) -> None:
        self.client = client
        self.handle = handle
        self.between = between
        self.claim_seconds = claim_seconds
        self.cost_per_hour: Decimal = options.cost_per_hour
        self.idle_seconds: float | None = options.idle_seconds if options.once else None
        self.until_input_ends: bool = options.until_input_ends
        self.stopping = threading.Event()
        self.waiting = False

    def run(self) -> int:
        """Work until the end; the exit code is 2 when the key is not accepted."""
        self._listen()
        try:
            return self._loop()
        except Stopped:
            return 0

    def _loop(self) -> int:
        busy_at = time.monotonic()
        work: Work | None = None
        while work or not self.stopping.is_set():
            try:
                began = self.between()
                # What was begun is work of its own: there is more to begin before there is anything to wait for.
                work = work or self._claim(0 if began else self._wait_seconds())
                is_busy = bool(work or began)
                work = self._do(work) if work else None
            except Unauthorized as refused:
                log.error("The key is not accepted: %s", refused)
                return 2
            except AutonomyError as refused:
                log.warning("%s", refused)
                work, is_busy = None, False
                self.stopping.wait(max(PAUSE_SECONDS, refused.retry_after))
            if is_busy:  # the time that the work itself took is no idle time
                busy_at = time.monotonic()
            elif self._is_idle(time.monotonic() - busy_at):
                break
        return 0

    def stop(self) -> None:
        """Finish the step in hand, then end; without one, end at once."""
        self.stopping.set()
        self.client.hurry()
        if self.waiting:
            self.waiting = False
            raise Stopped

    def _claim(self, wait_seconds: int) -> Work | None:
        self.waiting = True
        try:
            return self.client.claim(wait_seconds)
        finally:
            self.waiting = False

    def _listen(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self.stop())
            if self.until_input_ends:
                threading.Thread(target=stop_with_input, daemon=True).start()

    def _wait_seconds(self) -> int:
        return self.claim_seconds if self.idle_seconds is None else min(self.claim_seconds, int(self.idle_seconds))

    def _is_idle(self, seconds: float) -> bool:
        return self.idle_seconds is not None and seconds >= self.idle_seconds

    def _do(self, work: Work) -> Work | None:
        began = time.perf_counter()
        try:
            with self.client.working(work):
                result = self.handle(work)
            seconds = Decimal(repr(time.perf_counter() - began))
            return self._report(work, result, seconds) if result else None
        except StaleLease as late:
            log.warning("%s went to somebody else: %s", work.name, late)
        except (Unauthorized, RateLimited):
            raise
        except GiveUp as reason:
            self.client.fail(work, str(reason)[:LONGEST_NOTE], retryable=False)
        except Exception as broken:  # whatever it was, the step goes back with the reason and is not lost
            log.exception("%s of %s failed", work.name, work.run.key)
            self.client.fail(work, f"{type(broken).__name__}: {broken}"[:LONGEST_NOTE])
        return None

    def _report(self, work: Work, result: Result, seconds: Decimal) -> Work | None:
        cost = cost_of(seconds, self.cost_per_hour)
        more = not self.stopping.is_set()
        log.info("%s: %s %s", work.run.key, work.name, result.note[:200])
        return self.client.finish(work, result.output, cost, claim_next=more, note=result.note[:LONGEST_NOTE])


def stop_with_input() -> None:
    """Tell the main thread to stop as soon as whoever started this program is gone."""
    # Not through the buffer: at the end of the program its lock would still be held here.
    while os.read(sys.stdin.fileno(), 65_536):
        pass
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


def cost_of(seconds: Decimal, cost_per_hour: Decimal) -> str:
    """What so many working seconds cost, as a decimal with six places."""
    return f"{(seconds * cost_per_hour / 3600).quantize(Decimal('0.000001')):f}"
