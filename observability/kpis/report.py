"""What the performance page is made of: the figures of a period in stretches, beside those before and by hand."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from operator import attrgetter
from typing import NamedTuple

from django.db.models.fields.json import KT
from django.utils import timezone

from observability.kpis.figures import (
    ASKED,
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
    series,
    split_by_workflow,
)
from observability.models import Baseline, Event, Reader, Target

Week = Mapping[tuple[int, int], int]  # (weekday, 1 is Monday; hour of the day) -> how many


class Release(NamedTuple):
    """Something new in force that figures may show the effect of: a version of a workflow or of a policy."""

    at: datetime
    name: str


@dataclass(frozen=True)
class Report:
    """A period with the one of equal length before it, in stretches and by workflow, beside baselines and targets.
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
    releases: tuple[Release, ...]
    asked: Callable[[], Week]

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
    reader: Reader, *, since: datetime, until: datetime, names: dict[str, str], workflow: str = "", unit: str = ""
) -> Report:
    """The report of a period; `names` are the workflows that the reader knows, by code. Four queries."""
    both = ended_runs(reader, since=since - (until - since), until=until, workflow=workflow, unit=unit)
    shown = {code: name for code, name in names.items() if workflow in ("", code)}
    return report_of(
        both, since=since, until=until, names=shown,
        releases=releases(reader, since=since, until=until, workflow=workflow),
        asked=partial(asked_in_week, reader, since=since, until=until, workflow=workflow, unit=unit),
    )  # fmt: skip


def report_of(
    both: Sequence[Ended], *, since: datetime, until: datetime, names: dict[str, str],
    releases: tuple["Release", ...] = (), asked: Callable[[], Week] = dict,
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
    return Report(
        figures=figures, before=Sums.of(before), grain=grain,
        points=series(ended, bounds),
        by_workflow={code: figures if len(apart) == 1 else Sums.of(runs) for code, runs in apart.items()},
        throughput={code: finished(runs, bounds) for code, runs in apart.items()},
        names=names, baselines={row.workflow: row for row in Baseline.objects.filter(workflow__in=names)},
        targets={(row.workflow, row.figure): row.value for row in Target.objects.filter(workflow__in=names)},
        releases=releases, asked=asked,
    )  # fmt: skip


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
    moments = map(timezone.localtime, seen.filter(**chosen).values_list("at", flat=True))
    return Counter((at.isoweekday(), at.hour) for at in moments)
