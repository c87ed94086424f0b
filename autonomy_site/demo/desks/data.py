"""The files of the desks: written once, with what has to come of them beside each."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autonomy_site.demo.desks import applications, books, freight, tickets
from autonomy_site.demo.desks.plan import DESKS

# By the program of each desk.
WRITERS: Mapping[str, Callable[[Path], object]] = {
    "support": tickets.generate, "vendors": applications.generate, "supply": freight.generate, "report": books.generate,
}  # fmt: skip


def generate(folder: Path) -> None:
    """Write the files of all desks below `folder`, where they are not there yet."""
    for program, write in WRITERS.items():
        if not (folder / program / "answers.json").exists():
            write(folder / program)


def answers(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """What has to come of the files below `folder`, by workflow."""
    return {
        desk.template: json.loads((folder / desk.program / "answers.json").read_text("utf-8")) for desk in DESKS
    }  # fmt: skip
