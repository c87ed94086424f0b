"""Rules of governance, evidence: what an agent's record says about its autonomy, and when it takes a level away."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any

SMALL = 30  # below this the interval is so wide that the share itself says little
LOWEST_BY_RULE = 1
_Z = Decimal("1.959963984540054")  # two-sided 95 % of the normal distribution
_NOTHING: Mapping[str, Any] = {}
_COUNTS = ("approved", "rejected", "undone", "alone", "acted", "failed")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that a person decided: `undone` when it was approved and its run failed or was cancelled later."""

    action: str
    approved: bool
    undone: bool
    seconds: Decimal


@dataclass(frozen=True, slots=True)
class Acts:
    """How often an action was allowed: `alone` without a person; `acted` where the step came to a report, `failed`
    where that report was a failure."""

    action: str
    alone: int
    acted: int
    failed: int


@dataclass(frozen=True, slots=True)
class Try:
    """One try of a step that the agent reported: finished or failed, after so many seconds."""

    finished: bool
    seconds: Decimal | None


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`, with the interval in which the true share lies in 95 of 100 cases."""

    part: int
    whole: int

    @property
    def value(self) -> Decimal | None:
        """The share itself, 0 to 1; None of nothing."""
        return Decimal(self.part) / self.whole if self.whole else None

    @property
    def is_small(self) -> bool:
        """Whether there are too few to judge by."""
        return self.whole < SMALL

    @property
    def interval(self) -> tuple[Decimal, Decimal] | None:
        """The Wilson score interval at 95 %: E. B. Wilson, "Probable inference, the law of succession, and statistical
        inference", Journal of the American Statistical Association 22 (1927), 209-212. None of nothing."""
        if not self.whole:
            return None
        n, p, z = Decimal(self.whole), Decimal(self.part) / self.whole, _Z
        centre, spread = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)).sqrt()
        scale = 1 + z * z / n
        return max((centre - spread) / scale, Decimal(0)), min((centre + spread) / scale, Decimal(1))

    def as_data(self) -> dict[str, Any]:
        """The share as JSON, numbers as text with four places."""
        interval = self.interval
        return {
            "part": self.part, "whole": self.whole, "share": _text(self.value), "small_sample": self.is_small,
            "low": _text(interval[0]) if interval else None, "high": _text(interval[1]) if interval else None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """What an agent did with one action, or with all (`action` is empty): questions that people decided, and what it
    did alone. `median_seconds` is how long people took."""

    action: str
    approved: int = 0
    rejected: int = 0
    undone: int = 0
    alone: int = 0
    acted: int = 0
    failed: int = 0
    median_seconds: Decimal | None = None

    @property
    def decided(self) -> int:
        """The questions that people decided: the sample."""
        return self.approved + self.rejected

    @property
    def overruled(self) -> int:
        """Rejected, or approved and undone later."""
        return self.rejected + self.undone

    @property
    def agreement(self) -> Share:
        """Approved as asked, among the decided."""
        return Share(self.approved, self.decided)

    @property
    def overruling(self) -> Share:
        """Overruled, among the decided."""
        return Share(self.overruled, self.decided)

    @property
    def errors(self) -> Share:
        """Failed, among what was allowed and reported."""
        return Share(self.failed, self.acted)

    def as_data(self) -> dict[str, Any]:
        """The record as JSON."""
        shares = {"agreement": self.agreement, "overruling": self.overruling, "errors": self.errors}
        return {
            "action": self.action, **{name: getattr(self, name) for name in _COUNTS}, "decided": self.decided,
            "overruled": self.overruled, "median_seconds": _text(self.median_seconds),
            **{name: share.as_data() for name, share in shares.items()},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tries:
    """How the steps went that the agent took."""

    finished: int = 0
    failed: int = 0
    median_seconds: Decimal | None = None

    @property
    def errors(self) -> Share:
        """Failed tries among those that ended in a report."""
        return Share(self.failed, self.finished + self.failed)

    def as_data(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "finished": self.finished, "failed": self.failed, "median_seconds": _text(self.median_seconds),
            "errors": self.errors.as_data(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """The record of a period: in total, by action in alphabetical order, and the tries of steps."""

    total: Record
    actions: tuple[Record, ...]
    tries: Tries

    def as_data(self) -> dict[str, Any]:
        """The evidence as JSON: what a request for promotion keeps."""
        return {
            "total": self.total.as_data(), "actions": [each.as_data() for each in self.actions],
            "tries": self.tries.as_data(),
        }  # fmt: skip


def reckon(asked: Iterable[Asked], acts: Iterable[Acts], tries: Iterable[Try]) -> Evidence:
    """Give the evidence of these questions, acts and tries."""
    questions, done = list(asked), list(acts)
    names = sorted({each.action for each in questions} | {each.action for each in done})
    by_action = (
        _record(name, [q for q in questions if q.action == name], [a for a in done if a.action == name])
        for name in names
    )
    return Evidence(_record("", questions, done), tuple(by_action), _tries(list(tries)))


def _record(action: str, asked: list[Asked], acts: list[Acts]) -> Record:
    return Record(
        action=action, approved=sum(each.approved for each in asked),
        rejected=sum(not each.approved for each in asked), undone=sum(each.undone for each in asked),
        alone=sum(each.alone for each in acts), acted=sum(each.acted for each in acts),
        failed=sum(each.failed for each in acts), median_seconds=_median([each.seconds for each in asked]),
    )  # fmt: skip


def _tries(tries: list[Try]) -> Tries:
    finished = sum(each.finished for each in tries)
    return Tries(finished, len(tries) - finished, _median([e.seconds for e in tries if e.seconds is not None]))


def _median(values: list[Decimal]) -> Decimal | None:
    return median(values) if values else None


def evidence_from(data: Mapping[str, Any]) -> Evidence:
    """Give the evidence that was kept as JSON; shares are reckoned anew from its counts."""
    tries = data.get("tries", _NOTHING)
    return Evidence(
        total=_kept(data.get("total", _NOTHING)),
        actions=tuple(_kept(each) for each in data.get("actions", ())),
        tries=Tries(tries.get("finished", 0), tries.get("failed", 0), _exact(tries.get("median_seconds"))),
    )


def _kept(data: Mapping[str, Any]) -> Record:
    counts = {name: int(data.get(name, 0)) for name in _COUNTS}
    return Record(
        action=data.get("action", ""), median_seconds=_exact(data.get("median_seconds")), **counts
    )  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value.quantize(Decimal("0.0001")))


def _exact(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


# --- when a level is taken away ---------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Bounds:
    """What a record may be at most, in percent; None is no bound. Fewer than `at_least` decide nothing."""

    overruled_percent: Decimal | None
    error_percent: Decimal | None
    at_least: int
    days: int


@dataclass(frozen=True, slots=True)
class Breach:
    """One bound that a record broke."""

    what: str
    share: Share
    limit_percent: Decimal
    days: int

    @property
    def words(self) -> str:
        """The breach as a sentence with its figures."""
        of = {"overruled": "questions that people decided", "errors": "tries of steps"}[self.what]
        did = {"overruled": "overruled in", "errors": "failed in"}[self.what]
        percent = 100 * Decimal(self.share.part) / self.share.whole
        counted = f"{did.capitalize()} {self.share.part} of {self.share.whole} {of} in {self.days} days"
        return f"{counted}: {_short(percent)} %. The limit is {_short(self.limit_percent)} %."

    def as_data(self) -> dict[str, Any]:
        """The figures as JSON, for the ledger."""
        return {
            "figure": self.what, "part": self.share.part, "whole": self.share.whole,
            "limit_percent": _short(self.limit_percent), "days": self.days,
        }  # fmt: skip


def breach_of(overruling: Share, errors: Share, bounds: Bounds) -> Breach | None:
    """Give the bound that these shares broke, the overruling first; None while they keep within them."""
    judged = (("overruled", overruling, bounds.overruled_percent), ("errors", errors, bounds.error_percent))
    for what, share, limit in judged:
        if limit is not None and share.whole >= max(bounds.at_least, 1) and 100 * share.part > limit * share.whole:
            return Breach(what, share, limit, bounds.days)
    return None


def level_below(level: int) -> int | None:
    """Give the level that a demotion leads to, None at the lowest that it leaves: level 1 suggests and does no harm."""
    return level - 1 if level > LOWEST_BY_RULE else None


def _short(percent: Decimal) -> str:
    return f"{percent.quantize(Decimal('0.1')):f}".removesuffix(".0")
