"""What is asked when an event log becomes a manual baseline or a first drawing."""

from decimal import Decimal
from typing import Any

from django import forms

from agents.forms import WrittenForm
from agents.forms.written import reason
from agents.models import Principal
from workflows.forms.beginning import NewWorkflowForm
from workflows.models import Workflow
from workflows.operations.from_logs import ByHand, may_keep


class BaselineForm(WrittenForm):
    """The workflow that is held against the log, and what the log does not tell."""

    workflow = forms.ModelChoiceField(
        Workflow.objects.none(), empty_label="choose", label="Workflow",
        error_messages={"required": "Say which workflow did this work by hand before."},
    )  # fmt: skip
    cost_per_hour = forms.DecimalField(
        label="Cost of an hour of work", min_value=Decimal(0), max_value=Decimal(100_000), decimal_places=2,
        help_text="With everything that an hour costs the company, in its currency.",
    )  # fmt: skip
    minutes_per_case = forms.DecimalField(
        label="Minutes of work on a case", min_value=Decimal(0), max_value=Decimal(10_000), decimal_places=2,
    )  # fmt: skip
    error_percent = forms.DecimalField(
        label="Cases that went wrong, %", min_value=Decimal(0), max_value=Decimal(100), decimal_places=2,
        help_text="Filled in: the cases in which something was done again. Write a better figure if you have one.",
    )  # fmt: skip
    source = forms.CharField(label="Source", max_length=300, help_text="The performance page names it.")
    why = reason()

    def __init__(self, *given: Any, user: Principal, **named: Any) -> None:
        super().__init__(*given, **named)
        seen = Workflow.objects.visible_to(user)
        mine = [row.pk for row in seen if may_keep(user, row)]
        self.fields["workflow"].queryset = seen.filter(pk__in=mine)  # type: ignore[attr-defined]

    @property
    def by_hand(self) -> ByHand:
        """What was filled in."""
        said = self.cleaned_data
        return ByHand(
            said["cost_per_hour"], said["minutes_per_case"], said["error_percent"] / 100, said["source"], said["why"]
        )


class DraftFromLogForm(NewWorkflowForm):
    """A new workflow that begins with the ways of a log."""

    file = None  # type: ignore[assignment]
    share = forms.TypedChoiceField(
        label="Ways that are drawn", coerce=int, initial=80,
        help_text="The rarer the ways, the more the drawing branches.",
        choices=[(percent, f"the most frequent, {percent} % of the cases") for percent in (50, 80, 90, 95)],
    )  # fmt: skip
