"""Workflows, rules: what events do: caught at an edge or on the way, thrown outwards, undone backwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from workflows.plan.advance.state import Move, Way, scope_in
from workflows.plan.advance.ways import Ways
from workflows.plan.graph import EventKind, Node, NodeKind
from workflows.plan.happenings import Assign, CancelTimer, EndRun, Send, TellEscalation
from workflows.plan.marking import Done, Token, Undoing


class Events(Ways):
    """Catches and throws."""

    _was_interrupted = False

    # caught

    def catch(self, node_id: str, host: int, *, left: int = 0) -> None:
        """What an event waited for is there; `host` is the token that it waited for."""
        event = self.graph.nodes[node_id]
        if event.kind is NodeKind.BOUNDARY:
            self._catch_at_edge(event, self.tokens[host], left)
        elif event.kind is NodeKind.START:
            self._catch_in_scope(event, host, left)
        else:
            self._go_on_from(event, self.tokens[host])

    def _catch_at_edge(self, event: Node, host: Token, left: int = 0) -> None:
        if event.interrupting:
            self.withdraw([host.id])
            self.undone(host.id)
        else:
            self.wait_again(event, host.id, scope=host.scope, left=left)
        self.leave(event, host.scope)

    def _catch_in_scope(self, start: Node, scope: int, left: int = 0) -> None:
        if start.interrupting:
            self.clear(scope)
        else:
            self.wait_again(start, scope, scope=scope, left=left)
        self.push(Move(scope, start.parent, way=Way.OPEN, token=self.take_number(), start=start.id))

    def _go_on_from(self, event: Node, host: Token) -> None:
        self.cancel_waits([host.id])
        if event.kind is NodeKind.RECEIVE_TASK:
            self.record(event, host)
        self.drop(host)
        if not self.undone(host.id):
            self.leave(event, host.scope)

    def clear(self, scope: int) -> None:
        """Take everything away that is in a scope, also what its event sub-processes wait for."""
        self.withdraw([each.id for each in self.tokens.values() if each.scope == scope])
        self._forget_moves(scope)
        edge = self.tokens[scope].node if scope else ""
        held = [each.id for each in self.timers.values() if each.host == scope and not self._is_at(edge, each.node)]
        held += [each.id for each in self.waits.values() if each.host == scope and not self._is_at(edge, each.node)]
        self._stop(held)

    def _is_at(self, activity: str, event: str) -> bool:
        return bool(activity) and self.graph.nodes[event].attached_to == activity

    def _stop(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            timer = self.timers.pop(number, None)
            if timer is not None:
                self.effects.append(CancelTimer(timer.id, timer.node))
            elif number in self.waits:
                self.forget(self.waits[number])

    def _forget_moves(self, scope: int) -> None:
        for move in [each for each in self.pending if each.scope == scope]:
            self.pending.remove(move)
            self.busy[scope] -= 1
        for key in [each for each in self.arrived if scope_in(each) == scope]:
            del self.arrived[key]
        if scope in self.lines:
            self.lines[scope] = ()
        self.touched.add(scope)

    # thrown

    def throw(self, node: Node, scope: int) -> bool:
        """Do what a throw or end event says; whether the token may leave it at once."""
        match node.event:
            case EventKind.MESSAGE | EventKind.SIGNAL:
                self.send(node, scope)
            case EventKind.ESCALATION:
                return self.escalate(node.event_name, node, scope=scope)
            case EventKind.ERROR:
                if not self.fail(node.event_name, scope=scope):
                    self.stick(node.id, f"Nothing catches the error “{node.event_name}”.", scope=scope, again=True)
                return False
            case EventKind.COMPENSATION:
                self._undo(node, scope)
                return False
            case EventKind.CANCEL:
                self._cancel(node, scope)
                return False
        return True

    def send(self, node: Node, scope: int) -> None:
        """Send the message or signal of a node, with what its outputs give."""
        payload = self.values_of(node.outputs, node, scope=scope)
        key = self.key_of(node, scope)
        self.effects.append(Send(node.id, str(node.event), node.event_name, key, payload))

    def fail(self, code: str, *, scope: int, token: Token | None = None, reason: str = "") -> bool:
        """Give an error to the nearest event that knows its code, from the token outwards; whether there is one."""
        return self._tell(EventKind.ERROR, code, scope, token, reason)

    def escalate(self, code: str, node: Node, *, scope: int, token: Token | None = None, reason: str = "") -> bool:
        """Tell the nearest event that knows the code, else put it on record; whether who told it may go on."""
        if not self._tell(EventKind.ESCALATION, code, scope, token, reason):
            self.effects.append(TellEscalation(node.id, code))
            return True
        return not self._was_interrupted

    def _tell(self, kind: EventKind, code: str, scope: int, token: Token | None, reason: str) -> bool:
        found = next(self.listeners(kind, code, scope, token), None)
        if found is None:
            return False
        event, host = found
        self._was_interrupted = event.interrupting
        values = {"code": code, "reason": reason}
        self.variables[event.id] = values
        self.effects.append(Assign(event.id, values))
        if event.kind is NodeKind.BOUNDARY:
            self._catch_at_edge(event, self.tokens[host])
        else:
            self._catch_in_scope(event, host)
        return True

    def listeners(
        self, kind: EventKind, code: str, scope: int, token: Token | None
    ) -> Iterator[tuple[Node, int]]:  # fmt: skip
        """Who hears it, from the inside to the outside; an event sub-process does not hear what comes out of one."""
        while True:
            if token is not None:
                host = self.host_of(token)
                at_edge = (self.graph.nodes[name] for name in self.node_of(host).boundaries)
                yield from ((each, host.id) for each in _hearing(at_edge, kind, code))
                scope = host.scope
            if token is None or self.node_of(token).kind is not NodeKind.EVENT_SUB_PROCESS:
                starts = self.graph.event_starts(self.scope_node(scope))
                yield from ((each, scope) for each in _hearing(starts, kind, code))
            if not scope:
                return
            token = self.tokens[scope]

    def terminate(self, node: Node, scope: int) -> None:
        """End everything in a scope, or the whole run."""
        if scope:
            if self.is_outermost(scope):
                self.last_end = node.id
            self.withdraw([each.id for each in self.tokens.values() if each.scope == scope])
            self._forget_moves(scope)
        else:
            self.stop_all()
            self.end(node.id)

    def stop_all(self) -> None:
        """Take everything back that is open in the run."""
        self.withdraw([each.id for each in self.tokens.values() if not each.scope])
        self.cancel_waits([0])
        self.arrived.clear()
        self.pending.clear()
        self.ended = True

    def end(self, node_id: str) -> None:
        """The run is over."""
        self.last_end = node_id
        self.ended = True
        self.effects.append(EndRun(node_id))

    def _cancel(self, node: Node, scope: int) -> None:
        """Take back what goes on in a transaction and undo what is done in it, also in parts that are not over; then it
        is left by its cancel event."""
        inside = self.inside_of(scope)
        self.completed = [replace(each, scope=scope) if each.scope in inside else each for each in self.completed]
        self.clear(scope)
        self._undo(node, scope)

    def _leave_cancelled(self, scope: int) -> None:
        host = self.host_of(self.tokens[scope])
        edges = (self.graph.nodes[name] for name in self.node_of(host).boundaries)
        event = next((each for each in edges if each.event is EventKind.CANCEL), None)
        if event is None:  # refused when it is published
            self.withdraw([host.id])
            return
        self._catch_at_edge(event, host)

    # undone

    def record(self, node: Node, token: Token) -> None:
        """Remember that an activity ended which can be undone, or in which something can."""
        if not self.graph.compensates or node.is_compensation:
            return
        undoes_itself = any(each.event is EventKind.COMPENSATION for each in self.graph.event_starts(node.id))
        inner = token.id if node.is_scope and any(each.scope == token.id for each in self.completed) else 0
        if node.undone_by or undoes_itself or inner:
            self.completed.append(Done(node.id, token.scope, inner))

    def _undo(self, node: Node, scope: int) -> None:
        token = self.put(Token(self.take_number(), node.id, scope=scope))
        self.undoing[token.id] = Undoing(token.id, tuple(self._undone(node, scope)))
        self.undo_next(token.id)

    def _undone(self, node: Node, scope: int) -> list[str]:
        """What undoes all that ended here, the last first; it counts as undone from now on."""
        scopes = {scope}
        if scope and self.node_of(self.tokens[scope]).kind is NodeKind.EVENT_SUB_PROCESS:
            scopes.add(self.tokens[scope].scope)
        chosen = [each for each in self.completed if each.scope in scopes and node.undoes in ("", each.node)]
        handlers, waiting = [], list(chosen)
        gone = {id(each) for each in chosen}
        while waiting:
            done = waiting.pop()
            handler = self._handler_of(self.graph.nodes[done.node])
            inside = [each for each in self.completed if done.inner and each.scope == done.inner]
            gone |= {id(each) for each in inside}
            if handler:
                handlers.append(handler)
            else:
                waiting += inside
        self.completed = [each for each in self.completed if id(each) not in gone]
        return handlers

    def _handler_of(self, node: Node) -> str:
        starts = (each for each in self.graph.event_starts(node.id) if each.event is EventKind.COMPENSATION)
        return node.undone_by or next((each.parent for each in starts), "")

    def undo_next(self, number: int) -> None:
        """Open the next thing that undoes something, or go on when all is undone."""
        undoing, token = self.undoing[number], self.tokens[number]
        if not undoing.left:
            del self.undoing[number]
            self.drop(token)
            if self.node_of(token).event is EventKind.CANCEL:
                self._leave_cancelled(token.scope)
            else:
                self.leave(self.node_of(token), token.scope)
            return
        opened = self.take_number()
        self.undoing[number] = replace(undoing, left=undoing.left[1:], current=opened)
        start = next((each.id for each in self.graph.starts_in(undoing.left[0]) if each.event in STARTS_UNDOING), "")
        self.push(Move(token.scope, undoing.left[0], way=Way.OPEN, token=opened, start=start))

    def undo_instead(self, number: int, other: int) -> None:
        """What undoes something goes on under another number."""
        for undoing in [each for each in self.undoing.values() if each.current == number]:
            self.undoing[undoing.token] = replace(undoing, current=other)

    def undone(self, number: int) -> bool:
        """Go on undoing when the token that ended was a part of it."""
        found = next((each.token for each in self.undoing.values() if each.current == number), 0)
        if found:
            self.undo_next(found)
        return bool(found)


STARTS_UNDOING = (EventKind.COMPENSATION, EventKind.NONE)


def _hearing(events: Iterable[Node], kind: EventKind, code: str) -> list[Node]:
    """Those that listen to this code, before those that listen to every one."""
    fitting = [each for each in events if each.event is kind and each.event_name in ("", code)]
    return sorted(fitting, key=lambda each: each.event_name == "")
