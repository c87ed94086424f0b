"""Policies kept as files: `manage.py policies check`, `apply` and `export`; the gallery; places in the text."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from autonomy_site.demo.company import FOLDER
from governance.language import Schema
from governance.models import PolicyVersion
from governance.operations import policies
from governance.rules import STANDARD_FIELDS, parse_policy, run_tests
from governance.rules.coverage import hits, not_hit
from governance.rules.texts import read_text
from tests.policies import KEY

TEXT = (FOLDER / "policies" / "invoice_payment.yaml").read_text()


def run(*words: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("policies", *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """`file("a.yaml", text)` writes a file and gives its path."""

    def written(name: str, text: str) -> str:
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return written


def test_check_says_file_line_and_column(halden: Any, file: Any) -> None:
    good, bad = file("good.yaml", TEXT), file("bad.yaml", TEXT.replace("effect: deny\n", "effect: maybe\n"))
    out = StringIO()

    with pytest.raises(CommandError, match="1 problem"):
        call_command("policies", "check", good, bad, stdout=out)

    assert out.getvalue().startswith(f"{bad}:12:13: Must be one of allow, deny, escalate, oblige.")
    assert "nothing is wrong" in run("check", good)


def test_check_runs_the_tests_and_tells_programs_in_json(halden: Any, file: Any) -> None:
    bad = file("bad.yaml", TEXT.replace('amount: "5000.00"', 'amount: "5000.02"'))
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("policies", "check", bad, "--json", stdout=out)

    told = json.loads(out.getvalue())
    assert (told["ok"], len(told["problems"])) == (False, 1)
    assert "exactly at the limit" in told["problems"][0]["message"]


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ("resource.bank_changed_days < 30", "resource.bank_changed_dais < 30", "resource.bank_changed_dais"),
        ("context.amount > 25000\n", "'context.amount > 25000 && x.y'\n", "x.y"),
        ("context.amount > 25000\n", "|\n      context.amount > 25000\n      && x.y\n", "x.y"),
        ("title: Invoice payment", "titel: Invoice payment", "titel"),
        ("path: treasury", "path: tresury", "tresury"),
        ("id: ip-large", "id: [ip]", "[ip]"),
        ("title: Invoice payment", "title: [", None),
    ],
)
def test_a_problem_is_found_where_it_stands(halden: Any, old: str, new: str, at: str | None) -> None:
    assert old in TEXT
    text = TEXT.replace(old, new, 1)

    problem = policies.problems_of(text)[-1 if at == "titel" else 0]

    if at is None:
        assert problem.line > 1
        return
    lines = text.split("\n")
    found = next(n for n, line in enumerate(lines) if at in line)
    assert (problem.line, problem.column) == (found + 1, lines[found].index(at) + 1), problem


def test_apply_keeps_drafts_once_and_activates_nothing(halden: Any, file: Any) -> None:
    changed = file("a.yaml", TEXT.replace("title: Invoice payment", "title: Payment of invoices"))
    other = file("b.yaml", TEXT.replace(f"key: {KEY}", "key: finance.other"))

    first = run("apply", changed, other, "--by", "daniel", "--unit", "finance")
    again = run("apply", changed, other, "--by", "daniel", "--unit", "finance", "--ask-review", "--note", "From git")
    third = run("apply", changed, other, "--by", "daniel", "--ask-review")

    assert first.count("kept as version") == 2
    assert again.count("says this already, and waits for a second person") == 2
    assert "waits" not in third
    states = PolicyVersion.objects.order_by("policy__key", "number").values_list("policy__key", "number", "status")
    assert list(states) == [(KEY, 1, "active"), (KEY, 2, "in_review"), ("finance.other", 1, "in_review")]


def test_apply_keeps_nothing_when_one_file_is_wrong(halden: Any, file: Any) -> None:
    good = file("a.yaml", TEXT.replace("title: Invoice payment", "title: Payment of invoices"))
    bad = file("b.yaml", TEXT.replace("effect: deny\n", "effect: maybe\n"))

    with pytest.raises(CommandError, match=r"b\.yaml:12:13"):
        run("apply", good, bad, "--by", "daniel")

    assert PolicyVersion.objects.count() == 1


@pytest.mark.parametrize(("who", "said"), [("nobody", "no active person"), ("priya", "may not do this")])
def test_apply_is_done_by_a_person_with_the_right(halden: Any, file: Any, who: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run("apply", file("a.yaml", TEXT.replace("title: Invoice", "title: An invoice")), "--by", who)

    assert PolicyVersion.objects.count() == 1


def test_what_is_exported_is_nothing_new_when_it_comes_back(halden: Any, tmp_path: Path) -> None:
    run("export", "--to", str(tmp_path))

    assert "says this already" in run("apply", str(tmp_path / f"{KEY}.yaml"), "--by", "daniel")
    assert KEY in run("export", KEY)
    with pytest.raises(CommandError, match="no policy x"):
        run("export", "x")


# --- the gallery ----------------------------------------------------------------------------------------------
def schema_for(each: policies.PolicyTemplate) -> Schema:
    """The fields that every company has, and those that the template says it needs."""
    known = {field.path: field for field in (*policies.OWN_FIELDS, *STANDARD_FIELDS, *each.fields)}
    return Schema(known.values())


def test_there_are_templates_for_the_common_rules() -> None:
    assert {each.name for each in policies.gallery()} >= {
        "amount-limit", "day-budget", "four-eyes", "working-hours", "fresh-bank-data", "new-counterparty", "rate-limit",
        "no-mail-after-payroll", "tainted-context", "redact-personal-data",
    }  # fmt: skip


@pytest.mark.parametrize("each", policies.gallery(), ids=lambda each: each.name)
def test_a_template_has_passing_tests_for_every_rule(each: policies.PolicyTemplate) -> None:
    schema = schema_for(each)
    rules = parse_policy(each.document, schema)
    results = run_tests(each.document, schema)

    assert [result for result in results if not result.passed] == []
    assert not_hit(rules, results) == ()
    read = {path for rule in rules.rules for path in rule.fields}
    assert {field.path for field in each.fields} <= read, "it asks for no field that it does not read"


@pytest.mark.parametrize("each", policies.gallery(), ids=lambda each: each.name)
def test_a_draft_begun_from_a_template_asks_the_path_that_is_there(each: policies.PolicyTemplate) -> None:
    document = policies.begun_from(each, key="finance.mine", path="treasury")

    results = run_tests(document, schema_for(each))
    asked = [rule["escalate"]["path"] for rule in document["rules"] if "escalate" in rule]

    assert document["key"] == "finance.mine"
    assert set(asked) <= {"treasury"}
    assert all(result.passed for result in results)


def test_coverage_names_the_tests_of_a_rule(halden: Any) -> None:
    document, schema = read_text(TEXT), policies.decision_schema()
    found = hits(parse_policy(document, schema), run_tests(document, schema))

    assert list(found) == ["ip-exception", "ip-bank-changed", "ip-large", "ip-limit", "ip-allow"]
    assert found["ip-large"] == ("two people above 25000",)
