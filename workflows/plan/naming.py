"""Workflows, rules: what a step of a drawing sends or waits for by name: a message, signal, error or escalation; and
which workflow it calls."""

from __future__ import annotations

from lxml import etree

from workflows.plan.document import MODEL, foreign, reference, tag_of
from workflows.plan.editing import CannotEdit, put, step_in
from workflows.plan.placing import take_out
from workflows.plan.sheet import EVENTS, Sheet, children, definition_of
from workflows.plan.sources import CODES, Declared, declared

NAMED = ("message", "signal", "error", "escalation")
MESSAGE_TASKS = ("sendTask", "receiveTask")


def told_kind(step: etree._Element) -> str:
    """What the step names: a message, signal, error or escalation; empty for nothing of the kind."""
    if tag_of(step) in MESSAGE_TASKS:
        return "message"
    kind = definition_of(step) if tag_of(step) in EVENTS else ""
    return kind if kind in NAMED else ""


def told_name(step: etree._Element, names: Declared) -> str:
    """The name of what the step sends or waits for; of an error or escalation its code."""
    place = _place(step)
    ref = None if place is None else place.get(f"{told_kind(step)}Ref")
    return names.name(ref) if ref else ""


def set_told(sheet: Sheet, step_id: str, name: str) -> None:
    """Say what the step sends or waits for: what the file declares under this name, else a new declaration. One that
    nothing refers to any more goes, unless it holds more than its name."""
    step, name = step_in(sheet, step_id), " ".join(name.split())
    kind, place = told_kind(step), _place(step)
    if place is None:
        raise CannotEdit("This step names no message, signal, error or escalation.")
    if name == told_name(step, declared(sheet.root)):
        return
    before = reference(place.get(f"{kind}Ref"))
    put(place, f"{kind}Ref", _declared(sheet, kind, name) if name else "")
    _drop_unused(sheet, kind, before)


def called_by(step: etree._Element) -> str:
    """The code of the workflow that a call activity runs."""
    return reference(step.get("calledElement")) or foreign(step, "processId", "calledElement")


def set_called(sheet: Sheet, step_id: str, code: str) -> None:
    """Say which workflow a call activity runs."""
    step = step_in(sheet, step_id)
    if tag_of(step) != "callActivity":
        raise CannotEdit("Only a call runs another workflow.")
    if code != called_by(step):
        put(step, "calledElement", code)


def _place(step: etree._Element) -> etree._Element | None:
    """The element that has the reference: the task itself, or the definition inside of the event."""
    kind = told_kind(step)
    if tag_of(step) in MESSAGE_TASKS or not kind:
        return step if kind else None
    return next(children(step, f"{kind}EventDefinition"), None)


def _declared(sheet: Sheet, kind: str, name: str) -> str:
    names = declared(sheet.root).names
    for each in children(sheet.root, kind):
        if names.get(each.get("id") or "") == name:
            return each.get("id") or ""
    made = etree.Element(f"{{{MODEL}}}{kind}", {"id": sheet.free_id(kind), "name": name})
    if kind in CODES:
        made.set(CODES[kind], name)
    first = next(children(sheet.root, "collaboration", "process"))
    made.tail = first.getprevious().tail if first.getprevious() is not None else sheet.root.text  # type: ignore[union-attr]
    sheet.root.insert(sheet.root.index(first), made)
    return made.get("id") or ""


def _drop_unused(sheet: Sheet, kind: str, name: str) -> None:
    old = next((each for each in children(sheet.root, kind) if name and each.get("id") == name), None)
    bare = old is not None and not len(old) and set(old.attrib) <= {"id", "name", CODES.get(kind, "name")}
    used = any(reference(each.get(f"{kind}Ref")) == name for each in sheet.root.iter(f"{{{MODEL}}}*"))
    if old is not None and bare and not used:
        take_out(old)
