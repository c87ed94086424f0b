"""Workflows, rules: small changes of a drawing, each of which keeps everything else as it is: extensions of others,
comments and the places of the shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lxml import etree

from workflows.plan.document import AOS, MODEL, is_true, reference, tag_of, text_of
from workflows.plan.placing import (
    GAP,
    Box,
    box,
    draw_line,
    draw_shape,
    erase,
    free_place,
    grow_around,
    shift_right,
    size_of,
    take_out,
)
from workflows.plan.sheet import GATEWAYS, SCOPES, TASKS, TIMES, Sheet, Value, children, kept_as, values_of

KINDS = {
    "agent": "serviceTask",
    "person": "userTask",
    "rule": "businessRuleTask",
    "choice": "exclusiveGateway",
    "parallel": "parallelGateway",
    "wait": "intermediateCatchEvent",
    "hear": "intermediateCatchEvent",
    "send": "sendTask",
    "call": "callActivity",
    "work_out": "scriptTask",
    "end": "endEvent",
}
"""What can be put into a drawing, and the BPMN element that it is."""
STEMS = {
    "agent": "step", "person": "approval", "rule": "rule", "choice": "choice", "parallel": "parallel", "wait": "wait",
    "hear": "message", "send": "send", "call": "call", "work_out": "values", "end": "end",
}  # fmt: skip
XSI = "http://www.w3.org/2001/XMLSchema-instance"
# what stands before the ways of a step in the order that BPMN asks for
_FIRST = ("documentation", "extensionElements", "auditing", "monitoring", "categoryValueRef")


class CannotEdit(Exception):
    """This change does not fit the drawing; nothing was changed. The message says why and what to do."""


# --- what a step says ----------------------------------------------------------------------------------------
def step_in(sheet: Sheet, step_id: str) -> etree._Element:
    """The step with this id."""
    found = sheet.find(step_id)
    if found is None:
        raise CannotEdit("This step is not in the drawing any more. Look at the list again.")
    return found


def rename(sheet: Sheet, step_id: str, name: str) -> None:
    """Call a step something else."""
    put(step_in(sheet, step_id), "name", " ".join(name.split()))


def set_own(sheet: Sheet, step_id: str, given: Mapping[str, str]) -> None:
    """Set attributes of our own namespace; an empty one is taken away. Those that are not named stay."""
    step = step_in(sheet, step_id)
    for name, value in given.items():
        put(step, f"{{{AOS}}}{name}", value.strip(), sheet)


def put(element: etree._Element, name: str, value: str, sheet: Sheet | None = None) -> None:
    """Set an attribute, or take it away when it is empty; with the sheet, one of our own namespace."""
    if not value:
        element.attrib.pop(name, "")
    elif element.get(name) != value:
        if sheet is not None:
            _declare(sheet)
        element.set(name, value)


def _declare(sheet: Sheet) -> None:
    if AOS not in sheet.root.nsmap.values():
        prefixes = {prefix for each in sheet.root.iter(etree.Element) for prefix in each.nsmap if prefix}
        etree.cleanup_namespaces(sheet.root, top_nsmap={"aos": AOS}, keep_ns_prefixes=list(prefixes | {"aos"}))


def set_values(sheet: Sheet, step_id: str, values: Iterable[Value], *, tag: str = "") -> None:
    """Say what a step leaves behind, or what a run begins with; with `tag` what a call hands on ("input"). Other
    extensions of the step stay, and so does what is written already."""
    step, wanted = step_in(sheet, step_id), list(values)
    tag = tag or kept_as(step)
    old = values_of(step, tag)
    if [Value.of_element(each) for each in old] == wanted:
        return
    for each in old:
        take_out(each)
    if not wanted:
        return
    _declare(sheet)
    kept = next(children(step, "extensionElements"), None)
    if kept is None:
        kept = etree.Element(f"{{{MODEL}}}extensionElements")
        step.insert(sum(1 for _ in children(step, "documentation")), kept)
    for value in wanted:
        said = {"name": value.name, "type": value.type, "of": value.of, "label": value.label, "value": value.value}
        etree.SubElement(kept, f"{{{AOS}}}{tag}", {name: text for name, text in said.items() if text})


def set_duration(sheet: Sheet, step_id: str, duration: str) -> None:
    """Say how long a timer waits, as in PT4H."""
    set_time(sheet, step_id, "timeDuration", duration)


def set_time(sheet: Sheet, step_id: str, tag: str, text: str) -> None:
    """Say when a timer goes off: after a length of time, at a moment, or again and again (see TIMES)."""
    step = step_in(sheet, step_id)
    timer = next(children(step, "timerEventDefinition"), None)
    if timer is None:
        raise CannotEdit("Only a timer waits for a time.")
    said = {tag_of(each): text_of(each) for each in children(timer, *TIMES)}
    if said == {tag: text}:
        return
    for old in list(children(timer, *TIMES)):
        timer.remove(old)
    express(timer, tag, text)


def express(parent: etree._Element, tag: str, text: str) -> etree._Element:
    """A new expression at the end of an element."""
    said = etree.SubElement(parent, f"{{{MODEL}}}{tag}")
    prefix = next((each for each, uri in said.nsmap.items() if uri == MODEL and each), "")
    said.set(f"{{{XSI}}}type", f"{prefix}:tFormalExpression" if prefix else "tFormalExpression")
    said.text = text
    return said


# --- steps ---------------------------------------------------------------------------------------------------
def insert_after(sheet: Sheet, step_id: str, kind: str, name: str = "", *, way: str = "") -> str:
    """Put a new step behind this one, on the chosen way or the only one; behind a branching step without a choice, and
    where nothing follows yet, it begins a way of its own. The new step's id."""
    step = step_in(sheet, step_id)
    if tag_of(step) == "endEvent":
        raise CannotEdit("Nothing follows an end. Choose the step before it.")
    flow = _way_to_split(sheet, step, way)
    if kind == "end" and flow is not None:
        raise CannotEdit("Something follows here already. Remove that way first, or choose a decision.")
    new = _new_step(sheet, step, kind, name)
    if flow is None:
        _place_beside(sheet, step, new)
        _flow(sheet, step, new)
        return new.get("id", "")
    target = sheet.find(reference(flow.get("targetRef")))
    _place_between(sheet, step, new, target)
    flow.set("targetRef", new.get("id", ""))
    draw_line(sheet, flow)
    onward = _flow(sheet, new, target) if target is not None else None
    if kind == "choice" and onward is not None:
        new.set("default", onward.get("id", ""))
    _relist(sheet, step, new, target)
    return new.get("id", "")


def _way_to_split(sheet: Sheet, step: etree._Element, way: str) -> etree._Element | None:
    ways = sheet.outgoing(step)
    if way:
        chosen = next((each for each in ways if each.get("id") == way), None)
        if chosen is None:
            raise CannotEdit("This way is not in the drawing any more. Look at the list again.")
        return chosen
    return ways[0] if len(ways) == 1 and tag_of(step) not in GATEWAYS else None


def _new_step(sheet: Sheet, beside: etree._Element, kind: str, name: str) -> etree._Element:
    if kind not in KINDS:
        raise CannotEdit("Choose what kind of step it is.")
    new = etree.Element(f"{{{MODEL}}}{KINDS[kind]}", id=sheet.free_id(STEMS[kind]))
    _add_behind(beside, new)
    if name.strip():
        new.set("name", " ".join(name.split()))
    if kind == "wait":
        _add_timer(new, "PT1H")
    if kind == "hear":
        etree.SubElement(new, f"{{{MODEL}}}messageEventDefinition", id=f"{new.get('id')}_message")
    _same_lane(sheet, beside, new)
    return new


def _add_timer(event: etree._Element, duration: str) -> None:
    timer = etree.SubElement(event, f"{{{MODEL}}}timerEventDefinition", id=f"{event.get('id')}_timer")
    express(timer, "timeDuration", duration)


def _add_behind(beside: etree._Element, new: etree._Element) -> None:
    parent = beside.getparent()
    if parent is not None:
        new.tail = beside.tail
        parent.insert(parent.index(beside) + 1, new)


def _same_lane(sheet: Sheet, beside: etree._Element, new: etree._Element) -> None:
    for entry in list(sheet.root.iter(f"{{{MODEL}}}flowNodeRef")):
        if reference(entry.text) == beside.get("id"):
            mine = etree.Element(f"{{{MODEL}}}flowNodeRef")
            mine.text = new.get("id")
            _add_behind(entry, mine)


def _place_between(sheet: Sheet, step: etree._Element, new: etree._Element, target: etree._Element | None) -> None:
    before = box(sheet, step.get("id", ""))
    after = None if target is None else box(sheet, target.get("id", ""))
    if before is None or after is None or after.x < before.right:
        _place_beside(sheet, step, new)
        return
    wide, high = size_of(tag_of(new))
    shift_right(sheet, after.x, wide + GAP)
    place = Box(after.x, after.middle[1] - high / 2, wide, high)
    draw_shape(sheet, new.get("id", ""), place, is_gateway=tag_of(new) == "exclusiveGateway")


def _place_beside(sheet: Sheet, step: etree._Element, new: etree._Element) -> None:
    beside = box(sheet, step.get("id", ""))
    if beside is None:
        return
    place = free_place(sheet, beside, tag_of(new))
    grow_around(sheet, beside, place)
    draw_shape(sheet, new.get("id", ""), place, is_gateway=tag_of(new) == "exclusiveGateway")


def add_timer(sheet: Sheet, step_id: str, duration: str, *, interrupting: bool = True) -> str:
    """Say what happens when a step takes longer: a timer on its edge, whose way is drawn next. The timer's id."""
    step = step_in(sheet, step_id)
    if tag_of(step) not in TASKS | SCOPES | {"callActivity"}:
        raise CannotEdit("Only somebody's work can take too long: choose a task.")
    event = etree.Element(f"{{{MODEL}}}boundaryEvent", id=sheet.free_id("late"), attachedToRef=step_id)
    event.set("cancelActivity", "true" if interrupting else "false")
    _add_behind(step, event)
    _add_timer(event, duration)
    _same_lane(sheet, step, event)
    host = box(sheet, step_id)
    if host is not None:
        beside = 44.0 * (len(sheet.boundaries(step)) - 1)
        draw_shape(sheet, event.get("id", ""), Box(max(host.x, host.right - 36 - beside), host.bottom - 18, 36, 36))
    return event.get("id", "")


def remove(sheet: Sheet, step_id: str) -> None:
    """Take a step out, with the events on its edge; what led to it goes on to where its only way led."""
    step = step_in(sheet, step_id)
    for event in sheet.boundaries(step):
        remove(sheet, event.get("id", ""))
    coming, going = sheet.incoming(step), sheet.outgoing(step)
    target = sheet.find(reference(going[0].get("targetRef"))) if len(going) == 1 else None
    sources = [sheet.find(reference(flow.get("sourceRef"))) for flow in coming]
    for flow in coming:
        if target is None or target is step or flow in going:
            disconnect(sheet, flow.get("id", ""))
        else:
            flow.set("targetRef", target.get("id", ""))
    for flow in going:
        disconnect(sheet, flow.get("id", ""))
    for inside in list(step.iter(f"{{{MODEL}}}*")):
        _forget(sheet, inside.get("id", ""))
    take_out(step)
    for flow in coming:
        if target is not None and flow.getparent() is not None:
            draw_line(sheet, flow)
    _relist(sheet, target, *sources)


def _forget(sheet: Sheet, element_id: str) -> None:
    """Take away what points to an element: its shapes, its place in a lane, associations and messages."""
    if not element_id:
        return
    erase(sheet, element_id)
    for entry in [each for each in sheet.root.iter(f"{{{MODEL}}}flowNodeRef") if reference(each.text) == element_id]:
        take_out(entry)
    for tag in ("association", "messageFlow"):
        for line in list(sheet.root.iter(f"{{{MODEL}}}{tag}")):
            if element_id in (reference(line.get("sourceRef")), reference(line.get("targetRef"))):
                erase(sheet, line.get("id", ""))
                take_out(line)


# --- ways ----------------------------------------------------------------------------------------------------
def connect(sheet: Sheet, step_id: str, target_id: str, *, name: str = "", condition: str = "") -> str:
    """Lead from a step to another one of the same process. The new way's id."""
    step, target = step_in(sheet, step_id), step_in(sheet, target_id)
    if tag_of(step) == "endEvent":
        raise CannotEdit("No way leaves an end.")
    if tag_of(target) in ("startEvent", "boundaryEvent"):
        raise CannotEdit("No way leads to a start, or to what happens on the edge of a step.")
    if step.getparent() is not target.getparent():
        raise CannotEdit("A way does not lead out of a workflow inside, or into one.")
    if any(reference(flow.get("targetRef")) == target_id for flow in sheet.outgoing(step)):
        raise CannotEdit("A way leads there already.")
    flow = _flow(sheet, step, target)
    set_way(sheet, flow.get("id", ""), name=name, condition=condition, otherwise=False)
    _relist(sheet, step, target)
    return flow.get("id", "")


def _flow(sheet: Sheet, step: etree._Element, target: etree._Element) -> etree._Element:
    scope = step.getparent()
    if scope is None:
        raise CannotEdit("This step stands nowhere.")
    flows = sheet.flows(scope)
    flow = etree.Element(
        f"{{{MODEL}}}sequenceFlow", id=sheet.free_id("flow"), sourceRef=step.get("id", ""),
        targetRef=target.get("id", ""),
    )  # fmt: skip
    _add_behind(flows[-1] if flows else target, flow)
    draw_line(sheet, flow)
    return flow


def set_way(sheet: Sheet, flow_id: str, *, name: str, condition: str, otherwise: bool) -> None:
    """Say when a way is taken: what it is called, its condition, or that it is taken when no other one is."""
    flow = step_in(sheet, flow_id)
    source = sheet.find(reference(flow.get("sourceRef")))
    put(flow, "name", " ".join(name.split()))
    old = next(children(flow, "conditionExpression"), None)
    wanted = "" if otherwise else condition.strip()
    if old is not None and text_of(old) != wanted:
        take_out(old)
        old = None
    if wanted and old is None:
        express(flow, "conditionExpression", wanted)
    if source is not None and otherwise:
        source.set("default", flow_id)
    elif source is not None and reference(source.get("default")) == flow_id:
        source.attrib.pop("default")


def disconnect(sheet: Sheet, flow_id: str) -> None:
    """Take a way out."""
    flow = step_in(sheet, flow_id)
    ends = [sheet.find(reference(flow.get(end))) for end in ("sourceRef", "targetRef")]
    source = ends[0]
    if source is not None and reference(source.get("default")) == flow_id:
        source.attrib.pop("default")
    erase(sheet, flow_id)
    take_out(flow)
    _relist(sheet, *ends)


def _relist(sheet: Sheet, *steps: etree._Element | None) -> None:
    """Name the ways of these steps in the steps themselves, in a file that does so."""
    names = (f"{{{MODEL}}}incoming", f"{{{MODEL}}}outgoing")
    if next(sheet.root.iter(*names), None) is None:
        return
    for step in steps:
        if step is None or step.getparent() is None:
            continue
        for old in list(step.iterchildren(*names)):
            step.remove(old)
        place = sum(1 for _ in children(step, *_FIRST))
        listed = [("incoming", flow) for flow in sheet.incoming(step)]
        listed += [("outgoing", flow) for flow in sheet.outgoing(step)]
        for number, (tag, flow) in enumerate(listed):
            entry = etree.Element(f"{{{MODEL}}}{tag}")
            entry.text = flow.get("id")
            step.insert(place + number, entry)


# --- the process ---------------------------------------------------------------------------------------------
def make_executable(sheet: Sheet) -> None:
    """Mark the one process of the file as the one that runs."""
    every = list(children(sheet.root, "process"))
    if len(every) == 1 and not is_true(every[0].get("isExecutable")):
        every[0].set("isExecutable", "true")
