"""Workflows, rules: where a new shape stands in a drawing, and how the others make room for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from workflows.plan.document import reference, tag_of
from workflows.plan.sheet import DC, DD, DI, EVENTS, GATEWAYS, SCOPES, Sheet

GAP = 40.0
EDGE = 24.0  # between the last shape and the border of its lane
SIZES = {"event": (36.0, 36.0), "gateway": (50.0, 50.0), "step": (168.0, 72.0)}
HOLDERS = SCOPES | {"participant", "lane"}


@dataclass(frozen=True)
class Box:
    """The place of a shape."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + self.w / 2, self.y + self.h / 2

    def meets(self, other: Box) -> bool:
        """Whether the two lie on each other."""
        apart = self.right <= other.x or other.right <= self.x or self.bottom <= other.y or other.bottom <= self.y
        return not apart

    def holds(self, other: Box) -> bool:
        """Whether the other lies inside, by its middle."""
        x, y = other.middle
        return self.x <= x <= self.right and self.y <= y <= self.bottom


def size_of(tag: str) -> tuple[float, float]:
    """How wide and high a new shape of this tag is."""
    return SIZES["event" if tag in EVENTS else "gateway" if tag in GATEWAYS else "step"]


def box_of(shape: etree._Element | None) -> Box | None:
    """The place of a shape, None where the drawing has none."""
    bounds = None if shape is None else shape.find(f"{{{DC}}}Bounds")
    if bounds is None:
        return None
    try:
        return Box(*(float(bounds.get(name, "0")) for name in ("x", "y", "width", "height")))
    except ValueError:
        return None


def box(sheet: Sheet, element_id: str) -> Box | None:
    """The place of an element."""
    return box_of(sheet.shape(element_id))


# --- making room ---------------------------------------------------------------------------------------------
def shift_right(sheet: Sheet, x: float, by: float) -> None:
    """Move everything from `x` on to the right; what reaches over it becomes wider."""
    _shift(sheet, "x", "width", x, by)


def shift_down(sheet: Sheet, y: float, by: float) -> None:
    """Move everything from `y` on down; what reaches over it becomes higher."""
    _shift(sheet, "y", "height", y, by)


def _shift(sheet: Sheet, axis: str, length: str, start: float, by: float) -> None:
    plane = sheet.plane
    if plane is None:
        return
    for shape in plane.iterchildren(f"{{{DI}}}BPMNShape"):
        bounds = shape.find(f"{{{DC}}}Bounds")
        if bounds is None:
            continue
        begins, long = _number(bounds, axis), _number(bounds, length)
        if begins >= start:
            _set(bounds, axis, begins + by)
        elif _is_holder(sheet, shape) and begins + long >= start:
            _set(bounds, length, long + by)
    for label in plane.iterfind(f".//{{{DI}}}BPMNLabel/{{{DC}}}Bounds"):
        if _number(label, axis) + _number(label, length) / 2 >= start:
            _set(label, axis, _number(label, axis) + by)
    for point in plane.iterfind(f".//{{{DD}}}waypoint"):
        if _number(point, axis) >= start:
            _set(point, axis, _number(point, axis) + by)


def _is_holder(sheet: Sheet, shape: etree._Element) -> bool:
    element = sheet.find(reference(shape.get("bpmnElement")))
    return element is not None and tag_of(element) in HOLDERS


def _number(element: etree._Element, name: str) -> float:
    try:
        return float(element.get(name, "0"))
    except ValueError:
        return 0.0


def _set(element: etree._Element, name: str, value: float) -> None:
    element.set(name, f"{value:.2f}".rstrip("0").rstrip("."))


def holders_of(sheet: Sheet, inside: Box) -> list[Box]:
    """The pools, lanes and sub-processes around a place, the smallest first."""
    plane = sheet.plane
    found = []
    for shape in plane.iterchildren(f"{{{DI}}}BPMNShape") if plane is not None else ():
        here = box_of(shape)
        if here is not None and here.holds(inside) and here != inside and _is_holder(sheet, shape):
            found.append(here)
    return sorted(found, key=lambda each: each.w * each.h)


def grow_around(sheet: Sheet, beside: Box, new: Box) -> None:
    """Make what holds `beside` large enough for the new shape too."""
    around = holders_of(sheet, beside)
    if not around:
        return
    if (short := new.right + EDGE - around[0].right) > 0:
        shift_right(sheet, around[0].right, short)
    if (low := new.bottom + EDGE - around[0].bottom) > 0:
        shift_down(sheet, around[0].bottom, low)


# --- shapes and lines ----------------------------------------------------------------------------------------
def draw_shape(sheet: Sheet, element_id: str, place: Box, *, is_gateway: bool = False) -> None:
    """A new shape on the plane."""
    plane = sheet.plane
    if plane is None:
        return
    shape = etree.SubElement(plane, f"{{{DI}}}BPMNShape", id=sheet.free_id(f"{element_id}_di"), bpmnElement=element_id)
    if is_gateway:
        shape.set("isMarkerVisible", "true")
    bounds = etree.SubElement(shape, f"{{{DC}}}Bounds")
    for name, value in zip(("x", "y", "width", "height"), (place.x, place.y, place.w, place.h), strict=True):
        _set(bounds, name, value)


def draw_line(sheet: Sheet, flow: etree._Element) -> None:
    """The line of a way, anew, from the one shape to the other."""
    plane = sheet.plane
    source = box(sheet, reference(flow.get("sourceRef")))
    target = box(sheet, reference(flow.get("targetRef")))
    flow_id = flow.get("id", "")
    edge = sheet.edge(flow_id)
    if plane is None or source is None or target is None:
        return
    if edge is None:
        edge = etree.SubElement(plane, f"{{{DI}}}BPMNEdge", id=sheet.free_id(f"{flow_id}_di"), bpmnElement=flow_id)
    for old in list(edge):
        edge.remove(old)
    for x, y in points(source, target):
        point = etree.SubElement(edge, f"{{{DD}}}waypoint")
        _set(point, "x", x)
        _set(point, "y", y)


def points(source: Box, target: Box) -> list[tuple[float, float]]:
    """The corners of a line between two shapes that goes along the axes."""
    (sx, sy), (tx, ty) = source.middle, target.middle
    if target.x >= source.right and abs(sy - ty) < 1:
        return [(source.right, sy), (target.x, ty)]
    if target.x >= source.right and (target.y >= source.bottom or target.bottom <= source.y):
        side = source.bottom if ty > sy else source.y
        return [(sx, side), (sx, ty), (target.x, ty)]
    if target.x >= source.right:
        half = (source.right + target.x) / 2
        return [(source.right, sy), (half, sy), (half, ty), (target.x, ty)]
    if source.x <= tx <= source.right and target.y >= source.bottom:
        return [(tx, source.bottom), (tx, target.y)]
    if source.x <= tx <= source.right and target.bottom <= source.y:
        return [(tx, source.y), (tx, target.bottom)]
    below = max(source.bottom, target.bottom) + EDGE
    return [(sx, source.bottom), (sx, below), (tx, below), (tx, target.bottom)]


def erase(sheet: Sheet, element_id: str) -> None:
    """Take the shapes and lines of an element away."""
    for tag in ("BPMNShape", "BPMNEdge"):
        for each in [each for each in sheet.root.iter(f"{{{DI}}}{tag}") if _is_of(each, element_id)]:
            take_out(each)


def _is_of(drawn: etree._Element, element_id: str) -> bool:
    return reference(drawn.get("bpmnElement")) == element_id


def take_out(element: etree._Element) -> None:
    """Remove an element and the line break before it, and nothing else."""
    parent = element.getparent()
    if parent is None:
        return
    before, tail, is_last = element.getprevious(), element.tail, element.getnext() is None
    parent.remove(element)
    if is_last and before is not None:
        before.tail = tail
    elif is_last:
        parent.text = tail


def free_place(sheet: Sheet, beside: Box, tag: str) -> Box:
    """A free place for a new step to the right of a shape: on its row, else below what stands there."""
    wide, high = size_of(tag)
    place = Box(beside.right + GAP, beside.middle[1] - high / 2, wide, high)
    for other in sorted(_standing(sheet), key=lambda each: each.bottom):
        if other.meets(Box(place.x - GAP / 2, place.y - GAP / 2, place.w + GAP, place.h + GAP)):
            place = Box(place.x, other.bottom + GAP, place.w, place.h)
    return place


def _standing(sheet: Sheet) -> Iterator[Box]:
    plane = sheet.plane
    for shape in plane.iterchildren(f"{{{DI}}}BPMNShape") if plane is not None else ():
        here = box_of(shape)
        if here is not None and not _is_holder(sheet, shape):
            yield here
