"""The policy language, what each operation does; one table for interpreter and compiler."""

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Any

from governance.language.values import INT_HIGH, INT_LOW, MAX_DIGITS, Kind, Type, fits

Number = int | Decimal

_EXACT = [Inexact, InvalidOperation, DivisionByZero, Overflow]
_MAX_RESULT_DIGITS = 1_000
_MAX_RESULT_TEXT = 100_000
_SMALL_LETTERS = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_DIVIDING = Context(prec=MAX_DIGITS, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])


def _exact_context() -> Context:
    # a fresh one per call costs 0.3 us and keeps threads from sharing flags
    return Context(prec=_MAX_RESULT_DIGITS, traps=_EXACT)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: the function and, where Python has an operator, the pattern of the code."""

    function: Callable[..., Any]
    pattern: str = ""


def _fitting(number: int) -> int:
    if not INT_LOW <= number <= INT_HIGH:
        raise OverflowError("the whole number does not fit 64 bits")
    return number


def _add(left: int, right: int) -> int:
    return _fitting(left + right)


def _subtract(left: int, right: int) -> int:
    return _fitting(left - right)


def _multiply(left: int, right: int) -> int:
    return _fitting(left * right)


def _divide(left: int, right: int) -> int:
    if right == 0:
        raise ZeroDivisionError("division by zero")
    quotient = abs(left) // abs(right)
    return _fitting(quotient if (left < 0) == (right < 0) else -quotient)


def _remainder(left: int, right: int) -> int:
    if right == 0:
        raise ZeroDivisionError("division by zero")
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def _negate(number: int) -> int:
    return _fitting(-number)


def _add_exactly(left: Number, right: Number) -> Decimal:
    return _exact_context().add(left, right)


def _subtract_exactly(left: Number, right: Number) -> Decimal:
    return _exact_context().subtract(left, right)


def _multiply_exactly(left: Number, right: Number) -> Decimal:
    return _exact_context().multiply(left, right)


def _divide_decimal(left: Number, right: Number) -> Decimal:
    if right == 0:
        raise ZeroDivisionError("division by zero")
    return _DIVIDING.copy().divide(left, right)


def _remainder_exactly(left: Number, right: Number) -> Decimal:
    if right == 0:
        raise ZeroDivisionError("division by zero")
    return _exact_context().remainder(left, right)


def _negate_exactly(number: Number) -> Decimal:
    return _exact_context().subtract(0, number)


def _same_list(left: Collection[object], right: Collection[object]) -> bool:
    return tuple(left) == tuple(right)


def _other_list(left: Collection[object], right: Collection[object]) -> bool:
    return tuple(left) != tuple(right)


def _is_in(item: object, items: Collection[object]) -> bool:
    return item in items


def _join(left: str, right: str) -> str:
    if len(left) + len(right) > _MAX_RESULT_TEXT:
        raise OverflowError(f"the text is longer than {_MAX_RESULT_TEXT:,} characters")
    return left + right


def _join_lists(left: Sequence[object], right: Sequence[object]) -> tuple[object, ...]:
    return (*left, *right)


def _items(items: Sequence[object], kind: Kind) -> Sequence[object]:
    """The items of a list that came with the facts; each must be what the schema says."""
    if not isinstance(items, list | tuple) or not all(fits(item, kind) for item in items):
        raise TypeError("the list holds what the schema does not allow")
    return items


def _item(items: Sequence[object], index: int, kind: Kind) -> object:
    if not 0 <= index < len(items):
        raise OverflowError(f"the list has no item {index}")
    if not fits(items[index], kind):
        raise TypeError("the list holds what the schema does not allow")
    return items[index]


def _entry(entries: Mapping[object, object], key: object) -> object:
    if key not in entries:
        raise OverflowError("the map has no such key")
    return entries[key]


def _least(*values: Any) -> Any:
    return min(values)


def _greatest(*values: Any) -> Any:
    return max(values)


def _lower_ascii(text: str) -> str:
    return text.translate(_SMALL_LETTERS)


def _matches(text: str, pattern: Any) -> bool:
    return pattern.search(text) is not None


def _of_clock(part: Callable[[datetime], int]) -> Callable[..., int]:
    """Give a function that reads a part of the clock or calendar, in UTC unless a zone is given."""

    def read(moment: datetime, zone: tzinfo = UTC) -> int:
        return part(moment.astimezone(zone))

    return read


def _whole(unit: timedelta) -> Callable[[timedelta], int]:
    """Give a function that counts the whole units in a length of time, towards zero."""

    def count(length: timedelta) -> int:
        whole = abs(length) // unit
        return -whole if length < timedelta(0) else whole

    return count


def _milliseconds_left(length: timedelta) -> int:
    rest = abs(length) % timedelta(seconds=1) // timedelta(milliseconds=1)
    return -rest if length < timedelta(0) else rest


OPERATIONS: dict[str, Operation] = {
    "equal": Operation(operator.eq, "{0} == {1}"),
    "different": Operation(operator.ne, "{0} != {1}"),
    "less": Operation(operator.lt, "{0} < {1}"),
    "at_most": Operation(operator.le, "{0} <= {1}"),
    "more": Operation(operator.gt, "{0} > {1}"),
    "at_least": Operation(operator.ge, "{0} >= {1}"),
    "same_list": Operation(_same_list),
    "other_list": Operation(_other_list),
    "is_in": Operation(_is_in, "{0} in {1}"),
    "add_int": Operation(_add),
    "subtract_int": Operation(_subtract),
    "multiply_int": Operation(_multiply),
    "divide_int": Operation(_divide),
    "remainder_int": Operation(_remainder),
    "negate_int": Operation(_negate),
    "add_decimal": Operation(_add_exactly),
    "subtract_decimal": Operation(_subtract_exactly),
    "multiply_decimal": Operation(_multiply_exactly),
    "divide_decimal": Operation(_divide_decimal),
    "remainder_decimal": Operation(_remainder_exactly),
    "negate_decimal": Operation(_negate_exactly),
    "join": Operation(_join),
    "join_lists": Operation(_join_lists),
    "items": Operation(_items),
    "item": Operation(_item),
    "entry": Operation(_entry),
    "least": Operation(_least),
    "greatest": Operation(_greatest),
    "least_of": Operation(min),
    "greatest_of": Operation(max),
    "add_time": Operation(operator.add, "{0} + {1}"),
    "subtract_time": Operation(operator.sub, "{0} - {1}"),
    "size": Operation(len),
    "starts_with": Operation(str.startswith),
    "ends_with": Operation(str.endswith),
    "contains": Operation(operator.contains, "{1} in {0}"),
    "lower_ascii": Operation(_lower_ascii),
    "matches": Operation(_matches),
    "full_year": Operation(_of_clock(lambda moment: moment.year)),
    "month": Operation(_of_clock(lambda moment: moment.month - 1)),
    "date": Operation(_of_clock(lambda moment: moment.day)),
    "day_of_month": Operation(_of_clock(lambda moment: moment.day - 1)),
    "day_of_week": Operation(_of_clock(lambda moment: moment.isoweekday() % 7)),
    "day_of_year": Operation(_of_clock(lambda moment: moment.timetuple().tm_yday - 1)),
    "hour": Operation(_of_clock(lambda moment: moment.hour)),
    "minute": Operation(_of_clock(lambda moment: moment.minute)),
    "second": Operation(_of_clock(lambda moment: moment.second)),
    "millisecond": Operation(_of_clock(lambda moment: moment.microsecond // 1000)),
    "whole_hours": Operation(_whole(timedelta(hours=1))),
    "whole_minutes": Operation(_whole(timedelta(minutes=1))),
    "whole_seconds": Operation(_whole(timedelta(seconds=1))),
    "milliseconds_left": Operation(_milliseconds_left),
}

COMPARISONS = {"==": "equal", "!=": "different", "<": "less", "<=": "at_most", ">": "more", ">=": "at_least"}
LIST_COMPARISONS = {"==": "same_list", "!=": "other_list"}
NUMERIC = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "remainder"}

ORDERED = frozenset({Kind.INT, Kind.DECIMAL, Kind.STRING, Kind.TIMESTAMP, Kind.DURATION})

# what `+` and `-` mean beside numbers: (operator, left, right) -> (operation, result)
OTHER_ARITHMETIC: dict[tuple[str, Kind, Kind], tuple[str, Kind]] = {
    ("+", Kind.STRING, Kind.STRING): ("join", Kind.STRING),
    ("+", Kind.TIMESTAMP, Kind.DURATION): ("add_time", Kind.TIMESTAMP),
    ("+", Kind.DURATION, Kind.TIMESTAMP): ("add_time", Kind.TIMESTAMP),
    ("+", Kind.DURATION, Kind.DURATION): ("add_time", Kind.DURATION),
    ("-", Kind.TIMESTAMP, Kind.TIMESTAMP): ("subtract_time", Kind.DURATION),
    ("-", Kind.TIMESTAMP, Kind.DURATION): ("subtract_time", Kind.TIMESTAMP),
    ("-", Kind.DURATION, Kind.DURATION): ("subtract_time", Kind.DURATION),
}


@dataclass(frozen=True, slots=True)
class Signature:
    """How a function or method is called: operation, kinds of target and arguments, result."""

    operation: str
    targets: tuple[Kind, ...]
    arguments: tuple[Kind, ...]
    result: Type


_TEXT = (Kind.STRING,)
_YES_NO = Type(Kind.BOOL)
_NUMBER = Type(Kind.INT)


def _clock(operation: str) -> Signature:
    return Signature(operation, (Kind.TIMESTAMP,), (), _NUMBER)


def _length(operation: str) -> Signature:
    return Signature(operation, (Kind.DURATION,), (), _NUMBER)


# a method may mean something else on another kind; the parts of a timestamp also take a time zone
METHODS: dict[str, tuple[Signature, ...]] = {
    "startsWith": (Signature("starts_with", _TEXT, _TEXT, _YES_NO),),
    "endsWith": (Signature("ends_with", _TEXT, _TEXT, _YES_NO),),
    "contains": (Signature("contains", _TEXT, _TEXT, _YES_NO),),
    "matches": (Signature("matches", _TEXT, _TEXT, _YES_NO),),
    "lowerAscii": (Signature("lower_ascii", _TEXT, (), Type(Kind.STRING)),),
    "size": (Signature("size", (Kind.STRING, Kind.LIST, Kind.MAP), (), _NUMBER),),
    "getFullYear": (_clock("full_year"),),
    "getMonth": (_clock("month"),),
    "getDate": (_clock("date"),),
    "getDayOfMonth": (_clock("day_of_month"),),
    "getDayOfWeek": (_clock("day_of_week"),),
    "getDayOfYear": (_clock("day_of_year"),),
    "getHours": (_clock("hour"), _length("whole_hours")),
    "getMinutes": (_clock("minute"), _length("whole_minutes")),
    "getSeconds": (_clock("second"), _length("whole_seconds")),
    "getMilliseconds": (_clock("millisecond"), _length("milliseconds_left")),
}
# functions that read a literal, a field or any number of values, so that the checker treats each in its own way
FUNCTIONS = ("has", "size", "duration", "timestamp", "min", "max")
