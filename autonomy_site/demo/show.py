"""Runs the demo: database, company, documents, the server in this process, the agent programs in their own."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from autonomy_site.demo import company, documents, report
from observability import ledger
from observability.ledger import database_now

PROGRAMS = {"AP-01": "reader", "AP-02": "matcher", "RK-01": "scout", "AP-04": "clerk"}
QUIET_SECONDS = 6.0
STOP_WITHIN_SECONDS = 15


@dataclass(frozen=True)
class Wishes:
    """How the demo shall run; `say` prints a line."""

    headless: bool
    seconds: float
    invoices: Path | None
    port: int
    new_passwords: bool
    say: Callable[[str], object]


class Stage(uvicorn.Server):
    """A server that lets the programs finish what they have in hand before it ends; a second Ctrl-C ends it now."""

    def __init__(self, config: uvicorn.Config, before_the_end: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_the_end = before_the_end
        self._asked = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called for Ctrl-C and SIGTERM."""
        if self._asked:
            super().handle_exit(sig, frame)
        self._asked = True
        threading.Thread(target=self.finish, daemon=True).start()

    def finish(self) -> None:
        """End the programs, then the server."""
        self._before_the_end()
        ledger.bell.close()
        self.should_exit = True


class Show:
    """One start of the demo."""

    def __init__(self, wishes: Wishes) -> None:
        self.wishes = wishes
        self.folder = settings.DATA_FOLDER / "demo"
        self.programs: list[subprocess.Popen[bytes]] = []
        self.healthy = True
        self.ending = False

    def run(self) -> bool:
        """Run until it is stopped or its time is over; whether all went well."""
        self._refuse_taken_port()
        call_command("migrate", verbosity=0)
        self._build_company()
        inbox = self.wishes.invoices or self._documents()
        config = uvicorn.Config(
            "autonomy_site.asgi:application", host="127.0.0.1", port=self.wishes.port, log_level="warning",
            timeout_graceful_shutdown=2,
        )  # fmt: skip
        self.server = Stage(config, self._end_programs)
        conductor = threading.Thread(target=self._conduct, args=(inbox.resolve(),), daemon=True)
        conductor.start()
        try:
            self.server.run()
        finally:
            self._end_programs()
        return self._told() if self.wishes.headless else True

    def _refuse_taken_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.wishes.port))
            except OSError as taken:
                raise SystemExit(f"Port {self.wishes.port} is taken; choose another one with --port.") from taken

    def _build_company(self) -> None:
        say = self.wishes.say
        if not company.is_built():
            built = company.build(database_now())
            self._keep_keys(built.keys)
            self._print_passwords(built.passwords)
        elif self.wishes.new_passwords:
            self._print_passwords({row[0]: company.new_password(row[0]) for row in company.PEOPLE})
        else:
            say("The Halden Group is there already; its passwords were printed at the first start (--new-passwords).")

    def _keep_keys(self, keys: dict[str, str]) -> None:
        for code, key in keys.items():
            path = self._key_file(code)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(key)

    def _key_file(self, code: str) -> Path:
        return self.folder / "keys" / code

    def _print_passwords(self, passwords: dict[str, str]) -> None:
        self.wishes.say("\nSign in as one of these people (the passwords are shown only now):\n")
        for username, name, title, _, _ in company.PEOPLE:
            self.wishes.say(f"  {username:<8} {passwords[username]:<18} {name}, {title}")
        self.wishes.say("")

    def _documents(self) -> Path:
        inbox: Path = self.folder / "documents"
        if not (inbox / "answers.json").exists():
            documents.generate(inbox)
        return inbox

    def _conduct(self, inbox: Path) -> None:
        while not self.server.started:
            if self.server.should_exit:
                return
            time.sleep(0.02)
        address = f"http://127.0.0.1:{self.wishes.port}/"
        self.wishes.say(f"Autonomy OS is at {address} (Ctrl-C stops it).")
        self.programs = [self._start(code, program, inbox, address) for code, program in PROGRAMS.items()]
        self._watch()

    def _start(self, code: str, program: str, inbox: Path, address: str) -> subprocess.Popen[bytes]:
        out = self.folder / "out"
        out.mkdir(parents=True, exist_ok=True)
        logs = self.folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable, "-m", f"autonomy_client.examples.invoices.{program}", "--server", address, "--key-file",
            str(self._key_file(code)), "--documents", str(inbox), "--out", str(out),
        ]  # fmt: skip
        # A session of its own: Ctrl-C reaches only this process, which then ends the programs in order.
        with (logs / f"{code}.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 (our own programs)
                command, stdout=log, stderr=log, start_new_session=True, env=_plain_environment()
            )

    def _watch(self) -> None:
        until, quiet_since = time.monotonic() + self.wishes.seconds, time.monotonic()
        while not self.server.should_exit:
            time.sleep(0.5)
            self._notice_ended_programs()
            if not self.wishes.headless:
                continue
            quiet_since = quiet_since if report.is_quiet() else time.monotonic()
            if time.monotonic() > until or time.monotonic() - quiet_since > QUIET_SECONDS or not self.healthy:
                self.server.finish()
        connection.close()

    def _notice_ended_programs(self) -> None:
        for code, program in zip(PROGRAMS, self.programs, strict=True):
            if program.poll() is not None and self.healthy and not self.ending:
                self.healthy = False
                self.wishes.say(f"{code} has ended with {program.returncode}; see {self.folder / 'logs' / code}.log")

    def _end_programs(self) -> None:
        self.ending = True
        for program in self.programs:
            program.terminate()
        for program in self.programs:
            try:
                program.wait(timeout=STOP_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                program.kill()

    def _told(self) -> bool:
        figures = report.measure(self.wishes.invoices or self.folder / "documents")
        for line in figures.table():
            self.wishes.say(line)
        return self.healthy and figures.all_well


def _plain_environment() -> dict[str, str]:
    keep = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "SYSTEMROOT")
    return {name: os.environ[name] for name in keep if name in os.environ} | {"PYTHONUNBUFFERED": "1"}
