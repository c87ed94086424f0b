"""Workflows, rules: where a run stands, what can happen to it, and what then has to be done. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Token:
    """One open step, or with `stuck` a place where the run cannot go on by itself.

    A stuck token with a `flow` still has to follow it; without one it still has to leave its node.
    """

    id: int
    node: str
    flow: str = ""
    stuck: bool = False


@dataclass(frozen=True)
class Timer:
    """A running clock: the boundary event `node`, on the open step `host`."""

    id: int
    node: str
    host: int


@dataclass(frozen=True)
class Marking:
    """Where all tokens of one run stand; a new one is a run that was not started yet.

    `arrived` counts by flow what waits at parallel joins. Ids are never used twice.
    """

    tokens: tuple[Token, ...] = ()
    timers: tuple[Timer, ...] = ()
    arrived: Mapping[str, int] = field(default_factory=dict)
    next_token: int = 1
    last_end: str = ""
    ended: bool = False

    def token_at(self, node_id: str) -> Token | None:
        """The first open token at a node, if there is one."""
        return next((token for token in self.tokens if token.node == node_id), None)

    def to_json(self) -> dict[str, Any]:
        """The marking as plain JSON."""
        return {
            "tokens": [asdict(token) for token in self.tokens],
            "timers": [asdict(timer) for timer in self.timers],
            "arrived": dict(self.arrived),
            "next_token": self.next_token,
            "last_end": self.last_end,
            "ended": self.ended,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Marking:
        """The marking that `to_json` made the document of; an empty document is a run not started yet."""
        if not document:
            return cls()
        return cls(
            tokens=tuple(Token(**row) for row in document["tokens"]),
            timers=tuple(Timer(**row) for row in document["timers"]),
            arrived=dict(document["arrived"]),
            next_token=document["next_token"],
            last_end=document["last_end"],
            ended=document["ended"],
        )


@dataclass(frozen=True)
class Started:
    """The run begins; its inputs are read as `vars.input` unless the variables already hold them."""

    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class StepFinished:
    """The work or the decision of an open step is there; its outputs already stand among the variables."""

    token: int


@dataclass(frozen=True)
class TimerFired:
    """The time of a running timer is over; `token` is the timer's own number."""

    token: int


@dataclass(frozen=True)
class IncidentResolved:
    """Somebody put right what stopped a stuck token; it tries again."""

    token: int


@dataclass(frozen=True)
class RunCancelled:
    """Nothing more shall be done."""


Happening = Started | StepFinished | TimerFired | IncidentResolved | RunCancelled


@dataclass(frozen=True)
class OpenStep:
    token: int
    node_id: str


@dataclass(frozen=True)
class CancelStep:
    """Take back what is open for a token: its step, or the question about what stopped it."""

    token: int
    node_id: str


@dataclass(frozen=True)
class StartTimer:
    """Start the timer numbered `token` for the boundary event `node_id` on the open step `host_token`."""

    token: int
    node_id: str
    host_token: int
    seconds: int


@dataclass(frozen=True)
class CancelTimer:
    token: int
    node_id: str


@dataclass(frozen=True)
class EndRun:
    """No token is left; `node_id` is the end that was reached last."""

    node_id: str


@dataclass(frozen=True)
class RaiseIncident:
    """The run cannot go on at a node; `token` can be resolved, 0 means that only cancelling helps."""

    node_id: str
    reason: str
    token: int = 0


Effect = OpenStep | CancelStep | StartTimer | CancelTimer | EndRun | RaiseIncident
