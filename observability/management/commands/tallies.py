"""Count the tallies behind the performance page from the ledger, again from its beginning, or compare the two."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from observability import kpis


class Command(BaseCommand):
    """Bring the tallies up to date; with --again from nothing, with --check compare them with the ledger."""

    help = "Count what the performance page shows from the ledger."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--again", action="store_true", help="forget all tallies and count from the beginning")
        parser.add_argument("--check", action="store_true", help="compare with the ledger, ends with 1 on a difference")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["again"]:
            kpis.count_again()
        read = 0
        while more := kpis.count_ended():
            read += more
        self.stdout.write(f"{read:,} entries of the ledger were counted.")
        if options["check"]:
            found = kpis.differences()
            for sentence in found[:100]:
                self.stdout.write(sentence)
            if found:
                raise CommandError(f"{len(found)} tallies differ. Run manage.py tallies --again.")
            self.stdout.write("Every tally says what the ledger says.")
