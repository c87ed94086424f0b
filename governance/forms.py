"""Input shapes of the pages of governance."""

from django import forms

from governance.models import ControlState
from governance.operations import LONGEST_DAYS, RuleChange

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
        label="Why",
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
