"""The files of the support desk: tickets as they came in, and the orders of the shop."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

ORDER_NUMBER = re.compile(r"\b7\d{4}\b")


@dataclass(frozen=True)
class Ticket:
    """What a customer wrote, and when."""

    number: str
    customer: str
    text: str
    received: date


@dataclass(frozen=True)
class Order:
    """One order of a customer; `status` is processing, shipped or delivered."""

    number: str
    customer: str
    item: str
    total: Decimal
    ordered: date
    promised: date
    status: str
    tracking: str
    tier: str
    refunds_90d: int

    def age_days(self, on: date) -> int:
        """How old the order is on a day."""
        return (on - self.ordered).days


class Shop:
    """The tickets and orders of one folder, as they are now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def tickets(self) -> list[Ticket]:
        """All tickets, in the order in which they came in."""
        rows: list[dict[str, Any]] = json.loads((self.folder / "tickets.json").read_text("utf-8"))
        return [
            Ticket(row["ticket"], row["customer"], row["text"], date.fromisoformat(row["received"])) for row in rows
        ]

    def ticket(self, number: str) -> Ticket | None:
        """The ticket of this number."""
        return next((each for each in self.tickets() if each.number == number), None)

    def orders_of(self, customer: str) -> list[Order]:
        """The orders of a customer, the newest first."""
        found = [order for order in self._orders() if order.customer == customer]
        return sorted(found, key=lambda order: (order.ordered, order.number), reverse=True)

    def _orders(self) -> Iterator[Order]:
        with (self.folder / "orders.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield Order(
                    row["order"], row["customer"], row["item"], Decimal(row["total"]),
                    date.fromisoformat(row["ordered"]), date.fromisoformat(row["promised"]), row["status"],
                    row["tracking"], row["tier"], int(row["refunds_90d"]),
                )  # fmt: skip


def meant(text: str, orders: list[Order]) -> Order | None:
    """The customer's order that a text is about: the one it names, or else the only one there is."""
    named = set(ORDER_NUMBER.findall(text))
    if named:
        return next((order for order in orders if order.number in named), None)
    return orders[0] if len(orders) == 1 else None
