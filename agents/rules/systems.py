"""What a system may declare: the typed fields of its requests, which stand beside those of all other systems."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

ROOTS = ("resource", "context", "action", "subject")
"""The parts of a request; everything else is ours to know."""
KINDS = ("bool", "int", "decimal", "string", "timestamp", "duration", "list")
OURS = frozenset({
    "subject.type", "subject.id", "subject.role", "subject.team", "subject.autonomy_level", "subject.status",
    "subject.on_behalf_of", "subject.risk_class", "action.name", "resource.type", "resource.id", "context.time",
    "context.hour", "context.workflow", "context.environment", "context.confidence",
    "context.tokens", "context.sources", "context.calls", "context.seconds",
})  # fmt: skip
"""The fields of a request that mean the same for every system."""
MOST = 1_000
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+")


def wrong_with_fields(fields: Any, others: Mapping[str, str]) -> str:
    """What is wrong with the fields of a system, empty when nothing is; `others` says of every path that other systems
    declare which system that is. The same path in two systems is one field; the first to declare it says its kind."""
    if not isinstance(fields, list):
        return "Send a list of fields."
    known = {**dict.fromkeys(sorted(OURS), "Autonomy OS"), **others}
    for item in fields:
        wrong = _wrong_with_field(item) or _wrong_beside(item["path"], known)
        if wrong:
            return wrong
        known.setdefault(item["path"], "this system")
    return ""


def _wrong_with_field(item: Any) -> str:
    path = item.get("path") if isinstance(item, Mapping) else None
    if not (isinstance(path, str) and _PATH.fullmatch(path) and path.partition(".")[0] in ROOTS):
        return f"{path} is no path of a field: it begins with {', '.join(ROOTS[:-1])} or {ROOTS[-1]} and a dot."
    kind, most = item.get("kind"), item.get("most", MOST)
    if kind not in KINDS:
        return f"{path} needs a kind: one of {', '.join(KINDS)}."
    if kind != "list" and ("item" in item or "most" in item):
        return f"{path} is no list; only a list has `item` and `most`."
    if item.get("item", "string") not in KINDS[:-1]:
        return f"The items of {path} are one of {', '.join(KINDS[:-1])}."
    if type(most) is not int or not 1 <= most <= MOST:
        return f"{path} holds at most 1 to {MOST:,} items."
    return ""


def _wrong_beside(path: str, known: Mapping[str, str]) -> str:
    other = clash(path, known)
    if other is None:
        return ""
    outer, inner = sorted((path, other), key=len)
    return f"{path} cannot stand beside {other} of {known[other]}: {outer} is a field and cannot hold {inner}."


def clash(path: str, known: Iterable[str]) -> str | None:
    """The known path that cannot stand beside this one: one of both would be a field and a group of fields at once."""
    found = (other for other in known if path.startswith(f"{other}.") or other.startswith(f"{path}."))
    return next(found, None)
