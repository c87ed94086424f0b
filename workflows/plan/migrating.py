"""Workflows, rules: a run goes over to another version of its drawing, if a plan says for all that is open where to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from workflows.plan.advance.state import CannotGoOn, scope_in
from workflows.plan.advance.turn import Turn
from workflows.plan.graph import AWAITED, EventKind, Graph, LoopKind, Node, NodeKind
from workflows.plan.happenings import CancelTimer, Effect, Unsubscribe
from workflows.plan.marking import Done, Line, Marking, Timer, Token, Wait
from workflows.plan.problems import ElementProblem


@dataclass(frozen=True)
class Migration:
    """What going over would mean: the new marking and the effects, or why it cannot be.

    `elements` names by token, timer or subscription the element that it belongs to from then on: rows that are open
    are renamed so.
    """

    marking: Marking | None = None
    effects: tuple[Effect, ...] = ()
    problems: tuple[ElementProblem, ...] = ()
    elements: Mapping[int, str] = field(default_factory=dict)


def migrate(
    old: Graph, new: Graph, marking: Marking, mapping: Mapping[str, str],
    variables: Mapping[str, object] | None = None,
) -> Migration:  # fmt: skip
    """Where a run of `old` stands in `new`; `mapping` names elements and flows that are called otherwise there.

    Everything open must have a counterpart of the same kind in the same place; a clock or subscription whose event is
    gone is stopped, one whose event is new is started. Clocks that run keep the moment they are due.
    """
    plan = _Plan(old, new, mapping)
    problems = tuple(plan.problems_in(marking))
    if problems:
        return Migration(problems=problems)
    turn = Turn(new, plan.moved(marking), variables or {})
    gone: list[Effect] = [*plan.stopped(marking)]
    try:
        plan.start_new(turn)
    except CannotGoOn as problem:
        return Migration(problems=(ElementProblem(new.process_id, new.name, str(problem)),))
    return Migration(turn.marking(), (*gone, *turn.effects), (), plan.elements(marking))


@dataclass(frozen=True)
class _Plan:
    old: Graph
    new: Graph
    mapping: Mapping[str, str]

    def to(self, name: str) -> str:
        return self.mapping.get(name, name)

    # whether it can be

    def problems_in(self, marking: Marking) -> Iterator[ElementProblem]:
        for name in self.mapping:
            if name not in self.old.nodes and name not in self.old.flows:
                yield ElementProblem(name, "", "The plan names it, but the old version does not have it.")
        for node in dict.fromkeys(token.node for token in marking.tokens):
            yield from self._misplaced(self.old.nodes[node])
        for key in marking.arrived:
            yield from self._lost(key.partition(":")[2] if scope_in(key) else key)
        for flow in dict.fromkeys(token.flow for token in marking.tokens if token.flow):
            yield from self._lost(flow)
        for undoing in marking.undoing:
            for handler in undoing.left:
                yield from self._misplaced(self.old.nodes[handler])

    def _misplaced(self, node: Node) -> Iterator[ElementProblem]:
        target = self.new.nodes.get(self.to(node.id))
        if target is None:
            reason = "Something is open here, and the new version has no such element: say where it goes on."
        elif target.kind is not node.kind:
            reason = f"It is a {_word(node.kind)}, and {target.id} in the new version is a {_word(target.kind)}."
        elif target.parent != self.to(node.parent):
            reason = f"{target.id} lies in another part of the new version."
        elif (target.loop is LoopKind.NONE) != (node.loop is LoopKind.NONE):
            reason = f"How often it is done is not the same for {target.id} in the new version."
        elif target.in_sequence is not node.in_sequence:
            reason = f"Whether its tasks are done one after the other is not the same for {target.id}."
        elif node.event is not target.event:
            reason = f"It waits for a {node.event}, and {target.id} in the new version does not."
        elif node.kind is NodeKind.EVENT_BASED and not self._same_events(node, target):
            reason = "It does not wait for the same events in the new version."
        else:
            return
        yield ElementProblem(node.id, node.name, reason)

    def _same_events(self, node: Node, target: Node) -> bool:
        before = {self.to(self.old.flows[each].target) for each in node.outgoing}
        return before == {self.new.flows[each].target for each in target.outgoing}

    def _lost(self, flow_id: str) -> Iterator[ElementProblem]:
        flow, target = self.old.flows[flow_id], self.new.flows.get(self.to(flow_id))
        if target is None or target.target != self.to(flow.target):
            reason = "A token came this way and waits, and the new version has no such way to the same element."
            yield ElementProblem(flow.id, flow.name, reason)

    # what becomes of it

    def moved(self, marking: Marking) -> Marking:
        return replace(
            marking,
            tokens=tuple(self._token(each) for each in marking.tokens),
            timers=tuple(replace(each, node=self.to(each.node)) for each in marking.timers if self._stays(each)),
            waits=tuple(replace(each, node=self.to(each.node)) for each in marking.waits if self._stays(each)),
            arrived={self._key(key): count for key, count in marking.arrived.items()},
            passed={self.to(key): count for key, count in marking.passed.items() if self.to(key) in self.new.flows},
            completed=tuple(self._undoable(marking)),
            undoing=tuple(replace(each, left=tuple(map(self.to, each.left))) for each in marking.undoing),
            lines=tuple(replace(each, left=tuple(self._in_line(each))) for each in marking.lines),
            last_end=self.to(marking.last_end) if self.to(marking.last_end) in self.new.nodes else "",
        )  # fmt: skip

    def _undoable(self, marking: Marking) -> Iterator[Done]:
        for done in marking.completed:
            if self.to(done.node) in self.new.nodes:
                yield replace(done, node=self.to(done.node))

    def _in_line(self, line: Line) -> Iterator[str]:
        yield from (self.to(each) for each in line.left if self.to(each) in self.new.nodes)

    def _token(self, token: Token) -> Token:
        return replace(token, node=self.to(token.node), flow=self.to(token.flow) if token.flow else "")

    def _key(self, key: str) -> str:
        scope = scope_in(key)
        return f"{scope}:{self.to(key.partition(':')[2])}" if scope else self.to(key)

    def _stays(self, waited: Timer | Wait) -> bool:
        event, target = self.old.nodes[waited.node], self.new.nodes.get(self.to(waited.node))
        if target is None or (target.kind, target.event) != (event.kind, event.event):
            return False
        same_place = (target.attached_to, target.parent) == (self.to(event.attached_to), self.to(event.parent))
        named = event.event in (EventKind.MESSAGE, EventKind.SIGNAL)
        return same_place and not (named and target.event_name != event.event_name)

    def stopped(self, marking: Marking) -> Iterator[Effect]:
        for timer in marking.timers:
            if not self._stays(timer):
                yield CancelTimer(timer.id, timer.node)
        for wait in marking.waits:
            if not self._stays(wait) and wait.kind != EventKind.CONDITIONAL:
                yield Unsubscribe(wait.id, wait.node)

    def start_new(self, turn: Turn) -> None:
        """Start what the new version waits for and the old one did not."""
        before = {self.to(node.id) for node in self.old.nodes.values()}
        running = {(each.node, each.host) for each in turn.timers.values()}
        running |= {(each.node, each.host) for each in turn.waits.values()}
        for token in [each for each in turn.tokens.values() if not each.stuck]:
            for start in self.new.event_starts(token.node) if token.id not in turn.instances else ():
                if start.event in AWAITED and start.id not in before:
                    turn.wait_for(start, token.id, scope=token.id)
            for event in self._awaited_by(turn.node_of(token)):
                is_known = event.kind is NodeKind.BOUNDARY and event.id in before and not self._renamed(event)
                if (event.id, token.id) not in running and not is_known and turn.host_of(token) is token:
                    turn.wait_for(event, token.id, scope=token.scope)
        for start in self.new.event_starts(""):
            if start.event in AWAITED and start.id not in before and turn.tokens:
                turn.wait_for(start, 0, scope=0)

    def _awaited_by(self, node: Node) -> list[Node]:
        """The events at the edge of an activity, and those that a token at this place waits for."""
        found = [self.new.nodes[name] for name in node.boundaries]
        if node.kind in (NodeKind.CATCH, NodeKind.RECEIVE_TASK):
            found.append(node)
        if node.kind is NodeKind.EVENT_BASED:
            found += [self.new.nodes[self.new.flows[each].target] for each in node.outgoing]
        return [each for each in found if each.event in AWAITED]

    def _renamed(self, event: Node) -> bool:
        """Whether what an event waits for is called otherwise now, so that it is waited for anew."""
        old = next((each for each in self.old.nodes.values() if self.to(each.id) == event.id), None)
        return old is None or old.event is not event.event or old.event_name != event.event_name

    def elements(self, marking: Marking) -> dict[int, str]:
        named = {each.id: each.node for each in marking.tokens}
        named |= {each.id: each.node for each in marking.timers} | {each.id: each.node for each in marking.waits}
        return {number: self.to(node) for number, node in named.items() if self.to(node) != node}


def _word(kind: NodeKind) -> str:
    return str(kind).replace("_", " ")
