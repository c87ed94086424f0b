"""Decision tables: a file, and the values to try it with."""

from typing import Any

from django import forms

from agents.forms import WrittenForm
from workflows.plan.dmn import Model

READERS: dict[str, Any] = {
    "integer": lambda label: forms.DecimalField(label=label, required=False),
    "long": lambda label: forms.DecimalField(label=label, required=False),
    "double": lambda label: forms.DecimalField(label=label, required=False),
    "number": lambda label: forms.DecimalField(label=label, required=False),
    "boolean": lambda label: forms.NullBooleanField(label=label, required=False),
}


class TableForm(WrittenForm):
    """A DMN file, and why it is published."""

    places = {"dmn": "file"}

    file = forms.FileField(
        label="DMN file", help_text="DMN 1.1 to 1.5, saved as UTF-8, with one decision that no other requires.",
        widget=forms.ClearableFileInput(attrs={"accept": ".dmn,.xml,application/xml"}),
        error_messages={"required": "Choose a file."},
    )  # fmt: skip
    why = forms.CharField(
        label="Reason", max_length=2000, widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say what changes and why."},
    )  # fmt: skip


class TryForm(forms.Form):
    """One field for each thing that the tables of a model read."""

    def __init__(self, *args: Any, model: Model, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = _asked(model)
        for number, (path, label, kind) in enumerate(self.asked):
            made = READERS.get(kind, lambda label: forms.CharField(label=label, required=False, max_length=2000))
            self.fields[f"value-{number}"] = made(label)
            self.fields[f"value-{number}"].help_text = path

    @property
    def facts(self) -> dict[str, Any]:
        """The given values, nested by the paths that the table reads; what was left empty is missing."""
        facts: dict[str, Any] = {}
        for number, (path, _, _) in enumerate(self.asked):
            value = self.cleaned_data[f"value-{number}"]
            if value not in (None, ""):
                _put(facts, path.split("."), value)
        return facts


def _asked(model: Model) -> list[tuple[str, str, str]]:
    decided = {output.name for each in model.decisions for output in each.outputs} | {
        each.id for each in model.decisions
    }
    asked = {
        column.expression: (column.expression, column.label, column.kind)
        for each in model.decisions
        for column in each.inputs
        if column.expression.replace(".", "").replace("_", "").isalnum() and column.expression not in decided
    }
    return list(asked.values())


def _put(facts: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        held = facts.setdefault(name, {})
        facts = held if isinstance(held, dict) else {}
    facts[path[-1]] = value
