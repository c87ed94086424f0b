"""Workflows, rules: when a schedule begins a run: a cron line or an ISO 8601 cycle in a time zone. Plain values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from workflows.plan.times import Length, read_cycle

SHORTEST_SECONDS = 60


class ScheduleInvalid(ValueError):
    """The schedule cannot be read; the message says what to write."""


@dataclass(frozen=True)
class Cron:
    """A cron line of five fields, read in a time zone; hours that the clock skips or repeats count once."""

    text: str
    zone: ZoneInfo

    def after(self, at: datetime) -> Iterator[datetime]:
        """All moments later than `at`, in UTC."""
        for moment in CronSim(self.text, at.astimezone(self.zone)):
            yield moment.astimezone(UTC)


@dataclass(frozen=True)
class Turns:
    """Again and again after the same time, counted from `start`; without `times` for ever."""

    start: datetime
    every: timedelta
    times: int | None = None

    def after(self, at: datetime) -> Iterator[datetime]:
        """All moments later than `at`, in UTC."""
        number = max(int((at - self.start) / self.every) + 1, 1) if at >= self.start else 1
        while self.times is None or number <= self.times:
            try:
                moment = self.start + self.every * number
            except OverflowError:  # after the year 9999 there is none
                return
            if moment > at:
                yield moment
            number += 1


@dataclass(frozen=True)
class Months:
    """Again and again after so many months on the clocks of a time zone, each counted from `start`, so that the 31st
    comes back after a shorter month; from the turn numbered `first` on, without `times` for ever."""

    start: datetime
    length: Length
    zone: ZoneInfo
    first: int = 1
    times: int | None = None

    def after(self, at: datetime) -> Iterator[datetime]:
        """All moments later than `at`, in UTC."""
        passed = int((at - self.start).total_seconds() / self.length.about_seconds) - 2
        number = max(passed, self.first)
        while self.times is None or number < self.first + self.times:
            try:
                moment = self.length.times(number).after(self.start, self.zone)
            except (OverflowError, ValueError):  # after the year 9999 there is none
                return
            if moment > at:
                yield moment
            number += 1


Rule = Cron | Turns | Months


def read_rule(text: str, zone: str, since: datetime) -> Rule:
    """The rule that a cron line such as `0 7 * * mon-fri` or a cycle such as `R/P1D` or `R12/2027-01-01T06:00/P7D`
    describes; a cycle without a start counts from `since`. Raises ScheduleInvalid."""
    try:
        at_home = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as wrong:
        raise ScheduleInvalid(f"{zone} is no time zone; write one as in Europe/Berlin.") from wrong
    text = text.strip()
    if text.startswith("R"):
        return _cycle(text, at_home, since)
    if len(text.split()) != 5:
        raise ScheduleInvalid("Write five fields as in 0 7 * * mon-fri, or a cycle as in R/P1D.")
    try:
        CronSim(text, since.astimezone(at_home))
    except CronSimError as wrong:
        raise ScheduleInvalid(f"The cron line cannot be read: {wrong}.") from wrong
    return Cron(text, at_home)


def _cycle(text: str, zone: ZoneInfo, since: datetime) -> Turns | Months:
    cycle = read_cycle(text)
    if cycle is None:
        raise ScheduleInvalid("Write a cycle as in R/P1D, R12/P1M or R/2027-01-01T06:00/P1D.")
    if cycle.seconds < SHORTEST_SECONDS:
        raise ScheduleInvalid("A cycle takes at least a minute, as in R/PT1M.")
    every, times = timedelta(seconds=cycle.seconds), None if cycle.times < 0 else cycle.times
    start = _moment(cycle.start, zone) if cycle.start else since
    if cycle.length.is_calendar:  # the start itself is the first moment when it is said
        return Months(start, cycle.length, zone, 0 if cycle.start else 1, times)
    if not cycle.start:
        return Turns(since, every, times)
    try:
        return Turns(start - every, every, times)  # the start itself is the first moment
    except OverflowError as wrong:
        raise ScheduleInvalid("A cycle begins in a year from 1 to 9999, and so would the turn before it.") from wrong


def _moment(text: str, zone: ZoneInfo) -> datetime:
    start = datetime.fromisoformat(text)
    return (start if start.tzinfo else start.replace(tzinfo=zone)).astimezone(UTC)


def moments_due(rule: Rule, first: datetime, at: datetime, *, at_most: int) -> list[datetime]:
    """`first` and what comes after it until `at`, the oldest first, at most so many."""
    found = [first] if first <= at else []
    for moment in islice(rule.after(first), at_most):
        if moment > at or len(found) >= at_most:
            break
        found.append(moment)
    return found


def next_moment(rule: Rule, at: datetime) -> datetime | None:
    """The first moment later than `at`; None when there is none any more."""
    return next(iter(rule.after(at)), None)


def made_up(missed: str, due: list[datetime], at: datetime, *, grace: timedelta, is_held: bool) -> list[datetime]:
    """For which of the moments that are due a run begins. What is late by no more than `grace` was not missed; of what
    was, `skip` makes up for nothing, `once` for the last, `all` for each. Work that was paused meanwhile (`is_held`) is
    no reason to begin nothing at all."""
    if missed == "all":
        return due
    in_time = [moment for moment in due if at - moment <= grace]
    return in_time or due[-1:] if missed == "once" or is_held else in_time
