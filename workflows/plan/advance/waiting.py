"""Workflows, rules: what a run waits for: clocks, messages, signals, conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from governance.language import Kind
from governance.language.values import format_timestamp
from workflows.plan.advance.state import CannotGoOn, State
from workflows.plan.graph import AWAITED, EventKind, Node, NodeKind
from workflows.plan.happenings import StartTimer, Subscribe
from workflows.plan.marking import Timer, Token, Wait
from workflows.plan.times import LONGEST_WAIT, calendar_text, read_length, read_moment
from workflows.plan.values import plain


@dataclass(frozen=True)
class _Due:
    """After so many seconds, else at a moment, or after a length of months."""

    seconds: int = 0
    at: str = ""
    length: str = ""


class Waiting(State):
    """Starts what is waited for."""

    def wait_at_edge(self, host: Token) -> None:
        """Start what the events on the edge of an activity wait for."""
        for name in self.node_of(host).boundaries:
            event = self.graph.nodes[name]
            if event.event in AWAITED:
                self.wait_for(event, host.id, scope=host.scope)

    def wait_for_starts(self, scope: int) -> None:
        """Start what the event sub-processes of a scope wait for."""
        for start in self.graph.event_starts(self.scope_node(scope)):
            if start.event in AWAITED:
                self.wait_for(start, scope, scope=scope)

    def wait_for(self, event: Node, host: int, *, scope: int, left: int | None = None) -> None:
        """Wait for one event on behalf of the token `host`."""
        if event.event is EventKind.TIMER:
            self._start_clock(event, host, scope, left)
            return
        key = self.key_of(event, scope)
        number = self.take_number()
        self.waits[number] = Wait(number, event.id, host, str(event.event))
        if event.event in (EventKind.MESSAGE, EventKind.SIGNAL):
            self.effects.append(Subscribe(number, event.id, str(event.event), event.event_name, key))

    def key_of(self, event: Node, scope: int) -> str:
        """What ties a message to one run; empty when its name alone does."""
        if not event.correlation or event.event is EventKind.SIGNAL:
            return ""
        return str(plain(self.value_of(event.correlation, event, scope=scope)))

    def _start_clock(self, event: Node, host: int, scope: int, left: int | None) -> None:
        due = self._due(event, scope)
        number = self.take_number()
        again = event.repeats - 1 if event.repeats > 0 else event.repeats
        self.timers[number] = Timer(number, event.id, host, again if left is None else left)
        on = host if event.kind is NodeKind.BOUNDARY else 0
        # of a cycle that begins at a moment, only the first turn is due then
        at = due.at if left is None else ""
        self.effects.append(StartTimer(number, event.id, on, due.seconds, at, "" if at else due.length))

    def _due(self, event: Node, scope: int) -> _Due:
        if not event.timer_value:
            return _Due(event.duration_seconds, event.timer_at, event.duration)
        match self.value_of(event.timer_value, event, scope=scope):
            case timedelta() as length if length.total_seconds() <= LONGEST_WAIT:
                return _Due(max(round(length.total_seconds()), 0))
            case datetime() as moment if read_moment(format_timestamp(moment)):
                return _Due(at=format_timestamp(moment))
            case str() as text if read_moment(text):
                return _Due(at=text)
            case str() as text if (given := read_length(text)) is not None and given.about_seconds <= LONGEST_WAIT:
                return _Due(given.about_seconds, length=calendar_text(text))
        raise CannotGoOn(f"“{event.timer_value}” is neither a moment nor a length of time of at most ten years.")

    def wait_again(self, event: Node, host: int, *, scope: int, left: int = 0) -> None:
        """Go on waiting for an event that does not take its host away."""
        if event.event is EventKind.TIMER and left:
            self.wait_for(event, host, scope=scope, left=left - 1 if left > 0 else left)
        elif event.event in (EventKind.MESSAGE, EventKind.SIGNAL):
            self.wait_for(event, host, scope=scope)

    def conditions_met(self) -> Iterator[Wait]:
        """The waits whose condition holds now and did not when it was last looked at."""
        for wait in [each for each in self.waits.values() if each.kind == EventKind.CONDITIONAL]:
            holds = self._holds_now(wait)
            if wait.id in self.waits and holds != wait.held:
                self.waits[wait.id] = replace(wait, held=holds)
                if holds:
                    yield self.waits[wait.id]

    def _holds_now(self, wait: Wait) -> bool:
        event = self.graph.nodes[wait.node]
        scope = self.tokens[wait.host].scope if event.kind is not NodeKind.START and wait.host else wait.host
        try:
            return self.value_of(event.condition, event, scope=scope, expects=Kind.BOOL) is True
        except CannotGoOn:
            return False  # a value that is not there yet
