"""Workflows, rules: what can happen to a run, and what then has to be done. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Started:
    """The run begins; its inputs are read as `vars.input` unless the variables already hold them. `start` is the start
    event that begins it, empty for the one without a trigger."""

    variables: Mapping[str, object] = field(default_factory=dict)
    start: str = ""


@dataclass(frozen=True)
class StepFinished:
    """The work or the decision of an open step, or the run that a call activity waits for, is there; its outputs
    already stand among the variables."""

    token: int


@dataclass(frozen=True)
class StepFailed:
    """An open step ended with a BPMN error: the nearest error event that knows the code takes it, else an incident."""

    token: int
    code: str
    reason: str = ""


@dataclass(frozen=True)
class StepEscalated:
    """An open step tells its surroundings something (a BPMN escalation) and goes on, unless who hears it interrupts."""

    token: int
    code: str
    reason: str = ""


@dataclass(frozen=True)
class TimerFired:
    """The time of a running timer is over; `token` is the timer's own number."""

    token: int


@dataclass(frozen=True)
class EventCaught:
    """The message or signal came that the subscription numbered `token` waits for; what it carries already stands
    among the variables, under the id of its event."""

    token: int


@dataclass(frozen=True)
class Gathered:
    """What all instances of a multi-instance activity left behind stands among the variables now."""

    token: int


@dataclass(frozen=True)
class VariablesChanged:
    """Somebody changed a variable: whatever waits for a condition looks again."""


@dataclass(frozen=True)
class TokenMoved:
    """Somebody takes what is open under `token` back and lets the run go on at the node `to` of the same scope."""

    token: int
    to: str


@dataclass(frozen=True)
class TaskChosen:
    """A task of the ad-hoc sub-process whose own token is `token` shall be done now."""

    token: int
    node_id: str


@dataclass(frozen=True)
class IncidentResolved:
    """Somebody put right what stopped a stuck token; it tries again."""

    token: int


@dataclass(frozen=True)
class RunCancelled:
    """Nothing more shall be done."""


Happening = (
    Started | StepFinished | StepFailed | StepEscalated | TimerFired | EventCaught | Gathered | VariablesChanged
    | TokenMoved | TaskChosen | IncidentResolved | RunCancelled
)  # fmt: skip


@dataclass(frozen=True)
class OpenStep:
    """Open a step; in a loop or a multi-instance activity `index` counts from 0 and `item` is its element."""

    token: int
    node_id: str
    index: int | None = None
    item: object = None


@dataclass(frozen=True)
class CancelStep:
    """Take back what is open for a token: its step, or the question about what stopped it."""

    token: int
    node_id: str


@dataclass(frozen=True)
class StartTimer:
    """Start the timer numbered `token` of the event `node_id`; `host_token` is the open step that it sits on, 0 for
    none. It is due after `seconds`, or at the moment `at` (ISO 8601, read in UTC without an offset) if there is one, or
    after the `length` of months or years (ISO 8601) if there is one."""

    token: int
    node_id: str
    host_token: int
    seconds: int
    at: str = ""
    length: str = ""


@dataclass(frozen=True)
class CancelTimer:
    token: int
    node_id: str


@dataclass(frozen=True)
class Subscribe:
    """Wait for a message or signal of this name; a message must carry the `key`, if there is one."""

    token: int
    node_id: str
    kind: str
    name: str
    key: str = ""


@dataclass(frozen=True)
class Unsubscribe:
    token: int
    node_id: str


@dataclass(frozen=True)
class Send:
    """Send a message to whoever waits for it, or a signal to all who do."""

    node_id: str
    kind: str
    name: str
    key: str = ""
    payload: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class CallWorkflow:
    """Start a run of another workflow; its end finishes `token`."""

    token: int
    node_id: str
    workflow: str
    variables: Mapping[str, object] = field(default_factory=dict)
    index: int | None = None


@dataclass(frozen=True)
class CancelCall:
    token: int
    node_id: str


@dataclass(frozen=True)
class Assign:
    """Keep these values as what the element left behind; the engine has already reckoned with them."""

    node_id: str
    values: Mapping[str, object]


@dataclass(frozen=True)
class GatherOutputs:
    """Put the outputs of the instances with the tokens from `first` on, `count` of them, in their order among the
    variables as the list `vars.<node>.items`, then tell with `Gathered(token)`."""

    token: int
    node_id: str
    first: int
    count: int


@dataclass(frozen=True)
class TellEscalation:
    """An escalation that no event of the drawing hears; it goes on record."""

    node_id: str
    code: str


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


Effect = (
    OpenStep | CancelStep | StartTimer | CancelTimer | Subscribe | Unsubscribe | Send | CallWorkflow | CancelCall
    | Assign | GatherOutputs | TellEscalation | EndRun | RaiseIncident
)  # fmt: skip
