"""The policy language by tables: what every operator gives, and what every mistake is told."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from governance.language import (
    EvaluationFailed,
    Field,
    Kind,
    LanguageError,
    Missing,
    RequestInvalid,
    Schema,
    compile_expression,
    compile_template,
    show,
)
from governance.language.interpreting import evaluate

SCHEMA = Schema(
    [
        Field("context.amount", Kind.DECIMAL, "Amount", "EUR"),
        Field("context.count", Kind.INT),
        Field("context.zero", Kind.INT),
        Field("context.name", Kind.STRING),
        Field("context.at", Kind.TIMESTAMP),
        Field("context.wait", Kind.DURATION),
        Field("context.tags", Kind.LIST, item=Kind.STRING),
        Field("context.prices", Kind.LIST, item=Kind.DECIMAL),
        Field("context.ok", Kind.BOOL),
        Field("context.absent", Kind.STRING),
        Field("context.lost", Kind.BOOL),
        Field("subject.role", Kind.STRING, "Role", enum=("clerk", "payer"), source="fact"),
        Field("budget.day.left", Kind.DECIMAL, "Left today", "EUR", source="fact"),
        Field("lists.sanctioned", Kind.LIST, source="fact", item=Kind.STRING),
    ]
)
FACTS = SCHEMA.coerce(
    {
        "context": {
            "amount": "5000.01",
            "count": 7,
            "zero": 0,
            "name": "Zoë Paid",
            "at": "2026-11-22T10:00:00Z",
            "wait": "36h",
            "tags": ["urgent", "eu"],
            "prices": ["1.50", 2],
            "ok": True,
        },
        "subject": {"role": "payer"},
        "lists": {"sanctioned": ["KP", "IR"]},
    }
)

VALUES = [
    ("context.count == 7", True),
    ("context.count == 7.0", True),
    ("context.count != 7", False),
    ("context.amount > 5000", True),
    ("context.amount > 5000.01", False),
    ("context.amount >= 5000.01", True),
    ("context.amount < 5000.010", False),
    ("context.amount <= 5000.010", True),
    ("0.1 + 0.2 == 0.3", True),
    ("context.amount * 1.02", Decimal("5100.0102")),
    ("context.amount - 0.01", Decimal("5000.00")),
    ("context.count + 1", 8),
    ("context.count - 10", -3),
    ("context.count * -2", -14),
    ("context.count / 2", 3),
    ("-context.count / 2", -3),
    ("context.count % 4", 3),
    ("-context.count % 4", -3),
    ("context.count % -4", 3),
    ("context.count / 2.0", Decimal("3.5")),
    ("1.0 / 3", Decimal("0.3333333333333333333333333333333333")),
    ("-7.5 % 2", Decimal("-1.5")),
    ("-(context.amount)", Decimal("-5000.01")),
    ('context.name + "!"', "Zoë Paid!"),
    ('context.name < "a"', True),
    ('context.name.startsWith("Zo")', True),
    ('context.name.endsWith("Paid")', True),
    ('context.name.contains("ë P")', True),
    ('context.name.contains("x")', False),
    ("context.name.size()", 8),
    ("size(context.name)", 8),
    ("context.tags.size()", 2),
    ('context.name.matches("^Z.* P")', True),
    ('context.name.matches(r"\\d")', False),
    ("context.name.lowerAscii()", "zoë paid"),
    ('"ÄB".lowerAscii()', "Äb"),
    ('"eu" in context.tags', True),
    ('"us" in context.tags', False),
    ('subject.role in ["clerk", "payer"]', True),
    ("subject.role in []", False),
    ("2.0 in context.prices", True),
    ("context.count in [1, 7.0]", True),
    ('context.tags == ["urgent", "eu"]', True),
    ('context.tags != ["eu", "urgent"]', True),
    ("has(context.ok)", True),
    ("has(context.absent)", False),
    ("!has(context.absent) && context.ok", True),
    ("!!context.ok", True),
    ("context.ok == true", True),
    ("context.amount > (context.ok ? 300 : 100)", True),
    ("(context.ok ? 7 : 2.5) / 2", Decimal("3.5")),
    ('context.wait > duration("24h")', True),
    ('context.wait + duration("30m")', timedelta(hours=36, minutes=30)),
    ('context.wait - duration("1d12h") == duration("0s")', True),
    ('context.at > timestamp("2026-11-22T09:59:59.5Z")', True),
    ('context.at == timestamp("2026-11-22T11:00:00+01:00")', True),
    ('context.at - timestamp("2026-11-21T10:00:00Z") == duration("24h")', True),
    ('context.at + duration("1h")', datetime(2026, 11, 22, 11, tzinfo=UTC)),
    ('duration("1h") + context.at', datetime(2026, 11, 22, 11, tzinfo=UTC)),
    ('context.at - duration("1h")', datetime(2026, 11, 22, 9, tzinfo=UTC)),
    ('"a\\n\\u00e9\\"" == "a\\né\\""', True),
    ('r"a\\n" == "a\\\\n"', True),
    ("'single' == \"single\"", True),
    ("context.ok // a comment\n && true", True),
    # an error is absorbed when the other side decides, on either side
    ("context.lost || context.ok", True),
    ("context.ok || context.lost", True),
    ("context.lost && context.count > 9", False),
    ("context.count > 9 && context.lost", False),
    ("1 / context.zero == 1 || context.ok", True),
    ("context.ok ? 1 : 1 / context.zero", 1),
    # lists, maps and macros
    ("context.tags[1]", "eu"),
    ("context['count'] + 1", 8),
    ("context.tags + ['x']", ("urgent", "eu", "x")),
    ('{"payer": 500, "clerk": 2.5}[subject.role]', 500),
    ('"payer" in {"payer": 1}', True),
    ('size({1: "a", 2: "b"})', 2),
    ("{} == {'a': 1}", False),
    ("min(context.count, 3.5, context.amount)", Decimal("3.5")),
    ("max(context.prices)", 2),
    ("context.tags.exists(x, x == 'eu')", True),
    ("context.tags.exists(x, x == 'us')", False),
    ("context.tags.all(x, x.size() > 2)", False),
    ("context.tags.exists_one(x, x.startsWith('u'))", True),
    ("context.tags.exists_one(x, x.size() > 0)", False),
    ("context.prices.filter(p, p > 1.7)", (2,)),
    ("context.prices.map(p, p * 2)", (Decimal("3.00"), Decimal(4))),
    ("context.prices.map(p, p > 1.7, p + 1)", (Decimal(3),)),
    ("context.tags.map(x, x.size())[0]", 6),
    ("{'a': 1, 'b': 2}.exists(k, k == 'b')", True),
    ("[1, 2].exists(n, context.tags.all(x, x.size() > n))", True),
    ("'KP' in lists.sanctioned && !lists.sanctioned.exists(x, x == 'DE')", True),
    # an error is absorbed when another item decides
    ("context.tags.exists(x, x == context.absent || x == 'eu')", True),
    ("[0, 7].exists(x, 7 / x == 1)", True),
    ("[0, 7].all(x, 7 / x == 2)", False),
    # times, in UTC or in a zone
    ("context.at.getHours()", 10),
    ('context.at.getHours("Europe/Berlin")', 11),
    ('context.at.getMinutes("-03:30")', 30),
    ("context.at.getDayOfWeek()", 0),
    ("context.at.getDayOfMonth()", 21),
    ("context.at.getDate()", 22),
    ("context.at.getMonth()", 10),
    ("context.at.getDayOfYear()", 325),
    ('context.at.getFullYear("UTC")', 2026),
    ("context.at.getSeconds() + context.at.getMilliseconds()", 0),
    ('timestamp("2026-11-22T23:30:00Z").getDate("Asia/Tokyo")', 23),
    ("context.wait.getHours()", 36),
    ("context.wait.getMinutes()", 2160),
    ('duration("-90s").getMinutes()', -1),
    ('duration("1.5s").getSeconds() + duration("1.5s").getMilliseconds()', 501),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_an_expression_gives_its_value_compiled_and_interpreted(text: str, value: object) -> None:
    expression = compile_expression(text, SCHEMA, expects=None)

    assert expression.evaluate(FACTS) == value
    assert evaluate(expression.term, FACTS) == value


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("context.lost", "context.lost"),
        ("context.lost || context.count > 9", "context.lost"),
        ("context.lost && context.ok", "context.lost"),
        ("!context.lost", "context.lost"),
        ("context.lost == false", "context.lost"),
        ("budget.day.left < 5", "budget.day.left"),
        ("context.absent == context.absent", "context.absent"),
        ('context.absent in ["a"]', "context.absent"),
        ("context.absent in []", "context.absent"),
        ("[context.absent] == [context.absent]", "context.absent"),
        ("context.lost ? true : false", "context.lost"),
    ],
)
def test_a_missing_field_that_decides_is_named(text: str, path: str) -> None:
    with pytest.raises(Missing) as missing:
        compile_expression(text, SCHEMA).evaluate(FACTS)

    assert missing.value.path == path


@pytest.mark.parametrize(
    "text",
    [
        "1 / context.zero == 1",
        "1.0 / context.zero == 1",
        "1 % context.zero == 1",
        "context.amount % context.zero == 1",
        "context.count * 9223372036854775807 > 0",
        "context.count + 9223372036854775807 > 0",
        "-context.count - 9223372036854775807 < 0",
        'context.at + duration("9999999d") > context.at',
        "context.tags[2] == 'x'",
        "context.tags[-1] == 'x'",
        '{"clerk": 1}[subject.role] == 1',
        "min(context.tags.filter(x, x == 'us')) == 'a'",
        "[0, 7].exists_one(x, 7 / x == 1)",
        "[0, 7].map(x, 7 / x) == [1]",
        "['" + "x" * 50 + "']" + ".map(x, x + x)" * 14 + ".exists(x, true)",
    ],
)
def test_what_cannot_be_worked_out_fails_with_a_reason(text: str) -> None:
    with pytest.raises(EvaluationFailed):
        compile_expression(text, SCHEMA).evaluate(FACTS)


MISTAKES = [
    ("", 1, 1, "empty", None),
    ("context.amuont > 5", 1, 1, "not a known field", "Did you mean `context.amount`?"),
    (
        "true &&\n  context.nmae == 'x'",
        2,
        3,
        "not a known field",
        "Did you mean `context.name`?",
    ),
    ("has(context)", 1, 5, "not a known field", "It is a group"),
    ("has(1)", 1, 5, "asks for a field", None),
    ("context.count = 7", 1, 15, "no meaning", "Did you mean `==`?"),
    ("context.ok and true", 1, 12, "Expected an operator", "Did you mean `&&`?"),
    ("context.ok & true", 1, 12, "no meaning", "Did you mean `&&`?"),
    ("context.name == null", 1, 17, "no meaning", "There is no null"),
    ("(context.ok", 1, 11, "Expected `)`", None),
    ("context.ok)", 1, 11, "Expected an operator", None),
    ("context.count >", 1, 15, "Expected a value", None),
    ("5000EUR > 1", 1, 1, "digits and a point", None),
    ("1e5 > 1", 1, 1, "digits and a point", None),
    ("9223372036854775808 > 1", 1, 1, "64 bits", "Write it with a point"),
    ('context.name == "abc', 1, 17, "no closing quote", None),
    ('context.name == "a\\qb"', 1, 19, "no escape", "Use"),
    ('context.amount > "5"', 1, 1, "cannot be compared", "without quotes"),
    ("1 < context.count < 9", 1, 1, "cannot be compared", "Join two comparisons"),
    ("context.ok < true", 1, 1, "cannot order", None),
    ("context.count", 1, 1, "bool is wanted", None),
    ("context.count && context.ok", 1, 1, "wants bool", None),
    ("!context.count", 1, 2, "wants bool", None),
    ("context.ok ? 1 : 'x'", 1, 1, "one type", None),
    ("context.name - 'x' == ''", 1, 1, "no meaning between", None),
    ("-context.name == ''", 1, 1, "wants a number", None),
    ('"x" in context.name', 1, 8, "list on its right", "contains"),
    ("context.count in context.tags", 1, 1, "can never be in", None),
    ("[1, 'x'] == [1]", 1, 5, "same simple type", None),
    ('subject.role == "payr"', 1, 17, "is never", "Did you mean `payer`?"),
    ('subject.role in ["clerk", "boss"]', 1, 27, "is never", None),
    ('context.tags.contains("eu")', 1, 1, "works on string", "value in list"),
    ('context.name.startswith("a")', 1, 1, "no method", "Did you mean `startsWith`?"),
    ('startsWith(context.name, "a")', 1, 1, "no function", "called on a value"),
    ("context.name.startsWith()", 1, 1, "takes 1 argument", None),
    ("context.name.startsWith(1)", 1, 25, "wants string", None),
    ('context.name.matches("(")', 1, 22, "pattern cannot be read", None),
    ("context.name.matches(context.name)", 1, 22, "in quotes", None),
    ('context.wait > duration("24x")', 1, 25, "length of time", None),
    ('context.at > timestamp("2026-02-30T00:00:00Z")', 1, 24, "calendar", None),
    ('context.at > timestamp("2026-02-03")', 1, 24, "with its zone", None),
    ("context.tags['x'] == 'x'", 1, 1, "not a known field", "Did you mean `context.tags`?"),
    ("context.name[0] == 'x'", 1, 1, "has items to pick", None),
    ("context.tags[1.0] == 'x'", 1, 14, "wants int", None),
    ("context.tags.exists(x)", 1, 22, "Expected `,`", "list.exists(x, x > 5)"),
    ("context.tags.exists('x', true)", 1, 21, "first gives each item a name", "list.exists(x"),
    ("context.tags.exists(x, true, true)", 1, 14, "takes a name and 1 condition", "list.exists(x"),
    ("context.tags.map(x) == []", 1, 19, "Expected `,`", "list.map(x, x + 1)"),
    ("context.tags.exist(x, true)", 1, 1, "no method `exist`", "Did you mean `exists`?"),
    ("exists(context.tags)", 1, 1, "no function", "called on a list"),
    ("context.tags.exists(item, itm == 'x')", 1, 27, "not a known field", "Did you mean `item`?"),
    ("context.tags.exists(x, x.size)", 1, 26, "a single value", None),
    ("context.tags.exists(context, true)", 1, 21, "begins the name of fields", "another name"),
    ("context.tags.exists(x, ['a'].exists(x, true))", 1, 37, "name of an item already", "another name"),
    ("context.tags.exists(x, 1)", 1, 24, "wants bool", None),
    ("context.name.exists(x, true)", 1, 1, "works on list", None),
    ("context.tags.map(x, [x]) == []", 1, 21, "must make simple values", None),
    ("[].exists(x, x)", 1, 1, "always empty", None),
    ("[1].all(x, [1].all(y, [1].all(z, true)))", 1, 27, "nested deeper than 2", None),
    ("context.tags.all(x, context.prices.all(y, y > 1))", 1, 1, "steps; at most 100,000", "shorter lists"),
    ("{'a': 1, 'a': 2}['a'] == 1", 1, 10, "stands twice", None),
    ("{'a': 1, 2: 2}['a'] == 1", 1, 10, "keys of a map must all", None),
    ("{context.name: 1}['a'] == 1", 1, 2, "written out", None),
    ("{'a': 1, 'b': 'x'}['a'] == 1", 1, 15, "values of a map must all", None),
    ("{'payr': 1}[subject.role] == 1", 1, 2, "is never `payr`", "Did you mean `payer`?"),
    ("{'a' 1}['a'] == 1", 1, 6, "Expected `:`", None),
    ("min(1) == 1", 1, 1, "two and more", None),
    ("max(1, 'a') == 1", 1, 1, "one order", None),
    ("context.at.getHours('Europe/Berlim') == 1", 1, 21, "not a known time zone", "`Europe/Berlin`"),
    ("context.at.getHours(context.name) == 1", 1, 21, "written in quotes", None),
    ("context.at.getHours('+25:00') == 1", 1, 21, "not a known time zone", "+01:00"),
    ("context.wait.getHours('UTC') == 1", 1, 1, "takes 0 arguments", None),
    ("context.name.getHours() == 1", 1, 1, "timestamp or duration", None),
    ("context.name.matches('(a+)+$')", 1, 22, "repeats a repetition: `(a+)+`", "Repeat once"),
    ("context.name.matches('" + "a" * 1001 + "')", 1, 22, "longer than 1,000", None),
    ("context.name.matches('" + "(.*a){20}" * 100 + "')", 1, 22, "too dear", "fewer"),
    ("context.name.matches('(a{100}){100}')", 1, 22, "cannot be read", None),
    ("context.name in lists.sanctoned", 1, 17, "not a known list", "Did you mean `lists.sanctioned`?"),
    ("context.name in lists.zzz", 1, 17, "not a known list", "The named lists are `lists.sanctioned`."),
    ("(1).x", 1, 5, "Only a field has parts", None),
    ("context.", 1, 8, "Expected a name", None),
    ("context.prices == 1", 1, 1, "cannot be compared", None),
]


@pytest.mark.parametrize(("text", "line", "column", "message", "suggestion"), MISTAKES)
def test_a_mistake_is_told_with_its_place(
    text: str, line: int, column: int, message: str, suggestion: str | None
) -> None:
    with pytest.raises(LanguageError) as wrong:
        compile_expression(text, SCHEMA)

    problem = wrong.value.problems[0]
    assert (problem.line, problem.column) == (line, column)
    assert message in problem.message
    assert (suggestion or "") in (problem.suggestion or "")
    assert "^" * problem.length in problem.render(text)


def test_all_mistakes_of_types_are_told_at_once() -> None:
    with pytest.raises(LanguageError) as wrong:
        compile_expression("context.amuont > 5 && context.nam == 'x' || context.count", SCHEMA)

    assert [problem.column for problem in wrong.value.problems] == [1, 23, 45]


@pytest.mark.parametrize(
    "text",
    [
        "true || " * 500 + "true" + " " * 4000,
        "(" * 61 + "true" + ")" * 61,
        "!" * 61 + "true",
        "1" + " + 1" * 61 + " > 0",
        "true ? true : " * 61 + "true",
        '"a"' + ".lowerAscii()" * 61 + ' == "a"',
    ],
)
def test_a_text_over_the_limits_is_refused(text: str) -> None:
    with pytest.raises(LanguageError, match=r"longer than 4,000|deeper than 60"):
        compile_expression(text, SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 59 + "true" + ")" * 59,
        "!" * 58 + "true",
        "1" + " + 1" * 57 + " > 0",
        "true" + " || true" * 480,
        "['a']" + ".map(x, x.size() > 0, 'a')" * 55 + ".exists(x, true)",
        "[1, 2][" + "[0, 1][" * 50 + "0" + "]" * 50 + "] >= 1",
        "min(1, " * 57 + "1" + ")" * 57 + " == 1",
        "(true ? " * 50 + "true" + " : false)" * 50,
        "[1].all(x, [2].all(y, " + "(" * 55 + "x < y" + ")" * 55 + "))",
    ],
)
def test_a_text_at_the_limits_runs_compiled(text: str) -> None:
    assert compile_expression(text, SCHEMA)._run(FACTS) is True


def test_the_explanation_shows_each_condition_with_its_value() -> None:
    text = '(context.amount > 5000 || context.amount > budget.day.left) && !("us" in context.tags || has(context.ok))'

    conditions = compile_expression(text, SCHEMA).explain(FACTS)

    shown = [(item.text, item.label, item.actual, item.wanted, item.outcome) for item in conditions]
    assert shown == [
        (
            "context.amount > 5000",
            "Amount",
            "5,000.01 EUR",
            "more than 5,000 EUR",
            "true",
        ),
        (
            "context.amount > budget.day.left",
            "Amount",
            "5,000.01 EUR",
            "more than Left today (not given)",
            "missing",
        ),
        (
            '!("us" in context.tags)',
            "context.tags",
            "urgent, eu",
            "does not contain us",
            "true",
        ),
        ("!has(context.ok)", "context.ok", "yes", "not given", "false"),
    ]


@pytest.mark.parametrize(("text", "actual", "outcome", "inside"), [
    ("context.tags.exists(x, x == 'eu')", "eu (item 2 of 2)", "true", [("x", "eu", "is eu", "true")]),
    ("context.tags.exists(x, x == 'us')", "0 of 2 hold: urgent, eu", "false", []),
    ("context.tags.all(x, x != 'eu')", "eu (item 2 of 2)", "false", [("x", "eu", "is not eu", "false")]),
    ("!context.tags.all(x, x != 'eu')", "eu (item 2 of 2)", "true", [("x", "eu", "is not eu", "false")]),
    ("context.tags.all(x, x != 'us')", "2 of 2 hold: urgent, eu", "true", []),
    ("context.tags.exists(x, x == context.absent)", "urgent (item 1 of 2)", "missing",
     [("x", "urgent", "is context.absent (not given)", "missing")]),
    ("context.tags.exists_one(x, x == 'eu' && context.ok)", "eu (item 2 of 2)", "true",
     [("x", "eu", "is eu", "true"), ("context.ok", "yes", "yes", "true")]),
    ("context.tags.exists_one(x, true)", "2 of 2 hold: urgent, eu", "false", []),
    ("lists.sanctioned.exists(x, x == 'DE')", "0 of 2 hold: KP, IR", "false", []),
])  # fmt: skip
def test_the_explanation_of_a_macro_names_the_item_that_decided(
    text: str, actual: str, outcome: str, inside: list[tuple[str, str, str, str]]
) -> None:
    (condition,) = compile_expression(text, SCHEMA).explain(FACTS)

    assert (condition.actual, condition.outcome) == (actual, outcome)
    assert [(item.label, item.actual, item.wanted, item.outcome) for item in condition.inside] == inside


def test_the_cost_of_an_expression_is_known_before_any_facts_are() -> None:
    schema = Schema([Field("context.few", Kind.LIST, item=Kind.INT, most=10), Field("context.ids", Kind.LIST)])

    few = compile_expression("context.few.exists(x, context.few.exists(y, x + y > 5))", schema)
    many = compile_expression("context.ids.exists(x, x == 'a')", schema)

    assert (few.cost, many.cost) == (753, 5003)
    with pytest.raises(RequestInvalid, match="more than 10 items"):
        schema.coerce({"context": {"few": [1] * 11}})


MONEY = Schema(
    [Field("context.amount", Kind.DECIMAL, "Amount", "{context.currency}"), Field("context.currency", Kind.STRING)]
)


@pytest.mark.parametrize(("currency", "actual", "wanted"), [
    ("EUR", "7,400.00 EUR", "more than 5,000 EUR"), (None, "7,400.00", "more than 5,000"),
])  # fmt: skip
def test_the_unit_of_an_amount_is_the_currency_that_stands_beside_it(
    currency: str | None, actual: str, wanted: str
) -> None:
    facts = {"context": {"amount": Decimal("7400.00"), "currency": currency}}

    (condition,) = compile_expression("context.amount > 5000", MONEY).explain(facts)

    assert (condition.actual, condition.wanted) == (actual, wanted)


@pytest.mark.parametrize(("value", "shown"), [
    (Decimal("7400.00"), "7,400.00"), (Decimal("-1234567.5"), "-1,234,567.5"), (Decimal("1E+4"), "10,000"),
    (Decimal("0.000001"), "0.000001"), (25_000, "25,000"), (999, "999"), (True, "yes"), (None, "not given"),
    ((1000, Decimal("0.5")), "1,000, 0.5"),
    ("x" * 300, "x" * 300), ("x" * 10_000, "x" * 300 + "… (10,000 characters)"),
    (("ab",) * 1000, ("ab, " * 75) + "… (3,998 characters)"),
])  # fmt: skip
def test_people_read_numbers_with_separators_and_every_digit(value: object, shown: str) -> None:
    assert show(value) == shown


def test_a_sentence_full_of_mistakes_is_told_up_to_a_limit() -> None:
    with pytest.raises(LanguageError) as wrong:
        compile_template("{ctx.a}" * 100, SCHEMA)

    assert len(wrong.value.problems) == 20


def test_a_template_keeps_exact_digits_and_says_what_is_not_given() -> None:
    template = compile_template(
        "{context.amount} EUR, {context.wait}, {budget.day.left} {{x}} {context.tags}",
        SCHEMA,
    )
    facts = {**FACTS, "context": {**FACTS["context"], "amount": Decimal("9000.10")}}

    assert template.render(facts) == "9,000.10 EUR, 36h, not given {x} urgent, eu"


@pytest.mark.parametrize(
    ("text", "column", "suggestion"),
    [
        ("{context.amuont} EUR", 1, "Did you mean `context.amount`?"),
        ("EUR {context.amount", 5, "Write `{{`"),
        ("100 } EUR", 5, "Write `}}`"),
        ("{context.amount + 1}", 1, ""),
        ("{}", 1, ""),
    ],
)
def test_a_wrong_template_is_told_with_its_place(text: str, column: int, suggestion: str) -> None:
    with pytest.raises(LanguageError) as wrong:
        compile_template(text, SCHEMA)

    assert wrong.value.problems[0].column == column
    assert suggestion in (wrong.value.problems[0].suggestion or "")


@pytest.mark.parametrize(
    ("facts", "path", "message"),
    [
        ({"context": {"amount": 12.5}}, "context.amount", "not a float"),
        ({"context": {"amount": "12,5"}}, "context.amount", "must be a number"),
        ({"context": {"amount": Decimal("NaN")}}, "context.amount", "finite"),
        ({"context": {"amount": Decimal("1E+40")}}, "context.amount", "digits"),
        ({"context": {"amount": True}}, "context.amount", "must be a number"),
        ({"context": {"count": "7"}}, "context.count", "whole number"),
        ({"context": {"count": True}}, "context.count", "whole number"),
        ({"context": {"count": 2**63}}, "context.count", "64-bit"),
        ({"context": {"ok": "yes"}}, "context.ok", "true or false"),
        ({"context": {"name": 5}}, "context.name", "must be text"),
        ({"context": {"name": "a\x00b"}}, "context.name", "not allowed"),
        ({"context": {"name": "\ud800"}}, "context.name", "not allowed"),
        ({"context": {"name": "x" * 10_001}}, "context.name", "longer than"),
        ({"context": {"at": datetime(2026, 1, 1)}}, "context.at", "with its zone"),  # noqa: DTZ001
        ({"context": {"wait": "soon"}}, "context.wait", "length of time"),
        ({"context": {"tags": "eu"}}, "context.tags", "must be a list"),
        ({"context": {"tags": [1]}}, "context.tags", "must be text"),
        ({"context": {"tags": ["x"] * 1001}}, "context.tags", "more than 1000"),
        (
            {"context": {"amuont": 1}},
            "context.amuont",
            "Did you mean `context.amount`?",
        ),
        ({"context.amount": 1}, "context.amount", "not a known field"),
        ({"context": 5}, "context", "must be an object"),
        ({"subject": {"role": "boss"}}, "subject.role", "one of clerk, payer"),
    ],
)
def test_a_wrong_fact_is_refused_by_name(facts: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(RequestInvalid) as refused:
        SCHEMA.coerce(facts)

    assert refused.value.errors[0][0] == path
    assert message in refused.value.errors[0][1]


def test_facts_are_copied_and_typed_and_none_means_not_given() -> None:
    given = {"context": {"amount": "5000.10", "wait": "90m", "name": None, "tags": ["a"]}}

    typed = SCHEMA.coerce(given)

    assert typed == {
        "context": {
            "amount": Decimal("5000.10"),
            "wait": timedelta(minutes=90),
            "tags": ("a",),
        }
    }
    assert given["context"]["amount"] == "5000.10"


def test_a_caller_cannot_send_a_field_that_the_system_sets() -> None:
    with pytest.raises(RequestInvalid, match=r"budget\.day\.left: is set by the system"):
        SCHEMA.coerce({"budget": {"day": {"left": 5}}}, only="request")


def test_a_flood_of_unknown_fields_and_mistakes_is_cut_short() -> None:
    with pytest.raises(RequestInvalid) as refused:
        SCHEMA.coerce({f"field_{number}": 1 for number in range(100_000)})
    with pytest.raises(LanguageError) as wrong:
        compile_expression("x || " * 700 + "x", SCHEMA)

    assert len(refused.value.errors) == len(wrong.value.problems) == 20


def test_a_required_field_is_asked_for() -> None:
    schema = Schema([Field("action.name", Kind.STRING, required=True)])

    with pytest.raises(RequestInvalid, match=r"action\.name: is required"):
        schema.coerce({})


@pytest.mark.parametrize("paths", [("a.b", "a.b"), ("a", "a.b"), ("a.b", "a")])
def test_a_schema_with_clashing_paths_is_refused(paths: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"twice|cannot hold"):
        Schema(Field(path, Kind.INT) for path in paths)
