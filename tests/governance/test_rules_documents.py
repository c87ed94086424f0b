"""Policy documents by tables: everything that is wrong is refused, and told with its path and place."""

from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.language import Field, Kind, Schema
from governance.rules import PolicyInvalid, parse_policy, run_tests

SCHEMA = Schema([Field("context.amount", Kind.DECIMAL), Field("context.note", Kind.STRING)])
DOCUMENT: dict[str, Any] = {
    "apiVersion": "autonomyos/v1",
    "kind": "Policy",
    "key": "finance.invoice-payment",
    "version": 7,
    "title": "Invoice payment",
    "owner": "finance-control",
    "status": "active",
    "priority": 100,
    "effective": {"from": date(2026, 12, 1), "until": None},
    "scope": {"actions": ["invoice.pay", "vendor.*"], "resource": "invoice", "roles": ["payer"]},
    "rules": [
        {
            "id": "limit",
            "effect": "escalate",
            "when": "context.amount > 5000",
            "reason": "{context.amount} is above the limit.",
            "escalate": {
                "path": "finance-approver",
                "sla": "4h",
                "on_timeout": "deny",
                "not_by": ["subject.id"],
            },
        },
        {
            "id": "allow",
            "effect": "allow",
            "reason": "Below the limit.",
            "obligations": [{"type": "cap", "field": "context.amount", "max": Decimal("5000.50")}],
        },
    ],
    "base_request": {"action": {"name": "invoice.pay"}},
    "tests": [{"name": "small", "expect": {"effect": "allow", "escalation.sla": None, "obligations.cap": None}}],
}
NOTHING = object()


def changed(path: str, value: object) -> dict[str, Any]:
    document = deepcopy(DOCUMENT)
    inner: Any = document
    *steps, last = [int(step) if step.isdecimal() else step for step in path.split("/")]
    for step in steps:
        inner = inner[step]
    if value is NOTHING:
        del inner[last]
    else:
        inner[last] = value
    return document


def test_a_good_document_becomes_rules() -> None:
    policy = parse_policy(DOCUMENT, SCHEMA)

    assert (policy.key, policy.version, policy.status, policy.priority) == (
        "finance.invoice-payment",
        7,
        "active",
        100,
    )
    assert policy.effective_from == datetime(2026, 12, 1, tzinfo=UTC)
    assert [rule.ref for rule in policy.rules] == [
        "finance.invoice-payment@7#limit",
        "finance.invoice-payment@7#allow",
    ]
    terms = policy.rules[0].escalate
    assert terms is not None
    assert (terms.path, terms.sla_seconds, terms.approvals, terms.not_by) == (
        "finance-approver",
        14400,
        1,
        ("subject.id",),
    )
    assert len(policy.digest) == 64


@pytest.mark.parametrize(
    ("path", "value", "where", "message"),
    [
        ("apiVersion", "v2", "apiVersion", "one of autonomyos/v1"),
        ("kind", "Polciy", "kind", "Did you mean `Policy`?"),
        ("key", NOTHING, "key", "missing"),
        ("key", "a b", "key", "name of letters"),
        ("version", 0, "version", "whole number from 1"),
        ("version", True, "version", "whole number from 1"),
        ("version", "7", "version", "whole number from 1"),
        ("title", "", "title", "text of 1 to"),
        ("titel", "x", "titel", "Did you mean `title`?"),
        ("status", "actve", "status", "Did you mean `active`?"),
        ("priority", 1.5, "priority", "whole number"),
        ("effective", "today", "effective", "object"),
        ("effective/from", "soon", "effective.from", "date such as"),
        ("effective/from", "2026-13-01", "effective.from", "date such as"),
        ("effective/until", "2026-11-30", "effective.until", "later than"),
        ("effective/til", "2026-11-30", "effective.til", "not known here"),
        ("scope", [], "scope", "object"),
        ("scope/actions", [], "scope.actions", "at least one"),
        ("scope/actions", "invoice.pay", "scope.actions", "Must be a list"),
        ("scope/actions", ["Invoice Pay"], "scope.actions[0]", "Must be an action"),
        ("scope/rolls", [], "scope.rolls", "Did you mean `roles`?"),
        ("scope/resource", 5, "scope.resource", "name of letters"),
        ("rules", [], "rules", "1 to 1,000 rules"),
        ("rules", {}, "rules", "Must be a list"),
        ("rules/1", "x", "rules[1]", "object"),
        ("rules/1/id", "limit", "rules[1].id", "more than one rule"),
        ("rules/1/id", NOTHING, "rules[1]", "`id` is missing"),
        ("rules/1/effect", "alow", "rules[1].effect", "Did you mean `allow`?"),
        ("rules/1/wehn", "true", "rules[1].wehn", "Did you mean `when`?"),
        ("rules/1/when", True, "rules[1].when", "written as text"),
        ("rules/1/when", "", "rules[1].when", "empty"),
        ("rules/1/reason", NOTHING, "rules[1]", "`reason` is missing"),
        ("rules/1/reason", "{context.amuont}", "rules[1].reason", "Did you mean `context.amount`?"),
        ("rules/1/actions", ["refund.issue"], "rules[1].actions[0]", "outside the policy's scope"),
        ("rules/1/priority", "high", "rules[1].priority", "whole number"),
        ("rules/1/on_missing", "match", "rules[1].on_missing", "never allows"),
        ("rules/1/on_missing", "ignore", "rules[1].on_missing", "match, skip"),
        ("rules/1/escalate", {"path": "x", "sla": "1h"}, "rules[1].escalate", "Only a rule"),
        ("rules/0/escalate", NOTHING, "rules[0]", "`escalate` is missing"),
        ("rules/0/escalate/path", NOTHING, "rules[0].escalate", "`path` is missing"),
        ("rules/0/escalate/sla", "soon", "rules[0].escalate.sla", "length of time"),
        ("rules/0/escalate/sla", "-4h", "rules[0].escalate.sla", "length of time"),
        ("rules/0/escalate/sla", "999d", "rules[0].escalate.sla", "length of time"),
        ("rules/0/escalate/on_timeout", "allow", "rules[0].escalate.on_timeout", "one of deny"),
        ("rules/0/escalate/amend", {}, "rules[0].escalate.amend", "1 to 10 fields"),
        ("rules/0/escalate/amend", {"sum": {"at_most": 5}}, "rules[0].escalate.amend.sum", "not a known field"),
        ("rules/0/escalate/amend", {"amount": {}}, "rules[0].escalate.amend.amount", "at_least, at_most"),
        ("rules/0/escalate/amend", {"amount": {"one_of": ["5"]}}, "rules[0].escalate.amend.amount.one_of", "not known"),
        ("rules/0/escalate/amend", {"note": {"at_most": 5}}, "rules[0].escalate.amend.note.at_most", "not known"),
        ("rules/0/escalate/amend", {"amount": {"at_most": "lots"}}, "rules[0].escalate.amend.amount.at_most", "number"),
        (
            "rules/0/escalate/amend",
            {"amount": {"at_most": "context.note"}},
            "rules[0].escalate.amend.amount.at_most",
            "holds a number",
        ),
        ("rules/0/escalate/confirm", {}, "rules[0].escalate.confirm", "Say what is confirmed"),
        ("rules/0/escalate/confirm", {"type": "context.sum"}, "rules[0].escalate.confirm.type", "not a known field"),
        ("rules/0/escalate/confirm", {"type": "subject.id"}, "rules[0].escalate.confirm.type", "not a known field"),
        ("rules/0/escalate/confirm", {"checklist": ["a"] * 11}, "rules[0].escalate.confirm.checklist", "10 lines"),
        ("rules/0/escalate/confirm", {"checklist": "a"}, "rules[0].escalate.confirm.checklist", "list"),
        ("rules/0/escalate/approvals", 0, "rules[0].escalate.approvals", "whole number from 1"),
        (
            "rules/0/escalate/not_by",
            ["subject.idd"],
            "rules[0].escalate.not_by[0]",
            "Did you mean `subject.id`?",
        ),
        (
            "rules/0/escalate/not_by",
            ["context.amount"],
            "rules[0].escalate.not_by[0]",
            "person's or agent's id",
        ),
        ("rules/0/escalate/grants", "yes", "rules[0].escalate.grants", "true or false"),
        ("rules/0/escalate/aprovals", 2, "rules[0].escalate.aprovals", "Did you mean `approvals`?"),
        ("rules/1/effect", "oblige", "", ""),
        ("rules/1/obligations", {}, "rules[1].obligations", "Must be a list"),
        ("rules/1/obligations/0/type", "capp", "rules[1].obligations[0].type", "Did you mean `cap`?"),
        ("rules/1/obligations/0/max", NOTHING, "rules[1].obligations[0]", "`max` is missing"),
        ("rules/1/obligations/0/max", 0.5, "rules[1].obligations[0].max", "exact number"),
        ("rules/1/obligations/0/field", "context.note", "rules[1].obligations[0].field", "holds a number"),
        ("rules/1/obligations/0/min", 1, "rules[1].obligations[0].min", "not known here"),
        (
            "rules/1/obligations",
            [{"type": "log", "level": "ful"}],
            "rules[1].obligations[0].level",
            "`full`?",
        ),
        (
            "rules/1/obligations",
            [{"type": "redact", "fields": []}],
            "rules[1].obligations[0].fields",
            "at least one",
        ),
        (
            "rules/1/obligations",
            [{"type": "delay", "for": "x"}],
            "rules[1].obligations[0].for",
            "length of time",
        ),
        (
            "rules/1/obligations",
            [{"type": "step_up", "level": 0}],
            "rules[1].obligations[0].level",
            "whole number",
        ),
        ("tests/0/expect", {}, "tests[0].expect", "`effect` is missing"),
        ("tests/0/expect/effect", "oblige", "tests[0].expect.effect", "one of allow, deny, escalate"),
        ("tests/0/expect/escalation.slo", 1, "tests[0].expect.escalation.slo", "Did you mean"),
        ("tests/0/witout", ["x"], "tests[0].witout", "Did you mean `without`?"),
        ("base_request/acton", {}, "base_request.acton", "Did you mean `action`?"),
        ("base_request/action", "x", "base_request.action", "object"),
        ("base_request/facts", {"context": 3}, "base_request.facts.context", "object"),
        ("tests/0/facts", {"perm": 3}, "tests[0].facts.perm", "object"),
        ("tests/0/facts", 3, "tests[0].facts", "object"),
        ("key", "k" * 81, "key", "at most 80"),
        ("rules/0/id", "i" * 81, "rules[0].id", "at most 80"),
        ("title", "t" * 201, "title", "1 to 200 characters"),
    ],
)
def test_a_wrong_document_is_told_with_its_path(path: str, value: object, where: str, message: str) -> None:
    if not where:
        assert parse_policy(changed(path, value), SCHEMA).rules[1].effect == value
        return
    with pytest.raises(PolicyInvalid) as refused:
        parse_policy(changed(path, value), SCHEMA)

    told = [(problem.path, str(problem)) for problem in refused.value.problems]
    assert any(found == where and message in text for found, text in told), told


def test_reading_stops_at_fifty_problems_however_many_rules_are_wrong() -> None:
    rules = [{"id": f"r{number}", "effect": "allow", "when": "ctx.a", "reason": "{ctx.b}"} for number in range(1000)]

    with pytest.raises(PolicyInvalid) as refused:
        parse_policy(changed("rules", rules), SCHEMA)

    assert len(refused.value.problems) == 50


def test_a_condition_that_does_not_compile_is_told_with_line_and_column() -> None:
    text = "context.amount > 5000 &&\n  context.noet == 'x'"

    with pytest.raises(PolicyInvalid) as refused:
        parse_policy(changed("rules/0/when", text), SCHEMA)

    (problem,) = refused.value.problems
    assert (problem.path, problem.line, problem.column, problem.length) == ("rules[0].when", 2, 3, 12)
    assert problem.suggestion == "Did you mean `context.note`?"
    assert str(problem).startswith("rules[0].when, line 2, column 3: ")


@pytest.mark.parametrize("value", [{1: "x", "type": "acme.mark"}, {"type": "acme.mark", "x": float("nan")}])
def test_what_json_cannot_hold_is_refused(value: dict[Any, Any]) -> None:
    with pytest.raises(PolicyInvalid, match="JSON cannot hold"):
        parse_policy(changed("rules/1/obligations", [value]), SCHEMA)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    document = changed("rules/0/when", "context.amuont > 5")
    document["rules"][1]["effect"] = "alow"
    document["status"] = "on"

    with pytest.raises(PolicyInvalid) as refused:
        parse_policy(document, SCHEMA)

    assert {problem.path for problem in refused.value.problems} == {
        "rules[0].when",
        "rules[1].effect",
        "status",
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
PLACES = [
    "apiVersion", "key", "version", "effective", "effective/from", "scope", "scope/actions", "scope/roles", "rules",
    "rules/0", "rules/0/id", "rules/0/effect", "rules/0/when", "rules/0/reason", "rules/0/escalate",
    "rules/0/escalate/not_by", "rules/1/obligations", "rules/1/obligations/0", "rules/1/obligations/0/type",
    "rules/1/actions", "tests", "tests/0", "tests/0/expect", "tests/0/without", "tests/0/facts", "base_request",
    "base_request/facts",
]  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(PLACES), JSON)
def test_any_value_at_any_place_is_read_and_its_tests_run_or_refused(path: str, value: object) -> None:
    document = changed(path, value)
    try:
        parse_policy(document, SCHEMA)
        run_tests(document, SCHEMA)
    except PolicyInvalid as refused:
        assert refused.problems
