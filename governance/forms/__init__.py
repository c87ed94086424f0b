"""Input shapes of the pages of governance."""

from typing import Any

from django import forms

from agents.models import Principal, Unit
from governance.models import ControlState
from governance.operations import LONGEST_DAYS, RuleChange
from governance.rules.texts import MAX_CHARACTERS

WHY_AT_MOST = 2000


class ControlForm(forms.Form):
    """The control state that is wanted for a scope, why, and until when."""

    scope = forms.CharField(max_length=120, required=False, widget=forms.HiddenInput)
    state = forms.ChoiceField(choices=ControlState.Status.choices, widget=forms.HiddenInput)
    why = forms.CharField(
        label="Why",
        help_text="Everybody who opens this page reads it, and it stays in the audit trail.",
        max_length=WHY_AT_MOST,
        error_messages={"required": "Say why the control state changes."},
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    until = forms.DateTimeField(
        label="Until",
        help_text="It ends by itself then. Empty: until somebody ends it.",
        required=False, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        error_messages={"invalid": "Write a day and a time."},
        widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
    )  # fmt: skip


class DrillForm(forms.Form):
    """Why a stop is practised."""

    why = forms.CharField(
        label="Why practise",
        help_text="It stays with the result.",
        max_length=WHY_AT_MOST,
        error_messages={"required": "Say why you practise."},
        widget=forms.TextInput,
    )


class ReasonForm(forms.Form):
    """A reason, with words of its own on each page."""

    reason = forms.CharField(max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *given: object, label: str, hint: str, **named: object) -> None:
        super().__init__(*given, **named)  # type: ignore[arg-type]
        self.fields["reason"].label, self.fields["reason"].help_text = label, hint


class DemotionRuleForm(forms.Form):
    """When agents of a role lose a level by themselves, and why that is said."""

    role = forms.ChoiceField(label="Agents of the role", required=False)
    overruled_percent = forms.DecimalField(
        label="Overruled in more than, %", help_text="Of the questions that people decided. Empty: no limit.",
        required=False, min_value=0, max_value=100, decimal_places=2,
    )  # fmt: skip
    error_percent = forms.DecimalField(
        label="Failed in more than, %", help_text="Of the tries of steps. Empty: no limit.",
        required=False, min_value=0, max_value=100, decimal_places=2,
    )  # fmt: skip
    at_least = forms.IntegerField(
        label="From how many on", help_text="Fewer questions, or tries, decide nothing.", min_value=1,
        max_value=100_000, initial=20,
    )  # fmt: skip
    days = forms.IntegerField(label="In how many days", min_value=1, max_value=LONGEST_DAYS, initial=30)
    reason = forms.CharField(
        label="Why", help_text="The audit trail keeps it.", max_length=WHY_AT_MOST,
        error_messages={"required": "Say why the rule changes."}, widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def __init__(self, *given: object, roles: list[tuple[str, str]], **named: object) -> None:
        super().__init__(*given, **named)  # type: ignore[arg-type]
        choices = [("", "All roles without a rule of their own"), *roles]
        self.fields["role"].choices = choices  # type: ignore[attr-defined]

    @property
    def change(self) -> RuleChange:
        """What was chosen."""
        return RuleChange(**{name: value for name, value in self.cleaned_data.items() if name != "reason"})


class ListForm(forms.Form):
    """What a named list holds from now on, one item on each line, and why."""

    items = forms.CharField(
        label="Items", help_text="One on each line; 1,000 at most.", required=False, max_length=250_000,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}),
    )  # fmt: skip
    reason = forms.CharField(
        label="Why", help_text="The audit trail keeps it.", max_length=WHY_AT_MOST,
        error_messages={"required": "Say why the list changes."}, widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    edition = forms.IntegerField(widget=forms.HiddenInput, required=False)

    @property
    def lines(self) -> list[str]:
        """The items, one from each line."""
        return str(self.cleaned_data["items"]).splitlines()


class NewListForm(ListForm):
    """A new list."""

    name = forms.CharField(
        label="Name", help_text="Rules read it as lists. and this name: lists.core_carriers.",
        max_length=60,
    )  # fmt: skip
    title = forms.CharField(label="What it holds", help_text="Such as: Carriers with a frame contract.", max_length=200)
    unit = forms.TypedChoiceField(label="Unit", coerce=int)
    field_order = ("name", "title", "unit", "items", "reason")

    def __init__(self, *given: object, units: list[tuple[int, str]], **named: object) -> None:
        super().__init__(*given, **named)  # type: ignore[arg-type]
        self.fields["unit"].choices = units  # type: ignore[attr-defined]


class PolicyTextForm(forms.Form):
    """A policy as text, or as a file; `seen` and `base` say which version the text started from."""

    unit = forms.ModelChoiceField(
        Unit.objects.none(), label="Business unit", required=False, empty_label="My own",
        help_text="Whose policy a new one is. One that exists keeps its unit.",
    )  # fmt: skip
    file = forms.FileField(
        label="From a file", required=False, help_text="YAML or JSON. It takes the place of the text."
    )
    text = forms.CharField(
        label="Document", required=False, strip=False, max_length=MAX_CHARACTERS,
        help_text="YAML or JSON. It is checked while you write.",
        widget=forms.Textarea(attrs={"rows": 26, "class": "os-code", "spellcheck": "false", "wrap": "off"}),
    )  # fmt: skip
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    base = forms.CharField(required=False, max_length=9, widget=forms.HiddenInput)

    def __init__(self, *given: object, user: Principal, **named: object) -> None:
        super().__init__(*given, **named)  # type: ignore[arg-type]
        self.user = user
        self.fields["unit"].queryset = Unit.objects.visible_to(user)  # type: ignore[attr-defined]

    def clean_text(self) -> str:
        """The text with plain line ends."""
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")

    def clean(self) -> None:
        """The file's text in place of the text, if there is a file; one of both is needed."""
        file = self.cleaned_data.get("file")
        if file is not None:
            self._take(file)
        if not self.errors and not self.cleaned_data.get("text", "").strip():
            self.add_error("text", "Write the policy, start from a template, or choose a file.")
        self.cleaned_data["unit"] = self.cleaned_data.get("unit") or self.user.unit
        if self.cleaned_data["unit"] is None:
            self.add_error("unit", "Choose the unit that a new policy belongs to.")

    def _take(self, file: Any) -> None:
        if file.size > 4 * MAX_CHARACTERS:
            self.add_error("file", f"The file has more than {MAX_CHARACTERS:,} characters.")
            return
        try:
            self.cleaned_data["text"] = file.read().decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError:
            self.add_error("file", "The file is no text in UTF-8.")
            return
        self.data = {**self.data.dict(), "text": self.cleaned_data["text"]}  # type: ignore[attr-defined]
