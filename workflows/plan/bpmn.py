"""Workflows, rules: the reader of BPMN 2.0 files. A drawing becomes a graph, or a full list of problems."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import islice

from lxml import etree

from workflows.plan.checks import problems_in
from workflows.plan.document import (
    MODEL,
    children,
    extensions,
    id_of,
    is_true,
    name_of,
    parse,
    problem,
    reference,
    repeated_ids,
    tag_of,
    text_of,
)
from workflows.plan.elements import ElementReader, unknown_attributes
from workflows.plan.graph import Flow, Graph, Node
from workflows.plan.problems import BpmnInvalid, ElementProblem

MOST_PROBLEMS = 100

# drawn in a process, but without a meaning for what is executed
DRAWN_ONLY = (
    "documentation",
    "extensionElements",
    "textAnnotation",
    "association",
    "group",
    "dataObject",
    "dataObjectReference",
    "dataStoreReference",
    "property",
)


def read_bpmn(xml: bytes) -> Graph:
    """The graph of the one executable process in a BPMN 2.0 file.

    Raises `BpmnInvalid` with every element that cannot be executed and the reason, the first 100 of them.
    """
    root = parse(xml)
    problems = [*repeated_ids(root), *_between_pools(root)]
    process = _executable(root, problems)
    drawing = Drawing(process, {each.get("id"): tag_of(each) for each in root.iter(f"{{{MODEL}}}*")})
    if not process.get("id"):
        problems.append(problem(process, "The process has no id."))
    problems += drawing.read()
    graph = Graph(
        process_id=id_of(process),
        name=name_of(process) or _pool_name(root, process) or id_of(process),
        nodes=drawing.nodes,
        flows=drawing.flows,
        lanes=tuple(dict.fromkeys(drawing.lanes.values())),
    )
    # Looked for one by one: each suggestion costs time, and a hostile file must not buy more than a hundred of them.
    problems += islice(problems_in(graph, drawing.refused), MOST_PROBLEMS)
    if problems:
        raise BpmnInvalid(tuple(dict.fromkeys(problems))[:MOST_PROBLEMS])
    return graph


def _executable(root: etree._Element, problems: list[ElementProblem]) -> etree._Element:
    processes = list(children(root, "process"))
    chosen = [each for each in processes if is_true(each.get("isExecutable"))]
    if len(chosen) == 1:
        return chosen[0]
    if len(chosen) > 1:
        problems += [problem(each, "Only one process of a file can be executable.") for each in chosen]
    elif not processes:
        problems.append(problem(root, "The file holds no process."))
    else:
        problems += [problem(each, "The process is not marked isExecutable.") for each in processes]
    if len(chosen or processes) == 1:
        return processes[0]
    raise BpmnInvalid(tuple(problems))


def _between_pools(root: etree._Element) -> list[ElementProblem]:
    found = []
    processes = {each.get("id") for each in children(root, "process")}
    for collaboration in children(root, "collaboration"):
        for flow in children(collaboration, "messageFlow"):
            found.append(problem(flow, "Messages between pools are not executed."))
        for pool in children(collaboration, "participant"):
            process = reference(pool.get("processRef"))
            if process and process not in processes:
                found.append(problem(pool, f"The process {process} does not exist."))
    return found


def _pool_name(root: etree._Element, process: etree._Element) -> str:
    pools = (pool for each in children(root, "collaboration") for pool in children(each, "participant"))
    return next((name_of(pool) for pool in pools if reference(pool.get("processRef")) == process.get("id")), "")


@dataclass
class Drawing:
    """One process while it is read; `refused` are elements that are drawn but not executed."""

    process: etree._Element
    known_ids: dict[str | None, str]
    nodes: dict[str, Node] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    lanes: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    problems: list[ElementProblem] = field(default_factory=list)

    def read(self) -> list[ElementProblem]:
        """Read everything that stands in the process; what is wrong is returned."""
        elements = [each for each in children(self.process) if tag_of(each) not in DRAWN_ONLY]
        for lane_set in (each for each in elements if tag_of(each) == "laneSet"):
            self._read_lanes(lane_set)
        self._read_nodes([each for each in elements if tag_of(each) not in ("laneSet", "sequenceFlow")])
        self._refuse_own([self.process, *(each for each in elements if tag_of(each) in ("laneSet", "sequenceFlow"))])
        for each in elements:
            if tag_of(each) == "sequenceFlow":
                self._read_flow(each)
        for each in elements:
            self._check_listed_flows(each)
        self._connect()
        return self.problems

    def _read_nodes(self, elements: list[etree._Element]) -> None:
        reader = ElementReader()
        for element in elements:
            node = reader.read(element)
            if not element.get("id"):
                reader.problems.append(problem(element, "The element has no id."))
            elif node is None:
                self.refused.add(id_of(element))
            else:
                self.nodes[node.id] = replace(node, lane=self.lanes.get(node.id, ""))
        self.problems += reader.problems

    def _refuse_own(self, elements: list[etree._Element]) -> None:
        for element in elements:
            self.problems += unknown_attributes(element)
            for value in extensions(element):
                self._say(element, f"aos:{tag_of(value)} is not known on a {tag_of(element)}.")

    def _read_lanes(self, lane_set: etree._Element) -> None:
        for lane in lane_set.iter(f"{{{MODEL}}}lane"):
            for entry in children(lane, "flowNodeRef"):
                node_id = reference(text_of(entry))
                self.lanes[node_id] = name_of(lane)
                if node_id not in self.known_ids:
                    self._say(lane, f"The lane holds {node_id}, which does not exist.")

    def _read_flow(self, element: etree._Element) -> None:
        source, target = (reference(element.get(end)) for end in ("sourceRef", "targetRef"))
        ends = [self._end_problem(source, "start"), self._end_problem(target, "lead")]
        for reason in filter(None, ends):
            self._say(element, reason)
        if not element.get("id"):
            self._say(element, "The flow has no id.")
        elif not any(ends):
            condition = self._condition(element)
            self.flows[id_of(element)] = Flow(id_of(element), source, target, name_of(element), condition)

    def _end_problem(self, node_id: str, verb: str) -> str:
        preposition = "from" if verb == "start" else "to"
        if not node_id:
            return f"The flow does not say where it {verb}s {preposition}."
        if node_id not in self.known_ids:
            return f"The flow {verb}s {preposition} {node_id}, which does not exist."
        if node_id not in self.nodes and node_id not in self.refused:
            return f"The flow {verb}s {preposition} {node_id}, which is no step of this process."
        return ""

    def _condition(self, element: etree._Element) -> str:
        conditions = [text_of(each) for each in children(element, "conditionExpression")]
        if conditions and not conditions[0]:
            self._say(element, "The condition is empty.")
        return conditions[0] if conditions else ""

    def _check_listed_flows(self, element: etree._Element) -> None:
        for entry in children(element, "incoming", "outgoing"):
            flow_id = reference(text_of(entry))
            if self.known_ids.get(flow_id) != "sequenceFlow":
                self._say(element, f"The {tag_of(entry)} flow {flow_id} does not exist.")

    def _connect(self) -> None:
        incoming, outgoing, boundaries = defaultdict(list), defaultdict(list), defaultdict(list)
        for flow in self.flows.values():
            outgoing[flow.source].append(flow.id)
            incoming[flow.target].append(flow.id)
        for node in self.nodes.values():
            boundaries[node.attached_to].append(node.id)
        for node_id, node in self.nodes.items():
            self.nodes[node_id] = replace(
                node,
                incoming=tuple(incoming[node_id]),
                outgoing=tuple(outgoing[node_id]),
                boundaries=tuple(boundaries[node_id]),
            )

    def _say(self, element: etree._Element, reason: str) -> None:
        self.problems.append(problem(element, reason))
