"""Rules of observability: the process that a log shows: its ways, its times, who did what. docs/event-logs.md has the
definition of each figure."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from observability.eventlog.figures import (
    KEPT_AT_MOST,
    Activity,
    Edge,
    Figures,
    Resource,
    Spread,
    Variant,
    median_of,
    spread_of,
)
from observability.eventlog.log import NOBODY, Log

SECOND = 1_000_000.0
HOUR = 3_600 * 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END = NOBODY
# Up to how many seconds, and what that is called.
BANDS = (
    (3_600, "up to 1 h"), (14_400, "1–4 h"), (86_400, "4–24 h"), (3 * 86_400, "1–3 d"), (7 * 86_400, "3–7 d"),
    (14 * 86_400, "7–14 d"), (30 * 86_400, "14–30 d"), (90 * 86_400, "30–90 d"), (180 * 86_400, "90–180 d"),
    (365 * 86_400, "180–365 d"), (float("inf"), "over a year"),
)  # fmt: skip
Tell = Callable[[int], Any]


def discover(log: Log, *, zone: tzinfo = UTC, tell: Tell = lambda events: None) -> Figures:
    """The figures of a log; weekdays and months are those of `zone`. `tell` hears now and then how many events were
    counted."""
    count = _Count(log)
    seen = 0
    for group in log.by_case():
        count.case(group)
        seen += len(group)
        tell(seen)
    return count.figures(zone)


class _Count:
    """Counts a log case by case."""

    def __init__(self, log: Log) -> None:
        self.log = log
        kinds = len(log.activities.numbers)
        self.waits: dict[tuple[int, int], array[float]] = defaultdict(lambda: array("d"))
        self.next: list[Counter[int]] = [Counter() for _ in range(kinds)]
        self.worked = [array("d") for _ in range(kinds)]
        self.events, self.in_cases, self.again = [0] * kinds, [0] * kinds, [0] * kinds
        self.starts, self.ends = [0] * kinds, [0] * kinds
        self.variants: dict[tuple[int, ...], array[float]] = defaultdict(lambda: array("d"))
        self.durations, self.lengths, self.costs = array("d"), array("d"), array("d")
        self.begun = array("q")
        self.rework_cases = self.handovers = self.overlaps = 0
        # Where a log tells when work began and ended, only what was completed again is rework.
        names = log.transitions.names()
        self.completed = {number for number, name in enumerate(names) if name.lower() == "complete"}

    def case(self, group: Sequence[int]) -> None:
        """Count one case: the places of its events, in their order."""
        log = self.log
        activity, start, end = log.activity, log.start, log.end
        path = tuple([activity[place] for place in group])
        seen = set(path)
        first, last = start[group[0]], max([end[place] for place in group])
        seconds = (last - first) / SECOND
        self.durations.append(seconds)
        self.lengths.append(len(path))
        self.begun.append(first)
        self.variants[path].append(seconds)
        self.starts[path[0]] += 1
        self.ends[path[-1]] += 1
        self.next[path[-1]][END] += 1
        for each in seen:
            self.in_cases[each] += 1
        if log.has_cost:
            self.costs.append(sum([log.cost[place] for place in group]) / SECOND)
        self._steps(group, path)
        self._rework(group, path)

    def _steps(self, group: Sequence[int], path: Sequence[int]) -> None:
        log = self.log
        start, end, resource, worked = log.start, log.end, log.resource, self.worked
        before, done, who = END, 0, NOBODY
        for place, kind in zip(group, path, strict=True):
            self.events[kind] += 1
            if log.has_start:
                worked[kind].append((end[place] - start[place]) / SECOND)
            if before != END:
                self.waits[before, kind].append((start[place] - done) / SECOND)
                self.next[before][kind] += 1
                self.overlaps += start[place] < done
                self.handovers += who != resource[place] and who != NOBODY and resource[place] != NOBODY
            before, done, who = kind, end[place], resource[place]

    def _rework(self, group: Sequence[int], path: Sequence[int]) -> None:
        came: set[int] = set()
        is_rework = False
        for place, kind in zip(group, path, strict=True):
            if self.completed and self.log.transition[place] not in self.completed:
                continue
            if kind in came:
                self.again[kind] += 1
                is_rework = True
            came.add(kind)
        self.rework_cases += is_rework

    def figures(self, zone: tzinfo) -> Figures:
        """What was counted."""
        log = self.log
        week, weekend = _week(log, zone)
        activities, order = self._activities()
        first, last = min(log.end), max(log.end)
        return Figures(
            cases=len(self.durations), events=len(log), first=_moment(first), last=_moment(last),
            days=round((last - min(log.start)) / SECOND / 86_400, 4), zone=str(zone), has_start=log.has_start,
            has_cost=log.has_cost, duration=spread_of(self.durations), events_per_case=spread_of(self.lengths),
            cost=spread_of(self.costs), worked_total=round(sum(map(sum, self.worked)), 3),
            rework_cases=self.rework_cases, repeated_events=sum(self.again), handovers=self.handovers,
            nobody_events=log.resource.count(NOBODY) if log.has_resource else 0, weekend_events=weekend,
            overlaps=self.overlaps, activity_count=len(log.activities.numbers),
            resource_count=len(log.resources.numbers), variant_count=len(self.variants), edge_count=len(self.waits),
            lifecycles=_named(Counter(log.transition), log.transitions.names()), activities=activities,
            edges=self._edges(order), variants=self._variants(order), resources=_resources(log), week=week,
            months=_months(self.begun, zone), durations=_bands(self.durations),
        )  # fmt: skip

    def _activities(self) -> tuple[list[Activity], dict[int, int]]:
        names = self.log.activities.names()
        before: list[array[float]] = [array("d") for _ in names]
        for (_, target), waits in self.waits.items():
            before[target].extend(waits)
        kinds = sorted((kind for kind in range(len(names)) if self.events[kind]), key=lambda kind: -self.events[kind])
        kept = kinds[:KEPT_AT_MOST]
        return [self._activity(kind, names, before[kind]) for kind in kept], {kind: at for at, kind in enumerate(kept)}

    def _activity(self, kind: int, names: Sequence[str], before: Sequence[float]) -> Activity:
        follows, often = max(self.next[kind].items(), key=lambda each: (each[1], -each[0]))
        return Activity(
            names[kind], self.events[kind], self.in_cases[kind], self.again[kind], self.starts[kind], self.ends[kind],
            spread_of(before), spread_of(self.worked[kind]), "" if follows == END else names[follows],
            round(often / self.events[kind], 4),
        )  # fmt: skip

    def _edges(self, order: dict[int, int]) -> list[Edge]:
        ways = sorted(self.waits.items(), key=lambda each: (-len(each[1]), each[0]))
        kept = [(pair, waits) for pair, waits in ways if pair[0] in order and pair[1] in order][: 4 * KEPT_AT_MOST]
        return [Edge(order[source], order[target], len(waits), spread_of(waits)) for (source, target), waits in kept]

    def _variants(self, order: dict[int, int]) -> list[Variant]:
        ways = sorted(self.variants.items(), key=lambda each: (-len(each[1]), each[0]))[:KEPT_AT_MOST]
        all_cases = len(self.durations)
        return [
            Variant([order.get(kind, END) for kind in path], len(times), _part(len(times), all_cases), median_of(times))
            for path, times in ways
        ]


def _part(some: int, of_all: int) -> float:
    return round(some / of_all, 6)


def _resources(log: Log) -> list[Resource]:
    events, worked = Counter[int](), defaultdict[int, int](int)
    did, cases = defaultdict[int, set[int]](set), defaultdict[int, set[int]](set)
    for place, who in enumerate(log.resource):
        if who == NOBODY:
            continue
        events[who] += 1
        did[who].add(log.activity[place])
        cases[who].add(log.case[place])
        worked[who] += log.end[place] - log.start[place]
    names = log.resources.names()
    most = sorted(events.items(), key=lambda each: (-each[1], names[each[0]]))[:KEPT_AT_MOST]
    return [
        Resource(names[who], count, len(did[who]), len(cases[who]), round(worked[who] / SECOND, 3))
        for who, count in most
    ]


def _week(log: Log, zone: tzinfo) -> tuple[list[list[int]], int]:
    by_hour: Counter[int] = Counter(moment // HOUR for moment in log.end)
    week = [[0] * 24 for _ in range(7)]
    for hour, count in by_hour.items():
        at = _local(hour, zone)
        week[at.weekday()][at.hour] += count
    return week, sum(week[5]) + sum(week[6])


def _months(begun: Sequence[int], zone: tzinfo) -> dict[str, int]:
    months: Counter[str] = Counter()
    for hour, count in Counter(moment // HOUR for moment in begun).items():
        months[_local(hour, zone).strftime("%Y-%m")] += count
    return dict(sorted(months.items()))


@lru_cache(maxsize=50_000)
def _local(hour: int, zone: tzinfo) -> datetime:
    return (_EPOCH + timedelta(hours=hour)).astimezone(zone)


def _bands(durations: Sequence[float]) -> list[tuple[str, int]]:
    counted: Counter[str] = Counter()
    for seconds in durations:
        counted[next(name for most, name in BANDS if seconds <= most)] += 1
    return [(name, counted[name]) for _, name in BANDS]


def _named(counted: Counter[int], names: Sequence[str]) -> dict[str, int]:
    return {names[number]: count for number, count in counted.most_common() if number != NOBODY}


def _moment(microseconds: int) -> str:
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat()


__all__ = ["BANDS", "Figures", "Spread", "discover"]
