"""Opens the emergency account at the console: `manage.py break_glass open --reason "..."`."""

import argparse
import getpass
import logging
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.core.management.base import BaseCommand, CommandError

from agents import operations
from agents.operations.emergencies import ACCOUNT, MINUTES, MINUTES_AT_MOST, Opened
from observability import ledger
from observability.ledger import database_now

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Open the emergency account for a while, tell everybody concerned, and print its password and key once."""

    help = "The emergency account, for the day on which nobody with the right can sign in."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("act", choices=["open"])
        parser.add_argument("--reason", required=True, help="why; everybody concerned reads it")
        parser.add_argument(
            "--minutes", type=int, default=MINUTES, help=f"how long, at most {MINUTES_AT_MOST}; {MINUTES} unless said"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            opened = operations.open_break_glass(
                why=options["reason"], opened_by=_console(), at=database_now(), minutes=options["minutes"]
            )
        except ledger.Refused as refused:
            wrong = " ".join(f"{name}: {words}" for name, words in refused.fields.items())
            raise CommandError(f"{refused.detail} {wrong}".strip()) from refused
        self._alarm(opened)
        self._show(opened)

    def _alarm(self, opened: Opened) -> None:
        use = opened.use
        told = f"The emergency account is open until {use.expires_at:%Y-%m-%d %H:%M} UTC, opened by {use.opened_by}."
        log.critical("%s Reason: %s", told, use.why)
        if settings.BREAK_GLASS_EMAILS:
            sent = send_mail(
                "Autonomy OS: the emergency account is open", f"{told}\nReason: {use.why}\n", None,
                settings.BREAK_GLASS_EMAILS, fail_silently=True,
            )  # fmt: skip
            self.stdout.write("The alarm was mailed." if sent else "The alarm could not be mailed; call somebody.")

    def _show(self, opened: Opened) -> None:
        self.stdout.write(f"The emergency account is open until {opened.use.expires_at:%Y-%m-%d %H:%M} UTC.")
        self.stdout.write("Shown only now:")
        self.stdout.write(f"  name      {ACCOUNT}")
        self.stdout.write(f"  password  {opened.password}")
        self.stdout.write(f"  key       {opened.secret}  (type it into an authenticator app for the code)")
        self.stdout.write("Council, IT and risk see it on every page, and the council or risk review what was done.")


def _console() -> str:
    try:
        return getpass.getuser()
    except OSError:
        return "somebody at the console"
