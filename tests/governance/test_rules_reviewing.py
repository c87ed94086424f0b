"""Tables of the figures about rules that ask and people who decide."""

from decimal import Decimal
from typing import Any

import pytest

from governance.rules.reviewing import Agreement, Decided, Limits, ReviewerFigures, RuleFigures, agreements, alerts

LIMITS = Limits(Decimal(5), 50)


@pytest.mark.parametrize(
    ("counts", "too_much", "too_little"),
    [
        ({"approved": 20}, True, False),
        ({"approved": 19}, False, False),  # too few to say
        ({"approved": 19, "rejected": 1}, True, False),  # 95 % exactly
        ({"approved": 18, "rejected": 2}, False, False),
        ({"approved": 30, "undone": 1}, True, True),
        ({"alone": 100, "failed": 1}, False, True),
        ({"alone": 100, "checked_wrong": 1}, False, True),
        ({"alone": 100, "checked_right": 9}, False, False),
    ],
)
def test_rules_that_ask_too_much_or_too_little(counts: Any, too_much: bool, too_little: bool) -> None:
    figures = RuleFigures("p", "r", **counts)

    assert (figures.asks_too_much, figures.asks_too_little) == (too_much, too_little)


def test_the_figures_of_a_rule_add_up() -> None:
    seconds = tuple(map(Decimal, (10, 30, 90)))
    figures = RuleFigures("p", "r", approved=3, rejected=1, expired=2, withdrawn=1, open=4, seconds=seconds)

    assert (figures.asked, figures.answered, figures.approval, figures.median_seconds) == (11, 4, Decimal("0.75"), 30)
    assert (RuleFigures("p", "r").approval, RuleFigures("p", "r").median_seconds) == (None, None)


def decided(many: int, *, seconds: str = "60", yes: bool = True, risky: bool = True) -> tuple[Decided, ...]:
    return (Decided(yes, Decimal(seconds), risky),) * many


@pytest.mark.parametrize(
    ("figures", "kinds"),
    [
        (ReviewerFigures(decided(20, seconds="4.9")), {"quick"}),
        (ReviewerFigures(decided(20, seconds="5")), set()),  # the limit itself is allowed
        (ReviewerFigures(decided(19, seconds="1")), set()),  # too few
        (ReviewerFigures(decided(40, seconds="1", risky=False)), set()),  # low risk may be quick
        (ReviewerFigures(decided(50)), {"always_yes"}),
        (ReviewerFigures(decided(49)), set()),
        (ReviewerFigures(decided(99) + decided(1, yes=False)), set()),
        (ReviewerFigures(planted=5, caught=3), {"misses"}),
        (ReviewerFigures(planted=5, caught=4), set()),  # 80 % exactly
        (ReviewerFigures(planted=4), set()),
        (ReviewerFigures(open=51), {"load"}),
        (ReviewerFigures(open=50), set()),
        (ReviewerFigures(decided(50, seconds="1"), open=90, planted=9, caught=0),
         {"quick", "always_yes", "misses", "load"}),
    ],
)  # fmt: skip
def test_alerts(figures: ReviewerFigures, kinds: set[str]) -> None:
    assert set(alerts(figures, LIMITS)) == kinds


def test_the_figures_of_a_person() -> None:
    figures = ReviewerFigures(decided(3, seconds="2.9") + decided(1, seconds="3", yes=False), planted=4, caught=3)

    assert (figures.decided, figures.approved, figures.approval, figures.quick) == (4, 3, Decimal("0.75"), 3)
    assert (figures.median_seconds, figures.catch_share) == (Decimal("2.9"), Decimal("0.75"))
    assert ReviewerFigures().approval is ReviewerFigures().catch_share is ReviewerFigures().median_seconds is None


@pytest.mark.parametrize(
    ("cells", "observed", "kappa", "words"),
    [
        # Cohen's own kind of table: 20 + 15 of 50 the same, 0.5 by chance
        ((20, 5, 10, 15), "0.7", "0.4", "Fair agreement"),
        ((25, 0, 0, 25), "1", "1", "Almost perfect agreement"),
        ((0, 25, 25, 0), "0", "-1", "No better than chance"),
        ((30, 0, 0, 0), "1", None, "Both always give the same answer"),
        ((5, 0, 0, 4), "1", "1", "n = 9, too few to tell"),
        ((45, 15, 25, 15), "0.6", "0.1304", "Slight agreement"),
    ],
)
def test_agreement(cells: Any, observed: str, kappa: str | None, words: str) -> None:
    found = Agreement(1, 2, *cells)

    assert found.observed == Decimal(observed)
    assert (None if found.kappa is None else round(found.kappa, 4)) == (None if kappa is None else Decimal(kappa))
    assert found.words.startswith(words)


def test_answers_are_paired_within_a_kind_in_the_order_of_time() -> None:
    ratings = [("a", 1, True), ("a", 1, False), ("a", 2, True), ("a", 2, True), ("a", 1, True), ("b", 1, True),
               ("c", 2, False), ("a", 3, True)]  # fmt: skip

    found = agreements(ratings)

    assert [(each.one, each.other, each.pairs) for each in found] == [(1, 2, 2), (1, 3, 1), (2, 3, 1)]
    assert (found[0].both_yes, found[0].only_other) == (1, 1)
    assert Agreement(1, 2).observed is Agreement(1, 2).kappa is None
