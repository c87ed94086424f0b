"""The rules by tables: how effects combine, which rule determines, what is missing, what an approval discharges."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from governance.language import Field, Kind, RequestInvalid, Schema
from governance.rules import RuleSet, Ruling, Verdict, derive, flatten, parse_policy, run_tests
from governance.rules.obligations import merge

ALLOW, DENY, ESCALATE = Verdict.ALLOW, Verdict.DENY, Verdict.ESCALATE
SCHEMA = Schema(
    [
        Field("context.amount", Kind.DECIMAL, "Amount", "EUR"),
        Field("context.count", Kind.INT),
        Field("context.flag", Kind.BOOL),
        Field("resource.email", Kind.STRING),
        Field("budget.left", Kind.DECIMAL, source="fact"),
    ]
)
FACTS: dict[str, Any] = {
    "subject": {"id": "ada", "role": "payer", "status": "active", "autonomy_level": 2},
    "action": {"name": "invoice.pay"},
    "resource": {"type": "invoice", "id": "INV-7"},
    "context": {"amount": Decimal(9000), "time": datetime(2026, 11, 22, 10, tzinfo=UTC)},
}
ALLOWING = {"id": "allow", "effect": "allow", "reason": "Fine."}


def rule(name: str, effect: str, when: str | None = None, **parts: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"id": name, "effect": effect, "reason": f"{name} says so.", **parts}
    if when is not None:
        made["when"] = when
    if effect == "escalate":
        made.setdefault("escalate", {"path": f"path-{name}", "sla": "4h"})
    if effect == "oblige":
        made.setdefault("obligations", [{"type": "log", "level": "full"}])
    return made


def document(*rules: dict[str, Any], key: str = "demo", **parts: Any) -> dict[str, Any]:
    return {
        "apiVersion": "autonomyos/v1",
        "kind": "Policy",
        "key": key,
        "version": 3,
        "title": "Demo",
        "scope": {"actions": ["invoice.pay"]},
        "rules": list(rules),
        **parts,
    }


def rule_set(*documents: dict[str, Any]) -> RuleSet:
    return RuleSet(parse_policy(each, SCHEMA) for each in documents)


def facts(**groups: dict[str, Any]) -> dict[str, Any]:
    result = deepcopy(FACTS)
    for name, values in groups.items():
        result[name] = {**result.get(name, {}), **values}
    return result


def decide(*rules: dict[str, Any], **groups: dict[str, Any]) -> Ruling:
    return rule_set(document(*rules)).decide(facts(**groups))


@pytest.mark.parametrize(
    ("rules", "verdict", "name"),
    [
        ([], DENY, None),
        ([("a", "allow")], ALLOW, "a"),
        ([("a", "allow"), ("e", "escalate")], ESCALATE, "e"),
        ([("a", "allow"), ("e", "escalate"), ("d", "deny")], DENY, "d"),
        ([("e", "escalate")], DENY, None),  # approval could not make it allowed
        ([("o", "oblige")], DENY, None),
        ([("a", "allow"), ("o", "oblige")], ALLOW, "a"),
        ([("b", "allow"), ("a", "allow")], ALLOW, "a"),
    ],
)
def test_effects_combine(rules: list[tuple[str, str]], verdict: Verdict, name: str | None) -> None:
    never = rule("never", "allow", "context.amount < 0")

    ruling = decide(never, *(rule(each, effect) for each, effect in rules))

    assert (ruling.verdict, ruling.rule) == (verdict, name)
    assert ruling.because == ((f"demo@3#{name}",) if name and len(rules) != 2 else ruling.because)


def test_an_escalation_that_grants_needs_no_allow_rule() -> None:
    asking = rule("e", "escalate", escalate={"path": "treasury", "sla": "1h", "grants": True})

    waiting = decide(asking)
    approved = decide(asking, approval={"id": "apr-1", "paths": ["treasury"]})

    assert (waiting.verdict, waiting.escalation and waiting.escalation.path) == (ESCALATE, "treasury")
    assert (approved.verdict, approved.rule, approved.approval) == (ALLOW, "e", "apr-1")


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [
        ({"priority": 1}, {"priority": 2}, "second"),
        ({"actions": ["invoice.*"]}, {"actions": ["invoice.pay"]}, "second"),
        ({"actions": ["*"]}, {"actions": ["invoice.*"]}, "second"),
        ({}, {}, "first"),
    ],
)
def test_the_determining_rule_is_the_first_in_a_total_order(
    first: dict[str, Any], second: dict[str, Any], winner: str
) -> None:
    rules = [rule("first", "deny", **first), rule("second", "deny", **second)]

    ruling = rule_set(document(*rules, scope={"actions": ["*"]})).decide(FACTS)

    assert ruling.rule == winner
    assert set(ruling.because) == {"demo@3#first", "demo@3#second"}


def test_between_policies_priority_then_key_decides() -> None:
    low = document(rule("a", "deny"), key="a.low")
    high = document(rule("z", "deny"), key="z.high", priority=5)

    assert rule_set(low, high).decide(FACTS).policy == "z.high"
    assert rule_set(low, {**high, "priority": 0}).decide(FACTS).policy == "a.low"


@pytest.mark.parametrize(
    ("effect", "parts", "verdict"),
    [
        ("deny", {}, DENY),
        ("deny", {"on_missing": "skip"}, ALLOW),
        ("escalate", {}, ESCALATE),
        ("escalate", {"on_missing": "skip"}, ALLOW),
        ("allow", {}, ALLOW),
    ],
)
def test_a_rule_whose_field_is_missing(effect: str, parts: dict[str, Any], verdict: Verdict) -> None:
    ruling = decide(ALLOWING, rule("r", effect, "context.amount > budget.left", **parts))

    assert ruling.verdict == verdict
    assert ruling.missing == ("budget.left",)
    if ruling.rule == "r":
        assert ruling.reason == "r says so. (Not given: budget.left.)"


def test_an_allow_rule_that_cannot_be_evaluated_is_named_in_the_denial() -> None:
    ruling = decide(rule("r", "allow", "context.amount < budget.left"))

    assert ruling.verdict == DENY
    assert ruling.reason == "No rule allows invoice.pay. Rule r could not be evaluated: budget.left is not given."


@pytest.mark.parametrize(("effect", "verdict"), [("deny", DENY), ("escalate", ESCALATE), ("allow", ALLOW)])
def test_a_rule_that_fails_matches_unless_it_allows_even_when_it_skips_missing_fields(
    effect: str, verdict: Verdict
) -> None:
    failing = rule("r", effect, "context.amount / context.count > 1", on_missing="skip")

    ruling = decide(ALLOWING, failing, context={"count": 0})

    assert ruling.verdict == verdict
    if effect != "allow":
        assert "Rule r could not be evaluated: context.amount / context.count: division by zero" in ruling.reason


def test_several_open_escalations_are_asked_together() -> None:
    first = rule(
        "a",
        "escalate",
        escalate={"path": "finance", "sla": "4h", "approvals": 1, "not_by": ["subject.on_behalf_of"]},
    )
    second = rule("b", "escalate", escalate={"path": "treasury", "sla": "2h", "approvals": 2, "not_by": ["subject.id"]})
    third = rule("c", "escalate", escalate={"path": "finance", "sla": "8h"})

    terms = decide(ALLOWING, first, second, third, subject={"on_behalf_of": "rita"}).escalation

    assert terms is not None
    assert (terms.path, terms.also, terms.sla_seconds, terms.approvals) == ("finance", ("treasury",), 7200, 2)
    assert (terms.not_by, terms.on_timeout, terms.grants) == (("rita", "ada"), "deny", False)


@pytest.mark.parametrize(
    ("approval", "verdict", "also", "counted"),
    [
        ({"id": "apr-1", "paths": ["path-a", "path-b"]}, ALLOW, None, "apr-1"),
        ({"id": "apr-1", "paths": ["path-a"]}, ESCALATE, (), "apr-1"),
        ({"id": "apr-1", "paths": ["other"]}, ESCALATE, ("path-b",), None),
        ({"paths": ["path-a", "path-b"]}, ESCALATE, ("path-b",), None),  # no id, no approval
        ({"id": "x", "paths": ["path-a", "path-b"], "rules": ["demo@3#a", "demo@3#b"]}, ALLOW, None, "x"),
        ({"id": "x", "paths": ["path-a", "path-b"], "rules": ["demo@3#a"]}, ESCALATE, (), "x"),
        ({"id": "x", "paths": ["path-a", "path-b"], "rules": ["demo@2#a", "demo@2#b"]}, ESCALATE, ("path-b",), None),
        ({"id": "x", "paths": ["path-a", "path-b"], "rules": []}, ESCALATE, ("path-b",), None),
    ],
)
def test_an_approval_discharges_its_paths_only(
    approval: dict[str, Any], verdict: Verdict, also: tuple[str, ...] | None, counted: str | None
) -> None:
    ruling = decide(ALLOWING, rule("a", "escalate"), rule("b", "escalate"), approval=approval)

    assert (ruling.verdict, ruling.approval) == (verdict, counted)
    assert (ruling.escalation.also if ruling.escalation else None) == also


@pytest.mark.parametrize(("excluded", "known", "verdict", "missing"), [
    ("resource.email", {"email": "bo"}, ESCALATE, ()),
    ("resource.email", {}, DENY, ("resource.email",)),  # who may not approve must be known before anybody is asked
    ("subject.on_behalf_of", {}, ESCALATE, ()),  # the agent acts for nobody
])  # fmt: skip
def test_nobody_is_asked_while_it_is_not_known_who_may_not_approve(
    excluded: str, known: dict[str, Any], verdict: Verdict, missing: tuple[str, ...]
) -> None:
    asking = rule("e", "escalate", escalate={"path": "finance", "sla": "4h", "not_by": [excluded]})

    ruling = decide(ALLOWING, asking, resource=known)

    assert (ruling.verdict, ruling.rule, ruling.missing) == (verdict, "e", missing)
    assert all(path in ruling.reason for path in missing)


def test_an_approval_does_not_outrank_a_deny_and_lifts_caps_only_when_it_counted() -> None:
    capped = {**ALLOWING, "obligations": [{"type": "cap", "field": "context.amount", "max": 5000}]}
    approval = {"id": "apr-1", "paths": ["path-e"]}

    denied = decide(capped, rule("e", "escalate"), rule("d", "deny"), approval=approval)
    lifted = decide(capped, rule("e", "escalate"), approval=approval)
    unused = decide(capped, approval=approval)

    assert denied.verdict == DENY
    assert lifted.obligations == ()
    assert unused.obligations == ({"id": "o1", "type": "cap", "field": "context.amount", "max": "5000"},)


def test_obligations_merge_by_their_laws() -> None:
    given = [
        {"type": "redact", "fields": ["b", "a"]},
        {"type": "redact", "fields": ["c", "a"]},
        {"type": "cap", "field": "x", "max": "10"},
        {"type": "cap", "field": "x", "max": "9.50"},
        {"type": "cap", "field": "y", "max": "1"},
        {"type": "log", "level": "basic"},
        {"type": "log", "level": "evidence"},
        {"type": "notify", "to": ["rita"]},
        {"type": "notify", "to": ["olu"]},
        {"type": "delay", "for": "15m"},
        {"type": "delay", "for": "1h"},
        {"type": "step_up", "level": 1},
        {"type": "step_up", "level": 2},
        {"type": "acme.mark", "text": "one"},
        {"type": "acme.mark", "text": "one"},
        {"type": "acme.mark", "text": "two"},
    ]

    merged = [{name: value for name, value in each.items() if name != "id"} for each in merge(given, caps_lifted=False)]

    assert merged == [
        {"type": "acme.mark", "text": "one"},
        {"type": "acme.mark", "text": "two"},
        {"type": "cap", "field": "x", "max": "9.50"},
        {"type": "cap", "field": "y", "max": "1"},
        {"type": "delay", "for": "1h"},
        {"type": "log", "level": "evidence"},
        {"type": "notify", "to": ["olu", "rita"]},
        {"type": "redact", "fields": ["a", "b", "c"]},
        {"type": "step_up", "level": 2},
    ]


def test_obligations_come_from_the_winning_effect_and_from_oblige_rules() -> None:
    allowing = {**ALLOWING, "obligations": [{"type": "notify", "to": ["x"]}]}
    denying = rule("d", "deny", "context.amount > 10000", obligations=[{"type": "delay", "for": "1h"}])

    allowed = decide(allowing, denying, rule("o", "oblige"))
    denied = decide(allowing, denying, rule("o", "oblige"), context={"amount": Decimal(20000)})

    assert [each["type"] for each in allowed.obligations] == ["log", "notify"]
    assert [each["type"] for each in denied.obligations] == ["delay", "log"]


@pytest.mark.parametrize("status", ["paused", "retired", "draft", None, 5])
def test_an_agent_that_is_not_active_is_denied_before_any_rule(status: object) -> None:
    ruling = decide(ALLOWING, subject={"status": status})

    assert (ruling.verdict, ruling.because) == (DENY, ("built-in#subject-not-active",))


@pytest.mark.parametrize(
    ("scope", "verdict"),
    [
        ({"resource": "invoice"}, ALLOW),
        ({"resource": "vendor"}, DENY),
        ({"roles": ["payer", "clerk"]}, ALLOW),
        ({"roles": ["clerk"]}, DENY),
        ({"environments": ["test"]}, DENY),  # not given: an allow rule is skipped
        ({"actions": ["invoice.*"]}, ALLOW),
        ({"actions": ["*"]}, ALLOW),
        ({"actions": ["invoice.pays"]}, DENY),
        ({"actions": ["inv.*"]}, DENY),
    ],
)
def test_a_policy_rules_only_within_its_scope(scope: dict[str, Any], verdict: Verdict) -> None:
    scoped = document(ALLOWING, scope={"actions": ["invoice.pay"], **scope})

    assert rule_set(scoped).decide(FACTS).verdict == verdict


@pytest.mark.parametrize(
    ("effective", "verdict"),
    [
        ({"from": "2026-11-22"}, ALLOW),
        ({"from": "2026-11-22T10:00:00Z"}, ALLOW),
        ({"from": "2026-11-23"}, DENY),
        ({"until": "2026-11-22T10:00:00Z"}, DENY),
        ({"from": "2026-01-01", "until": "2026-12-01"}, ALLOW),
        ({"from": None, "until": None}, ALLOW),
    ],
)
def test_a_policy_rules_only_while_it_is_in_force(effective: dict[str, Any], verdict: Verdict) -> None:
    assert rule_set(document(ALLOWING, effective=effective)).decide(FACTS).verdict == verdict


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"subject": 5},
        {"subject": {"status": "active"}},
        {**FACTS, "context": "x"},
        {**FACTS, "action": {"name": 5}},
    ],
)
def test_facts_of_an_odd_shape_are_denied_not_raised(broken: dict[str, Any]) -> None:
    ruling = rule_set(document(rule("a", "allow", "context.amount < 10000"))).decide(broken)

    assert ruling.verdict == DENY
    assert ruling.reason


def test_an_unforeseen_fault_is_a_denial_that_says_so() -> None:
    class Faulty(dict[str, Any]):
        def get(self, *_: object) -> Any:
            raise MemoryError

    ruling = rule_set(document(ALLOWING)).decide(Faulty())

    assert ruling.verdict == DENY
    assert ruling.reason.startswith("The rules could not be evaluated; nothing is allowed.")


def test_values_that_were_never_typed_do_not_let_pass() -> None:
    allowing = rule("a", "allow", "context.flag")

    assert decide(allowing, context={"flag": "no"}).verdict == DENY
    assert decide(allowing, context={"flag": True}).verdict == ALLOW


def test_the_reason_has_exact_values_and_explain_has_each_condition() -> None:
    limit = rule(
        "limit",
        "deny",
        "context.amount > 5000 && !context.flag",
        reason="{context.amount} EUR by {subject.id}.",
    )
    rules = rule_set(document(limit, scope={"actions": ["invoice.pay"], "resource": "invoice"}))
    asked = facts(context={"amount": Decimal("9000.10"), "flag": False})

    assert rules.decide(asked).reason == "9,000.10 EUR by ada."
    assert [(each.text, each.actual, each.outcome) for each in rules.explain(asked, "demo@3#limit")] == [
        ("context.amount > 5000", "9,000.10 EUR", "true"),
        ("!context.flag", "no", "true"),
    ]
    with pytest.raises(KeyError):
        rules.explain(asked, "demo@3#other")


def test_a_set_knows_the_fields_an_action_needs_and_changes_its_version_with_its_content() -> None:
    paying = document(rule("a", "allow", "context.amount < budget.left", reason="For {resource.email}."))
    other = document(rule("b", "deny", "context.flag"), key="other", scope={"actions": ["vendor.*"], "resource": "v"})

    rules = rule_set(paying, other)

    assert rules.needs("invoice.pay") == {"context.amount", "budget.left", "resource.email"}
    assert rules.needs("vendor.create") == {"context.flag", "resource.type"}
    assert rules.needs("nothing.known") == frozenset()
    assert rules.version == rule_set(other, paying).version
    assert rules.version != rule_set(other, {**paying, "title": "Changed"}).version


def test_the_same_facts_always_get_the_same_ruling_from_many_threads() -> None:
    rules = rule_set(document(ALLOWING, rule("e", "escalate", "context.amount > budget.left * 1.5")))
    questions = [facts(budget={"left": Decimal(left)}) for left in (1, 9000)] * 200
    alone = [rules.decide(asked) for asked in questions]

    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(rules.decide, questions))

    assert together == alone


def test_a_question_becomes_facts_and_no_property_can_hide_a_name() -> None:
    request = {
        "subject": {"type": "agent", "id": "ada", "properties": {"role": "payer"}},
        "action": {"name": "invoice.pay"},
        "resource": {"type": "invoice", "id": "INV-7", "properties": {"email": "a@b.c"}},
        "context": {"amount": "5"},
        "facts": {"budget": {"left": "9"}},
    }

    assert flatten(request)["subject"] == {"type": "agent", "id": "ada", "role": "payer"}
    assert flatten(request)["budget"] == {"left": "9"}
    request["resource"]["properties"]["id"] = "INV-8"  # type: ignore[index]
    with pytest.raises(RequestInvalid, match=r"resource\.properties\.id: stands beside"):
        flatten(request)
    with pytest.raises(RequestInvalid, match=r"facts\.context"):
        flatten({"context": {}, "facts": {"context": {"amount": 1}}})
    with pytest.raises(RequestInvalid, match="subject: must be an object"):
        flatten({"subject": "ada"})


def test_the_hour_follows_from_the_time() -> None:
    assert derive(facts())["context"]["hour"] == 10
    assert derive({"context": {}}) == {"context": {}}


def test_tests_in_a_document_tell_what_they_expected_and_what_came() -> None:
    tests = [
        {"name": "allowed", "expect": {"effect": "allow", "rule": "small"}},
        {"name": "wrong", "request": {"context": {"amount": "9000"}}, "expect": {"effect": "allow"}},
        {"name": "typo", "request": {"context": {"amuont": "9"}}, "expect": {"effect": "allow"}},
        {"name": "without", "without": ["context.amount"], "expect": {"effect": "deny", "rule": None}},
        {"name": "with a fact", "facts": {"budget": {"left": "1"}}, "expect": {"effect": "allow"}},
    ]
    base = {"subject": {"id": "ada"}, "action": {"name": "invoice.pay"}, "context": {"amount": "10"}}
    small = rule("small", "allow", "context.amount < 5000")

    results = run_tests(document(small, tests=tests, base_request=base), SCHEMA)

    assert [result.passed for result in results] == [True, False, False, True, True]
    assert results[1].actual == {"effect": "deny"}
    assert "context.amuont: is not a known field. Did you mean `context.amount`?" in results[2].problem
    assert results[0].matched == ("demo@3#small",)
