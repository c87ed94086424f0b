"""Tables of the rules of learning: which answers are alike, which suggest a rule, what is sampled."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from governance.rules.learning import Answer, Kind, differences, exact, is_party, leaves, retold, suggestions
from governance.rules.learnt import CannotLearn, band_of, with_learnt
from governance.rules.sampling import is_sampled

PAY = Kind("finance.pay", "limit", "invoice.pay", "clerk", "EUR", has_amount=True)
POST = Kind("mail.post", "ask", "mail.post", "writer")


def said(key: int, amount: int | None = 100, *, yes: bool = True, kind: Kind = PAY, **more: Any) -> Answer:
    given: dict[str, Any] = {"reviewer": key % 2, "seconds": Decimal(60), "allowed_by": ("allow",), **more}
    return Answer(key, kind, yes, amount=None if amount is None else Decimal(amount), **given)


MANY = [said(number, 100 + number) for number in range(25)]


@pytest.mark.parametrize(
    ("answers", "asked", "highest", "refused_from"),
    [
        (MANY[:24], None, None, None),  # one too few
        (MANY, 25, 124, None),
        ([*MANY, said(99, 500, yes=False)], 25, 124, 500),  # a no above them ends the band
        ([*MANY, said(99, 120, yes=False)], None, None, None),  # a no among them leaves too few below it
        ([*MANY, said(98, 600), said(99, 500, yes=False)], 25, 124, 500),  # a yes above a no does not count
        ([*MANY, said(99, 130, needed=2)], None, None, None),  # two people have to approve: never learnt
    ],
)
def test_answers_that_suggest_a_rule(answers: Any, asked: Any, highest: Any, refused_from: Any) -> None:
    found = suggestions(answers)

    told = [(each.asked, each.highest, each.refused_from) for each in found]
    assert told == ([] if asked is None else [(asked, highest, refused_from)])


def test_without_amounts_a_single_no_keeps_the_rule_away() -> None:
    yes = [said(number, None, kind=POST) for number in range(30)]

    assert [each.asked for each in suggestions(yes)] == [30]
    assert suggestions([*yes, said(99, None, yes=False, kind=POST)]) == []


def test_each_kind_is_counted_by_itself() -> None:
    other = Kind("finance.pay", "limit", "invoice.pay", "clerk", "USD", has_amount=True)

    assert [each.kind for each in suggestions([*MANY, *(said(n, kind=other) for n in range(40))])] == [other, PAY]


def test_one_reviewer_is_told_and_so_are_quick_answers() -> None:
    answers = [said(number, reviewer=1, seconds=Decimal("2.9")) for number in range(25)]

    (found,) = suggestions(answers)

    assert (found.has_one_reviewer, found.quick) == (True, 25)


def test_parties_are_those_seen_in_every_answer_and_never_very_many() -> None:
    named = [said(n, parties=(("resource.seller", f"S{n % 2}"), ("context.carrier", "DHL"))) for n in range(24)]

    (found,) = suggestions([*named, said(24, parties=(("resource.seller", "S2"),))])
    many = suggestions([said(n, parties=(("resource.seller", f"S{n}"),)) for n in range(51)])

    assert found.parties == {"resource.seller": ("S0", "S1", "S2")}
    assert many == []


@pytest.mark.parametrize(
    ("amount", "parties", "covers"),
    [
        ("124", {"resource.seller": "A"}, True),
        ("124.01", {"resource.seller": "A"}, False),
        ("0", {"resource.seller": "A"}, False),
        ("-5", {"resource.seller": "A"}, False),
        (None, {"resource.seller": "A"}, False),
        ("100", {"resource.seller": "B"}, False),
        ("100", {}, False),
    ],
)
def test_which_next_question_is_like_them(amount: str | None, parties: Any, covers: bool) -> None:
    (found,) = suggestions([said(n, 100 + n, parties=(("resource.seller", "A"),)) for n in range(25)])

    assert found.covers(PAY, exact(amount), parties) is covers


def test_reasons_for_which_nobody_was_asked_stay_outside() -> None:
    seen = [said(n, held=frozenset({"a"} if n else {"b"}), held_not=frozenset({"b", "c", "d"})) for n in range(25)]

    (found,) = suggestions(seen)

    assert found.never == ("c", "d"), "b held once"
    assert found.covers(PAY, Decimal(100), {}, frozenset({"b"}))
    assert not found.covers(PAY, Decimal(100), {}, frozenset({"a", "c"}))
    assert band_of(found, "context.amount").endswith("context.amount <= 100.0 && !(c) && !(d)")


@pytest.mark.parametrize(
    ("path", "is_it"),
    [
        ("resource.seller", True),
        ("resource.seller_id", True),
        ("resource.vendor.name", True),
        ("context.new_carrier", True),
        ("resource.customer.tier", False),
        ("resource.customer.email", False),
        ("resource.order", False),
        ("resource.id", False),
        ("context.sellers", False),
    ],
)
def test_which_fields_name_the_other_side(path: str, is_it: bool) -> None:
    assert is_party(path) is is_it


@pytest.mark.parametrize(
    ("value", "number"),
    [("9000.00", Decimal("9000.00")), (7, Decimal(7)), (True, None), ("NaN", None), ("many", None), (None, None)],
)
def test_exact_numbers(value: Any, number: Decimal | None) -> None:
    assert exact(value) == number


# --- documents --------------------------------------------------------------------------------------------------
def document(**asking: Any) -> dict[str, Any]:
    ask = {"id": "limit", "effect": "escalate", "when": "context.amount > 50", "reason": "-",
           "escalate": {"path": "p", "sla": "1h"}, **asking}  # fmt: skip
    return {"priority": 10, "rules": [ask, {"id": "allow", "effect": "allow", "when": "perm.pay", "reason": "-"}]}


def test_the_rule_allows_what_was_allowed_but_for_the_question_and_only_in_the_band() -> None:
    (found,) = suggestions([said(n, 100 + n, parties=(("resource.seller", 'A "B"'),)) for n in range(25)])

    learnt = with_learnt(document(), found, amount="context.amount", reason="Seen {25} times.")

    band = band_of(found, "context.amount")
    assert band == (
        'action.name == "invoice.pay" && subject.role == "clerk" && context.currency == "EUR" && context.amount > 0'
        ' && context.amount <= 124.0 && resource.seller in ["A \\"B\\""]'
    )
    asking, rule, allow = learnt.document["rules"]
    assert asking["when"] == f"(context.amount > 50) && !({band})"
    assert (rule["id"], rule["when"], rule["priority"]) == ("learnt-limit", f"((perm.pay)) && {band}", 11)
    assert rule["reason"] == "Seen {{25}} times."
    assert allow == document()["rules"][1], "what allowed before still does"


@pytest.mark.parametrize(
    ("asking", "why"),
    [
        ({"id": "other"}, "not in the version in force"),
        ({"effect": "deny"}, "not in the version in force"),
        ({"on_missing": "skip"}, "does not ask when something is missing"),
        ({"when": "x" * 3_500}, "too long"),
    ],
)
def test_what_no_rule_is_made_of(asking: Any, why: str) -> None:
    (found,) = suggestions(MANY)

    with pytest.raises(CannotLearn, match=why):
        with_learnt(document(**asking), found, amount="context.amount", reason="-")


def test_what_another_policy_allows_is_not_learnt_here() -> None:
    (found,) = suggestions([said(n, allowed_by=()) for n in range(25)])

    with pytest.raises(CannotLearn, match="another policy"):
        with_learnt(document(), found, amount="context.amount", reason="-")
    granting = document(escalate={"path": "p", "sla": "1h", "grants": True})
    assert "(context.amount > 50)" in with_learnt(granting, found, amount="", reason="-").document["rules"][1]["when"]


# --- planted cases and samples ----------------------------------------------------------------------------------
def test_a_case_like_another_is_retold_with_what_differs() -> None:
    before = {"resource": {"id": "INV-7", "properties": {"seller": "A GmbH"}}, "context": {"amount": "9000.00"}}
    after = {"resource": {"id": "INV-8", "properties": {"seller": "A GmbH"}}, "context": {"amount": "7950.00"}}

    changed = differences(before, after)

    assert leaves(before) == {"resource.seller": "A GmbH", "context.amount": "9000.00"}
    assert changed == {"9000.00": "7950.00", "9,000.00": "7,950.00", "INV-7": "INV-8"}
    told = retold([{"text": "9000.00 EUR", "n": 1}, "Invoice INV-7", "9,000.00"], changed)
    assert told == [{"text": "7950.00 EUR", "n": 1}, "Invoice INV-8", "7,950.00"]


def test_the_sample_is_of_its_share_and_a_larger_one_holds_a_smaller_one() -> None:
    uids = [UUID(int=number * 7_919) for number in range(20_000)]
    small = {uid for uid in uids if is_sampled(uid, Decimal("0.02"))}
    large = {uid for uid in uids if is_sampled(uid, Decimal("0.10"))}

    assert 320 <= len(small) <= 480
    assert small < large
    assert not any(is_sampled(uid, Decimal(0)) for uid in uids)
    assert all(is_sampled(uid, Decimal(1)) for uid in uids)
