"""Rules of governance, obligations: which there are, what each must say, and how those of several rules become one."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from governance.language import format_duration, parse_duration
from governance.rules.shapes import Obligation

LOG_LEVELS = ("basic", "full", "evidence")

# what each type must say beside its name; a type of one's own has a dot in its name and says what it likes
TYPES: dict[str, tuple[str, ...]] = {
    "redact": ("fields",),
    "cap": ("field", "max"),
    "log": ("level",),
    "notify": ("to",),
    "delay": ("for",),
    "step_up": ("level",),
}


def merge(obligations: Iterable[Obligation], *, caps_lifted: bool) -> tuple[dict[str, Any], ...]:
    """Give one obligation per type (caps: per field, types of one's own: each), numbered o1, o2, ... in a fixed order.

    Redact and notify are united, cap takes the lowest, log, delay and step_up the highest. Caps fall away when lifted.
    """
    groups: dict[tuple[str, str], list[Obligation]] = {}
    for obligation in obligations:
        kind = obligation["type"]
        if not (kind == "cap" and caps_lifted):
            groups.setdefault((kind, _own(obligation)), []).append(obligation)
    merged = [_merged(kind, groups[kind, own]) for kind, own in sorted(groups)]
    return tuple({"id": f"o{number}", **obligation} for number, obligation in enumerate(merged, 1))


def _own(obligation: Obligation) -> str:
    """What keeps obligations of one type apart: the field of a cap, the whole of a type of one's own."""
    kind = obligation["type"]
    if kind == "cap":
        return str(obligation["field"])
    return "" if kind in TYPES else repr(sorted(obligation.items()))


def _merged(kind: str, group: list[Obligation]) -> dict[str, Any]:
    if kind not in _LAWS:
        return dict(group[0])
    return {"type": kind, **_LAWS[kind](group)}


def _union(name: str) -> Callable[[list[Obligation]], dict[str, Any]]:
    return lambda group: {name: sorted({item for obligation in group for item in obligation[name]})}


def _lowest_cap(group: list[Obligation]) -> dict[str, Any]:
    return {"field": group[0]["field"], "max": format(min(Decimal(obligation["max"]) for obligation in group), "f")}


def _highest_log(group: list[Obligation]) -> dict[str, Any]:
    return {"level": max((obligation["level"] for obligation in group), key=LOG_LEVELS.index)}


def _longest_delay(group: list[Obligation]) -> dict[str, Any]:
    return {"for": format_duration(max(parse_duration(obligation["for"]) for obligation in group))}


def _highest_step(group: list[Obligation]) -> dict[str, Any]:
    return {"level": max(obligation["level"] for obligation in group)}


_LAWS: dict[str, Callable[[list[Obligation]], dict[str, Any]]] = {
    "redact": _union("fields"),
    "notify": _union("to"),
    "cap": _lowest_cap,
    "log": _highest_log,
    "delay": _longest_delay,
    "step_up": _highest_step,
}
