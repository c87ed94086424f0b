"""Input shapes of the pages of governance."""

from django import forms

from governance.models import ControlState

WHY_AT_MOST = 2000


class ControlForm(forms.Form):
    """The control state that is wanted, and why."""

    state = forms.ChoiceField(choices=ControlState.Status.choices, widget=forms.HiddenInput)
    why = forms.CharField(
        label="Why",
        help_text="Everybody who opens this page reads it, and it stays in the audit trail.",
        max_length=WHY_AT_MOST,
        error_messages={"required": "Say why the control state changes."},
        widget=forms.Textarea(attrs={"rows": 2}),
    )
