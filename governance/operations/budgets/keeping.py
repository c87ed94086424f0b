"""Budgets, keeping: who may set limits, and how a budget is opened, changed and closed."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, Value, When

from agents.models import Agent, Principal, Role, Unit
from agents.operations.reasons import check_length
from agents.rights import units_below
from governance.models import Budget, EscalationPath
from governance.models.budgets import AT_MOST, ExactField
from observability import ledger
from observability.models import Event

RIGHT = "governance.change_budget"
SAID = {"hard_limit": "limit", "soft_limit": "soft limit", "path": "asks", "name": "name"}


@dataclass(frozen=True)
class BudgetTerms:
    """What a new budget shall say. `about` is the code of the agent, role or workflow; `unit` is where it holds, and
    for an agent or a workflow it is theirs."""

    name: str
    scope: str
    metric: str
    period: str
    hard_limit: Decimal
    about: str = ""
    unit: Unit | None = None
    currency: str = ""
    soft_limit: Decimal | None = None
    path: EscalationPath | None = None
    why: str = ""


@dataclass(frozen=True)
class Limits:
    """What may be changed of a budget."""

    name: str
    hard_limit: Decimal
    soft_limit: Decimal | None
    path: EscalationPath | None


def may_change(by: ledger.Acts, unit: Unit | None = None) -> bool:
    """Whether `by` may set budgets in this unit (None: in any): the council everywhere, others where they manage."""
    if by is ledger.SYSTEM:
        return True
    if not (isinstance(by, Principal) and by.is_active and by.is_person and by.may(RIGHT)):
        return False
    if by.sees_all_units:
        return True
    managed = units_below(by.granted("agents.manage_unit", Unit))
    return bool(managed) if unit is None else unit.pk in managed


def raises(budget: Budget, limits: Limits) -> bool:
    """Whether the change lets more pass than the budget does now, or puts it to other people."""
    if limits.hard_limit > budget.hard_limit:
        return True
    before, after = budget.soft_limit, limits.soft_limit
    return before is not None and (after is None or after > before or limits.path != budget.path)


@transaction.atomic
def open_budget(terms: BudgetTerms, *, by: ledger.Acts, at: datetime) -> Budget:
    """A new budget that binds from the next question on. Raises Invalid that names each wrong field."""
    _require_words(terms)
    unit, about = _place(terms, by)
    _require(by, unit)
    _require_limits(terms.hard_limit, terms.soft_limit, terms.path)
    budget = Budget.objects.create(
        name=terms.name.strip(), unit=unit, scope=terms.scope, about=about, metric=terms.metric, period=terms.period,
        currency=_currency(terms), hard_limit=terms.hard_limit, soft_limit=terms.soft_limit, path=terms.path,
        why=terms.why, created_at=at, created_by=by if isinstance(by, Principal) else None,
    )  # fmt: skip
    told = {"limit": budget.say(budget.hard_limit), "soft limit": budget.say(budget.soft_limit)}
    ledger.record("budget.opened", budget, by=by, at=at, why=terms.why, after=budget.status, data=told)
    return budget


def _require(by: ledger.Acts, unit: Unit) -> None:
    if not may_change(by, unit):
        raise ledger.NotAllowed(f"{by.as_actor().name} may not do this ({RIGHT}) in {unit}.")


def _require_words(terms: BudgetTerms) -> None:
    wrong = {}
    for name, known in (("scope", Budget.Scope), ("metric", Budget.Metric), ("period", Budget.Period)):
        if getattr(terms, name) not in known.values:
            wrong[name] = f"Choose one of {', '.join(known.values)}."
    if not terms.name.strip() or len(terms.name) > 120:
        wrong["name"] = "Give it a name of at most 120 characters."
    if terms.scope == Budget.Scope.RUN and terms.period != Budget.Period.TOTAL:
        wrong["period"] = "A budget of each run is one in total: a run is its period."
    if terms.scope == Budget.Scope.RUN and terms.metric == Budget.Metric.RUNS:
        wrong["metric"] = "Each run is one run; choose another measure."
    if terms.metric == Budget.Metric.RUNS and terms.soft_limit is not None:
        wrong["soft_limit"] = "Nobody is asked before a run starts; runs have a hard limit only."
    if terms.metric != Budget.Metric.MONEY and terms.currency:
        wrong["currency"] = "Only money has a currency."
    if wrong:
        raise ledger.Invalid("The budget has errors; nothing was saved.", fields=wrong)
    _require_reason(terms.why)


def _require_reason(why: str) -> None:
    check_length(why)
    if not why.strip():
        raise ledger.Invalid("Say why.", fields={"why": "A reason is needed."})


def _require_limits(hard: Decimal, soft: Decimal | None, path: EscalationPath | None) -> None:
    wrong = {}
    if not 0 <= hard <= AT_MOST:
        wrong["hard_limit"] = f"Give a limit from 0 to {AT_MOST:,f}."
    if soft is not None and not 0 <= soft <= hard:
        wrong["soft_limit"] = "The soft limit is not above the hard one, and not negative."
    if soft is not None and path is None:
        wrong["path"] = "Say who is asked above the soft limit."
    if wrong:
        raise ledger.Invalid("The limits have errors; nothing was saved.", fields=wrong)


def _currency(terms: BudgetTerms) -> str:
    if terms.metric != Budget.Metric.MONEY:
        return ""
    currency = terms.currency or settings.CURRENCY
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise ledger.Invalid(fields={"currency": "Give three capital letters, as in EUR."})
    return currency


# --- what it is about -----------------------------------------------------------------------------------------
def _place(terms: BudgetTerms, by: ledger.Acts) -> tuple[Unit, str]:
    scope, about = terms.scope, terms.about.strip()
    if scope == Budget.Scope.EVERYTHING:
        return _top(), ""
    if scope == Budget.Scope.AGENT:
        return _agent(about, by).unit, about
    if scope == Budget.Scope.WORKFLOW or (scope == Budget.Scope.RUN and about):
        return _unit_of_workflow(about, by), about
    if scope == Budget.Scope.ROLE and not Role.objects.filter(code=about).exists():
        raise ledger.Invalid(fields={"about": f"There is no role {about}."})
    if terms.unit is None:
        raise ledger.Invalid(fields={"unit": "Name a unit that you may see."})
    return terms.unit, about if scope == Budget.Scope.ROLE else ""


def _top() -> Unit:
    top = Unit.objects.filter(parent=None).order_by("pk").first()
    if top is None:
        raise ledger.Invalid(fields={"scope": "There is no company yet."})
    return top


def _agent(code: str, by: ledger.Acts) -> Agent:
    seen = Agent.objects.visible_to(by) if isinstance(by, Principal) else Agent.objects.all()
    agent: Agent | None = seen.select_related("unit").filter(code=code).first()
    if agent is None:
        raise ledger.Invalid(fields={"about": f"There is no agent {code}, or you may not see it."})
    return agent


def _unit_of_workflow(code: str, by: ledger.Acts) -> Unit:
    published = known_workflows(by).filter(subject_id=code).order_by("-id").first()
    if published is None or not published.unit:
        raise ledger.Invalid(fields={"about": f"There is no workflow {code}, or you may not see it."})
    return Unit.objects.get(pk=published.unit)


def known_workflows(by: ledger.Acts) -> Any:
    """What the ledger says of the workflows that were published, as far as `by` may read it."""
    published = Event.objects.filter(verb="workflow.published")
    return published.visible_to(by) if isinstance(by, Principal) else published


# --- afterwards -----------------------------------------------------------------------------------------------
@transaction.atomic
def change_budget(budget: Budget, limits: Limits, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Other limits from the next question on, in the periods that run now as well. Raises WrongStatus, Invalid."""
    _require(by, budget.unit)
    _require_reason(why)
    _require_limits(limits.hard_limit, limits.soft_limit, limits.path)
    lock_budget(budget)
    if not budget.is_active:
        raise ledger.WrongStatus(f"{budget} is closed and does not change any more.")
    if budget.metric == Budget.Metric.RUNS and limits.soft_limit is not None:
        raise ledger.Invalid(fields={"soft_limit": "Nobody is asked before a run starts."})
    changed = _changes(budget, limits)
    if not changed:
        raise ledger.Invalid("Nothing is different; nothing was saved.")
    for name in SAID:
        setattr(budget, name, getattr(limits, name))
    budget.edition, budget.changed_at = budget.edition + 1, at
    budget.changed_by = by if isinstance(by, Principal) else None
    budget.save(update_fields=[*SAID, "edition", "changed_at", "changed_by"])
    _follow(budget, at)
    ledger.record("budget.changed", budget, by=by, at=at, why=why, data=changed)


def lock_budget(budget: Budget) -> None:
    """Lock the budget until the transaction ends, and read what may have changed meanwhile."""
    Budget.objects.select_for_update(of=("self",), no_key=True).get(pk=budget.pk)
    budget.refresh_from_db(fields=["status", "edition", *SAID])


def _changes(budget: Budget, limits: Limits) -> dict[str, str]:
    return {
        word: f"{_told(budget, getattr(budget, name)) or '–'} → {_told(budget, getattr(limits, name)) or '–'}"
        for name, word in SAID.items()
        if getattr(budget, name) != getattr(limits, name)
    }


def _told(budget: Budget, value: object) -> str:
    return budget.say(value) if isinstance(value, Decimal) else str(value or "")


def _follow(budget: Budget, at: datetime) -> None:
    limit = Value(budget.hard_limit, output_field=ExactField())
    over = Case(When(spent__gt=limit - F("reserved"), then=True), default=False)
    open_ones = budget.periods.filter(Q(ends_at=None) | Q(ends_at__gt=at))
    for pk in list(open_ones.order_by("pk").values_list("pk", flat=True)):
        budget.periods.filter(pk=pk).update(hard_limit=budget.hard_limit, overspent=over, told_percent=0)


@transaction.atomic
def close_budget(budget: Budget, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """The budget binds nothing from the next question on; what it holds is still settled."""
    _require(by, budget.unit)
    _require_reason(why)
    lock_budget(budget)
    ledger.move(budget, Budget.Status.CLOSED, by=by, verb="budget.closed", at=at, why=why, closed_at=at)
