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
from observability.models.trees import Checkpoint, Outlet, Tree, TreeNode, Verification

__all__ = [
    "CONTROL_CHANGED",
    "Baseline",
    "Checkpoint",
    "Event",
    "EventLog",
    "EventLogPart",
    "EventQuerySet",
    "ModelPrice",
    "Outlet",
    "Reader",
    "Reported",
    "Span",
    "Subject",
    "Tally",
    "TallyMark",
    "Target",
    "Told",
    "Tree",
    "TreeNode",
    "UnitReader",
    "Verification",
]
