"""Rules of observability: which steps, and which processes, are worth automating first: much manual effort, and so much
like a rule that a program can be told it. The formula is on the page and in docs/event-logs.md."""

from collections.abc import Sequence
from dataclasses import dataclass

from observability.eventlog.figures import Activity, Figures, Spread

DAYS_A_MONTH = 30.4375
FORETOLD, STEADY = 0.9, 0.6


@dataclass(frozen=True)
class Candidate:
    """One step: `hours` of effort a month, its share of all effort, how well its next step is foretold and how steady
    its time is (0 to 1 each), the score from 0 to 100 and the reasons in words."""

    number: int
    name: str
    events_a_month: float
    seconds_each: float
    hours: float
    effort_share: float
    foretold: float
    steady: float
    score: float
    reasons: Sequence[str]

    @property
    def rule_likeness(self) -> float:
        """How much like a rule the step is: foretold and steady together, from 0 to 1."""
        return self.foretold * self.steady


@dataclass(frozen=True)
class Automation:
    """A whole process: its effort in hours a month, how much like a rule it is, and both together."""

    hours: float
    rule_likeness: float
    score: float
    is_worked: bool


def candidates(figures: Figures) -> list[Candidate]:
    """Every activity, the most worth automating first."""
    months = max(figures.days, 1.0) / DAYS_A_MONTH
    efforts = [_effort(each, figures) for each in figures.activities]
    whole = (
        sum(each.median * activity.events for each, activity in zip(efforts, figures.activities, strict=True)) or 1.0
    )
    found = [
        _candidate(number, activity, effort, months=months, whole=whole, is_worked=figures.has_start)
        for number, (activity, effort) in enumerate(zip(figures.activities, efforts, strict=True))
    ]
    return sorted(found, key=lambda each: (-each.score, -each.hours, each.number))


def automation(figures: Figures) -> Automation:
    """What the whole process is worth, from its steps: hours a month times rule-likeness, weighed by effort."""
    found = candidates(figures)
    hours = sum(each.hours for each in found)
    weighed = sum(each.hours * each.rule_likeness for each in found)
    return Automation(
        round(hours, 2), round(weighed / hours, 4) if hours else 0.0, round(weighed, 2), figures.has_start
    )  # fmt: skip


def _effort(activity: Activity, figures: Figures) -> Spread:
    return activity.worked if figures.has_start else activity.wait


def steadiness(spread: Spread) -> float:
    """The middle over the middle and the width of the middle half: 1 when all take the same time, near 0 when they
    differ wildly."""
    wide = spread.upper - spread.lower
    middle = max(spread.median, 0.0)
    return 1.0 if wide <= 0 else middle / (middle + wide)


def _candidate(
    number: int, activity: Activity, effort: Spread, *, months: float, whole: float, is_worked: bool
) -> Candidate:
    each = max(effort.median, 0.0)
    share = each * activity.events / whole
    steady = steadiness(effort) if effort.count else 0.0
    hours = each * activity.events / months / 3600
    return Candidate(
        number, activity.name, round(activity.events / months, 2), each, round(hours, 2), round(share, 4),
        activity.foretold, round(steady, 4), round(100 * share * activity.foretold * steady, 2),
        _reasons(activity, share, steady, is_worked),
    )  # fmt: skip


def _reasons(activity: Activity, share: float, steady: float, is_worked: bool) -> list[str]:
    kind = "time of work" if is_worked else "time that passes before a step is done"
    reasons = [f"{share:.0%} of the {kind}"]
    after = f"“{activity.next_step}” follows" if activity.next_step else "the case ends after it"
    certain = (
        "nearly always" if activity.foretold >= FORETOLD else "mostly" if activity.foretold >= 0.5 else "often not:"
    )
    reasons.append(f"{certain} {after} ({activity.foretold:.0%})")
    reasons.append("takes about the same time each time" if steady >= STEADY else "takes very different times")
    if activity.repeats:
        reasons.append(f"done again {activity.repeats:,} times")
    return reasons
