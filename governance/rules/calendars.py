"""Business calendars: working time by weekdays, hours, time zone and days off. Plain values in, plain values out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from agents.rules.hours import HoursInvalid, WorkingHours, read_hours

HOLIDAYS_AT_MOST = 400
LONGEST = timedelta(days=3 * 366)
"""How far ahead working time is looked for."""


class CalendarInvalid(ValueError):
    """The calendar cannot be read; the message says what to send."""


@dataclass(frozen=True)
class Calendar:
    """Working hours without the days off: a shift belongs to the day on which it begins."""

    hours: WorkingHours
    holidays: frozenset[date]

    def after(self, at: datetime, seconds: int) -> datetime:
        """When so many seconds of working time that begin at `at` are over, in UTC; after three years it is over in any
        case."""
        left = timedelta(seconds=seconds)
        for begin, end in self._shifts(at):
            if left <= end - begin:
                return begin + left if left else at.astimezone(UTC)
            left -= end - begin
        return at.astimezone(UTC) + LONGEST

    def between(self, since: datetime, until: datetime) -> timedelta:
        """How much working time lies between the two."""
        total = timedelta(0)
        for begin, end in self._shifts(since):
            if begin >= until:
                break
            total += min(end, until) - begin
        return total

    def _shifts(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        # What is left of each shift from `since` on, in UTC, in order; hours that the clock skips do not count.
        hours, first = self.hours, since.astimezone(self.hours.zone).date() - timedelta(days=1)
        for day in (first + timedelta(days=ahead) for ahead in range(LONGEST.days)):
            if day.weekday() not in hours.days or day in self.holidays:
                continue
            last = day if hours.end > hours.begin else day + timedelta(days=1)
            begin = datetime.combine(day, hours.begin, hours.zone).astimezone(UTC)
            end = datetime.combine(last, hours.end, hours.zone).astimezone(UTC)
            if end > since:
                yield max(begin, since.astimezone(UTC)), end

    def __str__(self) -> str:
        off = len(self.holidays)
        return f"{self.hours}, {off} day{'s' * (off != 1)} off" if off else str(self.hours)


def read_calendar(document: Mapping[str, Any]) -> Calendar:
    """The calendar that {"days": ["mon", ...], "from": "08:00", "to": "18:00", "zone": "Europe/Berlin", "holidays":
    ["2026-12-25"]} describes. Raises CalendarInvalid with a sentence about the first thing that is wrong."""
    given = {name: value for name, value in document.items() if name != "holidays"}
    try:
        return Calendar(read_hours(given), _days_off(document.get("holidays", [])))
    except HoursInvalid as wrong:
        raise CalendarInvalid(str(wrong)) from wrong


def _days_off(days: Any) -> frozenset[date]:
    if not isinstance(days, list) or len(days) > HOLIDAYS_AT_MOST:
        raise CalendarInvalid(f"Send a list of {HOLIDAYS_AT_MOST} days off at most.")
    try:
        return frozenset(date.fromisoformat(day) for day in days)
    except (TypeError, ValueError) as wrong:
        raise CalendarInvalid("A day off is written as in 2026-12-25.") from wrong
