"""The agent programs of the demo: processes of their own that are started again when they die and end with the demo."""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from autonomy_site.demo.desks.plan import DeskPlan

INVOICES = {"AP-01": "reader", "AP-02": "matcher", "RK-01": "scout", "AP-04": "clerk"}
STOP_WITHIN_SECONDS = 15
RESTARTS_AT_MOST = 3
# A program ends with this when its key or its command line is refused; another start would end the same way.
REFUSED = 2


@dataclass(frozen=True)
class Program:
    """One process: the module it runs below `autonomy_client.examples`, and the agents whose keys it gets."""

    name: str
    module: str
    agents: tuple[str, ...]
    options: tuple[str, ...] = ()


class Programs:
    """All programs of the demo; keys, logs and what they write lie in `folder`, `say` prints a line."""

    def __init__(self, folder: Path, say: Callable[[str], object]) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.logs = folder / "logs"
        self.say = say
        self.given_up: set[str] = set()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._restarts: Counter[str] = Counter()
        self._programs: dict[str, Program] = {}
        self._address = ""
        self._is_ending = False
        self._lock = threading.Lock()

    def key_file(self, code: str) -> Path:
        """Where the key of this agent lies."""
        return self.folder / "keys" / code

    def for_invoices(self, inbox: Path) -> list[Program]:
        """The four programs that work on the documents in `inbox`."""
        options = ("--documents", str(inbox), "--out", str(self.out))
        return [Program(code, f"invoices.{module}", (code,), options) for code, module in INVOICES.items()]

    def for_desks(self, desks: Iterable[DeskPlan], data: Path) -> list[Program]:
        """A program for each desk, that works on the folder of its name in `data`."""
        return [
            Program(
                desk.program, f"{desk.program}.program", desk.crew,
                ("--data", str(data / desk.program), "--out", str(self.out / desk.program)),
            )
            for desk in desks
        ]  # fmt: skip

    def start(self, programs: Iterable[Program], address: str) -> None:
        """Start these programs with the server at `address`."""
        self.out.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        self._address = address
        for program in programs:
            self._programs[program.name] = program
            self._start(program.name)

    def look_after(self) -> None:
        """Start again what has died, a few times; what cannot go on is told once and listed in `given_up`."""
        for name, process in list(self._running.items()):
            if process.poll() is None or name in self.given_up or self._is_ending:
                continue
            log = self.logs / f"{name}.log"
            if process.returncode == REFUSED or self._restarts[name] == RESTARTS_AT_MOST:
                self.given_up.add(name)
                self.say(f"{name} has ended with {process.returncode}; see {log}")
                continue
            self._restarts[name] += 1
            self.say(f"{name} has ended with {process.returncode} and is started again; see {log}")
            self._start(name)

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

    def _start(self, name: str) -> None:
        program = self._programs[name]
        keys = [part for code in program.agents for part in ("--key-file", str(self.key_file(code)))]
        command = [sys.executable, "-m", f"autonomy_client.examples.{program.module}", *keys]
        command += ["--server", self._address, *program.options, "--until-input-ends"]
        # The lock: a program that starts while the others are being ended would outlive the demo.
        with self._lock, (self.logs / f"{name}.log").open("ab") as log:
            if self._is_ending:
                return
            # A session of its own: Ctrl-C reaches only the demo, which then ends the programs in order. The pipe ends
            # them too when the demo is killed and cannot do so.
            self._running[name] = subprocess.Popen(  # noqa: S603 (our own programs)
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True, env=_environment()
            )


def _environment() -> dict[str, str]:
    keep = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "SYSTEMROOT", "PYTHONPATH")
    return {name: os.environ[name] for name in keep if name in os.environ} | {"PYTHONUNBUFFERED": "1"}
