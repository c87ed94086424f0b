"""Rules of observability: the figures of a log, as they are kept and shown. Times in seconds, money in the log's own
currency, shares from 0 to 1."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

KEPT_AT_MOST = 500


@dataclass(frozen=True)
class Spread:
    """How values are spread: middle, middle half, the tenth above, mean and sum."""

    count: int = 0
    total: float = 0.0
    mean: float = 0.0
    least: float = 0.0
    lower: float = 0.0
    median: float = 0.0
    upper: float = 0.0
    p90: float = 0.0
    most: float = 0.0


def spread_of(values: Sequence[float]) -> Spread:
    """The spread of these values; between two of them a quantile is a straight line."""
    if not values:
        return Spread()
    ordered = sorted(values)
    total = sum(ordered)
    lower, median, upper, p90 = (round(quantile(ordered, share), 3) for share in (0.25, 0.5, 0.75, 0.9))
    mean, least, most = (round(each, 3) for each in (total / len(ordered), ordered[0], ordered[-1]))
    return Spread(len(ordered), round(total, 3), mean, least, lower, median, upper, p90, most)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def median_of(values: Sequence[float]) -> float:
    """The value in the middle, to the millisecond."""
    return round(quantile(sorted(values), 0.5), 3)


@dataclass(frozen=True)
class Activity:
    """One activity: how often, in how many cases, how long it waited and was worked on, what came next. `foretold` is
    the share of its events that the most frequent next step, or the end, follows."""

    name: str
    events: int
    cases: int
    repeats: int
    starts: int
    ends: int
    wait: Spread
    worked: Spread
    next_step: str
    foretold: float


@dataclass(frozen=True)
class Edge:
    """How often one activity came directly after another, and the time between them."""

    source: int
    target: int
    count: int
    wait: Spread


@dataclass(frozen=True)
class Variant:
    """One way through the process: the numbers of its activities, how many cases took it, their median seconds."""

    path: Sequence[int]
    cases: int
    share: float
    median: float


@dataclass(frozen=True)
class Resource:
    """What one resource did."""

    name: str
    events: int
    activities: int
    cases: int
    worked: float


@dataclass(frozen=True)
class Figures:
    """All figures of one log. Lists are the most frequent first and at most `KEPT_AT_MOST` long, edges four times that;
    the counts beside them are of all. `week` counts events by weekday (Monday first) and hour, `months` begun cases."""

    cases: int
    events: int
    first: str
    last: str
    days: float
    zone: str
    has_start: bool
    has_cost: bool
    duration: Spread
    events_per_case: Spread
    cost: Spread
    worked_total: float
    rework_cases: int
    repeated_events: int
    handovers: int
    nobody_events: int
    weekend_events: int
    overlaps: int
    activity_count: int
    resource_count: int
    variant_count: int
    edge_count: int
    lifecycles: Mapping[str, int] = field(default_factory=dict)
    activities: Sequence[Activity] = ()
    edges: Sequence[Edge] = ()
    variants: Sequence[Variant] = ()
    resources: Sequence[Resource] = ()
    week: Sequence[Sequence[int]] = ()
    months: Mapping[str, int] = field(default_factory=dict)
    durations: Sequence[tuple[str, int]] = ()

    def as_json(self) -> dict[str, Any]:
        """The figures as plain lists and dicts."""
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """The figures from what `as_json` made."""
        activities = [
            Activity(**{**each, "wait": Spread(**each["wait"]), "worked": Spread(**each["worked"])})
            for each in kept["activities"]
        ]
        spreads = {name: Spread(**kept[name]) for name in ("duration", "events_per_case", "cost")}
        return cls(**{
            **kept, **spreads, "activities": activities,
            "edges": [Edge(**{**each, "wait": Spread(**each["wait"])}) for each in kept["edges"]],
            "variants": [Variant(**each) for each in kept["variants"]],
            "resources": [Resource(**each) for each in kept["resources"]],
        })  # fmt: skip

    @property
    def cases_per_day(self) -> float:
        """How many cases began each day of the log, weekends among them."""
        return self.cases / max(self.days, 1.0)

    @property
    def rework_share(self) -> float:
        """The share of cases in which an activity came again."""
        return self.rework_cases / self.cases if self.cases else 0.0
