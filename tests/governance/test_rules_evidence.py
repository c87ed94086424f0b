"""The evidence for autonomy, reckoned: by tables, and beside a second reckoning that shares no line with the first."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.rules.evidence import (
    Acts,
    Asked,
    Bounds,
    Share,
    Try,
    breach_of,
    evidence_from,
    level_below,
    reckon,
)


# The values are those of R: binom::binom.confint(part, whole, methods = "wilson").
@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        (0, 10, "0.0000", "0.2775"),
        (10, 10, "0.7225", "1.0000"),
        (8, 10, "0.4902", "0.9433"),
        (50, 100, "0.4038", "0.5962"),
        (1, 1, "0.2065", "1.0000"),
        (15, 148, "0.0624", "0.1605"),
    ],
)
def test_the_interval_is_wilsons(part: int, whole: int, low: str, high: str) -> None:
    interval = Share(part, whole).interval

    assert interval is not None
    assert [str(bound.quantize(Decimal("0.0001"))) for bound in interval] == [low, high]


def test_nothing_has_no_share_and_no_interval() -> None:
    assert (Share(0, 0).value, Share(0, 0).interval, Share(0, 0).is_small) == (None, None, True)
    assert (Share(1, 29).is_small, Share(1, 30).is_small) == (True, False)


BOUNDS = Bounds(overruled_percent=Decimal(20), error_percent=Decimal(10), at_least=10, days=30)


@pytest.mark.parametrize(
    ("overruled", "errors", "broken"),
    [
        ((2, 10), (0, 0), ""),  # the limit itself is still within it
        ((3, 10), (0, 0), "Overruled in 3 of 10 questions that people decided in 30 days: 30 %. The limit is 20 %."),
        ((9, 9), (0, 0), ""),  # too few to decide anything
        ((0, 10), (1, 10), ""),
        ((0, 10), (2, 12), "Failed in 2 of 12 tries of steps in 30 days: 16.7 %. The limit is 10 %."),
        ((3, 10), (9, 10), "Overruled in 3 of 10 questions that people decided in 30 days: 30 %. The limit is 20 %."),
        ((0, 0), (0, 0), ""),
    ],
)
def test_a_record_breaks_its_rule(overruled: tuple[int, int], errors: tuple[int, int], broken: str) -> None:
    breach = breach_of(Share(*overruled), Share(*errors), BOUNDS)

    assert (breach.words if breach else "") == broken


def test_what_has_no_limit_is_not_broken() -> None:
    free = Bounds(overruled_percent=None, error_percent=None, at_least=1, days=1)

    assert breach_of(Share(9, 9), Share(9, 9), free) is None


@pytest.mark.parametrize(("level", "below"), [(4, 3), (3, 2), (2, 1), (1, None), (0, None)])
def test_a_rule_leads_to_level_1_at_the_lowest(level: int, below: int | None) -> None:
    assert level_below(level) == below


ACTIONS = st.sampled_from(["invoice.pay", "order.match", "mail.send"])
SECONDS = st.integers(0, 10**9).map(lambda thousandths: Decimal(thousandths) / 1000)
ASKED = st.builds(Asked, ACTIONS, st.booleans(), st.booleans(), SECONDS).map(
    lambda q: q if q.approved else Asked(q.action, False, False, q.seconds)
)
ACTS = st.builds(
    lambda action, alone, failed, fine: Acts(action, alone, failed + fine, failed),
    ACTIONS, st.integers(0, 99), st.integers(0, 99), st.integers(0, 99),
)  # fmt: skip
TRIES = st.builds(Try, st.booleans(), st.one_of(st.none(), SECONDS))


def middle(values: list[Decimal]) -> Fraction | None:
    """The median, exactly."""
    ordered = sorted(map(Fraction, values))
    if not ordered:
        return None
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def again(asked: list[Asked], acts: list[Acts], tries: list[Try]) -> dict[str, Any]:
    """The same evidence, counted one by one into dictionaries."""
    told: dict[str, dict[str, Any]] = {}
    for action in {each.action for each in (*asked, *acts)} | {""}:
        mine = [each for each in asked if action in ("", each.action)]
        done = [each for each in acts if action in ("", each.action)]
        told[action] = {
            "decided": len(mine), "approved": len([each for each in mine if each.approved]),
            "overruled": len([each for each in mine if not each.approved or each.undone]),
            "alone": sum(each.alone for each in done), "failed": sum(each.failed for each in done),
            "acted": sum(each.acted for each in done), "median": middle([each.seconds for each in mine]),
        }  # fmt: skip
    ended = [each for each in tries if each.finished]
    return {"by_action": told, "finished": len(ended), "failed": len(tries) - len(ended)}


@given(st.lists(ASKED, max_size=40), st.lists(ACTS, max_size=8), st.lists(TRIES, max_size=20))
def test_two_reckonings_agree(asked: list[Asked], acts: list[Acts], tries: list[Try]) -> None:
    evidence, second = reckon(asked, acts, tries), again(asked, acts, tries)

    for record in (evidence.total, *evidence.actions):
        median = None if record.median_seconds is None else Fraction(record.median_seconds)
        assert second["by_action"].pop(record.action) == {
            "decided": record.decided, "approved": record.approved, "overruled": record.overruled,
            "alone": record.alone, "failed": record.failed, "acted": record.acted, "median": median,
        }  # fmt: skip
        assert record.agreement.part <= record.agreement.whole
        assert record.overruled <= record.decided
    assert second["by_action"] == {}, "no action is left out"
    assert (evidence.tries.finished, evidence.tries.failed) == (second["finished"], second["failed"])


@given(st.integers(0, 500).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_the_share_lies_in_its_interval(counts: tuple[int, int]) -> None:
    share = Share(*counts)

    if share.value is not None and share.interval is not None:
        low, high = share.interval
        assert 0 <= low <= share.value + Decimal("1e-20")
        assert share.value - Decimal("1e-20") <= high <= 1


@given(st.lists(ASKED, max_size=20), st.lists(ACTS, max_size=5), st.lists(TRIES, max_size=10))
def test_kept_evidence_says_the_same(asked: list[Asked], acts: list[Acts], tries: list[Try]) -> None:
    evidence = reckon(asked, acts, tries)

    assert evidence_from(json.loads(json.dumps(evidence.as_data()))).as_data() == evidence.as_data()
