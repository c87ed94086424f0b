"""Input shapes of interventions in a run: a reason, and what the act needs beside it."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django import forms

from governance.language import Kind
from workflows.plan import Output

YES_NO = [("", "not given"), ("yes", "yes"), ("no", "no")]
LONG = 60


class WhyForm(forms.Form):
    """Why it is done."""

    why = forms.CharField(
        label="Why?", max_length=2000, help_text="The audit trail keeps your reason.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def given(self) -> dict[str, Any]:
        """What the operation takes."""
        return {"why": self.cleaned_data["why"]}


class SkipForm(WhyForm):
    """The outputs that the step shall count as having left, each by its type; empty ones are left out."""

    def __init__(self, *args: Any, outputs: Iterable[Output] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.outputs = tuple(outputs)
        for output in self.outputs:
            self.fields[f"output.{output.name}"] = field_for(output)
        self.order_fields([*(f"output.{output.name}" for output in self.outputs), "why"])

    def given(self) -> dict[str, Any]:
        """What the operation takes."""
        texts = {output: self.cleaned_data[f"output.{output.name}"] for output in self.outputs}
        values = {output.name: value_in(output, text) for output, text in texts.items() if text != ""}
        return super().given() | {"output": values}

    def blame(self, wrong: Mapping[str, str]) -> None:
        """Show each problem beside the field that it is about."""
        for name, problem in wrong.items():
            self.add_error(f"output.{name}" if f"output.{name}" in self.fields else None, problem)


class ReassignForm(WhyForm):
    """Who shall do it: a role, or one agent."""

    to = forms.ChoiceField(label="Who shall do it?")

    def __init__(self, *args: Any, receivers: Iterable[Any] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["to"].choices = list(receivers)  # type: ignore[attr-defined]
        self.order_fields(["to", "why"])

    def given(self) -> dict[str, Any]:
        """What the operation takes."""
        kind, _, code = self.cleaned_data["to"].partition(":")
        return super().given() | {kind: code}


class AssignForm(WhyForm):
    """For which agent it is kept, and for how long."""

    agent = forms.ChoiceField(label="For whom?", required=False)
    minutes = forms.IntegerField(label="For how many minutes?", min_value=1, max_value=1440, initial=15)

    def __init__(self, *args: Any, able: Iterable[tuple[str, str]] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["agent"].choices = [("", "Whoever has the least in hand"), *able]  # type: ignore[attr-defined]
        self.order_fields(["agent", "minutes", "why"])

    def given(self) -> dict[str, Any]:
        """What the operation takes."""
        lasts = timedelta(minutes=self.cleaned_data["minutes"])
        return super().given() | {"agent": self.cleaned_data["agent"], "lasts": lasts}


class ChooseForm(WhyForm):
    """Which step of those that are done in any order."""

    task = forms.ChoiceField(label="Which step?")

    def __init__(self, *args: Any, tasks: Iterable[tuple[str, str]] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["task"].choices = list(tasks)  # type: ignore[attr-defined]
        self.order_fields(["task", "why"])

    def given(self) -> dict[str, Any]:
        """What the operation takes."""
        return super().given() | {"task": self.cleaned_data["task"]}


class MoveForm(WhyForm):
    """Where the run shall go on."""

    to = forms.ChoiceField(label="Where shall it go on?")

    def __init__(self, *args: Any, places: Iterable[tuple[str, str]] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["to"].choices = list(places)  # type: ignore[attr-defined]
        self.order_fields(["to", "why"])

    def given(self) -> dict[str, Any]:
        """What the operation takes."""
        return super().given() | {"to": self.cleaned_data["to"]}


class VariableForm(WhyForm):
    """Another value of what the run knows; `before` is what stood on the page."""

    before = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, output: Output, **more: Any) -> None:
        super().__init__(*args, **more)
        self.output = output
        self.fields["value"] = field_for(output, label="New value")
        self.order_fields(["value", "why", "before"])

    def given(self) -> dict[str, Any]:
        """What the operation takes."""
        value = value_in(self.output, self.cleaned_data["value"])
        return super().given() | {"value": value, "shown": self.cleaned_data["before"]}


class RestartForm(WhyForm):
    """The key of the new run."""

    key = forms.CharField(label="Key of the new run", required=False, max_length=200,
                          help_text="Leave it empty for the next free one.")  # fmt: skip

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.order_fields(["key", "why"])

    def given(self) -> dict[str, Any]:
        """What the operation takes."""
        return super().given() | {"key": self.cleaned_data["key"]}


def field_for(output: Output, label: str = "") -> forms.Field:
    """The form field of a declared value."""
    named: dict[str, Any] = {
        "label": label or output.label or output.name.replace("_", " ").capitalize(), "required": False,
    }  # fmt: skip
    if output.kind is Kind.BOOL:
        return forms.ChoiceField(choices=YES_NO, **named)
    hint = {
        Kind.INT: "A whole number.", Kind.DECIMAL: "A number such as 310.00.", Kind.LIST: "One entry a line.",
        Kind.TIMESTAMP: "A moment such as 2026-11-30T09:00:00Z.", Kind.DURATION: "A time such as 4h or 30m.",
    }.get(output.kind, "")  # fmt: skip
    if output.kind is Kind.LIST:
        return forms.CharField(help_text=hint, widget=forms.Textarea(attrs={"rows": 3}), max_length=10_000, **named)
    return forms.CharField(help_text=hint, max_length=10_000, **named)


def value_in(output: Output, text: str) -> Any:
    """What somebody typed, as JSON would say it; the operation checks whether it fits."""
    if output.kind is Kind.BOOL:
        return {"yes": True, "no": False}.get(text, text)
    if output.kind is Kind.INT:
        digits = text.strip().removeprefix("-")
        return int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else text
    if output.kind is Kind.LIST:
        return [line.strip() for line in text.splitlines() if line.strip()]
    return text


def text_of(value: Any) -> str:
    """A value as a form shows it, so that `value_in` reads the same again."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return str(value)
