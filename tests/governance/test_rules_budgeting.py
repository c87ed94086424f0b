"""The built-in rule about budgets, by its table; and how long a budget lasts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.rules import Ruling, Verdict
from governance.rules.budgeting import (
    BudgetCheck,
    check_from,
    checks_in,
    conditions_of,
    group_of,
    keep_within,
    level_of,
    said,
    used_up_at,
)

ALLOW = Ruling(Verdict.ALLOW, "ip-allow", "p", 1, "Fine.", because=("p@1#ip-allow",))
DENY = Ruling(Verdict.DENY, "ip-no", "p", 1, "No.")
ESCALATE = Ruling(Verdict.ESCALATE, "ip-limit", "p", 1, "Ask.")
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
exact = st.decimals(min_value=0, max_value=10**9, places=6, allow_nan=False)


def check(**more: Any) -> BudgetCheck:
    """A budget of EUR 100 a day that asks above 80, with 50 spent and 10 reserved; the question would use 10."""
    usual = {
        "budget": "b1", "row": 1, "name": "Payments", "metric": "money", "currency": "EUR", "period": "day",
        "limit": Decimal(100), "soft": Decimal(80), "spent": Decimal(50), "reserved": Decimal(10), "asks": Decimal(10),
        "until": "2026-12-01 00:00 CET", "path": "finance-approver",
    }  # fmt: skip
    return BudgetCheck(**{**usual, **more})


def facts(*checks: BudgetCheck, approved: tuple[str, ...] = ()) -> dict[str, Any]:
    approval = {"approval": {"id": "a", "paths": ("finance-approver",), "rules": approved}} if approved else {}
    return {"budget": group_of(checks, currency="EUR"), **approval}


@pytest.mark.parametrize(
    ("asks", "more", "verdict"),
    [
        ("20", {}, "allow"),  # the soft limit itself
        ("20.000001", {}, "escalate"),
        ("40", {}, "escalate"),  # the hard limit itself
        ("40.000001", {}, "deny"),
        ("40", {"soft": None}, "allow"),
        ("0", {"spent": Decimal(90)}, "escalate"),
        ("0", {"spent": Decimal(90), "soft": None}, "allow"),  # nothing is left, and nothing is asked
        ("0", {"spent": Decimal(91), "soft": None}, "deny"),  # overspent: nothing more
        (None, {"soft": None}, "allow"),  # nobody knows how many tokens, and some are left
        (None, {"soft": None, "spent": Decimal(90)}, "deny"),
        (None, {"soft": None, "unclear": "The cost is not known."}, "escalate"),
        (None, {"soft": None, "unclear": "The cost is not known.", "path": ""}, "deny"),
    ],
)
def test_what_a_budget_makes_of_an_allowed_question(asks: str | None, more: Any, verdict: str) -> None:
    ruling = keep_within(facts(check(asks=None if asks is None else Decimal(asks), **more)), ALLOW)

    assert ruling.verdict == verdict
    assert (ruling is ALLOW) == (verdict == "allow")
    if verdict != "allow":
        assert (ruling.rule, ruling.because) == ("budget", ("built-in#budget:b1",))


def test_a_denial_says_which_budget_what_is_left_and_until_when() -> None:
    ruling = keep_within(facts(check(asks=Decimal("1234.5"))), ALLOW)

    assert ruling.reason == (
        "Budget “Payments”: EUR 40.00 of EUR 100.00 are left, and this would use EUR 1,234.50. "
        "It renews on 2026-12-01 00:00 CET."
    )


def test_a_denial_stays_and_an_escalation_stays_while_approval_could_allow_it() -> None:
    tight, free = facts(check(asks=Decimal(41))), facts(check(asks=Decimal(30)))

    assert keep_within(tight, DENY) is DENY
    assert keep_within(free, ESCALATE) is ESCALATE
    assert keep_within(tight, ESCALATE).verdict is Verdict.DENY, "no reviewer is asked what cannot be allowed"


def test_an_approval_lifts_the_soft_limit_of_its_budget_alone_and_no_hard_one() -> None:
    one, other = check(asks=Decimal(30)), check(budget="b2", asks=Decimal(30), limit=Decimal(95))
    over = check(asks=Decimal(41))

    assert keep_within(facts(one, approved=(one.ref,)), ALLOW) is ALLOW
    assert keep_within(facts(one, other), ALLOW).because == (other.ref, one.ref), "the tightest leads"
    assert keep_within(facts(one, other, approved=(one.ref,)), ALLOW).because == (other.ref,)
    assert keep_within(facts(over, approved=(over.ref,)), ALLOW).verdict is Verdict.DENY


@pytest.mark.parametrize("broken", ["no list", [1], ["{"], ['{"budget": "b"}'], ["[]"]])
def test_what_cannot_be_read_denies(broken: Any) -> None:
    ruling = keep_within({"budget": {"checks": broken}}, ALLOW)

    assert (ruling.verdict, ruling.because) == (Verdict.DENY, ("built-in#budget",))


def test_the_facts_are_those_of_the_tightest_budget_of_each_period() -> None:
    group = group_of(
        (
            check(), check(budget="b2", limit=Decimal(70)), check(budget="b3", currency="USD", limit=Decimal(61)),
            check(budget="b4", period="run", metric="tokens", currency="", limit=Decimal(1000)),
        ),
        currency="EUR",
    )  # fmt: skip

    assert group["day"] == {"left": 10, "spent": 60, "limit": 70}
    assert group["run"] == group["case"] == {"tokens_left": 940}
    assert group_of((), currency="EUR") == {}


@settings(max_examples=200, deadline=None)
@given(exact, exact, exact, exact, st.one_of(st.none(), exact), st.one_of(st.none(), exact))
def test_a_check_is_the_same_after_it_was_written_down(
    limit: Decimal, spent: Decimal, reserved: Decimal, asks: Decimal, soft: Decimal | None, unknown: Decimal | None
) -> None:
    for each in (asks, unknown):
        one = check(limit=limit, spent=spent, reserved=reserved, asks=each, soft=soft)
        assert check_from(one.as_text()) == one


@settings(max_examples=200, deadline=None)
@given(exact, exact, exact, exact)
def test_nothing_above_the_limit_is_ever_allowed(
    limit: Decimal, spent: Decimal, reserved: Decimal, asks: Decimal
) -> None:
    one = check(limit=limit, spent=spent, reserved=reserved, asks=asks, soft=None)

    ruling = keep_within(facts(one), ALLOW)

    assert (ruling.verdict is Verdict.ALLOW) == (spent + reserved + asks <= limit)
    assert keep_within(facts(one), ALLOW) == ruling


def test_the_person_who_is_asked_reads_the_figures() -> None:
    one = check(asks=Decimal(30))

    (row,) = conditions_of(facts(one), (one.ref,))

    assert (row["actual"], row["wanted"], row["outcome"]) == ("EUR 90.00", "more than EUR 80.00", "true")
    assert checks_in(facts(one)) == (one,)
    assert conditions_of(facts(one), ()) == []


@pytest.mark.parametrize(
    ("used", "limit", "level"), [(0, 0, 0), (79, 100, 0), (80, 100, 80), (100, 100, 100), (101, 100, 101), (1, 0, 101)]
)
def test_levels_that_are_told(used: int, limit: int, level: int) -> None:
    assert level_of(Decimal(used), Decimal(limit)) == level


@pytest.mark.parametrize(
    ("used", "hours", "ends"),
    [(0, 12, None), (50, 6, 18), (100, 6, 12), (150, 6, 12), (20, 12, None)],  # of 100, until midnight
)
def test_when_a_budget_is_used_up_at_this_pace(used: int, hours: int, ends: int | None) -> None:
    since, midnight = NOON - timedelta(hours=hours), NOON + timedelta(hours=12)

    found = used_up_at(Decimal(used), Decimal(100), since=since, at=NOON, until=midnight)

    assert found == (None if ends is None else NOON.replace(hour=ends))


def test_amounts_are_said_in_their_unit() -> None:
    assert said(Decimal("1234.500000"), check()) == "EUR 1,234.50"
    assert said(Decimal("12000.000000"), check(metric="tokens")) == "12,000 tokens"
    assert said(Decimal("1.500000"), check(metric="seconds")) == "1.5 seconds"
