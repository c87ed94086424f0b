"""Conditions in words: what people read in place of an expression, and what is left of it for one subject."""

import pytest

from governance.language import Field, Kind, Schema, compile_expression
from governance.rules import RuleSet, parse_policy
from governance.rules.boundaries import boundaries
from governance.rules.words import in_words

SCHEMA = Schema(
    [
        Field("context.amount", Kind.DECIMAL, "Amount", "EUR"),
        Field("context.order", Kind.DECIMAL, "Order"),
        Field("context.time", Kind.TIMESTAMP, "Time"),
        Field("context.wait", Kind.DURATION, "Waiting"),
        Field("resource.tags", Kind.LIST, "Tags", item=Kind.STRING),
        Field("resource.id", Kind.STRING, "Thing"),
        Field("resource.open", Kind.BOOL, "Open"),
        Field("subject.role", Kind.STRING, "Role", source="fact"),
        Field("subject.teams", Kind.LIST, "Teams", source="fact", item=Kind.STRING),
        Field("lists.sanctioned", Kind.LIST, "Sanctioned countries", source="fact", item=Kind.STRING),
    ]
)


@pytest.mark.parametrize(("text", "words"), [
    ("context.amount > 5000", "Amount above 5,000 EUR"),
    ("context.amount > context.order * 1.02 + 5", "Amount above (Order times 1.02) plus 5"),
    ("resource.id in lists.sanctioned", "Sanctioned countries include Thing"),
    ('resource.id.startsWith("INV-")', "Thing starts with INV-"),
    ('resource.id.matches("^A")', "Thing matches the pattern ^A"),
    ("resource.tags.size() > 2", "the size of Tags above 2"),
    ("size(resource.tags) > 2", "the size of Tags above 2"),
    ('resource.tags.exists(x, x == "urgent")', "at least one of Tags is urgent"),
    ('resource.tags.all(x, x in ["a", "b"])', "each of Tags is one of a, b"),
    ('!resource.tags.exists(x, x.contains("!"))', "not (at least one of Tags contains !)"),
    ('resource.tags.exists_one(x, x == "a" || x == resource.id)',
     "exactly one x of Tags with (x is a or x is Thing)"),
    ("resource.tags.exists(x, x == x.lowerAscii())", "at least one x of Tags with x is x in small letters"),
    ('resource.tags.filter(x, x != "a").size() > 1', "the size of Tags (only x with x is not a) above 1"),
    ('resource.tags[0] == "a"', "item 1 of Tags is a"),
    ('context.amount > {"payer": 5000, "clerk": 100}[subject.role]',
     "Amount above the value for Role (payer 5,000, clerk 100)"),
    ("context.amount > (resource.open ? 10 : 20)", "Amount above 10 if Open: yes, else 20"),
    ("min(context.amount, context.order) < 5", "the lowest of Amount, Order below 5"),
    ('context.time.getHours("Europe/Berlin") >= 18', "hours of Time in Europe/Berlin at least 18"),
    ('context.wait > duration("24h")', "Waiting above 24h"),
])  # fmt: skip
def test_a_condition_reads_as_a_sentence(text: str, words: str) -> None:
    assert in_words(compile_expression(text, SCHEMA).tree, SCHEMA) == words


@pytest.mark.parametrize(("when", "left"), [
    ('subject.teams.exists(x, x == "finance") && context.amount > 5', ("Amount above 5 EUR",)),
    ('subject.teams.exists(x, x == "sales") && context.amount > 5', None),
    ('subject.teams.all(x, x != resource.id)', ("each of Teams is not Thing",)),
    ('["a", "b"].exists(x, x == "a")', ()),
])  # fmt: skip
def test_a_loop_over_known_facts_is_settled_before_any_question(when: str, left: tuple[str, ...] | None) -> None:
    document = {
        "apiVersion": "autonomyos/v1", "kind": "Policy", "key": "t.loops", "version": 1, "title": "Loops",
        "scope": {"actions": ["invoice.pay"]},
        "rules": [{"id": "r", "effect": "deny", "when": when, "reason": "No."}],
    }  # fmt: skip
    rules = RuleSet([parse_policy(document, SCHEMA)])

    found = boundaries(rules, "invoice.pay", {"subject": {"teams": ("finance", "eu")}})

    assert [boundary.conditions for boundary in found] == ([] if left is None else [left])
    assert rules.needs("invoice.pay") <= {"subject.teams", "context.amount", "resource.id"}
