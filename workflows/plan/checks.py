"""Workflows, rules: what must hold for a drawing before it may run: ways, choices, conditions, names."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from governance.language import LanguageError, compile_template
from workflows.plan.graph import ACTIVITIES, ENDS, GATEWAYS, IDENTIFIER, INPUT, Flow, Graph, Node, NodeKind
from workflows.plan.problems import ElementProblem

CHOOSERS = ACTIVITIES | {NodeKind.EXCLUSIVE}


def problems_in(graph: Graph, refused: Collection[str]) -> Iterator[ElementProblem]:
    """Everything that keeps the graph from running; `refused` elements are reported already."""
    yield from _starts(graph)
    for node in graph.nodes.values():
        yield from _ends_of(node)
        yield from _boundary(node, graph, refused)
        yield from _default(node)
        yield from _choice(node, graph)
        yield from _names(node)
        yield from _title(node, graph)
    for flow in graph.flows.values():
        yield from _condition(flow, graph)
    yield from _ways(graph, refused)
    yield from _gateway_loops(graph)


def _about(element: Node | Flow, reason: str) -> ElementProblem:
    return ElementProblem(element.id, element.name, reason)


def _starts(graph: Graph) -> Iterator[ElementProblem]:
    starts = [node for node in graph.nodes.values() if node.kind is NodeKind.START]
    if not starts:
        yield ElementProblem(graph.process_id, graph.name, "The process has no start event.")
    for extra in starts[1:]:
        yield _about(extra, "Only one start event is executed; this is another.")


def _ends_of(node: Node) -> Iterator[ElementProblem]:
    if node.incoming and node.kind is NodeKind.START:
        yield _about(node, "No flow may lead into a start event.")
    if node.incoming and node.kind is NodeKind.TIMER:
        yield _about(node, "No flow may lead into a boundary event.")
    if node.outgoing and node.kind in ENDS:
        yield _about(node, "No flow may leave an end event.")
    if not node.outgoing and node.kind not in ENDS | ACTIVITIES:
        yield _about(node, "No flow leads on from here.")


def _boundary(node: Node, graph: Graph, refused: Collection[str]) -> Iterator[ElementProblem]:
    if node.kind is not NodeKind.TIMER or node.attached_to in refused:
        return
    host = graph.nodes.get(node.attached_to)
    if not node.attached_to:
        yield _about(node, "The boundary event is not attached to a task.")
    elif host is None:
        yield _about(node, f"The boundary event is attached to {node.attached_to}, which does not exist.")
    elif host.kind is not NodeKind.USER_TASK:
        yield _about(node, f"A timer can be attached to a user task only, and {host.id} is none.")


def _default(node: Node) -> Iterator[ElementProblem]:
    if node.default_flow and node.kind not in CHOOSERS:
        yield _about(node, "Only an exclusive gateway or a task can have a default flow.")
    elif node.default_flow and node.default_flow not in node.outgoing:
        yield _about(node, f"The default flow {node.default_flow} does not leave this element.")


def _choice(node: Node, graph: Graph) -> Iterator[ElementProblem]:
    """Refuse what could leave a token without a way, or with a way that was never asked about."""
    others = [graph.flows[each] for each in node.outgoing if each != node.default_flow]
    conditional = [flow for flow in others if flow.condition]
    free = [flow for flow in others if not flow.condition]
    if node.kind is NodeKind.EXCLUSIVE and len(node.outgoing) > 1:
        for flow in free:
            yield _about(flow, f"The flow leaves the exclusive gateway {node.id} without a condition.")
        if not node.default_flow:
            yield _about(node, "Not every case is covered: add a default flow.")
    elif node.kind in CHOOSERS and conditional and not free and not node.default_flow:
        yield _about(node, "Every way out has a condition: add a default flow.")


def _condition(flow: Flow, graph: Graph) -> Iterator[ElementProblem]:
    source = graph.nodes.get(flow.source)
    if not flow.condition or source is None:
        return
    if source.kind not in CHOOSERS:
        yield _about(flow, "A condition is read only on a flow out of an exclusive gateway or a task.")
    elif source.default_flow == flow.id:
        yield _about(flow, "A default flow has no condition.")
    try:
        graph.condition(flow.id)
    except LanguageError as error:
        for each in error.problems:
            yield _about(flow, f"Condition, {each}")


def _names(node: Node) -> Iterator[ElementProblem]:
    if node.kind in ACTIVITIES and node.id == INPUT:
        yield _about(node, f"The id {INPUT} is kept for the inputs of the run.")
    elif node.kind in ACTIVITIES and node.outputs and not IDENTIFIER.fullmatch(node.id):
        yield _about(node, "Conditions cannot name this id: use letters, digits and _.")


def _title(node: Node, graph: Graph) -> Iterator[ElementProblem]:
    try:
        compile_template(node.title, graph.variables_schema())
    except LanguageError as error:
        for each in error.problems:
            yield _about(node, f"aos:title, {each}")


def _ways(graph: Graph, refused: Collection[str]) -> Iterator[ElementProblem]:
    """Refuse what is never reached or never ends; refused elements count as steps here."""
    onward = _neighbours(graph)
    entered = {target for targets in onward.values() for target in targets}
    starts = {node.id for node in graph.nodes.values() if node.kind is NodeKind.START}
    reached = _reach(starts | (set(refused) - entered), onward)
    backward = defaultdict(list)
    for source, targets in onward.items():
        for target in targets:
            backward[target].append(source)
    dead_ends = {each for each in [*graph.nodes, *refused] if not onward.get(each)}
    ending = _reach(dead_ends, backward)
    for node in graph.nodes.values():
        if starts and node.id not in reached and node.kind is not NodeKind.TIMER:
            yield _about(node, "No way leads here from the start.")
        if node.id not in ending:
            yield _about(node, "No end can be reached from here.")


def _neighbours(graph: Graph) -> dict[str, list[str]]:
    onward: dict[str, list[str]] = defaultdict(list)
    for flow in graph.flows.values():
        onward[flow.source].append(flow.target)
    for node in graph.nodes.values():
        if node.attached_to:
            onward[node.attached_to].append(node.id)
    return onward


def _reach(starts: Iterable[str], onward: Mapping[str, list[str]]) -> set[str]:
    seen = set(starts)
    waiting = list(seen)
    while waiting:
        fresh = set(onward.get(waiting.pop(), ())) - seen
        seen |= fresh
        waiting.extend(fresh)
    return seen


def _gateway_loops(graph: Graph) -> Iterator[ElementProblem]:
    gateways = dict.fromkeys(node.id for node in graph.nodes.values() if node.kind in GATEWAYS)
    pairs = [(flow.source, flow.target) for flow in graph.flows.values()]
    fed = _without_ends(gateways, pairs)
    for node_id in _without_ends(fed, [(target, source) for source, target in pairs]):
        yield _about(graph.nodes[node_id], "This gateway is in a loop without any work in it.")


def _without_ends(nodes: Collection[str], pairs: Iterable[tuple[str, str]]) -> list[str]:
    """The nodes that are left when, again and again, those that nothing leads to are taken away."""
    inside = [(source, target) for source, target in pairs if source in nodes and target in nodes]
    onward = defaultdict(list)
    for source, target in inside:
        onward[source].append(target)
    counts = Counter(target for _, target in inside)
    waiting = [node for node in nodes if not counts[node]]
    gone = set(waiting)
    while waiting:
        for target in onward[waiting.pop()]:
            counts[target] -= 1
            if not counts[target]:
                gone.add(target)
                waiting.append(target)
    return [node for node in nodes if node not in gone]
