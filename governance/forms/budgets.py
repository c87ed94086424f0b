"""Budgets as their pages show and ask them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings

from governance.models import Budget, BudgetPeriod
from governance.models.budgets import AT_MOST
from governance.operations import renews_at
from governance.rules.budgeting import NEAR, used_up_at

WHY_AT_MOST = 2000


@dataclass(frozen=True)
class BudgetLine:
    """One budget with what is used of it in the period that runs now; a budget of each run has none."""

    budget: Budget
    row: BudgetPeriod | None
    at: datetime

    @property
    def is_each_run(self) -> bool:
        """Whether every run has a period of its own."""
        return self.budget.scope == Budget.Scope.RUN

    @property
    def used(self) -> Decimal:
        """Spent and reserved together."""
        return self.row.used if self.row else Decimal(0)

    @property
    def spent(self) -> str:
        """What is spent, in words."""
        return self.budget.say(self.row.spent if self.row else Decimal(0))

    @property
    def reserved(self) -> str:
        """What is reserved, in words."""
        return self.budget.say(self.row.reserved if self.row else Decimal(0))

    @property
    def used_words(self) -> str:
        """What is spent or reserved, in words."""
        return self.budget.say(self.used)

    @property
    def limit(self) -> str:
        """The hard limit, in words."""
        return self.budget.say(self.budget.hard_limit)

    @property
    def soft(self) -> str:
        """The soft limit, in words; empty without one."""
        return self.budget.say(self.budget.soft_limit)

    @property
    def left(self) -> str:
        """What may still be reserved, in words."""
        return self.budget.say(max(self.budget.hard_limit - self.used, Decimal(0)))

    @property
    def percent(self) -> int:
        """How much of the limit is used, at most 100."""
        limit = self.budget.hard_limit
        return min(int(self.used * 100 / limit), 100) if limit else 100

    @property
    def is_near(self) -> bool:
        """Whether it is nearly used up."""
        return self.percent >= NEAR

    @property
    def renews_at(self) -> datetime | None:
        """When the period that runs now ends."""
        return None if self.is_each_run else renews_at(self.budget, at=self.at)

    @property
    def used_up_at(self) -> datetime | None:
        """When it is used up at the pace of its period; None when it lasts."""
        if self.row is None or not self.budget.is_active:
            return None
        return used_up_at(
            self.used, self.budget.hard_limit, since=self.row.starts_at, at=self.at, until=self.row.ends_at
        )


def _amount(label: str, hint: str, *, required: bool) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, help_text=hint, required=required, min_value=0, max_value=AT_MOST, max_digits=19, decimal_places=6,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={"invalid": "Write a number, as in 20000.00.", "required": "Give a limit."},
    )  # fmt: skip


class LimitsForm(forms.Form):
    """What may be changed of a budget, and why."""

    name = forms.CharField(label="Name", max_length=120, error_messages={"required": "Give it a name."})
    hard_limit = _amount("Hard limit", "Above it nothing is allowed.", required=True)
    soft_limit = _amount("Soft limit", "Above it a person decides. Empty: nobody is asked.", required=False)
    path = forms.ChoiceField(label="Who is asked above the soft limit", required=False)
    edition = forms.IntegerField(required=False, widget=forms.HiddenInput)
    why = forms.CharField(
        label="Why", help_text="It stays in the audit trail.", max_length=WHY_AT_MOST,
        error_messages={"required": "Say why."}, widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def __init__(self, *given: Any, paths: list[tuple[str, str]], **named: Any) -> None:
        super().__init__(*given, **named)
        self.fields["path"].choices = [("", "nobody"), *paths]  # type: ignore[attr-defined]


class BudgetForm(LimitsForm):
    """A new budget."""

    scope = forms.ChoiceField(label="Binds", choices=Budget.Scope.choices)
    about = forms.CharField(
        label="Which one", help_text="The code of the agent, role or workflow. For each run: a workflow, or nothing.",
        max_length=80, required=False,
    )  # fmt: skip
    unit = forms.ChoiceField(
        label="Unit", help_text="Where it holds, for a unit, a role or each run.", required=False
    )  # fmt: skip
    metric = forms.ChoiceField(label="Counts", choices=Budget.Metric.choices)
    currency = forms.CharField(
        label="Currency", help_text="Only for money, three capital letters.", max_length=3, required=False
    )
    period = forms.ChoiceField(label="Period", help_text="For each run: in total.", choices=Budget.Period.choices)

    def __init__(self, *given: Any, units: list[tuple[str, str]], **named: Any) -> None:
        super().__init__(*given, **named)
        self.fields["unit"].choices = [("", "none"), *units]  # type: ignore[attr-defined]

    def clean_currency(self) -> str:
        """The currency; that of the company for money without one."""
        given = str(self.cleaned_data["currency"])
        return given or (settings.CURRENCY if self.cleaned_data.get("metric") == Budget.Metric.MONEY else "")
