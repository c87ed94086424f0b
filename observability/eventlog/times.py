"""Rules of observability: the moments of a log, in microseconds since 1970 in UTC."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = -70 * 365 * 86_400 * SECOND  # about 1900
_LAST = 200 * 366 * 86_400 * SECOND  # about 2170
_SLASHED = re.compile(
    r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})"
    r"(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp][Mm])?)?\s*(Z|[+-]\d{2}:?\d{2})?"
)
_NUMBER = re.compile(r"-?\d{1,19}(?:\.\d{1,9})?")


class Shape(StrEnum):
    """How a log writes its moments."""

    ISO = "iso"
    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"
    EPOCH = "epoch"


WORDS = {
    Shape.ISO: "Year first: 2026-03-31 14:05:00",
    Shape.DAY_FIRST: "Day first: 31.03.2026 14:05 or 31/03/2026",
    Shape.MONTH_FIRST: "Month first: 03/31/2026 2:05 PM",
    Shape.EPOCH: "A number: seconds or milliseconds since 1970",
}


def zone_of(name: str) -> tzinfo:
    """The time zone with this name. Raises ValueError for none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise ValueError(f"There is no time zone {name[:60]}. Write one like Europe/Vienna or UTC.") from unknown


@dataclass
class Clock:
    """Reads moments of one shape; those that name no zone are of `zone`, and counted in `naive`."""

    shape: Shape = Shape.ISO
    zone: tzinfo = UTC
    naive: int = 0
    _read: Callable[[str], datetime] = field(init=False)

    def __post_init__(self) -> None:
        self._read = {
            Shape.ISO: datetime.fromisoformat, Shape.EPOCH: _epoch, Shape.DAY_FIRST: _day_first,
            Shape.MONTH_FIRST: _month_first,
        }[self.shape]  # fmt: skip

    def microseconds(self, text: str) -> int:
        """The moment that the text names. Raises ValueError for none, and outside 1900 to 2170."""
        try:
            at = self._read(text)
            if at.tzinfo is None:
                self.naive += 1
                at = at.replace(tzinfo=self.zone)
            since = at - _EPOCH
        except OverflowError as outside:
            raise ValueError("outside the years 1900 to 2170") from outside
        found = (since.days * 86_400 + since.seconds) * SECOND + since.microseconds
        if not _FIRST < found < _LAST:
            raise ValueError("outside the years 1900 to 2170")
        return found


def shape_of(texts: Sequence[str]) -> Shape:
    """The shape in which most of these can be read, the first of equals: so a date that could be both is day first."""
    return max(Shape, key=lambda shape: sum(_reads(Clock(shape), text) for text in texts))


def could_be_both(texts: Sequence[str]) -> bool:
    """Whether day and month of all these could change places."""
    read = [text for text in texts if _SLASHED.fullmatch(text.strip())]
    return bool(read) and all(
        _reads(Clock(shape), text) for text in read for shape in (Shape.DAY_FIRST, Shape.MONTH_FIRST)
    )


def _reads(clock: Clock, text: str) -> bool:
    try:
        clock.microseconds(text.strip())
    except ValueError:
        return False
    return True


def _epoch(text: str) -> datetime:
    if not _NUMBER.fullmatch(text):
        raise ValueError("no number")
    number = float(text)
    return _EPOCH + timedelta(seconds=number / 1000 if abs(number) >= 1e11 else number)


def _day_first(text: str) -> datetime:
    return _slashed(text, day=1, month=2)


def _month_first(text: str) -> datetime:
    return _slashed(text, day=2, month=1)


def _slashed(text: str, *, day: int, month: int) -> datetime:
    found = _SLASHED.fullmatch(text)
    if found is None:
        raise ValueError("no date")
    _, _, year, hour, minute, second, fraction, half, offset = found.groups()
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= 12:
            raise ValueError("no hour")
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    return datetime(
        int(year), int(found[month]), int(found[day]), hours, int(minute or 0), int(second or 0),
        int((fraction or "0")[:6].ljust(6, "0")), tzinfo=_offset(offset),
    )  # fmt: skip


def _offset(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
