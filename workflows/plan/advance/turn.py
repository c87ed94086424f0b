"""Workflows, rules: one turn of the engine: what happened, and every move that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from governance.language import Kind
from workflows.plan.advance.activities import Activities
from workflows.plan.advance.state import MOST_MOVES, CannotGoOn, Move, StaleHappening, Way
from workflows.plan.graph import AWAITED, INPUT, WORKS, EventKind, Node, NodeKind
from workflows.plan.happenings import (
    Effect,
    EventCaught,
    Gathered,
    Happening,
    IncidentResolved,
    RaiseIncident,
    RunCancelled,
    Started,
    StepEscalated,
    StepFailed,
    StepFinished,
    TaskChosen,
    TimerFired,
    TokenMoved,
    VariablesChanged,
)
from workflows.plan.marking import Marking, Token


class Turn(Activities):
    """Takes one happening and works it off."""

    def take(self, happening: Happening) -> None:
        """Do what happened. Raises StaleHappening when it cannot (any more)."""
        if self.ended:
            raise StaleHappening("This run has ended.")
        match happening:
            case Started(variables, start):
                self._start(variables, start)
            case RunCancelled():
                self.stop_all()
            case VariablesChanged():
                pass
            case TokenMoved(token, to):
                self._move(token, to)
            case TaskChosen(token, node_id):
                self._choose(token, node_id)
            case IncidentResolved(token):
                self._try_again(token)
            case _:
                self._go_on(happening)

    def _go_on(self, happening: Happening) -> None:
        match happening:
            case StepFinished(token):
                self.finish(token)
            case StepFailed(token, code, reason):
                self.step_failed(token, code, reason)
            case StepEscalated(token, code, reason):
                self._step_escalated(token, code, reason)
            case TimerFired(token):
                self._fire(token)
            case EventCaught(token):
                self._caught(token)
            case Gathered(token):
                self._gathered(token)

    def result(self) -> tuple[Marking, tuple[Effect, ...]]:
        """Where the run stands, and what has to be done."""
        if not self.tokens and not self.ended and self.touched:
            self._conclude()
        return self.marking(), tuple(self.effects)

    # what happened

    def _start(self, inputs: Mapping[str, object], start: str) -> None:
        if not self.is_new:
            raise StaleHappening("This run was started before.")
        begin = next((each for each in self.graph.starts if each.id == start), None) if start else self.graph.start
        if begin is None:
            raise StaleHappening(f"There is no start event {start}.")
        self.variables.setdefault(INPUT, dict(inputs))
        self.wait_for_starts(0)
        self.leave(begin, 0)

    def _fire(self, number: int) -> None:
        timer = self.timers.pop(number, None)
        if timer is None:
            raise StaleHappening(f"Timer {number} is not running.")
        self.catch(timer.node, timer.host, left=timer.left)

    def _caught(self, number: int) -> None:
        wait = self.waits.get(number)
        if wait is None or wait.kind == EventKind.CONDITIONAL:
            raise StaleHappening(f"Nothing waits under the number {number}.")
        del self.waits[number]
        self.catch(wait.node, wait.host)

    def _gathered(self, number: int) -> None:
        turns = self.instances.get(number)
        if turns is None or not turns.gathering:
            raise StaleHappening(f"Nothing is gathered under the number {number}.")
        self.activity_done(self.tokens[number])

    def _step_escalated(self, number: int, code: str, reason: str) -> None:
        token = self.open_step(number)
        self.escalate(code, self.node_of(token), scope=token.scope, token=token, reason=reason)

    def open_step(self, number: int) -> Token:
        """The token of the open step with this number, of the whole activity for one of its turns. Raises
        StaleHappening."""
        token, turns = self.tokens.get(number), self.turns_with(number)
        if turns is not None:
            token = self.tokens[turns.token]
        if token is None or token.stuck or (turns is None and token.id in self.instances):
            raise StaleHappening(f"Step {number} is not open.")
        return token

    def _move(self, number: int, to: str) -> None:
        token, target = self.tokens.get(number), self.graph.nodes.get(to)
        if token is None or token.scope in self.instances:
            raise StaleHappening(f"Nothing is open under the number {number}.")
        if target is None or target.parent != self.scope_node(token.scope) or target.kind in UNREACHED:
            raise StaleHappening(f"{to} is no place in the same part of the drawing.")
        if any(each.current == number for each in self.undoing.values()):
            raise StaleHappening("What undoes something cannot be moved; it can be finished.")
        self.push(Move(token.scope, to))
        self.withdraw([token.id])

    def _choose(self, number: int, node_id: str) -> None:
        token, chosen = self.tokens.get(number), self.graph.nodes.get(node_id)
        if token is None or self.node_of(token).kind is not NodeKind.AD_HOC or token.id in self.instances:
            raise StaleHappening(f"No ad-hoc sub-process is open under the number {number}.")
        if chosen is None or chosen.parent != token.node or not may_be_chosen(chosen):
            raise StaleHappening(f"{node_id} is no task of this sub-process.")
        if token.id in self.lines:  # it comes next
            self.lines[token.id] = (node_id, *(each for each in self.lines[token.id] if each != node_id))
            self.touched.add(token.id)
        else:
            self.push(Move(token.id, node_id))

    def _try_again(self, number: int) -> None:
        token = self.tokens.get(number)
        if token is None or not token.stuck:
            if self.try_turn_again(number):
                return
            raise StaleHappening(f"Nothing is stuck under the number {number}.")
        if number in self.instances:
            self.put(replace(token, stuck=False))
            self.push(Move(token.scope, token.node, way=Way.AGAIN, token=number))
            return
        if token.flow or token.again:
            undoes = any(each.current == number for each in self.undoing.values())
            way, same = (Way.OPEN, number) if undoes else (Way.ENTER, 0)
            self.push(Move(token.scope, token.node, token.flow, way=way, token=same))
        self.drop(token)
        if not (token.flow or token.again):
            self.leave(self.node_of(token), token.scope)

    # every move that follows

    def move_all(self) -> None:
        """Work off what is to be done until everything waits."""
        while not self.ended:
            while self.pending and self.moves_left > 0:
                self.moves_left -= 1
                self._do(self.pending.popleft())
            if self.pending:
                self._stop_moving()
            elif not (self.join_inclusive() or self._close_scopes() or self._meet_conditions()):
                return

    def _do(self, move: Move) -> None:
        self.busy[move.scope] -= 1
        self.touched.add(move.scope)
        if move.way is Way.AGAIN:
            self.again(self.tokens[move.token])
        elif move.way is Way.OPEN:
            self.open(move)
        else:
            self._enter(move)

    def _stop_moving(self) -> None:
        reason = f"More than {MOST_MOVES:,} moves without any work in between."
        while self.pending:
            move = self.pop()
            if move.way is Way.AGAIN:
                self._stop_turning(self.tokens[move.token], reason)
            else:
                again = not move.flow
                self.stick(move.node, reason, scope=move.scope, flow=move.flow, again=again, number=move.token)

    def _enter(self, move: Move) -> None:
        node = self.graph.nodes[move.node]
        if move.flow:
            self.passed[move.flow] = self.passed.get(move.flow, 0) + 1
        try:
            self._enter_node(node, move)
        except CannotGoOn as problem:
            self.stick(node.id, str(problem), scope=move.scope, again=True)

    def _enter_node(self, node: Node, move: Move) -> None:
        match node.kind:
            case NodeKind.PARALLEL | NodeKind.INCLUSIVE:
                self.arrive(node, move.flow, move.scope)
            case NodeKind.END | NodeKind.THROW:
                self._throw(node, move.scope)
            case NodeKind.TERMINATE:
                self.terminate(node, move.scope)
            case NodeKind.CATCH if node.event in AWAITED:
                self._wait(move, [node])
            case NodeKind.EVENT_BASED:
                self._wait(move, [self.graph.nodes[self.graph.flows[each].target] for each in node.outgoing])
            case _ if node.kind in WORKS:
                self.open(move)
            case _:
                self.leave(node, move.scope)

    def _throw(self, node: Node, scope: int) -> None:
        if node.event is EventKind.LINK:
            self._jump(node, scope)
        elif self.throw(node, scope):
            self.leave(node, scope)

    def _jump(self, node: Node, scope: int) -> None:
        target = self.graph.link_target(node)
        if target is None:
            raise CannotGoOn(f"The link “{node.event_name}” leads nowhere.")
        self.leave(target, scope)

    def _wait(self, move: Move, events: list[Node]) -> None:
        token, before = self.put(Token(self.take_number(), move.node, scope=move.scope)), len(self.effects)
        try:
            for event in events:
                self.wait_for(event, token.id, scope=move.scope)
        except CannotGoOn:
            self.withdraw([token.id])
            del self.effects[before:]
            raise

    # what follows when all else stands still

    def _close_scopes(self) -> bool:
        """End the sub-processes in which nothing goes on any more; whether there were any."""
        closed = False
        for number in sorted(self.touched - {0}, reverse=True):
            self.touched.discard(number)
            token = self.tokens.get(number)
            if token is None or number in self.instances or not self.node_of(token).is_scope:
                continue
            if self._is_over(token):
                closed = True
                self.scope_done(token)
        return closed or bool(self.pending)

    def _is_over(self, token: Token) -> bool:
        node = self.node_of(token)
        goes_on = self.busy[token.id] or self.lines.get(token.id)
        if node.kind is NodeKind.AD_HOC and node.condition and goes_on and self._is_enough(token):
            self.withdraw([each.id for each in self.tokens.values() if each.scope == token.id])
            self.lines.pop(token.id, None)
        if self.busy[token.id] or self._is_next(token):
            return False
        waiting = self.waiting_at_joins().get(token.id, [])
        for join in sorted({self.graph.flows[flow].target for flow in waiting}):
            self.effects.append(RaiseIncident(join, NEVER))
        return not waiting

    def _is_next(self, token: Token) -> bool:
        """Begin what is next in a sub-process that does one after the other; whether there was something."""
        first, *left = self.lines.get(token.id) or ("",)
        if first:
            self.lines[token.id] = tuple(left)
            self.push(Move(token.id, first))
        return bool(first)

    def _is_enough(self, token: Token) -> bool:
        node = self.node_of(token)
        try:
            return self.value_of(node.condition, node, scope=token.scope, expects=Kind.BOOL) is True
        except CannotGoOn:
            return False  # a value that is not there yet

    def _meet_conditions(self) -> bool:
        if not self.waits or not any(each.kind == EventKind.CONDITIONAL for each in self.waits.values()):
            return False
        wait = next(self.conditions_met(), None)
        if wait is None:
            return False
        self.moves_left -= 1
        event = self.graph.nodes[wait.node]
        if event.interrupting or event.kind not in (NodeKind.BOUNDARY, NodeKind.START):
            del self.waits[wait.id]
        self.catch(wait.node, wait.host)
        return True

    def _conclude(self) -> None:
        waiting = self.waiting_at_joins().get(0, [])
        for join in sorted({self.graph.flows[flow].target for flow in waiting}):
            self.effects.append(RaiseIncident(join, NEVER))
        if not waiting:
            self.cancel_waits([0])
            self.end(self.last_end or self.graph.start.id)


def may_be_chosen(node: Node) -> bool:
    """Whether a node of an ad-hoc sub-process can be done when somebody asks for it."""
    return node.kind in WORKS and node.kind is not NodeKind.EVENT_SUB_PROCESS and not node.is_compensation


NEVER = "This join waits for a branch that can never come."
UNREACHED = frozenset({NodeKind.START, NodeKind.BOUNDARY, NodeKind.EVENT_SUB_PROCESS})
