"""Ledger, sales and deliveries of two months; one order of the second was sold and not booked, on purpose."""

import csv
import json
import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

OUT = "Report is out"
SEED = 20261031
COSTS = (("5100", "Material", "61250.40"), ("5200", "Wages", "48900.00"), ("5300", "Freight", "7315.75"))


@dataclass(frozen=True)
class Month:
    """A month: how many orders and deliveries it has, how many of these were late, and the order nobody booked."""

    month: str
    orders: int
    deliveries: int
    late: int
    unbooked: str = ""
    unbooked_cents: int = 0


MONTHS = (
    Month("2026-09", orders=24, deliveries=40, late=3),
    Month("2026-10", orders=28, deliveries=48, late=6, unbooked="SO-10877", unbooked_cents=184_000),
)


@dataclass(frozen=True)
class Told:
    """What has to come of a month."""

    month: str
    revenue: str
    costs: str
    result: str
    difference: str
    orders: int
    delivered: int
    on_time: str
    asks: int
    ends: str


def generate(folder: Path) -> list[Told]:
    """Write the files of both months and what has to come of them; the same each time."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(SEED)  # noqa: S311 (made up figures)
    answers = [_month(folder, each, chance) for each in MONTHS]
    (folder / "answers.json").write_text(json.dumps([asdict(each) for each in answers], indent=1) + "\n", "utf-8")
    return answers


def _month(folder: Path, month: Month, chance: random.Random) -> Told:
    first = date.fromisoformat(f"{month.month}-01")
    # Cents are whole numbers: the answers do not come from the arithmetic that they check.
    sold = {f"SO-{first.month}{1001 + number}": chance.randrange(90_000, 900_000) for number in range(month.orders)}
    booked_cents, costs_cents = sum(sold.values()), sum(int(amount.replace(".", "")) for _, _, amount in COSTS)
    ledger = [(_day(first, chance), "4000", order, "Revenue", _euro(cents)) for order, cents in sold.items()]
    ledger += [(_day(first, chance), account, "", text, amount) for account, text, amount in COSTS]
    sales = [(order, _day(first, chance), _euro(cents), "invoiced") for order, cents in sold.items()]
    sales.append((f"SO-{first.month}9999", _day(first, chance), "4200.00", "cancelled"))
    if month.unbooked:
        sales.append((month.unbooked, _day(first, chance), _euro(month.unbooked_cents), "invoiced"))
    _write(folder / f"ledger-{month.month}.csv", ("date", "account", "order", "text", "amount"), ledger)
    _write(folder / f"sales-{month.month}.csv", ("order", "date", "amount", "status"), sales)
    _write(folder / f"operations-{month.month}.csv", ("delivery", "promised", "delivered"), _deliveries(month, first))
    in_time = Decimal(month.deliveries - month.late) / month.deliveries
    return Told(
        month.month, _euro(booked_cents), _euro(costs_cents), _euro(booked_cents - costs_cents),
        _euro(month.unbooked_cents), month.orders + bool(month.unbooked), month.deliveries, f"{in_time:.4f}",
        asks=2 if month.unbooked else 1, ends=OUT,
    )  # fmt: skip


def _deliveries(month: Month, first: date) -> list[tuple[str, str, str]]:
    rows = []
    for number in range(month.deliveries):
        promised = first + timedelta(days=number % 26)
        delivered = promised + timedelta(days=1 + number % 3 if number < month.late else -(number % 2))
        rows.append((f"D-{first.month}{501 + number}", promised.isoformat(), delivered.isoformat()))
    return rows


def _day(first: date, chance: random.Random) -> str:
    return (first + timedelta(days=chance.randrange(28))).isoformat()


def _euro(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _write(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
