"""Rules of observability: which column of a log is what, chosen by a person or guessed from names and values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from observability.eventlog.times import Shape, shape_of

ROLES = ("case", "activity", "time", "start", "resource", "lifecycle", "cost")
_WORDS: Mapping[str, tuple[str, ...]] = {
    "case": (
        "case:concept:name", "case_id", "caseid", "case id", "case", "trace", "ticket_id", "ticket", "order_id",
        "invoice_id", "request_id", "case key", "case_key", "vorgang", "vorgangsnummer", "id",
    ),
    "activity": (
        "concept:name", "activity", "activity_name", "event", "task", "step", "action", "aktivität", "event_name",
    ),
    "time": (
        "time:timestamp", "end_timestamp", "end_time", "end", "completed", "complete_timestamp", "timestamp", "time",
        "date", "datetime", "event_time", "created_at", "zeitstempel",
    ),
    "start": ("start_timestamp", "start_time", "start", "started", "started_at", "begin"),
    "resource": (
        "org:resource", "resource", "user", "person", "agent", "employee", "assignee", "performer", "bearbeiter",
    ),
    "lifecycle": ("lifecycle:transition", "lifecycle", "transition"),
    "cost": ("cost:total", "cost", "costs", "amount_cost", "kosten"),
}  # fmt: skip


@dataclass(frozen=True)
class Columns:
    """Which column is what, by name; empty where the log has none. `zone` is that of moments without one; with
    `with_lifecycle` an activity is told apart by its transition, and without `keep_repeats` an event that is there
    twice counts once."""

    case: str
    activity: str
    time: str
    start: str = ""
    resource: str = ""
    lifecycle: str = ""
    cost: str = ""
    shape: Shape = Shape.ISO
    zone: str = "UTC"
    with_lifecycle: bool = False
    keep_repeats: bool = True

    def named(self) -> dict[str, str]:
        """The chosen column of each part that has one."""
        return {role: name for role in ROLES if (name := getattr(self, role))}


def columns_guessed(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Columns:
    """What a person would most likely choose, empty where no column fits: the one whose name says so, and for the time
    the first whose values read as moments."""
    left = list(names)
    found: dict[str, str] = {}
    for role in ROLES:
        name = _by_name(left, _WORDS[role])
        if name and (role not in ("time", "start") or _are_moments(_values(names, rows, name))):
            found[role] = name
            left.remove(name)
    if "time" not in found:
        moments = (name for name in left if _are_moments(_values(names, rows, name)))
        found["time"] = next(moments, "")
    shape = shape_of(_values(names, rows, found["time"])) if found["time"] else Shape.ISO
    return replace(Columns("", "", ""), shape=shape, **found)  # type: ignore[arg-type]


def _by_name(names: Sequence[str], words: Sequence[str]) -> str:
    plain = {re.sub(r"[\s_-]+", "_", name.strip().lower()): name for name in reversed(names)}
    for word in words:
        if (found := plain.get(re.sub(r"[\s_-]+", "_", word))) is not None:
            return found
    return ""


def _values(names: Sequence[str], rows: Sequence[Sequence[str]], name: str) -> list[str]:
    place = list(names).index(name)
    return [row[place] for row in rows if place < len(row) and row[place].strip()]


def _are_moments(values: Sequence[str]) -> bool:
    if not values:
        return False
    if shape_of(values) is Shape.EPOCH:
        return all(
            value.strip().lstrip("-").replace(".", "", 1).isdigit() and len(value.strip()) >= 9 for value in values
        )
    return values[0][:1].isdigit() and any(mark in values[0] for mark in "-/.T")
