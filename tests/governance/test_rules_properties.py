"""The rules by chance: what must hold for every set of rules, whatever is known and whatever is left out."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from governance.language import Field, Kind, Schema
from governance.rules import PolicyRules, RuleSet, Verdict, parse_policy

NUMBERS = ("context.amount", "context.rate", "resource.count")
FLAGS = ("context.known", "resource.matched")
SCHEMA = Schema([*(Field(path, Kind.DECIMAL) for path in NUMBERS), *(Field(path, Kind.BOOL) for path in FLAGS)])
CONDITIONS = st.recursive(
    st.sampled_from(FLAGS)
    | st.builds(
        "{} {} {}".format, st.sampled_from(NUMBERS), st.sampled_from(["<", ">=", "==", "!="]), st.integers(-1, 2)
    )
    | st.builds("{} / {} > 1".format, st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)),
    lambda inner: (
        st.builds("({} && {})".format, inner, inner)
        | st.builds("({} || {})".format, inner, inner)
        | st.builds("!({})".format, inner)
        | st.builds("({} ? {} : {})".format, inner, inner, inner)
    ),
    max_leaves=6,
)
EFFECTS = st.sampled_from(["allow", "deny", "escalate"])
KNOWN = st.fixed_dictionaries(
    {path: st.integers(-1, 2).map(Decimal) for path in NUMBERS} | {path: st.booleans() for path in FLAGS}
)


@st.composite
def policies(draw: st.DrawFn) -> list[PolicyRules]:
    """One to three policies of one to four rules each, all about the same action."""
    drawn = draw(st.lists(st.lists(st.tuples(EFFECTS, CONDITIONS), min_size=1, max_size=4), min_size=1, max_size=3))
    return [parse_policy(document(number, rules), SCHEMA) for number, rules in enumerate(drawn)]


def document(number: int, rules: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "apiVersion": "autonomyos/v1", "kind": "Policy", "key": f"policy-{number}", "version": 1, "title": "By chance",
        "scope": {"actions": ["invoice.pay"]}, "rules": [written(place, *each) for place, each in enumerate(rules)],
    }  # fmt: skip


def written(place: int, effect: str, when: str) -> dict[str, Any]:
    rule = {"id": f"r{place}", "effect": effect, "when": when, "reason": "By chance."}
    return rule | ({"escalate": {"path": f"path-{place}", "sla": "4h"}} if effect == "escalate" else {})


def facts(known: dict[str, Any], without: set[str], approved: list[str] | None = None) -> dict[str, Any]:
    nested: dict[str, Any] = {
        "subject": {"status": "active"}, "action": {"name": "invoice.pay"}, "resource": {},
        "context": {"time": datetime(2026, 11, 22, tzinfo=UTC)},
    }  # fmt: skip
    for path, value in known.items():
        group, name = path.split(".")
        if path not in without:
            nested[group][name] = value
    return nested | ({"approval": {"id": "a-1", "paths": approved}} if approved is not None else {})


@settings(max_examples=200, deadline=None)
@given(policies(), KNOWN, st.sets(st.sampled_from(NUMBERS + FLAGS)))
def test_leaving_facts_out_never_gets_a_yes(rules: list[PolicyRules], known: dict[str, Any], without: set[str]) -> None:
    with_all = RuleSet(rules).decide(facts(known, set()))
    with_less = RuleSet(rules).decide(facts(known, without))

    assert with_less.verdict is not Verdict.ALLOW or with_all.verdict is Verdict.ALLOW


@settings(max_examples=100, deadline=None)
@given(policies(), KNOWN, st.sets(st.sampled_from(NUMBERS + FLAGS)), st.lists(st.sampled_from(["path-0", "path-1"])))
def test_an_approval_never_outranks_a_deny_nor_makes_up_for_an_allow(
    rules: list[PolicyRules], known: dict[str, Any], without: set[str], approved: list[str]
) -> None:
    before = RuleSet(rules).decide(facts(known, without))
    after = RuleSet(rules).decide(facts(known, without, approved))

    assert (after.verdict is Verdict.DENY) == (before.verdict is Verdict.DENY)
    assert before.verdict is not Verdict.ALLOW or after.verdict is Verdict.ALLOW


@settings(max_examples=100, deadline=None)
@given(policies(), KNOWN, st.sets(st.sampled_from(NUMBERS + FLAGS)), st.randoms())
def test_the_order_of_the_policies_decides_nothing(
    rules: list[PolicyRules], known: dict[str, Any], without: set[str], chance: Any
) -> None:
    shuffled = list(rules)
    chance.shuffle(shuffled)

    assert RuleSet(shuffled).decide(facts(known, without)) == RuleSet(rules).decide(facts(known, without))


@settings(max_examples=100, deadline=None)
@given(policies(), KNOWN, st.sets(st.sampled_from(NUMBERS + FLAGS)), st.integers(0, 9))
def test_one_more_deny_or_escalation_never_gets_a_yes(
    rules: list[PolicyRules], known: dict[str, Any], without: set[str], number: int
) -> None:
    stricter = parse_policy(document(9, [("deny" if number % 2 else "escalate", f"context.amount < {number}")]), SCHEMA)
    before = RuleSet(rules).decide(facts(known, without))
    after = RuleSet([*rules, stricter]).decide(facts(known, without))

    assert after.verdict is not Verdict.ALLOW or before.verdict is Verdict.ALLOW
