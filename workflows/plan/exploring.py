"""Workflows, rules: whether every join of a drawing is always reached, by going through all ways a run can take.

Each part of a drawing (the process, each sub-process) is gone through by itself, with conditions that may hold or not.
Tokens do not disturb one another, so that only one of them has to be moved at a time: branches side by side add up and
do not multiply.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from workflows.plan.graph import WORKS, EventKind, Graph, Node, NodeKind
from workflows.plan.problems import ElementProblem, ProblemKind, Severity

K = NodeKind
MOST_SITUATIONS = 4_000
# how many tokens are looked at altogether
MOST_EFFORT = 200_000
MOST_AT_ONCE = 3
MOST_SUBSETS = 5
JOINS = (K.PARALLEL, K.INCLUSIVE)

Situation = frozenset[tuple[str, int]]


def dead_ends(graph: Graph) -> Iterator[ElementProblem]:
    """Joins that can wait for ever, elements that can pile up tokens, and what could not be decided."""
    for begin in _beginnings(graph):
        exploration = _Exploration(graph, begin.scope)
        exploration.explore(begin.flows)
        yield from exploration.problems()


@dataclass(frozen=True)
class _Beginning:
    scope: str
    flows: tuple[str, ...]


def _beginnings(graph: Graph) -> Iterator[_Beginning]:
    """Every way in which a part of the drawing can begin: the flows that have a token then."""
    scopes = ["", *(node.id for node in graph.nodes.values() if node.is_scope)]
    for scope in scopes:
        starts = graph.starts_in(scope)
        for start in starts:
            yield _Beginning(scope, start.outgoing)
        if scope and not starts:
            free = [node for node in graph.inside(scope) if not node.incoming and node.kind in WORKS]
            yield _Beginning(scope, tuple(flow for node in free for flow in node.outgoing))


class _Exploration:
    def __init__(self, graph: Graph, scope: str) -> None:
        self.graph = graph
        self.scope = scope
        self.stuck: dict[str, None] = {}
        self.piled: dict[str, None] = {}
        self.is_undecided = False

    def explore(self, flows: tuple[str, ...]) -> None:
        """Go through every situation that can follow, each once."""
        first = _with(frozenset(), flows)
        seen, waiting, effort = {first}, [first], 0
        while waiting:
            situation = waiting.pop()
            effort += len(situation) + 1
            for after in self._after(situation):
                if after not in seen:
                    seen.add(after)
                    waiting.append(after)
            if len(seen) > MOST_SITUATIONS or effort > MOST_EFFORT:
                self.is_undecided = True
                return

    def problems(self) -> Iterator[ElementProblem]:
        for name in self.stuck:
            node = self.graph.nodes[name]
            reason = "This join can wait for ever: not all of its branches come on every way through the drawing."
            yield ElementProblem(node.id, node.name, reason)
        for name in self.piled:
            node = self.graph.nodes[name]
            reason = "It can be reached several times at once: join the branches before it if that is not meant."
            yield _warning(node.id, node.name, reason)
        if self.is_undecided:
            node_id = self.scope or self.graph.process_id
            name = self.graph.nodes[self.scope].name if self.scope else self.graph.name
            reason = "Whether every join is reached was not decided: there are too many situations to go through."
            yield _warning(node_id, name, reason)

    def _after(self, situation: Situation) -> Iterator[Situation]:
        held = dict(situation)
        for flow, times in held.items():
            if times > 1 and self._target(flow).kind is not K.END:
                self.piled[self.graph.flows[flow].target] = None
            if times > MOST_AT_ONCE:
                return
        free = next((flow for flow in sorted(held) if not self._waits(flow, held) and not self._ends_all(flow)), None)
        if free is not None:
            yield from self._moved(situation, free)
            return
        join = next((each for each in self._joins(held) if self._may_join(each, held)), None)
        last = next((flow for flow in sorted(held) if self._ends_all(flow)), None)
        if join is not None:
            yield from self._joined(situation, join, held)
        elif last is None:
            self.stuck |= dict.fromkeys(self._joins(held))

    def _target(self, flow: str) -> Node:
        return self.graph.nodes[self.graph.flows[flow].target]

    def _waits(self, flow: str, held: dict[str, int]) -> bool:
        node = self._target(flow)
        return node.kind in JOINS and len(node.incoming) > 1

    def _ends_all(self, flow: str) -> bool:
        node = self._target(flow)
        return node.kind is K.TERMINATE or (node.kind is K.END and node.event in (EventKind.ERROR, EventKind.CANCEL))

    def _joins(self, held: dict[str, int]) -> list[str]:
        return list(dict.fromkeys(self._target(flow).id for flow in sorted(held) if self._waits(flow, held)))

    def _may_join(self, join: str, held: dict[str, int]) -> bool:
        node = self.graph.nodes[join]
        if all(each in held for each in node.incoming):
            return True
        if node.kind is K.PARALLEL:
            return False
        # everything else stands still: only other joins could still send something
        full = [each for each in node.incoming if each in held]
        others = {self._target(flow).id for flow in held} - {join}
        empty = [each for each in node.incoming if each not in held]
        towards = set().union(*(self.graph.leading_to(each, join) for each in empty))
        beside = set().union(*(self.graph.leading_to(each, join) for each in full))
        blocked = {each for each in others if each in towards and each not in beside}
        return not any(self._may_join_alone(each, held) for each in blocked)

    def _may_join_alone(self, join: str, held: dict[str, int]) -> bool:
        return all(each in held for each in self.graph.nodes[join].incoming)

    def _joined(self, situation: Situation, join: str, held: dict[str, int]) -> Iterator[Situation]:
        node = self.graph.nodes[join]
        taken = [each for each in node.incoming if each in held]
        rest = _without(situation, taken)
        for flows in self._ways_out(node):
            yield _with(rest, flows)

    def _moved(self, situation: Situation, flow: str) -> Iterator[Situation]:
        rest, node = _without(situation, [flow]), self._target(flow)
        if node.kind is K.THROW and node.event is EventKind.LINK:
            target = self.graph.link_target(node)
            yield from (_with(rest, flows) for flows in (self._ways_out(target) if target else ()))
            return
        usual = list(self._ways_out(node))
        for flows in usual:
            yield _with(rest, flows)
        for name in node.boundaries:
            edge = self.graph.nodes[name]
            for flows in self._ways_out(edge):
                if edge.event is EventKind.COMPENSATION:
                    continue
                if edge.interrupting:
                    yield _with(rest, flows)
                else:
                    yield from (_with(rest, (*flows, *each)) for each in usual)

    def _ways_out(self, node: Node) -> Iterator[tuple[str, ...]]:
        """The sets of flows that can be taken when a token leaves a node."""
        if node.kind in (K.EXCLUSIVE, K.EVENT_BASED):
            yield from ((flow,) for flow in node.outgoing)
            return
        others = [each for each in node.outgoing if each != node.default_flow]
        asked = [each for each in others if self.graph.flows[each].condition]
        free = tuple(each for each in others if not self.graph.flows[each].condition)
        if node.default_flow and not free:
            yield (node.default_flow,)
        if not asked:
            if free or not node.default_flow:
                yield free
            return
        sizes = range(0 if free else 1, len(asked) + 1) if len(asked) <= MOST_SUBSETS else (1, len(asked))
        for size in sizes:
            yield from ((*free, *chosen) for chosen in combinations(asked, size))


def _with(situation: Situation, flows: tuple[str, ...]) -> Situation:
    counts = dict(situation)
    for flow in flows:
        counts[flow] = counts.get(flow, 0) + 1
    return frozenset(counts.items())


def _without(situation: Situation, flows: list[str]) -> Situation:
    counts = dict(situation)
    for flow in flows:
        counts[flow] -= 1
    return frozenset((flow, times) for flow, times in counts.items() if times)


def _warning(element_id: str, name: str, reason: str) -> ElementProblem:
    return ElementProblem(element_id, name, reason, ProblemKind.WRONG, Severity.WARNING)
