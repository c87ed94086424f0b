"""Rules of observability: the rows of a CSV log, with its delimiter and head found out."""

import csv
from collections.abc import Iterator
from itertools import chain, islice

from observability.eventlog.opening import Lines, LogUnreadable, Plain

COLUMNS_AT_MOST = 200
SAMPLE_LINES = 50
_DELIMITERS = ",;\t|"


class Table:
    """A CSV file: the names of its columns, and its rows with the number of the line on which each ends."""

    def __init__(self, plain: Plain) -> None:
        self.lines = Lines(plain)
        lines = iter(self.lines)
        sample = list(islice(lines, SAMPLE_LINES))
        self.delimiter = delimiter_of(sample)
        self._reader = csv.reader(chain(sample, lines), delimiter=self.delimiter)
        self.names = _named(next(self._reader, []))
        self.broken_quotes: list[int] = []

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line, values) of each row that is not empty; a row of broken quotes has no values."""
        reader = self._reader
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield reader.line_num, []
                continue
            if row:
                yield reader.line_num, row


def delimiter_of(lines: list[str]) -> str:
    """The delimiter that cuts most lines into as many pieces as the first; a comma when none cuts it."""

    def fit(mark: str) -> tuple[int, int]:
        rows = [row for row in csv.reader(lines, delimiter=mark) if row]
        wide = len(rows[0]) if rows else 0
        return (sum(len(row) == wide for row in rows) if wide > 1 else 0, wide)

    try:
        return max(_DELIMITERS, key=fit)
    except csv.Error as broken:
        raise LogUnreadable("The first lines are no CSV: a quote is never closed. Export the log again.") from broken


def _named(head: list[str]) -> list[str]:
    names = [name.strip() for name in head]
    if len(names) < 2:
        said = (
            "The first line names fewer than two columns. A log needs a case, an activity and a time in each row, and a"
        )
        raise LogUnreadable(f"{said} first line that names them.")
    if len(names) > COLUMNS_AT_MOST:
        raise LogUnreadable(f"The log has over {COLUMNS_AT_MOST} columns. Send the ones that matter.")
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        name = name[:100] or f"column {place + 1}"
        seen[name] = seen.get(name, 0) + 1
        names[place] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return names
