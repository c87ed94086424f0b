"""Workflows, rules: the token engine. One happening in, new marking and effects out; nothing is kept."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping

from governance.language import EvaluationFailed, Missing
from workflows.plan.graph import INPUT, Flow, Graph, Node, NodeKind
from workflows.plan.marking import (
    CancelStep,
    CancelTimer,
    Effect,
    EndRun,
    Happening,
    IncidentResolved,
    Marking,
    OpenStep,
    RaiseIncident,
    RunCancelled,
    Started,
    StartTimer,
    StepFinished,
    Timer,
    TimerFired,
    Token,
)

MOST_MOVES = 1_000


class StaleHappening(Exception):
    """This step, timer or run is over already."""


class _CannotChoose(Exception):
    """No flow out of a node can be chosen; the message says why."""


def advance(
    graph: Graph, marking: Marking, happening: Happening, variables: Mapping[str, object]
) -> tuple[Marking, tuple[Effect, ...]]:
    """The next marking of a run and its effects in order; `variables` is what conditions see under `vars`.

    Raises `StaleHappening` when the run, the token or the timer is not open (any more).
    """
    turn = _Turn(graph, marking, variables)
    turn.take(happening)
    turn.move_all()
    return turn.result()


class _Turn:
    """The working copy of a marking while one happening is worked off."""

    def __init__(self, graph: Graph, marking: Marking, variables: Mapping[str, object]) -> None:
        self.graph = graph
        self.variables = dict(variables)
        self.is_new = marking == Marking()
        self.tokens = {token.id: token for token in marking.tokens}
        self.timers = {timer.id: timer for timer in marking.timers}
        self.arrived = Counter(marking.arrived)
        self.next_token = marking.next_token
        self.last_end = marking.last_end
        self.ended = marking.ended
        self.effects: list[Effect] = []
        self.pending: deque[Flow] = deque()

    def take(self, happening: Happening) -> None:
        if self.ended:
            raise StaleHappening("This run has ended.")
        match happening:
            case Started(variables):
                self._start(variables)
            case StepFinished(token):
                self._finish(token)
            case TimerFired(token):
                self._fire(token)
            case IncidentResolved(token):
                self._try_again(token)
            case RunCancelled():
                self._stop_all()

    def move_all(self) -> None:
        for _ in range(MOST_MOVES):
            if not self.pending:
                return
            self._enter(self.pending.popleft())
        while self.pending:
            flow = self.pending.popleft()
            self._stick(flow.target, f"More than {MOST_MOVES:,} moves without any work in between.", flow.id)

    def result(self) -> tuple[Marking, tuple[Effect, ...]]:
        if not self.tokens and not self.ended:
            self._conclude()
        marking = Marking(
            tokens=tuple(self.tokens.values()),
            timers=tuple(self.timers.values()),
            arrived={flow: self.arrived[flow] for flow in sorted(self.arrived) if self.arrived[flow]},
            next_token=self.next_token,
            last_end=self.last_end,
            ended=self.ended,
        )
        return marking, tuple(self.effects)

    # what happened

    def _start(self, inputs: Mapping[str, object]) -> None:
        if not self.is_new:
            raise StaleHappening("This run was started before.")
        self.variables.setdefault(INPUT, dict(inputs))
        self._leave(self.graph.start)

    def _finish(self, number: int) -> None:
        token = self.tokens.get(number)
        if token is None or token.stuck:
            raise StaleHappening(f"Step {number} is not open.")
        del self.tokens[number]
        self._cancel_timers(number)
        self._leave(self.graph.nodes[token.node])

    def _fire(self, number: int) -> None:
        timer = self.timers.pop(number, None)
        if timer is None:
            raise StaleHappening(f"Timer {number} is not running.")
        boundary = self.graph.nodes[timer.node]
        if boundary.interrupting:
            host = self.tokens.pop(timer.host)
            self.effects.append(CancelStep(host.id, host.node))
            self._cancel_timers(host.id)
        self._leave(boundary)

    def _try_again(self, number: int) -> None:
        token = self.tokens.get(number)
        if token is None or not token.stuck:
            raise StaleHappening(f"Nothing is stuck under the number {number}.")
        del self.tokens[number]
        if token.flow:
            self.pending.append(self.graph.flows[token.flow])
        else:
            self._leave(self.graph.nodes[token.node])

    # how tokens move

    def _enter(self, flow: Flow) -> None:
        node = self.graph.nodes[flow.target]
        match node.kind:
            case NodeKind.EXCLUSIVE:
                self._leave(node)
            case NodeKind.PARALLEL:
                self._arrive(node, flow)
            case NodeKind.END:
                self.last_end = node.id
            case NodeKind.TERMINATE:
                self._stop_all()
                self._end(node.id)
            case _:
                self._open(node)

    def _arrive(self, node: Node, flow: Flow) -> None:
        self.arrived[flow.id] += 1
        if all(self.arrived[each] for each in node.incoming):
            self.arrived.subtract(node.incoming)
            self._leave(node)

    def _leave(self, node: Node) -> None:
        try:
            chosen = self._chosen(node)
        except _CannotChoose as problem:
            self._stick(node.id, str(problem))
            return
        if not chosen:
            self.last_end = node.id
        self.pending.extend(chosen)

    def _open(self, node: Node) -> None:
        token = Token(self._number(), node.id)
        self.tokens[token.id] = token
        self.effects.append(OpenStep(token.id, node.id))
        for boundary in node.boundaries:
            timer = Timer(self._number(), boundary, token.id)
            self.timers[timer.id] = timer
            seconds = self.graph.nodes[boundary].duration_seconds
            self.effects.append(StartTimer(timer.id, boundary, token.id, seconds))

    def _stick(self, node_id: str, reason: str, flow_id: str = "") -> None:
        token = Token(self._number(), node_id, flow_id, stuck=True)
        self.tokens[token.id] = token
        self.effects.append(RaiseIncident(node_id, reason, token.id))

    def _number(self) -> int:
        self.next_token += 1
        return self.next_token - 1

    # which way

    def _chosen(self, node: Node) -> list[Flow]:
        flows = [self.graph.flows[each] for each in node.outgoing if each != node.default_flow]
        matching = (flow for flow in flows if not flow.condition or self._holds(flow))
        if node.kind is NodeKind.EXCLUSIVE:
            first = next(matching, None)
            taken = [] if first is None else [first]
        else:
            taken = list(matching)
        if not taken and node.default_flow:
            taken = [self.graph.flows[node.default_flow]]
        if not taken and node.outgoing:
            raise _CannotChoose("No outgoing flow matches and there is no default flow.")
        return taken

    def _holds(self, flow: Flow) -> bool:
        condition = self.graph.condition(flow.id)
        try:
            return condition.evaluate(self.graph.facts(condition.fields, self.variables)) is True
        except (Missing, EvaluationFailed) as problem:
            way = f"“{flow.name}”" if flow.name else flow.id
            raise _CannotChoose(f"The condition of {way} cannot be evaluated: {problem}") from problem

    # how it ends

    def _cancel_timers(self, host: int) -> None:
        for timer in [each for each in self.timers.values() if each.host == host]:
            del self.timers[timer.id]
            self.effects.append(CancelTimer(timer.id, timer.node))

    def _stop_all(self) -> None:
        self.effects.extend(CancelStep(each.id, each.node) for each in self.tokens.values())
        self.effects.extend(CancelTimer(each.id, each.node) for each in self.timers.values())
        self.tokens.clear()
        self.timers.clear()
        self.arrived.clear()
        self.pending.clear()
        self.ended = True

    def _conclude(self) -> None:
        waiting = [flow for flow, count in self.arrived.items() if count]
        for join in sorted({self.graph.flows[flow].target for flow in waiting}):
            self.effects.append(RaiseIncident(join, "This join waits for a branch that can never come."))
        if not waiting:
            self._end(self.last_end)

    def _end(self, node_id: str) -> None:
        self.last_end = node_id
        self.ended = True
        self.effects.append(EndRun(node_id))
