"""The index by chance: it finds what a plain scan finds and what the interpreter says, whatever is known."""

import threading
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.language import EvaluationFailed, Expression, Field, Kind, Missing, Schema
from governance.language.compiling import compile_matching
from governance.language.expressions import compile_expression
from governance.language.interpreting import evaluate
from governance.rules import PolicyRules, RuleSet, parse_policy
from governance.rules.indexing import index_matching

ROLES, KINDS = ("buyer", "payer", "clerk"), ("invoice", "order")
SCHEMA = Schema(
    [
        Field("context.role", Kind.STRING), Field("context.kind", Kind.STRING), Field("context.level", Kind.INT),
        Field("context.known", Kind.BOOL), Field("context.amount", Kind.DECIMAL),
        Field("context.tags", Kind.LIST, item=Kind.STRING, most=5),
    ]
)  # fmt: skip
COMPARED = (
    st.sampled_from(ROLES).map('context.role == "{}"'.format)
    | st.sampled_from(ROLES).map('"{}" == context.role'.format)
    | st.lists(st.sampled_from(ROLES), max_size=3).map(lambda items: f"context.role in {list(items)}".replace("'", '"'))
    | st.builds('(context.kind == "{}" || context.kind == "{}")'.format, *[st.sampled_from(KINDS)] * 2)
    | st.builds('(context.kind == "{}" || context.role == "{}")'.format, st.sampled_from(KINDS), st.sampled_from(ROLES))
    | st.builds("context.level == {}".format, st.integers(0, 2) | st.just("1.0") | st.just("1.5"))
    | st.sampled_from(["context.known == true", "context.known", "context.amount == 1"])
)
OTHERS = st.sampled_from(
    [
        "context.amount > 1", "1 / context.amount > 0", "!context.known",
        'context.role != "buyer"', "has(context.role)",
        'context.tags.exists(tag, tag == context.role)', '"a" in context.tags', "context.level < 2",
        '(context.kind == "invoice" ? context.known : context.amount < 1)',
    ]
)  # fmt: skip
CONDITIONS = st.lists(COMPARED | OTHERS, min_size=1, max_size=4).map(" && ".join)
RIGHT: dict[str, st.SearchStrategy[Any]] = {
    "role": st.sampled_from((*ROLES, "stranger")), "kind": st.sampled_from((*KINDS, "")), "level": st.integers(-1, 3),
    "known": st.booleans(), "amount": st.integers(0, 2).map(Decimal) | st.integers(0, 2),
    "tags": st.lists(st.sampled_from(["a", *ROLES]), max_size=2).map(tuple),
}  # fmt: skip
WRONG = st.sampled_from([1, True, "1", Decimal("sNaN"), Decimal("NaN"), ("a",), {"a": 1}, {1, 2}, [1], 1.0])


@st.composite
def facts(draw: st.DrawFn, *, ill_typed: bool = False) -> dict[str, Any]:
    """Facts in which every field may be missing or, when `ill_typed`, anything else."""
    known = {}
    for name, values in RIGHT.items():
        chance = draw(st.integers(0, 7))
        if chance:
            known[name] = draw(WRONG if ill_typed and chance == 7 else values)
    return {"context": known} if draw(st.integers(0, 20)) else {}


def compiled(texts: list[str]) -> list[Expression]:
    return [compile_expression(text, SCHEMA) for text in texts]


def said(expression: Expression, known: dict[str, Any]) -> object:
    """What the interpreter says: true, false, or that nobody knows."""
    try:
        return evaluate(expression.term, known)
    except (Missing, EvaluationFailed):
        return "unknown"


def settled(find: Any, expressions: list[Expression], known: dict[str, Any]) -> list[object]:
    """What a way to find the matching conditions says about each, the interpreter asked where it says so."""
    try:
        found = find(known)
    except Exception:
        found = [~place for place in range(len(expressions))]
    assert [max(place, ~place) for place in found] == sorted({max(place, ~place) for place in found})
    return [
        True if place in found else said(each, known) if ~place in found else False
        for place, each in enumerate(expressions)
    ]


@settings(max_examples=500, deadline=None)
@given(st.lists(CONDITIONS, min_size=1, max_size=40), st.lists(facts() | facts(ill_typed=True), min_size=1, max_size=6))
def test_index_scan_and_interpreter_agree(texts: list[str], many: list[dict[str, Any]]) -> None:
    expressions = compiled(texts)
    terms = [each.term for each in expressions]
    index, scan = index_matching(terms), compile_matching(terms)

    for known in (*many, *many):  # the second time the branches are built
        exact = [said(each, known) for each in expressions]
        assert settled(index, expressions, known) == exact
        assert settled(scan, expressions, known) == exact


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["allow", "deny", "escalate"]), CONDITIONS), min_size=1, max_size=20),
       st.lists(facts() | facts(ill_typed=True), min_size=1, max_size=6))  # fmt: skip
def test_a_ruling_names_exactly_the_rules_that_match_and_is_the_same_the_second_time(
    written: list[tuple[str, str]], many: list[dict[str, Any]]
) -> None:
    rules = RuleSet([policy("p", written)])
    questions = [asked | {"subject": {"status": "active"}, "action": {"name": "invoice.pay"}} for asked in many]
    first = [rules.decide(question) for question in questions]

    assert [rules.decide(question) for question in questions] == first
    assert [RuleSet([policy("p", written)]).decide(question) for question in reversed(questions)] == first[::-1]
    for question, ruling in zip(questions, first, strict=True):
        assert ruling.matched == matched_by_all(rules, question)


def matched_by_all(rules: RuleSet, question: dict[str, Any]) -> tuple[str, ...]:
    """The rules that match when each is asked alone; an allow that nobody can evaluate does not."""
    found = [(rule, rule.condition and said(rule.condition, question)) for rule in rules.about("invoice.pay")]
    return tuple(
        rule.ref for rule, answer in found if answer is True or (answer == "unknown" and rule.effect != "allow")
    )


def policy(key: str, written: list[tuple[str, str]], action: str = "invoice.pay") -> PolicyRules:
    rules = [
        {"id": f"r{place}", "effect": effect, "when": when, "reason": "{context.amount}."}
        | ({"escalate": {"path": "lead", "sla": "4h"}} if effect == "escalate" else {})
        for place, (effect, when) in enumerate(written)
    ]
    return parse_policy(
        {
            "apiVersion": "autonomyos/v1", "kind": "Policy", "key": key, "version": 1, "title": key,
            "scope": {"actions": [action]}, "rules": rules,
        }, SCHEMA,
    )  # fmt: skip


MANY = [f'context.role == "role-{number % 20}" && context.amount > {number}' for number in range(400)]


def test_of_many_conditions_only_those_of_the_role_are_evaluated() -> None:
    seen: list[str] = []

    class Watched(dict[str, Any]):
        def get(self, name: str, default: Any = None) -> Any:
            seen.append(name)
            return super().get(name, default)

    find = index_matching([each.term for each in compiled(MANY)])
    assert find({"context": Watched(role="role-7", amount=Decimal(48))}) == [7, 27, 47]
    assert sorted(seen) == ["amount", "role"]  # each field once, however many rules read it


@pytest.mark.parametrize(
    "known, found",
    [
        ({"role": "stranger", "amount": Decimal(500)}, []),
        ({"amount": Decimal(2)}, [~0, ~1]),  # the role is missing: what is false all the same is left out
        ({"role": "role-3"}, [~number for number in range(3, 400, 20)]),
    ],
)
def test_conditions_whose_field_is_missing_are_found(known: dict[str, Any], found: list[int]) -> None:
    find = index_matching([each.term for each in compiled(MANY)])

    assert find({"context": known}) == found


def test_threads_that_need_a_branch_at_once_all_get_the_right_answer() -> None:
    rules = RuleSet([policy("p", [("allow", when) for when in MANY])])
    question = {"subject": {"status": "active"}, "action": {"name": "invoice.pay"}}
    wrong: list[str] = []
    line = threading.Barrier(8)

    def ask(own: int) -> None:
        line.wait()
        for number in range(200):
            role = (own + number) % 20
            ruling = rules.decide(question | {"context": {"role": f"role-{role}", "amount": Decimal(role + 1)}})
            if ruling.matched != (f"p@1#r{role}",):
                wrong.append(f"{role}: {ruling.matched}")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_set_takes_over_what_did_not_change() -> None:
    pay = policy("pay", [("allow", "context.known")])
    send, sent = (policy("send", [("allow", when)], "mail.send") for when in ("context.known", "!context.known"))
    before = RuleSet([pay, send])
    after = RuleSet([pay, sent], like=before)
    question = {"subject": {"status": "active"}, "context": {"known": True}}

    assert after._table_for("invoice.pay") is before._table_for("invoice.pay")
    assert after._table_for("mail.send") is not before._table_for("mail.send")
    assert [rules.decide(question | {"action": {"name": "mail.send"}}).verdict for rules in (before, after)] == [
        "allow", "deny",
    ]  # fmt: skip


def test_what_is_done_to_a_ruling_does_not_reach_the_next() -> None:
    document = {
        "apiVersion": "autonomyos/v1", "kind": "Policy", "key": "p", "version": 1, "title": "p",
        "scope": {"actions": ["invoice.pay"]},
        "rules": [{"id": "r", "effect": "allow", "reason": "Yes.", "obligations": [{"type": "log", "level": "full"}]}],
    }  # fmt: skip
    rules = RuleSet([parse_policy(document, SCHEMA)])
    question = {"subject": {"status": "active"}, "action": {"name": "invoice.pay"}}
    for _ in range(3):
        dict.update(rules.decide(question).obligations[0], level="none")  # type: ignore[arg-type]

    assert rules.decide(question).obligations[0]["level"] == "full"
