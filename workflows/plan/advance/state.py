"""Workflows, rules: the working copy of a marking while one happening is worked off."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from governance.language import EvaluationFailed, Kind, LanguageError, Missing, find
from workflows.plan.graph import ACTIVITIES, EventKind, Graph, Node, NodeKind, Output
from workflows.plan.happenings import (
    CancelCall,
    CancelStep,
    CancelTimer,
    Effect,
    RaiseIncident,
    Unsubscribe,
)
from workflows.plan.marking import Done, Instances, Line, Marking, Token, Wait
from workflows.plan.values import plain

MOST_MOVES = 1_000
PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


class StaleHappening(Exception):
    """This step, timer or run is over already."""


class CannotGoOn(Exception):
    """The run cannot go on here; the message says why."""


class Way(StrEnum):
    """What a move does with its node."""

    ENTER = "enter"
    OPEN = "open"
    AGAIN = "again"


@dataclass(frozen=True)
class Move:
    """One thing that still has to be done in this turn; `token` is the number that what is opened gets."""

    scope: int
    node: str
    flow: str = ""
    way: Way = Way.ENTER
    token: int = 0
    start: str = ""


def scope_in(key: str) -> int:
    """The scope in a key of what arrived at joins: `7:flow` lies in 7, `flow` in the run itself."""
    scope, colon, _ = key.partition(":")
    return int(scope) if colon and scope.isdigit() else 0


class State:
    """Tokens and waits by their numbers, the effects so far, and the moves that still have to be made."""

    def __init__(self, graph: Graph, marking: Marking, variables: Mapping[str, object]) -> None:
        self.graph = graph
        self.variables = dict(variables)
        self.is_new = marking == Marking()
        self.tokens = {token.id: token for token in marking.tokens}
        self.timers = {timer.id: timer for timer in marking.timers}
        self.waits = {wait.id: wait for wait in marking.waits}
        self.instances = {each.token: each for each in marking.instances}
        self.undoing = {each.token: each for each in marking.undoing}
        self.completed: list[Done] = list(marking.completed)
        self.arrived = Counter(marking.arrived)
        self.passed = dict(marking.passed)
        # by the sub-process what is done next in it, one after the other
        self.lines = {each.token: each.left for each in marking.lines}
        self.next_token = marking.next_token
        self.last_end = marking.last_end
        self.ended = marking.ended
        self.effects: list[Effect] = []
        self.pending: deque[Move] = deque()
        # how much is going on in each scope, and the scopes in which something came to its end
        self.busy = Counter(token.scope for token in marking.tokens)
        self.touched: set[int] = set()
        self.moves_left = MOST_MOVES

    def marking(self) -> Marking:
        """Where the run stands now."""
        return Marking(
            tokens=tuple(self.tokens.values()),
            timers=tuple(self.timers.values()),
            arrived={flow: self.arrived[flow] for flow in sorted(self.arrived) if self.arrived[flow]},
            next_token=self.next_token,
            last_end=self.last_end,
            ended=self.ended,
            waits=tuple(self.waits.values()),
            instances=tuple(self.instances.values()),
            completed=tuple(self.completed),
            undoing=tuple(self.undoing.values()),
            passed=self.passed,
            lines=tuple(Line(token, left) for token, left in self.lines.items()),
        )

    def take_number(self, count: int = 1) -> int:
        """The first of so many numbers that nothing had before."""
        self.next_token += count
        return self.next_token - count

    # tokens and moves

    def put(self, token: Token) -> Token:
        """Keep a token; one with the same number is replaced."""
        if token.id not in self.tokens:
            self.busy[token.scope] += 1
        self.tokens[token.id] = token
        return token

    def drop(self, token: Token) -> None:
        """Take a token away, without any effect."""
        del self.tokens[token.id]
        self.lines.pop(token.id, None)
        self.busy[token.scope] -= 1
        self.touched.add(token.scope)

    def push(self, move: Move) -> None:
        """Remember something that still has to be done."""
        self.busy[move.scope] += 1
        self.pending.append(move)

    def pop(self) -> Move:
        """The next thing to do."""
        move = self.pending.popleft()
        self.busy[move.scope] -= 1
        self.touched.add(move.scope)
        return move

    def stick(
        self, node_id: str, reason: str, *, scope: int, flow: str = "", again: bool = False, number: int = 0
    ) -> None:
        """Leave a token where the run cannot go on, and tell why."""
        number = number or self.take_number()
        token = self.put(Token(number, node_id, flow, stuck=True, scope=scope, again=again))
        self.effects.append(RaiseIncident(node_id, reason, token.id))

    def node_of(self, token: Token) -> Node:
        return self.graph.nodes[token.node]

    def scope_node(self, scope: int) -> str:
        """The sub-process that a scope belongs to; empty for the process itself."""
        return self.tokens[scope].node if scope else ""

    def host_of(self, token: Token) -> Token:
        """The token of the whole activity, for one of its turns."""
        return self.tokens[token.scope] if token.scope in self.instances else token

    # taking away

    def withdraw(self, numbers: Collection[int]) -> None:
        """Take tokens away with everything inside of them and all that waits for them."""
        doomed = self._with_inside(numbers)
        for token in [each for each in self.tokens.values() if each.id in doomed]:
            self._take_back(token)
            self.drop(token)
            self.undoing.pop(token.id, None)
        self.cancel_waits(doomed)
        for move in [each for each in self.pending if each.scope in doomed or each.token in doomed]:
            self.pending.remove(move)
            self.busy[move.scope] -= 1
        for key in [each for each in self.arrived if scope_in(each) in doomed]:
            del self.arrived[key]
        self.completed = [each for each in self.completed if each.scope not in doomed]

    def inside_of(self, scope: int) -> set[int]:
        """The numbers of all tokens inside of a scope, however deep."""
        return self._with_inside([scope]) - {scope}

    def _with_inside(self, numbers: Collection[int]) -> set[int]:
        inside: dict[int, list[int]] = {}
        for token in self.tokens.values():
            inside.setdefault(token.scope, []).append(token.id)
        doomed, waiting = set(numbers), list(numbers)
        while waiting:
            fresh = inside.get(waiting.pop(), [])
            doomed.update(fresh)
            waiting += fresh
        return doomed

    def _take_back(self, token: Token) -> None:
        turns = self.instances.pop(token.id, None)
        node = self.node_of(token)
        if token.stuck:
            self.effects.append(CancelStep(token.id, node.id))
        if turns is not None and not node.is_scope:
            self.take_back_turns(node, turns)
        elif turns is None and not token.stuck:
            self._take_back_work(node, [token.id])

    def take_back_turns(self, node: Node, turns: Instances) -> None:
        """Take back what is open of an activity that is done many times."""
        self._take_back_work(node, turns.open_numbers)

    def _take_back_work(self, node: Node, numbers: Iterable[int]) -> None:
        if node.kind in ACTIVITIES:
            self.effects.extend(CancelStep(number, node.id) for number in numbers)
        elif node.kind is NodeKind.CALL:
            self.effects.extend(CancelCall(number, node.id) for number in numbers)

    def cancel_waits(self, hosts: Collection[int]) -> None:
        """Stop the clocks and whatever else waits for these tokens."""
        for timer in [each for each in self.timers.values() if each.host in hosts]:
            del self.timers[timer.id]
            self.effects.append(CancelTimer(timer.id, timer.node))
        for wait in [each for each in self.waits.values() if each.host in hosts]:
            self.forget(wait)

    def forget(self, wait: Wait) -> None:
        """Wait no longer for a message, a signal or a condition."""
        del self.waits[wait.id]
        if wait.kind != EventKind.CONDITIONAL:
            self.effects.append(Unsubscribe(wait.id, wait.node))

    # expressions

    def value_of(
        self,
        text: str,
        node: Node,
        *,
        scope: int,
        expects: Kind | None = None,
        loop: Mapping[str, object] | None = None,
    ) -> object:
        """The value of an expression of a node; `loop` is what a turn of its own reads. Raises CannotGoOn."""
        at = node.parent if loop is None else node.id
        facts = self.loop_facts(scope) if loop is None else loop
        try:
            expression = self.graph.expression(text, at, expects)
            return expression.evaluate(self.graph.facts(expression.fields, self.variables, facts, at))
        except (Missing, EvaluationFailed, LanguageError) as problem:
            raise CannotGoOn(f"“{text}” cannot be evaluated: {problem}") from problem

    def values_of(
        self, outputs: Iterable[Output], node: Node, *, scope: int, loop: Mapping[str, object] | None = None
    ) -> dict[str, object]:
        """What the expressions of outputs give, as JSON keeps it; those without an expression give nothing."""
        found: dict[str, object] = {}
        for each in outputs:
            if PATH.fullmatch(each.value) and each.value.startswith("vars."):
                # a value without a type of the language is handed on as it is
                value = find({"vars": self.variables}, each.value)
                if value is not None:
                    found[each.name] = value
                    continue
            if each.value:
                found[each.name] = plain(self.value_of(each.value, node, scope=scope, loop=loop))
        return found

    def loop_facts(self, scope: int) -> dict[str, object]:
        """What conditions inside of a repeated sub-process read under `loop`."""
        while scope:
            token = self.tokens[scope]
            turns = self.instances.get(token.scope)
            if turns is not None:
                return self.turn_facts(self.tokens[token.scope], turns, token.id - turns.first)
            scope = token.scope
        return {}

    def turn_facts(self, host: Token, turns: Instances, index: int) -> dict[str, object]:
        """The four values of one turn of a repeated activity."""
        node = self.node_of(host)
        items = self.items_of(node, host.scope) if node.collection else []
        item = items[index] if 0 <= index < len(items) else None
        return {"index": index, "count": turns.count, "done": turns.done.bit_count(), "item": item}

    def items_of(self, node: Node, scope: int) -> Sequence[object]:
        """The list that an activity is done for. Raises CannotGoOn when it is none."""
        if PATH.fullmatch(node.collection) and node.collection.startswith("vars."):
            found = find({"vars": self.variables}, node.collection)
        else:
            found = self.value_of(node.collection, node, scope=scope)
        if not isinstance(found, list | tuple):
            raise CannotGoOn(f"“{node.collection}” is not a list.")
        return found
