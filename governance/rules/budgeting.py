"""Rules of governance, budgeting: what the budgets of a question say to a ruling, and how long one will last."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from governance.language import Field, Kind, find
from governance.rules.shapes import EscalationTerms, Ruling, Verdict

BUILT_IN = "built-in#budget"
RULE = "budget"
PERIODS = {"day": "today", "month": "this month", "total": "in total", "run": "in this run", "case": "in this case"}
COUNTED = ("tokens", "calls", "seconds", "runs")
UNREADABLE = "The budgets of this question cannot be read; nothing is allowed."
NEAR, USED_UP, OVERSPENT = 80, 100, 101
LONGEST_DAYS = 3660

FIELDS: tuple[Field, ...] = (
    Field("context.tokens", Kind.INT, "Tokens it expects to use"),
    Field("context.calls", Kind.INT, "Calls it expects to make"),
    Field("context.seconds", Kind.DECIMAL, "Seconds it expects to take"),
    Field("budget.checks", Kind.LIST, "Budgets that were looked at", source="fact", item=Kind.STRING),
    *(
        Field(f"budget.{period}.{name}", Kind.DECIMAL, f"{label} {words}", source="fact")
        for period, words in PERIODS.items()
        for name, label in (("left", "Budget left"), ("spent", "Budget spent"), ("limit", "Budget"))
    ),
    *(
        Field(f"budget.{period}.{metric}_left", Kind.DECIMAL, f"Budget of {metric} left {words}", source="fact")
        for period, words in PERIODS.items()
        for metric in COUNTED
    ),
)
"""What rules may read about budgets, and what agents may say that they expect to use."""


@dataclass(frozen=True, slots=True)
class BudgetCheck:
    """One budget beside one question. `asks` is what the question would use, None when nobody knows; `unclear` says why
    it cannot be counted; `until` is when the budget renews, in words. `row` is where it is counted, 0 before the
    first use."""

    budget: str
    row: int
    name: str
    metric: str
    currency: str
    period: str
    limit: Decimal
    soft: Decimal | None
    spent: Decimal
    reserved: Decimal
    asks: Decimal | None
    unclear: str = ""
    until: str = ""
    ends_at: str = ""
    path: str = ""

    @property
    def ref(self) -> str:
        """How a ruling names it."""
        return f"{BUILT_IN}:{self.budget}"

    @property
    def left(self) -> Decimal:
        """What is neither spent nor reserved."""
        return self.limit - self.spent - self.reserved

    @property
    def is_over(self) -> bool:
        """Whether the question would pass the hard limit; what nobody knows passes it once nothing is left."""
        return self.left <= 0 if self.asks is None else self.asks > self.left

    @property
    def asks_a_person(self) -> bool:
        """Whether the question would pass the soft limit, or cannot be counted."""
        if self.unclear:
            return True
        return self.soft is not None and self.spent + self.reserved + (self.asks or 0) > self.soft

    def as_text(self) -> str:
        """The check as a fact: JSON with exact numbers as text."""
        return json.dumps(asdict(self), default=str, sort_keys=True, separators=(",", ":"))


def check_from(text: str) -> BudgetCheck:
    """The check that was written like this. Raises ValueError, TypeError, KeyError or InvalidOperation."""
    given = json.loads(text)
    for name in ("limit", "spent", "reserved"):
        given[name] = Decimal(given[name])
    for name in ("soft", "asks"):
        given[name] = None if given[name] is None else Decimal(given[name])
    return BudgetCheck(**given)


def checks_in(facts: Any) -> tuple[BudgetCheck, ...]:
    """The budgets that a question was held against, the tightest first."""
    found = find(facts, "budget.checks")
    if found is None:
        return ()
    if not isinstance(found, list | tuple):
        raise TypeError("budget.checks is no list")
    return tuple(sorted((check_from(text) for text in found), key=lambda check: (check.left, check.budget)))


def keep_within(facts: Any, ruling: Ruling) -> Ruling:
    """The ruling as the budgets leave it: above a hard limit it denies, above a soft one a person is asked who has not
    approved it yet. What cannot be read denies."""
    if ruling.verdict is Verdict.DENY:
        return ruling
    try:
        checks = checks_in(facts)
    except (ValueError, TypeError, KeyError, InvalidOperation):
        return replace(_denied((), ruling, UNREADABLE), because=(BUILT_IN,))
    over = tuple(check for check in checks if check.is_over)
    if over:
        return _denied(over, ruling, _over_words(over[0]))
    if ruling.verdict is Verdict.ESCALATE:
        return ruling
    return _asked(tuple(check for check in checks if check.asks_a_person and not is_approved(check, facts)), ruling)


def is_approved(check: BudgetCheck, facts: Any) -> bool:
    """Whether a person approved that this question passes the soft limit."""
    rules = find(facts, "approval.rules")
    return isinstance(rules, list | tuple) and check.ref in rules


def _asked(asking: tuple[BudgetCheck, ...], ruling: Ruling) -> Ruling:
    if not asking:
        return ruling
    nobody = next((check for check in asking if not check.path), None)
    if nobody is not None:
        reason = f"{nobody.unclear} The budget “{nobody.name}” names nobody who could be asked."
        return _denied((nobody,), ruling, reason)
    first = asking[0]
    together = tuple(check.ref for check in asking if check.path == first.path)
    return Ruling(
        Verdict.ESCALATE, RULE, None, None, first.unclear or _soft_words(first), because=together,
        matched=(*together, *ruling.matched), missing=ruling.missing,
        escalation=EscalationTerms(path=first.path, sla_seconds=0),
    )  # fmt: skip


def _denied(over: tuple[BudgetCheck, ...], ruling: Ruling, reason: str) -> Ruling:
    refs = tuple(check.ref for check in over)
    return Ruling(
        Verdict.DENY, RULE, None, None, reason, because=refs, matched=(*refs, *ruling.matched), missing=ruling.missing
    )


def _over_words(check: BudgetCheck) -> str:
    left = said(max(check.left, Decimal(0)), check)
    asked = "" if check.asks is None else f", and this would use {said(check.asks, check)}"
    renews = f"It renews on {check.until}." if check.until else "It does not renew by itself."
    return f"Budget “{check.name}”: {left} of {said(check.limit, check)} are left{asked}. {renews}"


def _soft_words(check: BudgetCheck) -> str:
    used = said(check.spent + check.reserved + (check.asks or 0), check)
    soft = said(check.soft or Decimal(0), check)
    return f"Budget “{check.name}”: with this {used} are used; above {soft} a person decides."


def said(amount: Decimal, check: Any) -> str:
    """An amount in the unit of a budget, as people read it."""
    if check.metric == "money":
        return f"{check.currency} {amount:,.2f}"
    figure = f"{amount:,f}"
    return f"{figure.rstrip('0').rstrip('.') if '.' in figure else figure} {check.metric}"


def conditions_of(facts: Any, because: tuple[str, ...]) -> list[dict[str, str]]:
    """What the person who is asked reads: each budget of the ruling with its figures, as conditions of a rule."""
    return [
        {
            "text": f"budget {check.name}", "label": f"Budget “{check.name}” with this", "outcome": "true",
            "actual": said(check.spent + check.reserved + (check.asks or 0), check),
            "wanted": "cannot be counted" if check.unclear else f"more than {said(check.soft or check.limit, check)}",
        }
        for check in checks_in(facts)
        if check.ref in because
    ]  # fmt: skip


# --- facts ----------------------------------------------------------------------------------------------------
def group_of(checks: tuple[BudgetCheck, ...], *, currency: str) -> dict[str, Any]:
    """The facts under `budget`: for each period the tightest budget of money in this currency and of everything that
    is counted; `case` is another word for `run`. Nothing without a budget."""
    if not checks:
        return {}
    group: dict[str, Any] = {"checks": tuple(check.as_text() for check in checks)}
    for check in sorted(checks, key=lambda check: (check.left, check.budget)):
        place = group.setdefault(check.period, {})
        if check.metric != "money":
            place.setdefault(f"{check.metric}_left", check.left)
        elif check.currency == currency and "left" not in place:
            place |= {"left": check.left, "spent": check.spent + check.reserved, "limit": check.limit}
    if "run" in group:
        group["case"] = dict(group["run"])
    return group


# --- how long it lasts ----------------------------------------------------------------------------------------
def level_of(used: Decimal, limit: Decimal) -> int:
    """How far a budget is used, in the levels that are told once: 0, NEAR, USED_UP or OVERSPENT."""
    if used > limit:
        return OVERSPENT
    if used == limit:
        return USED_UP if used > 0 else 0
    return NEAR if used * 100 >= limit * NEAR else 0


def used_up_at(
    used: Decimal, limit: Decimal, *, since: datetime, at: datetime, until: datetime | None
) -> datetime | None:
    """When the limit is reached at the pace since then; None when the period ends before, or nobody lives to see it."""
    seconds = Decimal(str(max((at - since).total_seconds(), 1)))
    if used <= 0:
        return None
    if used >= limit:
        return at
    left = (limit - used) * seconds / used
    if left > LONGEST_DAYS * 86_400:
        return None
    ends = at + timedelta(seconds=float(left))
    return ends if until is None or ends < until else None
