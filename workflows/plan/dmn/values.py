"""Workflows, rules: the values of FEEL: their kinds, how they are compared and shown.

Values are None, bool, Decimal, str, date, datetime, time, timedelta, ranges, contexts and lists of them. Where OMG DMN
1.5 makes null of values that cannot be compared, this refuses: a table that cannot be evaluated decides nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException
from typing import Any

DIGITS = 34
MOST_PLACES = 999
EXACT = Context(prec=DIGITS, rounding=ROUND_HALF_EVEN)

Value = Any


class FeelFailed(ValueError):
    """This expression has no value for these facts; the message says why."""


@dataclass(frozen=True)
class Range:
    """What lies between two values; whether each end belongs to it."""

    low: Value
    high: Value
    with_low: bool
    with_high: bool

    def holds(self, value: Value) -> bool | None:
        """Whether a value lies in it; None for null."""
        above = compare(">=" if self.with_low else ">", value, self.low)
        below = compare("<=" if self.with_high else "<", value, self.high)
        return None if above is None or below is None else above and below


def fact(value: object) -> Value:
    """A plain value of Python or JSON as FEEL knows it: exact numbers. Raises FeelFailed for what is none."""
    if value is None or isinstance(value, bool | str | Decimal | date | time | timedelta | Range):
        return value
    if isinstance(value, int | float):
        return EXACT.create_decimal(str(value))
    if isinstance(value, Mapping):
        return value
    if isinstance(value, Sequence):
        return [fact(each) for each in value]
    raise FeelFailed(f"A {type(value).__name__} is no value here.")


def shown(value: Value) -> str:
    """A value as FEEL writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    return str(value)


def compare(sign: str, left: Value, right: Value) -> bool | None:
    """Compare two values: null only equals null, and an order with null is null. Raises FeelFailed across kinds."""
    if sign in ("=", "!="):
        return same(left, right) is (sign == "=")
    if left is None or right is None:
        return None
    if kind_of(left) != kind_of(right) or kind_of(left) not in (
        "number",
        "string",
        "date",
        "date and time",
        "time",
        "duration",
    ):
        raise FeelFailed(f"{shown(left)} cannot be compared with {shown(right)}.")
    try:
        return bool(ORDERS[sign](left, right))
    except TypeError as mixed:
        raise FeelFailed(f"{left} and {right} cannot be compared: one has a time zone, the other none.") from mixed


def same(left: Value, right: Value) -> bool:
    """Whether two values of one kind are equal; null only equals null. Raises FeelFailed across kinds."""
    if left is None or right is None:
        return left is right
    if kind_of(left) != kind_of(right):
        raise FeelFailed(f"{shown(left)} cannot be compared with {shown(right)}.")
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def kind_of(value: Value) -> str:
    """What kind of value this is, in the words of DMN."""
    return next((name for name, kinds in KINDS.items() if isinstance(value, kinds)), "nothing")


KINDS: Mapping[str, Any] = {
    "boolean": bool, "number": Decimal, "string": str, "date and time": datetime, "date": date, "time": time,
    "duration": timedelta, "list": list, "context": Mapping, "range": Range,
}  # fmt: skip
ORDERED = ("number", "string", "date", "date and time", "time", "duration")
ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def number(text: str) -> Decimal:
    """The number that a text writes out. Raises ValueError for what is none, or has more than 999 places."""
    found = EXACT.create_decimal(text)
    if not found.is_finite() or abs(found.adjusted()) > MOST_PLACES:
        raise ValueError(text)
    return found


# the types that a file may name, and the kinds that they are here
KINDS_OF_TYPES: Mapping[str, str] = {
    "string": "string", "boolean": "boolean", "number": "number", "integer": "number", "long": "number",
    "double": "number", "date": "date", "dateTime": "date and time", "time": "time", "Any": "",
}  # fmt: skip
READERS: Mapping[str, Callable[[str], Value]] = {
    "number": number, "date": date.fromisoformat,
    "date and time": datetime.fromisoformat, "time": time.fromisoformat,
}  # fmt: skip


def as_kind(value: Value, type_name: str) -> Value:
    """A value as the type that a file names has it: exact numbers and moments come as text. Raises FeelFailed."""
    kind = KINDS_OF_TYPES.get(type_name, "")
    if value is None or not kind or kind_of(value) == kind:
        return value
    if isinstance(value, str) and kind in READERS:
        try:
            return READERS[kind](value)
        except (ValueError, DecimalException) as wrong:
            raise FeelFailed(f"{shown(value)} is no {kind}.") from wrong
    raise FeelFailed(f"A {kind} is needed, not {shown(value)}.")
