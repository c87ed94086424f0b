"""Rules of observability: a log file read into columns of numbers, and its first rows for whoever says what is what."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import IO, Any

from observability.eventlog.columns import Columns, columns_guessed
from observability.eventlog.log import NOBODY, Limits, Log
from observability.eventlog.opening import LogUnreadable, Plain, is_xml, opened
from observability.eventlog.tables import Table
from observability.eventlog.times import Clock, could_be_both, zone_of
from observability.eventlog.xes import traces

HEAD_ROWS = 20
TELL_EVERY = 5_000
CASE = "case:"
MILLION = 1_000_000
Tell = Callable[[int], Any]
Row = tuple[int, Sequence[str]]


@dataclass(frozen=True)
class Head:
    """How a log begins: its format, the names of its columns, its first rows, and what its columns most likely are."""

    format: str
    names: list[str]
    rows: list[list[str]]
    guessed: Columns
    notes: list[str]


def head_of(file: IO[bytes], limits: Limits) -> Head:
    """The beginning of a log. Raises LogUnreadable for what is no log, with what to do."""
    plain = opened(file, unpacked_at_most=limits.unpacked_bytes)
    if is_xml(plain):
        names, rows = _xes_head(plain)
        notes = []
        format = "XES"
    else:
        table = Table(plain)
        names, rows = table.names, [_cut(row) for _, row in islice(table.rows(), HEAD_ROWS)]
        format = "CSV"
        notes = _notes_on(table)
    if not rows:
        raise LogUnreadable("The log has no events. Export it again.")
    guessed = columns_guessed(names, rows)
    if guessed.time and could_be_both([row[names.index(guessed.time)] for row in rows if len(row) == len(names)]):
        notes.append("Day and month could change places in these dates: choose how they are written.")
    return Head(format, names, rows, guessed, notes)


def _cut(row: Sequence[str]) -> list[str]:
    return [value[:120] for value in row]


def _notes_on(table: Table) -> list[str]:
    if table.lines.foreign:
        return ["Some text is not UTF-8; it is read as Latin-1 (Windows-1252)."]
    return []


def _xes_head(plain: Plain) -> tuple[list[str], list[list[str]]]:
    found = [flat for flat, _ in zip(_flat(plain), range(HEAD_ROWS), strict=False)]
    names = list(dict.fromkeys(name for _, values in found for name in values))[:200]
    return names, [_cut([values.get(name, "") for name in names]) for _, values in found]


def _flat(plain: Plain) -> Iterator[tuple[int, dict[str, str]]]:
    for about, events in traces(plain):
        case = {f"{CASE}{name}": value for name, value in about.items()}
        for line, values in events:
            yield line, {**case, **values}


def read(file: IO[bytes], columns: Columns, limits: Limits, tell: Tell = lambda events: None) -> Log:
    """The log, its events by number, and what was wrong with which row. `tell` hears now and then how many rows were
    read. Raises LogUnreadable when the file, or so much of it, cannot be read."""
    missing = [role for role in ("case", "activity", "time") if not getattr(columns, role)]
    if missing:
        said = f"Nothing says which column is the {' and the '.join(missing)}. Choose one for each."
        raise LogUnreadable(said)
    plain = opened(file, unpacked_at_most=limits.unpacked_bytes)
    log = Log(limits)
    clock = Clock(columns.shape, zone_of(columns.zone))
    taking = _Taking(log, columns, clock)
    if is_xml(plain):
        _take(taking.row, _xes_rows(plain, taking.chosen), tell)
    else:
        _read_table(plain, taking, tell)
    if not len(log):
        first = f" The first: line {log.errors[0].line}, {log.errors[0].problem}." if log.errors else ""
        said = f"No row of the log could be read as an event; {log.error_count:,} have errors.{first}"
        raise LogUnreadable(f"{said} Look at which column is what, and at how times are written.")
    taking.note()
    return log


def _read_table(plain: Plain, taking: "_Taking", tell: Tell) -> None:
    table = Table(plain)
    lacking = [name for name in taking.chosen if name not in table.names]
    if lacking:
        raise LogUnreadable(f"The log has no column {lacking[0]}. Its columns are: {', '.join(table.names)[:500]}.")
    places = [table.names.index(name) for name in taking.chosen]
    wide = len(table.names)
    _take(taking.row, _table_rows(table, places, wide, taking.log), tell)
    if table.lines.foreign:
        said = f"{table.lines.foreign:,} lines are not UTF-8; they were read as Latin-1 (Windows-1252)."
        taking.log.notes.append(said)


def _table_rows(table: Table, places: list[int], wide: int, log: Log) -> Iterator[Row]:
    least = max(places)
    for line, row in table.rows():
        if len(row) > wide or len(row) <= least:
            said = (
                "has a quote that is never closed" if not row else f"has {len(row)} values and the head {wide} columns"
            )
            log.refuse(line, "", f"the row {said}: correct it, or leave it out")
            continue
        yield line, [row[place] for place in places]


def _xes_rows(plain: Plain, chosen: Sequence[str]) -> Iterator[Row]:
    for about, events in traces(plain):
        case = {f"{CASE}{name}": value for name, value in about.items()}
        for line, values in events:
            yield line, [values[name] if name in values else case.get(name, "") for name in chosen]


def _take(take: Callable[[int, Sequence[str]], None], rows: Iterator[Row], tell: Tell) -> None:
    for count, (line, values) in enumerate(rows, 1):
        take(line, values)
        if count % TELL_EVERY == 0:
            tell(count)


class _Taking:
    """Takes rows into a log: each value by the place of its column among the chosen ones."""

    def __init__(self, log: Log, columns: Columns, clock: Clock) -> None:
        self.log, self._columns, self._clock = log, columns, clock
        named = columns.named()
        self.chosen = list(named.values())
        roles = list(named)
        self._place = {role: roles.index(role) if role in roles else -1 for role in columns.__dataclass_fields__}
        self._no_costs = self._no_starts = 0
        log.has_start, log.has_resource, log.has_cost = bool(columns.start), bool(columns.resource), bool(columns.cost)

    def row(self, line: int, values: Sequence[str]) -> None:
        """Take one row, or count it among the errors."""
        place, log = self._place, self.log
        case, activity = values[place["case"]].strip(), values[place["activity"]].strip()
        if not case or not activity:
            role = "activity" if case else "case"
            return log.refuse(
                line, getattr(self._columns, role), f"there is no {role}: fill it in, or leave the row out"
            )
        longest = log.limits.characters
        if len(case) > longest or len(activity) > longest or "\0" in case or "\0" in activity:
            role = "case" if len(case) > longest or "\0" in case else "activity"
            said = f"the {role} is no short plain text (at most {longest} characters)"
            return log.refuse(line, getattr(self._columns, role), f"{said}: is this the right column?")
        self._timed(line, values, case, activity)
        return None

    def _timed(self, line: int, values: Sequence[str], case: str, activity: str) -> None:
        place, log = self._place, self.log
        end = self._moment(line, values, "time")
        if end is None:
            return None
        start = end
        if place["start"] >= 0 and values[place["start"]].strip():
            begun = self._moment(line, values, "start")
            if begun is None:
                return None
            if begun > end:
                said = "the work ends before it starts: correct the times, or choose the columns the other way round"
                return log.refuse(line, self._columns.start, said)
            start = begun
        elif place["start"] >= 0:
            self._no_starts += 1
        self._keep(values, case, activity, start, end)
        return None

    def _moment(self, line: int, values: Sequence[str], role: str) -> int | None:
        text = values[self._place[role]].strip()
        try:
            return self._clock.microseconds(text)
        except ValueError:
            shown = f"“{text[:40]}” is no time of the chosen kind" if text else "there is no time"
            self.log.refuse(line, getattr(self._columns, role), f"{shown}: correct it, or choose how times are written")
            return None

    def _keep(self, values: Sequence[str], case: str, activity: str, start: int, end: int) -> None:
        place, log = self._place, self.log
        transition = values[place["lifecycle"]].strip()[:100] if place["lifecycle"] >= 0 else ""
        if self._columns.with_lifecycle and transition:
            activity = f"{activity} [{transition}]"
        who = values[place["resource"]].strip().replace("\0", "")[: log.limits.characters] if log.has_resource else ""
        log.add(
            log.cases.number(case), log.activities.number(activity), start, end,
            log.resources.number(who) if who else NOBODY,
            log.transitions.number(transition.replace("\0", "")) if transition else NOBODY,
            self._cost(values[place["cost"]].strip()) if log.has_cost else 0,
        )  # fmt: skip

    def _cost(self, text: str) -> int:
        try:
            cost = Decimal(text) if text else Decimal()
        except InvalidOperation:
            cost = Decimal("NaN")
        if cost.is_finite() and abs(cost) < 10**12:
            return int(cost * MILLION)
        self._no_costs += 1
        return 0

    def note(self) -> None:
        """Say what was assumed."""
        notes, columns = self.log.notes, self._columns
        if self._clock.naive:
            notes.append(f"{self._clock.naive:,} times name no time zone; they were read as times of {columns.zone}.")
        if repeats := self.log.repeats():
            done = "counted as they stand" if columns.keep_repeats else "left out"
            notes.append(
                f"{len(repeats):,} events are there more than once, the same in all columns; they were {done}."
            )
            if not columns.keep_repeats:
                self.log.leave_out(set(repeats))
        if self._no_starts:
            notes.append(f"{self._no_starts:,} events have an end and no start; they count without time of work.")
        if self._no_costs:
            notes.append(f"{self._no_costs:,} costs are no numbers; they count as nothing.")
