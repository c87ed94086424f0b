"""Workflows, rules: the functions of FEEL that are executed here, by name with the fewest and most values they take.

Source: OMG DMN 1.5, clause 10.3.4; a name of several words is written with `_` here (`starts_with`), `list contains` is
`has`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import cast

from workflows.plan.dmn.values import EXACT, MOST_PLACES, FeelFailed, Value, kind_of, number, same, shown

MOST_ITEMS = 1_000


def _numbers(given: tuple[Value, ...]) -> list[Decimal]:
    items = given[0] if len(given) == 1 and isinstance(given[0], list) else list(given)
    if not items or any(kind_of(each) != "number" for each in items):
        raise FeelFailed("A list of numbers is needed.")
    return cast(list[Decimal], items)


def _sum(*given: Value) -> Decimal:
    total = Decimal(0)
    for each in _numbers(given):
        total = EXACT.add(total, each)
    return total


def _typed(kind: str, act: Callable[..., Value]) -> Callable[..., Value]:
    def called(*given: Value) -> Value:
        if any(each is None for each in given):
            return None
        if kind_of(given[0]) != kind:
            raise FeelFailed(f"A {kind} is needed, not {shown(given[0])}.")
        return act(*given)

    return called


def _moment(read: Callable[[str], Value]) -> Callable[[str], Value]:
    def called(text: str) -> Value:
        try:
            return read(text)
        except ValueError as wrong:
            raise FeelFailed(f"{shown(text)} is no such moment; write it as ISO 8601.") from wrong

    return _typed("string", called)


_DURATION = re.compile(r"(-)?P(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})S)?)?", re.ASCII)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if not match or text in ("P", "-P"):
        raise ValueError(text)
    days, hours, minutes, seconds = (int(each or 0) for each in match.groups()[1:])
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if match[1] else length


def _number(text: str) -> Decimal:
    try:
        return number(text)
    except ValueError as wrong:
        raise FeelFailed(f"{shown(text)} is no number.") from wrong


def _rounded(rounding: str) -> Callable[..., Decimal]:
    def called(number: Decimal, scale: Value = Decimal(0)) -> Decimal:
        # Looked at before it is made a whole number: of a great power that takes minutes.
        if kind_of(scale) != "number" or abs(scale) > MOST_PLACES:
            raise FeelFailed(f"The places to round to are a number of at most {MOST_PLACES}, not {shown(scale)}.")
        return number.quantize(Decimal(1).scaleb(-int(scale)), rounding=rounding, context=EXACT)

    return called


def contains(items: Value, wanted: Value) -> bool:
    """Whether a list holds a value."""
    return any(kind_of(each) == kind_of(wanted) and same(each, wanted) for each in items)


FUNCTIONS: Mapping[str, tuple[int, int, Callable[..., Value]]] = {
    "date": (1, 1, _moment(date.fromisoformat)),
    "datetime": (1, 1, _moment(datetime.fromisoformat)),
    "time": (1, 1, _moment(time.fromisoformat)),
    "duration": (1, 1, _moment(_duration)),
    "number": (1, 1, _typed("string", _number)),
    "string": (1, 1, lambda value: value if isinstance(value, str) else None if value is None else shown(value)),
    "contains": (2, 2, _typed("string", lambda text, part: part in text)),
    "starts_with": (2, 2, _typed("string", lambda text, part: text.startswith(part))),
    "ends_with": (2, 2, _typed("string", lambda text, part: text.endswith(part))),
    "upper": (1, 1, _typed("string", lambda text: text.upper())),
    "lower": (1, 1, _typed("string", lambda text: text.lower())),
    "length": (1, 1, _typed("string", lambda text: Decimal(len(text)))),
    "abs": (1, 1, _typed("number", abs)),
    "floor": (1, 2, _typed("number", _rounded(ROUND_FLOOR))),
    "ceiling": (1, 2, _typed("number", _rounded(ROUND_CEILING))),
    "round": (1, 2, _typed("number", _rounded(ROUND_HALF_EVEN))),
    "count": (1, 1, _typed("list", lambda items: Decimal(len(items)))),
    "has": (2, 2, _typed("list", contains)),
    "sum": (1, MOST_ITEMS, _sum),
    "min": (1, MOST_ITEMS, lambda *given: min(_numbers(given))),
    "max": (1, MOST_ITEMS, lambda *given: max(_numbers(given))),
}
