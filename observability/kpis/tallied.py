"""Reading what is kept by day: the same figures for a thousand runs and for a million."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.utils import timezone

from observability.kpis.counting import KEY, Key, Tallies, tallies_of, uncounted
from observability.kpis.figures import (
    ENDS,
    FINISHED,
    Ended,
    Figures,
    Grain,
    Point,
    Sums,
    edges,
    ended_runs,
    series,
    split_by_workflow,
)
from observability.models import Event, Reader, Tally, TallyMark
from observability.rules import AGENT, REVIEWER, STEP, SUMS, WHOLE, Counts, unpacked_into

EXACT_AT_MOST = 5_000
"""Up to so many runs are read one by one, and their times are exact."""
REST_AT_MOST = 2_000
LOOKS = 3

ByHow = dict[str, Counts]


@dataclass(frozen=True)
class Choice:
    """Of which runs figures are: `workflow` is a code, `unit` a primary key and `version` a number, as text; at most
    one of `step` (a name), `agent` (a code) and `reviewer` (a username), that took part in them."""

    workflow: str = ""
    unit: str = ""
    version: str = ""
    step: str = ""
    agent: str = ""
    reviewer: str = ""

    @property
    def part(self) -> tuple[str, str]:
        """The kind and the name of who took part, both empty for whole runs."""
        named = ((STEP, self.step), (AGENT, self.agent), (REVIEWER, self.reviewer))
        return next(((kind, name) for kind, name in named if name), (WHOLE, ""))

    @property
    def columns(self) -> dict[str, Any]:
        """What the choice says about a tally."""
        facet, member = self.part
        chosen: dict[str, Any] = {"workflow": self.workflow, "unit": self.unit}
        if self.version:
            chosen["version"] = int(self.version)
        return {name: value for name, value in chosen.items() if value != ""} | {"facet": facet, "member": member}


@dataclass(frozen=True)
class Kept:
    """Tallies of some days; `is_behind` when so much ended lately that not all of it is counted yet."""

    tallies: list[tuple[Key, Counts]] = field(default_factory=list)
    is_behind: bool = False

    @property
    def runs(self) -> int:
        """How many runs ended, in whichever way."""
        return sum(counts.runs for _, counts in self.tallies)

    def within(self, first: date, last: date) -> "Kept":
        """Those of the days from `first` to `last`, both included."""
        return Kept([each for each in self.tallies if first <= each[0].day <= last], self.is_behind)

    def sums(self) -> Sums:
        """The figures of all of them."""
        return Sums.told_by(by_how(self.tallies))

    def work(self) -> Counts:
        """What finished runs add up to."""
        return by_how(self.tallies).get(FINISHED, Counts())


def by_how(tallies: Iterable[tuple[Key, Counts]]) -> ByHow:
    """What tallies add up to, by how the runs ended."""
    found: defaultdict[str, Counts] = defaultdict(Counts)
    for key, counts in tallies:
        found[key.how].add(counts)
    return dict(found)


def kept(reader: Reader, choice: Choice, *, first: date, last: date) -> Kept:
    """The tallies of the days from `first` to `last`, both included, as far as the reader may see them, with what ended
    since they were counted. Two or three queries."""
    for _ in range(LOOKS):
        mark = _mark()
        rows = _rows(_chosen(Tally.objects.visible_to(reader), choice, first, last))
        fresh, is_behind = _uncounted(reader, choice, first, last)
        if mark == _mark():
            break
    return Kept([*rows, *fresh.items()], is_behind)


def _mark() -> tuple[Any, ...] | None:
    return TallyMark.objects.values_list("position", "zone").first()


def _chosen(seen: Any, choice: Choice, first: date, last: date) -> Any:
    return seen.filter(day__gte=first, day__lte=last, **choice.columns)


def _rows(seen: Any) -> list[tuple[Key, Counts]]:
    return [_read(row) for row in seen.order_by().values_list(*KEY, *SUMS, "times", "answers").iterator(2_000)]


def _read(row: Sequence[Any]) -> tuple[Key, Counts]:
    counts = Counts(*row[len(KEY) : -2])
    unpacked_into(counts.times, row[-2])
    unpacked_into(counts.answers, row[-1])
    return Key(*row[: len(KEY)]), counts


def _uncounted(reader: Reader, choice: Choice, first: date, last: date) -> tuple[Tallies, bool]:
    ends = Event.objects.visible_to(reader).filter(uncounted(), verb__in=ENDS)
    waiting = list(ends.order_by("id").values_list("pk", flat=True)[: REST_AT_MOST + 1])
    if not waiting:
        return {}, False
    columns = choice.columns
    fresh = tallies_of(Event.objects.filter(pk__in=waiting[:REST_AT_MOST]))
    chosen = {
        key: counts for key, counts in fresh.items()
        if first <= key.day <= last and all(getattr(key, name) == value for name, value in columns.items())
    }  # fmt: skip
    return chosen, len(waiting) > REST_AT_MOST


# --- the figures of a period, whichever way is right for so many runs ------------------------------------------------
def figures(reader: Reader, *, since: datetime, until: datetime, workflow: str = "", unit: str = "") -> Figures:
    """The figures of the runs that ended from `since` up to `until`, as far as the reader may see them; `workflow` is a
    code, `unit` a primary key as text. Of more than EXACT_AT_MOST runs they are those of whole days."""
    bounds = edges(since, until, Grain.DAY)
    days = kept(reader, Choice(workflow, unit), first=_day(bounds[0]), last=_day(bounds[-2]))
    if days.runs > EXACT_AT_MOST:
        return Figures.told_by(by_how(days.tallies), per_day=points_of(days, bounds))
    return _figures(ended_runs(reader, since=since, until=until, workflow=workflow, unit=unit), since, until)


def by_workflow(reader: Reader, *, since: datetime, until: datetime, unit: str = "") -> dict[str, Figures]:
    """The figures of each workflow that had runs in the period, by its code, in alphabetical order."""
    bounds = edges(since, until, Grain.DAY)
    days = kept(reader, Choice(unit=unit), first=_day(bounds[0]), last=_day(bounds[-2]))
    if days.runs <= EXACT_AT_MOST:
        ended = ended_runs(reader, since=since, until=until, unit=unit)
        return {code: _figures(runs, since, until) for code, runs in split_by_workflow(ended).items()}
    return {
        code: Figures.told_by(by_how(own.tallies), per_day=points_of(own, bounds))
        for code, own in apart_of(days).items()
    }


def _figures(ended: Sequence[Ended], since: datetime, until: datetime) -> Figures:
    return Figures.of(ended, per_day=series(ended, edges(since, until, Grain.DAY)))


def apart_of(days: Kept) -> dict[str, Kept]:
    """The tallies of each workflow, by its code, in alphabetical order."""
    found: defaultdict[str, list[tuple[Key, Counts]]] = defaultdict(list)
    for key, counts in days.tallies:
        found[key.workflow].append((key, counts))
    return {code: Kept(rows, days.is_behind) for code, rows in sorted(found.items())}


def points_of(days: Kept, bounds: Sequence[datetime]) -> tuple[Point, ...]:
    """The figures between each bound (a midnight) and the next; days outside are left out."""
    cells = placed(days, bounds)
    return tuple(
        Point.told_by(by_how(cells[place]), start=start, end=end) for place, (start, end) in enumerate(pairwise(bounds))
    )


def placed(days: Kept, bounds: Sequence[datetime]) -> list[list[tuple[Key, Counts]]]:
    """The tallies between each bound and the next."""
    starts = [_day(bound) for bound in bounds[:-1]]
    last = _day(bounds[-1] - timedelta.resolution)
    cells: list[list[tuple[Key, Counts]]] = [[] for _ in starts]
    for key, counts in days.tallies:
        place = bisect_right(starts, key.day) - 1
        if place >= 0 and key.day <= last:
            cells[place].append((key, counts))
    return cells


def _day(at: datetime) -> date:
    return timezone.localtime(at, timezone.get_default_timezone()).date()
