"""The numbers: how many runs ended, how fast, at what cost and with how many errors, read from the ledger alone."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import pairwise, starmap
from operator import attrgetter
from typing import Any, NamedTuple, Self

from django.db.models import CharField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.utils import timezone

from observability.models import Event, Reader
from observability.rules import Counts, quantiles

FINISHED, FAILED, CANCELLED = "run.finished", "run.failed", "run.cancelled"
ENDS = (FINISHED, FAILED, CANCELLED)
ASKED = "escalation.opened"
RELEASED = ("workflow.published", "policy.activated")
RELEASES_AT_MOST = 3
MANY_DAYS = timedelta(days=45)
SHARES = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(9, 10))


class Ended(NamedTuple):
    """One run that came to an end: when, how (a verb of ENDS), in which workflow, and what it took."""

    at: datetime
    how: str
    workflow: str
    seconds: Decimal | None
    cost: Decimal | None
    touchless: bool


@dataclass(frozen=True)
class Sums:
    """Figures of a set of ended runs. `runs` finished; times, cost and touchless are those of the finished runs, so
    that each figure opens exactly its rows. Shares are 0 to 1, None without runs; `cost_lost` went into runs that
    failed or were cancelled."""

    runs: int
    failed: int
    cancelled: int
    touchless: int
    median_seconds: Decimal | None
    q25_seconds: Decimal | None
    q75_seconds: Decimal | None
    p90_seconds: Decimal | None
    cost_total: Decimal
    cost_lost: Decimal

    @classmethod
    def of(cls, ended: Sequence[Ended], **more: Any) -> Self:
        """The figures of these runs."""
        seconds, done, failed, touchless, cost, lost = [], 0, 0, 0, Decimal(0), Decimal(0)
        for _, how, _, took, spent, alone in ended:
            if how != FINISHED:
                failed += how == FAILED
                lost += spent or 0
                continue
            done += 1
            touchless += alone
            cost += spent or 0
            if took is not None:
                seconds.append(took)
        seconds.sort()
        return cls(
            runs=done, failed=failed, cancelled=len(ended) - done - failed,
            touchless=touchless, cost_total=cost, cost_lost=lost,
            median_seconds=quantile(seconds, 2), q25_seconds=quantile(seconds, 1), q75_seconds=quantile(seconds, 3),
            p90_seconds=quantile(seconds, 9, of=10), **more,
        )  # fmt: skip

    @classmethod
    def told_by(cls, counts: Mapping[str, Counts], **more: Any) -> Self:
        """The figures of tallies, by how runs ended (a verb of ENDS): all exact but the times, which are those of a
        sketch (see rules.sketching)."""
        nothing = Counts()
        done, failed, cancelled = (counts.get(how, nothing) for how in ENDS)
        low, middle, high, longest = quantiles(done.times, SHARES)
        return cls(
            runs=done.runs, failed=failed.runs, cancelled=cancelled.runs, touchless=done.touchless,
            median_seconds=middle, q25_seconds=low, q75_seconds=high, p90_seconds=longest, cost_total=done.cost,
            cost_lost=failed.cost + cancelled.cost, **more,
        )  # fmt: skip

    @property
    def cost_per_run(self) -> Decimal | None:
        """What one finished run cost on average, in the company's currency."""
        return self.cost_total / self.runs if self.runs else None

    @property
    def error_share(self) -> Decimal | None:
        """Failed runs among those that finished or failed."""
        judged = self.runs + self.failed
        return Decimal(self.failed) / judged if judged else None

    @property
    def touchless_share(self) -> Decimal | None:
        """Runs that no person was asked about, among those that finished."""
        return Decimal(self.touchless) / self.runs if self.runs else None

    @property
    def asked(self) -> int:
        """Finished runs about which a person was asked."""
        return self.runs - self.touchless


@dataclass(frozen=True)
class Point(Sums):
    """The figures of one stretch of time, from `start` up to but not including `end`."""

    start: datetime
    end: datetime

    @property
    def day(self) -> date:
        """The day on which the stretch begins, in the company's time zone."""
        return timezone.localtime(self.start).date()

    @property
    def last_day(self) -> date:
        """The day on which the stretch ends, itself included."""
        return timezone.localtime(self.end - timedelta.resolution).date()


@dataclass(frozen=True)
class Figures(Sums):
    """The figures of a period, and the same for each of its days; days without runs are there, with zeros and None."""

    per_day: tuple[Point, ...]


class Grain(Enum):
    """How long one stretch of a series is."""

    TEN_SECONDS = timedelta(seconds=10)
    MINUTE = timedelta(minutes=1)
    FIVE_MINUTES = timedelta(minutes=5)
    HOUR = timedelta(hours=1)
    DAY = timedelta(days=1)
    WEEK = timedelta(days=7)


def ended_runs(
    reader: Reader, *, since: datetime, until: datetime, workflow: str = "", unit: str = "", version: str = ""
) -> list[Ended]:
    """The runs that ended from `since` up to `until`, the first one first; one query."""
    seen = Event.objects.visible_to(reader).filter(verb__in=ENDS, at__gte=since, at__lt=until)
    if workflow:
        seen = seen.filter(workflow=workflow)
    if unit:
        seen = seen.filter(unit=unit)
    if version:
        seen = seen.filter(data__version=int(version))
    return sorted(starmap(_ended, seen.values_list(*COLUMNS)), key=attrgetter("at"))


# Plain text from the database, read here, takes half the time of the columns' own conversion: 10,000 runs in 40 ms.
COLUMNS = (
    Cast("at", CharField()), "verb", "workflow", Cast("seconds", CharField()), Cast("cost", CharField()),
    Cast(KT("data__touchless"), CharField()),
)  # fmt: skip


def _ended(at: str, how: str, workflow: str, seconds: str | None, cost: str | None, touchless: str | None) -> Ended:
    zone = "" if "+" in at else "+00"
    return Ended(
        datetime.fromisoformat(at + zone), how, workflow,
        None if seconds is None else Decimal(seconds), None if cost is None else Decimal(cost),
        touchless in ("true", "1"),
    )  # fmt: skip


def seconds_between(start: datetime, end: datetime) -> Decimal:
    """How long it took from one moment to another, exact to the millisecond."""
    return Decimal(str(round((end - start).total_seconds(), 3)))


def share(part: int, whole: int) -> Decimal:
    """The share of a part, 0 of nothing."""
    return Decimal(part) / whole if whole else Decimal(0)


def split_by_workflow(ended: Iterable[Ended]) -> dict[str, list[Ended]]:
    """The runs of each workflow, by its code, in alphabetical order."""
    found: dict[str, list[Ended]] = {}
    for run in ended:
        found.setdefault(run.workflow, []).append(run)
    return dict(sorted(found.items()))


def workflow_names(reader: Reader) -> dict[str, str]:
    """The names of the published workflows that the reader may see, by code."""
    seen = Event.objects.visible_to(reader).filter(verb="workflow.published").order_by("at")
    return dict(seen.values_list("subject_id", "subject_name"))


# --- a period in stretches ------------------------------------------------------------------------------------
def series(ended: Sequence[Ended], bounds: Sequence[datetime]) -> tuple[Point, ...]:
    """The figures between each bound and the next, of runs in the order of their ends; runs outside are left out."""
    places = [bisect_left(ended, bound, key=attrgetter("at")) for bound in bounds]
    stretches = zip(pairwise(places), pairwise(bounds), strict=True)
    return tuple(Point.of(ended[i:j], start=start, end=end) for (i, j), (start, end) in stretches)


def finished(ended: Iterable[Ended], bounds: Sequence[datetime]) -> list[int]:
    """How many runs finished between each bound and the next; the runs in the order of their ends."""
    done = [run for run in ended if run.how == FINISHED]
    places = [bisect_left(done, bound, key=attrgetter("at")) for bound in bounds]
    return [j - i for i, j in pairwise(places)]


def grain_for(ended: Sequence[Ended], since: datetime, until: datetime) -> Grain:
    """The stretch that shows how the runs of a period went: days, weeks when there are many of them, or less than a day
    when all runs lie close together."""
    if not ended:
        return Grain.DAY
    span = ended[-1].at - ended[0].at
    if span <= timedelta(minutes=4):
        return Grain.TEN_SECONDS
    if span <= timedelta(minutes=30):
        return Grain.MINUTE
    if span <= timedelta(hours=3):
        return Grain.FIVE_MINUTES
    if min(span, until - since) <= timedelta(hours=36):
        return Grain.HOUR
    return Grain.DAY if span <= MANY_DAYS else Grain.WEEK


def edges(since: datetime, until: datetime, grain: Grain) -> list[datetime]:
    """The bounds of the stretches that cover the period and its last moment, in UTC; days begin at midnight in the
    company's time zone and end with the period, weeks count back from its end, so that only the first may be short."""
    if grain in (Grain.DAY, Grain.WEEK):
        first, last = timezone.localtime(since).date(), timezone.localtime(until - timedelta.resolution).date()
        days = [midnight(first + timedelta(days=n)) for n in range((last - first).days + 2)]
        weeks = days[::-7][::-1]
        return days if grain is Grain.DAY else [*days[:1], *weeks] if weeks[0] != days[0] else weeks
    width = grain.value
    start = since - (since - datetime(2000, 1, 1, tzinfo=UTC)) % width
    count = (until - start) // width + 1
    return [(start + n * width).astimezone(UTC) for n in range(count + 1)]


def midnight(day: date) -> datetime:
    """The moment at which the day begins in the company's time zone, in UTC."""
    return datetime.combine(day, time.min, timezone.get_default_timezone()).astimezone(UTC)


def quantile(ordered: Sequence[Decimal], part: int, of: int = 4) -> Decimal | None:
    """The value below which `part` quarters (or other parts, `of` in all) of the ordered values lie, between two of
    them in proportion (as PostgreSQL's percentile_cont); None for no values."""
    if not ordered:
        return None
    whole, rest = divmod((len(ordered) - 1) * part, of)
    if not rest:
        return ordered[whole]
    return ordered[whole] + (ordered[whole + 1] - ordered[whole]) * rest / of
