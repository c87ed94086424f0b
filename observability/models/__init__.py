"""Rows of observability: the ledger's events, yardsticks for results, what programs did, logs of manual work."""

from observability.models.events import (
    CONTROL_CHANGED,
    Baseline,
    Event,
    EventQuerySet,
    Reader,
    Subject,
    Target,
    UnitReader,
)
from observability.models.logs import EventLog, EventLogPart
from observability.models.prices import ModelPrice
from observability.models.tallies import Tally, TallyMark
from observability.models.telemetry import Reported, Span, Told

__all__ = [
    "CONTROL_CHANGED", "Baseline", "Event", "EventLog", "EventLogPart", "EventQuerySet", "ModelPrice", "Reader",
    "Reported", "Span", "Subject", "Tally", "TallyMark", "Target", "Told", "UnitReader",
]  # fmt: skip
