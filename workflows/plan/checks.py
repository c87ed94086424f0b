"""Workflows, rules: what must hold for a drawing before it may run: ways, choices, conditions, names."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from governance.language import Kind, LanguageError, compile_template
from workflows.plan.exploring import dead_ends
from workflows.plan.graph import (
    ACTIVITIES,
    ENDS,
    GATEWAYS,
    IDENTIFIER,
    INPUT,
    WORKS,
    EventKind,
    Flow,
    Graph,
    LoopKind,
    Node,
    NodeKind,
)
from workflows.plan.problems import ElementProblem, ProblemKind, Severity
from workflows.plan.translating import is_foreign

K = NodeKind
OURS = re.compile(r"\b(vars|loop)\.|^\s*(true|false)\s*$")
PASSED = frozenset({K.START, K.CATCH, K.THROW, K.BOUNDARY})
CHOOSERS = WORKS | PASSED | {K.EXCLUSIVE, K.INCLUSIVE}
MAY_END = ENDS | WORKS | PASSED


def problems_in(graph: Graph, refused: Collection[str]) -> Iterator[ElementProblem]:
    """Everything that keeps the graph from running; `refused` elements are reported already."""
    yield from _starts(graph, refused)
    for node in graph.nodes.values():
        yield from _ends_of(node, graph)
        yield from _boundary(node, graph, refused)
        yield from _default(node)
        yield from _choice(node, graph)
        yield from _awaited(node, graph, refused)
        yield from _names(node)
        yield from _expressions(node, graph)
        yield from _title(node, graph)
    yield from _links(graph)
    yield from _undoing(graph)
    yield from _cancelling(graph)
    yield from _in_sequence(graph)
    for flow in graph.flows.values():
        yield from _condition(flow, graph)
    yield from _ways(graph, refused)
    yield from _gateway_loops(graph)


def warnings_in(graph: Graph) -> Iterator[ElementProblem]:
    """What may go wrong although the drawing holds together: joins that wait, errors that never come."""
    yield from dead_ends(graph)
    for node in graph.nodes.values():
        if node.kind is K.BOUNDARY and node.event is EventKind.ERROR and not _may_fail(node, graph):
            reason = "Nothing inside can fail with this error, so that this way is never taken."
            yield ElementProblem(node.id, node.name, reason, severity=Severity.WARNING)


def _may_fail(event: Node, graph: Graph) -> bool:
    waiting = [graph.nodes[event.attached_to]]
    while waiting:
        node = waiting.pop()
        fails = node.kind is K.END and node.event is EventKind.ERROR
        if node.kind in ACTIVITIES | {K.CALL} or (fails and event.event_name in ("", node.event_name)):
            return True
        waiting += graph.inside(node.id) if node.is_scope else ()
    return False


def _about(element: Node | Flow, reason: str, kind: ProblemKind = ProblemKind.WRONG) -> ElementProblem:
    return ElementProblem(element.id, element.name, reason, kind)


def _starts(graph: Graph, refused: Collection[str]) -> Iterator[ElementProblem]:
    free = [each for each in graph.inside("") if each.kind in WORKS | GATEWAYS and not each.incoming]
    if not graph.starts and not refused:
        hint = " (every run begins with one)" if free else ""
        yield ElementProblem(graph.process_id, graph.name, f"The process has no start event{hint}.")
    for node in graph.nodes.values():
        starts = list(graph.starts_in(node.id)) if node.is_scope else []
        if node.kind is K.EVENT_SUB_PROCESS and len(starts) != 1:
            yield _about(node, "An event sub-process has exactly one start event.")
        elif node.kind is K.SUB_PROCESS:
            for start in starts:
                if start.event:
                    yield _about(start, "A sub-process begins with a start event without a trigger.")
        if node.kind in (K.SUB_PROCESS, K.AD_HOC) and not graph.inside(node.id):
            reason = "The sub-process is empty: draw what is done in it."
            yield _about(node, reason, ProblemKind.UNASSIGNED)
    plain = [each for each in graph.starts if not each.event]
    for extra in plain[1:]:
        yield _about(extra, "Only one start event is executed without a trigger; this is another.")


def _ends_of(node: Node, graph: Graph) -> Iterator[ElementProblem]:
    if node.incoming and node.kind is K.START:
        yield _about(node, "No flow may lead into a start event.")
    if node.incoming and node.kind is K.BOUNDARY:
        yield _about(node, "No flow may lead into a boundary event.")
    if node.outgoing and node.kind in ENDS:
        yield _about(node, "No flow may leave an end event.")
    if (node.incoming or node.outgoing) and node.kind is K.EVENT_SUB_PROCESS:
        yield _about(node, "No flow may touch an event sub-process: its start event begins it.")
    if (node.incoming or node.outgoing) and node.is_compensation:
        yield _about(node, "No flow may touch what undoes something: an association leads to it.")
    if not node.outgoing and node.kind not in MAY_END:
        yield _about(node, "No flow leads on from here.")


def _boundary(node: Node, graph: Graph, refused: Collection[str]) -> Iterator[ElementProblem]:
    if node.kind is not K.BOUNDARY or node.attached_to in refused:
        return
    host = graph.nodes.get(node.attached_to)
    if not node.attached_to:
        yield _about(node, "The boundary event is not attached to a task.")
    elif host is None:
        yield _about(node, f"The boundary event is attached to {node.attached_to}, which does not exist.")
    elif host.kind not in WORKS or host.kind is K.EVENT_SUB_PROCESS or host.parent != node.parent:
        yield _about(node, f"An event can be attached to a task or a sub-process only, and {host.id} is none.")


def _default(node: Node) -> Iterator[ElementProblem]:
    if node.default_flow and node.kind not in CHOOSERS:
        yield _about(node, "Only an exclusive or inclusive gateway or a task can have a default flow.")
    elif node.default_flow and node.default_flow not in node.outgoing:
        yield _about(node, f"The default flow {node.default_flow} does not leave this element.")


def _choice(node: Node, graph: Graph) -> Iterator[ElementProblem]:
    """Refuse what could leave a token without a way, or with a way that was never asked about."""
    others = [graph.flows[each] for each in node.outgoing if each != node.default_flow]
    conditional = [flow for flow in others if flow.condition]
    free = [flow for flow in others if not flow.condition]
    if node.kind is K.EXCLUSIVE and len(node.outgoing) > 1:
        for flow in free:
            reason = f"The flow leaves the exclusive gateway {node.id} without a condition."
            yield _about(flow, reason, ProblemKind.UNASSIGNED)
        if not node.default_flow:
            yield _about(node, "Not every case is covered: add a default flow.", ProblemKind.UNASSIGNED)
    elif node.kind in CHOOSERS and conditional and not free and not node.default_flow:
        yield _about(node, "Every way out has a condition: add a default flow.", ProblemKind.UNASSIGNED)


def _awaited(node: Node, graph: Graph, refused: Collection[str]) -> Iterator[ElementProblem]:
    if node.kind is not K.EVENT_BASED:
        return
    for each in node.outgoing:
        target = graph.nodes.get(graph.flows[each].target)
        if target is None:
            continue
        waits = target.kind is K.RECEIVE_TASK or (target.kind is K.CATCH and target.event is not EventKind.LINK)
        if not waits:
            yield _about(node, f"Behind an event-based gateway stands an event that is waited for, not {target.id}.")


def _condition(flow: Flow, graph: Graph) -> Iterator[ElementProblem]:
    source = graph.nodes.get(flow.source)
    if not flow.condition or source is None or is_foreign(flow.condition):
        return
    if source.kind not in CHOOSERS:
        yield _about(flow, "A condition is read only on a flow out of an exclusive gateway or a task.")
    elif source.default_flow == flow.id:
        yield _about(flow, "A default flow has no condition.")
    try:
        graph.condition(flow.id)
    except LanguageError as error:
        for each in error.problems:
            yield _about(flow, f"Condition, {each}", _kind_of(flow.condition))


def _expressions(node: Node, graph: Graph) -> Iterator[ElementProblem]:
    around = graph.nodes.get(node.parent)
    for what, text, at, kind in _texts(node, around.id if around else ""):
        if not text or is_foreign(text):
            continue
        try:
            graph.expression(text, at, kind)
        except LanguageError as error:
            for each in error.problems:
                yield _about(node, f"{what}, {each}", _kind_of(text))


def _kind_of(text: str) -> ProblemKind:
    """What is wrong with an expression: ours does not fit, or it was written for something else."""
    return ProblemKind.WRONG if OURS.search(text) else ProblemKind.UNASSIGNED


def _texts(node: Node, around: str) -> Iterator[tuple[str, str, str, Kind | None]]:
    many = node.loop in (LoopKind.PARALLEL, LoopKind.SEQUENTIAL)
    yield "Condition", node.condition, around, Kind.BOOL
    yield "Correlation", node.correlation, around, None
    yield "Timer", node.timer_value, around, None
    yield "loopCardinality" if many else "loopMaximum", node.loop_count, around, Kind.INT
    yield "completionCondition" if many else "loopCondition", node.loop_condition, node.id, Kind.BOOL
    if not is_path(node.collection):
        yield "aos:collection", node.collection, around, Kind.LIST
    for each in (*node.outputs, *node.passes):
        if each.kind not in (Kind.MAP, Kind.LIST) or not is_path(each.value):
            yield f"The value {each.name}", each.value, node.id, _wanted(each.kind)


def _wanted(kind: Kind) -> Kind | None:
    # an exact number may be given as a whole one, and a JSON value as anything
    return None if kind in (Kind.DECIMAL, Kind.MAP) else kind


def is_path(text: str) -> bool:
    """Whether an expression only names a value."""
    return text.startswith("vars.") and all(IDENTIFIER.fullmatch(part) for part in text.split("."))


def _names(node: Node) -> Iterator[ElementProblem]:
    leaves = node.kind in WORKS or node.kind in (K.CATCH, K.BOUNDARY)
    if leaves and node.id == INPUT:
        yield _about(node, f"The id {INPUT} is kept for the inputs of the run.")
    elif leaves and node.outputs and not IDENTIFIER.fullmatch(node.id):
        yield _about(node, "Conditions cannot name this id: use letters, digits and _.")


def _title(node: Node, graph: Graph) -> Iterator[ElementProblem]:
    for what, text in (("aos:title", node.title), ("aos:memoryKey", node.memory_key)):
        try:
            compile_template(text, graph.variables_schema(node.id))
        except LanguageError as error:
            for each in error.problems:
                yield _about(node, f"{what}, {each}")


def _links(graph: Graph) -> Iterator[ElementProblem]:
    links = [node for node in graph.nodes.values() if node.event is EventKind.LINK]
    caught = Counter((node.parent, node.event_name) for node in links if node.kind is K.CATCH)
    thrown = {(node.parent, node.event_name) for node in links if node.kind is K.THROW}
    for node in links:
        name = (node.parent, node.event_name)
        if node.kind is K.THROW and not caught[name]:
            yield _about(node, f"No link event catches “{node.event_name}” here.")
        elif node.kind is K.CATCH and name not in thrown:
            yield _about(node, f"No link event leads to “{node.event_name}” here.")
        elif node.kind is K.CATCH and caught[name] > 1:
            yield _about(node, f"Several link events catch “{node.event_name}”.")


def _undoing(graph: Graph) -> Iterator[ElementProblem]:
    for node in graph.nodes.values():
        if node.event is not EventKind.COMPENSATION:
            continue
        host = graph.nodes.get(node.attached_to)
        if node.kind is K.BOUNDARY and host is not None and not host.undone_by:
            yield _about(node, "Nothing undoes it: draw an association to a task that is for compensation.")
        if node.undoes and node.undoes not in graph.nodes:
            yield _about(node, f"The activity {node.undoes} that shall be undone does not exist.")


def _cancelling(graph: Graph) -> Iterator[ElementProblem]:
    """Refuse cancel events beside a transaction, and one that ends it when no way goes on from there."""
    for node in graph.nodes.values():
        if node.event is not EventKind.CANCEL:
            continue
        around = graph.nodes.get(node.attached_to if node.kind is K.BOUNDARY else node.parent)
        if around is None or not around.is_transaction:
            where = "on the edge of" if node.kind is K.BOUNDARY else "directly inside of"
            yield _about(node, f"A cancel event stands {where} a transaction only.")
        elif node.kind is K.END and not any(graph.nodes[each].event is EventKind.CANCEL for each in around.boundaries):
            yield _about(node, f"Draw a cancel event on the edge of {around.id}: the run goes on there.")


def _in_sequence(graph: Graph) -> Iterator[ElementProblem]:
    """Refuse branches side by side where everything is done one after the other."""
    for node in graph.nodes.values():
        around = graph.nodes.get(node.parent)
        if around is None or not around.in_sequence or len(node.outgoing) < 2:
            continue
        if node.kind not in (K.EXCLUSIVE, K.EVENT_BASED):
            yield _about(node, f"Inside of {around.id} one thing is done after the other: only one way may leave here.")


def _ways(graph: Graph, refused: Collection[str]) -> Iterator[ElementProblem]:
    """Refuse what is never reached or never ends; refused elements count as steps here."""
    onward = _neighbours(graph)
    entered = {target for targets in onward.values() for target in targets}
    starts = {node.id for node in graph.nodes.values() if _begins(node, graph)}
    reached = _reach(starts | (set(refused) - entered), onward)
    backward = defaultdict(list)
    for source, targets in onward.items():
        for target in targets:
            backward[target].append(source)
    dead_ends = {each for each in [*graph.nodes, *refused] if not onward.get(each)}
    ending = _reach(dead_ends, backward)
    for node in graph.nodes.values():
        if starts and node.id not in reached and node.kind is not K.BOUNDARY:
            yield _about(node, "No way leads here from the start.")
        if node.id not in ending:
            stopped = any(each.kind is K.TERMINATE for each in graph.inside(node.parent))
            severity = Severity.WARNING if stopped else Severity.ERROR
            yield ElementProblem(node.id, node.name, "No end can be reached from here.", severity=severity)


def _begins(node: Node, graph: Graph) -> bool:
    """Whether a token can come to a node without a flow."""
    if node.kind in (K.START, K.EVENT_SUB_PROCESS) or node.is_compensation:
        return True
    scope = graph.nodes.get(node.parent)
    free = scope is not None and (scope.kind is K.AD_HOC or not graph.starts_in(scope.id))
    return free and not node.incoming and node.kind is not K.BOUNDARY and node.event is not EventKind.LINK


def _neighbours(graph: Graph) -> dict[str, list[str]]:
    onward: dict[str, list[str]] = defaultdict(list)
    for flow in graph.flows.values():
        onward[flow.source].append(flow.target)
    for node in graph.nodes.values():
        if node.attached_to:
            onward[node.attached_to].append(node.id)
        if node.kind is K.THROW and node.event is EventKind.LINK:
            target = graph.link_target(node)
            onward[node.id] += [target.id] if target is not None else []
    return onward


def _reach(starts: Iterable[str], onward: Mapping[str, list[str]]) -> set[str]:
    seen = set(starts)
    waiting = list(seen)
    while waiting:
        fresh = set(onward.get(waiting.pop(), ())) - seen
        seen |= fresh
        waiting.extend(fresh)
    return seen


WITHOUT_WORK = (GATEWAYS - {K.EVENT_BASED}) | {K.THROW, K.SCRIPT_TASK, K.RULE_TASK, K.SEND_TASK}


def _gateway_loops(graph: Graph) -> Iterator[ElementProblem]:
    idle = dict.fromkeys(node.id for node in graph.nodes.values() if node.kind in WITHOUT_WORK)
    pairs = [(flow.source, flow.target) for flow in graph.flows.values()]
    fed = _without_ends(idle, pairs)
    for node_id in _without_ends(fed, [(target, source) for source, target in pairs]):
        if graph.nodes[node_id].kind in GATEWAYS:
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
