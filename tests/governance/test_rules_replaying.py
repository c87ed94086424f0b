"""Replaying as a rule: facts come back as they were, the same rules give no difference, and the counts add up."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.language import Field, Kind, Schema
from governance.operations.decisions import texts
from governance.rules import PolicyRules, RuleSet, parse_policy, with_standard_fields
from governance.rules.recorded import FactsReader, for_these_versions, reached_rules
from governance.rules.replaying import (
    BAND_WORDS,
    Cell,
    Pair,
    Replaying,
    Tally,
    answer_of,
    as_data,
    band_of,
    by_rule,
    cell_of,
    effort,
    from_data,
    lines,
    matrix,
    of_agents,
)
from tests.governance.test_rules_properties import FLAGS, KNOWN, NUMBERS, SCHEMA, document, facts, policies

KINDS = Schema(
    [
        Field("context.amount", Kind.DECIMAL), Field("context.at", Kind.TIMESTAMP), Field("context.for", Kind.DURATION),
        Field("context.count", Kind.INT), Field("context.name", Kind.STRING), Field("context.sure", Kind.BOOL),
        Field("context.sums", Kind.LIST, item=Kind.DECIMAL), Field("context.names", Kind.LIST, item=Kind.STRING),
        Field("context.times", Kind.LIST, item=Kind.TIMESTAMP),
    ]
)  # fmt: skip
SPANS = st.timedeltas(timedelta(days=-700_000), timedelta(days=2_900_000))
MOMENTS = SPANS.map(lambda span: datetime(2026, 1, 1, tzinfo=UTC) + span)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "amount": DECIMALS, "at": MOMENTS,
        "for": st.timedeltas(timedelta(days=-9_000), timedelta(days=9_000)), "count": st.integers(-(2**53), 2**53),
        "name": st.text(st.characters(exclude_categories=["Cs"]), max_size=20), "sure": st.booleans(),
        "sums": st.lists(DECIMALS, max_size=3).map(tuple), "names": st.lists(st.text("ab"), max_size=3).map(tuple),
        "times": st.lists(MOMENTS, max_size=2).map(tuple),
    },
)  # fmt: skip


def kept(given_facts: Any) -> Any:
    """The facts as the database gives them back: through JSON text."""
    return json.loads(json.dumps(texts(given_facts)))


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_facts_come_back_from_json_text_exactly_as_they_were(values: dict[str, Any]) -> None:
    read = FactsReader(KINDS, KINDS.paths).read(kept({"context": values}))

    assert read == {"context": values}
    assert {name: str(value) for name, value in read["context"].items()} == {
        name: str(value) for name, value in values.items()
    }, "also every trailing zero"


def test_what_no_longer_fits_its_field_stays_and_nobody_stumbles() -> None:
    odd = {"context": {"amount": "many", "at": "soon", "for": 5, "sums": "1", "names": ["a"]}, "resource": "x"}
    schema = Schema([*KINDS.fields, Field("resource.total.net", Kind.DECIMAL)])

    read = FactsReader(schema, schema.paths).read(kept(odd))

    assert read == {**odd, "context": {**odd["context"], "names": ("a",)}}


def replaying(before: list[PolicyRules], after: list[PolicyRules]) -> Replaying:
    return Replaying(RuleSet(before), RuleSet(after), with_standard_fields(SCHEMA), key="policy-0")


@settings(max_examples=200, deadline=None)
@given(policies(), st.lists(st.tuples(KNOWN, st.sets(st.sampled_from(NUMBERS + FLAGS))), min_size=1, max_size=5))
def test_the_same_rules_give_the_recorded_answers_again(rules: list[PolicyRules], asked: Any) -> None:
    tried = replaying(rules, rules)
    for known, without in asked:
        question = facts(known, without)
        answered = answer_of(RuleSet(rules).decide(question))

        pair = tried.recorded("invoice.pay", kept(question))

        assert pair == Pair(answered, answered)
        assert not pair.is_flip and not pair.is_moved


@settings(max_examples=100, deadline=None)
@given(policies(), policies(), st.lists(KNOWN, min_size=1, max_size=6))
def test_remembered_answers_are_those_that_the_rules_give(before: Any, after: Any, asked: list[dict[str, Any]]) -> None:
    tried = replaying(before, after)
    for known in asked * 2:
        question = facts(known, set())

        pair = tried.recorded("invoice.pay", kept(question))

        assert pair.before == answer_of(RuleSet(before).decide(question))
        assert pair.after == answer_of(RuleSet(after).decide(question))


@settings(max_examples=100, deadline=None)
@given(policies(), policies(), st.lists(st.tuples(KNOWN, st.integers(1, 3)), min_size=1, max_size=20))
def test_all_tables_add_up_to_the_questions(before: Any, after: Any, asked: Any) -> None:
    tried, tally = replaying(before, after), Tally()
    for known, agent in asked:
        question = kept(facts(known, set()))
        pair = tried.recorded("invoice.pay", question)
        tally.add(cell_of(pair, agent=agent, band=band_of(question)), pair, given=pair.before.verdict)

    counts = from_data(json.loads(json.dumps(as_data(tally.cells))))

    flips = sum(many for (old, new), many in matrix(counts).items() if old != new)
    assert counts == dict(tally.cells) and tally.changed_since == 0
    assert sum(matrix(counts).values()) == len(asked)
    for name_of in (lambda cell: [str(cell.agent)], lambda cell: [cell.band]):
        table = lines(counts, name_of)
        assert sum(line.total for line in table) == len(asked)
        assert sum(line.flips for line in table) == flips == sum(many for line in table for _, many in line.moves)
    parts = [of_agents(counts, {agent}) for agent in (1, 2, 3)]
    assert sum((Counter(part) for part in parts), Counter()) == Counter(counts)


@pytest.mark.parametrize(
    ("because", "reached"),
    [
        (["finance.invoice-payment@7#ip-limit"], True),
        (["built-in#subject-not-active"], True),
        ([], True),  # no rule allowed it
        (["control-state"], False),
        (["outside-the-job"], False),
        (["answered-before"], False),
    ],
)
def test_what_answered_before_the_rules_is_told_apart(because: list[str], reached: bool) -> None:
    assert reached_rules(because) is reached


@pytest.mark.parametrize(
    ("amount", "band"),
    [
        (None, "none"), ("many", "none"), ("NaN", "none"), (True, "none"), ("-5", "b0"), ("99.99", "b0"),
        ("100", "b1"), (Decimal("999.99"), "b1"), ("1E+3", "b2"), (10_000, "b3"), ("99999.99", "b3"), ("100000", "b4"),
    ],
)  # fmt: skip
def test_an_amount_belongs_to_the_band_that_begins_with_it(amount: Any, band: str) -> None:
    assert band_of({"context": {"amount": amount}}) == band
    assert band in BAND_WORDS


def cell(before: str, after: str, *, path: str = "", path_before: str = "", agent: int = 1) -> Cell:
    return Cell(agent, "b1", before, after, f"p@1#{before}", f"p@2#{after}", path_before, path, False)


@pytest.mark.parametrize(
    ("counts", "medians", "more", "fewer", "seconds", "unknown"),
    [
        ({cell("allow", "escalate", path="a"): 41}, {"a": "600", "": "60"}, 41, 0, "24600", 0),
        ({cell("allow", "escalate", path="b"): 2}, {"a": "600", "": "60"}, 2, 0, "120", 0),  # of all paths
        ({cell("allow", "escalate", path="b"): 2}, {}, 2, 0, "0", 2),  # nobody decided anything yet
        ({cell("escalate", "deny", path_before="a"): 3}, {"a": "10"}, 0, 3, "-30", 0),
        ({cell("escalate", "escalate", path="b", path_before="a"): 9}, {"a": "10"}, 0, 0, "0", 0),
        ({cell("allow", "deny"): 9}, {"a": "10"}, 0, 0, "0", 0),
    ],
)
def test_reviewers_have_that_much_more_to_do(
    counts: Any, medians: Any, more: int, fewer: int, seconds: str, unknown: int
) -> None:
    found = effort(counts, medians)

    assert (found.more, found.fewer, found.seconds, found.unknown) == (more, fewer, Decimal(seconds), unknown)


def test_rules_are_listed_only_where_answers_differ() -> None:
    table = by_rule({cell("allow", "escalate"): 4, cell("deny", "deny"): 100})

    assert [(line.name, line.flips) for line in table] == [("p@1#allow", 4), ("p@2#escalate", 4)]
    assert table[0].moves == ((("allow", "escalate"), 4),)


def strict(version: int, number: int, path: str = "path-1") -> PolicyRules:
    rules = [("allow", "context.known"), ("escalate", f"context.amount > {number}")]
    written = {**document(0, rules), "version": version}
    written["rules"][1]["escalate"]["path"] = path
    return parse_policy(written, SCHEMA)


def test_a_lower_limit_asks_and_other_terms_are_told_apart() -> None:
    known = {"context.amount": Decimal(5), "context.known": True}

    lower = replaying([strict(1, 9)], [strict(2, 1)]).recorded("invoice.pay", kept(facts(known, set())))
    elsewhere = replaying([strict(1, 1)], [strict(2, 1, "path-7")]).recorded("invoice.pay", kept(facts(known, set())))
    same = replaying([strict(1, 1)], [strict(2, 2)]).recorded("invoice.pay", kept(facts(known, set())))

    assert (lower.before.verdict, lower.after.verdict, lower.is_flip) == ("allow", "escalate", True)
    assert (elsewhere.is_flip, elsewhere.is_moved) == (False, True)
    assert (same.is_flip, same.is_moved) == (False, False), "another version number is no difference"


def test_what_a_person_approved_counts_for_the_same_rule_of_the_new_version() -> None:
    approval = {"id": "a-1", "paths": ("path-1",), "rules": ("policy-0@1#r1", "other@3#r1")}
    question = {**facts({"context.amount": Decimal(5), "context.known": True}, set()), "approval": approval}

    pair = replaying([strict(1, 1)], [strict(2, 1)]).recorded("invoice.pay", kept(question))

    assert (pair.before.verdict, pair.after.verdict) == ("allow", "allow")
    renamed = for_these_versions(question, RuleSet([strict(2, 1)]))
    assert renamed["approval"]["rules"] == ("policy-0@2#r1", "other@3#r1")
    assert question["approval"]["rules"] == ("policy-0@1#r1", "other@3#r1"), "the facts themselves stay"


def test_only_actions_of_the_policy_are_touched() -> None:
    tried = replaying([strict(1, 1)], [strict(2, 1)])

    assert tried.touches("invoice.pay")
    assert not tried.touches("order.read")
