"""Workflows, rules: what our own namespace says about an element: who does it, what it takes and leaves, its limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from lxml import etree

from governance.language import Kind
from workflows.plan.document import AOS, extensions, own, problem, tag_of, text_of
from workflows.plan.graph import IDENTIFIER, OUTCOME, Node, NodeKind, Output
from workflows.plan.problems import ElementProblem, ProblemKind
from workflows.plan.times import LONGEST_WAIT, read_seconds

Say = Callable[..., None]
K = NodeKind

MEMORY = ("memorySpace", "memoryKey", "memoryFor")
QUEUE = ("capability", "priority", "due", "backOff", "costLimit", "timeLimit")
AGENT_WORK = ("role", "action", "lease", "attempts", *QUEUE, *MEMORY)
DECISION = ("path", "title", "risk", "effect", "approve", "reject", "timeout", "priority", "due")
MANY = ("collection", "element")
MESSAGES = ("correlation",)
ATTRIBUTES = {
    K.SERVICE_TASK: (*AGENT_WORK, *MANY),
    K.USER_TASK: (*DECISION, *MANY),
    K.RULE_TASK: ("decision", *MANY),
    K.SCRIPT_TASK: MANY,
    K.SEND_TASK: (*MESSAGES, *MANY),
    K.RECEIVE_TASK: MESSAGES,
    K.CALL: MANY,
    K.SUB_PROCESS: MANY,
    K.START: MESSAGES,
    K.CATCH: MESSAGES,
    K.BOUNDARY: MESSAGES,
    K.THROW: MESSAGES,
    K.END: MESSAGES,
}
VALUES = {
    K.START: ("input", "output"),
    K.SERVICE_TASK: ("output", "schema"),
    K.USER_TASK: ("output", "schema"),
    K.RULE_TASK: ("output",),
    K.SCRIPT_TASK: ("output",),
    K.SEND_TASK: ("output",),
    K.RECEIVE_TASK: ("output",),
    K.CALL: ("input", "output"),
    K.CATCH: ("output",),
    K.BOUNDARY: ("output",),
    K.THROW: ("output",),
    K.END: ("output",),
}
# what these leave is worked out from an expression
COMPUTED = frozenset({K.SCRIPT_TASK, K.SEND_TASK, K.THROW, K.END})
VALUE_KINDS = {
    "bool": Kind.BOOL, "int": Kind.INT, "decimal": Kind.DECIMAL, "string": Kind.STRING,
    "timestamp": Kind.TIMESTAMP, "duration": Kind.DURATION, "list": Kind.LIST, "json": Kind.MAP,
}  # fmt: skip
ITEM_KINDS = {name: kind for name, kind in VALUE_KINDS.items() if name != "list"}
RISKS = ("", "low", "medium", "high")
LONGEST_LEASE = 86_400
MOST_ATTEMPTS = 100
PRIORITIES = range(-1_000, 1_001)
LONGEST_SCHEMA = 20_000


class ExtensionReader:
    """Reads our own attributes and elements and tells what is wrong with them."""

    def __init__(self, say: Say) -> None:
        self.say = say

    def values(self, element: etree._Element, node: Node) -> Node:
        """The node with its typed outputs, what it passes on, and its schemas."""
        outputs: list[Output] = []
        passes: list[Output] = []
        schemas = {"input": "", "output": ""}
        for value in extensions(element):
            tag = tag_of(value)
            if tag not in VALUES.get(node.kind, ()) or not self._fits(node, tag):
                self.say(element, f"aos:{tag} is not known on a {tag_of(element)}.")
            elif tag == "schema":
                schemas |= self._schema(element, value)
            elif node.kind is K.CALL and tag == "input":
                passes += self._value(element, value, node, passes, computed=True)
            else:
                outputs += self._value(element, value, node, outputs, computed=node.kind in COMPUTED)
        return replace(
            node, outputs=tuple(outputs), passes=tuple(passes), input_schema=schemas["input"],
            output_schema=schemas["output"],
        )  # fmt: skip

    def _fits(self, node: Node, tag: str) -> bool:
        return node.kind is not K.START or tag == ("output" if node.parent else "input")

    def _value(
        self, element: etree._Element, value: etree._Element, node: Node, before: list[Output], *, computed: bool
    ) -> Iterator[Output]:
        name, given, item = value.get("name") or "", value.get("type") or "", value.get("of") or ""
        taken = {each.name for each in before} | ({OUTCOME} if node.kind is K.USER_TASK else set())
        expression = " ".join((value.get("value") or "").split())
        if not IDENTIFIER.fullmatch(name):
            self.say(element, f"“{name}” cannot be the name of a value: use letters, digits and _.")
        elif name in taken:
            self.say(element, f"The value {name} exists already.")
        elif given not in VALUE_KINDS:
            self.say(element, f"The type “{given}” of {name} is not one of {', '.join(VALUE_KINDS)}.")
        elif item and (given != "list" or item not in ITEM_KINDS):
            self.say(element, f"“{item}” of {name}: a list is of {', '.join(ITEM_KINDS)}, and only a list is.")
        elif computed and not expression:
            self.say(element, f'The value {name} needs an expression: value="…".')
        elif expression and not computed:
            self.say(element, f"The value {name} has an expression, but it is what the work leaves behind.")
        else:
            kind = VALUE_KINDS[given]
            inner = str(ITEM_KINDS[item or "string"]) if kind is Kind.LIST else ""
            yield Output(name, kind, value.get("label") or "", inner, expression)

    def _schema(self, element: etree._Element, value: etree._Element) -> dict[str, str]:
        side, text = value.get("of") or "", text_of(value)
        if side not in ("input", "output"):
            self.say(element, f"aos:schema is of input or of output, not of “{side}”.")
            return {}
        if len(text) > LONGEST_SCHEMA:
            self.say(element, f"The {side} schema is longer than {LONGEST_SCHEMA:,} characters.")
            return {}
        try:
            schema = json.loads(text)
        except (ValueError, RecursionError) as wrong:
            self.say(element, f"The {side} schema is no JSON: {wrong}.")
            return {}
        if not isinstance(schema, dict):
            self.say(element, f"The {side} schema is no JSON object.")
            return {}
        return {side: json.dumps(schema, sort_keys=True)}

    # who does it

    def agent_work(self, element: etree._Element, node: Node, *, role: str = "") -> Node:
        """The node with who does it, and its limits; `role` is what its lane says."""
        named = own(element, "role") or role
        capability = own(element, "capability")
        if not named and not capability:
            reason = "aos:role is missing: the role whose agents do this work."
            self.say(element, reason, ProblemKind.UNASSIGNED)
        return replace(
            self._queue(element, node),
            role=named,
            capability=capability,
            action=own(element, "action"),
            lease_seconds=self._lease(element),
            attempts=self._attempts(element),
            back_off_seconds=self._length(element, "backOff") or 5,
            cost_limit=self._cost(element),
            seconds_limit=self._length(element, "timeLimit"),
            memory_space=own(element, "memorySpace"),
            memory_key=own(element, "memoryKey"),
            memory_seconds=self._memory(element),
        )

    def decision(self, element: etree._Element, node: Node, *, path: str = "") -> Node:
        """The node with who decides, and what they are told; `path` is what its lane says."""
        risk = own(element, "risk")
        if risk not in RISKS:
            self.say(element, f"aos:risk is low, medium or high, not “{risk}”.")
        named = own(element, "path") or path
        if not named:
            reason = "aos:path is missing: the escalation path of the people who decide."
            self.say(element, reason, ProblemKind.UNASSIGNED)
        return replace(
            self._queue(element, node),
            path=named,
            title=own(element, "title"),
            risk=risk,
            effect=own(element, "effect"),
            if_approved=own(element, "approve"),
            if_rejected=own(element, "reject"),
            if_timed_out=own(element, "timeout"),
        )

    def _queue(self, element: etree._Element, node: Node) -> Node:
        given = own(element, "priority") or "0"
        priority = int(given) if given.removeprefix("-").isdecimal() and len(given) < 6 else PRIORITIES.stop
        if priority not in PRIORITIES:
            self.say(element, f"aos:priority is a whole number from -1000 to 1000, not “{given}”.")
            priority = 0
        return replace(node, priority=priority, due_seconds=self._length(element, "due"))

    def _length(self, element: etree._Element, attribute: str) -> int:
        given = own(element, attribute)
        seconds = read_seconds(given) if given else 0
        if given and not 0 < seconds <= LONGEST_WAIT:
            self.say(element, f"aos:{attribute} is a duration such as PT30M or P2D, not “{given}”.")
        return seconds

    def _memory(self, element: etree._Element) -> int:
        if bool(own(element, "memorySpace")) != bool(own(element, "memoryKey")):
            self.say(element, "aos:memorySpace and aos:memoryKey belong together.")
        return self._length(element, "memoryFor")

    def _cost(self, element: etree._Element) -> str:
        given = own(element, "costLimit")
        try:
            if given and not 0 < Decimal(given) < Decimal(10) ** 12:
                raise InvalidOperation
        except InvalidOperation:
            self.say(element, f"aos:costLimit is an amount of money such as 2.50, not “{given}”.")
        return given

    def _lease(self, element: etree._Element) -> int:
        given = own(element, "lease") or "PT60S"
        is_number = given.isascii() and given.isdigit() and len(given) < 9
        seconds = int(given) if is_number else read_seconds(given)
        if not 0 < seconds <= LONGEST_LEASE:
            self.say(element, f"aos:lease is seconds or a duration such as PT60S, at most a day, not “{given}”.")
        return seconds

    def _attempts(self, element: etree._Element) -> int:
        given = own(element, "attempts") or "3"
        is_number = given.isascii() and given.isdigit() and len(given) < 9
        attempts = int(given) if is_number else 0
        if not 0 < attempts <= MOST_ATTEMPTS:
            self.say(element, f"aos:attempts is a number from 1 to {MOST_ATTEMPTS}, not “{given}”.")
        return attempts


def unknown_attributes(element: etree._Element, known: tuple[str, ...] = ()) -> Iterator[ElementProblem]:
    """One problem for each attribute of our own namespace that this element does not know."""
    for attribute in element.attrib:
        name = etree.QName(attribute)
        if name.namespace == AOS and name.localname not in known:
            near = get_close_matches(name.localname, known, n=1)
            hint = f" Did you mean aos:{near[0]}?" if near else ""
            yield problem(element, f"aos:{name.localname} is not known on a {tag_of(element)}.{hint}")
