"""Workflows, rules: the values a workflow consists of once its drawing was read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, cast

from governance.language import (
    Expression,
    Field,
    Kind,
    Schema,
    WrongValue,
    compile_expression,
    compile_template,
    find,
)
from governance.language.values import read_value


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
    TIMER = "timer"


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
    TERMINATE = "terminate"


ACTIVITIES = frozenset({NodeKind.SERVICE_TASK, NodeKind.USER_TASK})
GATEWAYS = frozenset({NodeKind.EXCLUSIVE, NodeKind.PARALLEL})
ENDS = frozenset({NodeKind.END, NodeKind.TERMINATE})

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

    `outputs` of the start node are the inputs of the run; `boundaries` are the timers on a user task.
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
    # the code of the workflow that a call activity runs
    calls: str = ""

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Node:
        """The node that `asdict` and JSON made `row` of."""
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
        }
        given["kind"] = NodeKind(row["kind"])
        given["event"] = EventKind(row.get("event", ""))
        given["outputs"] = tuple(Output(each["name"], Kind(each["kind"]), each["label"]) for each in row["outputs"])
        return cls(**given)


@dataclass(frozen=True)
class Graph:
    """A workflow ready to run: every condition compiles and every node can reach an end."""

    process_id: str
    name: str
    nodes: Mapping[str, Node]
    flows: Mapping[str, Flow]
    lanes: tuple[str, ...] = ()

    @cached_property
    def start(self) -> Node:
        """The one node where every run begins."""
        return next(node for node in self.nodes.values() if node.kind is NodeKind.START)

    @property
    def inputs(self) -> tuple[Output, ...]:
        """What a run has to be started with."""
        return self.start.outputs

    @cached_property
    def _schema(self) -> Schema:
        return schema_of(self.nodes.values())

    def variables_schema(self) -> Schema:
        """The fields that conditions and titles may name: `vars.<task>.<output>`, `vars.input.<name>`."""
        return self._schema

    @cached_property
    def _compiled(self) -> dict[str, Expression]:
        return {}

    def condition(self, flow_id: str) -> Expression:
        """The compiled condition of a flow; compiled at its first use and kept with the graph."""
        if flow_id not in self._compiled:
            text = self.flows[flow_id].condition
            self._compiled[flow_id] = compile_expression(text, self._schema, expects=Kind.BOOL)
        return self._compiled[flow_id]

    def outputs_schema(self, node_id: str) -> Schema:
        """What a task leaves behind (the start node takes in), by plain name; its `coerce` checks values."""
        outputs = self.nodes[node_id].outputs
        return Schema([Field(each.name, each.kind, each.label) for each in outputs])

    def facts(self, paths: Iterable[str], variables: Mapping[str, object]) -> dict[str, object]:
        """The named fields as typed values, read from variables that may come from JSON.

        A value of the wrong type stays as it is, so that whatever asks for it says so.
        """
        typed: dict[str, object] = {}
        for path in paths:
            known, value = self._schema.get(path), find({"vars": variables}, path)
            if known is not None and value is not None:
                with suppress(WrongValue):
                    value = read_value(value, known.type)
                _put(typed, path, value)
        return typed

    def title(self, node_id: str, variables: Mapping[str, object]) -> str:
        """The sentence a person is asked, with the values in place; else the node's name."""
        node = self.nodes[node_id]
        if not node.title:
            return node.name
        template = compile_template(node.title, self._schema)
        return template.render(self.facts(template.fields, variables))

    def to_json(self) -> dict[str, Any]:
        """The graph as plain JSON; lists, since a database may not keep the order of keys."""
        return {
            "process_id": self.process_id,
            "name": self.name,
            "lanes": list(self.lanes),
            "nodes": json.loads(json.dumps([asdict(node) for node in self.nodes.values()])),
            "flows": [asdict(flow) for flow in self.flows.values()],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Graph:
        """The graph that `to_json` made the document of."""
        nodes = [Node.from_json(row) for row in document["nodes"]]
        flows = [Flow(**row) for row in document["flows"]]
        return cls(
            process_id=document["process_id"],
            name=document["name"],
            nodes={node.id: node for node in nodes},
            flows={flow.id: flow for flow in flows},
            lanes=tuple(document["lanes"]),
        )


def schema_of(nodes: Iterable[Node]) -> Schema:
    """The fields that conditions may read once these nodes have run; ids that are no names have none."""
    found = {field.path: field for node in nodes for field in _fields_of(node)}
    return Schema(found.values())


def _fields_of(node: Node) -> Iterator[Field]:
    root = INPUT if node.kind is NodeKind.START else node.id
    if not IDENTIFIER.fullmatch(root) or (root == INPUT and node.kind is not NodeKind.START):
        return
    for output in node.outputs:
        label = output.label or f"{node.name}: {output.name}"
        yield Field(f"vars.{root}.{output.name}", output.kind, label)
    if node.kind is NodeKind.USER_TASK:
        yield Field(f"vars.{root}.{OUTCOME}", Kind.STRING, f"{node.name}: {OUTCOME}", enum=OUTCOMES)


def _put(facts: dict[str, object], path: str, value: object) -> None:
    *groups, name = path.split(".")
    for group in groups:
        facts = cast(dict[str, object], facts.setdefault(group, {}))
    facts[name] = value
