"""Writes down what the API promises: its description and its errors, which tests hold against what it does."""

import importlib
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from drf_spectacular.generators import SchemaGenerator

from autonomy_site import catalogue

SNAPSHOT = Path(settings.BASE) / "tests" / "site" / "openapi_snapshot.json"
PROBLEMS = Path(settings.BASE) / "docs" / "problems.md"
BEGIN, END = "<!-- begin of the table -->", "<!-- end of the table -->"


class Command(BaseCommand):
    """Print the description of the API, or write it and the table of its errors where the tests look."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write tests/site/openapi_snapshot.json and docs")

    def handle(self, *args: Any, write: bool, **options: Any) -> None:
        if not write:
            self.stdout.write(description())
            return
        SNAPSHOT.write_text(description())
        PROBLEMS.write_text(with_table(PROBLEMS.read_text()))
        self.stdout.write(f"Written: {SNAPSHOT} and {PROBLEMS}.")


def description() -> str:
    """The description of the API as JSON, the same text for the same API."""
    return json.dumps(SchemaGenerator().get_schema(public=True), indent=1, sort_keys=True, default=str) + "\n"


def with_table(page: str) -> str:
    """The page with the table of errors as they are now."""
    importlib.import_module(settings.ROOT_URLCONF)  # the doors import every operation, and with it every refusal
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{catalogue.table()}\n\n{END}{tail}"
