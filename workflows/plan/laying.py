"""Workflows, rules: a drawing for a file that came without one: its pools, lanes, steps, ways and notes get shapes and
lines beside what the file says, of which nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from workflows.plan.arranging import ROOM, Cell, Grid, Point, Way
from workflows.plan.document import is_true, name_of, reference, tag_of
from workflows.plan.placing import EDGE, GAP, Box, size_of
from workflows.plan.sheet import DC, DD, DI, EVENTS, GATEWAYS, SCOPES, Sheet, children

BAR = 30.0  # the strip at the left of a pool or lane that holds its name
TOP = 44.0  # above what is inside of a sub-process
EVENT = 36.0
NOTES = {"textAnnotation": (150.0, 44.0), "dataObjectReference": (36.0, 50.0), "dataStoreReference": (50.0, 50.0)}
LINES = ("association", "dataInputAssociation", "dataOutputAssociation")
DEEPEST = 20


def is_drawn(sheet: Sheet) -> bool:
    """Whether the file has a drawing: one shape at least."""
    return next(sheet.root.iter(f"{{{DI}}}BPMNShape"), None) is not None


def drawn(text: str) -> str:
    """The file with a drawing: its own, else one that is laid out from its steps and ways."""
    if "BPMNShape" in text:
        return text
    sheet = Sheet(text)
    return sheet.text() if lay_out(sheet) else text


def lay_out(sheet: Sheet) -> bool:
    """Draw everything anew that the file says, if it has no drawing; whether something was drawn."""
    plan = _Plan(sheet)
    if is_drawn(sheet) or not plan.root_id:
        return False
    plan.place()
    if not plan.shapes:
        return False
    _write(sheet, plan)
    return True


@dataclass
class _Plan:
    """Every shape with its place and every line with its corners."""

    sheet: Sheet
    shapes: dict[str, Box] = field(default_factory=dict)
    lines: dict[str, list[Point]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        every = {each.get("id"): each for each in children(self.sheet.root, "process")}
        self.grids: dict[str, Grid] = {}  # of what lies inside of a sub-process
        self.pools: list[tuple[etree._Element, etree._Element | None]] = [
            (pool, every.get(reference(pool.get("processRef"))))
            for each in children(self.sheet.root, "collaboration") for pool in children(each, "participant")
            if each.get("id")
        ]  # fmt: skip
        around = self.pools[0][0].getparent() if self.pools else next(iter(self.sheet.processes), None)
        self.root_id = "" if around is None else around.get("id") or ""

    def place(self) -> None:
        """Put the pools below each other, or the process alone."""
        if not self.pools:
            process = self.sheet.processes[0]
            self._content(process, 0.0, 0.0)
            self._between(process)
            return
        y, widest = 0.0, 600.0
        for pool, inside in self.pools:
            wide, high = (0.0, 60.0) if inside is None else self._content(inside, BAR, y)
            self.shapes[pool.get("id", "")] = Box(0, y, BAR + wide, max(high, 60.0))
            widest, y = max(widest, BAR + wide), y + max(high, 60.0) + GAP
        self._same_width(widest)
        for _, inside in self.pools:
            if inside is not None:
                self._between(inside)
        for collaboration in children(self.sheet.root, "collaboration"):
            self._between(collaboration)
            for flow in children(collaboration, "messageFlow"):
                self._message(flow)

    def _same_width(self, widest: float) -> None:
        for pool, process in self.pools:
            wider = widest - self.shapes[pool.get("id", "")].w
            lanes = [] if process is None else [lane for lane, _ in _lanes(process)]
            for each in (pool, *lanes):
                old = self.shapes.get(each.get("id", ""))
                if old is not None:
                    self.shapes[each.get("id", "")] = Box(old.x, old.y, old.w + wider, old.h)

    def _content(self, process: etree._Element, x: float, y: float) -> tuple[float, float]:
        """Everything in a process, from this corner on; how wide and high it is."""
        lanes = _lanes(process)
        leaves = [lane for lane, _ in lanes if not any(_inside(lane))]
        band_of = {
            reference(each.text): number for number, lane in enumerate(leaves) for each in children(lane, "flowNodeRef")
        }
        grid = self._arranged(process, band_of, max(1, len(leaves)), 0)
        bar = BAR * (1 + max((depth for _, depth in lanes), default=-1))
        top = self._notes_above(process)
        self._settle(process, grid, x + bar, y + top)
        heights = list(grid.band_heights)
        heights[0] += top
        begins = {id(lane): sum(heights[:number]) for number, lane in enumerate(leaves)}
        tall = {id(lane): heights[number] for number, lane in enumerate(leaves)}
        for lane, depth in lanes:
            mine = [leaf for leaf in leaves if leaf is lane or lane in leaf.iterancestors()]
            if lane.get("id") and mine:
                high = sum(tall[id(leaf)] for leaf in mine)
                at = BAR * depth
                self.shapes[lane.get("id", "")] = Box(
                    x + at, y + begins[id(mine[0])], bar - at + grid.width, high
                )  # fmt: skip
        return bar + grid.width, sum(heights)

    # --- steps ------------------------------------------------------------------------------------------------------
    def _arranged(self, scope: etree._Element, band_of: dict[str, int], bands: int, depth: int) -> Grid:
        steps = {step.get("id", ""): step for step in self.sheet.steps(scope) if step.get("id")}
        hosts = {
            name: reference(step.get("attachedToRef")) for name, step in steps.items()
            if tag_of(step) == "boundaryEvent" and reference(step.get("attachedToRef")) in steps
        }  # fmt: skip
        cells, edges = {}, {}
        for name, step in steps.items():
            if name in hosts:
                continue
            hung = [event for event, host in hosts.items() if host == name]
            cell = self._cell(step, depth, bool(hung))
            cell.band = band_of.get(name, 0)
            cells[name] = cell
            for place, event in enumerate(hung):
                edges[event] = (max(cell.wide - EVENT - 8 - 44.0 * place, 0.0), cell.high - EVENT / 2)
        ways = []
        for flow in self.sheet.flows(scope):
            source, target = reference(flow.get("sourceRef")), reference(flow.get("targetRef"))
            leaves = source if source in hosts else ""
            source = hosts.get(source, source)
            if flow.get("id") and source in cells and target in cells:
                ways.append(Way(flow.get("id", ""), source, target, leaves, bool(name_of(flow))))
        # What undoes a step stands below it, as if a way led there.
        for line in children(scope, "association"):
            source, target = reference(line.get("sourceRef")), reference(line.get("targetRef"))
            if source in hosts and target in cells and is_true(steps[target].get("isForCompensation")):
                ways.append(Way(line.get("id") or f"{source} to {target}", hosts[source], target, source))
        grid = Grid(cells, ways, bands, edges)
        grid.arrange()
        return grid

    def _cell(self, step: etree._Element, depth: int, is_host: bool) -> Cell:
        tag, name = tag_of(step), step.get("id", "")
        wide, high = size_of(tag)
        if tag in SCOPES and depth < DEEPEST:
            inner = self._arranged(step, {}, 1, depth + 1)
            self.grids[name] = inner
            wide, high = max(wide, inner.width), max(100.0, inner.height + TOP - ROOM / 2)
        labelled = tag in EVENTS | GATEWAYS and name_of(step)
        space = high + (64.0 if labelled else 0.0) + (72.0 if is_host else 0.0)
        return Cell(name, wide, high, space, from_below=tag in GATEWAYS)

    def _settle(self, scope: etree._Element, grid: Grid, x: float, y: float) -> None:
        """The places of what a scope holds, its own corner being known now."""
        steps = {step.get("id", ""): step for step in self.sheet.steps(scope)}
        for cell in grid.cells.values():
            if cell.is_stop:
                continue
            self.shapes[cell.id] = Box(x + cell.x, y + cell.y, cell.wide, cell.high)
            inner = self.grids.get(cell.id)
            if inner is not None:
                top = self._notes_above(steps[cell.id])
                self._settle(steps[cell.id], inner, x + cell.x, y + cell.y + TOP - ROOM / 2 + top)
        for event, (right, down) in grid.edges.items():
            host = grid.cells[reference(steps[event].get("attachedToRef"))]
            self.shapes[event] = Box(x + host.x + right, y + host.y + down, EVENT, EVENT)
        for way in grid.ways:
            self.lines[way.id] = [(x + px, y + py) for px, py in grid.line(way)]

    # --- notes, data, and what lies between pools ---------------------------------------------------------------------
    def _notes_above(self, scope: etree._Element) -> float:
        """How much room is kept above the steps for notes and data."""
        highest = max((NOTES[tag_of(each)][1] for each in children(scope, *NOTES)), default=0.0)
        return highest + ROOM if highest and tag_of(scope) == "process" else 0.0

    def _between(self, scope: etree._Element) -> None:
        """Notes and data above what they belong to, and the lines to it."""
        for inner in scope.iter(f"{{{scope.nsmap.get(scope.prefix) or ''}}}*"):
            if tag_of(inner) in ("process", "collaboration", *SCOPES):
                self._notes(inner)
        for line in scope.iter(*(f"{{*}}{tag}" for tag in LINES)):
            self._tie(line)

    def _notes(self, scope: etree._Element) -> None:
        ties: dict[str, str] = {}
        for line in scope.iter(*(f"{{*}}{tag}" for tag in LINES)):
            source, target = _ends(line)
            ties[source], ties[target] = ties.get(source) or target, ties.get(target) or source
        inside = [self.shapes[each.get("id", "")] for each in self.sheet.steps(scope) if each.get("id") in self.shapes]
        top = min((each.y for each in inside), default=0.0)
        free = min((each.x for each in inside), default=0.0)
        wanted = []
        for note in children(scope, *NOTES):
            partner = self.shapes.get(ties.get(note.get("id", ""), ""))
            wanted.append((free if partner is None else partner.x, note))
        for x, note in sorted(wanted, key=lambda each: each[0]):
            wide, high = NOTES[tag_of(note)]
            x = max(x, free)
            if note.get("id"):
                self.shapes[note.get("id", "")] = Box(x, top - high - ROOM * 0.7, wide, high)
                free = x + wide + ROOM * (2 if tag_of(note) != "textAnnotation" else 0.7)

    def _tie(self, line: etree._Element) -> None:
        source, target = (self.shapes.get(name) for name in _ends(line))
        name = line.get("id", "")
        if name and name not in self.lines and source is not None and target is not None:
            upper, lower = sorted((source, target), key=lambda each: each.y)
            ends = [(upper.middle[0], upper.bottom), (lower.middle[0], lower.y)]
            self.lines[name] = ends if source is upper else ends[::-1]

    def _message(self, flow: etree._Element) -> None:
        source, target = (self.shapes.get(reference(flow.get(end))) for end in ("sourceRef", "targetRef"))
        if source is None or target is None or not flow.get("id"):
            return
        sx = source.middle[0] if source.w < 400 else min(max(target.middle[0], source.x + EDGE), source.right - EDGE)
        tx = target.middle[0] if target.w < 400 else min(max(sx, target.x + EDGE), target.right - EDGE)
        sy, ty = (source.bottom, target.y) if source.bottom <= target.y else (source.y, target.bottom)
        half = ty - GAP / 2 if ty > sy else ty + GAP / 2
        bend = [] if abs(sx - tx) < 1 else [(sx, half), (tx, half)]
        self.lines[flow.get("id", "")] = [(sx, sy), *bend, (tx, ty)]


def _inside(lane: etree._Element) -> Iterator[etree._Element]:
    for each in children(lane, "childLaneSet"):
        yield from children(each, "lane")


def _lanes(process: etree._Element) -> list[tuple[etree._Element, int]]:
    """The lanes of a process, each with how deep it lies, in their order."""
    waiting = [(lane, 0) for each in children(process, "laneSet") for lane in children(each, "lane")][::-1]
    found = []
    while waiting:
        lane, depth = waiting.pop()
        found.append((lane, depth))
        waiting += [(inner, depth + 1) for inner in _inside(lane)][::-1]
    return found


def _ends(line: etree._Element) -> tuple[str, str]:
    """What a line ties together; the one of data stands inside of its step."""
    if tag_of(line) == "association":
        return reference(line.get("sourceRef")), reference(line.get("targetRef"))
    around = line.getparent()
    step = "" if around is None else around.get("id") or ""
    tag = "sourceRef" if tag_of(line) == "dataInputAssociation" else "targetRef"
    data = next((reference(each.text) for each in children(line, tag)), "")
    return (data, step) if tag == "sourceRef" else (step, data)


def _write(sheet: Sheet, plan: _Plan) -> None:
    for old in list(sheet.root.iterchildren(f"{{{DI}}}BPMNDiagram")):
        sheet.root.remove(old)
    taken = {each.get("id") for each in sheet.root.iter(etree.Element)}
    diagram = etree.SubElement(sheet.root, f"{{{DI}}}BPMNDiagram", nsmap={"bpmndi": DI, "dc": DC, "di": DD})
    diagram.set("id", _free("drawing", taken))
    plane = etree.SubElement(diagram, f"{{{DI}}}BPMNPlane", id=_free("plane", taken), bpmnElement=plan.root_id)
    known = {each.get("id"): each for each in sheet.root.iter("{*}*") if each.get("id")}
    tags = {name: tag_of(each) for name, each in known.items()}
    holders = sorted(plan.shapes, key=lambda name: -plan.shapes[name].w * plan.shapes[name].h)
    for name in holders:
        shape = etree.SubElement(plane, f"{{{DI}}}BPMNShape", id=_free(f"{name}_di", taken), bpmnElement=name)
        if tags.get(name) in ("participant", "lane"):
            shape.set("isHorizontal", "true")
        if name in plan.grids and plan.grids[name].cells:
            shape.set("isExpanded", "true")
        if tags.get(name) == "exclusiveGateway":
            shape.set("isMarkerVisible", "true")
        place = plan.shapes[name]
        sizes = {"x": place.x, "y": place.y, "width": place.w, "height": place.h}
        etree.SubElement(shape, f"{{{DC}}}Bounds", {key: _number(value) for key, value in sizes.items()})
        _label(shape, known[name], place)
    for name, line in plan.lines.items():
        if name not in tags:
            continue
        edge = etree.SubElement(plane, f"{{{DI}}}BPMNEdge", id=_free(f"{name}_di", taken), bpmnElement=name)
        for x, y in line:
            etree.SubElement(edge, f"{{{DD}}}waypoint", x=_number(x), y=_number(y))
    etree.indent(diagram)


def _label(shape: etree._Element, element: etree._Element, place: Box) -> None:
    """Words beside what a way leaves from below: above a gateway, to the right of an event on an edge."""
    tag, words = tag_of(element), name_of(element)
    if not words or not (tag in GATEWAYS or tag == "boundaryEvent"):
        return
    wide = min(90.0, 8.0 + 6.5 * len(words))
    high = 14.0 * (1 + int(len(words) * 6.5 // 90))
    x, y = place.middle[0] - wide / 2, place.y - high - 4
    if tag == "boundaryEvent":
        x, y = place.right + 2, place.bottom - 6
    label = etree.SubElement(shape, f"{{{DI}}}BPMNLabel")
    sizes = {"x": x, "y": y, "width": wide, "height": high}
    etree.SubElement(label, f"{{{DC}}}Bounds", {key: _number(value) for key, value in sizes.items()})


def _free(name: str, taken: set[str | None]) -> str:
    number, free = 1, name
    while free in taken:
        number, free = number + 1, f"{name}_{number}"
    taken.add(free)
    return free


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
