"""The demo: the Halden Group at work on real invoice files, with four agent programs as processes of their own."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from autonomy_site.demo.show import Show, Wishes


class Command(BaseCommand):
    """Build the company once, start the server and the agent programs, stop cleanly on Ctrl-C."""

    help = "Run the demo company on http://127.0.0.1:8000/ (or --headless for a while, with a table at the end)."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--headless", action="store_true", help="work without a browser, print a table, then end")
        parser.add_argument("--minutes", type=float, default=2, help="with --headless: how long at the most")
        parser.add_argument("--invoices", type=Path, help="a folder of invoice XML instead of the demo's own")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--new-passwords", action="store_true", help="give everybody a new password and print it")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["invoices"]
        if folder is not None and not folder.is_dir():
            raise CommandError(f"{folder} is not a folder. Name a folder that holds invoice XML files.")
        if options["minutes"] <= 0:
            raise CommandError("--minutes must be more than 0.")
        wishes = Wishes(
            headless=options["headless"], seconds=options["minutes"] * 60, invoices=folder, port=options["port"],
            new_passwords=options["new_passwords"], say=self.stdout.write,
        )  # fmt: skip
        if not Show(wishes).run():
            raise CommandError("Something is stuck or failed; the table above says what.")
