"""Rules of governance, recounting: what budgets would have left if other rules had answered the questions before."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from governance.language import find
from governance.rules.budgeting import BudgetCheck, checks_in, group_of

CURRENCY = "context.currency"
OF_RUNS = ("run", "case")


class Past(NamedTuple):
    """What really became of a question: in which run it was asked, and what of each budget (by its uid) was used or is
    still held for it. `used` is None for a question that was not allowed."""

    run: str
    used: Mapping[str, Decimal] | None


class Recount:
    """The budgets under one set of rules, question by question in the order of the past. What was allowed and would not
    have been gives back what it used; what would have been allowed uses what it asked for."""

    def __init__(self) -> None:
        self._more: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)

    def restated(self, facts: dict[str, Any], past: Past) -> dict[str, Any]:
        """Give the facts with the budgets as these rules would have left them until then. Facts without budgets, and
        those that cannot be read, are given as they are."""
        checks = _checks(facts)
        moved = tuple(replace(each, spent=each.spent + self._more.get(_place(each, past), 0)) for each in checks)
        if moved == checks:
            return facts
        group = group_of(moved, currency=_currency(facts, moved))
        return {**facts, "budget": {**facts["budget"], **group}}

    def count(self, facts: Mapping[str, Any], past: Past, *, allowed: bool) -> None:
        """Note the answer of these rules to a question with these recorded facts."""
        if allowed == (past.used is not None):
            return
        for check in _checks(facts):
            used = (check.asks or Decimal(0)) if past.used is None else -past.used.get(check.budget, Decimal(0))
            if used:
                self._more[_place(check, past)] += used


def _checks(facts: Mapping[str, Any]) -> tuple[BudgetCheck, ...]:
    try:
        return checks_in(facts)
    except (ValueError, TypeError, KeyError, InvalidOperation):
        return ()  # the rules deny what they cannot read


def _place(check: BudgetCheck, past: Past) -> tuple[str, str, str]:
    return check.budget, check.ends_at, past.run if check.period in OF_RUNS else ""


def _currency(facts: Mapping[str, Any], checks: tuple[BudgetCheck, ...]) -> str:
    # The budgets of a question that are counted in money are in its currency; the question itself may not say it.
    given = find(facts, CURRENCY)
    counted = (each.currency for each in checks if each.metric == "money" and not each.unclear)
    return given if isinstance(given, str) else next(counted, "")
