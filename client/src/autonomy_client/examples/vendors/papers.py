"""The files of procurement: applications of vendors with their papers, and the sanctions list."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

# A vendor is not taken on without these.
NEEDED = ("tax_form", "bank_letter", "register")


@dataclass(frozen=True)
class Application:
    """What a vendor sent: who it is, and its papers by their kind."""

    number: str
    vendor: str
    country: str
    registration: str
    trade: str
    founded: date
    applied: date
    papers: dict[str, dict[str, str]]

    @property
    def missing(self) -> list[str]:
        """The papers that are not there."""
        return [paper for paper in NEEDED if paper not in self.papers]

    @property
    def iban(self) -> str:
        """The bank account, as the bank's letter has it."""
        return "".join(self.papers.get("bank_letter", {}).get("iban", "").split())

    @property
    def holder(self) -> str:
        """Whose account it is, as the bank's letter has it."""
        return self.papers.get("bank_letter", {}).get("holder", "")

    @property
    def age_years(self) -> int:
        """How many full years the vendor had existed when it applied."""
        before_the_day = (self.applied.month, self.applied.day) < (self.founded.month, self.founded.day)
        return self.applied.year - self.founded.year - before_the_day


@dataclass(frozen=True)
class Listed:
    """One name on the sanctions list."""

    name: str
    country: str
    since: str


class Cabinet:
    """The applications and the list of one folder, as they are now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def applications(self) -> list[Application]:
        """All applications, in the order in which they came in."""
        rows: list[dict[str, Any]] = json.loads((self.folder / "applications.json").read_text("utf-8"))
        return [_application(row) for row in rows]

    def application(self, registration: str) -> Application | None:
        """The application of the vendor with this registration number."""
        return next((each for each in self.applications() if each.registration == registration), None)

    def list_sha256(self) -> str:
        """The digest of the sanctions list: another list is another comparison."""
        return hashlib.sha256((self.folder / "sanctions.csv").read_bytes()).hexdigest()

    def listed(self) -> list[Listed]:
        """Every name on the sanctions list."""
        with (self.folder / "sanctions.csv").open(encoding="utf-8", newline="") as file:
            return [Listed(row["name"], row["country"], row["since"]) for row in csv.DictReader(file)]


def _application(row: dict[str, Any]) -> Application:
    return Application(
        row["application"], row["vendor"], row["country"], row["registration"], row["trade"],
        date.fromisoformat(row["founded"]), date.fromisoformat(row["applied"]), row["papers"],
    )  # fmt: skip
