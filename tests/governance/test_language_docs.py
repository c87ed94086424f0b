"""The examples in docs/policy-language.md do what the page says."""

import ast
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from governance.language import (
    EvaluationFailed,
    Expression,
    Field,
    Kind,
    LanguageError,
    Missing,
    Schema,
    compile_expression,
    compile_template,
    show,
)
from governance.language.meanings import COMPARISONS, FUNCTIONS, METHODS, NUMERIC
from governance.language.reading import MACROS
from governance.rules import RuleSet, Verdict, parse_policy, run_tests, with_standard_fields

PAGE = (Path(__file__).parents[2] / "docs" / "policy-language.md").read_text()
OWN_FIELDS = Schema(
    [
        Field("resource.po_matched", Kind.BOOL),
        Field("resource.po_amount", Kind.DECIMAL),
        Field("resource.count", Kind.INT),
        Field("resource.wait", Kind.DURATION),
        Field("resource.tags", Kind.LIST, item=Kind.STRING),
        Field("resource.duplicate_of", Kind.STRING),
        Field("context.amount", Kind.DECIMAL, "Amount", "EUR"),
        Field("context.currency", Kind.STRING, enum=("EUR", "USD", "CHF")),
        Field("budget.day.left", Kind.DECIMAL, source="fact"),
        Field("perm.pay", Kind.BOOL, source="fact"),
        Field("lists.sanctioned", Kind.LIST, source="fact", item=Kind.STRING),
    ]
)
SCHEMA = with_standard_fields(OWN_FIELDS)


def blocks(name: str) -> list[str]:
    return re.findall(rf"<!-- {name} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)


def examples(name: str) -> list[tuple[str, str]]:
    lines = [line for block in blocks(name) for line in block.splitlines()]
    return [(left.rstrip(), right) for left, right in (line.split("=> ", 1) for line in lines)]


FACTS = SCHEMA.coerce(json.loads(blocks("facts")[0], parse_float=Decimal))


def outcome(expression: Expression) -> str:
    try:
        return show(expression.evaluate(FACTS))
    except Missing as missing:
        return f"missing {missing.path}"
    except EvaluationFailed:
        return "failed"


@pytest.mark.parametrize(("text", "value"), examples("values"))
def test_an_example_gives_the_value_the_page_shows(text: str, value: str) -> None:
    assert outcome(compile_expression(text, SCHEMA, expects=None)) == value


@pytest.mark.parametrize(("text", "told"), examples("mistakes"))
def test_a_mistake_is_told_as_the_page_shows(text: str, told: str) -> None:
    with pytest.raises(LanguageError) as wrong:
        compile_expression(text, SCHEMA)

    problem = wrong.value.problems[0]
    hint = f" {problem.suggestion}" if problem.suggestion else ""
    assert f"{problem.line}:{problem.column} {problem.message}{hint}" == told


@pytest.mark.parametrize(("text", "sentence"), examples("sentences"))
def test_a_sentence_reads_as_the_page_shows(text: str, sentence: str) -> None:
    assert compile_template(text, SCHEMA).render(FACTS) == sentence


@pytest.mark.parametrize(("text", "told"), examples("explained"))
def test_a_condition_is_explained_as_the_page_shows(text: str, told: str) -> None:
    (condition,) = compile_expression(text, SCHEMA).explain(FACTS)

    assert f"{condition.actual}, wanted: {condition.wanted}: {condition.outcome}" == told


def test_the_policy_of_the_page_is_valid_and_its_tests_pass() -> None:
    document = yaml.safe_load(blocks("policy")[0])

    results = run_tests(document, OWN_FIELDS)
    ruling = RuleSet([parse_policy(document, OWN_FIELDS)]).decide(FACTS)

    assert [(result.name, result.problem) for result in results if not result.passed] == []
    assert (ruling.verdict, ruling.reason) == (
        Verdict.ESCALATE,
        "5,000.01 EUR is above the limit (left today: not given).",
    )


LANGUAGE = Path(__file__).parents[2] / "governance" / "language"
TOLD_BY = {"problem": 1, "fail": 0, "refusal": 3, "expect": 1, "WrongValue": 0}
"""Who tells a mistake of a text, and which of its arguments is the sentence."""
OF_FACTS = "values.py"  # most of its sentences are about facts; those about texts stand in the examples


def sentences() -> list[str]:
    """Every sentence that the reader and the checker may tell, as a pattern in which values may be anything."""
    found = []
    for path in sorted(LANGUAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
            if name in TOLD_BY and path.name not in (OF_FACTS, "schema.py") and len(node.args) > TOLD_BY[name]:
                found += texts(node.args[TOLD_BY[name]])
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "message":
                found += texts(node.value) if path.name != "templates.py" else []
    return found


def texts(node: ast.expr) -> list[str]:
    if isinstance(node, ast.BoolOp):
        return [text for value in node.values for text in texts(value)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        return [re.escape(node.value)]
    if isinstance(node, ast.JoinedStr):
        parts = [re.escape(part.value) if isinstance(part, ast.Constant) else ".*" for part in node.values]
        return ["".join(parts)]
    return []


@pytest.mark.parametrize("sentence", sorted(set(sentences())))
def test_every_mistake_that_can_be_told_is_on_the_page(sentence: str) -> None:
    assert re.search(sentence, PAGE), sentence


def test_every_kind_and_every_method_is_on_the_page() -> None:
    assert all(f"| {kind} |" in PAGE for kind in Kind)
    assert [name for name in (*FUNCTIONS, *METHODS) if f"`{name}(" not in PAGE and f".{name}(" not in PAGE] == []
    assert [name for name in MACROS if f"`list.{name}(" not in PAGE] == []
    assert [sign for sign in (*COMPARISONS, *NUMERIC, "in", "!", "&&") if f"`{sign}" not in PAGE] == []
