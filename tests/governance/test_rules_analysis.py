"""Analysis of rules: a table of findings, and what it claims tried against every request of a small world."""

import itertools
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.language import Field, Kind, Schema, compile_expression
from governance.rules import PolicyRules, RuleSet, parse_policy, with_standard_fields
from governance.rules.analysis import Drawn, Finding, Sort, Surroundings, analyse
from governance.rules.analysis.domains import Ordered, Span, Words
from governance.rules.analysis.regions import TooManyBoxes, Universe

SCHEMA = with_standard_fields(
    Schema(
        [
            Field("context.amount", Kind.DECIMAL, "Amount"),
            Field("context.currency", Kind.STRING, "Currency", enum=("EUR", "USD", "CHF")),
            Field("context.left", Kind.DECIMAL, "Left today", source="fact"),
            Field("resource.days", Kind.INT, "Days"),
            Field("resource.matched", Kind.BOOL, "Matched"),
            Field("resource.country", Kind.STRING, "Country"),
            Field("resource.tags", Kind.LIST, "Tags", item=Kind.STRING),
            Field("lists.embargo", Kind.LIST, "Embargo", source="fact", item=Kind.STRING),
        ]
    )
)
AROUND = Surroundings(
    actions=frozenset({"invoice.pay", "invoice.read"}),
    money={"invoice.pay": ("context.amount",)},
    reviewers={"finance": 2, "nobody": 0},
    lists={"embargo": ("KP", "IR")},
)


def policy(*rules: dict[str, Any], actions: tuple[str, ...] = ("invoice.pay",), key: str = "p") -> PolicyRules:
    """A policy with these rules; each has an id and a reason unless it gives them."""
    written = [{"id": f"r{n}", "reason": "Because."} | rule for n, rule in enumerate(rules)]
    document = {
        "apiVersion": "autonomyos/v1", "kind": "Policy", "key": key, "version": 1, "title": "A policy",
        "scope": {"actions": list(actions)}, "rules": written,
    }  # fmt: skip
    return parse_policy(document, SCHEMA)


def allow(when: str = "true", **more: Any) -> dict[str, Any]:
    return {"effect": "allow", "when": when, **more}


def deny(when: str = "true", **more: Any) -> dict[str, Any]:
    return {"effect": "deny", "when": when, **more}


def ask(when: str = "true", path: str = "finance", sla: str = "4h", approvals: int = 1, **more: Any) -> dict[str, Any]:
    return {"effect": "escalate", "when": when, "escalate": {"path": path, "sla": sla, "approvals": approvals}, **more}


def found(*rules: dict[str, Any], **more: Any) -> list[Finding]:
    return list(analyse([policy(*rules, **more)], SCHEMA, AROUND))


def said(findings: list[Finding], *sorts: Sort) -> list[tuple[str, str]]:
    return [(finding.sort.value, finding.rule) for finding in findings if finding.sort in (sorts or tuple(Sort))]


EUR = 'context.currency == "EUR"'


@pytest.mark.parametrize(
    ("rules", "sort", "rule"),
    [
        # dead: the condition contradicts itself
        ([deny("has(context.amount) && context.amount > 5 && context.amount < 5")], Sort.DEAD, "r0"),
        ([deny("resource.days > 2 && resource.days < 3", on_missing="skip")], Sort.DEAD, "r0"),  # no whole number
        ([allow('context.currency == "EUR" && context.currency == "USD"')], Sort.DEAD, "r0"),
        ([allow('!(context.currency in ["EUR", "USD", "CHF"])')], Sort.DEAD, "r0"),  # the words end here
        ([allow("resource.matched && !resource.matched")], Sort.DEAD, "r0"),
        ([allow("context.amount > context.left && context.amount <= context.left")], Sort.DEAD, "r0"),
        ([allow("context.amount > (resource.matched ? 10 : 5) && context.amount < 5")], Sort.DEAD, "r0"),
        # shadowed: a denial is always there as well
        ([deny("context.amount > 100"), allow("context.amount > 500")], Sort.SHADOWED, "r1"),
        ([deny("context.amount > 100"), deny("context.amount <= 100"), allow(EUR)], Sort.SHADOWED, "r2"),
        ([deny("resource.country in lists.embargo"), allow('resource.country == "KP"')], Sort.SHADOWED, "r1"),
        ([deny("context.amount > 100"), allow(), ask("context.amount > 200")], Sort.SHADOWED, "r2"),
        ([allow(EUR), deny(EUR, on_missing="skip")], Sort.CONTRADICTION, "r0"),
        # an escalation that no approval can turn into an allowance
        ([allow(EUR), ask('context.currency == "USD"', on_missing="skip")], Sort.NO_AUTHORITY, "r1"),
        # redundant
        ([allow("context.amount < 100"), allow("context.amount < 50")], Sort.REDUNDANT, "r1"),
        ([allow(), ask("context.amount > 10", sla="1h"), ask("context.amount > 20")], Sort.REDUNDANT, "r2"),
        # people
        ([allow(), ask(path="nobody")], Sort.NO_REVIEWER, "r1"),
        ([allow(), ask(path="unheard-of")], Sort.NO_REVIEWER, "r1"),
        ([allow(), ask(approvals=3)], Sort.NO_REVIEWER, "r1"),
        # money without an end
        ([allow(EUR)], Sort.NO_BOUND, "r0"),
        ([allow("context.amount > 10"), ask("context.amount > 100 && resource.matched")], Sort.NO_BOUND, "r0"),
        # both sides
        ([allow("context.amount < 100"), deny("resource.days < 3")], Sort.OVERLAP, "r0"),
        ([allow("context.amount < 100")], Sort.GAP, ""),
    ],
)  # fmt: skip
def test_what_is_wrong_with_rules_is_found(rules: list[dict[str, Any]], sort: Sort, rule: str) -> None:
    assert (sort.value, rule) in said(found(*rules))


@pytest.mark.parametrize(
    "rules",
    [
        # a missing amount matches the denial, so it is not dead
        [deny("context.amount > 5 && context.amount < 5")],
        # the first denial may be missing its field, the allowance may not: together they leave something over
        [deny("context.amount > 100 && resource.matched"), allow("context.amount > 500")],
        [allow("context.amount < 50"), allow("context.amount < 100")][::-1][:1],
        [allow("context.amount < 50", obligations=[{"type": "log", "level": "full"}]), deny("resource.days < 0")],
        [allow("context.amount < 100 && context.amount > 0"), ask("context.amount > 10 && context.amount <= 100")],
    ],
)
def test_rules_that_are_well_are_left_alone(rules: list[dict[str, Any]]) -> None:
    wrong = (Sort.DEAD, Sort.SHADOWED, Sort.CONTRADICTION, Sort.REDUNDANT, Sort.NO_REVIEWER, Sort.NO_AUTHORITY)

    assert said(found(*rules), *wrong) == []


def test_a_bound_is_a_bound_wherever_it_stands() -> None:
    assert said(found(allow("context.amount <= 100")), Sort.NO_BOUND) == []
    assert said(found(allow(), ask("context.amount > 100")), Sort.NO_BOUND) == []
    assert said(found(allow(), deny("context.amount > context.left")), Sort.NO_BOUND) == []
    cap = [{"type": "cap", "field": "context.amount", "max": 5000}]
    assert said(found(allow(obligations=cap)), Sort.NO_BOUND) == []


def test_an_action_that_no_system_has_and_a_list_that_no_rule_reads_are_told() -> None:
    findings = found(allow("context.amount < 5"), actions=("invoice.pya",))

    assert ("unknown_action", "r0") in said(findings)
    assert [finding.path for finding in findings if finding.sort is Sort.UNUSED_LIST] == ["lists.embargo"]


def test_a_finding_stands_at_its_line_and_shows_a_request_that_proves_it() -> None:
    rules = policy(allow("context.amount < 100"), deny("resource.days < 3"))

    overlap = next(f for f in analyse([rules], SCHEMA, AROUND) if f.sort is Sort.OVERLAP)

    assert (overlap.path, overlap.others) == ("rules[0].when", ("p@1#r1",))
    assert set(RuleSet([rules]).decide(overlap.example).matched) == {"p@1#r0", "p@1#r1"}


def test_a_rule_of_another_policy_hides_as_well_and_one_policy_can_be_asked_about() -> None:
    both = [policy(deny("context.amount > 100"), key="a"), policy(allow("context.amount > 500"), key="b")]

    assert said(list(analyse(both, SCHEMA, AROUND, only="b")), Sort.SHADOWED) == [("shadowed", "r0")]
    assert said(list(analyse(both, SCHEMA, AROUND, only="a")), Sort.SHADOWED) == []


def test_a_condition_with_too_many_alternatives_is_told_and_claims_nothing() -> None:
    pairs = " && ".join(f'("a{n}" in resource.tags || "b{n}" in resource.tags)' for n in range(12))

    assert said(found(allow(pairs)), Sort.TOO_COMPLEX, Sort.DEAD) == [("too_complex", "r0")]


# --- against every request of a small world -----------------------------------------------------------------------
WORLD: dict[str, list[Any]] = {
    "context.amount": [None, Decimal("-1"), Decimal(0), Decimal("0.5"), Decimal(1), Decimal(2), Decimal(9)],
    "context.left": [None, Decimal(1)],
    "context.currency": [None, "EUR", "USD", "CHF"],
    "resource.days": [None, 0, 1, 2, 3],
    "resource.matched": [None, True, False],
}
_ATOMS = st.one_of(
    st.builds(
        "context.amount {} {}".format,
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.sampled_from(["-1", "0", "1", "2", "0.5"]),
    ),
    st.builds(
        "{2} {1} {0}".format,
        st.just("resource.days"),
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.sampled_from(["0", "1", "2.5", "3"]),
    ),
    st.builds("context.currency {} {}".format, st.sampled_from(["==", "!="]), st.sampled_from(['"EUR"', '"USD"'])),
    st.sampled_from(
        [
            'context.currency in ["EUR", "CHF"]', "resource.matched", "has(context.amount)", "has(resource.matched)",
            "context.amount > context.left", "context.amount <= context.left", "resource.days in [1, 2]",
            "context.amount > (resource.matched ? 1 : 0)",
            "(resource.matched ? resource.days > 1 : context.amount > 1)",
        ]
    ),
)  # fmt: skip
_CONDITIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.builds("!({})".format, inner),
        st.builds("({}) && ({})".format, inner, inner),
        st.builds("({}) || ({})".format, inner, inner),
    ),
    max_leaves=5,
)


def world(text: str) -> list[dict[str, Any]]:
    """Every combination of the fields that the texts name; the others are not given."""
    named = [path for path in WORLD if path in text]
    made = []
    for values in itertools.product(*(WORLD[path] for path in named)):
        facts: dict[str, Any] = {"subject": {"status": "active"}, "action": {"name": "invoice.pay"}}
        for path, value in zip(named, values, strict=True):
            if value is not None:
                group, _, name = path.partition(".")
                facts.setdefault(group, {})[name] = value
        made.append(facts)
    return made


@settings(max_examples=120, deadline=None)
@given(text=_CONDITIONS)
def test_what_lies_in_no_box_is_never_true(text: str) -> None:
    expression = compile_expression(text, SCHEMA)
    universe = Universe(SCHEMA, {})
    outcomes = [_outcome(expression, facts) for facts in world(text)]

    try:
        true, not_false = universe.region(expression.term), universe.region(expression.term, or_fails=True)
        false = universe.region(expression.term, holds=False)
    except TooManyBoxes:
        return
    assert true or True not in outcomes
    assert not_false or all(outcome is False for outcome in outcomes)
    assert false or False not in outcomes


def _outcome(expression: Any, facts: dict[str, Any]) -> bool | None:
    try:
        return bool(expression.evaluate(facts))
    except Exception:
        return None


_EFFECTS = st.sampled_from([allow, deny, ask])
_RULES = st.lists(st.builds(lambda make, when: make(when), _EFFECTS, _CONDITIONS), min_size=2, max_size=4)


@settings(max_examples=150, deadline=None)
@given(rules=_RULES)
def test_every_claim_holds_for_every_request_of_the_world(rules: list[dict[str, Any]]) -> None:
    whole = policy(*rules)
    deciding, requests = RuleSet([whole]), world(" ".join(rule["when"] for rule in rules))[:4000]
    claims = [f for f in analyse([whole], SCHEMA, AROUND) if f.sort in _PROVED]

    for claim in claims:
        without = RuleSet([policy(*[r | {"id": f"r{n}"} for n, r in enumerate(rules) if f"r{n}" != claim.rule])])
        for facts in requests:
            ruling = deciding.decide(facts)
            if claim.sort is Sort.DEAD:
                assert f"p@1#{claim.rule}" not in ruling.matched
            else:
                assert without.decide(facts).verdict is ruling.verdict, (claim, facts)


_PROVED = (Sort.DEAD, Sort.SHADOWED, Sort.CONTRADICTION, Sort.REDUNDANT, Sort.NO_AUTHORITY)


PLACES = ("context.amount > {}", "context.amount <= {}", 'context.currency == "EUR"', "!has(context.amount)", "true")


@given(st.lists(st.tuples(st.sampled_from(["allow", "deny"]), st.sampled_from(PLACES), st.integers(0, 3)), min_size=2,
                max_size=8))  # fmt: skip
def test_what_is_taken_over_changes_no_finding(parts: list[tuple[str, str, int]]) -> None:
    rules = [
        {"id": f"r{n}", "effect": effect, "when": text.format(number), "reason": "x"}
        for n, (effect, text, number) in enumerate(parts)
    ]
    half = len(rules) // 2
    policies = [policy_of("one", rules[:half]), policy_of("other", rules[half:])]
    changed = policy_of("other", rules[half:][::-1] + rules[:1], 2)
    drawn = Drawn(SCHEMA, AROUND.lists)

    for each in (policies, [policies[0], changed], policies):
        for only in ("other", "", "one"):
            fresh = analyse(each, SCHEMA, AROUND, only=only)
            assert analyse(each, SCHEMA, AROUND, only=only, drawn=drawn) == fresh


def policy_of(key: str, rules: list[dict[str, Any]], version: int = 1) -> PolicyRules:
    """A policy of these rules, each with an id of its own."""
    named = [{**rule, "id": f"{rule['id']}-{n}"} for n, rule in enumerate(rules)]
    document = {
        "apiVersion": "autonomyos/v1", "kind": "Policy", "key": f"test.{key}", "version": version, "title": "x",
        "scope": {"actions": ["invoice.pay"]}, "rules": named,
    }  # fmt: skip
    return parse_policy(document, SCHEMA)


SPANS = st.sampled_from([None, *map(Decimal, range(3))])
ORDERED = st.lists(st.builds(Span, SPANS, SPANS, st.booleans(), st.booleans()), max_size=3).map(
    lambda spans: Ordered(tuple(span for span in spans if not span.is_empty))
)
WORDS = st.builds(Words, st.frozensets(st.sampled_from("abc")), st.booleans())


@given(st.tuples(ORDERED, ORDERED) | st.tuples(WORDS, WORDS))
def test_two_sets_touch_where_their_meeting_is_not_empty(sets: tuple[Any, Any]) -> None:
    left, right = sets

    assert left.touches(right) is not left.meet(right).is_empty
