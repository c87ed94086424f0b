"""Analysis of rules, examples: a request that lies in a box, made as ordinary as the box allows."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from governance.language import Kind, Schema
from governance.rules.analysis.domains import Domain, Ordered, Span, Words
from governance.rules.analysis.regions import Box, fields_in

_NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
_LEFT_OUT = object()


def example(box: Box, schema: Schema) -> dict[str, Any]:
    """Nested facts that lie in the box as far as fields tell; fields that the box leaves free are not in it."""
    facts: dict[str, Any] = {}
    for path, domain in fields_in(box):
        field = schema.get(path)
        value = _value(domain, field.kind) if field is not None else _LEFT_OUT
        if value is not _LEFT_OUT:
            _put(facts, path, value)
    return facts


def _put(facts: dict[str, Any], path: str, value: object) -> None:
    *groups, name = path.split(".")
    inner = facts
    for group in groups:
        inner = inner.setdefault(group, {})
    inner[name] = value


def _value(domain: Domain, kind: Kind) -> object:
    values = domain.values
    if values.is_empty:
        return _LEFT_OUT
    if isinstance(values, Ordered):
        return _in_span(values.spans[0], kind)
    if values.inverted:
        return _LEFT_OUT if kind is Kind.LIST else _another(values)
    return min(values.items, key=str)


def _another(values: Words) -> str:
    return next(word for number in range(len(values.items) + 1) if (word := f"other{number or ''}") not in values.items)


def _in_span(span: Span, kind: Kind) -> object:
    low: Any = span.low
    high: Any = span.high
    step: Any = timedelta(minutes=1) if kind in (Kind.TIMESTAMP, Kind.DURATION) else Decimal(1)
    if low is None and high is None:
        return {Kind.TIMESTAMP: _NOON, Kind.DURATION: timedelta(0), Kind.INT: 0}.get(kind, Decimal(0))
    if low is None:
        value = high - step if span.high_open else high
    elif not span.low_open:
        value = low
    elif high is None or low + step < high:
        value = low + step
    else:
        value = low + (high - low) / 2
    return int(value) if kind is Kind.INT else value
