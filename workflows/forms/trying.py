"""Trying a drawing out: what a run would be started with, and what each step does when its turn comes."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from governance.language import Kind
from workflows.forms.steps import LengthField
from workflows.plan import EventKind, Graph, Node, NodeKind, Output
from workflows.plan.graph import OUTCOME
from workflows.plan.lengths import bpmn_of, seconds_of, words_of
from workflows.plan.simulating import USUAL_SECONDS, Answer, Trial

WORKS = [("works", "Does its work"), ("error", "Fails for good"), ("never", "Is not heard of again")]
DECIDES = [("approved", "Approved"), ("rejected", "Rejected"), ("never", "Nobody decides")]
COMES = [("works", "It happens"), ("never", "It does not happen")]
BETWEEN = [("never", "It does not happen"), ("works", "It happens")]
WAITED_FOR = (NodeKind.CATCH, NodeKind.RECEIVE_TASK)
TASKS = (NodeKind.SERVICE_TASK, NodeKind.CALL)
TOLD = (EventKind.MESSAGE, EventKind.SIGNAL)
ERROR = "failed"
UNNAMED = "A step without a name"
USUAL = words_of(bpmn_of(USUAL_SECONDS))


class SampleField(forms.CharField):
    """One value for the try-out; empty for a sample that fits its type."""

    def __init__(self, output: Output, **options: Any) -> None:
        self.output = output
        super().__init__(label=output.label or output.name, required=False, max_length=2000, **options)

    def clean(self, value: Any) -> Any:
        """The value as a run would hold it; None for an empty one."""
        text = super().clean(value).strip()
        if not text:
            return None
        try:
            return _read(text, self.output.kind)
        except ValueError as wrong:
            raise forms.ValidationError(f"“{text}” is no {WRITTEN[self.output.kind]}.") from wrong


WRITTEN = {
    Kind.BOOL: "yes or no", Kind.INT: "whole number", Kind.DECIMAL: "amount", Kind.LIST: "list in JSON",
    Kind.MAP: "object in JSON", Kind.STRING: "text", Kind.TIMESTAMP: "moment", Kind.DURATION: "length of time",
}  # fmt: skip
WORDS = {"yes": True, "true": True, "no": False, "false": False}


def _read(text: str, kind: Kind) -> Any:
    match kind:
        case Kind.BOOL if text.lower() in WORDS:
            return WORDS[text.lower()]
        case Kind.BOOL:
            raise ValueError
        case Kind.INT:
            return int(text)
        case Kind.DECIMAL:
            return str(forms.DecimalField().to_python(text)) if _is_number(text) else _no()
        case Kind.LIST | Kind.MAP:
            found = json.loads(text)
            return found if isinstance(found, list if kind is Kind.LIST else dict) else _no()
    return text


def _no() -> Any:
    raise ValueError


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()


class TryForm(forms.Form):
    """The values of a try-out of `graph`; `past` are those of a run that was, as `past_values` gives them."""

    def __init__(self, graph: Graph, data: Mapping[str, Any] | None, past: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=dict(past or {}))
        self.graph = graph
        for output in graph.inputs:
            self.fields[f"in-{output.name}"] = SampleField(output)
        self.asked = [node for node in graph.nodes.values() if choices_of(node)]
        for node in self.asked:
            self._add(node)

    def _add(self, node: Node) -> None:
        self.fields[f"{node.id}-goes"] = forms.ChoiceField(
            label="What it does", choices=choices_of(node), required=False
        )
        self.fields[f"{node.id}-after"] = LengthField(label="After", required=False, help_text="")
        self.initial.setdefault(f"{node.id}-goes", choices_of(node)[0][0])
        self.initial.setdefault(f"{node.id}-after", USUAL)
        for output in node.outputs:
            self.fields[f"{node.id}-out-{output.name}"] = SampleField(output)

    def inputs(self) -> list[forms.BoundField]:
        """What the run is started with."""
        return [self[f"in-{output.name}"] for output in self.graph.inputs]

    def steps(self) -> Iterable[dict[str, Any]]:
        """Each step with its fields."""
        for node in self.asked:
            values = [self[f"{node.id}-out-{output.name}"] for output in node.outputs]
            fields = [self[f"{node.id}-goes"], self[f"{node.id}-after"]]
            yield {
                "node": node, "name": node.name or UNNAMED, "fields": fields, "values": values,
                "is_person": node.kind is NodeKind.USER_TASK, "open": any(each.errors for each in (*fields, *values)),
            }  # fmt: skip

    def trial(self) -> Trial:
        """What was written, for the try-out."""
        given = self.cleaned_data
        inputs = {output.name: given[f"in-{output.name}"] for output in self.graph.inputs}
        return Trial(
            inputs={name: value for name, value in inputs.items() if value is not None},
            answers={node.id: (self._answer(node),) for node in self.asked if self._is_answered(node)},
        )

    def _is_answered(self, node: Node) -> bool:
        # what could come in between and does not is left out, so that it is not waited for
        return node.kind is not NodeKind.BOUNDARY or self._goes(node) != "never"

    def _goes(self, node: Node) -> str:
        return str(self.cleaned_data[f"{node.id}-goes"] or choices_of(node)[0][0])

    def _answer(self, node: Node) -> Answer:
        given, goes = self.cleaned_data, self._goes(node)
        found = {output.name: given[f"{node.id}-out-{output.name}"] for output in node.outputs}
        outputs = {name: value for name, value in found.items() if value is not None}
        if goes in ("approved", "rejected"):
            outputs[OUTCOME] = goes
        seconds = seconds_of(given[f"{node.id}-after"]) if given[f"{node.id}-after"] else USUAL_SECONDS
        return Answer(outputs, seconds, error=ERROR if goes == "error" else "", never=goes == "never")


def choices_of(node: Node) -> list[tuple[str, str]]:
    """What the element can do in a try-out; nothing for one that nobody has to answer for."""
    if node.kind is NodeKind.USER_TASK:
        return DECIDES
    if node.kind in TASKS:
        return WORKS
    if node.kind is NodeKind.RECEIVE_TASK or (node.kind in WAITED_FOR and node.event in TOLD):
        return COMES
    return BETWEEN if node.kind is NodeKind.BOUNDARY and node.event in TOLD else []


def past_values(
    graph: Graph, variables: Mapping[str, Mapping[str, Any]], steps: Iterable[tuple[str, str, int]]
) -> dict[str, Any]:
    """The fields of a try-out filled as a run went: its variables by element, and its steps (element, status,
    seconds)."""
    found = {f"in-{output.name}": _written(variables.get("input", {}).get(output.name)) for output in graph.inputs}
    for node in graph.nodes.values():
        had = variables.get(node.id) or {}
        for output in node.outputs:
            found[f"{node.id}-out-{output.name}"] = _written(had.get(output.name))
        if had.get(OUTCOME) in ("approved", "rejected"):
            found[f"{node.id}-goes"] = had[OUTCOME]
    for element, status, seconds in steps:
        found[f"{element}-after"] = words_of(bpmn_of(max(seconds, 1)))
        if status == "failed":
            found[f"{element}-goes"] = "error"
    return found


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value)
