"""Workflows, rules: what is different between two versions of a drawing, element by element and in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TypeVar

from workflows.plan.graph import Flow, Graph, Node, NodeKind, Output

Element = TypeVar("Element", Node, Flow)


class Difference(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Change:
    """One element that is not the same: what it was and what it is, by the words for each of its settings."""

    element_id: str
    name: str
    what: str
    difference: Difference
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The change in words, one sentence for each setting."""
        shown = f"{self.what} “{self.name or self.element_id}”"
        if self.difference is not Difference.CHANGED:
            return (f"{shown} was {self.difference}.",)
        return tuple(
            f"{shown}: {word} was {self.before[word] or 'empty'}, is now {self.after[word] or 'empty'}."
            for word in self.after
        )


WORDS = {
    "name": "the name", "kind": "the kind", "lane": "the lane", "default_flow": "the default way", "role": "the role",
    "capability": "the capability", "action": "the action", "lease_seconds": "the lease in seconds",
    "attempts": "the number of attempts", "back_off_seconds": "the wait before a new attempt in seconds",
    "priority": "the priority", "due_seconds": "the time until it is due in seconds",
    "cost_limit": "the most it may cost", "seconds_limit": "the most seconds it may take",
    "memory_space": "the memory space", "memory_key": "the memory key", "memory_seconds": "how long it is remembered",
    "path": "the escalation path", "title": "the question", "risk": "the risk", "effect": "the effect",
    "if_approved": "what follows from yes", "if_rejected": "what follows from no",
    "if_timed_out": "what follows from no answer", "attached_to": "where it sits",
    "interrupting": "whether it interrupts", "duration_seconds": "the length in seconds", "timer_at": "the moment",
    "duration": "the length",
    "timer_value": "the time", "cycle": "the cycle", "repeats": "how often it repeats", "parent": "the part it lies in",
    "event": "the trigger", "event_name": "what it is called", "correlation": "what ties it to a run",
    "input_schema": "the schema of its input", "output_schema": "the schema of its output",
    "calls": "the workflow it calls", "condition": "the condition", "loop": "how it is repeated",
    "in_sequence": "whether it goes one after the other", "is_transaction": "whether it is cancelled as a whole",
    "loop_count": "how often it is done", "loop_condition": "when the repeating ends", "collection": "the list",
    "element": "the name of an item", "loop_tests_before": "whether it is asked before", "decision": "the table",
    "is_compensation": "whether it undoes something", "undone_by": "what undoes it", "undoes": "what it undoes",
    "outputs": "what it leaves behind", "passes": "what it passes on", "source": "where it comes from",
    "target": "where it leads",
}  # fmt: skip
# what follows from other elements, told with those
DERIVED = frozenset({"id", "incoming", "outgoing", "boundaries"})
SHOWN_AS = {
    NodeKind.SERVICE_TASK: "The work of an agent", NodeKind.USER_TASK: "The decision", NodeKind.START: "The start",
    NodeKind.END: "The end", NodeKind.TERMINATE: "The end", NodeKind.EXCLUSIVE: "The choice",
    NodeKind.BOUNDARY: "The event", NodeKind.CATCH: "The event", NodeKind.THROW: "The event",
    NodeKind.CALL: "The call", NodeKind.RULE_TASK: "The table", NodeKind.SCRIPT_TASK: "The calculation",
    NodeKind.SEND_TASK: "The sending", NodeKind.RECEIVE_TASK: "The receiving",
}  # fmt: skip


def compare(old: Graph, new: Graph) -> tuple[Change, ...]:
    """Every element that was added, removed or changed, in the order of the new drawing, the removed ones last."""
    return (
        *_compared(old.nodes, new.nodes, _node_word, _node_setting),
        *_compared(old.flows, new.flows, lambda _: "The way", _plain),
        *_tables(old, new),
    )


def _compared(
    old: Mapping[str, Element], new: Mapping[str, Element], word: Callable[[Element], str],
    shown: Callable[[object], str],
) -> Iterator[Change]:  # fmt: skip
    for name, element in new.items():
        if name not in old:
            yield Change(name, element.name, word(element), Difference.ADDED)
        elif element != old[name] and (settings := _different(old[name], element, shown)):
            before, after = ({each: pair[side] for each, pair in settings.items()} for side in (0, 1))
            yield Change(name, element.name, word(element), Difference.CHANGED, before, after)
    for name, element in old.items():
        if name not in new:
            yield Change(name, element.name, word(element), Difference.REMOVED)


def _different(old: Node | Flow, new: Node | Flow, shown: Callable[[object], str]) -> dict[str, tuple[str, str]]:
    found = {}
    for each in fields(new):
        before, after = getattr(old, each.name), getattr(new, each.name)
        if each.name not in DERIVED and before != after:
            found[WORDS[each.name]] = (shown(before), shown(after))
    return found


def _node_word(node: Node) -> str:
    return SHOWN_AS.get(node.kind, "The part" if node.is_scope else "The gateway")


def _node_setting(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_value(each) for each in value)
    return _plain(value)


def _value(output: object) -> str:
    if not isinstance(output, Output):
        return str(output)
    kind = f"list of {output.item}" if output.item else str(output.kind)
    return f"{output.name} ({kind})" + (f" = {output.value}" if output.value else "")


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _tables(old: Graph, new: Graph) -> Iterator[Change]:
    asked = {node.decision: node for node in new.nodes.values() if node.decision}
    for code in asked:
        if code in old.tables and code in new.tables and old.tables[code] != new.tables[code]:
            word = "the edition of the table"
            yield Change(
                asked[code].id, asked[code].name, "The table", Difference.CHANGED, {word: "an older one"},
                {word: "a newer one"},
            )  # fmt: skip
