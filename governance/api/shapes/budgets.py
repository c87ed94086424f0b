"""Shapes of budgets and of what became of a decision."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from rest_framework import serializers

from governance.models import Budget, BudgetPeriod, Decision
from governance.models.budgets import AT_MOST
from observability.api.tags import etag
from observability.serializers import PageQuery, StrictSerializer, Text, Whole, YesNo

TOKENS_AT_MOST = 10**12


def _amount(**more: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=19, decimal_places=6, min_value=Decimal(0), max_value=AT_MOST, **more)


class BudgetsQuery(PageQuery):
    """Which budgets."""

    scope = serializers.ChoiceField(Budget.Scope.choices, default="", help_text="Only budgets of this scope.")
    status = serializers.ChoiceField(Budget.Status.choices, default="", help_text="Only budgets in this status.")


class BudgetInput(StrictSerializer):
    """A new budget. `about` is the code of the agent, role or workflow; `unit` is where it holds, and for an agent or a
    workflow theirs; `path` is asked above the soft limit."""

    example: ClassVar[dict[str, Any]] = {
        "name": "Payments of AP-04", "scope": "agent", "about": "AP-04", "metric": "money", "currency": "EUR",
        "period": "day", "hard_limit": "20000.00", "soft_limit": "15000.00", "path": "finance-approver",
        "why": "What a clerk pays in a day.",
    }  # fmt: skip

    name = Text(max_length=120)
    scope = serializers.ChoiceField(Budget.Scope.choices)
    about = Text(max_length=80, allow_blank=True, default="")
    unit = Text(max_length=60, allow_blank=True, default="")
    metric = serializers.ChoiceField(Budget.Metric.choices)
    currency = Text(max_length=3, allow_blank=True, default="")
    period = serializers.ChoiceField(Budget.Period.choices)
    hard_limit = _amount()
    soft_limit = _amount(allow_null=True, default=None)
    path = Text(max_length=60, allow_null=True, default=None)
    why = Text(max_length=2000)


class BudgetChangeInput(StrictSerializer):
    """Other limits, and why; what is left out stays."""

    example: ClassVar[dict[str, Any]] = {"hard_limit": "25000.00", "why": "The year ends."}

    name = Text(max_length=120, required=False)
    hard_limit = _amount(required=False)
    soft_limit = _amount(required=False, allow_null=True)
    path = Text(max_length=60, required=False, allow_null=True)
    why = Text(max_length=2000)


class OutcomeInput(StrictSerializer):
    """What became of an allowed action: whether it was done, and what it used as far as that is known. `failed` when
    its system was asked and did not do it: enough of these and the system is left alone for a while."""

    example: ClassVar[dict[str, Any]] = {"done": True, "amount": "8999.10", "tokens": 1200}

    done = YesNo()
    failed = YesNo(default=False)
    amount = _amount(allow_null=True, default=None)
    tokens = Whole(min_value=0, max_value=TOKENS_AT_MOST, allow_null=True, default=None)
    seconds = _amount(allow_null=True, default=None)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Nothing is done and failed."""
        if given["done"] and given["failed"]:
            raise serializers.ValidationError({"failed": "What was done did not fail. Say one of both."})
        return given


class HeldOutput(serializers.Serializer[Any]):
    """What one budget has of a decision."""

    budget = serializers.UUIDField()
    status = serializers.CharField()
    reserved = serializers.CharField()
    spent = serializers.CharField(allow_null=True)


class OutcomeOutput(serializers.Serializer[Any]):
    """What was reported of a decision, and what became of what it held."""

    decision = serializers.UUIDField()
    done = serializers.BooleanField()
    reported_at = serializers.DateTimeField()
    budgets = HeldOutput(many=True)


class BudgetOutput(serializers.Serializer[Any]):
    """A budget and how far it is used in the period that runs now; null for one of each run. `etag` for If-Match."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    scope = serializers.ChoiceField(Budget.Scope.choices)
    about = serializers.CharField(allow_blank=True)
    unit = serializers.CharField()
    metric = serializers.ChoiceField(Budget.Metric.choices)
    currency = serializers.CharField(allow_blank=True)
    period = serializers.ChoiceField(Budget.Period.choices)
    hard_limit = serializers.CharField()
    soft_limit = serializers.CharField(allow_null=True)
    path = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(Budget.Status.choices)
    spent = serializers.CharField(allow_null=True)
    reserved = serializers.CharField(allow_null=True)
    left = serializers.CharField(allow_null=True)
    renews_at = serializers.DateTimeField(allow_null=True)
    why = serializers.CharField(allow_blank=True)
    etag = serializers.CharField()


def budget_of(budget: Budget, row: BudgetPeriod | None, renews_at: datetime | None) -> dict[str, Any]:
    """A budget as the API shows it, with the row of the period that runs now, if there is one yet."""
    is_each_run = budget.scope == Budget.Scope.RUN
    spent, reserved = (row.spent, row.reserved) if row else (Decimal(0), Decimal(0))
    return {
        "id": budget.uid, "name": budget.name, "scope": budget.scope, "about": budget.about, "unit": budget.unit.code,
        "metric": budget.metric, "currency": budget.currency, "period": budget.period,
        "hard_limit": _text(budget.hard_limit), "soft_limit": _text(budget.soft_limit),
        "path": budget.path.key if budget.path else None, "status": budget.status,
        "spent": None if is_each_run else _text(spent), "reserved": None if is_each_run else _text(reserved),
        "left": None if is_each_run else _text(budget.hard_limit - spent - reserved), "renews_at": renews_at,
        "why": budget.why, "etag": budget_tag(budget),
    }  # fmt: skip


def budget_tag(budget: Budget) -> str:
    """The entity tag of what people set of a budget; what is used of it changes none."""
    return etag(budget.uid, budget.edition, budget.status)


def outcome_of(decision: Decision) -> dict[str, Any]:
    """What was reported of a decision, as the API shows it."""
    held = decision.reservations.select_related("period__budget").order_by("pk")
    return {
        "decision": decision.uid, "done": decision.report["done"], "reported_at": decision.reported_at,
        "budgets": [
            {
                "budget": row.period.budget.uid, "status": row.status, "reserved": _text(row.amount),
                "spent": _text(row.settled_amount),
            }
            for row in held
        ],
    }  # fmt: skip


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.6f}"
