"""Workflows, rules: one BPMN element read into one node, with everything that our namespace says about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches

from lxml import etree

from governance.language import Kind
from workflows.plan.document import (
    AOS,
    children,
    extensions,
    is_true,
    name_of,
    problem,
    reference,
    tag_of,
    text_of,
)
from workflows.plan.graph import IDENTIFIER, OUTCOME, Node, NodeKind, Output
from workflows.plan.problems import ElementProblem

KINDS = {
    "startEvent": NodeKind.START,
    "endEvent": NodeKind.END,
    "serviceTask": NodeKind.SERVICE_TASK,
    "userTask": NodeKind.USER_TASK,
    "exclusiveGateway": NodeKind.EXCLUSIVE,
    "parallelGateway": NodeKind.PARALLEL,
    "boundaryEvent": NodeKind.TIMER,
}
AGENT_WORK = ("role", "action", "lease", "attempts")
DECISION = ("path", "title", "risk", "effect", "approve", "reject", "timeout")
ATTRIBUTES = {NodeKind.SERVICE_TASK: AGENT_WORK, NodeKind.USER_TASK: DECISION}
VALUE_TAG = {NodeKind.START: "input", NodeKind.SERVICE_TASK: "output", NodeKind.USER_TASK: "output"}
VALUE_KINDS = {"bool": Kind.BOOL, "int": Kind.INT, "decimal": Kind.DECIMAL, "string": Kind.STRING}
RISKS = ("", "low", "medium", "high")

# drawn, but without a meaning for what is executed
DRAWN_ONLY = (
    "incoming",
    "outgoing",
    "documentation",
    "extensionElements",
    "property",
    "dataInputAssociation",
    "dataOutputAssociation",
)
ONCE_ONLY = {"isForCompensation": "false", "startQuantity": "1", "completionQuantity": "1"}
DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,9})S)?)?",
    re.ASCII,
)
SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
LONGEST_WAIT = 3_660 * 86_400
LONGEST_LEASE = 86_400
MOST_ATTEMPTS = 100


class ElementReader:
    """Reads elements of one process into nodes and collects what is wrong with them in `problems`."""

    def __init__(self) -> None:
        self.problems: list[ElementProblem] = []

    def read(self, element: etree._Element) -> Node | None:
        """The node of an element; None, and a problem, for an element type that is not executed."""
        kind = self._kind(element)
        if kind is None:
            return None
        self._refuse_parts(element, kind)
        self._refuse_unknown_attributes(element, kind)
        node = Node(
            id=element.get("id") or "",
            name=name_of(element),
            kind=NodeKind.TERMINATE if _terminates(element) else kind,
            default_flow=reference(element.get("default")),
            outputs=tuple(self._values(element, kind)),
        )
        match kind:
            case NodeKind.SERVICE_TASK:
                return self._agent_work(element, node)
            case NodeKind.USER_TASK:
                return self._decision(element, node)
            case NodeKind.TIMER:
                return self._timer(element, node)
        return node

    def _say(self, element: etree._Element, reason: str) -> None:
        self.problems.append(problem(element, reason))

    def _kind(self, element: etree._Element) -> NodeKind | None:
        tag = tag_of(element)
        if tag == "task" and _own(element, "role"):
            return NodeKind.SERVICE_TASK
        if tag == "task" and _own(element, "path"):
            return NodeKind.USER_TASK
        if tag == "task":
            self._say(element, "A plain task needs aos:role (an agent works) or aos:path (a person decides).")
        elif tag not in KINDS:
            self._say(element, f"The element type {tag} is not executed.")
        return KINDS.get(tag)

    def _refuse_parts(self, element: etree._Element, kind: NodeKind) -> None:
        for part in children(element):
            tag = tag_of(part)
            fits = (kind, tag) in (
                (NodeKind.TIMER, "timerEventDefinition"),
                (NodeKind.END, "terminateEventDefinition"),
            )
            if tag not in DRAWN_ONLY and not fits:
                self._say(element, f"{tag_of(element)} with {tag} is not executed.")
        for attribute, usual in ONCE_ONLY.items():
            if element.get(attribute, usual) != usual:
                self._say(element, f"{attribute}={element.get(attribute)} is not executed.")

    def _refuse_unknown_attributes(self, element: etree._Element, kind: NodeKind) -> None:
        self.problems += unknown_attributes(element, ATTRIBUTES.get(kind, ()))

    def _values(self, element: etree._Element, kind: NodeKind) -> Iterator[Output]:
        taken = {OUTCOME} if kind is NodeKind.USER_TASK else set()
        for value in extensions(element):
            name, given = value.get("name") or "", value.get("type") or ""
            if tag_of(value) != VALUE_TAG.get(kind):
                self._say(element, f"aos:{tag_of(value)} is not known on a {tag_of(element)}.")
            elif not IDENTIFIER.fullmatch(name):
                self._say(element, f"“{name}” cannot be the name of a value: use letters, digits and _.")
            elif name in taken:
                self._say(element, f"The value {name} exists already.")
            elif given not in VALUE_KINDS:
                self._say(element, f"The type “{given}” of {name} is not one of {', '.join(VALUE_KINDS)}.")
            else:
                taken.add(name)
                yield Output(name, VALUE_KINDS[given], value.get("label") or "")

    def _agent_work(self, element: etree._Element, node: Node) -> Node:
        return replace(
            node,
            role=self._required(element, "role", "the role whose agents do this work"),
            action=_own(element, "action"),
            lease_seconds=self._lease(element),
            attempts=self._attempts(element),
        )

    def _decision(self, element: etree._Element, node: Node) -> Node:
        risk = _own(element, "risk")
        if risk not in RISKS:
            self._say(element, f"aos:risk is low, medium or high, not “{risk}”.")
        return replace(
            node,
            path=self._required(element, "path", "the escalation path of the people who decide"),
            title=_own(element, "title"),
            risk=risk,
            effect=_own(element, "effect"),
            if_approved=_own(element, "approve"),
            if_rejected=_own(element, "reject"),
            if_timed_out=_own(element, "timeout"),
        )

    def _timer(self, element: etree._Element, node: Node) -> Node:
        return replace(
            node,
            attached_to=reference(element.get("attachedToRef")),
            interrupting=is_true(element.get("cancelActivity", "true")),
            duration_seconds=self._wait(element),
        )

    def _wait(self, element: etree._Element) -> int:
        definitions = list(children(element, "timerEventDefinition"))
        if not definitions:
            if not any(tag_of(part).endswith("EventDefinition") for part in children(element)):
                self._say(element, "A boundary event needs a timer.")
            return 0
        lengths = [text_of(each) for each in children(definitions[0], "timeDuration")]
        if not lengths:
            self._say(element, "The timer needs a timeDuration; dates and cycles are not executed.")
            return 0
        seconds = duration_seconds(lengths[0])
        if not 0 < seconds <= LONGEST_WAIT:
            self._say(element, f"“{lengths[0]}” is not a duration such as PT4H or P2D (at most 10 years).")
        return seconds

    def _lease(self, element: etree._Element) -> int:
        given = _own(element, "lease") or "PT60S"
        is_number = given.isascii() and given.isdigit() and len(given) < 9
        seconds = int(given) if is_number else duration_seconds(given)
        if not 0 < seconds <= LONGEST_LEASE:
            self._say(element, f"aos:lease is seconds or a duration such as PT60S, at most a day, not “{given}”.")
        return seconds

    def _attempts(self, element: etree._Element) -> int:
        given = _own(element, "attempts") or "3"
        is_number = given.isascii() and given.isdigit() and len(given) < 9
        attempts = int(given) if is_number else 0
        if not 0 < attempts <= MOST_ATTEMPTS:
            self._say(element, f"aos:attempts is a number from 1 to {MOST_ATTEMPTS}, not “{given}”.")
        return attempts

    def _required(self, element: etree._Element, attribute: str, meaning: str) -> str:
        value = _own(element, attribute)
        if not value:
            self._say(element, f"aos:{attribute} is missing: {meaning}.")
        return value


def unknown_attributes(element: etree._Element, known: tuple[str, ...] = ()) -> Iterator[ElementProblem]:
    """One problem for each attribute of our own namespace that this element does not know."""
    for attribute in element.attrib:
        name = etree.QName(attribute)
        if name.namespace == AOS and name.localname not in known:
            near = get_close_matches(name.localname, known, n=1)
            hint = f" Did you mean aos:{near[0]}?" if near else ""
            yield problem(element, f"aos:{name.localname} is not known on a {tag_of(element)}.{hint}")


def duration_seconds(text: str) -> int:
    """The seconds of an ISO 8601 duration of weeks, days, hours, minutes, seconds; 0 when it is none."""
    match = DURATION.fullmatch(text)
    if not match:
        return 0
    return sum(int(count) * SECONDS[unit] for unit, count in match.groupdict(default="0").items())


def _own(element: etree._Element, attribute: str) -> str:
    return " ".join((element.get(f"{{{AOS}}}{attribute}") or "").split())


def _terminates(element: etree._Element) -> bool:
    parts = [tag_of(part) for part in children(element)]
    return tag_of(element) == "endEvent" and "terminateEventDefinition" in parts
