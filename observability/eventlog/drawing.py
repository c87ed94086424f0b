"""Rules of observability: the map of a process: its activities in layers and the ways between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from observability.eventlog.figures import Edge, Figures

WIDE, HIGH, GAP, FALL, EDGE = 168, 42, 26, 64, 30
EDGES_EACH = 2
START, END = -1, -2


class Shows(StrEnum):
    """What the ways of the map tell: how often they were taken, or how long work waited on them."""

    FREQUENCY = "frequency"
    WAITING = "waiting"


@dataclass(frozen=True)
class Box:
    """An activity, the start or the end: its middle at the top and its size, how often it was, and how strong from 0 to
    4 its colour is."""

    number: int
    name: str
    x: int
    y: int
    events: int
    strength: int


@dataclass(frozen=True)
class Line:
    """A way between two boxes: an SVG path, its count and median seconds, its thickness from 1 to 5, the place of its
    words, and whether it leads back."""

    source: str
    target: str
    path: str
    count: int
    median: float
    thickness: int
    x: int
    y: int
    is_back: bool


@dataclass(frozen=True)
class Map:
    """The map: its size, boxes and lines; `hidden` counts the activities that are not on it."""

    width: int
    height: int
    boxes: Sequence[Box]
    lines: Sequence[Line]
    hidden: int


def map_of(figures: Figures, *, top: int, shows: Shows = Shows.FREQUENCY) -> Map:
    """The `top` most frequent activities and the ways between them that matter: each keeps its most frequent way in and
    out, then come the most frequent others, until there are twice as many ways as activities."""
    kept = range(min(top, len(figures.activities)))
    edges = _edges(figures, len(kept))
    layer = _layers(figures, len(kept), edges)
    places = _placed(layer)
    width = max(x for x, _ in places.values()) + WIDE // 2 + 3 * EDGE
    height = max(y for _, y in places.values()) + HIGH + EDGE // 2
    most = max((figures.activities[number].events for number in kept), default=1)
    boxes = [
        Box(number, figures.activities[number].name, *places[number], figures.activities[number].events,
            4 * figures.activities[number].events // most)
        for number in kept
    ]  # fmt: skip
    boxes += [Box(END_AT, word, *places[END_AT], figures.cases, 0) for END_AT, word in ((START, "Start"), (END, "End"))]
    return Map(width, height, boxes, _lines(figures, edges, places, layer, shows), len(figures.activities) - len(kept))


Ways = dict[tuple[int, int], tuple[int, float]]


def _edges(figures: Figures, kept: int) -> Ways:
    inner = [each for each in figures.edges if each.source < kept and each.target < kept]
    chosen: dict[tuple[int, int], Edge] = {}
    for end in ("source", "target"):
        best: dict[int, Edge] = {}
        for each in inner:
            if each.source != each.target:
                best.setdefault(getattr(each, end), each)
        chosen.update({(each.source, each.target): each for each in best.values()})
    for each in inner:
        if len(chosen) >= EDGES_EACH * kept:
            break
        chosen.setdefault((each.source, each.target), each)
    ways: Ways = {pair: (each.count, each.wait.median) for pair, each in chosen.items()}
    least = figures.cases // 50
    for number in range(kept):
        activity = figures.activities[number]
        if activity.starts > least:
            ways[START, number] = (activity.starts, 0.0)
        if activity.ends > least:
            ways[number, END] = (activity.ends, 0.0)
    return ways


def _layers(figures: Figures, kept: int, edges: Ways) -> dict[int, int]:
    # From the start always along the most frequent way to what has no place yet: so what mostly follows stands below.
    layer = {START: 0}
    ways = sorted(((count, pair) for pair, (count, _) in edges.items() if END not in pair), reverse=True)
    left = set(range(kept))
    while left:
        step = next((pair for _, pair in ways if pair[0] in layer and pair[1] in left), None)
        target = step[1] if step else min(left)
        layer[target] = layer[step[0]] + 1 if step else 1
        left.discard(target)
    layer[END] = max(layer.values()) + 1
    return layer


def _placed(layer: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    rows: dict[int, list[int]] = {}
    for number, at in layer.items():
        rows.setdefault(at, []).append(number)
    widest = max(len(row) for row in rows.values())
    middle = 2 * EDGE + (widest * (WIDE + GAP) - GAP) // 2
    places = {}
    for at, row in rows.items():
        first = middle - (len(row) - 1) * (WIDE + GAP) // 2
        for nth, number in enumerate(row):
            places[number] = (first + nth * (WIDE + GAP), EDGE // 2 + at * (HIGH + FALL))
    return places


def _lines(
    figures: Figures, edges: Ways, places: Mapping[int, tuple[int, int]], layer: Mapping[int, int], shows: Shows
) -> list[Line]:
    values = [count if shows is Shows.FREQUENCY else median for count, median in edges.values()]
    most = max([1.0, *values])
    names = {START: "Start", END: "End"} | {at: each.name for at, each in enumerate(figures.activities)}
    lines = []
    for (source, target), (count, median) in sorted(edges.items(), key=lambda each: -each[1][0]):
        value = count if shows is Shows.FREQUENCY else median
        path, x, y = _path(places[source], places[target], layer[target] - layer[source])
        lines.append(
            Line(
                names[source], names[target], path, count, median, 1 + int(4 * max(value, 0) / most), x, y,
                layer[target] <= layer[source],
            )
        )  # fmt: skip
    return lines


def _path(source: tuple[int, int], target: tuple[int, int], fall: int) -> tuple[str, int, int]:
    (x, y), (to_x, to_y) = source, target
    if source == target:
        side = x + WIDE // 2
        return f"M{side} {y + 12}c{EDGE} -8 {EDGE} 26 0 18", side + EDGE - 4, y + HIGH // 2
    if fall == 1:
        bottom, half = y + HIGH, FALL // 2
        path = f"M{x} {bottom}C{x} {bottom + half} {to_x} {to_y - half} {to_x} {to_y - 4}"
        return path, (x + to_x) // 2, (bottom + to_y) // 2
    # Past other layers, and back: around the side on which there is less in the way.
    side = 1 if fall <= 0 else -1
    start, end = x + side * WIDE // 2, to_x + side * WIDE // 2
    bend = max(start, end) + 2 * EDGE if side > 0 else min(start, end) - 2 * EDGE
    from_y, end_y = y + HIGH // 2 + 6, to_y + HIGH // 2 - 6
    path = f"M{start} {from_y}C{bend} {from_y} {bend} {end_y} {end + side * 4} {end_y}"
    return path, (start + end + 6 * bend) // 8, (from_y + end_y) // 2
