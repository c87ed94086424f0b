"""Rows of observability: the ledger's events, yardsticks for results, and what agents' programs say they did."""

from observability.models.events import CONTROL_CHANGED, Baseline, Event, EventQuerySet, Reader, Target, UnitReader
from observability.models.prices import ModelPrice
from observability.models.telemetry import Reported, Span, Told

__all__ = [
    "CONTROL_CHANGED", "Baseline", "Event", "EventQuerySet", "ModelPrice", "Reader", "Reported", "Span", "Target",
    "Told", "UnitReader",
]  # fmt: skip
