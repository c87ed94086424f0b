"""The one plain shape that both encodings are read into, and what is counted of what cannot be kept."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

RECORDS_AT_MOST = 10_000  # of one request
ATTRIBUTES_AT_MOST = 128  # of one record; its others are counted as dropped
DEPTH_AT_MOST = 8  # of one attribute's value
TEXT_AT_MOST = 4_096  # characters of one value
NAME_AT_MOST = 200
EVENTS_AT_MOST = 32  # of one span


class Signal(StrEnum):
    """What a request carries."""

    TRACES = "traces"
    METRICS = "metrics"
    LOGS = "logs"


class Encoding(StrEnum):
    """How a body is written; the value is its media type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


@dataclass(slots=True)
class Record:
    """A span, a point of a metric or a line of a log. Times are nanoseconds since 1970, 0 when none was told; a point
    has `value` and `unit`, a line `body` and `severity`. `dropped` counts attributes that are not here."""

    name: str
    started: int
    ended: int
    trace_id: str = ""
    span_id: str = ""
    parent_id: str = ""
    outcome: int = 0  # 0 unset, 1 ok, 2 error
    message: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)
    scope: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    dropped: int = 0
    value: float | int | None = None
    unit: str = ""
    kind: str = ""
    is_total: bool = False  # of a metric: counted since the program began, not since the last point
    body: Any = None
    severity: str = ""


@dataclass
class Batch:
    """What one request carried: the records that can be kept, and why the others cannot, counted."""

    records: list[Record] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """How many records came."""
        return len(self.records) + self.refused.total()
