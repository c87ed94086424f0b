"""A saved view of the queue."""

from typing import Any

from django import forms

from agents.models import Unit
from workflows.forms.answers import REASON_AT_MOST

QUERY_AT_MOST = REASON_AT_MOST


class ViewForm(forms.Form):
    """The name of a view, and with whom it is shared."""

    name = forms.CharField(label="Name", max_length=80, help_text="As you will look for it.")
    unit = forms.TypedChoiceField(
        label="For whom", required=False, coerce=int, empty_value=None, help_text="People of the unit find it too."
    )
    is_team_default = forms.BooleanField(label="Their list begins with it", required=False)
    query = forms.CharField(required=False, max_length=QUERY_AT_MOST, widget=forms.HiddenInput)
    edition = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *given: Any, units: list[tuple[int, str]], **more: Any) -> None:
        super().__init__(*given, **more)
        self.fields["unit"].choices = [("", "For me alone"), *((pk, f"Shared with {name}") for pk, name in units)]  # type: ignore[attr-defined]

    def unit_chosen(self) -> Unit | None:
        """The unit that shares the view, None for a view of one's own."""
        chosen = self.cleaned_data["unit"]
        return Unit.objects.get(pk=chosen) if chosen is not None else None
