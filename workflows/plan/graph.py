"""Workflows, rules: a workflow once its drawing was read: nodes, flows, and the questions the engine asks them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import groupby
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
from workflows.plan.nodes import (
    ACTIVITIES,
    AUTOMATIC,
    AWAITED,
    ENDS,
    GATEWAYS,
    IDENTIFIER,
    INPUT,
    OUTCOME,
    OUTCOMES,
    SCOPES,
    THROWN,
    WORKS,
    EventKind,
    Flow,
    LoopKind,
    Node,
    NodeKind,
    Output,
)
from workflows.plan.values import OutputsSchema

__all__ = [
    "ACTIVITIES",
    "AUTOMATIC",
    "AWAITED",
    "ENDS",
    "GATEWAYS",
    "IDENTIFIER",
    "INPUT",
    "OUTCOME",
    "OUTCOMES",
    "SCOPES",
    "THROWN",
    "WORKS",
    "EventKind",
    "Flow",
    "Graph",
    "LoopKind",
    "Node",
    "NodeKind",
    "Output",
    "schema_of",
]

LOOP = "loop"
CAUGHT = ("code", "reason")


@dataclass(frozen=True)
class Graph:
    """A workflow ready to run: every condition compiles and every node can reach an end.

    `tables` are the decision tables of its business rule tasks, by their code.
    """

    process_id: str
    name: str
    nodes: Mapping[str, Node]
    flows: Mapping[str, Flow]
    lanes: tuple[str, ...] = ()
    tables: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def starts(self) -> tuple[Node, ...]:
        """The start events of the process itself, in the order drawn."""
        return self.starts_in("")

    @cached_property
    def start(self) -> Node:
        """Where a run begins that somebody starts: the start event without a trigger, else the first one."""
        return next((node for node in self.starts if node.event is EventKind.NONE), self.starts[0])

    @property
    def inputs(self) -> tuple[Output, ...]:
        """What a run has to be started with."""
        return self.start.outputs

    # what lies where

    @cached_property
    def _inside(self) -> dict[str, tuple[Node, ...]]:
        found: dict[str, list[Node]] = {}
        for node in self.nodes.values():
            found.setdefault(node.parent, []).append(node)
        return {parent: tuple(nodes) for parent, nodes in found.items()}

    def inside(self, scope: str) -> tuple[Node, ...]:
        """The nodes directly inside a sub-process, or with an empty name of the process itself."""
        return self._inside.get(scope, ())

    @cached_property
    def _starts_inside(self) -> dict[str, tuple[Node, ...]]:
        starts = (node for node in self.nodes.values() if node.kind is NodeKind.START)
        return {parent: tuple(nodes) for parent, nodes in groupby(sorted(starts, key=_parent), key=_parent)}

    def starts_in(self, scope: str) -> tuple[Node, ...]:
        """The start events directly inside."""
        return self._starts_inside.get(scope, ())

    @cached_property
    def _links(self) -> dict[tuple[NodeKind, str, str], tuple[Node, ...]]:
        found: dict[tuple[NodeKind, str, str], list[Node]] = {}
        for node in self.nodes.values():
            if node.event is EventKind.LINK:
                found.setdefault((node.kind, node.parent, node.event_name), []).append(node)
        return {key: tuple(nodes) for key, nodes in found.items()}

    def link_target(self, throw: Node) -> Node | None:
        """Where a link goes on."""
        return next(iter(self._links.get((NodeKind.CATCH, throw.parent, throw.event_name), ())), None)

    def event_starts(self, scope: str) -> tuple[Node, ...]:
        """The start events of the event sub-processes directly inside a scope."""
        return self._event_starts.get(scope, ())

    @cached_property
    def _event_starts(self) -> dict[str, tuple[Node, ...]]:
        found: dict[str, tuple[Node, ...]] = {}
        for node in self.nodes.values():
            if node.kind is NodeKind.EVENT_SUB_PROCESS:
                found[node.parent] = found.get(node.parent, ()) + self.starts_in(node.id)
        return found

    @cached_property
    def compensates(self) -> bool:
        """Whether anything in it can be undone."""
        return any(node.event is EventKind.COMPENSATION for node in self.nodes.values())

    @cached_property
    def _leading(self) -> dict[tuple[str, str], frozenset[str]]:
        return {}

    def leading_to(self, flow_id: str, join: str) -> frozenset[str]:
        """The nodes from which a token can get to this flow into `join` without passing `join` before."""
        found = self._leading.get((flow_id, join))
        if found is None:
            found = self._leading[flow_id, join] = frozenset(self._look_back(flow_id, join))
        return found

    def _look_back(self, flow_id: str, join: str) -> set[str]:
        seen: set[str] = set()
        waiting = [self.flows[flow_id].source]
        while waiting:
            name = waiting.pop()
            if name in seen or name == join:
                continue
            seen.add(name)
            node = self.nodes[name]
            waiting += [self.flows[each].source for each in node.incoming]
            if node.kind is NodeKind.BOUNDARY and node.attached_to:
                waiting.append(node.attached_to)
            if node.kind is NodeKind.CATCH and node.event is EventKind.LINK:
                waiting += [each.id for each in self._links.get((NodeKind.THROW, node.parent, node.event_name), ())]
        return seen

    # what conditions and titles may read

    @cached_property
    def _schemas(self) -> dict[tuple[Kind, Kind | None], Schema]:
        return {}

    def variables_schema(self, node_id: str = "") -> Schema:
        """The fields that conditions and titles may name: `vars.<task>.<output>`, `vars.input.<name>`, and inside of
        what is repeated `loop.index`, `loop.item`, `loop.count`, `loop.done`."""
        item = self._item_type(node_id)
        if item not in self._schemas:
            self._schemas[item] = schema_of(self.nodes.values(), *item)
        return self._schemas[item]

    def _item_type(self, node_id: str) -> tuple[Kind, Kind | None]:
        node = self.nodes.get(node_id)
        while node is not None and node.loop is LoopKind.NONE:
            node = self.nodes.get(node.parent)
        return (self._kind_in(node.collection) if node is not None else Kind.STRING), None

    def _kind_in(self, collection: str) -> Kind:
        *_, task, name = ["", "", *collection.split(".")]
        outputs = (self.start if task == INPUT else self.nodes.get(task, _NOTHING)).outputs
        return next((Kind(each.item or Kind.STRING) for each in outputs if each.name == name), Kind.STRING)

    @cached_property
    def _compiled(self) -> dict[tuple[str, str, Kind | None], Expression]:
        return {}

    def expression(self, text: str, node_id: str, expects: Kind | None = None) -> Expression:
        """An expression that belongs to a node, compiled at its first use and kept with the graph."""
        key = (text, node_id, expects)
        if key not in self._compiled:
            self._compiled[key] = compile_expression(text, self.variables_schema(node_id), expects=expects)
        return self._compiled[key]

    def condition(self, flow_id: str) -> Expression:
        """The compiled condition of a flow."""
        flow = self.flows[flow_id]
        parent = self.nodes[flow.source].parent if flow.source in self.nodes else ""
        return self.expression(flow.condition, parent, Kind.BOOL)

    def outputs_schema(self, node_id: str) -> OutputsSchema:
        """What a task leaves behind (the start node takes in), by plain name; its `coerce` checks values."""
        return OutputsSchema(self.nodes[node_id].outputs)

    def facts(
        self, paths: Iterable[str], variables: Mapping[str, object], loop: Mapping[str, object] | None = None,
        node_id: str = "",
    ) -> dict[str, object]:  # fmt: skip
        """The named fields as typed values, read from variables that may come from JSON.

        A value of the wrong type stays as it is, so that whatever asks for it says so.
        """
        typed: dict[str, object] = {}
        schema, given = self.variables_schema(node_id), {"vars": variables, LOOP: loop or {}}
        for path in paths:
            known, value = schema.get(path), find(given, path)
            if known is not None and value is not None:
                with suppress(WrongValue):
                    value = read_value(value, known.type)
                _put(typed, path, value)
        return typed

    def title(
        self, node_id: str, variables: Mapping[str, object], loop: Mapping[str, object] | None = None
    ) -> str:  # fmt: skip
        """The sentence a person is asked, with the values in place; else the node's name."""
        node = self.nodes[node_id]
        return self.rendered(node.title, node_id, variables, loop) if node.title else node.name

    def rendered(
        self, text: str, node_id: str, variables: Mapping[str, object], loop: Mapping[str, object] | None = None
    ) -> str:
        """A sentence or key of a node with the values in place; `loop` is what the step's index and item say."""
        template = compile_template(text, self.variables_schema(node_id))
        return template.render(self.facts(template.fields, variables, loop, node_id))

    # as JSON

    def to_json(self) -> dict[str, Any]:
        """The graph as plain JSON; lists, since a database may not keep the order of keys."""
        return {
            "process_id": self.process_id,
            "name": self.name,
            "lanes": list(self.lanes),
            "nodes": json.loads(json.dumps([asdict(node) for node in self.nodes.values()])),
            "flows": [asdict(flow) for flow in self.flows.values()],
            "tables": dict(self.tables),
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
            tables=document.get("tables", {}),
        )


_NOTHING = Node("", "", NodeKind.START)


def schema_of(nodes: Iterable[Node], item: Kind = Kind.STRING, inner: Kind | None = None) -> Schema:
    """The fields that conditions may read once these nodes have run; ids that are no names have none."""
    found = {each.path: each for node in nodes for each in _fields_of(node)}
    return Schema([*found.values(), *_loop_fields(item, inner)])


def _loop_fields(item: Kind, inner: Kind | None) -> Iterator[Field]:
    yield Field(f"{LOOP}.index", Kind.INT, "Place in the list, from 0")
    yield Field(f"{LOOP}.count", Kind.INT, "How many there are")
    yield Field(f"{LOOP}.done", Kind.INT, "How many are done")
    if item is not Kind.MAP:
        yield Field(f"{LOOP}.item", item, "The item of the list", item=inner)


def _fields_of(node: Node) -> Iterator[Field]:
    root = INPUT if node.kind is NodeKind.START and not node.parent else node.id
    if not IDENTIFIER.fullmatch(root) or (root == INPUT and node.kind is not NodeKind.START):
        return
    for output in node.outputs:
        if output.kind is not Kind.MAP:
            label = output.label or f"{node.name}: {output.name}"
            item = Kind(output.item) if output.item and output.item != Kind.MAP else None
            if not (output.kind is Kind.LIST and output.item == Kind.MAP):
                yield Field(f"vars.{root}.{output.name}", output.kind, label, item=item)
    if node.kind is NodeKind.USER_TASK:
        yield Field(f"vars.{root}.{OUTCOME}", Kind.STRING, f"{node.name}: {OUTCOME}", enum=OUTCOMES)
    if node.kind in (NodeKind.BOUNDARY, NodeKind.START) and node.event in (EventKind.ERROR, EventKind.ESCALATION):
        for name in CAUGHT:
            yield Field(f"vars.{root}.{name}", Kind.STRING, f"{node.name}: {name}")


def _parent(node: Node) -> str:
    return node.parent


def _put(facts: dict[str, object], path: str, value: object) -> None:
    *groups, name = path.split(".")
    for group in groups:
        facts = cast(dict[str, object], facts.setdefault(group, {}))
    facts[name] = value
