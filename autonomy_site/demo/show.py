"""Runs the demo: database, company, documents, the server in this process, the agent programs in their own."""

import fcntl
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from autonomy_client.examples.invoices.folder import Folder
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from agents.operations import define_people_roles
from autonomy_site.demo import answers, by_hand, company, departments, documents, report
from autonomy_site.demo.desks import crew, data, outcomes, plan, reviewer
from autonomy_site.demo.programs import Programs
from observability import ledger
from observability.ledger import database_now

QUIET_SECONDS = 3.0


@dataclass(frozen=True)
class Wishes:
    """How the demo shall run; `everything`: also the desks where nobody looks, with people who answer; `say` prints a
    line."""

    headless: bool
    everything: bool
    seconds: float
    invoices: Path | None
    port: int
    new_passwords: bool
    say: Callable[[str], object]


class CannotStart(Exception):
    """The demo cannot start; the text says why and what to do."""


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


@contextmanager
def interruptible() -> Iterator[None]:
    """Stop at Ctrl-C: at once, or in the end where Python swallowed the interruption, as it does in a destructor."""
    stopped = False

    def stop(number: int, frame: object) -> None:
        nonlocal stopped
        stopped = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if stopped:
        raise KeyboardInterrupt


class Show:
    """One start of the demo."""

    def __init__(self, wishes: Wishes) -> None:
        self.wishes = wishes
        self.folder = settings.DATA_FOLDER / "demo"
        self.desks_data = self.folder / "desks"
        self.programs = Programs(self.folder, wishes.say)
        self.with_desks = wishes.everything or not wishes.headless
        self.broken = False

    def run(self) -> bool:
        """Run until it is stopped or its time is over; whether all went well. Raises CannotStart."""
        self._refuse_taken_port()
        with alone_in(self.folder):
            with interruptible():
                call_command("migrate", verbosity=0)
                self._build_company()
                inbox = Folder((self.wishes.invoices or self._documents()).resolve(), self.programs.out)
                self._mention_emptiness(inbox)
            self._serve(inbox)
            return self._told(inbox) if self.wishes.headless else not self.broken

    def _refuse_taken_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.wishes.port))
            except OSError as taken:
                detail = f"Port {self.wishes.port} cannot be used ({taken.strerror}); choose another one with --port."
                raise CannotStart(detail) from taken

    def _build_company(self) -> None:
        passwords, keys = dict[str, str](), dict[str, str]()
        # Nothing is there for good before keys and passwords have reached whoever needs them.
        with transaction.atomic():
            if not company.is_built():
                built = company.build(database_now())
                company.set_budgets(built, database_now())
                passwords, keys = built.passwords, built.keys
            else:
                define_people_roles()  # the company of an earlier version may lack what a role is for now
            self._build_departments()
            self._build_desks()
            self._bring_log()
            if self.wishes.new_passwords and not passwords:
                passwords = {row[0]: company.new_password(row[0]) for row in company.PEOPLE}
            factors = company.second_factors()
            self._keep_keys(keys)
            self._print_passwords(passwords)
            self._print_factors(factors)

    def _build_departments(self) -> None:
        """The other units with their agents; a company that its people changed too much stays as it is."""
        if departments.are_built():
            return
        try:
            departments.build(database_now())
        except (ledger.Refused, IntegrityError, KeyError) as refused:
            self.wishes.say(f"Procurement, customer service and supply chain were left as they are: {refused}")

    def _build_desks(self) -> None:
        """Four more workflows with their agents; a company that its people changed too much stays as it is."""
        if self.with_desks and not crew.are_built():
            try:
                crew.build(database_now())
            except (ledger.Refused, IntegrityError, KeyError, ObjectDoesNotExist) as refused:
                self.wishes.say(f"The workflows from templates were left out: {refused}")
        self.with_desks = self.with_desks and crew.are_built()
        if self.with_desks:
            data.generate(self.desks_data)

    def _bring_log(self) -> None:
        """How invoices were paid by hand, analysed; a company that its people changed too much stays as it is."""
        try:
            by_hand.bring_log(database_now())
        except (ledger.Refused, ObjectDoesNotExist) as refused:
            self.wishes.say(f"The event log of invoices paid by hand was left out: {refused}")

    def _keep_keys(self, keys: dict[str, str]) -> None:
        """A key file for each program, with a new key where there is none that this database knows."""
        codes = dict.fromkeys((*company.WORKING, *(departments.CREW if departments.are_built() else ())))
        if self.with_desks:
            codes |= dict.fromkeys(code for desk in plan.DESKS for code in desk.crew)
        for code in codes:
            path = self.programs.key_file(code)
            if code not in keys and path.exists() and company.knows_key(path.read_text().strip()):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(keys.get(code) or company.new_key(code))

    def _print_passwords(self, passwords: dict[str, str]) -> None:
        say = self.wishes.say
        if not passwords:
            say("The Halden Group is there already; its passwords were printed at the first start (--new-passwords).")
            return
        say("\nSign in as one of these people (the passwords are shown only now):\n")
        for username, name, title, _, _ in company.PEOPLE:
            say(f"  {username:<8} {passwords[username]:<18} {name}, {title}")
        say("")

    def _print_factors(self, factors: dict[str, str]) -> None:
        """Council, IT and risk need a code as well; the demo is its own authenticator app."""
        if factors:
            self.wishes.say(
                "These need a code as well. Type the key into an authenticator app, or ask the demo for one:\n"
            )
        for username, secret in factors.items():
            self.wishes.say(f"  {username:<8} key {secret}   .venv/bin/python manage.py demo --code {username}")
        if factors:
            self.wishes.say("")

    def _documents(self) -> Path:
        inbox: Path = self.folder / "documents"
        if not (inbox / "answers.json").exists():
            documents.generate(inbox)
        return inbox

    def _mention_emptiness(self, inbox: Folder) -> None:
        if any(inbox.names()):
            return
        empty = f"There is no .xml file in {inbox.documents}."
        if self.wishes.headless:
            raise CannotStart(f"{empty} Name a folder with invoices.")
        self.wishes.say(f"{empty} Invoices that you put there are read as they arrive.")

    def _serve(self, inbox: Folder) -> None:
        config = uvicorn.Config(
            "autonomy_site.asgi:application", host="127.0.0.1", port=self.wishes.port, log_level="warning",
            timeout_graceful_shutdown=2,
        )  # fmt: skip
        self.server = Stage(config, self.programs.end)
        threading.Thread(target=self._conduct, args=(inbox,), daemon=True).start()
        try:
            self.server.run()
        finally:
            self.programs.end()
        self.broken = self.broken or not self.server.started

    def _conduct(self, inbox: Folder) -> None:
        try:
            while not self.server.started and not self.server.should_exit:
                time.sleep(0.02)
            if self.server.started:
                address = f"http://127.0.0.1:{self.wishes.port}/"
                self.wishes.say(f"Autonomy OS is at {address} (Ctrl-C stops it).")
                programs = self.programs.for_invoices(inbox.documents)
                programs += self.programs.for_desks(plan.DESKS, self.desks_data) if self.with_desks else []
                self.programs.start(programs, address)
                self._ask_around(address)
                self._watch(inbox)
        except BaseException:
            self.broken = True
            raise
        finally:
            connection.close()
            self.server.finish()

    def _ask_around(self, address: str) -> None:
        """Agents of other units ask beside the invoices, for people who look; what is measured is invoices alone."""
        if not self.wishes.headless and departments.are_built():
            departments.ask_around(address, lambda code: self.programs.key_file(code).read_text(), self.wishes.say)
            try:
                answers.answer_before(database_now())
            except ledger.Refused as refused:
                self.wishes.say(f"The answers of the weeks before were left out: {refused}")

    def _watch(self, inbox: Folder) -> None:
        until, quiet_since = time.monotonic() + self.wishes.seconds, time.monotonic()
        while not self.server.should_exit:
            time.sleep(0.5)
            self.programs.look_after()
            if not self.wishes.headless:
                continue
            quiet_since = quiet_since if self._is_quiet(inbox) else time.monotonic()
            is_over = time.monotonic() > until or time.monotonic() - quiet_since > QUIET_SECONDS
            if is_over or self.programs.given_up:
                return

    def _is_quiet(self, inbox: Folder) -> bool:
        if not self.with_desks:
            return report.is_quiet(inbox)
        answered = reviewer.answer_all(database_now())
        return not answered and outcomes.are_quiet(self.desks_data) and report.is_quiet(inbox)

    def _told(self, inbox: Folder) -> bool:
        figures = report.measure(inbox)
        for line in figures.table():
            self.wishes.say(line)
        if self.with_desks and not self._told_desks():
            return False
        return not self.broken and not self.programs.given_up and figures.all_well

    def _told_desks(self) -> bool:
        differences = outcomes.differences(self.desks_data)
        for line in (*outcomes.table(), *differences):
            self.wishes.say(line)
        return not differences


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep a second demo out of this folder; the lock goes with the process, however it ends. Raises CannotStart."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            detail = f"Another demo is at work in {folder}. Stop it, or set DATA_FOLDER to a folder of its own."
            raise CannotStart(detail) from taken
        yield
