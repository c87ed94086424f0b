"""Workflows, rules: a drawing as it lies on the table: its elements by id, their shapes and lines, whether or not it
can run. It is written back with everything that it held: extensions of others, comments, the drawing itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from workflows.plan.document import AOS, MODEL, is_true, parse, reference, tag_of

DI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DD = "http://www.omg.org/spec/DD/20100524/DI"

TASKS = frozenset({
    "task", "serviceTask", "userTask", "businessRuleTask", "scriptTask", "sendTask", "receiveTask", "manualTask",
})  # fmt: skip
SCOPES = frozenset({"subProcess", "transaction", "adHocSubProcess"})
GATEWAYS = frozenset({
    "exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway",
})  # fmt: skip
EVENTS = frozenset({
    "startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent",
})  # fmt: skip
TIMES = ("timeDate", "timeDuration", "timeCycle")
STEPS = TASKS | SCOPES | GATEWAYS | EVENTS | {"callActivity"}


class Sheet:
    """A BPMN document that is read and changed in place."""

    def __init__(self, text: str) -> None:
        """Raises `BpmnInvalid` for what is no BPMN, or unsafe."""
        xml = text.encode()
        parse(xml)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
        self.root = etree.fromstring(xml, parser)
        self._has_declaration = text.lstrip().startswith("<?xml")

    def text(self) -> str:
        """The document as text."""
        body = etree.tostring(self.root.getroottree(), encoding="unicode")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n' if self._has_declaration else body

    @property
    def _elements(self) -> Iterator[etree._Element]:
        return self.root.iter(f"{{{MODEL}}}*")

    def find(self, element_id: str) -> etree._Element | None:
        """The BPMN element with this id."""
        return next((each for each in self._elements if each.get("id") == element_id), None) if element_id else None

    @cached_property
    def processes(self) -> list[etree._Element]:
        """The processes that are shown: the executable ones, else all."""
        every = list(children(self.root, "process"))
        return [each for each in every if is_true(each.get("isExecutable"))] or every

    def steps(self, scope: etree._Element) -> list[etree._Element]:
        """The steps directly in a process or sub-process, in the order of the file."""
        return list(children(scope, *STEPS))

    def flows(self, scope: etree._Element) -> list[etree._Element]:
        """The ways between them."""
        return list(children(scope, "sequenceFlow"))

    def incoming(self, step: etree._Element) -> list[etree._Element]:
        """The ways that lead into a step."""
        return [each for each in self._beside(step) if reference(each.get("targetRef")) == step.get("id")]

    def outgoing(self, step: etree._Element) -> list[etree._Element]:
        """The ways that leave a step."""
        return [each for each in self._beside(step) if reference(each.get("sourceRef")) == step.get("id")]

    def _beside(self, step: etree._Element) -> list[etree._Element]:
        scope = step.getparent()
        return self.flows(scope) if scope is not None else []

    def boundaries(self, step: etree._Element) -> list[etree._Element]:
        """The events on the edge of a step."""
        scope = step.getparent()
        beside = children(scope, "boundaryEvent") if scope is not None else ()
        return [each for each in beside if reference(each.get("attachedToRef")) == step.get("id")]

    # --- the drawing: shapes and lines --------------------------------------------------------------------------
    @property
    def plane(self) -> etree._Element | None:
        """The plane that the shapes stand on, None in a file without a drawing."""
        return next(self.root.iter(f"{{{DI}}}BPMNPlane"), None)

    def shape(self, element_id: str) -> etree._Element | None:
        """The shape of an element."""
        return self._drawn("BPMNShape", element_id)

    def edge(self, flow_id: str) -> etree._Element | None:
        """The line of a way."""
        return self._drawn("BPMNEdge", flow_id)

    def _drawn(self, tag: str, element_id: str) -> etree._Element | None:
        found = self.root.iter(f"{{{DI}}}{tag}")
        return next((each for each in found if reference(each.get("bpmnElement")) == element_id), None)

    def free_id(self, stem: str) -> str:
        """An id that nothing in the file has yet."""
        taken = {value for each in self.root.iter(etree.Element) for value in (each.get("id"), each.get("bpmnElement"))}
        number = 1
        while f"{stem}_{number}" in taken:
            number += 1
        return f"{stem}_{number}"


def children(element: etree._Element, *tags: str) -> Iterator[etree._Element]:
    """The BPMN elements directly below, of these tags or of any; comments are none."""
    for child in element.iterchildren(f"{{{MODEL}}}*"):
        if not tags or tag_of(child) in tags:
            yield child


@dataclass(frozen=True)
class Value:
    """A typed value that a step leaves behind, or that a run begins with; of a list also what its items are, and
    where it is worked out the expression that gives it."""

    name: str
    type: str
    label: str
    of: str = ""
    value: str = ""

    @classmethod
    def of_element(cls, element: etree._Element) -> Value:
        """The value as the drawing has it."""
        said = {name: element.get(name, "") for name in ("name", "type", "label", "of", "value")}
        return cls(**said | {"value": " ".join(said["value"].split())})


def kept_as(step: etree._Element) -> str:
    """Under which of our tags the drawing keeps the values of a step: what a run begins with is its input."""
    around = step.getparent()
    is_first = tag_of(step) == "startEvent" and around is not None and tag_of(around) == "process"
    return "input" if is_first else "output"


def values_of(element: etree._Element, *tags: str) -> list[etree._Element]:
    """The values of an element, under these of our tags: `output`, `input`."""
    wanted = [f"{{{AOS}}}{tag}" for tag in tags]
    return [each for box in children(element, "extensionElements") for each in box.iterchildren(*wanted)]


def text_of(element: etree._Element) -> str:
    """The text of an element, without comments."""
    parts = [element.text or "", *(each.tail or "" for each in element)]
    return "".join(parts).strip()


def own(element: etree._Element, attribute: str) -> str:
    """What our own namespace says about an element."""
    return " ".join((element.get(f"{{{AOS}}}{attribute}") or "").split())


def condition_of(flow: etree._Element) -> str:
    """The condition of a way, empty without one."""
    return next((text_of(each) for each in children(flow, "conditionExpression")), "")


def definition_of(event: etree._Element) -> str:
    """What kind of event it is: timer, message, ...; empty for a plain one."""
    found = (tag_of(each) for each in children(event) if tag_of(each).endswith("EventDefinition"))
    return next(found, "").removesuffix("EventDefinition")


def timer_of(step: etree._Element) -> tuple[str, str]:
    """How a timer is set, as `timeDuration` and `PT4H`; two empty texts for what is no timer, or not set yet."""
    said = (each for timer in children(step, "timerEventDefinition") for each in children(timer, *TIMES))
    return next(((tag_of(each), text_of(each)) for each in said if text_of(each)), ("", ""))
