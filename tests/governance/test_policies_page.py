"""People read policies in words, and programs of theirs check, keep and activate them."""

from typing import Any

import pytest

from autonomy_site.demo.company import FOLDER
from governance.models import Policy, PolicyVersion
from governance.rules.texts import TextInvalid, read_text, write_text
from tests.policies import act, approved

TEXT = (FOLDER / "policies" / "invoice_payment.yaml").read_text()
KEY = "finance.invoice-payment"


def test_the_list_shows_what_is_in_force(sign_in: Any) -> None:
    page = sign_in("priya").get("/policies").content.decode()

    assert "Invoice payment" in page
    assert "In force" in page


def test_the_rules_stand_there_in_words_with_the_people_they_ask(sign_in: Any) -> None:
    page = sign_in("priya").get(f"/policies/{KEY}").content.decode()

    assert "Amount above 5,000" in page
    assert "Age of the bank account below 30 days" in page
    assert "Large payments" in page
    assert "Daniel Okafor" in page
    assert "apiVersion: autonomyos/v1" in page


def test_what_must_be_done_with_an_answer_stands_there_in_words(sign_in: Any) -> None:
    many = (
        "[{type: cap, field: context.amount, max: 5000}, {type: redact, fields: [iban, name]},"
        " {type: log, level: full}, {type: notify, to: [treasury]}, {type: delay, for: 30m}, {type: step_up, level: 2},"
        " {type: acme.mark, max: many, as: {seal: red}}]"
    )
    daniel = sign_in("daniel")
    kept = daniel.call("post", "policies", {"text": TEXT.replace("[{type: log, level: full}]", many)})
    assert kept.status_code == 201, kept.content

    page = daniel.get(f"/policies/{KEY}?version=2").content.decode()

    for words in (
        "Amount at most 5,000", "Without iban, name", "Recorded: full", "Tells treasury", "After 30m",
        "Confirmed at level 2", "acme.mark: ", "max many", "as {&#x27;seal&#x27;: &#x27;red&#x27;}",
    ):  # fmt: skip
        assert words in page, words


def test_the_page_survives_a_document_that_no_longer_fits_the_systems(sign_in: Any, halden: Any) -> None:
    version = PolicyVersion.objects.get(policy__key=KEY)
    broken = {**version.document, "rules": [{**version.document["rules"][0], "when": "resource.gone > 1"}]}
    PolicyVersion.objects.filter(pk=version.pk).update(document=broken)

    answer = sign_in("priya").get(f"/policies/{KEY}")

    assert answer.status_code == 200
    assert "cannot be read with the systems" in answer.content.decode()


def test_policies_of_another_unit_are_not_found(sign_in: Any) -> None:
    lukas = sign_in("lukas")

    assert lukas.get(f"/policies/{KEY}").status_code == 404
    assert "Invoice payment" not in lukas.get("/policies").content.decode()
    assert sign_in("priya").get(f"/policies/{KEY}?version=9").status_code == 404


def test_daniel_keeps_a_draft_and_puts_it_in_force_when_ingrid_approved_it(sign_in: Any, robot: Any) -> None:
    daniel = sign_in("daniel")
    changed = TEXT.replace("context.amount <= 25000", "context.amount <= 25000.00")

    kept = daniel.call("post", "policies", {"text": changed})
    assert kept.status_code == 201, kept.content
    assert (kept.json()["version"], kept.json()["status"]) == (2, "draft")
    assert act(daniel, 2, "ask-review").status_code == 200
    assert act(sign_in("ingrid"), 2, "approve").status_code == 200
    active = daniel.call("post", f"policies/{KEY}/activate", {"version": 2}, match="*")

    assert active.json()["status"] == "active", active.content
    assert PolicyVersion.objects.get(policy__key=KEY, number=1).status == "retired"
    assert "version 2" in daniel.get(f"/policies/{KEY}").content.decode()


def test_the_same_request_twice_keeps_one_draft(sign_in: Any) -> None:
    daniel = sign_in("daniel")

    answers = [daniel.call("post", "policies", {"text": TEXT}, key="once").json() for _ in range(2)]

    assert answers[0] == answers[1]
    assert Policy.objects.get(key=KEY).versions.count() == 2


def test_a_draft_whose_own_tests_fail_is_not_activated(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    approved(sign_in, TEXT.replace("context.amount > 5000 &&", "context.amount > 4999 &&"))

    refused = daniel.call("post", f"policies/{KEY}/activate", {"version": 2}, match="*")

    assert refused.status_code == 409
    (error,) = refused.json()["errors"]
    assert (error["field"], "“exactly at the limit” expects" in error["message"]) == ("tests", True)
    assert PolicyVersion.objects.get(policy__key=KEY, status="active").number == 1


@pytest.mark.parametrize(("before", "after", "field", "words"), [
    ("context.amount > 25000", "context.amout > 25000", "rules[2].when", "context.amount"),
    ("effect: deny", "effect: forbid", "rules[0].effect", "deny"),
    ("title: Invoice payment", "titel: Invoice payment", "titel", "title"),
    ("priority: 100", "priority: 100\npriority: 3", "text", "line 9, column 1"),
    ("scope: {", "scope: {{", "text", "line"),
])  # fmt: skip
def test_a_wrong_policy_is_refused_with_its_place(
    before: str, after: str, field: str, words: str, sign_in: Any
) -> None:
    daniel, body = sign_in("daniel"), {"text": TEXT.replace(before, after, 1)}

    for path in ("policies/check", "policies"):
        answer = daniel.call("post", path, body)
        assert answer.status_code == 400, path
        errors = {error["field"]: error["message"] for error in answer.json()["errors"]}
        assert words in errors[field], errors
    assert Policy.objects.get(key=KEY).versions.count() == 1


def test_a_check_saves_nothing(sign_in: Any) -> None:
    answer = sign_in("daniel").call("post", "policies/check", {"text": TEXT})

    assert answer.json()["key"] == KEY
    assert len(answer.json()["rules"]) == 5
    assert Policy.objects.get(key=KEY).versions.count() == 1


def test_only_those_with_the_right_write_policies(sign_in: Any, robot: Any) -> None:
    assert sign_in("priya").call("post", "policies", {"text": TEXT}).status_code == 403
    assert sign_in("priya").call("post", f"policies/{KEY}/activate", {"version": 1}, match="*").status_code == 403
    assert sign_in("lukas").call("post", f"policies/{KEY}/activate", {"version": 1}, match="*").status_code == 404
    assert sign_in("lukas").call("post", "policies", {"text": TEXT}).status_code == 404
    for person in (sign_in("priya"), sign_in("lukas"), robot("AP-04")):
        assert person.call("post", "policies/check", {"text": TEXT}).status_code == 403
    assert sign_in("priya").call("post", "policies", {"text": "key: new.policy", "unit": "finance"}).status_code == 403
    assert sign_in("daniel").call("post", f"policies/{KEY}/activate", {"version": 7}, match="*").status_code == 404


@pytest.mark.parametrize(("text", "document"), [
    ("a: 0.10", {"a": "0.10"}),
    ("a: 12:30\nb: yes\nc: 2026-11-22", {"a": "12:30", "b": "yes", "c": "2026-11-22"}),
    ("a: 010\nb: 0x1F\nc: .nan\nd: 1_000", {"a": "010", "b": "0x1F", "c": ".nan", "d": "1_000"}),
    ('{"a": 1e3, "b": true, "c": null, "d": -7}', {"a": "1e3", "b": True, "c": None, "d": -7}),
    ("a: 9007199254740991\nb: '9007199254740992'", {"a": 9007199254740991, "b": "9007199254740992"}),
])  # fmt: skip
def test_plain_values_are_those_of_json_and_numbers_stay_exact(text: str, document: Any) -> None:
    assert read_text(text) == document


@pytest.mark.parametrize(("text", "words"), [
    ("a: 1\na: 2", "line 2, column 1: `a` is given twice"),
    ("a: {b: 1, b: 2}", "`b` is given twice"),
    ("a: &x [1]\nb: *x", "references are not allowed"),
    ("a: !!python/object/apply:os.system [x]", "tags are not allowed"),
    ("a: !!str 1", "tags are not allowed"),
    ("a: [", "line 2"),
    ("- 1", "one document with named parts"),
    ("a: 1\n---\nb: 2", "another document"),
    ("[" * 100, "nested more than 20"),
    ("? [a]\n: 1", "plain text"),
    ("a: {1: 2}", "line 1, column 5: a name must be plain text; put a number in quotes"),
    ('a: "x\\0y"', "line 1, column 4: the text holds a zero character"),
    ("a: 9007199254740992", "line 1, column 4: a whole number of this size is not exact; write it in quotes"),
    ("a: -" + "9" * 5000, "not exact"),
    ("a: \x00", "neither YAML nor JSON"),
    ("", "one document"),
])  # fmt: skip
def test_text_that_is_no_document_is_refused(text: str, words: str) -> None:
    with pytest.raises(TextInvalid, match=words):
        read_text(text)


def test_a_document_reads_back_as_it_was() -> None:
    document = read_text(TEXT)

    assert read_text(write_text(document)) == document
