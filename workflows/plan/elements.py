"""Workflows, rules: one BPMN element read into one node."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lxml import etree

from workflows.plan.document import children, extensions, foreign, is_true, name_of, own, problem, reference, tag_of
from workflows.plan.events import EventReader
from workflows.plan.extensions import ATTRIBUTES, ExtensionReader, unknown_attributes
from workflows.plan.graph import EventKind, Node, NodeKind
from workflows.plan.loops import REPEATED, with_loop
from workflows.plan.problems import ElementProblem, ProblemKind
from workflows.plan.sources import Declared

K = NodeKind
UNASSIGNED, UNSUPPORTED = ProblemKind.UNASSIGNED, ProblemKind.UNSUPPORTED

KINDS = {
    "startEvent": K.START,
    "endEvent": K.END,
    "intermediateCatchEvent": K.CATCH,
    "intermediateThrowEvent": K.THROW,
    "boundaryEvent": K.BOUNDARY,
    "serviceTask": K.SERVICE_TASK,
    "userTask": K.USER_TASK,
    "manualTask": K.USER_TASK,
    "task": K.USER_TASK,
    "businessRuleTask": K.RULE_TASK,
    "scriptTask": K.SCRIPT_TASK,
    "sendTask": K.SEND_TASK,
    "receiveTask": K.RECEIVE_TASK,
    "callActivity": K.CALL,
    "subProcess": K.SUB_PROCESS,
    "transaction": K.SUB_PROCESS,
    "adHocSubProcess": K.AD_HOC,
    "exclusiveGateway": K.EXCLUSIVE,
    "parallelGateway": K.PARALLEL,
    "inclusiveGateway": K.INCLUSIVE,
    "eventBasedGateway": K.EVENT_BASED,
}
EVENTS = frozenset({K.START, K.END, K.CATCH, K.THROW, K.BOUNDARY})
GATEWAY_TAGS = ("exclusiveGateway", "parallelGateway", "inclusiveGateway", "complexGateway", "eventBasedGateway")
# an agent can do these as well when a role or capability is named
FOR_AGENTS = ("task", "businessRuleTask", "scriptTask", "sendTask")

# drawn, but without a meaning for what is executed
DRAWN_ONLY = frozenset(
    [
        "incoming",
        "outgoing",
        "documentation",
        "extensionElements",
        "property",
        "dataInputAssociation",
        "dataOutputAssociation",
        "ioSpecification",
        "resourceRole",
        "performer",
        "humanPerformer",
        "potentialOwner",
        "rendering",
        "monitoring",
        "auditing",
        "dataInput",
        "dataOutput",
        "inputSet",
        "outputSet",
        "categoryValueRef",
        "eventDefinitionRef",
    ]
)
INSIDE = frozenset(
    {*KINDS, "complexGateway", "sequenceFlow", "laneSet", "textAnnotation", "association", "group", "dataObject",
     "dataObjectReference", "dataStoreReference", "completionCondition", "artifact"}
)  # fmt: skip
ONCE_ONLY = {"startQuantity": "1", "completionQuantity": "1", "instantiate": "false", "parallelMultiple": "false"}
SLUG = re.compile(r"[a-z][a-z0-9_-]{1,59}", re.ASCII)


@dataclass(frozen=True)
class Lane:
    """A lane with what it says about who works in it."""

    name: str = ""
    role: str = ""
    path: str = ""

    @classmethod
    def of(cls, element: etree._Element) -> Lane:
        """The lane of an element; a name that looks like the code of a role or path is taken for it."""
        name = name_of(element)
        code = name if SLUG.fullmatch(name) else ""
        stated = own(element, "role") or own(element, "path")
        return cls(name, own(element, "role") or ("" if stated else code), own(element, "path") or (
            "" if stated else code))  # fmt: skip


class ElementReader:
    """Reads elements into nodes and collects what is wrong with them in `problems`."""

    def __init__(self, declared: Declared) -> None:
        self.problems: list[ElementProblem] = []
        self.declared = declared
        self.events = EventReader(declared, self.say)
        self.extensions = ExtensionReader(self.say)

    def say(self, element: etree._Element, reason: str, kind: ProblemKind = ProblemKind.WRONG) -> None:
        self.problems.append(problem(element, reason, kind))

    def read(self, element: etree._Element, *, parent: str, lane: Lane, in_event: bool) -> Node | None:
        """The node of an element; None, and a problem, for an element type that is not executed. `in_event` says
        that it lies directly inside of an event sub-process."""
        kind = self._kind(element)
        if kind is None:
            self.say(element, f"The element type {tag_of(element)} is not executed.", UNSUPPORTED)
            return None
        self._refuse_parts(element, kind)
        node = Node(
            id=element.get("id") or "",
            name=name_of(element),
            kind=kind,
            lane=lane.name,
            parent=parent,
            default_flow=reference(element.get("default")),
            is_compensation=is_true(element.get("isForCompensation")),
            is_transaction=tag_of(element) == "transaction",
        )
        node = self._filled(element, self.extensions.values(element, node), lane, in_event)
        self.problems += unknown_attributes(element, ATTRIBUTES.get(node.kind, ()))
        return with_loop(element, node, self.say)

    def _kind(self, element: etree._Element) -> NodeKind | None:
        tag = tag_of(element)
        kind = KINDS.get(tag)
        if tag == "subProcess" and is_true(element.get("triggeredByEvent")):
            return K.EVENT_SUB_PROCESS
        if tag in FOR_AGENTS and (own(element, "role") or own(element, "capability")):
            return K.SERVICE_TASK
        if tag == "endEvent" and any(True for _ in children(element, "terminateEventDefinition")):
            return K.TERMINATE
        return kind

    def _refuse_parts(self, element: etree._Element, kind: NodeKind) -> None:
        container = kind in (K.SUB_PROCESS, K.EVENT_SUB_PROCESS, K.AD_HOC)
        for part in children(element):
            tag = tag_of(part)
            event = kind in EVENTS | {K.TERMINATE} and tag.endswith("EventDefinition")
            fits = event or tag in DRAWN_ONLY or (container and tag in INSIDE)
            fits = fits or tag in REPEATED or (tag == "script" and tag_of(element) == "scriptTask")
            if not fits:
                self.say(element, f"{tag_of(element)} with {tag} is not executed.", UNSUPPORTED)
        for attribute, usual in ONCE_ONLY.items():
            if element.get(attribute, usual) != usual:
                self.say(element, f"{attribute}={element.get(attribute)} is not executed.", UNSUPPORTED)

    def _filled(self, element: etree._Element, node: Node, lane: Lane, in_event: bool) -> Node:
        if node.kind in EVENTS:
            return self._event(element, node, in_event)
        match node.kind:
            case K.SERVICE_TASK:
                return self.extensions.agent_work(element, node, role=lane.role)
            case K.USER_TASK:
                return self._person(element, node, lane)
            case K.RULE_TASK:
                return self._rules(element, node)
            case K.SCRIPT_TASK if not node.outputs:
                self.say(element, "A script task needs aos:output with an expression, or aos:role.", UNASSIGNED)
            case K.SEND_TASK | K.RECEIVE_TASK:
                return self._message(element, node)
            case K.CALL:
                return self._call(element, node)
            case K.AD_HOC:
                return self._ad_hoc(element, node)
        return node

    def _event(self, element: etree._Element, node: Node, in_event: bool) -> Node:
        place = "event start" if node.kind is K.START and in_event else tag_of(element)
        read = self.events.read(element, node, place=place)
        stays = element.get("isInterrupting" if node.kind is K.START else "cancelActivity", "true")
        return replace(
            read,
            attached_to=reference(element.get("attachedToRef")),
            interrupting=is_true(stays) or read.event in (EventKind.ERROR, EventKind.CANCEL),
        )

    def _person(self, element: etree._Element, node: Node, lane: Lane) -> Node:
        if tag_of(element) == "task" and not own(element, "path") and not lane.path:
            reason = "A plain task needs aos:role (an agent works) or aos:path (a person decides)."
            self.say(element, reason, UNASSIGNED)
            return node
        return self.extensions.decision(element, node, path=lane.path)

    def _rules(self, element: etree._Element, node: Node) -> Node:
        table = own(element, "decision") or foreign(element, "decisionRef") or foreign(
            element, "decisionId", "calledDecision")  # fmt: skip
        if not table:
            self.say(element, "aos:decision is missing: the decision table (or aos:role: an agent).", UNASSIGNED)
        return replace(node, decision=table)

    def _message(self, element: etree._Element, node: Node) -> Node:
        ref = element.get("messageRef")
        if not ref:
            needs = "a message" if node.kind is K.RECEIVE_TASK else "a message, or aos:role"
            self.say(element, f"{'Receiving' if needs == 'a message' else 'Sending'} needs {needs}.", UNASSIGNED)
            return replace(node, event=EventKind.MESSAGE, event_name=node.id)
        return self.events.message(element, node, ref)

    def _call(self, element: etree._Element, node: Node) -> Node:
        called = reference(element.get("calledElement")) or foreign(element, "processId", "calledElement")
        if foreign(element, "caseRef"):
            self.say(element, "A call of a case is not executed.", UNSUPPORTED)
        elif not called:
            self.say(element, "calledElement is missing: the code of the workflow that is called.", UNASSIGNED)
        return replace(node, calls=called)

    def _ad_hoc(self, element: etree._Element, node: Node) -> Node:
        ordering = element.get("ordering", "Parallel")
        if ordering not in ("Parallel", "Sequential"):
            self.say(element, f"The ordering is Parallel or Sequential, not “{ordering}”.")
        texts = ["".join(map(str, each.itertext())).strip() for each in children(element, "completionCondition")]
        return replace(node, condition=texts[0] if texts else "", in_sequence=ordering == "Sequential")


def stray_extensions(element: etree._Element, reader: ElementReader) -> None:
    """Tell of our own elements and attributes where none has a meaning."""
    known = ("role", "path") if tag_of(element) == "lane" else ()
    reader.problems += unknown_attributes(element, known)
    for value in extensions(element):
        reader.say(element, f"aos:{tag_of(value)} is not known on a {tag_of(element)}.")
