"""Workflows, rules: the reader of BPMN 2.0 files. A drawing becomes a graph, or a full list of problems."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from itertools import islice

from lxml import etree

from workflows.plan.checks import problems_in, warnings_in
from workflows.plan.document import (
    MODEL,
    children,
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
from workflows.plan.elements import ElementReader, Lane, stray_extensions
from workflows.plan.graph import Flow, Graph, Node, NodeKind
from workflows.plan.problems import BpmnInvalid, ElementProblem, ProblemKind, Severity
from workflows.plan.sources import Declared, declared
from workflows.plan.translating import translated

MOST_PROBLEMS = 100

# drawn in a process, but without a meaning for what is executed
DRAWN_ONLY = frozenset(
    [
        "documentation",
        "extensionElements",
        "textAnnotation",
        "association",
        "group",
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "property",
        "ioSpecification",
        "auditing",
        "monitoring",
        "resourceRole",
        "potentialOwner",
        "performer",
        "correlationSubscription",
        "supports",
        "artifact",
    ]
)
LINES = ("laneSet", "sequenceFlow")


@dataclass(frozen=True)
class Model:
    """A file as it was read: the graph when it could run but for what nobody is named to do, and all problems."""

    graph: Graph | None
    problems: tuple[ElementProblem, ...]

    @property
    def is_executable(self) -> bool:
        """Whether it can be published as it is."""
        return self.graph is not None and not any(each.severity is Severity.ERROR for each in self.problems)


def read_bpmn(xml: bytes) -> Graph:
    """The graph of the one executable process in a BPMN 2.0 file.

    Raises `BpmnInvalid` with every element that cannot be executed and the reason, the first 100 of them.
    """
    model = read_model(xml)
    errors = [each for each in model.problems if each.severity is Severity.ERROR]
    if errors or model.graph is None:
        raise BpmnInvalid(errors)
    return model.graph


def read_model(xml: bytes) -> Model:
    """Whatever stands in a BPMN 2.0 file, with up to 100 problems. Raises `BpmnInvalid` for what is no such file."""
    root = parse(xml)
    problems = [*repeated_ids(root), *_pools(root)]
    process = _executable(root, problems)
    if process is None:
        return Model(None, tuple(problems))
    drawing = Drawing(process, declared(root), {each.get("id"): tag_of(each) for each in root.iter(f"{{{MODEL}}}*")})
    if not process.get("id"):
        problems.append(problem(process, "The process has no id."))
    problems += drawing.read()
    graph = Graph(
        process_id=id_of(process),
        name=name_of(process) or _pool_name(root, process) or id_of(process),
        nodes=drawing.nodes,
        flows=drawing.flows,
        lanes=tuple(dict.fromkeys(lane.name for lane in drawing.lanes.values())),
    )
    graph, untranslated = translated(graph)
    problems += untranslated
    # Looked for one by one: each suggestion costs time, and a hostile file must not buy more than a hundred of them.
    problems += islice(problems_in(graph, drawing.refused), MOST_PROBLEMS)
    if not drawing.refused and not any(_is_broken(each) for each in problems):
        problems += islice(warnings_in(graph), MOST_PROBLEMS)
    found = _most_important(problems)
    return Model(None if any(_is_broken(each) for each in found) else graph, found)


def _is_broken(problem: ElementProblem) -> bool:
    return problem.kind is not ProblemKind.UNASSIGNED and problem.severity is Severity.ERROR


def _most_important(problems: list[ElementProblem]) -> tuple[ElementProblem, ...]:
    once = sorted(dict.fromkeys(problems), key=lambda each: each.severity is Severity.WARNING)
    return tuple(once[:MOST_PROBLEMS])


def _executable(root: etree._Element, problems: list[ElementProblem]) -> etree._Element | None:
    """The process that is executed: the one that is marked, else the first in which something is drawn."""
    processes = list(children(root, "process"))
    marked = [each for each in processes if is_true(each.get("isExecutable"))]
    drawn = [each for each in processes if any(True for _ in children(each, "startEvent", "sequenceFlow"))]
    if len(marked) > 1:
        reason = "Only one process of a file can be executable."
        problems += [problem(each, reason, ProblemKind.UNSUPPORTED) for each in marked]
    elif not processes:
        problems.append(problem(root, "The file holds no process."))
    elif not marked:
        reason = "The process is not marked isExecutable."
        problems += [problem(each, reason, ProblemKind.UNASSIGNED) for each in (drawn or processes)[:1]]
    return next(iter(marked or drawn or processes), None)


def _pools(root: etree._Element) -> list[ElementProblem]:
    found = []
    processes = {each.get("id") for each in children(root, "process")}
    for collaboration in children(root, "collaboration"):
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
    declared: Declared
    known_ids: dict[str | None, str]
    nodes: dict[str, Node] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    problems: list[ElementProblem] = field(default_factory=list)

    def read(self) -> list[ElementProblem]:
        """Read everything that stands in the process; what is wrong is returned."""
        self.reader = ElementReader(self.declared)
        self.problems = self.reader.problems
        stray_extensions(self.process, self.reader)
        scopes = self._scopes()
        for element, _ in scopes:
            for lane_set in children(element, "laneSet"):
                self._read_lanes(lane_set)
        for element, parent in scopes:
            self._read_nodes(element, parent)
        for element, parent in scopes:
            self._read_flows(element, parent)
        self._connect()
        self._tie_handlers(scopes)
        return self.problems

    def _scopes(self) -> list[tuple[etree._Element, str]]:
        """The process and every sub-process, each with the id that the nodes inside name as their parent."""
        found, waiting = [], deque([(self.process, "")])
        while waiting:
            element, parent = waiting.popleft()
            found.append((element, parent))
            for inner in children(element, "subProcess", "transaction", "adHocSubProcess"):
                waiting.append((inner, inner.get("id") or ""))
        return found

    def _read_nodes(self, scope: etree._Element, parent: str) -> None:
        in_event = is_true(scope.get("triggeredByEvent"))
        for element in children(scope):
            if self._is_beside(element, parent):
                continue
            lane = self.lanes.get(element.get("id") or "", Lane())
            node = self.reader.read(element, parent=parent, lane=lane, in_event=in_event)
            if not element.get("id"):
                self._say(element, "The element has no id.")
            elif node is None:
                self.refused.add(id_of(element))
            else:
                self.nodes[node.id] = node

    def _is_beside(self, element: etree._Element, parent: str) -> bool:
        tag = tag_of(element)
        if tag in DRAWN_ONLY or tag in LINES:
            return True
        # of a sub-process itself, not something inside of it
        mine = tag in ("incoming", "outgoing", "completionCondition") or tag.endswith("LoopCharacteristics")
        return bool(parent) and (mine or tag.startswith(("dataInput", "dataOutput")))

    def _read_lanes(self, lane_set: etree._Element) -> None:
        stray_extensions(lane_set, self.reader)
        for lane in lane_set.iter(f"{{{MODEL}}}lane"):
            stray_extensions(lane, self.reader)
            for entry in children(lane, "flowNodeRef"):
                node_id = reference(text_of(entry))
                self.lanes[node_id] = Lane.of(lane)
                if node_id not in self.known_ids:
                    self._say(lane, f"The lane holds {node_id}, which does not exist.")

    def _read_flows(self, scope: etree._Element, parent: str) -> None:
        for element in children(scope):
            if tag_of(element) == "sequenceFlow":
                stray_extensions(element, self.reader)
                self._read_flow(element, parent)
            self._check_listed_flows(element)

    def _read_flow(self, element: etree._Element, parent: str) -> None:
        source, target = (reference(element.get(end)) for end in ("sourceRef", "targetRef"))
        ends = [self._end_problem(source, "start", parent), self._end_problem(target, "lead", parent)]
        for reason in filter(None, ends):
            self._say(element, reason)
        if not element.get("id"):
            self._say(element, "The flow has no id.")
        elif not any(ends):
            condition = self._condition(element)
            self.flows[id_of(element)] = Flow(id_of(element), source, target, name_of(element), condition)

    def _end_problem(self, node_id: str, verb: str, parent: str) -> str:
        preposition = "from" if verb == "start" else "to"
        if not node_id:
            return f"The flow does not say where it {verb}s {preposition}."
        if node_id not in self.known_ids:
            return f"The flow {verb}s {preposition} {node_id}, which does not exist."
        if node_id in self.refused:
            return ""
        if node_id not in self.nodes:
            return f"The flow {verb}s {preposition} {node_id}, which is no step of this process."
        if self.nodes[node_id].parent != parent:
            return f"The flow {verb}s {preposition} {node_id}, across the edge of a sub-process."
        return ""

    def _condition(self, element: etree._Element) -> str:
        conditions = [text_of(each) for each in children(element, "conditionExpression")]
        if conditions and not conditions[0]:
            self._say(element, "The condition is empty.", ProblemKind.UNASSIGNED)
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
            if node.kind is NodeKind.BOUNDARY:
                boundaries[node.attached_to].append(node.id)
        for node_id, node in self.nodes.items():
            self.nodes[node_id] = replace(
                node,
                incoming=tuple(incoming[node_id]),
                outgoing=tuple(outgoing[node_id]),
                boundaries=tuple(boundaries[node_id]),
            )

    def _tie_handlers(self, scopes: list[tuple[etree._Element, str]]) -> None:
        """Tie activities to what undoes them: an association leads from the event on their edge to it."""
        for scope, _ in scopes:
            for line in children(scope, "association"):
                event = self.nodes.get(reference(line.get("sourceRef")))
                handler = self.nodes.get(reference(line.get("targetRef")))
                if event is None or handler is None or not handler.is_compensation:
                    continue
                host = self.nodes.get(event.attached_to)
                if host is not None:
                    self.nodes[host.id] = replace(host, undone_by=handler.id)

    def _say(self, element: etree._Element, reason: str, kind: ProblemKind = ProblemKind.WRONG) -> None:
        self.problems.append(problem(element, reason, kind))
