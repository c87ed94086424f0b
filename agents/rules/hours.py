"""Working hours: on which days and between which times an agent works, and when it may come back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_NAMES = dict(zip(DAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True))
_FIELDS = {"days", "from", "to", "zone"}


class HoursInvalid(ValueError):
    """The working hours cannot be read; the message says what to send."""


@dataclass(frozen=True)
class WorkingHours:
    """Days of the week (Monday is 0), the times between which work is done, and the time zone of both.
    An end that is not after the beginning lies on the next day."""

    days: tuple[int, ...]
    begin: time
    end: time
    zone: ZoneInfo

    def covers(self, at: datetime) -> bool:
        """Whether work is done at that moment."""
        return any(begin <= at.astimezone(UTC) < end for begin, end in self._shifts(at))

    def next_begin(self, at: datetime) -> datetime:
        """When work begins again after that moment, in the zone of the hours."""
        return next(begin for begin, _ in self._shifts(at) if begin > at.astimezone(UTC)).astimezone(self.zone)

    def _shifts(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        today = at.astimezone(self.zone).date()
        for day in (today + timedelta(days=ahead) for ahead in range(-1, 9)):
            if day.weekday() in self.days:
                last = day if self.end > self.begin else day + timedelta(days=1)
                begin = datetime.combine(day, self.begin, self.zone)
                end = datetime.combine(last, self.end, self.zone)
                yield begin.astimezone(UTC), end.astimezone(UTC)

    def __str__(self) -> str:
        names = [DAY_NAMES[DAYS[day]] for day in self.days]
        in_a_row = list(self.days) == list(range(self.days[0], self.days[-1] + 1)) and len(names) > 2
        said = "every day" if len(names) == 7 else f"{names[0]} to {names[-1]}" if in_a_row else ", ".join(names)
        return f"{said[:1].upper()}{said[1:]}, {self.begin:%H:%M} to {self.end:%H:%M}, {self.zone.key}"


def read_hours(document: Mapping[str, Any]) -> WorkingHours:
    """The hours that {"days": ["mon", ...], "from": "08:00", "to": "18:00", "zone": "Europe/Berlin"} describes.
    Raises HoursInvalid with a sentence about the first thing that is wrong."""
    if set(document) != _FIELDS:
        raise HoursInvalid("Working hours have days, from, to and zone.")
    days = document["days"]
    if not (isinstance(days, list) and days and set(map(str, days)) <= set(DAYS)):
        raise HoursInvalid(f"Name at least one day of {', '.join(DAYS)}.")
    begin, end = (_time(document[name]) for name in ("from", "to"))
    if begin == end:
        raise HoursInvalid("Work cannot end when it begins; leave the hours out for an agent that always works.")
    return WorkingHours(tuple(sorted({DAYS.index(day) for day in days})), begin, end, _zone(document["zone"]))


def _time(text: Any) -> time:
    try:
        return time.fromisoformat(text) if len(text) == 5 else _no_time()
    except (TypeError, ValueError) as wrong:
        raise HoursInvalid("Times are written as in 08:00.") from wrong


def _no_time() -> time:
    raise ValueError


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (TypeError, KeyError, ValueError, OSError) as wrong:
        raise HoursInvalid("Name a time zone, as in Europe/Berlin.") from wrong
