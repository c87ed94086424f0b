"""Budgets, outcomes: what became of an allowed action settles what it holds, and what was used is spent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import F, Value

from agents.models import Agent
from governance.models import Budget, BudgetPeriod, Decision, Reservation
from governance.models.budgets import ExactField
from governance.operations import circuits
from governance.operations.budgets.holding import count, end, tell
from governance.operations.budgets.reading import Spender, binding, periods_of, until_words
from observability import ledger

Metric, Status = Budget.Metric, Reservation.Status
MEASURED = (Metric.TOKENS, Metric.SECONDS)


class BudgetUsedUp(ledger.Refused):
    """A budget does not allow this."""

    code = "budget_used_up"


class ReportedAlready(ledger.Refused):
    """Another outcome of this decision was reported already. Nothing was changed."""

    code = "reported_already"


@dataclass(frozen=True)
class Outcome:
    """What became of an allowed action: whether it was done, and what it used as far as that is known. `failed` says
    that its system was asked and did not do it."""

    done: bool
    failed: bool = False
    amount: Decimal | None = None
    tokens: int | None = None
    seconds: Decimal | None = None

    def used(self, metric: str) -> Decimal | None:
        """What it used of this, None when it was not said."""
        said = {Metric.MONEY: self.amount, Metric.TOKENS: self.tokens, Metric.SECONDS: self.seconds}.get(Metric(metric))
        return None if said is None else Decimal(said)

    def as_report(self) -> dict[str, object]:
        """What the decision keeps of it."""
        told = {"amount": self.amount, "tokens": self.tokens, "seconds": self.seconds}
        return {
            "done": self.done,
            "failed": self.failed,
            **{name: None if value is None else str(value) for name, value in told.items()},
        }


@transaction.atomic
def report_outcome(decision: Decision, outcome: Outcome, *, agent: Agent, at: datetime) -> Decision:
    """Settle what the agent's own decision holds, and count whether its system did what was asked; the same outcome
    again changes nothing. Raises WrongStatus for what was not allowed, and ReportedAlready for another outcome."""
    if decision.agent_id != agent.pk:
        raise ledger.NotFound
    if decision.effect != Decision.Effect.ALLOW:
        raise ledger.WrongStatus("Only what was allowed can be done; there is nothing to report.")
    report = outcome.as_report()
    first = Decision.objects.filter(pk=decision.pk, reported_at=None).update(reported_at=at, report=report)
    decision.refresh_from_db(fields=["reported_at", "report"])
    if not first:
        if decision.report != report:
            raise ReportedAlready
        return decision
    ledger.record("decision.reported", decision, by=agent, at=at, after="done" if outcome.done else "not done")
    for reservation in _of(decision):
        _settle(reservation, outcome, by=agent, at=at)
    was_tried = outcome.done or outcome.failed
    if was_tried and not Decision.objects.filter(pk=decision.pk).reported(failed=False).exists():  # not by its step
        circuits.report(decision, failed=outcome.failed, at=at)
    return decision


def used_of(decisions: Iterable[int]) -> dict[int, dict[str, Decimal]]:
    """What allowed decisions (by primary key) used or still hold of each budget (by uid)."""
    found: dict[int, dict[str, Decimal]] = {}
    rows = Reservation.objects.filter(decision__in=list(decisions), status__in=(Status.HELD, Status.SETTLED))
    for pk, budget, amount, used in rows.values_list("decision", "period__budget__uid", "amount", "settled_amount"):
        found.setdefault(pk, {})[str(budget)] = Decimal(amount if used is None else used)
    return found


def _of(decision: Decision) -> list[Reservation]:
    rows = Reservation.objects.filter(decision=decision).exclude(status=Status.SETTLED)
    return list(rows.with_names().order_by("period_id", "pk"))


def _settle(reservation: Reservation, outcome: Outcome, *, by: ledger.Acts, at: datetime) -> None:
    metric = reservation.period.budget.metric
    used = outcome.used(metric)
    if not outcome.done and (metric not in MEASURED or used is None):
        if reservation.status != Status.RELEASED:
            end(reservation, Status.RELEASED, None, by=by, at=at, why="It was not done.")
        return
    end(reservation, Status.SETTLED, reservation.amount if used is None else used, by=by, at=at)


# --- steps of work --------------------------------------------------------------------------------------------
def settle_held(step: str, used: Mapping[str, Decimal], *, at: datetime) -> None:
    """What the allowed actions of a step hold is spent; estimates of what is `used` give way to it."""
    for reservation in Reservation.objects.held().filter(step=step).with_names():
        metric = reservation.period.budget.metric
        known = metric in MEASURED and metric in used
        end(reservation, Status.SETTLED, Decimal(0) if known else reservation.amount, at=at)


def release_step(step: str, *, at: datetime, why: str) -> None:
    """A step was not done: nothing of what its allowed actions hold is spent."""
    for reservation in Reservation.objects.held().filter(step=step).with_names():
        end(reservation, Status.RELEASED, None, at=at, why=why)


def spend(used: Mapping[str, Decimal], *, spender: Spender, what: str, at: datetime, step: str = "") -> None:
    """Count what was used without a decision, by metric, against every budget that binds there; also above a limit."""
    used = {metric: amount for metric, amount in used.items() if amount > 0}
    spend_within(binding(spender, used) if used else [], used, spender=spender, what=what, step=step, at=at)


def spend_within(
    budgets: Iterable[Budget], used: Mapping[str, Decimal], *, spender: Spender, what: str, at: datetime, step: str = ""
) -> None:
    """The same against those of these budgets that count it."""
    used = {metric: amount for metric, amount in used.items() if amount > 0}
    budgets = [budget for budget in budgets if budget.metric in used]
    rows = periods_of(budgets, run=spender.run, at=at)
    for budget in sorted(budgets, key=lambda each: rows[each.pk].pk):
        amount = used[budget.metric]
        if budget.metric == Metric.MONEY and budget.currency != settings.CURRENCY:
            told = {"amount": f"{settings.CURRENCY} {amount}", "counts": budget.currency}
            ledger.record("budget.not_counted", budget, by=ledger.SYSTEM, at=at, why=what, data=told)
            continue
        _kept(rows[budget.pk], amount, spender, what, step, at)
        count(rows[budget.pk], spent=amount, reserved=Decimal(0), at=at)


def _kept(row: BudgetPeriod, amount: Decimal, spender: Spender, what: str, step: str, at: datetime) -> None:
    Reservation.objects.create(
        period=row, agent=spender.agent, what=what[:300], run=spender.run, step=step, amount=Decimal(0),
        settled_amount=amount, status=Status.SPENT, created_at=at, ended_at=at,
    )  # fmt: skip


def count_run(*, spender: Spender, what: str, at: datetime) -> None:
    """Count a run that starts against every budget of runs. Raises BudgetUsedUp when one has none left."""
    budgets = binding(spender, (Metric.RUNS,))
    rows = periods_of(budgets, run=spender.run, at=at)
    one = Value(Decimal(1), output_field=ExactField())
    for budget in sorted(budgets, key=lambda each: rows[each.pk].pk):
        row = rows[budget.pk]
        free = BudgetPeriod.objects.filter(pk=row.pk, hard_limit__gte=F("spent") + F("reserved") + one)
        if not free.update(spent=F("spent") + one):
            raise BudgetUsedUp(_no_runs(budget, row))
        _kept(row, Decimal(1), spender, what, "", at)
        tell(BudgetPeriod.objects.filter(pk=row.pk).select_related("budget"), at=at)


def _no_runs(budget: Budget, row: BudgetPeriod) -> str:
    until = until_words(row.ends_at)
    renews = f"It renews on {until}." if until else "It does not renew by itself."
    return f"Budget “{budget.name}”: no run is left of {budget.say(row.hard_limit)}. {renews}"


# --- time -----------------------------------------------------------------------------------------------------
@transaction.atomic
def expire_reservation(reservation: Reservation, *, at: datetime) -> None:
    """Nobody reported in time what became of it: what it holds is free again."""
    end(reservation, Status.EXPIRED, None, at=at, why="Nobody reported in time what became of it.")
