"""People try a question on the bench and read why; nothing is stored, and nothing of other units is told."""

from typing import Any

import pytest

from autonomy_site.demo.company import FOLDER
from governance import operations
from governance.models import Decision, Escalation, PolicyVersion
from governance.rules.texts import read_text
from observability import ledger
from observability.ledger import database_now
from observability.models import Event
from tests.invoices import ask_to_pay

TEXT = (FOLDER / "policies" / "invoice_payment.yaml").read_text()
KEY = "finance.invoice-payment"


def asked(amount: str = "9000.00", **more: Any) -> dict[str, Any]:
    known = {"seller": "Kessler", "order_matched": True, "findings": 0, "bank_changed_days": 412}
    return {
        "agent": "AP-04", "action": "invoice.pay", "context": {"amount": amount, "currency": "EUR"},
        "resource": {"type": "invoice", "id": "2026-1", "properties": known}, **more,
    }  # fmt: skip


def rules_of(answer: Any) -> dict[str, str]:
    return {rule["rule"]: rule["outcome"] for rule in answer.json()["rules"]}


def test_the_bench_tells_every_rule_with_every_condition(sign_in: Any) -> None:
    before = Event.objects.count()

    answer = sign_in("priya").call("post", "policies/bench", asked())

    told = answer.json()
    assert answer.status_code == 200, told
    assert (told["effect"], told["rule"], told["version"]) == ("escalate", "ip-limit", 1)
    assert told["reason"] == "9,000.00 EUR is above the limit of 5,000 EUR that an agent pays alone."
    assert told["escalation"]["path"] == "finance-approver"
    assert rules_of(answer) == {
        "ip-bank-changed": "differs", "ip-large": "differs", "ip-allow": "matches", "ip-exception": "differs",
        "ip-limit": "matches",
    }  # fmt: skip
    limit = next(rule for rule in told["rules"] if rule["rule"] == "ip-limit")
    assert limit["decides"] is True
    assert {each["outcome"] for each in limit["conditions"]} == {"true"}
    assert {"label": "Amount", "actual": "9,000.00 EUR", "wanted": "more than 5,000 EUR"}.items() <= limit[
        "conditions"
    ][1].items()
    assert told["reads"]["perm.pay"] is True
    assert told["stops"] == []
    assert (Decision.objects.count(), Escalation.objects.count(), Event.objects.count()) == (0, 0, before)


def test_facts_may_be_put_in_place_of_those_that_hold(sign_in: Any) -> None:
    facts = {"perm": {"pay": False}, "subject": {"autonomy_level": 1}}

    answer = sign_in("priya").call("post", "policies/bench", asked("10.00", facts=facts))

    assert answer.json()["effect"] == "deny"
    allow = next(rule for rule in answer.json()["rules"] if rule["rule"] == "ip-allow")
    assert [each["text"] for each in allow["conditions"] if each["outcome"] == "false"] == [
        "subject.autonomy_level >= 2", "perm.pay",
    ]  # fmt: skip


def test_what_is_missing_is_named(sign_in: Any) -> None:
    body = asked("10.00")
    del body["resource"]["properties"]["bank_changed_days"]

    answer = sign_in("priya").call("post", "policies/bench", body)

    assert answer.json()["missing"] == ["resource.bank_changed_days"]
    changed = next(rule for rule in answer.json()["rules"] if rule["rule"] == "ip-bank-changed")
    assert (changed["outcome"], changed["problem"]) == ("counts", "resource.bank_changed_days is not given.")


def test_a_past_decision_is_tried_again_with_a_draft(sign_in: Any, robot: Any) -> None:
    ask_to_pay(robot, "2026-1")
    decision = Decision.objects.get()
    daniel = sign_in("daniel")
    assert daniel.call("post", "policies", {"text": TEXT.replace("amount > 5000 &&", "amount > 9500 &&")}).json()

    now = daniel.call("post", "policies/bench", {"decision": str(decision.uid)}).json()
    draft = {"policy": KEY, "version": 2}
    then = daniel.call("post", "policies/bench", {"decision": str(decision.uid), "draft": draft}).json()

    assert (now["effect"], then["effect"]) == ("escalate", "allow")
    assert then["version"] == 2
    assert Decision.objects.count() == 1


@pytest.mark.parametrize(("change", "field"), [
    ({"agent": "RK-99"}, "agent"), ({"agent": ""}, "agent"), ({"action": ""}, "action"),
    ({"resource": None}, "resource"),
    ({"context": {"amuont": "1"}}, "context.amuont"), ({"context": {"amount": "NaN"}}, "context.amount"),
    ({"facts": {"perm": {"fly": True}}}, "perm.fly"), ({"facts": {"subject": {"autonomy_level": "high"}}},
     "subject.autonomy_level"),
])  # fmt: skip
def test_a_wrong_question_is_refused_by_field(change: dict[str, Any], field: str, sign_in: Any) -> None:
    answer = sign_in("priya").call("post", "policies/bench", asked(**{}) | change)

    assert answer.status_code == 400, answer.content
    assert field in [error["field"] for error in answer.json()["errors"]]


def test_rules_of_another_unit_are_told_without_content(sign_in: Any, robot: Any, halden: Any) -> None:
    document = read_text(TEXT)
    document = {**document, "key": "secret.policy", "tests": [], "rules": [
        {
            "id": "hidden", "effect": "deny", "when": "context.amount > 3", "reason": "A secret sentence.",
            "priority": 900,
        },
    ]}  # fmt: skip
    version = operations.add_policy(
        document, unit=halden.units["procurement"], owner=halden.people["maria"], by=ledger.SYSTEM, at=database_now()
    )
    operations.activate(version, by=ledger.SYSTEM, at=database_now())

    answer = sign_in("priya").call("post", "policies/bench", asked("10.00"))

    assert answer.json()["effect"] == "deny"
    assert "secret" not in answer.content.decode().lower()
    assert "hidden" not in answer.content.decode()
    assert answer.json()["rules"][0]["rule"] is None
    assert (
        sign_in("priya")
        .call("post", "policies/bench", asked(draft={"policy": "secret.policy", "version": 1}))
        .status_code
        == 404
    )


def test_agents_and_strangers_do_not_reach_the_bench(sign_in: Any, robot: Any) -> None:
    assert robot("AP-04").call("post", "policies/bench", asked()).status_code == 403
    assert sign_in("lukas").call("post", "policies/bench", asked()).status_code == 400


# --- what a policy may name -------------------------------------------------------------------------------------
def test_the_schema_tells_fields_operators_actions_paths_and_obligations(sign_in: Any) -> None:
    told = sign_in("daniel").call("get", "policies/schema").json()

    groups = {group["name"]: {field["path"]: field for field in group["fields"]} for group in told["groups"]}
    amount = groups["Accounts payable"]["context.amount"]
    assert (amount["label"], amount["unit"]) == ("Amount", "{context.currency}")
    assert {"more", "between", "missing"} <= set(amount["operators"])
    assert groups["What Autonomy OS knows"]["perm.pay"]["operators"] == ["yes", "no", "present", "missing"]
    assert {
        "name": "invoice.pay",
        "label": "Pay an invoice",
        "resource": "invoice",
        "system": "Accounts payable",
    } in told["actions"]
    assert {"key": "treasury", "name": "Treasury call-back"} in told["paths"]
    assert {"type": "cap", "label": "Not more than", "parts": {"field": "field", "max": "number"}} in told[
        "obligations"
    ]


def test_the_schema_names_no_field_of_a_system_of_another_unit(sign_in: Any) -> None:
    told = sign_in("lukas").call("get", "policies/schema")

    assert "Accounts payable" not in told.content.decode()
    assert "context.amount" not in told.content.decode()


def test_text_and_form_check_to_each_other(sign_in: Any) -> None:
    daniel = sign_in("daniel")

    by_text = daniel.call("post", "policies/check", {"text": TEXT}).json()
    by_form = daniel.call("post", "policies/check", {"form": by_text["form"]}).json()

    assert by_form == by_text
    assert read_text(by_text["text"]) == read_text(TEXT)
    limit = by_text["rules"][3]
    assert limit["sentence"] == "Ask Finance approver within 4h when Amount more than 5,000 and Amount at most 25,000."
    assert limit["tree"]["node"] == "chain"
    assert limit["reads"] == ["context.amount", "context.currency", "resource.type"]


def test_a_form_with_an_empty_row_is_refused_at_the_row(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    form = daniel.call("post", "policies/check", {"text": TEXT}).json()["form"]
    form["rules"][3]["when"] = {"all": [{"field": "context.amount", "op": "more", "value": ""}]}
    form["rules"][4]["when"] = {"all": [{"expression": "context.amout > 1"}]}

    answer = daniel.call("post", "policies/check", {"form": form})

    assert answer.status_code == 400
    errors = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert "is missing" in errors["rules[3].when.all[0].value"]
    assert "context.amount" in errors["rules[4].when.all[0]"]


@pytest.mark.parametrize("body", [{}, {"text": TEXT, "form": {}}, {"form": {"rules": "none"}}, {"form": []}])
def test_a_check_without_one_policy_is_refused(body: dict[str, Any], sign_in: Any) -> None:
    assert sign_in("daniel").call("post", "policies/check", body).status_code == 400
    assert PolicyVersion.objects.count() == 1
