"""Workflows, rules: steps and ways put on a grid of columns and rows: what follows stands to the right, what branches
off below, each lane in a band of its own. Plain values; `laying` draws them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from workflows.plan.placing import Box

ROOM, NARROW, WIDE = 30.0, 52.0, 108.0
LEAST_ROW, LEAST_BAND, CHANNEL = 72.0, 130.0, 18.0
# Beyond this the long ways of a huge file are not kept clear of what they pass.
MOST_STOPS = 20_000

Point = tuple[float, float]


@dataclass(frozen=True)
class Way:
    """A way between two steps; `leaves` is the event on the edge of the source where it begins, `wide` asks for room
    for its words."""

    id: str
    source: str
    target: str
    leaves: str = ""
    wide: bool = False


@dataclass
class Cell:
    """What stands on the grid: a step, or a stop of a way on its way past others. `space` is the height that it needs
    with what hangs on it."""

    id: str
    wide: float = 0.0
    high: float = 0.0
    space: float = 0.0
    band: int = 0
    from_below: bool = False
    is_stop: bool = False
    col: int = 0
    row: int = 0
    x: float = 0.0
    y: float = 0.0

    @property
    def box(self) -> Box:
        return Box(self.x, self.y, self.wide, self.high)


@dataclass
class Grid:
    """The steps of one scope with their places, once arranged; all places count from its upper left corner."""

    cells: dict[str, Cell]
    ways: Sequence[Way]
    bands: int = 1
    edges: Mapping[str, Point] = field(default_factory=dict)  # where on its edge an event hangs, from its step's corner
    width: float = 0.0
    height: float = 0.0
    band_heights: list[float] = field(default_factory=list)

    def arrange(self) -> None:
        """Give each step its column, its row and its place."""
        back = _turning_back(self.cells, self.ways)
        self._back = {name: number for number, name in enumerate(sorted(back))}
        self._columns()
        self._stops()
        self._rows()
        self._measure()

    # --- columns and rows -------------------------------------------------------------------------------------------
    def _columns(self) -> None:
        onward = [way for way in self.ways if way.id not in self._back]
        following: dict[str, list[str]] = defaultdict(list)
        waits = dict.fromkeys(self.cells, 0)
        for way in onward:
            following[way.source].append(way.target)
            waits[way.target] += 1
        ready = [name for name, count in waits.items() if not count]
        while ready:
            name = ready.pop()
            for target in following[name]:
                self.cells[target].col = max(self.cells[target].col, self.cells[name].col + 1)
                waits[target] -= 1
                if not waits[target]:
                    ready.append(target)

    def _stops(self) -> None:
        """A way that passes columns stops in each of them, so that nothing stands in it."""
        self._chain: dict[str, list[str]] = {}
        made = 0
        for way in self.ways:
            source, target = self.cells[way.source], self.cells[way.target]
            between = range(source.col + 1, target.col) if way.id not in self._back else range(0)
            made += len(between)
            chain = []
            for col in between if made <= MOST_STOPS else ():
                stop = Cell(f"{way.id} at {col}", space=LEAST_ROW / 2, band=target.band, is_stop=True, col=col)
                self.cells[stop.id] = stop
                chain.append(stop.id)
            self._chain[way.id] = [*chain, way.target]

    def _rows(self) -> None:
        before: dict[str, list[tuple[str, bool]]] = defaultdict(list)
        for way in self.ways:
            if way.id not in self._back:
                for place, (one, other) in enumerate(pairwise([way.source, *self._chain[way.id]])):
                    before[other].append((one, bool(way.leaves) and not place))
        self._standing = columns = defaultdict[int, list[Cell]](list)
        for cell in self.cells.values():
            columns[cell.col].append(cell)
        for col in sorted(columns):
            taken: set[tuple[int, int]] = set()
            wanted = {cell.id: self._wanted_row(cell, before[cell.id]) for cell in columns[col]}
            for cell in sorted(columns[col], key=lambda each: (wanted[each.id], each.is_stop)):
                cell.row = wanted[cell.id]
                while (cell.band, cell.row) in taken:
                    cell.row += 1
                taken.add((cell.band, cell.row))

    def _wanted_row(self, cell: Cell, before: Iterable[tuple[str, bool]]) -> int:
        rows = [
            self.cells[name].row + hangs for name, hangs in before if self.cells[name].band == cell.band
        ]  # fmt: skip
        return min(rows, default=0)

    # --- measures ---------------------------------------------------------------------------------------------------
    def _measure(self) -> None:
        columns = 1 + max((cell.col for cell in self.cells.values()), default=0)
        widths, self._gaps = [0.0] * columns, [NARROW] * (columns + 1)
        heights: dict[tuple[int, int], float] = defaultdict(lambda: LEAST_ROW / 2)
        for cell in self.cells.values():
            widths[cell.col] = max(widths[cell.col], cell.wide)
            place = (cell.band, cell.row)
            heights[place] = max(heights[place], cell.space, cell.high)
        for way in self.ways:
            if way.wide:
                self._gaps[self.cells[way.source].col + 1] = WIDE
        self._lefts = [NARROW]
        for col, wide in enumerate(widths):
            self._lefts.append(self._lefts[col] + wide + self._gaps[col + 1])
        tops: dict[tuple[int, int], float] = {}
        y = 0.0
        for band in range(self.bands):
            begins = y
            y += ROOM
            for row in range(1 + max((row for at, row in heights if at == band), default=0)):
                tops[band, row] = y
                y += heights[band, row] + ROOM
            y = max(y, begins + LEAST_BAND) if self.bands > 1 else y
            self.band_heights.append(y - begins)
        for cell in self.cells.values():
            middle = tops[cell.band, cell.row] + heights[cell.band, cell.row] / 2
            cell.x = self._lefts[cell.col] + (widths[cell.col] - cell.wide) / 2
            cell.y = middle - cell.high / 2
        back = len(self._back)
        self.width = self._lefts[columns] - self._gaps[columns] + NARROW
        self.height = y + (back * CHANNEL + ROOM / 2 if back else 0)
        if back:
            self.band_heights[-1] += self.height - y
        self._floor = y

    # --- ways -------------------------------------------------------------------------------------------------------
    def line(self, way: Way) -> list[Point]:
        """The corners of a way."""
        source = self.cells[way.source]
        if way.id in self._back:
            return self._line_back(way, source)
        line, y = self._leave(way, source)
        for name in self._chain[way.id]:
            cell = self.cells[name]
            middle = cell.y + cell.high / 2
            if abs(middle - y) > 0.5:
                x = self._gap(cell.col, source)
                line += [(x, y), (x, middle)]
                y = middle
        target = self.cells[way.target]
        return _straight([*line, (target.x, y)])

    def _gap(self, col: int, source: Cell) -> float:
        """Where between two columns a way turns; ways of different rows side by side."""
        wide = self._gaps[col]
        return self._lefts[col] - 26 + (source.row + source.band) % 3 * 6 - (6 if wide == WIDE else 0)

    def _leave(self, way: Way, source: Cell) -> tuple[list[Point], float]:
        first = self.cells[self._chain[way.id][0]]
        aim = first.y + first.high / 2
        if way.leaves:
            x, y = self.edges[way.leaves][0] + source.x + 18, self.edges[way.leaves][1] + source.y + 36
            if aim > y + 8 and self._is_free(source, y, aim):
                return [(x, y), (x, aim)], aim
            return [(x, y), (x, y + 14)], y + 14
        middle = source.y + source.high / 2
        if source.from_below and abs(aim - middle) > 0.5:
            x, y = source.x + source.wide / 2, source.y + source.high if aim > middle else source.y
            if self._is_free(source, y, aim):
                return [(x, y), (x, aim)], aim
        return [(source.x + source.wide, middle)], middle

    def _is_free(self, source: Cell, y: float, aim: float) -> bool:
        """Whether nothing else stands in the column between two heights."""
        low, high = sorted((y, aim))
        return not any(
            cell is not source and cell.y + cell.high / 2 + cell.space / 2 > low
            and cell.y + cell.high / 2 - cell.space / 2 < high for cell in self._standing[source.col]
        )  # fmt: skip

    def _line_back(self, way: Way, source: Cell) -> list[Point]:
        """Down beside the source, along below everything, and up before the target."""
        target = self.cells[way.target]
        floor = self._floor + ROOM / 2 + self._back[way.id] * CHANNEL - ROOM / 3
        right, left = self._lefts[source.col + 1] - self._gaps[source.col + 1] + 18, self._lefts[target.col] - 18
        begins = source.x + source.wide, source.y + source.high / 2
        line = [begins]
        if way.leaves:
            x, y = self.edges[way.leaves][0] + source.x + 18, self.edges[way.leaves][1] + source.y + 36
            line = [(x, y), (x, y + 14)]
        ends = target.y + target.high / 2
        return _straight([
            *line, (right, line[-1][1]), (right, floor), (left, floor), (left, ends), (target.x, ends)
        ])  # fmt: skip


def _turning_back(cells: Iterable[str], ways: Iterable[Way]) -> set[str]:
    """The ways that lead back to where a run came from, so that the others have an order."""
    onward: dict[str, list[Way]] = defaultdict(list)
    entered = set()
    for way in ways:
        onward[way.source].append(way)
        entered.add(way.target)
    names = list(cells)
    back: set[str] = set()
    done: set[str] = set()
    for begin in [*(name for name in names if name not in entered), *names]:
        if begin in done:
            continue
        open_here, waiting = {begin}, [(begin, iter(onward[begin]))]
        while waiting:
            name, ahead = waiting[-1]
            following = next(ahead, None)
            if following is None:
                waiting.pop()
                open_here.discard(name)
                done.add(name)
            elif following.target in open_here:
                back.add(following.id)
            elif following.target not in done:
                open_here.add(following.target)
                waiting.append((following.target, iter(onward[following.target])))
    return back


def _straight(points: Iterable[Point]) -> list[Point]:
    """The corners without those that lie on each other, or on the line between their neighbours."""
    line: list[Point] = []
    for point in points:
        if line and point == line[-1]:
            continue
        on_line = len(line) > 1 and any(line[-2][axis] == line[-1][axis] == point[axis] for axis in (0, 1))
        if on_line:
            line[-1] = point
        else:
            line.append(point)
    return line
