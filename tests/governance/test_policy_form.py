"""Daniel writes policies on the form: every button, plain posts as a browser without script sends them."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.http import QueryDict
from lxml import html

from autonomy_site.demo.company import FOLDER
from governance.models import Policy, PolicyVersion
from governance.rules.texts import read_text, write_text
from tests.policies import act, put_in_force

TEXT = (FOLDER / "policies" / "invoice_payment.yaml").read_text()
KEY = "finance.invoice-payment"
FORM = f"/policies/{KEY}/versions/1/form"


class Sheet:
    """The form on a page, the way a browser holds it: `put` values into it, then `press` a button."""

    def __init__(self, person: Any, address: str) -> None:
        self.person, self.address = person, address
        self.read(person.get(address))

    def read(self, answer: Any) -> "Sheet":
        self.answer, self.text = answer, answer.content.decode()
        found = html.fromstring(self.text or "<p></p>").xpath('//form[@id="policy-form"]')
        self.form = found[0] if found else None
        self.values = self.fields() if found else {}
        return self

    def fields(self) -> dict[str, list[str]]:
        values: dict[str, list[str]] = {}
        areas = self.form.xpath(".//textarea/@name")
        for name, value in self.form.form_values():
            # a browser drops the line break that stands first in a textarea, lxml keeps it
            values.setdefault(name, []).append(value.removeprefix("\n") if name in areas else value)
        return values

    def put(self, name: str, *values: str) -> "Sheet":
        assert name in self.values, f"{name} is not on the page: {sorted(self.values)}"
        self.values[name] = list(values)
        return self

    def press(self, do: str) -> "Sheet":
        buttons = [button.get("value") for button in self.form.xpath('.//button[@name="do"]')]
        assert do in buttons, f"{do} is not on the page: {buttons}"
        answer = self.person.post(self.address, {**self.values, "do": do})
        return self.read(answer)

    @property
    def held(self) -> dict[str, Any]:
        """The whole form that the page carries."""
        return json.loads(self.values["form"][0])

    def part(self, place: str) -> str:
        """What one part of the page says."""
        return " ".join(self.form.xpath(f'.//*[@id="{place}"]')[0].text_content().split())

    @property
    def focus(self) -> str:
        return self.form.xpath('.//*[@id="focus"]/@value')[0]


@pytest.fixture
def sheet(sign_in: Any) -> Sheet:
    """Daniel before the form of the policy in force."""
    return Sheet(sign_in("daniel"), FORM)


def kept() -> dict[str, Any]:
    return PolicyVersion.objects.order_by("-pk")[0].document


def test_saving_without_a_change_keeps_the_same_document(sheet: Sheet) -> None:
    answer = sheet.press("save").answer

    assert answer.status_code == 302, sheet.text
    assert answer.url == f"/policies/{KEY}?version=2"
    assert kept() == {**read_text(TEXT), "version": 2}
    assert PolicyVersion.objects.get(number=2).status == "draft"


def test_the_page_reads_every_rule_in_words(sheet: Sheet) -> None:
    assert sheet.part("r2.says") == "Ask Large payments, 2 people, within 4h when Amount more than 25,000."
    assert "is yes" in sheet.part("r4.says")
    assert (
        sheet.part("r0.preview")
        == "Invoice INV-9 has open findings or no matching order, and nobody approved the exception."
    )
    assert "13 tests pass" in sheet.part("found")


def test_daniel_adds_a_rule_with_a_row_and_a_group(sheet: Sheet) -> None:
    sheet.press("add-rule")
    assert sheet.focus == "r5.effect"
    sheet.put("r5.effect", "escalate").put("r5.id", "weekend").put("r5.reason", "Too {context.amount}.").press(
        "add-row:r5.when"
    )
    assert sheet.focus == "r5.when.0.field"
    sheet.put("r5.when.0.field", "context.amount").press("check")
    sheet.put("r5.when.0.op", "between").press("check")
    sheet.put("r5.when.0.low", "10").put("r5.when.0.high", "20.50").press("add-group:r5.when")
    sheet.put("r5.when.1.group", "none").put("r5.when.1.0.field", "context.currency").press("check")
    sheet.put("r5.when.1.0.op", "one_of").press("check")
    sheet.put("r5.when.1.0.value", "EUR", "").press("check")
    sheet.put("r5.when.1.0.value", "EUR", "USD").put("r5.escalate.path", "treasury").put("r5.escalate.approvals", "2")

    assert sheet.press("save").answer.status_code == 302, sheet.text

    assert kept()["rules"][5] == {
        "id": "weekend", "effect": "escalate", "reason": "Too {context.amount}.",
        "when": 'context.amount >= 10 && context.amount <= 20.50 && !(context.currency in ["EUR", "USD"])',
        "escalate": {"path": "treasury", "sla": "4h", "approvals": 2},
    }  # fmt: skip


def test_each_kind_of_field_has_its_control(sheet: Sheet) -> None:
    sheet.press("add-row:r1.when").put("r1.when.1.field", "perm.pay").press("check")
    assert "r1.when.1.value" not in sheet.values
    sheet.put("r1.when.1.field", "context.time").press("check")
    sheet.put("r1.when.1.op", "more").put("r1.when.1.value", "2026-12-01T10:00").press("check")
    assert sheet.held["rules"][1]["when"]["all"][1]["value"] == "2026-12-01T10:00:00Z"
    sheet.put("r1.when.1.op", "last_days").press("check")
    sheet.put("r1.when.1.value", "7").press("check")
    assert "in the last 7 days" in sheet.part("r1.says")
    sheet.put("r1.when.1.field", "context.amount").put("r1.when.1.op", "more.other").press("check")
    assert "r1.when.1.other" in sheet.values
    sheet.put("r1.when.1.other", "resource.findings").press("save")
    assert kept()["rules"][1]["when"] == "resource.bank_changed_days < 30 && context.amount > resource.findings"


def test_a_problem_stands_at_its_row(sheet: Sheet) -> None:
    sheet.put("r2.when.0.value", "much").put("r3.reason", "For {context.amout}.").put("r1.escalate.sla", "soon")
    sheet.put("r1.priority", "high").press("check")

    assert sheet.part("r2.when.0.wrong") == "The value must be a number such as 1200.50."
    assert "Did you mean `context.amount`?" in sheet.part("r3.reason.wrong")
    assert "length of time" in sheet.part("r1.escalate.sla.wrong")
    assert "whole number" in sheet.part("r1.priority.wrong")
    assert "4 problems to mend" in sheet.part("found")

    refused = sheet.press("save")
    assert refused.answer.status_code == 400
    assert "Nothing was saved" in refused.text
    assert refused.values["r2.when.0.value"] == ["much"]
    assert PolicyVersion.objects.count() == 1


def test_an_expression_stays_one_and_is_checked_with_its_place(sheet: Sheet) -> None:
    sheet.press("add-expression:r2.when").put("r2.when.1.expression", "context.amount * 2 > 5 &&").press("check")
    assert "Expected a value" in sheet.part("r2.when.1.expression.wrong")

    sheet.put("r2.when.1.expression", "context.amount * 2 > 5").press("save")

    assert kept()["rules"][2]["when"] == "context.amount > 25000 && context.amount * 2 > 5"
    assert "r2.when.1.expression" in Sheet(sheet.person, f"/policies/{KEY}/versions/2/form").values


def test_rules_move_copy_and_go_with_undo(sheet: Sheet) -> None:
    def ids() -> list[str]:
        return [rule["id"] for rule in sheet.held["rules"]]

    before = ids()
    assert (sheet.press("down:r0").focus, ids()[:2]) == ("r1.down", [before[1], before[0]])
    sheet.press("up:r1")
    assert ids() == before
    sheet.press("copy:r0")
    assert ids()[:2] == [before[0], f"{before[0]}-copy"]
    sheet.press("delete-rule:r1").press("delete-rule:r0")
    assert ids() == before[1:]
    assert sheet.focus == "undo"
    sheet.press("check").press("undo")
    assert ids() == before


def test_a_deleted_condition_comes_back_by_undo_and_none_is_always(sheet: Sheet) -> None:
    sheet.press("delete:r2.when.0")
    assert "when" not in sheet.held["rules"][2]
    assert sheet.part("r2.says").endswith("within 4h, always.")
    sheet.press("undo")
    assert sheet.held["rules"][2]["when"] == {"all": [{"field": "context.amount", "op": "more", "value": "25000"}]}


def test_duties_are_added_changed_and_deleted(sheet: Sheet) -> None:
    sheet.press("add-obligation:r4").put("r4.obligations.1.type", "cap").press("check")
    sheet.put("r4.obligations.1.field", "context.amount").put("r4.obligations.1.max", "5000")
    sheet.press("add-obligation:r4").put("r4.obligations.2.type", "notify").press("check")
    sheet.put("r4.obligations.2.to", "treasury", "").press("delete-obligation:r4.obligations.0").press("save")

    assert kept()["rules"][4]["obligations"] == [
        {"type": "cap", "field": "context.amount", "max": "5000"}, {"type": "notify", "to": ["treasury"]},
    ]  # fmt: skip


def test_the_placeholder_goes_into_the_reason(sheet: Sheet) -> None:
    sheet.put("r2.reason", "Two people look at").put("r2.placeholder", "context.amount").press("insert:r2")

    assert sheet.values["r2.reason"] == ["Two people look at {context.amount}"]
    assert sheet.part("r2.preview") == "Two people look at 1210.50"
    assert sheet.focus == "r2.reason"


def test_an_empty_part_is_no_mistake_before_somebody_tries_to_save(sign_in: Any) -> None:
    sheet = Sheet(sign_in("daniel"), "/policies/new/form")
    assert sheet.part("found") == ("Still to fill inKeyTitleActionsReason given of rule 1Whom to ask of rule 1")
    assert sheet.part("key.wrong") == ""

    sheet.put("key", "no good").press("check")
    assert "Must be a name" in sheet.part("key.wrong")
    assert sheet.part("title.wrong") == ""
    sheet.put("key", "finance.x").press("save")

    assert sheet.answer.status_code == 400
    assert (sheet.part("title.wrong"), sheet.part("r0.escalate.path.wrong")) == ("Fill this in.", "Choose one.")
    assert sheet.press("check").part("title.wrong") == "Fill this in."


def test_a_test_is_added_and_run(sheet: Sheet) -> None:
    sheet.put("test.name", "tiny").put("test.effect", "allow").put("test.request", 'context: {amount: "0.01"}').press(
        "add-test"
    )
    assert "14 tests pass" in sheet.part("found")
    sheet.put("test.name", "tiny").press("add-test")
    assert "no other has" in sheet.part("test.name.wrong")
    sheet.put("test.name", "big").put("test.request", "{").press("add-test")
    assert "column 1" in sheet.part("test.request.wrong")
    sheet.press("save")
    assert kept()["tests"][-1] == {
        "name": "tiny",
        "request": {"context": {"amount": "0.01"}},
        "expect": {"effect": "allow"},
    }


def test_a_failing_test_is_seen_while_typing(sheet: Sheet) -> None:
    sheet.put("r3.when.0.value", "1").press("check")

    assert "tests fail" in sheet.part("found")


def test_form_and_text_change_places_without_loss(sheet: Sheet) -> None:
    sheet.press("text")
    assert read_text(sheet.values["text"][0]) == read_text(TEXT)
    changed = sheet.values["text"][0].replace("title: Invoice payment", "title: Paying invoices")
    sheet.put("text", changed).press("check").press("form")
    assert sheet.values["title"] == ["Paying invoices"]
    sheet.press("save")
    assert kept() == {**read_text(TEXT), "version": 2, "title": "Paying invoices"}


def test_a_row_that_is_not_filled_in_keeps_the_form(sheet: Sheet) -> None:
    sheet.press("add-row:r0.when").press("text")

    assert "not filled in" in sheet.text
    assert "form" in sheet.values


@pytest.mark.parametrize(("text", "words"), [
    ("key: [", "line"), ("rules: none", "key must stay"), (f"key: {KEY}\nrules: none", "list of rules"),
    (f"key: {KEY}\nrules: [{{id: a}}]", "is missing"),
])  # fmt: skip
def test_a_text_that_cannot_be_read_says_why(text: str, words: str, sheet: Sheet) -> None:
    sheet.press("text").put("text", text)

    assert words in unescape(sheet.press("save").text)
    assert sheet.answer.status_code == 400
    assert PolicyVersion.objects.count() == 1


def test_the_text_is_saved_and_checked_too(sheet: Sheet) -> None:
    sheet.press("text").put("text", TEXT.replace("context.amount > 25000", "context.amout > 25000")).press("check")
    assert "context.amount" in sheet.part("found")
    sheet.put("text", TEXT).press("save")
    assert kept() == {**read_text(TEXT), "version": 2}


def test_daniel_writes_a_new_policy(sign_in: Any) -> None:
    sheet = Sheet(sign_in("daniel"), "/policies/new/form")
    sheet.put("key", "finance.refunds").put("title", "Refunds").put("scope.actions", "invoice.pay").put(
        "unit", "finance"
    )
    sheet.put("scope.resource", "invoice").put("scope.roles", "payments-clerk", "").put("priority", "7")
    sheet.put("effective.from", "2026-12-01").put("r0.effect", "deny").put("r0.reason", "Never.").press("check")
    assert "Everything can be read" in sheet.part("found")

    answer = sheet.press("save").answer

    assert answer.status_code == 302, sheet.text
    assert kept() == {
        "apiVersion": "autonomyos/v1", "kind": "Policy", "key": "finance.refunds", "version": 1, "title": "Refunds",
        "priority": 7, "effective": {"from": "2026-12-01"},
        "scope": {"actions": ["invoice.pay"], "resource": "invoice", "roles": ["payments-clerk"]},
        "rules": [{"id": "rule-1", "effect": "deny", "reason": "Never."}],
    }  # fmt: skip
    assert Policy.objects.get(key="finance.refunds").unit.code == "finance"


def test_a_new_policy_takes_no_key_of_another(sign_in: Any) -> None:
    sheet = Sheet(sign_in("daniel"), "/policies/new/form")
    sheet.put("key", KEY).put("title", "Mine").put("scope.actions", "invoice.pay").put("r0.effect", "deny")
    sheet.put("r0.reason", "No.").press("save")

    assert sheet.answer.status_code == 400
    assert "Another policy has this key" in sheet.text
    assert PolicyVersion.objects.count() == 1


def test_who_may_not_write_reaches_no_form(sign_in: Any, client: Any) -> None:
    assert sign_in("lukas").get(FORM).status_code == 404
    for path in (FORM, "/policies/new/form"):
        assert sign_in("priya").get(path).status_code == 403
        assert sign_in("priya").post(path, {"do": "check"}).status_code == 403
        assert client.get(path).status_code == 302
    assert sign_in("daniel").get(f"/policies/{KEY}/versions/9/form").status_code == 404


@pytest.mark.parametrize("change", [
    {"form": "{"}, {"form": "5"}, {"form": ""}, {"form": '{"rules": 5}'}, {"form": '{"rules": [5]}'},
    {"do": "delete:r0.when.99"}, {"do": "up:r99"}, {"do": "up:x"}, {"do": "delete-rule:r-1"},
    {"do": "add-row:r2.when.0"},
    {"undo": "["}, {"form": '{"rules": [{"when": {"all": [5]}}]}'}, {"do": "delete-obligation:r4.obligations.7"},
])  # fmt: skip
def test_a_page_that_nobody_was_given_is_refused(change: dict[str, str], sheet: Sheet) -> None:
    answer = sheet.person.post(FORM, {**sheet.values, "do": "check", **change})

    assert answer.status_code == 400
    assert PolicyVersion.objects.count() == 1


def test_a_button_that_nobody_knows_only_checks(sheet: Sheet) -> None:
    assert sheet.person.post(FORM, {**sheet.values, "do": "explode:r0"}).status_code == 200


def test_large_policies_open_as_text(sign_in: Any) -> None:
    document = {**read_text(TEXT), "tests": []}
    document["rules"] = [{**document["rules"][0], "id": f"r{number}"} for number in range(41)]
    daniel = sign_in("daniel")
    assert daniel.call("post", "policies", {"text": write_text(document)}).status_code == 201

    sheet = Sheet(daniel, f"/policies/{KEY}/versions/2/form")

    assert "text" in sheet.values
    assert re.search("r40", sheet.values["text"][0])


# --- the bench --------------------------------------------------------------------------------------------------
def bench(person: Any, query: str) -> tuple[str, QueryDict]:
    page = person.get(f"/policies/bench?{query}").content.decode()
    data = QueryDict(mutable=True)
    for name, value in html.fromstring(page).xpath('//form[@id="bench-form"]')[0].form_values():
        data.appendlist(name, value)
    return page, data


def test_a_question_by_hand_is_answered_in_full(sign_in: Any) -> None:
    priya = sign_in("priya")
    _, data = bench(priya, "agent=AP-04&action=invoice.pay")
    for name, value in {
        "resource.id": "2026-1", "asked.context.amount": "9000", "asked.context.currency": "EUR",
        "asked.resource.findings": "0", "asked.resource.order_matched": "yes", "known.subject.autonomy_level": "1",
    }.items():  # fmt: skip
        assert name in data, sorted(data)
        data[name] = value

    page = priya.post("/policies/bench", {**data.dict(), "do": "try"}).content.decode()

    assert "The unknown age" not in page
    assert "ip-bank-changed" in page
    assert "Counts, because something is missing" in page
    assert "resource.bank_changed_days is not given" in page
    assert "µs" in page
    assert "subject.autonomy_level &gt;= 2" in page


def test_a_wrong_value_stands_at_its_field(sign_in: Any) -> None:
    priya = sign_in("priya")
    _, data = bench(priya, "agent=AP-04&action=invoice.pay")
    page = priya.post("/policies/bench", {**data.dict(), "asked.context.amount": "much"}).content.decode()
    assert "Name the thing" in page

    page = priya.post(
        "/policies/bench", {**data.dict(), "asked.context.amount": "much", "resource.id": "1"}
    ).content.decode()

    assert "must be a number such as 12.50" in page


def test_a_past_decision_is_loaded_and_kept_as_a_test(sign_in: Any, robot: Any, question: Any) -> None:
    asked = robot("AP-04").call("post", "actions", question(amount="9000.00"))
    daniel = sign_in("daniel")
    daniel.call("post", "policies", {"text": TEXT})
    page, data = bench(daniel, f"decision={asked.json()['decision']}&draft={KEY}@2")
    assert "Loaded from the decision" in page
    assert data["asked.context.amount"] == "9000.00"
    assert "ip-limit" in page

    answer = daniel.post("/policies/bench", {**data.dict(), "do": "keep", "name": "like the one of today"})

    assert answer.status_code == 302, answer.content.decode()
    test = kept()["tests"][-1]
    assert (test["name"], test["expect"]) == ("like the one of today", {"effect": "escalate", "rule": "ip-limit"})
    for person, step in ((daniel, "ask-review"), (sign_in("ingrid"), "approve")):
        assert act(person, 2, step).status_code == 200
    assert put_in_force(daniel, 2).status_code == 200
    assert daniel.post("/policies/bench", {**data.dict(), "do": "keep", "name": ""}).status_code == 400


def test_the_bench_shows_nothing_of_other_units(sign_in: Any, robot: Any, question: Any) -> None:
    asked = robot("AP-04").call("post", "actions", question())
    lukas = sign_in("lukas")

    assert lukas.get(f"/policies/bench?decision={asked.json()['decision']}").status_code == 404
    assert lukas.get(f"/policies/bench?draft={KEY}@1").status_code == 404
    page = lukas.get("/policies/bench?agent=AP-04&action=invoice.pay").content.decode()
    assert "AP-04" not in page
    assert "bank_changed_days" not in page
    for query in ("decision=5", "draft=x", "draft=@", f"draft={KEY}@x"):
        assert sign_in("priya").get(f"/policies/bench?{query}").status_code == 404
