"""Budgets, holding: an allowed question reserves what it would use in the transaction of its decision."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import F, Value

from governance.models import Budget, BudgetPeriod, Decision, Reservation
from governance.models.budgets import ExactField
from governance.operations.budgets.reading import budget_facts, periods_of, seen
from governance.rules import Ruling, Verdict
from governance.rules.budgeting import (
    BUILT_IN,
    NEAR,
    OVERSPENT,
    RULE,
    USED_UP,
    BudgetCheck,
    checks_in,
    is_approved,
    keep_within,
    level_of,
)
from observability import ledger

if TYPE_CHECKING:
    from governance.operations.facts import Asking

IN_A_STEP = timedelta(hours=24)
CONTENDED = "The budgets of this question changed while it was decided; nothing was allowed. Ask again."
TOLD = {NEAR: "budget.near_limit", USED_UP: "budget.used_up", OVERSPENT: "budget.overspent"}
Facts = dict[str, Any]


@dataclass(frozen=True)
class Hold:
    """What a question holds of one period of a budget."""

    row: int
    amount: Decimal


@dataclass(frozen=True)
class Held:
    """A question that was decided within its budgets: the facts that were read, the ruling, and what it holds."""

    facts: Facts
    ruling: Ruling
    holds: tuple[Hold, ...] = ()


def decide_within_budgets(asking: "Asking", facts: Facts, rule_on: Callable[[Facts], Ruling]) -> Held:
    """The ruling on these facts as the budgets leave it. What is allowed is reserved; when others were faster, it is
    decided once more, on what is left then, and nobody comes in between."""
    ruling = keep_within(facts, rule_on(facts))
    holds = _hold(asking, facts, ruling)
    if holds is None:
        facts = {**facts, "budget": budget_facts(asking, locked=True)}
        ruling = keep_within(facts, rule_on(facts))
        holds = _hold(asking, facts, ruling)
    if holds is None:
        ruling = replace(ruling, verdict=Verdict.DENY, rule=RULE, reason=CONTENDED, because=(BUILT_IN,), obligations=())
    return Held(facts, ruling, holds or ())


def _hold(asking: "Asking", facts: Facts, ruling: Ruling) -> tuple[Hold, ...] | None:
    # None when one budget does not have it any more; then nothing is held.
    if ruling.verdict is not Verdict.ALLOW:
        return ()
    holds: list[Hold] = []
    checks = checks_in(facts)
    if not checks:
        return ()
    rows = _rows_of(checks, asking)
    for check in sorted(checks, key=lambda check: rows[check.budget]):
        hold = Hold(rows[check.budget], check.asks or Decimal(0))
        if not _reserve(hold, check, may_pass_soft=is_approved(check, facts)):
            _give_back(holds)
            return None
        holds.append(hold)
    return tuple(holds)


def hold_in_order(askings: Sequence["Asking"]) -> None:
    """Lock what these questions will reserve from, in one order: the budgets that have no row yet, then the rows."""
    runs: dict[str, dict[int, Budget]] = {}
    for asking in askings:
        found = asking.known.budgets(asking.question.place)
        runs.setdefault(asking.question.place.run, {}).update({budget.pk: budget for budget in found})
    if not any(runs.values()):
        return
    at = askings[0].at
    rows = [row for run, found in runs.items() for row in seen(list(found.values()), run, at).values()]
    missing = {row.budget_id for row in rows if row.pk is None}
    if missing:
        unused = Budget.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=missing)
        list(unused.order_by("pk").values_list("pk"))
    kept = {row.pk for row in rows if row.pk is not None}
    if kept:
        locked = BudgetPeriod.objects.select_for_update(no_key=True).filter(pk__in=kept)
        list(locked.order_by("pk").values_list("pk"))


def _rows_of(checks: Iterable[BudgetCheck], asking: "Asking") -> dict[str, int]:
    # Reading makes no row; the first that reserves something in a period does.
    rows = {check.budget: check.row for check in checks}
    unused = [budget for budget, row in rows.items() if not row]
    if not unused:
        return rows
    budgets = list(Budget.objects.filter(uid__in=unused))
    made = periods_of(budgets, run=asking.question.place.run, at=asking.at)
    return rows | {str(budget.uid): made[budget.pk].pk for budget in budgets}


def _reserve(hold: Hold, check: BudgetCheck, *, may_pass_soft: bool) -> bool:
    used = F("spent") + F("reserved") + _exact(hold.amount)
    rows = BudgetPeriod.objects.filter(pk=hold.row, hard_limit__gte=used)
    if check.asks is None:
        rows = rows.filter(hard_limit__gt=used)
    if check.soft is not None and not may_pass_soft:
        rows = rows.alias(then=used).filter(then__lte=_exact(check.soft))
    return bool(rows.update(reserved=F("reserved") + _exact(hold.amount)))


def _give_back(holds: Iterable[Hold]) -> None:
    for hold in holds:
        BudgetPeriod.objects.filter(pk=hold.row).update(reserved=F("reserved") - _exact(hold.amount))


def let_go(held: Held, ruling: Ruling) -> Held:
    """The same question denied after all, holding nothing."""
    _give_back(held.holds)
    return Held(held.facts, ruling)


def _exact(amount: Decimal) -> Value:
    return Value(amount, output_field=ExactField())


def lasts(decision: Decision) -> timedelta:
    """For how long an allowed decision holds what it reserved, when nobody tells what became of it."""
    return IN_A_STEP if decision.step else timedelta(minutes=settings.RESERVATION_MINUTES)


def keep(held: Held, decision: Decision, *, at: datetime) -> None:
    """Write down what the allowed decision holds, and tell when a budget comes near its end. A step that asks the same
    again holds it once."""
    if not held.holds:
        return
    ends = at + lasts(decision)
    what = f"{decision.action} {decision.resource_id}"
    Reservation.objects.bulk_create(
        Reservation(
            period_id=hold.row, decision=decision, agent=decision.agent, what=what, run=decision.run,
            step=decision.step, amount=hold.amount, created_at=at, expires_at=ends,
        )
        for hold in held.holds
    )  # fmt: skip
    if decision.step:
        _take_over(decision, at)
    tell(BudgetPeriod.objects.filter(pk__in=[hold.row for hold in held.holds]).select_related("budget"), at=at)


def _take_over(decision: Decision, at: datetime) -> None:
    earlier = Reservation.objects.held().filter(step=decision.step, decision__request_sha256=decision.request_sha256)
    for reservation in earlier.exclude(decision=decision).with_names():
        end(reservation, Reservation.Status.RELEASED, None, at=at, why="The step asked the same again.")


def end(
    reservation: Reservation, to: str, settled: Decimal | None, *, at: datetime, why: str = "",
    by: ledger.Acts = ledger.SYSTEM,
) -> None:  # fmt: skip
    """Settle, release or expire a reservation: what was used is spent, even above the limit, and the rest is free."""
    # The period first, as everywhere: then nobody else ends the same one meanwhile.
    BudgetPeriod.objects.select_for_update(no_key=True).get(pk=reservation.period_id)
    reservation.refresh_from_db(fields=["status"])
    held = reservation.amount if reservation.status == Reservation.Status.HELD else Decimal(0)
    data = {} if settled is None else {"amount": str(settled)}
    ledger.move(
        reservation, to, by=by, verb=f"reservation.{to}", at=at, why=why, data=data, settled_amount=settled, ended_at=at
    )
    count(reservation.period, spent=settled or Decimal(0), reserved=-held, at=at)


def count(row: BudgetPeriod, *, spent: Decimal, reserved: Decimal, at: datetime) -> None:
    """Add to what is spent and reserved of a period; what happened is counted above the limit too, and told."""
    used = F("spent") + F("reserved") + _exact(spent + reserved)
    changes = {"spent": F("spent") + _exact(spent), "reserved": F("reserved") + _exact(reserved)}
    rows = BudgetPeriod.objects.filter(pk=row.pk)
    if not rows.filter(hard_limit__gte=used).update(**changes):
        rows.update(**changes, overspent=True)
    if spent > 0:
        tell(rows.select_related("budget"), at=at)


def tell(rows: Iterable[BudgetPeriod], *, at: datetime) -> None:
    """Record once in each period that a budget comes near its limit, is used up, and is overspent."""
    for row in rows:
        level = level_of(row.used, row.hard_limit)
        if level > row.told_percent:
            BudgetPeriod.objects.filter(pk=row.pk).update(told_percent=level)
            told = {"used": row.budget.say(row.used), "limit": row.budget.say(row.hard_limit), "period": row.key}
            ledger.record(TOLD[level], row.budget, by=ledger.SYSTEM, at=at, data=told)
