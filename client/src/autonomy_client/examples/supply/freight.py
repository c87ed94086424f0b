"""The files of the freight desk: stock of the plants, shipments under way, and what carriers offer."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path


@dataclass(frozen=True)
class Stock:
    """How much of a part lies in a plant, and how much of it a day takes."""

    region: str
    plant: str
    part: str
    on_hand: int
    daily_use: int


@dataclass(frozen=True)
class Shipment:
    """Goods on their way: when they were due, and when they are expected now. The value is in EUR."""

    number: str
    region: str
    plant: str
    part: str
    quantity: int
    carrier: str
    due: date
    expected: date
    value: Decimal
    hazardous: bool

    @property
    def delay_days(self) -> int:
        """How late it is; nothing when it is early."""
        return max(0, (self.expected - self.due).days)


@dataclass(frozen=True)
class Offer:
    """What a carrier takes in a region: days on the road, EUR for a shipment, and EUR for each 1,000 of value."""

    carrier: str
    region: str
    days: int
    cost: Decimal
    cost_per_1000: Decimal
    hazardous: bool


class Freight:
    """The lists of one folder, as they are now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def today(self) -> date:
        """The day that the lists were written on."""
        told = json.loads((self.folder / "lists.json").read_text("utf-8"))
        return date.fromisoformat(told["as_of"])

    def regions(self) -> list[str]:
        """The regions with plants."""
        return sorted({stock.region for stock in self._stock()})

    def stock(self, region: str) -> list[Stock]:
        """The stock of the plants of a region."""
        return [each for each in self._stock() if each.region == region]

    def shipments(self, region: str) -> list[Shipment]:
        """The shipments to the plants of a region."""
        return [
            Shipment(
                row["shipment"], row["region"], row["plant"], row["part"], int(row["quantity"]), row["carrier"],
                date.fromisoformat(row["due"]), date.fromisoformat(row["expected"]), Decimal(row["value"]),
                row["hazardous"] == "yes",
            )
            for row in self._rows("shipments.csv")
            if row["region"] == region
        ]  # fmt: skip

    def offers(self, region: str) -> list[Offer]:
        """What carriers offer in a region."""
        return [
            Offer(
                row["carrier"], row["region"], int(row["days"]), Decimal(row["cost"]), Decimal(row["cost_per_1000"]),
                row["hazardous"] == "yes",
            )
            for row in self._rows("carriers.csv")
            if row["region"] == region
        ]  # fmt: skip

    def _stock(self) -> Iterator[Stock]:
        for row in self._rows("stock.csv"):
            yield Stock(row["region"], row["plant"], row["part"], int(row["on_hand"]), int(row["daily_use"]))

    def _rows(self, name: str) -> Iterator[dict[str, str]]:
        with (self.folder / name).open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
