"""Decision tables by their tables: what FEEL answers, which rules decide under each hit policy, what is refused."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.workflows.test_bpmn_files import DRAWN
from workflows.plan.dmn import DecisionFailed, DmnInvalid, Model, decide, evaluate_json, read_dmn
from workflows.plan.dmn.feel import evaluate, holds
from workflows.plan.dmn.grammar import FeelInvalid
from workflows.plan.dmn.values import FeelFailed

FACTS = {"amount": "12.50", "limit": 10, "big": 100, "kind": "hardware", "order": {"lines": [1, 2, 3]}, "no": None}


@pytest.mark.parametrize(
    "text, value",
    [
        ("1 + 2 * 3", Decimal(7)),
        ("2 ** 3 ** 2", Decimal(512)),
        ("(1 + 2) * 3", Decimal(9)),
        ("0.1 + 0.2 = 0.3", True),
        ("limit * 2", Decimal(20)),
        ("-limit", Decimal(-10)),
        ('"a" + "b"', "ab"),
        ('"say \\"yes\\""', 'say "yes"'),
        ('kind = "hardware"', True),
        ('kind in ("software", "hardware")', True),
        ("limit in [1..10]", True),
        ("limit in [1..10)", False),
        ("limit in ]10..20]", False),
        ("limit in (<5, >9)", True),
        ("limit between 10 and 20 and big > 5", True),
        ('if limit > 5 then "many" else "few"', "many"),
        ('if no > 5 then "many" else "few"', "few"),
        ("no > 5", None),
        ("no = null", True),
        ("nothing.at.all", None),
        ("true or no > 5", True),
        ("false and no > 5", False),
        ("true and no > 5", None),
        ("not(no > 5)", None),
        ("not(limit > 50)", True),
        ("sum(order.lines)", Decimal(6)),
        ("max(1, 5, 3)", Decimal(5)),
        ("count([1, 2])", Decimal(2)),
        ("has(order.lines, 2)", True),
        ("round(2.345, 2)", Decimal("2.34")),
        ("floor(-1.5)", Decimal(-2)),
        ("order.lines = [1, 2, 3]", True),
        ('date("2026-11-30") < date("2026-12-01")', True),
        ('date("2026-11-30") + duration("P1D") = date("2026-12-01")', True),
        ('starts_with(kind, "hard")', True),
        ('number("12.50") > 12', True),
        ("orders or nothing", None),  # a name may begin like a word of the language
    ],
)
def test_an_expression_has_the_value_that_feel_gives_it(text: str, value: Any) -> None:
    assert evaluate(text, FACTS) == value


@pytest.mark.parametrize(
    "entry, passing, failing",
    [
        ("", [1, "a", None], []),
        ("-", [1, None], []),
        ("5", [5], [6]),
        ("-5", [-5], [5]),
        ("< 5", [4], [5, None]),
        ("> 5, < 2", [6, 1], [3]),
        ("[1..5]", [1, 5], [0, 6]),
        ("(1..5)", [2], [1, 5]),
        ('"a","b"', ["a", "b"], ["c", None]),
        ('not("a","b")', ["c"], ["a", "b"]),
        ('not("a")', ["b"], ["a"]),
        ("true", [True], [False, None]),
        ("not(true)", [False], [True]),
        ("null", [None], [1]),
        ("limit", [10], [11]),
        ("? > limit and ? < big", [11], [10, 100]),
        ('contains(?, "ab")', ["cab"], ["b"]),
    ],
)
def test_an_entry_holds_for_these_values_and_not_for_those(entry: str, passing: list[Any], failing: list[Any]) -> None:
    for value in passing + failing:
        known = value if value is None or isinstance(value, str | bool) else Decimal(value)
        assert holds(entry, known, FACTS) is any(value is each for each in passing), value


@pytest.mark.parametrize(
    "text, words",
    [
        ('"a" < 5', "cannot be compared with 5"),
        ("kind = 5", "cannot be compared"),
        ("kind * 2", "has no meaning"),
        ("1 / 0", "divided by zero"),
        ("9 ** 9999", "at most 999"),
        ("limit and true", "Yes or no is needed"),
        ('date("yesterday")', "ISO 8601"),
        ("sum(kind)", "list of numbers"),
        ("open(1)", "no function open"),
        ("round()", "takes 1 to 2 values"),
        ('round(1, "a")', "places to round to"),
        ("round(1, (10 ** 999) ** 999)", "places to round to"),
        ("0 ** -1", "is no number"),
        ('number("NaN")', "is no number"),
        ('number("Infinity")', "is no number"),
        ('number("1e999999")', "is no number"),
        (r'"\ud800"', "no character that can be kept"),
        (r'"\u0000"', "no character that can be kept"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(text: str, words: str) -> None:
    with pytest.raises(FeelFailed, match=words):
        evaluate(text, FACTS)


@pytest.mark.parametrize(
    "text", ["1 +", "a b", "(1", "1..", "{}", "a;b", "__import__('os')", "'a'", "-" * 100 + "1", "1" * 3_000]
)
def test_what_is_no_feel_is_refused_before_it_is_evaluated(text: str) -> None:
    with pytest.raises(FeelInvalid):
        evaluate(text, FACTS)


@given(some.text(max_size=60))
def test_no_text_does_anything_but_answer_or_be_refused(text: str) -> None:
    for act in (lambda: evaluate(text, FACTS), lambda: holds(text, Decimal(1), FACTS)):
        with suppress(FeelInvalid, FeelFailed):
            act()


def table(rules: str, *, policy: str = "UNIQUE", more: str = "", outputs: str = "", inputs: str = "") -> bytes:
    """A DMN file of one table on `amount` and `kind`: each line of rules is `amount | kind | answer`."""
    rows = [[cell.strip() for cell in line.split("|")] for line in rules.strip().splitlines()]
    entries = "".join(
        f"<rule id='r{n}'><inputEntry><text><![CDATA[{a}]]></text></inputEntry><inputEntry><text><![CDATA[{k}]]></text>"
        f"</inputEntry><outputEntry><text><![CDATA[{answer}]]></text></outputEntry></rule>"
        for n, (a, k, answer) in enumerate(rows, 1)
    )
    columns = inputs or (
        "<input label='Amount'><inputExpression typeRef='number'><text>amount</text></inputExpression></input>"
        "<input label='Kind'><inputExpression typeRef='string'><text>kind</text></inputExpression></input>"
    )
    answered = outputs or "<output name='who' typeRef='string'/>"
    return (
        "<definitions xmlns='https://www.omg.org/spec/DMN/20191111/MODEL/' name='Who approves'>"
        f"<decision id='approver' name='Approver'><decisionTable hitPolicy='{policy}' {more}>"
        f"{columns}{answered}{entries}</decisionTable></decision></definitions>"
    ).encode()


RANKED = (
    '<output name=\'who\' typeRef=\'string\'><outputValues><text>"cfo", "head", "clerk"</text></outputValues></output>'
)
NUMBERS = "<output name='points' typeRef='integer'/>"
TWICE = '< 100 | - | "clerk" \n - | "hardware" | "head" \n > 1000 | - | "cfo"'


@pytest.mark.parametrize(
    "policy, more, outputs, facts, answer",
    [
        ("UNIQUE", "", "", {"amount": 5, "kind": "paper"}, {"who": "clerk"}),
        ("FIRST", "", "", {"amount": 5, "kind": "hardware"}, {"who": "clerk"}),
        ("PRIORITY", "", RANKED, {"amount": 5, "kind": "hardware"}, {"who": "head"}),
        ("RULE ORDER", "", "", {"amount": 5, "kind": "hardware"}, {"who": ["clerk", "head"]}),
        ("OUTPUT ORDER", "", RANKED, {"amount": 5, "kind": "hardware"}, {"who": ["head", "clerk"]}),
        ("COLLECT", "", "", {"amount": 500, "kind": "paper"}, {"who": []}),
        ("COLLECT", "aggregation='COUNT'", "", {"amount": 2000, "kind": "hardware"}, {"who": 2}),
    ],
)
def test_each_hit_policy_chooses_its_way(policy: str, more: str, outputs: str, facts: Any, answer: Any) -> None:
    model = read_dmn(table(TWICE, policy=policy, more=more, outputs=outputs))

    assert decide(model, facts).values == answer
    assert evaluate_json(json.loads(json.dumps(model.to_json())), facts) == answer


@pytest.mark.parametrize("how, answer", [("SUM", 30), ("MIN", 10), ("MAX", 20), ("COUNT", 2)])
def test_collected_numbers_are_reckoned_together(how: str, answer: int) -> None:
    rules = '- | "hardware" | 10 \n > 5 | - | 20 \n < 5 | - | 40'
    model = read_dmn(table(rules, policy="COLLECT", more=f"aggregation='{how}'", outputs=NUMBERS))

    decided = decide(model, {"amount": "7.00", "kind": "hardware"})

    assert decided.values == {"points": answer}
    assert decided.matched == {"approver": (1, 2)}


@pytest.mark.parametrize(
    "policy, facts, words",
    [
        ("UNIQUE", {"amount": 5, "kind": "hardware"}, "The rules 1 and 2 match at once"),
        ("ANY", {"amount": 5, "kind": "hardware"}, "do not answer the same"),
        ("UNIQUE", {"amount": 500, "kind": "paper"}, 'No rule matches: Amount = 500, Kind = "paper"'),
        ("FIRST", {"amount": "much", "kind": "paper"}, "is no number"),
        *(
            ("FIRST", {"amount": odd, "kind": "paper"}, "is no number")
            for odd in ("NaN", "sNaN", "-Infinity", "1e9999")
        ),
        ("FIRST", {"amount": [1], "kind": "paper"}, "A number is needed"),
        ("FIRST", {}, "No rule matches: Amount = null"),
    ],
)
def test_a_table_that_cannot_decide_says_why(policy: str, facts: Any, words: str) -> None:
    with pytest.raises(DecisionFailed, match=words):
        decide(read_dmn(table(TWICE, policy=policy)), facts)


@pytest.mark.parametrize("answer", ["[1..2]", "[[1..2]]", "(1..2)"])
def test_a_range_is_no_answer(answer: str) -> None:
    with pytest.raises(DecisionFailed, match="A range is no answer"):
        decide(read_dmn(table(f"- | - | {answer}", outputs="<output name='who'/>")), {"amount": 5, "kind": "paper"})


def test_a_file_of_more_decisions_than_anybody_reads_is_refused() -> None:
    rows = "".join(
        f"<decision id='d{n}' name='D'><informationRequirement><requiredDecision href='#d{n + 1}'/>"
        "</informationRequirement><literalExpression><text>1</text></literalExpression></decision>"
        for n in range(600)
    )
    with pytest.raises(DmnInvalid, match="more than 500 decisions"):
        read_dmn(
            f"<definitions xmlns='https://www.omg.org/spec/DMN/20191111/MODEL/' name='x'>{rows}</definitions>".encode()
        )


def test_rules_that_match_together_and_answer_the_same_decide_under_any() -> None:
    model = read_dmn(table('< 100 | - | "clerk" \n - | "paper" | "clerk"', policy="ANY"))

    assert decide(model, {"amount": 5, "kind": "paper"}).values == {"who": "clerk"}


def test_a_default_answers_when_no_rule_does() -> None:
    default = "<output name='who'><defaultOutputEntry><text>\"board\"</text></defaultOutputEntry></output>"
    model = read_dmn(table(TWICE, outputs=default))

    assert decide(model, {"amount": 500, "kind": "paper"}).values == {"who": "board"}


@pytest.mark.parametrize(
    "xml, words",
    [
        (b"<a/>", "not DMN"),
        (b"no xml", "not well-formed"),
        (table('< | - | "x"'), "ends too early"),
        (table('1 | - | "x', policy="FIRST"), "is not expected"),
        (table('1 | - | spell("x")'), "no function spell"),
        (table('1 | - | "x"', policy="BEST"), "hit policy BEST is not known"),
        (table('1 | - | "x"', policy="FIRST", more="aggregation='SUM'"), "aggregation SUM"),
        (table('1 | - | "x"', policy="PRIORITY"), "needs the values of an output"),
        (table('1 | - | "x"', inputs="<input><inputExpression/></input>"), "has no expression"),
        (table('1 | - | "x"', outputs="<output name='a'/><output name='a'/>"), "a name of its own"),
        (table('1 | - | "x"', outputs="<output name='a' typeRef='colour'/>"), "type colour is not known"),
    ],
)
def test_a_file_that_cannot_be_executed_is_refused_with_its_place(xml: bytes, words: str) -> None:
    with pytest.raises(DmnInvalid, match=words):
        read_dmn(xml)


def test_a_ring_of_decisions_is_refused() -> None:
    ring = "".join(
        f"<decision id='{a}'><informationRequirement><requiredDecision href='#{b}'/></informationRequirement>"
        "<literalExpression><text>1</text></literalExpression></decision>"
        for a, b in (("a", "b"), ("b", "a"))
    )

    with pytest.raises(DmnInvalid, match="in a ring"):
        read_dmn(
            f"<definitions xmlns='https://www.omg.org/spec/DMN/20191111/MODEL/'>{ring}</definitions>".encode(), "a"
        )


BASIC = {"age": 40, "risk": "high", "type": "basic"}
DINNER = {"season": "Winter", "guestCount": 8, "guestsWithChildren": True}
GOLF = {"applicant": {"age": 50}, "car": {"manufacturer": "VW", "type": "Golf"}}


@pytest.mark.skipif(not DRAWN.is_dir(), reason="There are no shared models here.")
@pytest.mark.parametrize(
    "name, facts, answer",
    [
        ("mitarbeiterErfahrung", {"employee": {"approvalAuthority": 1000}}, {"employeeExperience": "Senior"}),
        ("determine-underwriter", {"application": BASIC}, {"underwriter": "mary"}),
        ("dinnerDecisions", DINNER, {"beverages": ["Bordeaux", "Apple Juice", "Water"]}),
        ("RiskAssessment", {"application": GOLF}, {"risk": [], "riskAssessment": []}),
    ],
)  # fmt: skip
def test_tables_of_others_decide_as_their_rules_say(name: str, facts: Any, answer: Any) -> None:
    (path,) = DRAWN.rglob(f"*{name}*.dmn")
    model = read_dmn(path.read_bytes())

    assert Model.from_json(json.loads(json.dumps(model.to_json()))) == model
    assert decide(model, facts).values == answer


@pytest.mark.skipif(not DRAWN.is_dir(), reason="There are no shared models here.")
def test_every_table_of_others_is_read() -> None:
    assert [read_dmn(path.read_bytes()).main.id for path in sorted(DRAWN.rglob("*.dmn"))] == [
        "mitarbeiterErfahrung", "determineUnderwriter", "invoice-assign-approver", "riskAssessment", "fraudRating",
        "beverages",
    ]  # fmt: skip
