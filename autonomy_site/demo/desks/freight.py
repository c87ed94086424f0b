"""Stock, shipments and carriers of four regions: one calm, one cheap, one dear, one too dear."""

import csv
import json
import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

DAY = date(2026, 11, 16)
TOLD, CALM = "Plants know", "All in time"
PLANTS = {
    "north": ("Kiel", "Rostock"), "south": ("Graz", "Verona"), "east": ("Brno", "Tallinn"), "west": ("Gent", "Lille"),
}  # fmt: skip
PARTS = ("bearing 6204", "seal 40", "valve DN25", "gear 18T", "motor 2kW", "filter F7", "spring 12", "paint RAL 7016")
CARRIERS = (
    ("DHL", 3, 310, "3.5", True), ("DSV", 5, 190, "2.0", True), ("Kuehne + Nagel", 4, 240, "2.5", True),
    ("Fast Freight", 2, 150, "4.0", True), ("Nordlinie", 6, 120, "1.0", False),
)  # fmt: skip
ON_TIME_IN_EACH, SEED = 6, 20261116


@dataclass(frozen=True)
class Late:
    """A late shipment, and what has to come of it: the carrier it goes to at what cost, if any."""

    region: str
    number: str
    plant: int
    part: str
    delay_days: int
    days_until: int
    value: int
    hazardous: bool = False
    carrier: str = ""
    cost: str = "0.00"
    booked: bool = False


# Nordlinie is the cheapest and slow, Fast Freight the dearest for goods of value and arrives on the second day.
LATE = (
    # Cheap: the agents do it alone.
    Late("north", "S-90101", 0, "valve DN25", 4, 9, 12_000, carrier="Nordlinie", cost="132.00", booked=True),
    Late("north", "S-90102", 1, "motor 2kW", 6, 12, 20_000, carrier="Nordlinie", cost="140.00", booked=True),
    # The cheapest that takes hazardous goods soon enough has no frame contract: the rule says no.
    Late("north", "S-90103", 0, "paint RAL 7016", 3, 3, 5_000, hazardous=True, carrier="Fast Freight", cost="170.00"),
    # It arrives tomorrow: nobody is sooner.
    Late("north", "S-90104", 1, "seal 40", 2, 1, 3_000),
    # Dear: a person agrees to all of it, and the duty to the dearest shipment.
    Late("south", "S-90201", 0, "gear 18T", 9, 3, 95_000, carrier="Fast Freight", cost="530.00", booked=True),
    Late("south", "S-90202", 1, "motor 2kW", 8, 3, 99_000, carrier="Fast Freight", cost="546.00", booked=True),
    Late("south", "S-90203", 0, "motor 2kW", 7, 3, 98_000, carrier="Fast Freight", cost="542.00", booked=True),
    Late("south", "S-90204", 1, "gear 18T", 5, 4, 90_000, carrier="Fast Freight", cost="510.00", booked=True),
    Late("south", "S-90205", 0, "bearing 6204", 4, 3, 3_000, carrier="Fast Freight", cost="162.00", booked=True),
    # Too dear together: a person says no, and the plants are told.
    *(Late("east", f"S-9030{number}", number % 2, "motor 2kW", 10, 3, 99_000 - number, carrier="Fast Freight")
      for number in range(1, 7)),
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What has to come of a region: how many parts run short and shipments are late, what is booked, who is asked."""

    region: str
    shortages: int
    late: int
    costs: str
    booked: list[str]
    told: int
    asks: int
    ends: str


ANSWERS = (
    Told("east", 1, 6, "3275.92", [], 2, 1, TOLD), Told("north", 2, 4, "442.00", ["S-90101", "S-90102"], 2, 0, TOLD),
    Told("south", 1, 5, "2290.00", ["S-90201", "S-90202", "S-90203", "S-90204", "S-90205"], 2, 2, TOLD),
    Told("west", 0, 0, "0.00", [], 0, 0, CALM),
)  # fmt: skip
# What is used up before more of it comes: (plant, part) with what lies there.
SHORT = {("Kiel", "valve DN25"): 30, ("Rostock", "seal 40"): 0, ("Graz", "spring 12"): 45, ("Brno", "filter F7"): 25}
USED_IN_A_DAY = 10


def generate(folder: Path) -> tuple[Told, ...]:
    """Write the lists and what has to come of them; the same each time."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(SEED)  # noqa: S311 (made up goods)
    stock = [
        (region, plant, part, SHORT.get((plant, part), chance.randrange(20, 60) * USED_IN_A_DAY), USED_IN_A_DAY)
        for region, plants in PLANTS.items()
        for plant in plants
        for part in PARTS
    ]
    carriers = [
        (name, region, days, cost, per_1000, "yes" if hazardous else "no")
        for region in PLANTS
        for name, days, cost, per_1000, hazardous in CARRIERS
    ]
    _write(folder / "stock.csv", ("region", "plant", "part", "on_hand", "daily_use"), stock)
    _write(folder / "shipments.csv", SHIPMENT, [*map(_late, LATE), *_in_time(chance)])
    _write(folder / "carriers.csv", ("carrier", "region", "days", "cost", "cost_per_1000", "hazardous"), carriers)
    (folder / "lists.json").write_text(json.dumps({"as_of": DAY.isoformat()}) + "\n", "utf-8")
    (folder / "answers.json").write_text(json.dumps([asdict(each) for each in ANSWERS], indent=1) + "\n", "utf-8")
    return ANSWERS


SHIPMENT = (
    "shipment", "region", "plant", "part", "quantity", "carrier", "due", "expected", "value", "hazardous",
)  # fmt: skip
Row = tuple[str | int, ...]


def _late(each: Late) -> Row:
    expected = DAY + timedelta(days=each.days_until)
    due = expected - timedelta(days=each.delay_days)
    return (
        each.number, each.region, PLANTS[each.region][each.plant], each.part, 100, "Seaways", due.isoformat(),
        expected.isoformat(), each.value, "yes" if each.hazardous else "no",
    )  # fmt: skip


def _in_time(chance: random.Random) -> list[Row]:
    rows: list[Row] = []
    for region, plants in PLANTS.items():
        for number in range(ON_TIME_IN_EACH):
            due = DAY + timedelta(days=chance.randrange(12, 40))
            # One day late is not late yet.
            expected = due + timedelta(days=chance.choice((-1, 0, 0, 1)))
            rows.append((
                f"S-8{len(rows) + 7501}", region, plants[number % 2], chance.choice(PARTS), 200,
                chance.choice(CARRIERS)[0], due.isoformat(), expected.isoformat(), chance.randrange(4, 90) * 1000, "no",
            ))  # fmt: skip
    return rows


def _write(path: Path, header: tuple[str, ...], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
