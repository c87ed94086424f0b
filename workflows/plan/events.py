"""Workflows, rules: the events of a drawing read: what triggers them, or what they throw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lxml import etree

from workflows.plan.document import children, own, reference, tag_of, text_of
from workflows.plan.graph import EventKind, Node
from workflows.plan.problems import ProblemKind
from workflows.plan.sources import DEFINITIONS, Declared
from workflows.plan.times import LONGEST_WAIT, calendar_text, read_cycle, read_length, read_moment

Say = Callable[..., None]

E = EventKind
FITS = {
    "startEvent": {E.NONE, E.TIMER, E.MESSAGE, E.SIGNAL},
    "event start": {E.TIMER, E.MESSAGE, E.SIGNAL, E.CONDITIONAL, E.ERROR, E.ESCALATION, E.COMPENSATION},
    "intermediateCatchEvent": {E.TIMER, E.MESSAGE, E.SIGNAL, E.CONDITIONAL, E.LINK},
    "intermediateThrowEvent": {E.NONE, E.MESSAGE, E.SIGNAL, E.ESCALATION, E.LINK, E.COMPENSATION},
    "endEvent": {E.NONE, E.MESSAGE, E.SIGNAL, E.ERROR, E.ESCALATION, E.COMPENSATION, E.CANCEL, E.TERMINATE},
    "boundaryEvent": {E.TIMER, E.MESSAGE, E.SIGNAL, E.CONDITIONAL, E.ERROR, E.ESCALATION, E.COMPENSATION, E.CANCEL},
}
WANTS = {
    "intermediateCatchEvent": "A catching event needs a trigger such as a timer or a message.",
    "boundaryEvent": "A boundary event needs a timer, a message or another trigger.",
    "event start": "The start of an event sub-process needs a trigger.",
}
FOREIGN = ("${", "#{", "=")


class EventReader:
    """Reads the definition inside of an event."""

    def __init__(self, declared: Declared, say: Say) -> None:
        self.declared = declared
        self.say = say

    def read(self, element: etree._Element, node: Node, *, place: str) -> Node:
        """The node with what its event says; `place` is which of the tables above it belongs to."""
        found = self._definitions(element)
        if len(found) > 1:
            self.say(element, "An event with several triggers is not executed.", ProblemKind.UNSUPPORTED)
        if not found:
            if place in WANTS:
                self.say(element, WANTS[place])
            return node
        kind = DEFINITIONS.get(tag_of(found[0]), EventKind.NONE)
        if kind is EventKind.NONE or kind not in FITS[place]:
            shown = f"{tag_of(element)} with {tag_of(found[0])}"
            self.say(element, f"{shown} is not executed.", ProblemKind.UNSUPPORTED)
            return replace(node, event=kind)
        return self._with(element, found[0], replace(node, event=kind))

    def _definitions(self, element: etree._Element) -> list[etree._Element]:
        found = [each for each in children(element) if tag_of(each).endswith("EventDefinition")]
        for each in children(element, "eventDefinitionRef"):
            known = self.declared.definitions.get(reference(text_of(each)))
            found += [] if known is None else [known]
        return found

    def _with(self, element: etree._Element, definition: etree._Element, node: Node) -> Node:
        match node.event:
            case EventKind.TIMER:
                return self._timer(element, definition, node)
            case EventKind.MESSAGE:
                return self.message(element, node, definition.get("messageRef"))
            case EventKind.SIGNAL:
                return self._named(element, node, self.declared.name(definition.get("signalRef")))
            case EventKind.ERROR:
                return replace(node, event_name=self.declared.name(definition.get("errorRef")))
            case EventKind.ESCALATION:
                return replace(node, event_name=self.declared.name(definition.get("escalationRef")))
            case EventKind.LINK:
                return self._named(element, node, (definition.get("name") or node.name).strip())
            case EventKind.COMPENSATION:
                return replace(node, undoes=reference(definition.get("activityRef")))
            case EventKind.CONDITIONAL:
                return self._condition(element, definition, node)
        return node

    def message(self, element: etree._Element, node: Node, ref: str | None) -> Node:
        """The node with the name of its message and what ties one to this run."""
        tie = own(element, "correlation") or self.declared.correlations.get(reference(ref), "")
        named = self._named(element, replace(node, event=EventKind.MESSAGE), self.declared.name(ref))
        return replace(named, correlation=tie)

    def _named(self, element: etree._Element, node: Node, name: str) -> Node:
        if not name:
            self.say(element, f"Nothing says which {node.event} is meant.", ProblemKind.UNASSIGNED)
        return replace(node, event_name=name or node.id)

    def _condition(self, element: etree._Element, definition: etree._Element, node: Node) -> Node:
        texts = [text_of(each) for each in children(definition, "condition")]
        if not any(texts):
            self.say(element, "The condition is empty.", ProblemKind.UNASSIGNED)
        return replace(node, condition=texts[0] if texts else "")

    def _timer(self, element: etree._Element, definition: etree._Element, node: Node) -> Node:
        given = {tag_of(each): text_of(each) for each in children(definition)}
        if text := given.get("timeDuration", ""):
            return self._length(element, node, text)
        if text := given.get("timeDate", ""):
            return self._moment(element, node, text)
        if text := given.get("timeCycle", ""):
            return self._cycle(element, node, text)
        reason = "The timer needs a timeDuration, a timeDate or a timeCycle."
        self.say(element, reason, ProblemKind.UNASSIGNED)
        return node

    def _length(self, element: etree._Element, node: Node, text: str) -> Node:
        if text.startswith(FOREIGN) or "vars." in text:
            return replace(node, timer_value=text)
        length = read_length(text)
        seconds = length.about_seconds if length is not None else 0
        if not 0 < seconds <= LONGEST_WAIT:
            self.say(element, f"“{text}” is not a duration such as PT4H, P2D or P1M (at most 10 years).")
        return replace(node, duration_seconds=seconds, duration=calendar_text(text))

    def _moment(self, element: etree._Element, node: Node, text: str) -> Node:
        if text.startswith(FOREIGN) or "vars." in text:
            return replace(node, timer_value=text)
        if not read_moment(text):
            self.say(element, f"“{text}” is not a moment such as 2026-12-24T18:00:00Z.")
        return replace(node, timer_at=text)

    def _cycle(self, element: etree._Element, node: Node, text: str) -> Node:
        cycle = read_cycle(text)
        if cycle is not None:
            return replace(
                node, repeats=cycle.times, duration_seconds=cycle.seconds, timer_at=cycle.start, cycle=text,
                duration=cycle.calendar,
            )  # fmt: skip
        if not (tag_of(element) == "startEvent" and not node.parent):
            self.say(element, f"“{text}” is not a cycle such as R3/PT1H.")
        return replace(node, cycle=text)
