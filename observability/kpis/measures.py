"""What each figure is: its name, its formula in words, how it comes from what is counted, and which runs it opens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from django.conf import settings

from observability.kpis.figures import Sums
from observability.kpis.report import Report
from observability.models import Baseline
from observability.rules import Counts, quantiles

FEW = 30
HOUR_MS = 3_600_000
DONE = {"state": "done"}


class Kind(StrEnum):
    """In what a figure is measured."""

    LENGTH = "length"
    AMOUNT = "amount"
    SHARE = "share"
    NUMBER = "number"


@dataclass(frozen=True)
class Basis:
    """What a figure is made from: the runs of a period, and what the finished ones of them add up to."""

    sums: Sums
    work: Counts
    days: int


@dataclass(frozen=True)
class Measure:
    """One figure: `of` gives it, None where it is not known, and `over` says of how many things it is; `opens` are the
    fields of the list of runs that shows what it counts; `good` says whether more or less of it is better."""

    code: str
    name: str
    formula: str
    kind: Kind
    of: Callable[[Basis], Decimal | None]
    over: Callable[[Basis], int]
    noun: str
    opens: Mapping[str, str]
    good: str = "less"


def _share(part: int, whole: int) -> Decimal | None:
    return Decimal(part) / whole if whole else None


def _seconds(milliseconds: int, of: int) -> Decimal | None:
    return Decimal(milliseconds) / 1000 / of if of else None


def people_cost(work: Counts) -> Decimal | None:
    """What the time of people cost who took questions in hand; None without an hourly rate, or where not every answer
    tells how long it took."""
    rate = settings.PEOPLE_COST_PER_HOUR
    answers = work.approved + work.rejected
    if rate is None or work.handled < answers:
        return None
    return Decimal(work.handled_ms) / HOUR_MS * Decimal(rate)


def _cost_per_success(basis: Basis) -> Decimal | None:
    return (basis.sums.cost_total + basis.sums.cost_lost) / basis.sums.runs if basis.sums.runs else None


def _people_per_run(basis: Basis) -> Decimal | None:
    spent = people_cost(basis.work)
    return None if spent is None or not basis.work.known else spent / basis.work.known


def _decide(part: Fraction) -> Callable[[Basis], Decimal | None]:
    return lambda basis: quantiles(basis.work.answers, [part])[0]


def _runs(basis: Basis) -> int:
    return basis.sums.runs


def _known(basis: Basis) -> int:
    return basis.work.known


def _answers(basis: Basis) -> int:
    return basis.work.approved + basis.work.rejected


def _waiting(work: Counts) -> int:
    return work.queued_ms + work.asked_ms


MEASURES = (
    Measure("cycle_seconds", "Cycle time, median", "Half of the finished runs took at most this from start to end.",
            Kind.LENGTH, lambda b: b.sums.median_seconds, _runs, "run", DONE),
    Measure("cycle_p90", "Cycle time, 90th percentile", "Nine in ten of the finished runs took at most this.",
            Kind.LENGTH, lambda b: b.sums.p90_seconds, _runs, "run", DONE),
    Measure("waiting_seconds", "Waiting per run",
            "Time in which steps were ready or waited for a person, added up over the steps of finished runs ÷ runs.",
            Kind.LENGTH, lambda b: _seconds(_waiting(b.work), b.work.known), _known, "run", DONE),
    Measure("working_seconds", "Working per run",
            "Time in which an agent held a step, added up over the steps of finished runs ÷ runs.",
            Kind.LENGTH, lambda b: _seconds(b.work.working_ms, b.work.known), _known, "run", DONE),
    Measure("waiting_share", "Share of waiting", "Waiting ÷ (waiting + working), of finished runs.",
            Kind.SHARE, lambda b: _share(_waiting(b.work), _waiting(b.work) + b.work.working_ms), _known, "run", DONE),
    Measure("throughput", "Throughput per day", "Finished runs ÷ days of the period.",
            Kind.NUMBER, lambda b: _share(b.sums.runs, b.days), _runs, "run", DONE, "more"),
    Measure("in_progress", "Work in progress, average",
            "Little's law: time from start to end of the finished runs, added up ÷ length of the period.",
            Kind.NUMBER, lambda b: _share(b.work.run_ms, b.days * 24 * HOUR_MS) if b.work.timed else None,
            lambda b: b.work.timed, "run", DONE),
    Measure("cost", "Agent cost per run", "What agents reported as their cost in finished runs ÷ finished runs.",
            Kind.AMOUNT, lambda b: b.sums.cost_per_run, _runs, "run", DONE),
    Measure("cost_per_success", "Agent cost per success",
            "Cost of all ended runs, failed and cancelled ones included ÷ finished runs.",
            Kind.AMOUNT, _cost_per_success, _runs, "run", DONE),
    Measure("people_cost", "People's time per run",
            "Time from taking a question in hand to the answer × the hourly rate ÷ finished runs. Not known without a "
            "rate, or when an answer was given without taking the question in hand.",
            Kind.AMOUNT, _people_per_run, _known, "run", DONE),
    Measure("error_share", "Error rate", "Failed ÷ (finished + failed) runs.",
            Kind.SHARE, lambda b: b.sums.error_share, lambda b: b.sums.runs + b.sums.failed, "run",
            {"state": "failed"}),
    Measure("rework_share", "Rework",
            "Finished runs in which a try failed, was taken back or had to be repeated ÷ finished runs.",
            Kind.SHARE, lambda b: _share(b.work.reworked, b.work.known), _known, "run", DONE | {"mark": "reworked"}),
    Measure("touchless_share", "Touchless rate", "Finished runs about which nobody was asked ÷ finished runs.",
            Kind.SHARE, lambda b: b.sums.touchless_share, _runs, "run", DONE | {"touchless": "1"}, "more"),
    Measure("escalated_share", "Escalation rate", "Finished runs about which a person was asked ÷ finished runs.",
            Kind.SHARE, lambda b: _share(b.sums.asked, b.sums.runs), _runs, "run", DONE | {"touchless": "0"}),
    Measure("decide_seconds", "Time to decide, median",
            "Half of the answers of people in finished runs came within this time after the question.",
            Kind.LENGTH, _decide(Fraction(1, 2)), _answers, "answer", DONE | {"mark": "decided"}),
    Measure("decide_p90", "Time to decide, 90th percentile", "Nine in ten of these answers came within this time.",
            Kind.LENGTH, _decide(Fraction(9, 10)), _answers, "answer", DONE | {"mark": "decided"}),
    Measure("sla_share", "Deadlines kept",
            "Steps of finished runs that ended by their deadline ÷ steps with a deadline.",
            Kind.SHARE, lambda b: _share(b.work.dues - b.work.late, b.work.dues), lambda b: b.work.dues, "step",
            DONE | {"mark": "due"}, "more"),
    Measure("overruled_share", "Overruled",
            "Answers that rejected or changed what the agent wanted to do ÷ answers to agents, in finished runs.",
            Kind.SHARE, lambda b: _share(b.work.overruled, b.work.proposals), lambda b: b.work.proposals, "answer",
            DONE | {"mark": "overruled"}),
    Measure("reuse_share", "Reused from memory",
            "Steps of finished runs that shared memory answered ÷ steps of finished runs.",
            Kind.SHARE, lambda b: _share(b.work.reuses, b.work.works), lambda b: b.work.works, "step",
            DONE | {"mark": "reused"}, "more"),
)  # fmt: skip
BY_CODE = {each.code: each for each in MEASURES}
OF_QUESTIONS = frozenset({"decide_seconds", "decide_p90", "overruled_share", "people_cost"})
"""The ledger does not tell at which step a question was asked: of one step these are not known."""


@dataclass(frozen=True)
class Reading:
    """A measure of a period: the value, what it was held against, and the target; None where it is not known."""

    measure: Measure
    value: Decimal | None
    then: Decimal | None
    by_hand: Decimal | None
    target: Decimal | None
    over: int

    @property
    def is_few(self) -> bool:
        """Whether so little stands behind it that chance may have made it."""
        return 0 < self.over < FEW

    @property
    def misses(self) -> bool:
        """Whether it does not reach its target."""
        if self.value is None or self.target is None:
            return False
        return self.value > self.target if self.measure.good == "less" else self.value < self.target


def readings(report: Report, days: int) -> list[Reading]:
    """Every measure of the report's period of so many days."""
    now = Basis(report.figures, report.work, days)
    then = Basis(report.before, report.work_before, days)
    return [_reading(each, report, now, then) for each in MEASURES]


def _reading(measure: Measure, report: Report, now: Basis, then: Basis) -> Reading:
    if report.choice.step and measure.code in OF_QUESTIONS:
        return Reading(measure, None, None, None, None, 0)
    return Reading(
        measure, measure.of(now), measure.of(then), _by_hand(report.baseline, measure.code),
        report.target(measure.code), measure.over(now),
    )  # fmt: skip


def _by_hand(baseline: Baseline | None, code: str) -> Decimal | None:
    if baseline is None:
        return None
    known = {
        "cycle_seconds": baseline.cycle_seconds, "cost": baseline.cost, "cost_per_success": baseline.cost,
        "error_share": baseline.error_share, "throughput": baseline.runs_per_day,
    }  # fmt: skip
    return known.get(code)


@dataclass(frozen=True)
class Value:
    """What one workflow's finished runs were worth beside the work by hand: money in the company's currency, seconds of
    waiting for the result; None where that is not known."""

    workflow: str
    name: str
    runs: int
    by_hand: Decimal
    now: Decimal
    seconds: Decimal | None

    @property
    def money(self) -> Decimal:
        """What was saved; below zero when it cost more."""
        return self.by_hand - self.now


def values(report: Report) -> tuple[list[Value], list[str]]:
    """What each workflow with a baseline was worth, and the names of those without one."""
    found, without = [], []
    for code, sums in report.by_workflow.items():
        baseline, name = report.baselines.get(code), report.names.get(code, code)
        if baseline is None:
            without.append(name)
            continue
        cost = sums.cost_total + sums.cost_lost
        spent = None if sums.median_seconds is None else sums.median_seconds * sums.runs
        saved = None if spent is None else baseline.cycle_seconds * sums.runs - spent
        found.append(Value(code, name, sums.runs, baseline.cost * sums.runs, cost, saved))
    return found, without
