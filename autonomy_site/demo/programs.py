"""The agent programs of the demo: processes of their own that are started again when they die and end with the demo."""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

PROGRAMS = {"AP-01": "reader", "AP-02": "matcher", "RK-01": "scout", "AP-04": "clerk"}
STOP_WITHIN_SECONDS = 15
RESTARTS_AT_MOST = 3
# A program ends with this when its key or its command line is refused; another start would end the same way.
REFUSED = 2


class Programs:
    """The four programs; keys, logs and what they write lie in `folder`, `say` prints a line."""

    def __init__(self, folder: Path, say: Callable[[str], object]) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.logs = folder / "logs"
        self.say = say
        self.given_up: set[str] = set()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._restarts: Counter[str] = Counter()
        self._options: list[str] = []
        self._is_ending = False
        self._lock = threading.Lock()

    def key_file(self, code: str) -> Path:
        """Where the key of this agent lies."""
        return self.folder / "keys" / code

    def start(self, inbox: Path, address: str) -> None:
        """Start all programs on the documents in `inbox` with the server at `address`."""
        self.out.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        self._options = ["--server", address, "--documents", str(inbox), "--out", str(self.out), "--until-input-ends"]
        for code in PROGRAMS:
            self._start(code)

    def look_after(self) -> None:
        """Start again what has died, a few times; what cannot go on is told once and listed in `given_up`."""
        for code, program in list(self._running.items()):
            if program.poll() is None or code in self.given_up or self._is_ending:
                continue
            log = self.logs / f"{code}.log"
            if program.returncode == REFUSED or self._restarts[code] == RESTARTS_AT_MOST:
                self.given_up.add(code)
                self.say(f"{code} has ended with {program.returncode}; see {log}")
                continue
            self._restarts[code] += 1
            self.say(f"{code} has ended with {program.returncode} and is started again; see {log}")
            self._start(code)

    def end(self) -> None:
        """Let every program finish what it has in hand, and end it."""
        with self._lock:
            self._is_ending = True
        for program in self._running.values():
            program.terminate()
        for program in self._running.values():
            try:
                program.wait(timeout=STOP_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                program.kill()

    def _start(self, code: str) -> None:
        module = f"autonomy_client.examples.invoices.{PROGRAMS[code]}"
        command = [sys.executable, "-m", module, "--key-file", str(self.key_file(code)), *self._options]
        # The lock: a program that starts while the others are being ended would outlive the demo.
        with self._lock, (self.logs / f"{code}.log").open("ab") as log:
            if self._is_ending:
                return
            # A session of its own: Ctrl-C reaches only the demo, which then ends the programs in order. The pipe ends
            # them too when the demo is killed and cannot do so.
            self._running[code] = subprocess.Popen(  # noqa: S603 (our own programs)
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True, env=_environment()
            )


def _environment() -> dict[str, str]:
    keep = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "SYSTEMROOT")
    return {name: os.environ[name] for name in keep if name in os.environ} | {"PYTHONUNBUFFERED": "1"}
