"""What the performance page is made of: the figures of a period in stretches, beside those before and by hand."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import Count
from django.db.models.fields.json import KT
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay
from django.utils import timezone

from observability.kpis.figures import (
    ASKED,
    MANY_DAYS,
    RELEASED,
    RELEASES_AT_MOST,
    Ended,
    Grain,
    Point,
    Sums,
    edges,
    ended_runs,
    finished,
    grain_for,
    midnight,
    series,
    split_by_workflow,
)
from observability.kpis.tallied import EXACT_AT_MOST, Choice, Kept, apart_of, kept, placed, points_of
from observability.models import Baseline, Event, Reader, Target
from observability.rules import WHOLE

Week = Mapping[tuple[int, int], int]  # (weekday, 1 is Monday; hour of the day) -> how many


class Release(NamedTuple):
    """Something new in force that figures may show the effect of: a version of a workflow or of a policy."""

    at: datetime
    name: str


@dataclass(frozen=True)
class Report:
    """A period with the one of equal length before it, in stretches and by workflow, beside baselines and targets.
    Without `is_exact` the times are those of a sketch; `is_behind` says that not all that ended is counted yet.
    `points` cover the period by days or weeks, or only the time of the runs when `grain` is finer; `throughput`
    has the finished runs of each workflow in each of these stretches. `asked` looks up when people were asked."""

    figures: Sums
    before: Sums
    grain: Grain
    points: tuple[Point, ...]
    by_workflow: dict[str, Sums]
    throughput: dict[str, list[int]]
    names: dict[str, str]
    baselines: dict[str, Baseline]
    targets: dict[tuple[str, str], Decimal]
    releases: tuple[Release, ...] = ()
    asked: Callable[[], Week] = dict
    is_exact: bool = True
    is_behind: bool = False

    @property
    def only(self) -> str:
        """The code of the workflow that all figures are about, "" when they are about several."""
        return next(iter(self.names)) if len(self.names) == 1 else ""

    @property
    def baseline(self) -> Baseline | None:
        """How the only workflow did by hand."""
        return self.baselines.get(self.only)

    def target(self, figure: str) -> Decimal | None:
        """What is to be reached for the figure (a value of Target.Figure) of the only workflow."""
        return self.targets.get((self.only, figure))


def report(
    reader: Reader, *, since: datetime, until: datetime, names: dict[str, str], choice: Choice | None = None
) -> Report:
    """The report of a period; `names` are the workflows that the reader knows, by code. Of more than EXACT_AT_MOST runs
    in whole days it is made from the days that are kept."""
    choice = choice or Choice()
    shown = {code: name for code, name in names.items() if choice.workflow in ("", code)}
    span = _Span(since, until)
    told: dict[str, Any] = {
        "releases": releases(reader, since=since, until=until, workflow=choice.workflow),
        "asked": partial(
            asked_in_week, reader, since=since, until=until, workflow=choice.workflow, unit=choice.unit
        ),
    }  # fmt: skip
    if not span.is_whole_days:
        return report_of(_exactly(reader, span, choice), since=since, until=until, names=shown, **told)
    days = kept(reader, choice, first=span.before, last=span.last)
    now = days.within(span.first, span.last)
    earlier = days.within(span.before, span.first - timedelta(days=1))
    if days.runs <= EXACT_AT_MOST and choice.part == (WHOLE, ""):
        return report_of(_exactly(reader, span, choice), since=since, until=until, names=shown, **told)
    return _of_days(now, earlier, is_behind=days.is_behind, since=since, until=until, names=shown, **told)


@dataclass(frozen=True)
class _Span:
    since: datetime
    until: datetime

    @property
    def is_whole_days(self) -> bool:
        return all(midnight(timezone.localtime(each).date()) == each for each in (self.since, self.until))

    @property
    def first(self) -> date:
        return timezone.localtime(self.since).date()

    @property
    def last(self) -> date:
        return timezone.localtime(self.until - timedelta.resolution).date()

    @property
    def before(self) -> date:
        """The first day of the time of equal length before it."""
        return self.first - ((self.last - self.first) + timedelta(days=1))


def _exactly(reader: Reader, span: _Span, choice: Choice) -> list[Ended]:
    since = span.since - (span.until - span.since)
    return ended_runs(
        reader, since=since, until=span.until, workflow=choice.workflow, unit=choice.unit, version=choice.version
    )


def _of_days(
    now: Kept, earlier: Kept, *, since: datetime, until: datetime, names: dict[str, str], **told: Any
) -> Report:  # fmt: skip
    busy = [key.day for key, _ in now.tallies]
    grain = Grain.WEEK if busy and max(busy) - min(busy) > MANY_DAYS else Grain.DAY
    bounds = edges(since, until, grain)
    apart = apart_of(now)
    done = {code: [Kept(cell).work().runs for cell in placed(own, bounds)] for code, own in apart.items()}
    return Report(**{
        "figures": now.sums(), "before": earlier.sums(), "grain": grain, "points": points_of(now, bounds),
        "by_workflow": {code: own.sums() for code, own in apart.items()}, "throughput": done, "names": names,
        **_yardsticks(names), "is_exact": False, **told,
    })  # fmt: skip


def _yardsticks(names: Iterable[str]) -> dict[str, Any]:
    return {
        "baselines": {row.workflow: row for row in Baseline.objects.filter(workflow__in=names)},
        "targets": {(row.workflow, row.figure): row.value for row in Target.objects.filter(workflow__in=names)},
    }


def report_of(
    both: Sequence[Ended], *, since: datetime, until: datetime, names: dict[str, str], **told: Any
) -> Report:  # fmt: skip
    """The report about these runs of `names`, in the order of their ends: those from `since` on are the period, those
    before it the one before. Two queries."""
    first = bisect_left(both, since, key=attrgetter("at"))
    before, ended = both[:first], both[first:]
    grain = grain_for(ended, since, until)
    by_days = grain in (Grain.DAY, Grain.WEEK)
    bounds = edges(since, until, grain) if by_days else edges(ended[0].at, ended[-1].at, grain)
    figures = Sums.of(ended)
    apart = split_by_workflow(ended)
    return Report(**{
        "figures": figures, "before": Sums.of(before), "grain": grain, "points": series(ended, bounds),
        "by_workflow": {code: figures if len(apart) == 1 else Sums.of(runs) for code, runs in apart.items()},
        "throughput": {code: finished(runs, bounds) for code, runs in apart.items()}, "names": names,
        **_yardsticks(names), **told,
    })  # fmt: skip


def releases(reader: Reader, *, since: datetime, until: datetime, workflow: str = "") -> tuple[Release, ...]:
    """What was put in force last in the period, the oldest first: versions of the workflow, and policies."""
    seen = Event.objects.visible_to(reader).filter(verb__in=RELEASED, at__gte=since, at__lt=until)
    seen = seen.filter(workflow__in=("", workflow)) if workflow else seen
    rows = seen.order_by("-at").values_list("at", "subject_name", KT("data__version"))[:RELEASES_AT_MOST]
    told = [Release(at, name if version is None else f"{name} v{version}") for at, name, version in rows]
    return tuple(reversed(told))


def asked_in_week(reader: Reader, *, since: datetime, until: datetime, workflow: str = "", unit: str = "") -> Week:
    """How many questions people were asked in the period, by weekday and hour in the company's time zone."""
    seen = Event.objects.visible_to(reader).filter(verb=ASKED, at__gte=since, at__lt=until)
    chosen = {name: value for name, value in (("workflow", workflow), ("unit", unit)) if value}
    places = seen.filter(**chosen).order_by().values_list(ExtractIsoWeekDay("at"), ExtractHour("at"))
    return {(day, hour): count for day, hour, count in places.annotate(Count("id"))}
