"""Shape of observability: how tiles, tables and sentences write lengths, amounts and shares."""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from observability.kpis import Grain, Point

MINUTE, HOUR, DAY = 60, 3600, 86400
LEAST_SHOWN = Decimal("0.0005")
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£"}
GRAINS = {
    Grain.WEEK: "week",
    Grain.TEN_SECONDS: "ten seconds",
    Grain.MINUTE: "minute",
    Grain.FIVE_MINUTES: "five minutes",
    Grain.HOUR: "hour",
    Grain.DAY: "day",
}

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Parts = tuple[tuple[str, str], ...]


def length_parts(seconds: Decimal) -> Parts:
    """A length as figures with their units, the two largest: (("2", "h"), ("14", "m"))."""
    if seconds < Decimal("9.95"):
        return ((f"{seconds:.1f}", "s"),)
    whole = round(seconds)
    if whole < MINUTE:
        return ((str(whole), "s"),)
    if whole < HOUR:
        return ((str(whole // MINUTE), "m"), (f"{whole % MINUTE:02d}", "s"))
    if whole < DAY:
        return ((str(whole // HOUR), "h"), (f"{whole % HOUR // MINUTE:02d}", "m"))
    return ((str(whole // DAY), "d"), (str(whole % DAY // HOUR), "h"))


def length(seconds: Decimal | None) -> str:
    """A length in words, 2 h 14 m; nothing for None."""
    if seconds is None:
        return ""
    parts = [part for part in length_parts(seconds) if part[0].strip("0") or part[1] in ("s", "h")]
    return " ".join(f"{figure} {unit}" for figure, unit in parts)


def currency() -> str:
    """What stands before an amount: the currency's sign, or its code."""
    return SYMBOLS.get(settings.CURRENCY, f"{settings.CURRENCY}\N{NO-BREAK SPACE}")


def amount(value: Decimal | None) -> str:
    """An amount in the company's currency, €1.84, with a third decimal below ten cents, €0.042; nothing for None."""
    if value is None:
        return ""
    if 0 < value < LEAST_SHOWN:
        return f"under {currency()}0.001"
    exact = f"{value:,.3f}" if 0 < abs(value) < Decimal("0.1") else f"{value:,.2f}"
    return f"{currency()}{exact[:-1] if exact.endswith('0') and exact[-4] == '.' else exact}"


def percent(share: Decimal | None) -> str:
    """A share as a percentage, 86.4 %; nothing for None."""
    return "" if share is None else f"{percent_figure(share)} %"


def percent_figure(share: Decimal) -> str:
    """The figure of a percentage, without ".0"."""
    return f"{share * 100:.1f}".removesuffix(".0")


def count(number: int, noun: str) -> str:
    """A number with its noun, in the plural unless it is one: "1 run", "1,284 runs"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def moment(point: Point, grain: Grain) -> str:
    """When a stretch is, as a table writes it: 24 Nov 2026, 18 – 24 Nov 2026, or 24 Nov 10:05."""
    at, last = timezone.localtime(point.start), point.last_day
    if grain is Grain.WEEK:
        return f"{at.day}{'' if at.month == last.month else f' {at:%b}'} – {last.day} {last:%b %Y}"
    return f"{at.day} {at:%b %Y}" if grain is Grain.DAY else f"{at.day} {at:%b} {time_of_day(at, grain)}"


def time_of_day(at: datetime, grain: Grain) -> str:
    """A local time of day, as exact as the stretches are short."""
    return f"{at:%H:%M:%S}" if grain is Grain.TEN_SECONDS else f"{at:%H:%M}"


def hour_of_week(weekday: int, hour: int) -> str:
    """An hour of each week: Monday 9:00 – 10:00."""
    return f"{WEEKDAYS[weekday - 1]} {hour}:00 – {hour + 1}:00"


def tick(point: Point, grain: Grain) -> str:
    """What stands below a stretch on the axis: 24 Nov, or 10:05."""
    at = timezone.localtime(point.start)
    return f"{at.day} {at:%b}" if grain in (Grain.DAY, Grain.WEEK) else time_of_day(at, grain)


def axis_moment(at: datetime, grain: Grain) -> str:
    """When a stretch is, as a figure's axis needs it: local time without a zone."""
    local = timezone.localtime(at).replace(tzinfo=None)
    return local.date().isoformat() if grain in (Grain.DAY, Grain.WEEK) else local.isoformat(timespec="seconds")


def axis_stamp(at: datetime) -> str:
    """A moment on a figure's axis."""
    return timezone.localtime(at).replace(tzinfo=None).isoformat(timespec="seconds")
