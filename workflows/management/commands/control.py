"""The control state at the console, for the day on which the web is down: it needs only the database."""

import argparse
import getpass
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from governance.models import ControlState
from governance.rules.stopping import NORMAL, PAUSED, RESTRICTED
from observability import ledger
from observability.ledger import database_now
from workflows import operations

STATES = {"pause": PAUSED, "restrict": RESTRICTED, "resume": NORMAL}


class Command(BaseCommand):
    """Show what is stopped; pause, restrict or resume everything or one scope."""

    help = "Show or change what is stopped: status, pause, restrict, resume; needs only the database."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("act", choices=["status", *STATES])
        parser.add_argument("--scope", default="everything", help="everything, or as in agent:AP-04, unit:finance")
        parser.add_argument("--why", default="", help="the reason; everybody concerned reads it")
        parser.add_argument("--minutes", type=int, help="how long; it ends by itself then")
        parser.add_argument("--by", default="", help="who asked for it; the user of the console unless said")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["act"] != "status":
                self._change(options)
        except ledger.Refused as refused:
            wrong = " ".join(f"{name}: {words}" for name, words in refused.fields.items())
            raise CommandError(f"{refused.detail} {wrong}".strip()) from refused
        self._show()

    def _change(self, options: dict[str, Any]) -> None:
        kind, _, code = options["scope"].partition(":")
        at, minutes = database_now(), options["minutes"]
        until = at + timedelta(minutes=minutes) if minutes is not None else None
        _, void = operations.set_control(
            operations.find_scope(kind, code), STATES[options["act"]], by=_console(options["by"]), at=at,
            why=options["why"], until=until,
        )  # fmt: skip
        if void:
            self.stdout.write(f"{void} steps went back to the queue.")

    def _show(self) -> None:
        stopped = ControlState.objects.on(database_now())
        for row in stopped:
            self.stdout.write(f"{row.scope}: {row.as_stop().words}")
        if not stopped:
            self.stdout.write("Nothing is stopped.")


def _console(named: str) -> ledger.Actor:
    try:
        user = getpass.getuser()
    except OSError:
        user = "somebody"
    name = f"{named}, at the console as {user}" if named else f"{user} at the console"
    return ledger.Actor(kind=ledger.SYSTEM.kind, id=f"console:{user}", name=name[:200])
