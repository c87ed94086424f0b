"""Workflows, rules: what steps leave behind, checked by its declared kinds, and as JSON keeps it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from governance.language import Field, Kind, RequestInvalid, Schema, format_duration
from governance.language.values import format_timestamp
from workflows.plan.nodes import Output

MOST_JSON = 200_000


class OutputsSchema(Schema):
    """The declared outputs of one element by plain name; values of kind JSON are taken as they are."""

    def __init__(self, outputs: Iterable[Output]) -> None:
        outputs = tuple(outputs)
        self._json = {each.name: each.kind for each in outputs if _is_json(each)}
        typed = (each for each in outputs if not _is_json(each))
        super().__init__([Field(each.name, each.kind, each.label, item=_item(each)) for each in typed])

    def coerce(self, facts: Mapping[str, object], *, only: str | None = None) -> dict[str, object]:
        """A typed copy of the values; raises RequestInvalid naming up to 20 that are wrong."""
        free = {name: value for name, value in facts.items() if name in self._json and value is not None}
        wrong = [(name, reason) for name, value in free.items() if (reason := _wrong_json(value, self._json[name]))]
        rest = {name: value for name, value in facts.items() if name not in self._json}
        try:
            typed = super().coerce(rest, only=only)
        except RequestInvalid as invalid:
            raise RequestInvalid([*invalid.errors, *wrong][:20]) from invalid
        if wrong:
            raise RequestInvalid(wrong[:20])
        return {name: free[name] if name in free else typed[name] for name in facts if name in free or name in typed}


def _is_json(output: Output) -> bool:
    return output.kind is Kind.MAP or (output.kind is Kind.LIST and output.item == Kind.MAP)


def _item(output: Output) -> Kind | None:
    return Kind(output.item) if output.item else None


def _wrong_json(value: object, kind: Kind) -> str:
    if kind is Kind.LIST and not isinstance(value, list | tuple):
        return "must be a list."
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return "must be plain JSON."
    return "" if len(text) <= MOST_JSON else f"is longer than {MOST_JSON:,} characters of JSON."


def plain(value: object) -> object:
    """A typed value as JSON keeps it: exact numbers, moments and lengths of time as text, lists as lists."""
    match value:
        case Decimal():
            return str(value)
        case datetime():
            return format_timestamp(value)
        case timedelta():
            return format_duration(value)
        case Mapping():
            return {name: plain(each) for name, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
    return value
