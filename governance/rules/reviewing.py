"""Rules of governance, reviewing: how rules ask, how people decide, and how far they agree; counts in, figures out."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations
from statistics import median

MANY_ASKED = 20
ALMOST_ALL = Decimal("0.95")
ALL_YES_FROM = 50
CATCHES_FROM = 5
CATCH_WANTED = Decimal("0.80")
MEDIAN_FROM = 20
FEW_PAIRS = 10
QUICK_SECONDS = 3


# --- rules that ask -------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class RuleFigures:
    """What became of the questions of one rule, and of what the same rule allowed alone."""

    policy: str
    rule: str
    approved: int = 0
    rejected: int = 0
    expired: int = 0
    withdrawn: int = 0
    open: int = 0
    undone: int = 0
    seconds: tuple[Decimal, ...] = ()
    codes: Mapping[str, int] = field(default_factory=dict)
    alone: int = 0
    failed: int = 0
    checked_right: int = 0
    checked_wrong: int = 0

    @property
    def asked(self) -> int:
        """How many questions there were."""
        return self.approved + self.rejected + self.expired + self.withdrawn + self.open

    @property
    def answered(self) -> int:
        """Those that people answered."""
        return self.approved + self.rejected

    @property
    def approval(self) -> Decimal | None:
        """The share of yes among the answered; None without any."""
        return Decimal(self.approved) / self.answered if self.answered else None

    @property
    def median_seconds(self) -> Decimal | None:
        """How long people took, as the median; None without answers."""
        return median(self.seconds) if self.seconds else None

    @property
    def asks_too_much(self) -> bool:
        """Whether nearly every one of many questions was answered with yes."""
        return self.answered >= MANY_ASKED and self.approval is not None and self.approval >= ALMOST_ALL

    @property
    def asks_too_little(self) -> bool:
        """Whether something that nobody was asked about, or that was approved, was wrong."""
        return bool(self.checked_wrong or self.undone or self.failed)


# --- people who decide ----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Decided:
    """One answer of a person: how long it took, and whether the question was of medium or high risk."""

    approved: bool
    seconds: Decimal
    is_risky: bool


@dataclass(frozen=True, slots=True)
class ReviewerFigures:
    """How somebody decides: the answers of the period, those of today and of seven days, what waits, and the planted
    cases that were answered and caught."""

    answers: tuple[Decided, ...] = ()
    today: int = 0
    week: int = 0
    open: int = 0
    planted: int = 0
    caught: int = 0

    @property
    def decided(self) -> int:
        """How many answers."""
        return len(self.answers)

    @property
    def approved(self) -> int:
        """How many of them are yes."""
        return sum(each.approved for each in self.answers)

    @property
    def approval(self) -> Decimal | None:
        """The share of yes; None without answers."""
        return Decimal(self.approved) / self.decided if self.decided else None

    @property
    def median_seconds(self) -> Decimal | None:
        """The median time from question to answer."""
        return median(each.seconds for each in self.answers) if self.answers else None

    @property
    def quick(self) -> int:
        """How many answers came within three seconds."""
        return sum(each.seconds < QUICK_SECONDS for each in self.answers)

    @property
    def catch_share(self) -> Decimal | None:
        """The share of planted cases that were caught; None without any."""
        return Decimal(self.caught) / self.planted if self.planted else None


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a reviewer's figures are worth an alert."""

    median_seconds: Decimal
    open: int


def alerts(figures: ReviewerFigures, limits: Limits) -> dict[str, str]:
    """Give what is unusual about somebody's answers, each as a sentence by its kind."""
    found: dict[str, str] = {}
    risky = [each.seconds for each in figures.answers if each.is_risky]
    if len(risky) >= MEDIAN_FROM and (middle := median(risky)) < limits.median_seconds:
        found["quick"] = (
            f"Half of {len(risky)} answers to questions of medium or high risk came within {short(middle)} s; "
            f"the limit is {short(limits.median_seconds)} s."
        )
    if figures.decided >= ALL_YES_FROM and figures.approved == figures.decided:
        found["always_yes"] = f"All {figures.decided} answers are yes."
    if figures.planted >= CATCHES_FROM and figures.caught < CATCH_WANTED * figures.planted:
        found["misses"] = f"Caught {figures.caught} of {figures.planted} planted cases; 80 % are wanted."
    if figures.open > limits.open:
        found["load"] = f"{figures.open} questions are open for this person; the limit is {limits.open}."
    return found


def short(number: Decimal) -> str:
    """Give a number with one decimal place, without it where it is zero."""
    return f"{number.quantize(Decimal('0.1')):f}".removesuffix(".0")


# --- agreement ------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Agreement:
    """How two people answered questions of the same kind, pair by pair: `both_yes`, `both_no`, and where they differ
    the one who said yes."""

    one: int
    other: int
    both_yes: int = 0
    only_one: int = 0
    only_other: int = 0
    both_no: int = 0

    @property
    def pairs(self) -> int:
        """How many pairs of answers: n."""
        return self.both_yes + self.only_one + self.only_other + self.both_no

    @property
    def is_small(self) -> bool:
        """Whether there are too few to tell."""
        return self.pairs < FEW_PAIRS

    @property
    def observed(self) -> Decimal | None:
        """The share of pairs with the same answer."""
        return Decimal(self.both_yes + self.both_no) / self.pairs if self.pairs else None

    @property
    def by_chance(self) -> Decimal | None:
        """The share that would be the same if each had answered with their own share of yes, and by chance."""
        n = self.pairs
        if not n:
            return None
        one, other = Decimal(self.both_yes + self.only_one) / n, Decimal(self.both_yes + self.only_other) / n
        return one * other + (1 - one) * (1 - other)

    @property
    def kappa(self) -> Decimal | None:
        """Cohen's kappa: J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
        Measurement 20 (1960), 37-46. None where chance alone explains everything."""
        if self.observed is None or self.by_chance is None or self.by_chance == 1:
            return None
        return (self.observed - self.by_chance) / (1 - self.by_chance)

    @property
    def words(self) -> str:
        """The agreement in words: J. R. Landis and G. G. Koch, "The measurement of observer agreement for categorical
        data", Biometrics 33 (1977), 159-174."""
        if self.is_small:
            return f"n = {self.pairs}, too few to tell"
        if self.kappa is None:
            return "Both always give the same answer, so that chance cannot be told from agreement"
        scale = (
            ("0.8", "Almost perfect"),
            ("0.6", "Substantial"),
            ("0.4", "Moderate"),
            ("0.2", "Fair"),
            ("0", "Slight"),
        )
        word = next((word for bound, word in scale if self.kappa > Decimal(bound)), "")
        return f"{word} agreement" if word else "No better than chance"


Rating = tuple[str, int, bool]
"""The kind of case, who answered, and whether with yes; in the order of time."""


def agreements(ratings: Iterable[Rating]) -> list[Agreement]:
    """Give how far every two people agree: within each kind of case the first answer of the one is put beside the first
    of the other, the second beside the second, as far as both have some. The most pairs first."""
    given: defaultdict[str, defaultdict[int, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for kind, person, approved in ratings:
        given[kind][person].append(approved)
    cells: defaultdict[tuple[int, int], Counter[tuple[bool, bool]]] = defaultdict(Counter)
    for people in given.values():
        for one, other in combinations(sorted(people), 2):
            cells[one, other].update(zip(people[one], people[other], strict=False))
    found = [_agreement(pair, counts) for pair, counts in cells.items()]
    return sorted(found, key=lambda each: (-each.pairs, each.one, each.other))


def _agreement(pair: tuple[int, int], counts: Mapping[tuple[bool, bool], int]) -> Agreement:
    def of(one: bool, other: bool) -> int:
        return counts.get((one, other), 0)

    return Agreement(*pair, of(True, True), of(True, False), of(False, True), of(False, False))
