"""Workflows, rules: what activities do: opened once or many times, by agents and people or by the engine itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from governance.language import Kind
from workflows.plan.advance.events import Events
from workflows.plan.advance.state import CannotGoOn, Move, StaleHappening, Way
from workflows.plan.dmn import DecisionFailed, evaluate_json
from workflows.plan.graph import ACTIVITIES, AUTOMATIC, EventKind, Graph, LoopKind, Node, NodeKind
from workflows.plan.happenings import (
    Assign,
    CallWorkflow,
    CancelStep,
    GatherOutputs,
    OpenStep,
    RaiseIncident,
)
from workflows.plan.marking import Done, Instances, Token
from workflows.plan.values import plain

MOST_TURNS = 100_000
MOST_SUB_PROCESSES = 1_000
ITEMS = "items"
WITH_OUTPUTS = ACTIVITIES | {NodeKind.CALL}


class Activities(Events):
    """Opens activities and ends them."""

    def open(self, move: Move) -> None:
        """Begin an activity; when it cannot begin, nothing of it stays but a stuck token."""
        node = self.graph.nodes[move.node]
        token = self.put(Token(move.token or self.take_number(), node.id, scope=move.scope))
        before = len(self.effects)
        try:
            self._begin(node, token, move.start)
        except CannotGoOn as problem:
            self.withdraw([token.id])
            del self.effects[before:]
            self.stick(node.id, str(problem), scope=move.scope, again=True, number=move.token)

    def _begin(self, node: Node, token: Token, start: str) -> None:
        if node.loop is not LoopKind.NONE:
            self.wait_at_edge(token)
            self._begin_turns(node, token)
        elif node.kind in AUTOMATIC:
            self._keep(node, self._worked_out(node, token.scope))
            self.activity_done(token)
        else:
            self._begin_once(node, token, start)
            self.wait_at_edge(token)

    def _begin_once(self, node: Node, token: Token, start: str) -> None:
        if node.is_scope:
            self.open_scope(token, start)
        elif node.kind is NodeKind.CALL:
            given = self._passed_on(node, token.scope)
            self.effects.append(CallWorkflow(token.id, node.id, node.calls, given))
        elif node.kind is NodeKind.RECEIVE_TASK:
            self.wait_for(node, token.id, scope=token.scope)
        else:
            self.effects.append(OpenStep(token.id, node.id))

    def open_scope(self, token: Token, start: str = "") -> None:
        """Begin what lies inside of a sub-process."""
        node = self.node_of(token)
        self.wait_for_starts(token.id)
        self.touched.add(token.id)
        if node.kind is NodeKind.AD_HOC:
            free = [each.id for each in self.graph.inside(node.id) if is_free(each)]
            if node.in_sequence:
                self.lines[token.id] = tuple(free)
            else:
                self._push_all(token.id, free)
            return
        starts = self.graph.starts_in(node.id)
        begin = next((each for each in starts if each.id == start or (not start and not each.event)), None)
        if begin is not None:
            self.leave(begin, token.id)
            return
        # drawn without a start event
        self._push_all(token.id, [each.id for each in self.graph.inside(node.id) if is_free(each)])

    def _push_all(self, scope: int, nodes: list[str]) -> None:
        for each in nodes:
            self.push(Move(scope, each))

    def _passed_on(self, node: Node, scope: int, loop: Mapping[str, object] | None = None) -> Mapping[str, object]:
        if node.passes:
            return self.values_of(node.passes, node, scope=scope, loop=loop)
        given = self.variables.get("input", {})
        return dict(given) if isinstance(given, Mapping) else {}

    # what the engine does by itself

    def _keep(self, node: Node, values: Mapping[str, object]) -> None:
        if values:
            self.variables[node.id] = dict(values)
            self.effects.append(Assign(node.id, dict(values)))

    def _worked_out(self, node: Node, scope: int, loop: Mapping[str, object] | None = None) -> dict[str, object]:
        if node.kind is NodeKind.SEND_TASK:
            self.send(node, scope)
            return {}
        if node.kind is NodeKind.SCRIPT_TASK:
            return self.values_of(node.outputs, node, scope=scope, loop=loop)
        return self._decided(node, self.loop_facts(scope) if loop is None else loop)

    def _decided(self, node: Node, loop: Mapping[str, object]) -> dict[str, object]:
        table = self.graph.tables.get(node.decision)
        if table is None:
            raise CannotGoOn(f"The decision table “{node.decision}” is not there.")
        facts = known_by_name(self.graph, self.variables, loop, node.id)
        try:
            found = evaluate_json(table, facts)
        except DecisionFailed as problem:
            raise CannotGoOn(f"The decision table “{node.decision}” gives no answer: {problem}") from problem
        return {name: plain(value) for name, value in found.items()}

    # many times

    def _begin_turns(self, node: Node, token: Token) -> None:
        if node.loop is LoopKind.STANDARD:
            count = 0
        else:
            count = len(self.items_of(node, token.scope)) if node.collection else self._number(node, token.scope)
            most = MOST_SUB_PROCESSES if node.is_scope and node.loop is LoopKind.PARALLEL else MOST_TURNS
            if count > most:
                raise CannotGoOn(f"{count:,} instances are more than the {most:,} that are allowed.")
        self.instances[token.id] = Instances(token.id, self.next_token, count)
        self.take_number(count)
        if node.loop is LoopKind.PARALLEL and node.is_scope:
            self.moves_left += count * 100
        self.push(Move(token.scope, node.id, way=Way.AGAIN, token=token.id))

    def _number(self, node: Node, scope: int) -> int:
        found = self.value_of(node.loop_count, node, scope=scope, expects=Kind.INT)
        return max(int(str(found)), 0)

    def again(self, token: Token) -> None:
        """Begin the next turn of an activity that is done many times, all of them of a parallel one, or end it."""
        node, turns = self.node_of(token), self.instances[token.id]
        try:
            if node.loop is LoopKind.STANDARD:
                self._turn_again(node, token, turns)
            elif node.kind in AUTOMATIC:
                self._work_out_all(node, token, turns)
            elif turns.opened == turns.count:
                self._end_turns(node, token, turns)
            else:
                self._open_turns(node, token, turns)
        except CannotGoOn as problem:
            self._stop_turning(token, str(problem))

    def _stop_turning(self, token: Token, reason: str) -> None:
        self.put(replace(token, stuck=True))
        self.effects.append(RaiseIncident(token.node, reason, token.id))

    def _turn_again(self, node: Node, token: Token, turns: Instances) -> None:
        asked = turns.opened or node.loop_tests_before
        facts = self.turn_facts(token, turns, turns.opened)
        most = self._most(node, token.scope)
        stops = turns.opened >= most or (asked and node.loop_condition and not self._goes_on(node, token, facts))
        if stops or (asked and not node.loop_condition and most == MOST_TURNS):
            self._end_turns(node, token, turns)
            return
        # each turn gets a number of its own; done turns keep theirs
        index, number = turns.opened, self.take_number()
        self.instances[token.id] = replace(turns, first=number - index, count=index + 1, opened=index + 1)
        if node.kind in AUTOMATIC:
            self._keep(node, self._worked_out(node, token.scope, facts))
            self.turn_done(token, index)
        else:
            self._open_turn(node, token, number, index, None)

    def _most(self, node: Node, scope: int) -> int:
        return self._number(node, scope) if node.loop_count else MOST_TURNS

    def _goes_on(self, node: Node, token: Token, facts: Mapping[str, object]) -> bool:
        return self.value_of(node.loop_condition, node, scope=token.scope, expects=Kind.BOOL, loop=facts) is True

    def _work_out_all(self, node: Node, token: Token, turns: Instances) -> None:
        rows: list[object] = []
        for index in range(turns.count):
            facts = self.turn_facts(token, replace(turns, done=(1 << index) - 1), index)
            rows.append(self._worked_out(node, token.scope, facts))
            if node.loop_condition and self._goes_on(node, token, facts):
                break
        self._keep(node, {ITEMS: rows})
        self.activity_done(token)

    def _open_turns(self, node: Node, token: Token, turns: Instances) -> None:
        items = self.items_of(node, token.scope) if node.collection else ()
        until = turns.count if node.loop is LoopKind.PARALLEL else turns.opened + 1
        self.instances[token.id] = replace(turns, opened=until)
        for index in range(turns.opened, until):
            item = items[index] if index < len(items) else None
            self._open_turn(node, token, turns.first + index, index, item)

    def _open_turn(self, node: Node, host: Token, number: int, index: int, item: object) -> None:
        if node.is_scope:
            self.open_scope(self.put(Token(number, node.id, scope=host.id)))
        elif node.kind is NodeKind.CALL:
            facts = self.turn_facts(host, self.instances[host.id], index)
            given = self._passed_on(node, host.scope, facts)
            self.effects.append(CallWorkflow(number, node.id, node.calls, given, index))
        else:
            self.effects.append(OpenStep(number, node.id, index, item))

    def turn_done(self, host: Token, index: int) -> None:
        """One turn of an activity ended: begin the next one, wait for the others, or end the activity."""
        node, turns = self.node_of(host), self.instances[host.id]
        turns = self.instances[host.id] = replace(turns, done=turns.done | 1 << index)
        if node.loop is not LoopKind.STANDARD and node.loop_condition:
            facts = self.turn_facts(host, turns, index)
            try:
                enough = self._goes_on(node, host, facts)
            except CannotGoOn as problem:
                self._stop_turning(host, str(problem))
                return
            if enough:
                self._drop_open_turns(node, host, turns)
                self._end_turns(node, host, turns)
                return
        if turns.done.bit_count() == turns.opened:
            self.push(Move(host.scope, node.id, way=Way.AGAIN, token=host.id))

    def _drop_open_turns(self, node: Node, host: Token, turns: Instances) -> None:
        if node.is_scope:
            self.withdraw([each.id for each in self.tokens.values() if each.scope == host.id])
        else:
            self.take_back_turns(node, turns)

    def _end_turns(self, node: Node, token: Token, turns: Instances) -> None:
        many = node.loop is not LoopKind.STANDARD
        if many and node.kind in WITH_OUTPUTS and turns.opened and (node.outputs or node.output_schema):
            self.instances[token.id] = replace(turns, gathering=True)
            self.effects.append(GatherOutputs(token.id, node.id, turns.first, turns.opened))
            return
        if many and not turns.opened:
            self._keep(node, {ITEMS: []})
        self.activity_done(token)

    # how they end

    def finish(self, number: int) -> None:
        """What was open under a number is done, or failed and shall count as done. Raises StaleHappening."""
        token = self.tokens.get(number)
        if token is not None and self._is_work(token):
            self.activity_done(token)
            return
        turns = self.turns_with(number)
        if turns is None:
            raise StaleHappening(f"Step {number} is not open.")
        stuck = tuple(each for each in turns.stuck if each != number - turns.first)
        self.instances[turns.token] = replace(turns, stuck=stuck)
        self.turn_done(self.tokens[turns.token], number - turns.first)

    def turns_with(self, number: int) -> Instances | None:
        """The repeated activity one of whose open steps has this number."""
        found = (each for each in self.instances.values() if each.is_open(number))
        return next((each for each in found if not self.node_of(self.tokens[each.token]).is_scope), None)

    def _is_work(self, token: Token) -> bool:
        is_open = not token.stuck or (token.again and not token.flow)
        return is_open and token.id not in self.instances and self.node_of(token).kind in WITH_OUTPUTS

    def activity_done(self, token: Token) -> None:
        """An activity ended: nothing waits for it any more, and the run goes on behind it."""
        node = self.node_of(token)
        self.instances.pop(token.id, None)
        self.record(node, token)
        self.drop(token)
        self.cancel_waits([token.id])
        if self.undone(token.id):
            return
        if node.kind is NodeKind.EVENT_SUB_PROCESS:
            return
        self.leave(node, token.scope)

    def scope_done(self, token: Token) -> None:
        """Nothing goes on any more inside of a sub-process."""
        host = self.host_of(token)
        if host.id == token.id:
            self.activity_done(token)
            return
        if any(each.scope == token.id for each in self.completed):
            self.completed.append(Done(token.node, host.id, token.id))
        turns = self.instances[host.id]
        self.drop(token)
        self.cancel_waits([token.id])
        self.turn_done(host, token.id - turns.first)

    def step_failed(self, number: int, code: str, reason: str) -> None:
        """An open step ended with an error. Raises StaleHappening."""
        token, turns = self.tokens.get(number), self.turns_with(number)
        if token is not None and self._is_work(token) and not token.stuck:
            if not self.fail(code, scope=token.scope, token=token, reason=reason):
                self.drop(token)
                self.cancel_waits([token.id])
                self.stick(token.node, _uncaught(code, reason), scope=token.scope, again=True)
                self.undo_instead(number, self.next_token - 1)
            self.effects = [each for each in self.effects if each != CancelStep(number, token.node)]
        elif turns is not None and number - turns.first not in turns.stuck:
            self._turn_failed(turns, number, code, reason)
        else:
            raise StaleHappening(f"Step {number} is not open.")

    def _turn_failed(self, turns: Instances, number: int, code: str, reason: str) -> None:
        host = self.tokens[turns.token]
        if self.fail(code, scope=host.scope, token=host, reason=reason):
            self.effects = [each for each in self.effects if each != CancelStep(number, host.node)]
            return
        self.instances[host.id] = replace(turns, stuck=(*turns.stuck, number - turns.first))
        self.effects.append(RaiseIncident(host.node, _uncaught(code, reason), number))

    def try_turn_again(self, number: int) -> bool:
        """Open a turn once more that failed; whether there is such a one."""
        turns = self.turns_with(number)
        index = number - turns.first if turns is not None else -1
        if turns is None or index not in turns.stuck:
            return False
        host = self.tokens[turns.token]
        self.instances[host.id] = replace(turns, stuck=tuple(each for each in turns.stuck if each != index))
        items = self.items_of(self.node_of(host), host.scope) if self.node_of(host).collection else ()
        self._open_turn(self.node_of(host), host, number, index, items[index] if index < len(items) else None)
        return True


def known_by_name(
    graph: Graph, variables: Mapping[str, object], loop: Mapping[str, object], node_id: str
) -> dict[str, object]:
    """What a decision table may read: `vars` and `loop`, and by its bare name each value that has one meaning only."""
    facts = graph.facts(graph.variables_schema(node_id).paths, variables, loop, node_id)
    typed = facts.get("vars", {})
    found: dict[str, list[object]] = {}
    for values in typed.values() if isinstance(typed, Mapping) else ():
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    bare = {name: values[0] for name, values in found.items() if all(each == values[0] for each in values)}
    return {**bare, **facts}


def is_free(node: Node) -> bool:
    """Whether nothing leads to a node, so that its surroundings begin it."""
    silent = node.kind in (NodeKind.EVENT_SUB_PROCESS, NodeKind.BOUNDARY) or node.is_compensation
    link = node.kind is NodeKind.CATCH and node.event is EventKind.LINK
    return not node.incoming and not silent and not link


def _uncaught(code: str, reason: str) -> str:
    return f"Nothing catches the error “{code}”. {reason}".strip()
