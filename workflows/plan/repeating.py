"""Workflows, rules: how often a step of a drawing is done, as people are told it, and changed in the drawing."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from workflows.plan.document import AOS, CAMUNDA, MODEL, ZEEBE, is_true, tag_of
from workflows.plan.editing import CannotEdit, express, put, step_in
from workflows.plan.loops import REPEATED, stated
from workflows.plan.placing import take_out
from workflows.plan.sheet import SCOPES, TASKS, Sheet, children, text_of

LOOP, ONE_BY_ONE, ALL_AT_ONCE = "loop", "sequential", "parallel"
CAN_REPEAT = (TASKS | SCOPES | {"callActivity"}) - {"receiveTask", "adHocSubProcess"}
MANY, STANDARD = REPEATED
# what stands before it in a step, in the order that BPMN asks for
_BEFORE = frozenset({
    "documentation", "extensionElements", "auditing", "monitoring", "categoryValueRef", "incoming", "outgoing",
    "ioSpecification", "property", "dataInputAssociation", "dataOutputAssociation", "resourceRole", "performer",
    "humanPerformer", "potentialOwner",
})  # fmt: skip
_ELSEWHERE = {"collection": ("collection", "inputCollection"), "element": ("elementVariable", "inputElement")}


@dataclass(frozen=True)
class Repeat:
    """How often a step is done: `kind` is empty for once. A loop goes on while a condition holds, at most so many
    turns; the others are done for each item of a list or so many times, and end early when enough are done."""

    kind: str = ""
    goes_while: str = ""
    most_turns: str = ""
    asks_first: bool = False
    collection: str = ""
    element: str = ""
    times: str = ""
    enough: str = ""


def repeat_of(step: etree._Element) -> Repeat:
    """What the drawing says about a step, in our words or in those of another product."""
    said = next(children(step, *REPEATED), None)
    if said is None:
        return Repeat()
    if tag_of(said) == STANDARD:
        return Repeat(
            LOOP, goes_while=_text(said, "loopCondition"), most_turns=(said.get("loopMaximum") or "").strip(),
            asks_first=is_true(said.get("testBefore")),
        )  # fmt: skip
    return Repeat(
        ONE_BY_ONE if is_true(said.get("isSequential")) else ALL_AT_ONCE, enough=_text(said, "completionCondition"),
        collection=stated(step, said, "collection", "inputCollection"), times=_text(said, "loopCardinality"),
        element=stated(step, said, "element", "elementVariable", "inputElement"),
    )  # fmt: skip


def set_repeat(sheet: Sheet, step_id: str, wanted: Repeat) -> None:
    """Say how often a step is done. What is said already stays as it is written."""
    step = step_in(sheet, step_id)
    before = repeat_of(step)
    if wanted == before:
        return
    if wanted.kind and tag_of(step) not in CAN_REPEAT:
        raise CannotEdit("Only a task, a call or a workflow inside can be repeated.")
    tag = {"": "", LOOP: STANDARD}.get(wanted.kind, MANY)
    said = next(children(step, *REPEATED), None)
    if said is not None and tag_of(said) != tag:
        take_out(said)
        said = None
    if tag != MANY:
        for name in _ELSEWHERE:
            put(step, f"{{{AOS}}}{name}", "")
    if not tag:
        return
    said = _new(step, tag) if said is None else said
    if tag == STANDARD:
        _loop(said, wanted)
    else:
        _each(sheet, step, said, before, wanted)


def _new(step: etree._Element, tag: str) -> etree._Element:
    made = etree.Element(f"{{{MODEL}}}{tag}")
    place = sum(1 for each in step if not isinstance(each.tag, str) or tag_of(each) in _BEFORE)
    step.insert(place, made)
    return made


def _loop(said: etree._Element, wanted: Repeat) -> None:
    put(said, "loopMaximum", wanted.most_turns)
    put(said, "testBefore", "true" if wanted.asks_first else "")
    _write(said, "loopCondition", wanted.goes_while)


def _each(sheet: Sheet, step: etree._Element, said: etree._Element, before: Repeat, wanted: Repeat) -> None:
    put(said, "isSequential", "true" if wanted.kind == ONE_BY_ONE else "")
    _write(said, "loopCardinality", wanted.times, first=True)
    _write(said, "completionCondition", wanted.enough)
    for name, elsewhere in _ELSEWHERE.items():
        value = getattr(wanted, name)
        if value == getattr(before, name):
            continue
        put(step, f"{{{AOS}}}{name}", "")  # where older files have it
        put(said, f"{{{AOS}}}{name}", value, sheet)
        if not value:
            _forget(said, elsewhere)


def _forget(said: etree._Element, names: tuple[str, ...]) -> None:
    """Take away what another product says, which would count again."""
    for each in said.iter(etree.Element):
        for name in list(each.attrib):
            known = etree.QName(name)
            if known.localname in names and (known.namespace or etree.QName(each).namespace) in (CAMUNDA, ZEEBE):
                del each.attrib[name]


def _write(said: etree._Element, tag: str, text: str, *, first: bool = False) -> None:
    if _text(said, tag) == text:
        return
    for old in list(children(said, tag)):
        take_out(old)
    if text:
        made = express(said, tag, text)
        if first:
            said.insert(sum(1 for _ in children(said, "documentation", "extensionElements")), made)


def _text(said: etree._Element, tag: str) -> str:
    return next((text_of(each) for each in children(said, tag)), "")
