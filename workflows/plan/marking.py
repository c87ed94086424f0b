"""Workflows, rules: where a run stands. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Token:
    """One open step, sub-process or wait, or with `stuck` a place where the run cannot go on by itself.

    A stuck token with a `flow` still has to follow it; with `again` it has to do its node once more; else it still has
    to leave its node. `scope` is the number of the sub-process token that it is in, 0 for the run itself.
    """

    id: int
    node: str
    flow: str = ""
    stuck: bool = False
    scope: int = 0
    again: bool = False


@dataclass(frozen=True)
class Timer:
    """A running clock: the event `node`, for the token `host` (0: for the whole run); it starts `left` times more."""

    id: int
    node: str
    host: int
    left: int = 0


@dataclass(frozen=True)
class Wait:
    """Something else that is waited for: the message, signal or condition of the event `node`, for the token `host`
    (0: for the whole run). `held` says that the condition held when it was last looked at."""

    id: int
    node: str
    host: int
    kind: str
    held: bool = False


@dataclass(frozen=True)
class Instances:
    """How far the activity with the token `token` is that is done many times: its turns have the numbers from `first`
    on, `count` of them in all. `done` holds a bit for each turn that ended, so that ten thousand stay small."""

    token: int
    first: int
    count: int
    opened: int = 0
    done: int = 0
    stuck: tuple[int, ...] = ()
    gathering: bool = False

    def is_open(self, number: int) -> bool:
        """Whether the turn with this number was begun and has not ended."""
        index = number - self.first
        return 0 <= index < self.opened and not self.done >> index & 1 and not self.gathering

    @property
    def open_numbers(self) -> list[int]:
        """The numbers of the turns that were begun and have not ended."""
        if self.gathering:
            return []
        # as text: looking at each bit of a large number by itself would cost its square
        ended = f"{self.done:0{max(self.opened, 1)}b}"[::-1]
        return [self.first + index for index in range(self.opened) if ended[index] == "0"]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; the bits as hexadecimal text."""
        return _small(self) | {"done": f"{self.done:x}"}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Instances:
        """What `to_json` made the row of."""
        return cls(**{**row, "done": int(row["done"], 16), "stuck": tuple(row.get("stuck", ()))})


@dataclass(frozen=True)
class Done:
    """An activity that ended and can be undone; what ended inside of it has the scope `inner`."""

    node: str
    scope: int
    inner: int = 0


@dataclass(frozen=True)
class Undoing:
    """A compensation event waits, under `token`, until what `left` names was done one after the other; `current` is
    the token of what is being done."""

    token: int
    left: tuple[str, ...]
    current: int = 0


@dataclass(frozen=True)
class Line:
    """What is done next in the ad-hoc sub-process with the token `token`, one after the other."""

    token: int
    left: tuple[str, ...]


@dataclass(frozen=True)
class Marking:
    """Where all tokens of one run stand; a new one is a run that was not started yet.

    `arrived` counts by flow what waits at joins; inside of a sub-process its number stands before, as in `7:flow`.
    `passed` counts by flow how often it was taken. Numbers are never used twice.
    """

    tokens: tuple[Token, ...] = ()
    timers: tuple[Timer, ...] = ()
    arrived: Mapping[str, int] = field(default_factory=dict)
    next_token: int = 1
    last_end: str = ""
    ended: bool = False
    waits: tuple[Wait, ...] = ()
    instances: tuple[Instances, ...] = ()
    completed: tuple[Done, ...] = ()
    undoing: tuple[Undoing, ...] = ()
    passed: Mapping[str, int] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()

    def token_at(self, node_id: str) -> Token | None:
        """The first open token at a node, if there is one."""
        return next((token for token in self.tokens if token.node == node_id), None)

    def turns_of(self, token: int) -> Instances | None:
        """How far an activity is that is done many times; none for one that is done once."""
        return next((each for each in self.instances if each.token == token), None)

    def to_json(self) -> dict[str, Any]:
        """The marking as plain JSON; what is as usual is left out."""
        document: dict[str, Any] = {
            "tokens": [_small(token) for token in self.tokens],
            "timers": [_small(timer) for timer in self.timers],
            "arrived": dict(self.arrived),
            "next_token": self.next_token,
            "last_end": self.last_end,
            "ended": self.ended,
        }
        seldom: dict[str, Any] = {
            "waits": [_small(wait) for wait in self.waits],
            "instances": [each.to_json() for each in self.instances],
            "completed": [_small(done) for done in self.completed],
            "undoing": [_small(each) | {"left": list(each.left)} for each in self.undoing],
            "passed": dict(self.passed),
            "lines": [{"token": each.token, "left": list(each.left)} for each in self.lines],
        }
        return document | {name: value for name, value in seldom.items() if value}

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
            waits=tuple(Wait(**row) for row in document.get("waits", ())),
            instances=tuple(Instances.from_json(row) for row in document.get("instances", ())),
            completed=tuple(Done(**row) for row in document.get("completed", ())),
            undoing=tuple(Undoing(**{**row, "left": tuple(row["left"])}) for row in document.get("undoing", ())),
            passed=dict(document.get("passed", {})),
            lines=tuple(Line(row["token"], tuple(row["left"])) for row in document.get("lines", ())),
        )


def _small(row: Any) -> dict[str, Any]:
    """The fields of a value without those that are as usual."""
    usual = {each.name: each.default for each in fields(row)}
    return {name: value for name, value in vars(row).items() if value != usual[name]}
