"""Rules of governance, notifying: what people can be told of, and when somebody with these hours is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Happening(StrEnum):
    """What a person can be told of."""

    ARRIVED = "arrived"
    REMINDED = "reminded"
    PASSED_ON = "passed_on"
    HANDED = "handed"
    ANSWERED = "answered"
    DECIDED = "decided"


WORDS: Mapping[Happening, str] = {
    Happening.ARRIVED: "A question arrives for me",
    Happening.REMINDED: "A deadline comes near",
    Happening.PASSED_ON: "A question is passed on to me",
    Happening.HANDED: "Somebody hands me a question",
    Happening.ANSWERED: "The agent answers what was asked",
    Happening.DECIDED: "Somebody else decides what I am asked",
}
AFTER: Mapping[str, Happening] = {
    "escalation.opened": Happening.ARRIVED,
    "escalation.reminded": Happening.REMINDED,
    "escalation.passed_on": Happening.PASSED_ON,
    "escalation.assigned": Happening.HANDED,
    "escalation.handed_over": Happening.HANDED,
    "escalation.replied": Happening.ANSWERED,
    "escalation.approved": Happening.DECIDED,
    "escalation.rejected": Happening.DECIDED,
}
"""Which entry of the ledger is which happening."""


class Rhythm(StrEnum):
    """How often somebody is told."""

    AT_ONCE = "at_once"
    HOURLY = "hourly"
    DAILY = "daily"


@dataclass(frozen=True)
class Hours:
    """When somebody wants to be told, on the clock of the time zone `zone`. Without both ends no time is quiet."""

    rhythm: Rhythm = Rhythm.AT_ONCE
    zone: str = "UTC"
    daily_at: time = time(8)
    quiet_from: time | None = None
    quiet_until: time | None = None


def when_told(at: datetime, hours: Hours) -> datetime:
    """When somebody with these hours is told of what happened at `at`: in their rhythm, never in their quiet time."""
    zone = ZoneInfo(hours.zone)
    wanted = at
    if hours.rhythm is Rhythm.HOURLY:
        wanted = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    elif hours.rhythm is Rhythm.DAILY:
        wanted = _next(at, hours.daily_at, zone)
    if hours.quiet_until is not None and _is_quiet(wanted.astimezone(zone).time(), hours):
        return _next(wanted, hours.quiet_until, zone)
    return wanted


def _is_quiet(clock: time, hours: Hours) -> bool:
    begins, ends = hours.quiet_from, hours.quiet_until
    if begins is None or ends is None or begins == ends:
        return False
    return begins <= clock < ends if begins < ends else clock >= begins or clock < ends


def _next(at: datetime, clock: time, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    today = datetime.combine(local.date(), clock, zone)
    later = today if today > local else datetime.combine(local.date() + timedelta(days=1), clock, zone)
    return later.astimezone(at.tzinfo)
