"""Workflows, rules: the values a drawing consists of: nodes, flows, what a task takes and leaves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from governance.language import Kind


class NodeKind(StrEnum):
    START = "start"
    END = "end"
    TERMINATE = "terminate"
    SERVICE_TASK = "service_task"
    USER_TASK = "user_task"
    RULE_TASK = "rule_task"
    SCRIPT_TASK = "script_task"
    SEND_TASK = "send_task"
    RECEIVE_TASK = "receive_task"
    CALL = "call"
    SUB_PROCESS = "sub_process"
    EVENT_SUB_PROCESS = "event_sub_process"
    AD_HOC = "ad_hoc"
    EXCLUSIVE = "exclusive"
    PARALLEL = "parallel"
    INCLUSIVE = "inclusive"
    EVENT_BASED = "event_based"
    CATCH = "catch"
    THROW = "throw"
    BOUNDARY = "boundary"


class EventKind(StrEnum):
    NONE = ""
    TIMER = "timer"
    MESSAGE = "message"
    SIGNAL = "signal"
    ERROR = "error"
    ESCALATION = "escalation"
    CONDITIONAL = "conditional"
    LINK = "link"
    COMPENSATION = "compensation"
    CANCEL = "cancel"
    TERMINATE = "terminate"


class LoopKind(StrEnum):
    NONE = ""
    STANDARD = "standard"
    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"


# what somebody does under a token of its own: an agent or a person
ACTIVITIES = frozenset({NodeKind.SERVICE_TASK, NodeKind.USER_TASK})
# what the engine does by itself, at once
AUTOMATIC = frozenset({NodeKind.SCRIPT_TASK, NodeKind.RULE_TASK, NodeKind.SEND_TASK})
SCOPES = frozenset({NodeKind.SUB_PROCESS, NodeKind.EVENT_SUB_PROCESS, NodeKind.AD_HOC})
WORKS = ACTIVITIES | AUTOMATIC | SCOPES | {NodeKind.RECEIVE_TASK, NodeKind.CALL}
GATEWAYS = frozenset({NodeKind.EXCLUSIVE, NodeKind.PARALLEL, NodeKind.INCLUSIVE, NodeKind.EVENT_BASED})
ENDS = frozenset({NodeKind.END, NodeKind.TERMINATE})
# the events that a token waits for, and those that come from inside the drawing
AWAITED = frozenset({EventKind.TIMER, EventKind.MESSAGE, EventKind.SIGNAL, EventKind.CONDITIONAL})
THROWN = frozenset({EventKind.ERROR, EventKind.ESCALATION, EventKind.COMPENSATION})

OUTCOME = "outcome"
OUTCOMES = ("approved", "rejected")
INPUT = "input"
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@dataclass(frozen=True)
class Output:
    """One typed value that a task leaves behind, or that a run is started with."""

    name: str
    kind: Kind
    label: str = ""
    # the kind of a list's items, and the expression that gives the value by itself
    item: str = ""
    value: str = ""

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Output:
        """The output that `asdict` and JSON made `row` of."""
        return cls(**{**row, "kind": Kind(row["kind"])})


@dataclass(frozen=True)
class Flow:
    """An arrow from one node to another; `condition` is empty when it may always be taken."""

    id: str
    source: str
    target: str
    name: str = ""
    condition: str = ""


@dataclass(frozen=True)
class Node:
    """One shape of the drawing; texts that do not belong to its kind are empty.

    `outputs` of the start node are the inputs of the run; `boundaries` are the events on its edge.
    """

    id: str
    name: str
    kind: NodeKind
    lane: str = ""
    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()
    default_flow: str = ""
    outputs: tuple[Output, ...] = ()
    role: str = ""
    action: str = ""
    lease_seconds: int = 60
    attempts: int = 3
    path: str = ""
    title: str = ""
    risk: str = ""
    effect: str = ""
    if_approved: str = ""
    if_rejected: str = ""
    if_timed_out: str = ""
    boundaries: tuple[str, ...] = ()
    attached_to: str = ""
    interrupting: bool = True
    duration_seconds: int = 0
    # the scope that holds it: the id of a sub-process, empty at the top
    parent: str = ""
    event: EventKind = EventKind.NONE
    # of a message, signal or link its name; of an error or escalation its code
    event_name: str = ""
    # the expression whose value ties a message to this run; empty ties it by its name alone
    correlation: str = ""
    # who else may do it, in what order, and how long it may take
    capability: str = ""
    priority: int = 0
    due_seconds: int = 0
    back_off_seconds: int = 5
    cost_limit: str = ""
    seconds_limit: int = 0
    # shared memory: the space, and a template for the canonical key of what the step finds
    memory_space: str = ""
    memory_key: str = ""
    memory_seconds: int = 0
    # JSON Schemas of what a step takes and leaves, beside its typed outputs; empty ones ask nothing
    input_schema: str = ""
    output_schema: str = ""
    # the code of the workflow that a call activity runs, and what it is given
    calls: str = ""
    passes: tuple[Output, ...] = ()
    # a timer: the moment, or the expression that gives moment or length; how often it fires, -1 without an end
    timer_at: str = ""
    # a length of months or years as it is written; `duration_seconds` says then how long it is on the average
    duration: str = ""
    timer_value: str = ""
    repeats: int = 0
    # what a conditional event waits for; of an ad-hoc sub-process what ends it
    condition: str = ""
    # of an ad-hoc sub-process: one after the other; of a sub-process: it can be cancelled and undone as a whole
    in_sequence: bool = False
    is_transaction: bool = False
    # how often it is done: its kind, how many or at most, over which list under which name, until (a loop: while) when
    loop: LoopKind = LoopKind.NONE
    loop_count: str = ""
    loop_condition: str = ""
    loop_tests_before: bool = False
    collection: str = ""
    element: str = ""
    # the decision table of a business rule task
    decision: str = ""
    # compensation: it is done only to undo; the activity that undoes this one; what a throw event undoes alone
    is_compensation: bool = False
    undone_by: str = ""
    undoes: str = ""
    # the schedule of a timer start, as drawn
    cycle: str = ""

    @property
    def is_scope(self) -> bool:
        """Whether other nodes lie inside."""
        return self.kind in SCOPES

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Node:
        """The node that `asdict` and JSON made `row` of."""
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
        }
        if row["kind"] == "timer":  # how a timer on a task was kept in graphs of before
            given |= {"kind": NodeKind.BOUNDARY, "event": EventKind.TIMER}
        given["kind"] = NodeKind(given["kind"])
        given["event"] = EventKind(given.get("event", ""))
        given["loop"] = LoopKind(row.get("loop", ""))
        for name in ("outputs", "passes"):
            given[name] = tuple(Output.from_json(each) for each in row.get(name, ()))
        return cls(**given)
