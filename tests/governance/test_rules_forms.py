"""Conditions and whole policies as forms: what each row says, what has no row, and that nothing is ever lost."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autonomy_site.demo.company import FOLDER
from governance.language import Field, Kind, LanguageError, Schema, compile_tree
from governance.language.printing import print_tree
from governance.language.reading import read
from governance.language.tree import Binary, Call, Chain, Choice, ListOf, Literal, Node, Path, Unary
from governance.language.values import format_duration
from governance.rules.forms import (
    FormInvalid,
    as_json,
    condition_words,
    from_document,
    normal,
    operators_of,
    rule_words,
    to_cel,
    to_document,
    to_form,
    to_tree,
)
from governance.rules.texts import read_text

SCHEMA = Schema([
    Field("context.amount", Kind.DECIMAL, "Amount", unit="EUR"),
    Field("context.limit", Kind.DECIMAL, "Limit"),
    Field("context.currency", Kind.STRING, "Currency", enum=("EUR", "USD")),
    Field("context.time", Kind.TIMESTAMP, "Time", source="fact"),
    Field("resource.name", Kind.STRING, "Name"),
    Field("resource.count", Kind.INT, "Count"),
    Field("resource.urgent", Kind.BOOL, "Urgent"),
    Field("resource.due_at", Kind.TIMESTAMP, "Due"),
    Field("resource.wait", Kind.DURATION, "Wait"),
    Field("case.approved", Kind.LIST, "Approved steps", item=Kind.STRING),
    Field("lists.names", Kind.LIST, "Known names", item=Kind.STRING),
])  # fmt: skip

ROWS: list[tuple[str, dict[str, Any]]] = [
    ("context.amount > 5000", {"field": "context.amount", "op": "more", "value": "5000"}),
    ("context.amount <= 5000.00", {"field": "context.amount", "op": "at_most", "value": "5000.00"}),
    ("context.amount < context.limit", {"field": "context.amount", "op": "less", "other": "context.limit"}),
    ("context.amount == -5", {"field": "context.amount", "op": "is", "value": "-5"}),
    ('context.currency != "USD"', {"field": "context.currency", "op": "is_not", "value": "USD"}),
    (
        "context.amount >= 1 && context.amount <= 9.50",
        {"field": "context.amount", "op": "between", "value": ["1", "9.50"]},
    ),
    ('resource.name in ["a", "b"]', {"field": "resource.name", "op": "one_of", "value": ["a", "b"]}),
    ('!(resource.name in ["a"])', {"field": "resource.name", "op": "not_one_of", "value": ["a"]}),
    ("resource.name in lists.names", {"field": "resource.name", "op": "one_of", "other": "lists.names"}),
    ("!(resource.name in lists.names)", {"field": "resource.name", "op": "not_one_of", "other": "lists.names"}),
    ('"exception" in case.approved', {"field": "case.approved", "op": "contains", "value": "exception"}),
    ('!("exception" in case.approved)', {"field": "case.approved", "op": "not_contains", "value": "exception"}),
    ('resource.name.contains("x")', {"field": "resource.name", "op": "contains", "value": "x"}),
    ('!resource.name.contains("x")', {"field": "resource.name", "op": "not_contains", "value": "x"}),
    ('resource.name.startsWith("x")', {"field": "resource.name", "op": "starts_with", "value": "x"}),
    ('resource.name.endsWith("")', {"field": "resource.name", "op": "ends_with", "value": ""}),
    ('resource.name.matches("^[a-z]$")', {"field": "resource.name", "op": "matches", "value": "^[a-z]$"}),
    ("has(resource.count)", {"field": "resource.count", "op": "present"}),
    ("!has(resource.count)", {"field": "resource.count", "op": "missing"}),
    ("resource.urgent", {"field": "resource.urgent", "op": "yes"}),
    ("!resource.urgent", {"field": "resource.urgent", "op": "no"}),
    ('resource.wait >= duration("90m")', {"field": "resource.wait", "op": "at_least", "value": "90m"}),
    (
        'resource.due_at < timestamp("2026-12-01T00:00:00Z")',
        {"field": "resource.due_at", "op": "less", "value": "2026-12-01T00:00:00Z"},
    ),
    (
        'resource.due_at >= context.time - duration("7d") && resource.due_at <= context.time + duration("7d")',
        {"field": "resource.due_at", "op": "within_days", "value": "7"},
    ),
    (
        'resource.due_at >= context.time - duration("7d") && resource.due_at <= context.time',
        {"field": "resource.due_at", "op": "last_days", "value": "7"},
    ),
    (
        'resource.due_at >= context.time && resource.due_at <= context.time + duration("7d")',
        {"field": "resource.due_at", "op": "next_days", "value": "7"},
    ),
]


@pytest.mark.parametrize(("text", "form"), ROWS, ids=[text for text, _ in ROWS])
def test_a_row_and_its_text_are_the_same(text: str, form: dict[str, Any]) -> None:
    assert to_form(read(text), SCHEMA) == form
    assert to_cel(form, SCHEMA) == text
    assert compile_tree(to_tree(form, SCHEMA), SCHEMA).text == text


def test_groups_stand_in_groups() -> None:
    text = "context.amount > 5 && (resource.urgent || !(resource.count > 1 && resource.count < 9))"

    form = to_form(read(text), SCHEMA)

    assert form == {"all": [
        {"field": "context.amount", "op": "more", "value": "5"},
        {"any": [
            {"field": "resource.urgent", "op": "yes"},
            {"not": {"all": [
                {"field": "resource.count", "op": "more", "value": "1"},
                {"field": "resource.count", "op": "less", "value": "9"},
            ]}},
        ]},
    ]}  # fmt: skip
    assert to_cel(form, SCHEMA) == text


@pytest.mark.parametrize("text", [
    "context.amount * 2 > 5", "5 < context.amount", "resource.urgent ? resource.count > 1 : resource.count > 2",
    "resource.name.lowerAscii() == \"x\"", "context.unknown > 5", "resource.urgent == true", "resource.name in []",
    'resource.name in ["", "a"]', 'resource.name == "two\\nlines"',
    'resource.wait > duration("soon")',
    "resource.list.exists(x, x > 5)",
    '"a" in resource.name', 'case.approved.contains("a")', 'resource.name > "a"', "!resource.count",
    "context.amount in resource.name",
])  # fmt: skip
def test_what_has_no_row_stays_an_expression(text: str) -> None:
    tree = read(text)

    form = to_form(tree, SCHEMA)

    found = form.get("not", form)
    assert set(found) == {"expression"}
    assert to_tree(form, SCHEMA) == tree


def test_groups_deeper_than_a_page_shows_stay_an_expression() -> None:
    text = "resource.urgent || resource.urgent && (resource.urgent || resource.urgent && resource.count > 1)"

    deepest = to_form(read(text), SCHEMA)["any"][1]["all"][1]["any"][1]

    assert deepest == {"expression": "resource.urgent && resource.count > 1"}
    assert to_cel(to_form(read(text), SCHEMA), SCHEMA) == text


def test_a_node_that_nobody_knows_stays_an_expression() -> None:
    unknown = Call(
        "exists", Path(("case", "approved")), (Path(("x",)), Binary("==", Path(("x",)), Literal("a", Kind.STRING)))
    )

    assert to_form(Chain("&&", (Path(("resource", "urgent")), unknown)), SCHEMA)["all"][1] == {
        "expression": 'case.approved.exists(x, x == "a")'
    }


@pytest.mark.parametrize(("form", "path", "words"), [
    ({"field": "", "op": "is"}, "w.field", "Choose a field"),
    ({"field": "context.amout", "op": "is", "value": "1"}, "w.field", "Did you mean `context.amount`?"),
    ({"field": "context.amount", "op": ""}, "w.op", "Choose an operator"),
    ({"field": "context.amount", "op": "contains", "value": "1"}, "w.op", "Must be one of is, is_not"),
    ({"field": "context.amount", "op": "is", "value": ""}, "w.value", "is missing"),
    ({"field": "context.amount", "op": "is", "value": "much"}, "w.value", "must be a number"),
    ({"field": "context.amount", "op": "is", "value": 12.5}, "w.value", "must be text"),
    ({"field": "context.amount", "op": "between", "value": ["1"]}, "w.value", "two values"),
    ({"field": "context.amount", "op": "is", "other": "resource.name"}, "w.other", "cannot stand here"),
    ({"field": "resource.name", "op": "one_of", "value": ["", ""]}, "w.value", "at least one"),
    ({"field": "resource.name", "op": "is", "value": "a", "extra": 1}, "w.extra", "not known"),
    ({"field": "resource.wait", "op": "more", "value": "long"}, "w.value", "length of time"),
    ({"field": "resource.due_at", "op": "less", "value": "tomorrow"}, "w.value", "moment"),
    ({"field": "resource.due_at", "op": "last_days", "value": "0"}, "w.value", "whole number of days"),
    ({"expression": "context.amount >"}, "w", "Expected a value"),
    ({"expression": 5}, "w", "text"),
    ({"all": []}, "w.all", "no conditions"),
    ({"all": [{"any": [{"field": "", "op": ""}]}]}, "w.all[0].any[0].field", "Choose a field"),
    ("context.amount > 1", "w", "Must be a condition"),
])  # fmt: skip
def test_a_row_that_is_not_filled_in_is_named(form: Any, path: str, words: str) -> None:
    with pytest.raises(FormInvalid) as refused:
        to_tree(form, SCHEMA, at="w")

    problem = refused.value.problems[0]
    assert problem.path == path
    assert words in str(problem)


def test_a_form_nested_without_end_is_refused() -> None:
    form: dict[str, Any] = {"field": "resource.urgent", "op": "yes"}
    for _ in range(50):
        form = {"not": form}

    with pytest.raises(FormInvalid, match="too deep"):
        to_tree(form, SCHEMA)


def test_whole_numbers_may_come_as_numbers() -> None:
    assert to_cel({"field": "context.amount", "op": "is", "value": 5}, SCHEMA) == "context.amount == 5"


@pytest.mark.parametrize(("form", "words"), [
    ({"field": "context.amount", "op": "more", "value": "5000"}, "Amount more than 5,000 EUR"),
    ({"field": "context.amount", "op": "between", "value": ["1", "9.50"]}, "Amount between 1 and 9.50 EUR"),
    ({"field": "resource.name", "op": "one_of", "value": ["a", "b"]}, "Name one of a, b"),
    ({"field": "resource.due_at", "op": "less", "value": "2026-12-01T00:00:00Z"}, "Due before 2026-12-01T00:00:00Z"),
    ({"field": "resource.due_at", "op": "within_days", "value": "7"}, "Due within 7 days of now"),
    ({"field": "resource.urgent", "op": "no"}, "Urgent is no"),
    ({"field": "context.amount", "op": "less", "other": "context.limit"}, "Amount less than Limit"),
    ({"not": {"field": "resource.urgent", "op": "yes"}}, "not (Urgent is yes)"),
    ({"expression": "context.amount > 5"}, "Amount above 5 EUR"),
    ({"field": "", "op": ""}, "… …"),
])  # fmt: skip
def test_a_condition_reads_as_a_sentence(form: dict[str, Any], words: str) -> None:
    assert condition_words(form, SCHEMA) == words


def test_a_rule_reads_as_a_sentence() -> None:
    rule = {
        "effect": "escalate", "escalate": {"path": "large", "sla": "4h", "approvals": 2},
        "when": {"all": [
            {"field": "resource.urgent", "op": "yes"},
            {"any": [{"field": "resource.count", "op": "is", "value": "1"}, {"field": "resource.urgent", "op": "no"}]},
        ]},
    }  # fmt: skip

    assert rule_words(rule, SCHEMA, {"large": "Large payments"}) == (
        "Ask Large payments, 2 people, within 4h when Urgent is yes and (Count is 1 or Urgent is no)."
    )
    assert rule_words({"effect": "deny"}, SCHEMA) == "Deny it, always."


def test_a_lone_row_and_what_not_denies_stand_in_groups() -> None:
    row = {"field": "resource.urgent", "op": "yes"}

    assert normal(row) == {"all": [row]}
    assert normal({"not": row}) == {"not": {"all": [row]}}
    assert normal({"any": [row, {"not": {"not": row}}]}) == {"any": [row, {"not": {"all": [{"not": {"all": [row]}}]}}]}


def test_a_tree_is_plain_json() -> None:
    assert as_json(read("!(a.b > 5.50)")) == {
        "node": "unary", "start": 0, "end": 12, "operator": "!",
        "operand": {
            "node": "binary", "start": 2, "end": 12, "operator": ">",
            "left": {"node": "path", "start": 2, "end": 5, "parts": ["a", "b"]},
            "right": {"node": "literal", "start": 8, "end": 12, "value": "5.50", "kind": "decimal"},
        },
    }  # fmt: skip


# --- whole documents --------------------------------------------------------------------------------------------
def test_a_whole_policy_comes_back_as_it_was() -> None:
    document = read_text((FOLDER / "policies" / "invoice_payment.yaml").read_text())

    form = from_document(document, SCHEMA)

    assert to_document(form, SCHEMA) == document
    assert list(to_document(form, SCHEMA)) == list(document)
    assert form["tests"] == document["tests"]


def test_words_stay_as_they_were_written_until_the_condition_changes() -> None:
    written = "context.amount > 5 // a remark\n  && resource.urgent"
    form = from_document({"rules": [{"id": "a", "when": written}]}, SCHEMA)
    assert to_document(form, SCHEMA)["rules"][0]["when"] == written

    form["rules"][0]["when"]["all"][0]["value"] = "6"

    assert to_document(form, SCHEMA)["rules"][0]["when"] == "context.amount > 6 && resource.urgent"


@pytest.mark.parametrize("rule", [
    {"id": "a", "when": "context.amount >"}, {"id": "a", "when": 5}, {"id": "a"}, {"when": "", "odd": [1]},
])  # fmt: skip
def test_what_cannot_be_read_stays_in_the_document(rule: dict[str, Any]) -> None:
    document = {"rules": [rule], "unknown": {"kept": True}}

    assert to_document(from_document(document, SCHEMA), SCHEMA) == document


def test_rows_that_are_not_filled_in_are_named_by_their_rule() -> None:
    empty = {"all": [{"field": "", "op": ""}]}

    with pytest.raises(FormInvalid) as refused:
        to_document({"rules": [{"id": "a"}, {"id": "b", "when": empty}]}, SCHEMA)

    assert [problem.path for problem in refused.value.problems] == ["rules[1].when.all[0].field"]
    with pytest.raises(FormInvalid):
        from_document({"rules": "none"}, SCHEMA)


# --- by chance ----------------------------------------------------------------------------------------------------
WORDS = st.text(alphabet="aZ\"'\\\n{}é)(#%", max_size=4)
FIELD_KINDS = tuple(kind for kind in Kind if kind is not Kind.MAP)  # no field holds a map
OF_KIND = {kind: [field for field in SCHEMA.fields if field.kind is kind] for kind in FIELD_KINDS}
NUMBERS = st.integers(-9, 9).map(lambda value: Literal(value, Kind.INT)) | st.decimals(
    -99, 99, places=2, allow_nan=False
).map(lambda value: Literal(value, Kind.DECIMAL))
TEXTS = WORDS.map(lambda value: Literal(value, Kind.STRING))


def called(name: str, texts: st.SearchStrategy[str]) -> st.SearchStrategy[Node]:
    return texts.map(lambda text: Call(name, None, (Literal(text, Kind.STRING),)))


LENGTHS = called("duration", st.timedeltas(timedelta(0), timedelta(9)).map(format_duration) | st.just("7d"))
MOMENTS = called("timestamp", st.sampled_from(["2026-12-01T00:00:00Z", "2026-12-01T10:00:00+02:00", "soon"]))
NOW = Path(("context", "time"))
SHIFTED = st.builds(Binary, st.sampled_from(["-", "+"]), st.just(NOW), LENGTHS) | st.just(NOW)

LITERALS = {
    Kind.DECIMAL: NUMBERS, Kind.INT: NUMBERS, Kind.STRING: TEXTS, Kind.DURATION: LENGTHS,
    Kind.TIMESTAMP: MOMENTS | SHIFTED, Kind.BOOL: st.booleans().map(lambda value: Literal(value, Kind.BOOL)),
    Kind.LIST: TEXTS,
}  # fmt: skip


def path_of(*kinds: Kind) -> st.SearchStrategy[Node]:
    fields = [field.path for kind in kinds for field in OF_KIND[kind]]
    return st.sampled_from([*fields, "some.thing"]).map(lambda path: Path(tuple(path.split("."))))


def comparison(kind: Kind) -> st.SearchStrategy[Node]:
    left, right = path_of(kind), LITERALS[kind]
    sign = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    listed = st.lists(right, max_size=3).map(lambda items: ListOf(tuple(items)))
    pair = st.tuples(left, right, right).map(
        lambda parts: Chain("&&", (Binary(">=", parts[0], parts[1]), Binary("<=", parts[0], parts[2])))
    )
    return st.one_of(
        st.builds(Binary, sign, left, right), st.builds(Binary, sign, left, path_of(kind)),
        st.builds(Binary, sign, right, left), st.builds(Binary, st.just("in"), left, listed),
        st.builds(Binary, st.just("in"), left, path_of(Kind.LIST)),
        st.builds(Binary, st.just("in"), right, path_of(Kind.LIST)), pair,
    )  # fmt: skip


METHOD = st.builds(
    lambda name, target, argument: Call(name, target, (argument,)),
    st.sampled_from(["contains", "startsWith", "endsWith", "matches"]), path_of(*FIELD_KINDS),
    TEXTS | path_of(Kind.STRING),
)  # fmt: skip
LEAF = st.one_of(
    *(comparison(kind) for kind in FIELD_KINDS),
    METHOD,
    path_of(*FIELD_KINDS),
    path_of(*FIELD_KINDS).map(lambda p: Call("has", None, (p,))),
)


def grown(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    many = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.one_of(
        st.builds(Chain, st.sampled_from(["&&", "||"]), many),
        inner.map(lambda node: Unary("!", node)),
        st.builds(Choice, inner, inner, inner),
    )


CONDITIONS = st.recursive(LEAF, grown, max_leaves=8)


@given(CONDITIONS)
@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_thousand_conditions_come_back_identical(tree: Node) -> None:
    form = to_form(tree, SCHEMA)

    assert to_tree(form, SCHEMA) == tree
    assert to_form(to_tree(form, SCHEMA), SCHEMA) == form


@given(CONDITIONS)
@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_text_to_form_to_text_keeps_the_words_and_the_meaning(tree: Node) -> None:
    text = print_tree(tree)

    assert to_cel(to_form(read(text), SCHEMA), SCHEMA) == text
    assert print_tree(to_tree(normal(to_form(read(text), SCHEMA)), SCHEMA)) == text


def rows() -> st.SearchStrategy[dict[str, Any]]:
    pairs = [(field, operator.name) for field in SCHEMA.fields for operator in operators_of(field)]
    text = st.sampled_from(["1", "2.50", "", "a", "4h", "2026-12-01T00:00:00Z", "\n"])
    value = text | st.lists(text, max_size=3) | st.integers(0, 9) | st.none()
    return st.builds(
        lambda pair, value, other: {
            "field": pair[0].path, "op": pair[1], **({"other": other} if other else {"value": value}),
        },
        st.sampled_from(pairs), value, st.sampled_from(["", "", "context.limit", "lists.names"]),
    )  # fmt: skip


@given(st.recursive(rows(), lambda inner: st.one_of(
    st.lists(inner, max_size=3).map(lambda items: {"all": items}),
    st.lists(inner, max_size=3).map(lambda items: {"any": items}),
    inner.map(lambda item: {"not": item}),
), max_leaves=6))  # fmt: skip
@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_form_comes_in_is_either_named_wrong_or_kept(form: dict[str, Any]) -> None:
    try:
        tree = to_tree(form, SCHEMA)
    except FormInvalid as wrong:
        assert all(problem.message for problem in wrong.problems)
        return

    again = to_form(tree, SCHEMA)
    assert to_tree(again, SCHEMA) == tree
    assert to_tree(normal(form), SCHEMA) == tree


def test_a_broken_text_has_no_form() -> None:
    with pytest.raises(LanguageError):
        to_form(read("context.amount >"), SCHEMA)
