"""Workflows, rules: how tokens find their way: choices, joins."""

from __future__ import annotations

from governance.language import EvaluationFailed, LanguageError, Missing
from workflows.plan.advance.state import CannotGoOn, Move, scope_in
from workflows.plan.advance.waiting import Waiting
from workflows.plan.graph import Flow, Node, NodeKind


class Ways(Waiting):
    """Lets tokens leave nodes and wait at joins."""

    def leave(self, node: Node, scope: int) -> None:
        """Send a token on along every flow that is chosen."""
        try:
            chosen = self._chosen(node, scope)
        except CannotGoOn as problem:
            self.stick(node.id, str(problem), scope=scope)
            return
        if not chosen and self.is_outermost(scope):
            self.last_end = node.id
        self.touched.add(scope)
        for flow in chosen:
            self.push(Move(scope, flow.target, flow.id))

    def is_outermost(self, scope: int) -> bool:
        """Whether an end here may be the end of the run: in the run itself or in an event sub-process of it."""
        token = self.tokens.get(scope)
        return token is None or (not token.scope and self.node_of(token).kind is NodeKind.EVENT_SUB_PROCESS)

    def _chosen(self, node: Node, scope: int) -> list[Flow]:
        flows = [self.graph.flows[each] for each in node.outgoing if each != node.default_flow]
        matching = (flow for flow in flows if not flow.condition or self._holds(flow, scope))
        if node.kind is NodeKind.EXCLUSIVE:
            first = next(matching, None)
            taken = [] if first is None else [first]
        else:
            taken = list(matching)
        if not taken and node.default_flow:
            taken = [self.graph.flows[node.default_flow]]
        if not taken and node.outgoing:
            raise CannotGoOn("No outgoing flow matches and there is no default flow.")
        return taken

    def _holds(self, flow: Flow, scope: int) -> bool:
        parent = self.graph.nodes[flow.source].parent
        try:
            condition = self.graph.condition(flow.id)
            facts = self.graph.facts(condition.fields, self.variables, self.loop_facts(scope), parent)
            return condition.evaluate(facts) is True
        except (Missing, EvaluationFailed, LanguageError) as problem:
            way = f"“{flow.name}”" if flow.name else flow.id
            raise CannotGoOn(f"The condition of {way} cannot be evaluated: {problem}") from problem

    # joins

    def arrive(self, node: Node, flow: str, scope: int) -> None:
        """Wait at a join until every branch came; an inclusive one is looked at when all else stands still."""
        if len(node.incoming) < 2 or not flow:
            self.leave(node, scope)
            return
        self.arrived[_key(flow, scope)] += 1
        if all(self.arrived[_key(each, scope)] for each in node.incoming):
            self._join(node, scope)

    def _join(self, node: Node, scope: int) -> None:
        for each in node.incoming:
            if self.arrived[_key(each, scope)]:
                self.arrived[_key(each, scope)] -= 1
        self.leave(node, scope)

    def waiting_at_joins(self) -> dict[int, list[str]]:
        """By scope the flows on which tokens wait at joins."""
        found: dict[int, list[str]] = {}
        for key, count in self.arrived.items():
            if count:
                scope = scope_in(key)
                found.setdefault(scope, []).append(key.partition(":")[2] if scope else key)
        return found

    def join_inclusive(self) -> bool:
        """Let one inclusive join go on to which nothing can come any more; whether there was one."""
        for scope, flows in self.waiting_at_joins().items():
            joins = dict.fromkeys(self.graph.flows[flow].target for flow in flows)
            inclusive = [each for each in joins if self.graph.nodes[each].kind is NodeKind.INCLUSIVE]
            ready = [each for each in inclusive if not self._can_still_come(each, scope, flows)]
            if not ready and inclusive and not self.busy[scope]:
                ready = inclusive  # two joins would wait for each other
            if ready:
                self._join(self.graph.nodes[ready[0]], scope)
                return True
        return False

    def _can_still_come(self, join: str, scope: int, waiting: list[str]) -> bool:
        full = [each for each in self.graph.nodes[join].incoming if each in waiting]
        empty = [each for each in self.graph.nodes[join].incoming if each not in waiting]
        towards = set().union(*(self.graph.leading_to(each, join) for each in empty))
        beside = set().union(*(self.graph.leading_to(each, join) for each in full))
        standing = {each.node for each in self.tokens.values() if each.scope == scope}
        standing |= {self.graph.flows[each].target for each in waiting} - {join}
        return any(each in towards and each not in beside for each in standing)


def _key(flow: str, scope: int) -> str:
    return f"{scope}:{flow}" if scope else flow
