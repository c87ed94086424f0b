"""Rules of observability: a log in memory, a column of numbers for each part of an event, so that half a million events
take tens of megabytes."""

from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from observability.eventlog.opening import LogUnreadable

NOBODY = -1


@dataclass(frozen=True)
class Limits:
    """How much of a log is read; what is beyond ends the reading with an error that says so."""

    events: int = 2_000_000
    cases: int = 1_000_000
    activities: int = 1_000
    resources: int = 50_000
    characters: int = 500  # of one case, activity or resource
    unpacked_bytes: int = 1_000_000_000
    errors_kept: int = 200


@dataclass(frozen=True)
class RowError:
    """What is wrong with one row, and what to do about it; the row is left out."""

    line: int
    column: str
    problem: str


@dataclass
class Names:
    """Names, each with its number in the order in which they came."""

    what: str
    advice: str
    at_most: int
    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """The number of a name. Raises LogUnreadable when there are too many."""
        found = self.numbers.get(name)
        if found is None:
            if len(self.numbers) >= self.at_most:
                raise LogUnreadable(f"The log has over {self.at_most:,} {self.what}. {self.advice}")
            found = self.numbers[name] = len(self.numbers)
        return found

    def names(self) -> list[str]:
        """All names, each in the place of its number."""
        return list(self.numbers)


class Log:
    """The events of a log, in the order of the file until `in_order`; moments in microseconds since 1970, UTC."""

    def __init__(self, limits: Limits) -> None:
        other = "Choose another column, or send a shorter period of the log."
        self.limits = limits
        self.cases = Names("cases", other, limits.cases)
        self.activities = Names("different activities", "Is this column free text? Choose another.", limits.activities)
        self.resources = Names("different resources", other, limits.resources)
        self.transitions = Names("different transitions", other, limits.activities)
        self.case, self.activity, self.resource = array("l"), array("l"), array("l")
        self.start, self.end = array("q"), array("q")
        self.transition, self.cost = array("l"), array("q")  # of each event; costs in millionths
        self.errors: list[RowError] = []
        self.error_count = 0
        self.notes: list[str] = []
        self.has_start = self.has_resource = self.has_cost = False

    def __len__(self) -> int:
        return len(self.case)

    def add(
        self, case: int, activity: int, start: int, end: int, resource: int, transition: int = NOBODY, cost: int = 0
    ) -> None:
        """One more event. Raises LogUnreadable beyond the limit."""
        if len(self.case) >= self.limits.events:
            raise LogUnreadable(f"The log has over {self.limits.events:,} events. Send a shorter period of it.")
        self.case.append(case)
        self.activity.append(activity)
        self.start.append(start)
        self.end.append(end)
        self.resource.append(resource)
        self.transition.append(transition)
        self.cost.append(cost)

    def repeats(self) -> list[int]:
        """The places of the events that are there already: the same in all that is kept of them."""
        found: list[int] = []
        for group in self.by_case():
            seen: set[tuple[int, ...]] = set()
            for place in group:
                event = (
                    self.activity[place], self.start[place], self.end[place], self.resource[place],
                    self.transition[place], self.cost[place],
                )  # fmt: skip
                if event in seen:
                    found.append(place)
                seen.add(event)
        return found

    def leave_out(self, places: Collection[int]) -> None:
        """Take these events out."""
        for name in ("case", "activity", "resource", "start", "end", "transition", "cost"):
            column: array[int] = getattr(self, name)
            setattr(self, name, array(column.typecode, (each for at, each in enumerate(column) if at not in places)))

    def refuse(self, line: int, column: str, problem: str) -> None:
        """Count a row that is left out; the first ones are kept to be shown."""
        self.error_count += 1
        if len(self.errors) < self.limits.errors_kept:
            self.errors.append(RowError(line, column, problem))

    def by_case(self) -> Iterator[list[int]]:
        """The places of the events of each case, by start, then end, then the order of the file."""
        groups: list[list[int]] = [[] for _ in range(len(self.cases.numbers))]
        for place, case in enumerate(self.case):
            groups[case].append(place)
        start, end = self.start, self.end
        for group in groups:
            if len(group) > 1:
                group.sort(key=lambda place: (start[place], end[place]))
            if group:
                yield group
