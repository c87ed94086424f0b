"""The demo: the Halden Group at work on real invoice files, with four agent programs as processes of their own."""

import argparse
import math
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from autonomy_site.demo import company
from autonomy_site.demo.show import CannotStart, Show, Wishes


class Command(BaseCommand):
    """Build the company once, start the server and the agent programs, stop cleanly on Ctrl-C."""

    help = "Run the demo company on http://127.0.0.1:8000/ (or --headless for a while, with a table at the end)."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--headless", action="store_true", help="work without a browser, print a table, then end")
        parser.add_argument("--all", action="store_true", help="with --headless: the other workflows too, with answers")
        parser.add_argument("--minutes", type=float, default=2, help="with --headless: how long at the most")
        parser.add_argument("--invoices", type=_path, help="a folder of invoice XML instead of the demo's own")
        parser.add_argument("--port", type=_port, default=8000)
        parser.add_argument(
            "--code", metavar="NAME", help="print the code that this person needs to sign in now, then end"
        )
        parser.add_argument("--new-passwords", action="store_true", help="give everybody a new password and print it")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["code"]:
            self._say_code(options["code"])
            return
        folder = options["invoices"]
        if folder is not None and not folder.is_dir():
            raise CommandError(f"{folder} is not a folder. Name a folder that holds invoice XML files.")
        if not 0 < options["minutes"] < math.inf:
            raise CommandError("--minutes must be more than 0.")
        wishes = Wishes(
            headless=options["headless"], everything=options["all"], seconds=options["minutes"] * 60, invoices=folder,
            port=options["port"], new_passwords=options["new_passwords"], say=self._say,
        )  # fmt: skip
        try:
            went_well = Show(wishes).run()
        except CannotStart as reason:
            raise CommandError(str(reason)) from reason
        except KeyboardInterrupt:
            raise CommandError("Stopped at once. The next start goes on from here.", returncode=130) from None
        if not went_well:
            raise CommandError("Something failed, is stuck or has no run; what was printed above says what.")

    def _say_code(self, username: str) -> None:
        code = company.code_now(username)
        if code is None:
            raise CommandError(f"{username} has no authenticator app here, and needs no code of one.")
        self._say(code)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text} is not a port; name one from 1 to 65535")
    return int(text)
