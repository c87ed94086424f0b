"""Workflows, rules: moments, lengths and cycles of time as BPMN writes them (ISO 8601)."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

DURATION = re.compile(
    r"P(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,5})M)?(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,9})S)?)?",
    re.ASCII,
)
SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
# of a month or year on the average, to compare lengths; when one is over the calendar says
MONTH_SECONDS = 2_629_746
CYCLE = re.compile(r"R(?P<times>\d{0,6})/(?:(?P<start>[^/P]+)/)?(?P<length>P[^/]+)", re.ASCII)
LONGEST_WAIT = 3_660 * 86_400


def read_seconds(text: str) -> int:
    """The seconds of an ISO 8601 duration of weeks, days, hours, minutes, seconds; 0 when it is none, also for one of
    months or years."""
    length = read_length(text)
    return length.seconds if length is not None and not length.is_calendar else 0


@dataclass(frozen=True)
class Length:
    """A length of time: months and days by the calendar, then seconds. One without months is seconds alone, so that a
    day has 24 hours in it."""

    months: int = 0
    days: int = 0
    seconds: int = 0

    @property
    def is_calendar(self) -> bool:
        """Whether only the calendar says how long it is."""
        return self.months > 0

    @property
    def about_seconds(self) -> int:
        """How long it is on the average."""
        return self.months * MONTH_SECONDS + self.days * SECONDS["days"] + self.seconds

    def times(self, number: int) -> Length:
        """So many of it."""
        return Length(self.months * number, self.days * number, self.seconds * number)

    def after(self, moment: datetime, zone: tzinfo) -> datetime:
        """When it is over that begins at this moment, in UTC: the same day and hour of a later month on the clocks of
        the zone, the last day of a month that is shorter, and so many days and seconds later."""
        if not self.months:
            return moment.astimezone(UTC) + timedelta(days=self.days, seconds=self.seconds)
        local = moment.astimezone(zone)
        years, month = divmod(local.month - 1 + self.months, 12)
        year = local.year + years
        day = min(local.day, monthrange(year, month + 1)[1])
        wall = local.replace(year=year, month=month + 1, day=day) + timedelta(days=self.days)
        return wall.astimezone(UTC) + timedelta(seconds=self.seconds)


def read_length(text: str) -> Length | None:
    """The ISO 8601 duration of this text, None when it is none or no time at all."""
    match = DURATION.fullmatch(text)
    if not match:
        return None
    given = {unit: int(count) for unit, count in match.groupdict(default="0").items()}
    months, days = given["years"] * 12 + given["months"], given["weeks"] * 7 + given["days"]
    seconds = sum(given[unit] * SECONDS[unit] for unit in ("hours", "minutes", "seconds"))
    length = Length(months, days, seconds) if months else Length(seconds=days * SECONDS["days"] + seconds)
    return length if length.about_seconds else None


def calendar_text(text: str) -> str:
    """The text itself when it is a length of which only the calendar says how long it is, else empty."""
    length = read_length(text)
    return text if length is not None and length.is_calendar else ""


def read_moment(text: str) -> str:
    """The text itself when it is a moment of ISO 8601 (UTC without an offset), else empty. In the first and in the last
    year there is none: it may have no place in another time zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return text if ("T" in text or " " in text) and 1 < moment.year < 9999 else ""


@dataclass(frozen=True)
class Cycle:
    """How often (-1: without an end), how long apart, and when first if that is said."""

    times: int
    length: Length
    start: str = ""
    text: str = ""

    @property
    def seconds(self) -> int:
        """How long apart on the average."""
        return self.length.about_seconds

    @property
    def calendar(self) -> str:
        """The length as it is written when only the calendar says how long it is, else empty."""
        return calendar_text(self.text)


def read_cycle(text: str) -> Cycle | None:
    """The cycle of an ISO 8601 repetition such as R3/PT1H; none when it is no such text."""
    match = CYCLE.fullmatch(text)
    if not match:
        return None
    length, start = read_length(match["length"]), match["start"] or ""
    times = int(match["times"]) if match["times"] else -1
    if length is None or times == 0 or (start and not read_moment(start)):
        return None
    return Cycle(times, length, start, match["length"])
