"""Decisions at the agents' door: what is asked, what is recorded, and that nothing broken ever allows."""

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from django.conf import settings
from guardian.shortcuts import assign_perm

from agents import operations as agents
from agents.models import Blueprint, System
from agents.rules.systems import KINDS, MOST, OURS, ROOTS
from governance import operations
from governance.language import Kind
from governance.language.values import MAX_ITEMS
from governance.models import Decision, Escalation, PolicyVersion
from governance.operations.policies import OWN_FIELDS
from governance.rules import STANDARD_FIELDS, RuleSet
from observability import ledger
from observability.models import Event
from workflows.models import Step

POLICY = Path(settings.BASE) / "autonomy_site/demo/policies/invoice_payment.yaml"


@pytest.fixture
def clerk(robot: Any) -> Any:
    """The payments clerk at the API."""
    return robot("AP-04")


def ask(client: Any, body: Any, *, key: str | None = None) -> Any:
    """The answer to a question, which must be one."""
    answer = client.call("post", "actions", body, key=key)
    assert answer.status_code == 200, answer.content
    return answer.json()


def named(answer: Any) -> set[str]:
    """The fields that a refused question names."""
    assert answer.status_code == 400, answer.content
    return {error["field"] for error in answer.json()["errors"]}


@pytest.mark.parametrize(
    ("amount", "properties", "effect", "rule"),
    [
        ("4999.99", {}, "allow", "ip-allow"),
        ("5000.00", {}, "allow", "ip-allow"),
        ("5000.01", {}, "escalate", "ip-limit"),
        ("25000.01", {}, "escalate", "ip-large"),
        ("1", {"bank_changed_days": 3}, "escalate", "ip-bank-changed"),
        ("1", {"findings": 1}, "deny", "ip-exception"),
    ],
)
def test_each_answer_is_recorded_with_its_rule_version_reason_and_facts(
    clerk: Any, question: Any, amount: str, properties: Any, effect: str, rule: str
) -> None:
    answer = ask(clerk, question(amount=amount, properties=properties))

    assert (answer["effect"], answer["rule"], answer["policy_version"]) == (effect, rule, 1)
    decision = Decision.objects.get(uid=answer["decision"])
    assert decision.reason == answer["reason"] != ""
    assert decision.facts["context"]["amount"] == amount
    assert decision.facts["subject"]["role"] == "payments-clerk"
    assert decision.because == [f"finance.invoice-payment@1#{rule}"]
    made = Event.objects.get(verb="decision.made")
    assert (made.actor_id, made.after, made.why, made.data["rule"]) == ("AP-04", effect, decision.reason, rule)
    assert Escalation.objects.exists() == (effect == "escalate")


def test_what_no_rule_allows_is_denied(clerk: Any, robot: Any, question: Any) -> None:
    Blueprint.objects.update(actions=[{"system": "*", "action": "*", "scope": {}}])  # the policies alone decide
    unknown = question(action="invoice.burn")
    assert ask(clerk, unknown)["effect"] == "deny"
    assert "No rule allows invoice.burn" in Decision.objects.get().reason

    assert ask(robot("AP-01"), question(amount="1"))["effect"] == "deny", "a reader has no right to pay"
    assert ask(clerk, question(amount="1", context={"currency": "CHF"}))["effect"] == "deny"


def test_an_unknown_field_is_refused_by_name_with_a_suggestion(clerk: Any, question: Any) -> None:
    answer = clerk.call("post", "actions", question(context={"amout": "1", "colour": "red"}))

    assert named(answer) == {"context.amout", "context.colour"}
    assert "context.amount" in str(answer.json()["errors"])
    assert not Decision.objects.exists()


def test_what_only_we_know_cannot_be_sent(clerk: Any, question: Any) -> None:
    for context in ({"time": "2020-01-01T00:00:00Z"}, {"workflow": "other"}):
        name = next(iter(context))
        answer = clerk.call("post", "actions", question(context=context))
        assert answer.status_code == 400, name
    for group in ("subject", "perm", "approval"):
        body = question() | {group: {"paths": ["finance-approver"]}}
        assert clerk.call("post", "actions", body).status_code in (400,), group
    assert not Decision.objects.exists()


def test_a_value_of_the_wrong_type_is_refused_by_name(clerk: Any, question: Any) -> None:
    for wrong in ({"amount": "nine"}, {"amount": True}, {"amount": []}, {"currency": 5}):
        answer = clerk.call("post", "actions", question(context=wrong))
        assert named(answer) == {f"context.{name}" for name in wrong}
    for wrong in ({"findings": 0.5}, {"order_matched": "yes"}, {"findings": "many"}):
        answer = clerk.call("post", "actions", question(properties=wrong))
        assert named(answer) == {f"resource.{name}" for name in wrong}


def test_amounts_are_exact_whether_sent_as_number_or_text(clerk: Any, question: Any) -> None:
    assert ask(clerk, question(context={"amount": 5000.00}))["effect"] == "allow"
    assert ask(clerk, question(context={"amount": "5000.000000000000000001"}))["rule"] == "ip-limit"


def test_a_missing_fact_never_lets_pass(clerk: Any, question: Any) -> None:
    body = question(amount="1")
    del body["resource"]["properties"]["bank_changed_days"]

    answer = ask(clerk, body)

    assert (answer["effect"], answer["rule"]) == ("escalate", "ip-bank-changed")
    assert answer["missing"] == ["resource.bank_changed_days"]


def test_an_evaluation_that_breaks_denies(clerk: Any, question: Any) -> None:
    with patch.object(RuleSet, "_decide", side_effect=ZeroDivisionError):
        answer = ask(clerk, question(amount="1"))

    assert answer["effect"] == "deny"
    assert "nothing is allowed" in answer["reason"]


def test_the_same_key_gets_the_same_decision_and_another_question_is_422(clerk: Any, question: Any) -> None:
    first = ask(clerk, question(amount="1"), key="k")

    assert ask(clerk, question(amount="1"), key="k") == first
    assert clerk.call("post", "actions", question(amount="2"), key="k").status_code == 422
    assert Decision.objects.count() == 1


def test_the_decision_remembers_its_key_even_when_the_answer_is_forgotten(
    halden: Any, now: Any, question: Any, payer: Any
) -> None:
    body = question(amount="1")
    asked = operations.Question(
        action=body["action"], resource=body["resource"], context=body["context"], request_key="k"
    )
    first = operations.decide(asked, agent=payer, at=now)

    assert operations.decide(asked, agent=payer, at=now + timedelta(hours=1)).pk == first.pk
    other = operations.Question(
        action="invoice.pay", resource=body["resource"], context={"amount": "2"}, request_key="k"
    )
    with pytest.raises(ledger.Refused) as refused:
        operations.decide(other, agent=payer, at=now)
    assert refused.value.status == 422


def test_another_confidence_under_the_same_key_is_another_question(
    halden: Any, now: Any, question: Any, payer: Any
) -> None:
    body = question(amount="1")
    asked = operations.Question(
        action=body["action"], resource=body["resource"], context=body["context"], request_key="k",
        confidence=Decimal("0.98"),
    )  # fmt: skip
    first = operations.decide(asked, agent=payer, at=now)

    assert operations.decide(replace(asked, confidence=Decimal("0.980")), agent=payer, at=now).pk == first.pk
    for other in (Decimal("0.2"), None):
        with pytest.raises(operations.SameKeyOtherQuestion):
            operations.decide(replace(asked, confidence=other), agent=payer, at=now)
    again = operations.decide(replace(asked, confidence=None, request_key="l"), agent=payer, at=now)
    assert again.request_sha256 == first.request_sha256, "an approval is not bound to it"


def approve(sign_in: Any, answer: Any, *, who: str = "priya") -> Any:
    """A reviewer approves the question of this answer."""
    asked = Escalation.objects.get(uid=answer["escalation"]["id"])
    body = {"request_sha256": asked.request_sha256}
    return sign_in(who).call("post", f"escalations/{asked.uid}/approve", body)


def test_an_approval_holds_for_exactly_the_request_that_was_read(clerk: Any, sign_in: Any, question: Any) -> None:
    assert approve(sign_in, ask(clerk, question())).status_code == 200

    assert ask(clerk, question())["effect"] == "allow"
    for changed in (
        question(amount="9000.01"), question(properties={"seller": "Kessler GmbH"}),
        question(properties={"iban": "DE1"}),
        question(resource={**question()["resource"], "id": "2026-1188"}), question(context={"due_date": "2026-12-01"}),
    ):  # fmt: skip
        assert ask(clerk, changed)["effect"] == "escalate"


def test_words_around_the_request_do_not_change_it(clerk: Any, sign_in: Any, question: Any) -> None:
    approve(sign_in, ask(clerk, question(statement="Please", confidence="0.5")))

    assert ask(clerk, question(statement="As approved", confidence="0.9", approval="whatever"))["effect"] == "allow"


def test_an_approval_is_of_no_use_to_another_agent(
    clerk: Any, sign_in: Any, question: Any, halden: Any, robot: Any, now: Any
) -> None:
    approve(sign_in, ask(clerk, question()))

    assert ask(robot("AP-01"), question())["effect"] == "deny"


def test_an_approval_discharges_only_its_own_path(clerk: Any, sign_in: Any, question: Any) -> None:
    body = question(properties={"bank_changed_days": 3})
    first = ask(clerk, body)
    assert first["rule"] == "ip-bank-changed"
    assert approve(sign_in, first, who="priya").status_code == 403, "treasury is asked, not priya"
    assert approve(sign_in, first, who="maria").status_code == 200

    second = ask(clerk, body)
    assert (second["effect"], second["rule"]) == ("escalate", "ip-limit"), "the limit still waits for its own path"
    approve(sign_in, second)

    assert ask(clerk, body)["effect"] == "allow"


def test_an_approval_ends_after_a_day(halden: Any, clerk: Any, sign_in: Any, question: Any, now: Any) -> None:
    approve(sign_in, ask(clerk, question()))
    Escalation.objects.update(approved_until=now - timedelta(seconds=1))

    assert ask(clerk, question())["effect"] == "escalate"


def test_a_deny_stands_above_every_approval(clerk: Any, sign_in: Any, question: Any, halden: Any, now: Any) -> None:
    approve(sign_in, ask(clerk, question()))
    assert ask(clerk, question())["effect"] == "allow"

    document = yaml.safe_load(POLICY.read_text())
    document["rules"].append({"id": "ip-freeze", "effect": "deny", "reason": "Payments are frozen."})
    document["tests"] = []
    put_in_force(document, halden, now)

    assert ask(clerk, question())["rule"] == "ip-freeze", "asked again, since the policy changed between"


def test_rejected_means_denied_and_asking_again_does_not_help(clerk: Any, sign_in: Any, question: Any) -> None:
    asked = Escalation.objects.get(uid=ask(clerk, question())["escalation"]["id"])
    body = {"request_sha256": asked.request_sha256, "reason": "Paid by card"}
    assert sign_in("priya").call("post", f"escalations/{asked.uid}/reject", body).status_code == 200

    again = ask(clerk, question())

    assert (again["effect"], again["rule"]) == ("deny", "answered-before")
    assert "Priya Nair rejected this: Paid by card" in again["reason"]
    assert Escalation.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "risk_of_action", "effect"), [("paused", 3, "deny"), ("restricted", 3, "deny"), ("normal", 3, "allow")]
)
def test_a_stopped_company_denies_and_puts_the_step_back(
    bring: Any, clerk: Any, question: Any, halden: Any, now: Any, state: str, risk_of_action: int, effect: str
) -> None:
    bring()
    work = clerk.claim()
    if state != "normal":
        operations.change_control(state, by=halden.people["daniel"], at=now, why="Strange payments")

    answer = ask(clerk, question(work, amount="1"))

    step = Step.objects.get(uid=work["step"])
    assert answer["effect"] == effect
    if state == "normal":
        assert step.status == "working"
        return
    assert (answer["rule"], step.status, step.attempt) == ("control-state", "ready", 0)
    assert "Strange payments" in answer["reason"]
    assert Event.objects.filter(verb="step.returned").count() == 1


def test_a_right_to_the_record_of_a_system_is_no_right_to_act_in_it(
    clerk: Any, question: Any, halden: Any, payer: Any
) -> None:
    assign_perm("agents.change_system", payer.principal, System.objects.get(code="payables"))

    decision = Decision.objects.get(uid=ask(clerk, question(amount="1"))["decision"])

    assert decision.facts["perm"] == {"read": True, "create": False, "change": False, "pay": True, "send": False}


def test_what_is_given_twice_is_refused_by_name(clerk: Any, question: Any) -> None:
    twice = question(properties={"id": "2026-9", "type": "order"}, context={"confidence": "1"}, confidence="0.2")

    assert named(clerk.call("post", "actions", twice)) == {"resource.id", "resource.type", "context.confidence"}
    assert not Decision.objects.exists()


def test_nothing_below_one_cent_is_paid(clerk: Any, question: Any) -> None:
    for amount in ("0", "-9000.00"):
        assert ask(clerk, question(amount=amount))["effect"] == "deny"


def test_people_read_amounts_with_separators_and_currency_and_the_facts_stay_exact(clerk: Any, question: Any) -> None:
    answer = ask(clerk, question())

    assert answer["reason"] == "9,000.00 EUR is above the limit of 5,000 EUR that an agent pays alone."
    asked = Escalation.objects.get()
    told = [(each["label"], each["actual"], each["wanted"]) for each in asked.conditions]
    assert told == [
        ("Amount", "9,000.00 EUR", "more than 5,000 EUR"), ("Amount", "9,000.00 EUR", "at most 25,000 EUR"),
    ]  # fmt: skip
    assert asked.request["context"]["amount"] == asked.decision.facts["context"]["amount"] == "9000.00"


def test_a_length_of_time_is_recorded_as_it_was_sent(clerk: Any, question: Any, halden: Any, now: Any) -> None:
    agents.add_system(
        "haulage", "Haulage", unit=halden.units["finance"], resource="shipment", actions=[],
        fields=[{"path": "context.wait", "kind": "duration", "label": "Wait"}], by=ledger.SYSTEM, at=now,
    )  # fmt: skip

    answer = ask(clerk, question(amount="1", context={"wait": "36h"}))

    assert Decision.objects.get(uid=answer["decision"]).facts["context"]["wait"] == "36h"


def test_no_system_takes_the_place_of_a_field_that_policies_trust(
    clerk: Any, question: Any, halden: Any, now: Any
) -> None:
    agents.add_system(
        "shadow", "Shadow", unit=halden.units["finance"], resource="invoice", actions=[],
        fields=[{"path": "context.time", "kind": "timestamp"}, {"path": "context.amount", "kind": "string"}],
        by=ledger.SYSTEM, at=now,
    )  # fmt: skip

    sent = clerk.call("post", "actions", question(context={"time": "2020-01-01T00:00:00Z", "amount": "nine"}))

    assert named(sent) == {"context.time", "context.amount"}
    assert ask(clerk, question())["rule"] == "ip-limit"


def test_a_policy_that_lost_its_fields_denies_what_it_covers_and_nothing_else(
    clerk: Any, question: Any, halden: Any, sign_in: Any, now: Any
) -> None:
    System.objects.filter(code="payables").update(fields=[])
    document = {
        "apiVersion": "autonomyos/v1", "kind": "Policy", "key": "finance.post", "version": 1, "title": "Post",
        "scope": {"actions": ["mail.send"]}, "rules": [{"id": "all", "effect": "allow", "reason": "Letters go out."}],
        "tests": [{"name": "always", "request": {"action": {"name": "mail.send"}}, "expect": {"effect": "allow"}}],
    }  # fmt: skip
    home = {"unit": halden.units["finance"], "owner": halden.people["maria"]}
    operations.activate(operations.add_policy(document, **home, by=ledger.SYSTEM, at=now), by=ledger.SYSTEM, at=now)
    job = [{"system": "payables", "action": name, "scope": {}} for name in ("invoice.pay", "mail.send")]
    Blueprint.objects.filter(code="payments-clerk").update(actions=job)

    bare = {"resource": {"type": "invoice", "id": "2026-1187"}, "context": {}}
    payment = ask(clerk, {"action": "invoice.pay", **bare})
    letter = ask(clerk, {"action": "mail.send", "resource": {"type": "letter", "id": "L-1"}})

    assert (payment["effect"], payment["rule"]) == ("deny", "cannot-be-read")
    assert payment["reason"].startswith("finance.invoice-payment, version 1 cannot be read any more")
    told = Event.objects.filter(verb="decision.made").order_by("id")[0]
    assert (told.data["policy"], told.data["version"]) == ("finance.invoice-payment", 1)
    assert letter["effect"] == "allow"
    page = sign_in("ingrid").get("/policies/analysis").content.decode()
    assert "finance.invoice-payment, version 1 cannot be read any more, so it allows nothing." in page


def test_a_policy_whose_scope_is_lost_too_denies_every_action(clerk: Any, question: Any) -> None:
    PolicyVersion.objects.active().filter(policy__key="finance.invoice-payment").update(document={"scope": "all"})

    assert ask(clerk, question(amount="1"))["rule"] == "cannot-be-read"
    answer = ask(clerk, {"action": "memory.read", "resource": {"type": "space", "id": "orders"}})
    assert answer["rule"] == "cannot-be-read"


def test_a_field_of_a_system_that_cannot_stand_beside_another_stops_no_decision(
    clerk: Any, question: Any, halden: Any, now: Any
) -> None:
    system = {
        "code": "orders", "name": "Orders", "unit": halden.units["finance"], "resource": "order", "actions": [],
        "fields": [{"path": "resource.order.total", "kind": "decimal"}, {"path": "lists", "kind": "string"},
                   {"path": "resource.lines", "kind": "list", "item": "decimal", "most": 2}],
    }  # fmt: skip
    with pytest.raises(ledger.Invalid) as refused:
        agents.add_system(**{**system, "fields": system["fields"][:1]}, by=ledger.SYSTEM, at=now)
    assert refused.value.fields["fields"] == (
        "resource.order.total cannot stand beside resource.order of Accounts payable: resource.order is a field and "
        "cannot hold resource.order.total."
    )
    System.objects.create(**system)  # past the operation, as somebody may in a shell

    assert ask(clerk, question(amount="1"))["effect"] == "allow"
    many = clerk.call("post", "actions", question(amount="1", properties={"lines": ["1", "2", "3"]}))
    assert named(many) == {"resource.lines"}


def test_systems_know_which_fields_are_ours() -> None:
    ours = {field.path for field in (*OWN_FIELDS, *STANDARD_FIELDS)}

    assert {path for path in ours if path.partition(".")[0] in ROOTS} == OURS
    assert set(KINDS) == {*Kind} - {Kind.MAP}
    assert MOST == MAX_ITEMS


@pytest.mark.parametrize("scope", ["everything", "agent:AP-04", "system:payables", "unit:finance"])
def test_an_allow_from_before_a_stop_is_of_no_use_while_it_holds(
    clerk: Any, sign_in: Any, question: Any, scope: str
) -> None:
    first = clerk.call("post", "actions", question(amount="1"), key="pay-1").json()
    maria = sign_in("ingrid")
    maria.post("/control", {"scope": scope, "state": "paused", "why": "Forged invoices."})

    again = clerk.call("post", "actions", question(amount="1"), key="pay-1").json()

    assert (first["effect"], again["effect"], again["rule"]) == ("allow", "deny", "control-state")
    assert "Forged invoices." in again["reason"]
    assert Decision.objects.get(uid=again["decision"]).effect == "deny"
    maria.post("/control", {"scope": scope, "state": "normal", "why": "They were genuine."})
    assert clerk.call("post", "actions", question(amount="1"), key="pay-1").json()["decision"] == first["decision"]


def test_a_question_that_waits_is_told_again_while_work_is_stopped(clerk: Any, sign_in: Any, question: Any) -> None:
    first = clerk.call("post", "actions", question(), key="pay-1").json()
    sign_in("ingrid").post("/control", {"scope": "everything", "state": "paused", "why": "A drill."})

    again = clerk.call("post", "actions", question(), key="pay-1").json()

    assert (again["effect"], again["decision"]) == ("escalate", first["decision"])
    assert clerk.call("post", "actions", question(amount="1"), key="pay-1").status_code == 422


def test_an_approval_is_of_no_use_to_another_rule_or_a_new_version(
    clerk: Any, sign_in: Any, question: Any, halden: Any, now: Any
) -> None:
    approve(sign_in, ask(clerk, question()))
    document = yaml.safe_load(POLICY.read_text())
    document["rules"].append({
        "id": "ip-twice", "effect": "escalate", "reason": "Two people look at every payment now.", "priority": 500,
        "escalate": {"path": "finance-approver", "sla": "4h", "approvals": 2},
    })  # fmt: skip
    document["tests"] = []
    put_in_force(document, halden, now)

    answer = ask(clerk, question())

    assert (answer["effect"], answer["rule"]) == ("escalate", "ip-twice")
    assert Escalation.objects.open().get().approvals_needed == 2


def test_outside_a_step_an_approval_allows_once(clerk: Any, sign_in: Any, question: Any) -> None:
    approve(sign_in, ask(clerk, question()))
    first = ask(clerk, question(), key="first")
    assert first["effect"] == "allow"

    again = ask(clerk, question(), key="second")
    assert again["effect"] == "escalate", "9,000.00 was approved once, not as often as the agent likes"
    assert ask(clerk, question(), key="first") == first, "a repeat of the same question is no second use"

    assert approve(sign_in, again).status_code == 200
    assert ask(clerk, question(), key="third")["effect"] == "allow"


def test_within_its_step_an_agent_that_lost_the_answer_asks_again(
    bring: Any, clerk: Any, sign_in: Any, question: Any
) -> None:
    bring()
    approve(sign_in, ask(clerk, question(clerk.claim())))
    work = clerk.claim()

    assert [ask(clerk, question(work))["effect"] for _ in range(2)] == ["allow", "allow"]


def put_in_force(document: Any, halden: Any, now: Any) -> PolicyVersion:
    """The document as the version that decides."""
    version = operations.add_policy(
        document, unit=halden.units["finance"], owner=halden.people["maria"], by=ledger.SYSTEM, at=now
    )
    operations.activate(version, by=ledger.SYSTEM, at=now)
    return version


def test_people_whom_the_policy_excludes_are_not_asked(
    clerk: Any, sign_in: Any, question: Any, halden: Any, now: Any
) -> None:
    document = deepcopy(yaml.safe_load(POLICY.read_text()))
    document["tests"] = []
    for rule in document["rules"]:
        if rule["id"] == "ip-limit":
            rule["escalate"]["not_by"] = ["resource.seller_id"]
    put_in_force(document, halden, now)
    silent = ask(clerk, question())
    assert (silent["effect"], silent["missing"]) == ("deny", ["resource.seller_id"]), "who is excluded must be known"

    answer = ask(clerk, question(properties={"seller_id": "priya"}))

    assert approve(sign_in, answer, who="priya").status_code == 403
    assert approve(sign_in, answer, who="maria").status_code == 200
