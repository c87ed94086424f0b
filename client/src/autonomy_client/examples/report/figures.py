"""The three sources of a month, added up, and what does not agree between them; no network, no clock."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

MONTH = re.compile(r"ledger-(\d{4}-\d{2})\.csv")
SOURCES = ("ledger", "sales", "operations")
REVENUE, COSTS = "4", "5"
ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Ledger:
    """Revenue and costs as they are booked, and the revenue of each order."""

    revenue: Decimal
    costs: Decimal
    by_order: Mapping[str, Decimal]


@dataclass(frozen=True)
class Sales:
    """What was sold, by order."""

    revenue: Decimal
    by_order: Mapping[str, Decimal]


@dataclass(frozen=True)
class Operations:
    """How many deliveries there were, and how many of them in time."""

    delivered: int
    on_time: int

    @property
    def share(self) -> Decimal:
        """The share in time, with four places."""
        return (Decimal(self.on_time) / max(self.delivered, 1)).quantize(Decimal("0.0001"), ROUND_HALF_UP)


@dataclass(frozen=True)
class Gap:
    """An order that the sales and the ledger do not agree about."""

    order: str
    sold: Decimal
    booked: Decimal

    def __str__(self) -> str:
        if not self.booked:
            return f"order {self.order} over {self.sold} EUR is in the sales and not in the ledger"
        if not self.sold:
            return f"order {self.order} over {self.booked} EUR is in the ledger and not in the sales"
        return f"order {self.order} is {self.sold} EUR in the sales and {self.booked} EUR in the ledger"


class Archive:
    """The files of all months in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def months(self) -> list[str]:
        """The months that are closed, as in 2026-10: all three files are there."""
        found = (MONTH.fullmatch(path.name) for path in self.folder.glob("ledger-*.csv"))
        months = sorted(match.group(1) for match in found if match)
        return [month for month in months if all((self.folder / self.name(each, month)).exists() for each in SOURCES)]

    def name(self, source: str, month: str) -> str:
        """The file of a source."""
        return f"{source}-{month}.csv"

    def sha256(self, source: str, month: str) -> str:
        """The digest of the file of a source."""
        return hashlib.sha256((self.folder / self.name(source, month)).read_bytes()).hexdigest()

    def ledger(self, month: str) -> Ledger:
        """The ledger of a month, added up."""
        revenue, costs, by_order = ZERO, ZERO, dict[str, Decimal]()
        for row in self._rows("ledger", month):
            amount = Decimal(row["amount"])
            if row["account"].startswith(REVENUE):
                revenue += amount
                by_order[row["order"]] = by_order.get(row["order"], ZERO) + amount
            elif row["account"].startswith(COSTS):
                costs += amount
        return Ledger(revenue, costs, by_order)

    def sales(self, month: str) -> Sales:
        """The sales of a month, added up; what was cancelled is no sale."""
        by_order = dict[str, Decimal]()
        for row in self._rows("sales", month):
            if row["status"] != "cancelled":
                by_order[row["order"]] = by_order.get(row["order"], ZERO) + Decimal(row["amount"])
        return Sales(sum(by_order.values(), ZERO), by_order)

    def operations(self, month: str) -> Operations:
        """The deliveries of a month."""
        rows = list(self._rows("operations", month))
        in_time = [row for row in rows if date.fromisoformat(row["delivered"]) <= date.fromisoformat(row["promised"])]
        return Operations(len(rows), len(in_time))

    def _rows(self, source: str, month: str) -> Iterator[dict[str, str]]:
        with (self.folder / self.name(source, month)).open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def gaps(ledger: Ledger, sales: Sales) -> list[Gap]:
    """The orders that the two do not agree about, by number."""
    numbers = sorted(ledger.by_order.keys() | sales.by_order.keys())
    found = (Gap(each, sales.by_order.get(each, ZERO), ledger.by_order.get(each, ZERO)) for each in numbers)
    return [gap for gap in found if gap.sold != gap.booked]
