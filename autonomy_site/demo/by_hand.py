"""The log of how the Halden Group paid invoices by hand: made here with a seed, read and analysed like any other."""

import io
import random
from datetime import UTC, datetime, timedelta

from agents.models import Unit
from observability import ledger, operations
from observability.eventlog.columns import Columns
from observability.models import EventLog

NAME = "Invoices paid by hand, first quarter 2026"
CASES, SEED = 420, 20260331
BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)
CLERKS, BUYERS = ("Clerk 1", "Clerk 2", "Clerk 3"), ("Buyer 1", "Buyer 2")
# Of each activity: who does it, how many minutes it takes in the middle, how many hours the invoice waits before.
STEPS = {
    "Key in invoice": (CLERKS, 6.0, 4.0),
    "Match with order": (CLERKS, 9.0, 3.0),
    "Ask the buyer": (CLERKS, 4.0, 1.0),
    "Answer the question": (BUYERS, 7.0, 26.0),
    "Approve payment": (("Head of accounts payable",), 3.0, 14.0),
    "Pay invoice": (CLERKS, 2.0, 9.0),
    "File invoice": (CLERKS, 1.5, 0.5),
}
COLUMNS = Columns("invoice", "activity", "end", start="start", resource="who")


def log_text() -> str:
    """The log as CSV, the same each time: most invoices go straight through, some are asked about, a few twice."""
    chance, lines = random.Random(SEED), ["invoice,activity,start,end,who"]  # noqa: S311 (made-up data)
    for number in range(CASES):
        at = BEGIN + timedelta(hours=number * 24 * 85 / CASES + chance.uniform(0, 6))
        for activity in _way(chance):
            who, minutes, hours = STEPS[activity]
            start = _at_work(at + timedelta(hours=chance.expovariate(1 / hours)))
            at = start + timedelta(minutes=max(0.5, chance.gauss(minutes, minutes / 4)))
            times = f"{start.isoformat(timespec='seconds')},{at.isoformat(timespec='seconds')}"
            lines.append(f"INV-{2000 + number},{activity},{times},{chance.choice(who)}")
    return "\n".join(lines) + "\n"


def _way(chance: random.Random) -> list[str]:
    asked = ["Ask the buyer", "Answer the question", "Match with order"]
    times = 2 if chance.random() < 0.04 else int(chance.random() < 0.22)
    approved = [] if chance.random() < 0.3 else ["Approve payment"]
    return ["Key in invoice", "Match with order", *asked * times, *approved, "Pay invoice", "File invoice"]


def _at_work(at: datetime) -> datetime:
    # Nobody begins at night or on a weekend; what comes then waits for the next morning.
    if not 8 <= at.hour < 17:
        at = (at + timedelta(days=at.hour >= 17)).replace(hour=8, minute=at.minute)
    return at + timedelta(days=7 - at.weekday()) if at.weekday() > 4 else at


def bring_log(at: datetime) -> None:
    """Bring the log for finance and have it read, unless finance has logs already."""
    unit = Unit.objects.get(code="finance")
    if EventLog.objects.filter(unit_id=unit.pk).exists():
        return
    given = operations.Upload(unit.pk, NAME, "invoices-by-hand.csv", io.BytesIO(log_text().encode()))
    log = operations.upload(given, by=ledger.SYSTEM, at=at)
    operations.choose_columns(log, COLUMNS, by=ledger.SYSTEM, at=at)
    if operations.begin_reading(log, at=at):
        operations.read_log(log, clock=lambda: at)
