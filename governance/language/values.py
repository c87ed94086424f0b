"""The policy language, its values: the kinds there are, how each is read from JSON and how each is shown."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

MAX_TEXT = 10_000
MAX_ITEMS = 1_000
MAX_SHOWN = 300
MAX_DIGITS = 34
INT_LOW, INT_HIGH = -(2**63), 2**63 - 1
NOT_GIVEN = "not given"

_DECIMAL = re.compile(r"-?\d{1,34}(\.\d{1,34})?", re.ASCII)
_DURATION = re.compile(r"-?(\d{1,12}(\.\d{1,6})?(us|ms|[dhms]))+", re.ASCII)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|[dhms])", re.ASCII)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_MICROSECONDS = {
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}


class Kind(StrEnum):
    """What a value can be."""

    BOOL = "bool"
    INT = "int"
    DECIMAL = "decimal"
    STRING = "string"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    LIST = "list"
    MAP = "map"


NUMBERS = frozenset({Kind.INT, Kind.DECIMAL})


@dataclass(frozen=True, slots=True)
class Type:
    """A kind and, for a list or map, the kind of its items (None for the empty list literal) and of its keys."""

    kind: Kind
    item: Kind | None = None
    key: Kind | None = None

    def __str__(self) -> str:
        if self.kind is Kind.MAP and self.item:
            return f"map of {self.key} to {self.item}"
        return f"list of {self.item}" if self.kind is Kind.LIST and self.item else str(self.kind)


class WrongValue(ValueError):
    """A value does not have the kind that is wanted; the message finishes the sentence "the field ..."."""


def parse_duration(text: str) -> timedelta:
    """Read a length of time such as `90s`, `1h30m` or `2d`; raise WrongValue when it is none."""
    if not _DURATION.fullmatch(text):
        raise WrongValue("must be a length of time such as `30m`, `24h` or `1h30m`")
    total = sum(Decimal(number) * _MICROSECONDS[unit] for number, unit in _DURATION_PART.findall(text))
    if total % 1:
        raise WrongValue("must not be finer than a microsecond")
    try:
        length = timedelta(microseconds=int(total))
    except OverflowError as error:
        raise WrongValue("is too long") from error
    return -length if text.startswith("-") else length


def parse_timestamp(text: str) -> datetime:
    """Read an RFC 3339 moment such as `2026-11-22T10:00:00Z`; raise WrongValue when it is none."""
    if not _TIMESTAMP.fullmatch(text):
        raise WrongValue("must be a moment with its zone such as `2026-11-22T10:00:00Z`")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise WrongValue("must be a moment that exists in the calendar") from error


def format_duration(length: timedelta) -> str:
    """Show a length of time in hours, minutes, seconds and microseconds: `36h`, `1h30m`, `0s`."""
    sign = "-" if length < timedelta(0) else ""
    rest = abs(length) // timedelta(microseconds=1)
    parts = []
    for unit in ("h", "m", "s", "us"):
        count, rest = divmod(rest, _MICROSECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return sign + "".join(parts) if parts else "0s"


def format_timestamp(moment: datetime) -> str:
    """Show a moment in RFC 3339 and UTC, the way the language reads it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def show(value: object) -> str:
    """Show a value to a person: every digit with separators (5,000.01), yes/no, "not given" for None, and of a text
    that nobody would read to its end the beginning and its length."""
    shown = value if type(value) is str else _shown(value)
    return shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}… ({len(shown):,} characters)"


def _shown(value: object) -> str:
    words = _WORDS.get(type(value))
    if words is not None:
        return words(value)
    return next((words(value) for kind, words in _WORDS.items() if isinstance(value, kind)), str(value))


def _items_shown(items: Any) -> str:
    return ", ".join(map(_shown, items)) or "nothing"


# a kind of a kind, such as bool, stands before it
_WORDS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: NOT_GIVEN,
    bool: lambda value: "yes" if value else "no",
    Decimal: "{:,f}".format,
    int: "{:,d}".format,
    timedelta: format_duration,
    datetime: lambda value: f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
    list: _items_shown,
    tuple: _items_shown,
}


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongValue("must be true or false")
    return value


def _int(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongValue("must be a whole number")
    if not INT_LOW <= value <= INT_HIGH:
        raise WrongValue("is outside the range of 64-bit whole numbers")
    return value


def _decimal(value: object) -> Decimal:
    if isinstance(value, float):
        raise WrongValue("must be an exact number: a whole number, a decimal or text such as `12.50`, not a float")
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise WrongValue("must be a number such as 12.50")
    return exact(Decimal(value))


def exact(number: Decimal) -> Decimal:
    """Give a finite number with at most 34 digits on each side back; raise WrongValue otherwise."""
    if not number.is_finite():
        raise WrongValue("must be a finite number")
    _, digits, exponent = number.as_tuple()
    too_long = len(digits) > 2 * MAX_DIGITS or number.adjusted() >= MAX_DIGITS
    if too_long or not isinstance(exponent, int) or exponent < -MAX_DIGITS:
        raise WrongValue(f"has more than {MAX_DIGITS} digits before or after the point")
    return number


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise WrongValue("must be text")
    if len(value) > MAX_TEXT:
        raise WrongValue(f"is longer than {MAX_TEXT} characters")
    if "\x00" in value or not (value.isascii() or _is_encodable(value)):
        raise WrongValue("holds a character that is not allowed in text")
    return value


def _is_encodable(text: str) -> bool:
    """Whether the text can be written down: half of a pair of surrogates cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _timestamp(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    if isinstance(value, str):
        return parse_timestamp(value)
    raise WrongValue("must be a moment with its zone such as `2026-11-22T10:00:00Z`")


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return parse_duration(value)
    raise WrongValue("must be a length of time such as `30m`, `24h` or `1h30m`")


_READERS: dict[Kind, Callable[[object], object]] = {
    Kind.BOOL: _bool,
    Kind.INT: _int,
    Kind.DECIMAL: _decimal,
    Kind.STRING: _string,
    Kind.TIMESTAMP: _timestamp,
    Kind.DURATION: _duration,
}


def reader_of(kind: Kind) -> Callable[[object], object]:
    """Give the function that reads a JSON value of a kind that is no list; it raises WrongValue."""
    return _READERS[kind]


def read_value(value: object, wanted: Type, *, most: int = MAX_ITEMS) -> object:
    """Read a JSON value as the wanted type, lists as tuples of at most `most` items; raise WrongValue when it does not
    fit."""
    if wanted.kind is not Kind.LIST:
        return _READERS[wanted.kind](value)
    if not isinstance(value, list | tuple):
        raise WrongValue("must be a list")
    if len(value) > most:
        raise WrongValue(f"has more than {most} items")
    read = _READERS[wanted.item or Kind.STRING]
    return tuple(read(item) for item in value)


_CLASSES: dict[Kind, tuple[type, ...]] = {
    Kind.BOOL: (bool,),
    Kind.INT: (int,),
    Kind.DECIMAL: (Decimal, int),
    Kind.STRING: (str,),
    Kind.TIMESTAMP: (datetime,),
    Kind.DURATION: (timedelta,),
    Kind.LIST: (list, tuple),
    Kind.MAP: (dict,),
}


def fits(value: object, kind: Kind) -> bool:
    """Say whether a Python value can stand for this kind."""
    return isinstance(value, _CLASSES[kind]) and (kind is Kind.BOOL or not isinstance(value, bool))
