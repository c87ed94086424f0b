"""Budgets, reading: those that bind an agent at a place, what is left of them, and what a question would use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from agents.models import Agent, Unit
from governance.models import Budget, BudgetPeriod, BudgetQuerySet
from governance.models.budgets import AT_MOST
from governance.rules.budgeting import BudgetCheck, group_of
from observability.kpis import midnight

if TYPE_CHECKING:
    from governance.operations.facts import Asking

DEFAULT_COST, DEFAULT_CURRENCY = "context.amount", "context.currency"
ASKED = (Budget.Metric.MONEY, Budget.Metric.TOKENS, Budget.Metric.CALLS, Budget.Metric.SECONDS)


@dataclass(frozen=True)
class Spender:
    """Who uses something, and where: an agent (None: a person), the unit it is done for, the workflow and the run."""

    agent: Agent | None
    unit: Unit
    workflow: str = ""
    run: str = ""


@dataclass(frozen=True)
class Span:
    """One period of a budget: its key, when it starts and when it ends; None for one that does not end."""

    key: str
    starts_at: datetime
    ends_at: datetime | None


def span_of(budget: Budget, *, run: str, at: datetime) -> Span:
    """The period of the budget that holds at that time, in the company's time zone."""
    if budget.scope == Budget.Scope.RUN:
        return Span(run, at, None)
    if budget.period == Budget.Period.TOTAL:
        return Span("total", budget.created_at, None)
    today = local(at).date()
    if budget.period == Budget.Period.DAY:
        return Span(f"{today:%Y-%m-%d}", midnight(today), midnight(today + timedelta(days=1)))
    first = today.replace(day=1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return Span(f"{first:%Y-%m}", midnight(first), midnight(following))


def units_above(unit: Unit) -> list[str]:
    """The paths of a unit and of all above it."""
    keys = unit.path.strip("/").split("/")
    return ["/".join(keys[: length + 1]) + "/" for length in range(len(keys))]


def binding(spender: Spender, metrics: Iterable[str]) -> list[Budget]:
    """The active budgets of these metrics that bind whoever uses something here, always in the same order."""
    units = units_above(spender.unit)
    found = Budget.objects.binding(spender.agent, units, workflow=spender.workflow, run=spender.run)
    return list(found.filter(metric__in=list(metrics)).select_related("path"))


def periods_of(budgets: list[Budget], *, run: str, at: datetime, locked: bool = False) -> dict[int, BudgetPeriod]:
    """The row of each budget's period, by the budget's key; made where this is the first use in it."""
    if not budgets:
        return {}
    spans = {budget.pk: span_of(budget, run=run, at=at) for budget in budgets}
    found = _rows(spans, locked=False)
    missing = [budget.pk for budget in budgets if budget.pk not in found]
    if missing:
        # Locked, so that a limit which changes meanwhile changes before or after, not in between; not its key, which
        # whoever has just made a row of it needs to commit.
        still = Budget.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=missing).order_by("pk")
        new = [_new(budget, spans[budget.pk]) for budget in still]
        BudgetPeriod.objects.bulk_create(new, ignore_conflicts=True)  # somebody else may make them as well
    return _rows(spans, locked) if missing or locked else found


def seen(budgets: list[Budget], run: str, at: datetime) -> dict[int, BudgetPeriod]:
    """The row of each budget's period, by the budget's key, to look at."""
    # Nothing is written: where nothing was used yet, the row is one that is not kept.
    spans = {budget.pk: span_of(budget, run=run, at=at) for budget in budgets}
    found = _rows(spans, locked=False)
    return {budget.pk: found.get(budget.pk) or _new(budget, spans[budget.pk]) for budget in budgets}


def _rows(spans: Mapping[int, Span], locked: bool) -> dict[int, BudgetPeriod]:
    rows = BudgetPeriod.objects.filter(budget__in=spans, key__in={span.key for span in spans.values()}).order_by("pk")
    rows = rows.select_for_update(no_key=True) if locked else rows
    return {row.budget_id: row for row in rows if row.key == spans[row.budget_id].key}


def _new(budget: Budget, span: Span) -> BudgetPeriod:
    return BudgetPeriod(
        budget=budget, key=span.key, starts_at=span.starts_at, ends_at=span.ends_at, hard_limit=budget.hard_limit
    )


def standing(budgets: Iterable[Budget], *, at: datetime) -> dict[int, BudgetPeriod]:
    """The row of the period that runs now, by the budget's key; none for a budget of each run, or before its first
    use."""
    spans = {each.pk: span_of(each, run="", at=at) for each in budgets if each.scope != Budget.Scope.RUN}
    return _rows(spans, locked=False) if spans else {}


def renews_at(budget: Budget, *, at: datetime) -> datetime | None:
    """When the period that runs now ends; None for one that does not."""
    return span_of(budget, run="", at=at).ends_at


def budgets_of(agent: Agent) -> BudgetQuerySet:
    """The active budgets that bind an agent wherever it works, and in each run."""
    units = units_above(agent.unit)
    in_runs = Q(scope=Budget.Scope.RUN, about="", unit__path__in=units)
    everywhere = Budget.objects.binding(agent, units, workflow="", run="").values("pk")
    found = Budget.objects.active().filter(Q(pk__in=everywhere.order_by()) | in_runs)
    return found.with_names()


# --- the facts of a question ----------------------------------------------------------------------------------
def budget_facts(asking: "Asking", *, locked: bool = False) -> dict[str, Any]:
    """What rules and the built-in rule read about budgets; nothing when none binds the question. With `locked` the
    figures stay as they are until the transaction ends."""
    question, agent = asking.question, asking.agent
    place = question.place
    spender = Spender(agent, agent.unit, place.workflow, place.run)
    # Somebody was faster: a limit may have changed as well, so the budgets are read anew.
    budgets = binding(spender, ASKED) if locked else asking.known.budgets(place)
    if not budgets:
        return {}
    use = _use_of(asking)
    rows = (
        seen(budgets, spender.run, asking.at)
        if not locked
        else periods_of(budgets, run=spender.run, at=asking.at, locked=True)
    )
    checks = tuple(_check(budget, rows[budget.pk], use) for budget in budgets)
    return group_of(checks, currency=use.currency)


@dataclass(frozen=True)
class _Use:
    """What a question would use: money in a currency, or why that is not known; and what the agent expects to count."""

    money: Decimal | None
    currency: str
    unclear: str
    counted: Mapping[str, Decimal | None]


def _use_of(asking: "Asking") -> _Use:
    given = {
        "context": asking.question.context,
        "resource": asking.question.resource.get("properties", {}),
    }
    system, action = asking.known.systems.get(asking.question.action, (None, {}))
    declared = {item["path"] for item in system.fields} if system else set()
    named = "currency" in action or DEFAULT_CURRENCY in declared
    currency = str(_given(given, action.get("currency") or DEFAULT_CURRENCY) or ("" if named else settings.CURRENCY))
    money, unclear = _money(given, action, declared)
    if money and not currency:
        unclear = "The cost has no currency."
    return _Use(
        money, currency or settings.CURRENCY, unclear,
        {
            Budget.Metric.TOKENS: _number(_given(given, "context.tokens")),
            Budget.Metric.SECONDS: _number(_given(given, "context.seconds")),
            Budget.Metric.CALLS: max(_number(_given(given, "context.calls")) or Decimal(1), Decimal(1)),
        },
    )  # fmt: skip


def _money(given: Any, action: Mapping[str, Any], declared: set[str]) -> tuple[Decimal | None, str]:
    # The action says which field is its cost, or with "" that it has none; where the system knows an amount, one that
    # is not given is not nothing.
    path = action.get("cost", DEFAULT_COST)
    if not path:
        return Decimal(0), ""
    amount = _number(_given(given, path))
    if amount is None:
        expected = "cost" in action or path in declared
        return (None, f"The cost is not known: {path} is not given.") if expected else (Decimal(0), "")
    return (None, f"The cost is not known: {path} is negative.") if amount < 0 else (amount, "")


def _given(given: Mapping[str, Mapping[str, Any]], path: str) -> Any:
    group, _, name = path.partition(".")
    return given.get(group, {}).get(name)


def _number(value: Any) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None


def _check(budget: Budget, row: BudgetPeriod, use: _Use) -> BudgetCheck:
    asks, unclear = _asks(budget, use)
    return BudgetCheck(
        budget=str(budget.uid), row=row.pk or 0, name=budget.name, metric=budget.metric, currency=budget.currency,
        period=budget.fact_period, limit=row.hard_limit, soft=budget.soft_limit, spent=Decimal(row.spent),
        reserved=Decimal(row.reserved), asks=asks, unclear=unclear, until=until_words(row.ends_at),
        ends_at=row.ends_at.isoformat() if row.ends_at else "",
        path=budget.path.key if budget.path else "",
    )  # fmt: skip


def _asks(budget: Budget, use: _Use) -> tuple[Decimal | None, str]:
    if budget.metric != Budget.Metric.MONEY:
        amount = use.counted[budget.metric]
        return (None if amount is None or amount <= 0 else min(amount, AT_MOST)), ""
    if use.unclear:
        return None, use.unclear
    if use.money and use.currency != budget.currency:
        return Decimal(0), f"The cost is in {use.currency}, and this budget counts {budget.currency}."
    return min(use.money or Decimal(0), AT_MOST), ""


def until_words(ends_at: datetime | None) -> str:
    """When a period ends, in the company's time zone."""
    return f"{local(ends_at):%Y-%m-%d %H:%M %Z}" if ends_at else ""


def local(at: datetime) -> datetime:
    """The moment in the company's time zone: programs are answered in UTC, and a day is the company's all the same."""
    return timezone.localtime(at, timezone.get_default_timezone())
