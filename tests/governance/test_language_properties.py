"""The policy language by chance: what must hold for every text, every expression and every set of facts."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from cel_expr_python import cel
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.language import (
    EvaluationFailed,
    Field,
    Kind,
    LanguageError,
    Missing,
    Schema,
    compile_tree,
)
from governance.language.compiling import Source
from governance.language.expressions import compile_expression
from governance.language.interpreting import evaluate
from governance.language.printing import print_tree
from governance.language.reading import read
from governance.language.tree import (
    Binary,
    Call,
    Chain,
    Choice,
    ListOf,
    Literal,
    Node,
    Path,
    Unary,
)

FIELDS = {
    Kind.BOOL: ("a.yes", "b.c.no"),
    Kind.INT: ("a.count", "b.c.size"),
    Kind.DECIMAL: ("a.amount", "b.limit"),
    Kind.STRING: ("a.name", "b.c.role"),
    Kind.DURATION: ("a.wait",),
    Kind.LIST: ("a.tags",),
}
SCHEMA = Schema(
    Field(path, kind, item=Kind.STRING if kind is Kind.LIST else None)
    for kind, paths in FIELDS.items()
    for path in paths
)
WORDS = st.text(alphabet="aZ\"'\\\n{}é)(#%", max_size=4)
INTS = st.integers(-9, 9) | st.sampled_from([2**63 - 1, -(2**63)])
DECIMALS = st.decimals(-100, 100, places=2, allow_nan=False)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.BOOL: st.booleans(),
    Kind.INT: INTS,
    Kind.DECIMAL: DECIMALS | st.integers(-9, 9),
    Kind.STRING: WORDS,
    Kind.DURATION: st.timedeltas(timedelta(-2), timedelta(2)),
    Kind.LIST: st.lists(WORDS, max_size=3).map(tuple),
}


def path(kind: Kind) -> st.SearchStrategy[Node]:
    return st.sampled_from(FIELDS[kind]).map(lambda dotted: Path(tuple(dotted.split("."))))


def literal(kind: Kind) -> st.SearchStrategy[Node]:
    strategies = {
        Kind.BOOL: st.booleans(),
        Kind.INT: INTS,
        Kind.DECIMAL: DECIMALS,
        Kind.STRING: WORDS,
    }
    return strategies[kind].map(lambda value: Literal(value, kind))


def binary(signs: list[str], left: st.SearchStrategy[Node], right: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.builds(Binary, st.sampled_from(signs), left, right)


def number(depth: int, *, decimals: bool = True) -> st.SearchStrategy[Node]:
    kinds = [Kind.INT, Kind.DECIMAL] if decimals else [Kind.INT]
    leaf = st.one_of([strategy(kind) for kind in kinds for strategy in (path, literal)])
    if depth == 0:
        return leaf
    inner = number(depth - 1, decimals=decimals)
    return st.one_of(
        leaf,
        binary(["+", "-", "*", "/", "%"], inner, inner),
        st.builds(Unary, st.just("-"), inner),
        st.builds(Choice, condition(depth - 1, decimals=decimals), inner, inner),
        word(depth - 1, decimals=decimals).map(lambda text: Call("size", text, ())),
    )


def word(depth: int, *, decimals: bool = True) -> st.SearchStrategy[Node]:
    leaf = path(Kind.STRING) | literal(Kind.STRING)
    if depth == 0:
        return leaf
    inner = word(depth - 1, decimals=decimals)
    test = condition(depth - 1, decimals=decimals)
    return st.one_of(leaf, binary(["+"], inner, inner), st.builds(Choice, test, inner, inner))


def condition(depth: int, *, decimals: bool = True) -> st.SearchStrategy[Node]:
    leaf = path(Kind.BOOL) | literal(Kind.BOOL)
    if depth == 0:
        return leaf
    inner = condition(depth - 1, decimals=decimals)
    numbers, words = (
        number(depth - 1, decimals=decimals),
        word(depth - 1, decimals=decimals),
    )
    listed = st.lists(words, max_size=3).map(lambda items: ListOf(tuple(items)))
    operands = st.lists(inner, min_size=2, max_size=3).map(tuple)
    every_path = st.sampled_from(SCHEMA.paths).map(lambda dotted: Path(tuple(dotted.split("."))))
    method = st.sampled_from(["startsWith", "endsWith", "contains"])
    return st.one_of(
        leaf,
        binary(["<", "<=", ">", ">=", "==", "!="], numbers, numbers),
        binary(["<", "==", "!="], words, words),
        binary(["in"], words, listed | path(Kind.LIST)),
        binary(["==", "!="], inner, inner),
        binary(["==", "!="], path(Kind.LIST), listed),
        st.builds(Chain, st.sampled_from(["&&", "||"]), operands),
        st.builds(Unary, st.just("!"), inner),
        st.builds(Choice, inner, inner, inner),
        st.builds(lambda name, text, part: Call(name, text, (part,)), method, words, words),
        every_path.map(lambda field: Call("has", None, (field,))),
    )


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """Facts of the right types in which any field, or a whole group, may be missing."""
    result: dict[str, Any] = {}
    for kind, paths in FIELDS.items():
        for dotted in paths:
            if draw(st.integers(0, 4)):
                *groups, last = dotted.split(".")
                inner = result
                for group in groups:
                    inner = inner.setdefault(group, {})
                inner[last] = draw(VALUES[kind])
    return result


def outcome(function: Any) -> object:
    """The value with its type, or what stopped it."""
    try:
        value = function()
    except Missing as missing:
        return f"missing {missing.path}"
    except EvaluationFailed:
        return "failed"
    return type(value), value


@settings(max_examples=600, deadline=None)
@given(condition(3), facts())
def test_compiled_and_interpreted_agree(tree: Node, given_facts: dict[str, Any]) -> None:
    expression = compile_tree(tree, SCHEMA)
    exact = outcome(lambda: evaluate(expression.term, given_facts))

    assert outcome(lambda: expression.evaluate(given_facts)) == exact
    try:
        fast = expression._run(given_facts)
    except Exception:
        return
    assert (bool, fast) == exact


@settings(max_examples=600, deadline=None)
@given(condition(3) | number(3) | word(3))
def test_reading_what_was_printed_gives_the_same_tree(tree: Node) -> None:
    assert read(print_tree(tree)) == tree


@settings(max_examples=600, deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            [
                *"()[]!-+*/%<>?:.,&|= \n\"'",
                "a.yes",
                "a.count",
                "in",
                "==",
                "&&",
                "||",
                "has(",
                "1",
                "0.5",
                '"x"',
                "size(",
            ]
        ),
        max_size=25,
    ).map("".join)
)
def test_any_text_is_compiled_or_refused_with_a_place(text: str) -> None:
    try:
        compile_expression(text, SCHEMA, expects=None)
    except LanguageError as wrong:
        for problem in wrong.problems:
            assert 1 <= problem.column <= len(text) + 1
            assert problem.render(text)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS.filter(bool), min_size=1, max_size=4))
def test_no_text_gets_into_the_generated_source(words: list[str]) -> None:
    listed = ListOf(tuple(Literal(word, Kind.STRING) for word in words))
    tree = Chain(
        "||",
        (
            Binary("in", Path(("a", "name")), listed),
            Binary("==", Path(("a", "name")), listed.items[0]),
        ),
    )

    source = Source().expression(compile_tree(tree, SCHEMA).term)

    allowed = set("abcdefghijklmnopqrstuvwxyzN0123456789_()=, ")
    assert set(source) <= allowed
    assert compile_tree(tree, SCHEMA).evaluate({"a": {"name": words[-1]}}) is True


CEL_TYPES = {
    Kind.BOOL: cel.Type.BOOL,
    Kind.INT: cel.Type.INT,
    Kind.STRING: cel.Type.STRING,
}
CEL_NAMES = {dotted: dotted.replace(".", "_") for kind in CEL_TYPES for dotted in FIELDS[kind]}
CEL = cel.NewEnv(variables={CEL_NAMES[dotted]: CEL_TYPES[kind] for kind in CEL_TYPES for dotted in FIELDS[kind]})


def in_cel(text: str, flat: dict[str, Any]) -> object:
    for dotted, name in CEL_NAMES.items():
        text = text.replace(dotted, name)
    value = CEL.compile(text).eval(data=flat)
    return "failed" if value.type() == cel.Type.ERROR else (type(value.plain_value()), value.plain_value())


def common(tree: Node) -> bool:
    """What CEL has too: no decimals, no has() on plain variables, lists as literals only.

    Double negation is left out because cel-cpp cancels it while reading, which hides that -(-2**63) overflows.
    """
    text = print_tree(tree)
    return not any(part in text for part in ("has(", "a.amount", "b.limit", "a.wait", "a.tags", "--"))


@settings(max_examples=600, deadline=None)
@given(condition(3, decimals=False).filter(common), st.data())
def test_the_common_part_means_what_it_means_in_cel(tree: Node, data: st.DataObject) -> None:
    drawn = {dotted: data.draw(VALUES[kind]) for kind in CEL_TYPES for dotted in FIELDS[kind]}
    nested: dict[str, Any] = {"a": {}, "b": {"c": {}}}
    for dotted, value in drawn.items():
        *groups, last = dotted.split(".")
        (nested["a"] if groups == ["a"] else nested["b"]["c"])[last] = value

    ours = outcome(lambda: compile_tree(tree, SCHEMA).evaluate(nested))

    assert ours == in_cel(print_tree(tree), {CEL_NAMES[dotted]: value for dotted, value in drawn.items()})


@pytest.mark.parametrize("number_text", ["0.1", "12.50", "-3.000", "100"])
def test_decimals_keep_every_digit(number_text: str) -> None:
    expression = compile_expression("a.amount + 0", SCHEMA, expects=Kind.DECIMAL)

    assert expression.evaluate({"a": {"amount": Decimal(number_text)}}) == Decimal(number_text)
