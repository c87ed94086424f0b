"""Access requests: a person is asked when the agent wants it, about exactly what was evaluated."""

import itertools
import uuid
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.conf import settings

from agents import operations as agents
from governance import operations
from governance.models import Decision, Escalation
from observability import ledger
from observability.models import Event
from tests.governance.authzen import asked, get, post, said

PREFIX = "urn:openid:authzen:access-request:error:"


@pytest.fixture
def clerk(robot: Any) -> Any:
    """The payments clerk at the decision point."""
    return robot("AP-04")


def wanted(told: Any, body: Any = None, **more: Any) -> dict[str, Any]:
    """The access request about an evaluation."""
    return {**(body or asked()), "denial": {"evaluation_id": told["context"]["evaluation_id"]}, **more}


def ask(client: Any, body: Any, *, key: str = "") -> Any:
    return post(client, "requests", body, Idempotency_Key=key or str(uuid.uuid4()))


def pending(client: Any, **more: Any) -> dict[str, Any]:
    """The task of a new access request."""
    answer = ask(client, wanted(said(client, asked()), **more))
    assert answer.status_code == 201, answer.content
    task: dict[str, Any] = answer.json()["task"]
    return task


def settle(sign_in: Any, task: Any, how: str, who: str = "priya") -> Any:
    """A person answers."""
    sha = Escalation.objects.get(uid=task["id"]).request_sha256
    body = {"request_sha256": sha, "reason": "Looked at it."}
    return sign_in(who).call("post", f"escalations/{task['id']}/{how}", body)


def problem(answer: Any, status: int, code: str) -> Any:
    assert (answer.status_code, answer.json()["type"]) == (status, PREFIX + code), answer.content
    assert answer["Content-Type"] == "application/problem+json"
    return answer.json()


def test_from_the_question_to_the_payment(clerk: Any, sign_in: Any) -> None:
    words = {"justification": "The order matches.", "title": "Pay Kessler"}
    task = pending(clerk, requested_access=words)

    asked_of = Escalation.objects.get()
    assert (asked_of.statement, asked_of.title, asked_of.decision) == (*words.values(), Decision.objects.get())
    assert task["status"] == "pending"
    assert (
        said(clerk, {**asked(), "context": {**asked()["context"], "approval": {"id": task["id"]}}})["context"][
            "next_action"
        ]
        == "retry"
    )
    assert settle(sign_in, task, "approve").status_code == 200
    done = get(clerk, f"requests/{task['id']}").json()["task"]
    assert (done["status"], done["result"]["mode"]) == ("approved", "reevaluate")

    body = asked()
    body["context"]["approval"] = done["result"]["approval"]
    assert said(clerk, body)["decision"] is True
    assert Decision.objects.latest("pk").facts["approval"]["id"] == task["id"]
    assert said(clerk, body)["decision"] is False, "an approval outside a step allows once"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"context": {"amount": "9000.01", "currency": "EUR"}}, "out_of_scope"),
        ({"resource": {**asked()["resource"], "id": "2026-1188"}}, "out_of_scope"),
        ({"resource": {"type": "invoice", "id": "2026-1187", "properties": {"findings": 0}}}, "out_of_scope"),
        ({"action": {"name": "invoice.burn"}}, "out_of_scope"),
    ],
)
def test_an_approval_is_good_for_what_was_asked_and_nothing_else(
    clerk: Any, sign_in: Any, change: Any, reason: str
) -> None:
    task = pending(clerk)
    settle(sign_in, task, "approve")
    body = {**asked(), **change}
    body["context"] = {**body["context"], "approval": {"id": task["id"]}}

    told = said(clerk, body)

    assert (told["decision"], told["context"]["reason"]) == (False, reason)


def test_an_approval_ends_and_another_ones_is_none(clerk: Any, sign_in: Any, now: Any) -> None:
    task = pending(clerk)
    settle(sign_in, task, "approve")
    Escalation.objects.update(approved_until=now - timedelta(seconds=1))
    body = asked()
    body["context"]["approval"] = {"id": task["id"]}

    told = said(clerk, body)["context"]
    assert (told["reason"], told["next_action"]) == ("approval_expired", "request")
    for unknown in (str(uuid.uuid4()), "x"):
        body["context"]["approval"] = {"id": unknown}
        assert said(clerk, body)["context"]["reason"] == "approval_unverifiable"


def test_a_deny_of_now_stands_above_an_approval_of_before(clerk: Any, sign_in: Any, halden: Any, now: Any) -> None:
    task = pending(clerk)
    settle(sign_in, task, "approve")
    text = (settings.BASE / "autonomy_site/demo/policies/invoice_payment.yaml").read_text()
    document = yaml.safe_load(text)
    document["rules"].append({"id": "ip-freeze", "effect": "deny", "reason": "Payments are frozen."})
    document["tests"] = []
    version = operations.add_policy(
        document, unit=halden.units["finance"], owner=halden.people["maria"], by=ledger.SYSTEM, at=now
    )
    operations.activate(version, by=ledger.SYSTEM, at=now)
    body = asked()
    body["context"]["approval"] = {"id": task["id"]}

    told = said(clerk, body)

    assert (told["decision"], told["context"]["rule"]) == (False, "ip-freeze")
    assert (told["context"]["reason"], told["context"]["next_action"]) == ("policy_denied", "none")
    assert told["context"]["reason_user"] == {"en": "Payments are frozen."}


def changed(body: Any) -> Any:
    """The request with one part of what was evaluated changed, each in turn."""
    for path, value in (
        ("action.name", "invoice.burn"), ("resource.id", "other"), ("resource.type", "order"),
        ("resource.properties.findings", 1), ("resource.properties.seller", "Kessler GmbH"), ("context.amount", "1"),
        ("context.currency", "USD"), ("context.due_date", "2026-12-01"),
    ):  # fmt: skip
        other = deepcopy(body)
        *groups, name = path.split(".")
        holder = other
        for group in groups:
            holder = holder[group]
        holder[name] = value
        yield path, other


def test_a_request_that_differs_from_what_was_evaluated_asks_nobody(clerk: Any) -> None:
    told = said(clerk, asked())

    for path, body in changed(wanted(told)):
        refused = problem(ask(clerk, body), 400, "invalid_denial_binding")
        assert refused["errors"][0]["field"] == path.partition(".")[0], path
    for denial in ({"evaluation_id": str(uuid.uuid4())}, {"evaluation_id": "x"}, {}, 5, {"binding_token": "x"}):
        problem(ask(clerk, {**asked(), "denial": denial}), 400, "invalid_denial_binding")
    assert not Escalation.objects.exists()


def test_what_no_person_is_asked_about_cannot_be_requested(clerk: Any) -> None:
    small, denied = asked("1"), {**asked("1"), "action": {"name": "invoice.burn"}}
    for body in (small, denied):
        problem(ask(clerk, wanted(said(clerk, body), body)), 400, "not_requestable")


def test_an_evaluation_is_good_for_an_hour_and_for_the_rules_that_made_it(clerk: Any, halden: Any, now: Any) -> None:
    told = said(clerk, asked())
    Decision.objects.update(at=now - timedelta(minutes=61))
    problem(ask(clerk, wanted(told)), 410, "expired_denial")

    told = said(clerk, asked())
    text = (settings.BASE / "autonomy_site/demo/policies/invoice_payment.yaml").read_text()
    version = operations.add_policy(
        yaml.safe_load(text), unit=halden.units["finance"], owner=halden.people["maria"], by=ledger.SYSTEM, at=now
    )
    operations.activate(version, by=ledger.SYSTEM, at=now)
    problem(ask(clerk, wanted(told)), 410, "expired_denial")
    assert not Escalation.objects.exists()


def test_a_repeat_gets_the_same_task_and_the_same_key_for_another_request_is_409(clerk: Any) -> None:
    told = said(clerk, asked())
    first = ask(clerk, wanted(told), key="k")

    assert ask(clerk, wanted(told), key="k").json() == first.json()
    assert ask(clerk, wanted(told), key="another").json()["task"]["id"] == first.json()["task"]["id"]
    again = said(clerk, asked())
    assert ask(clerk, wanted(again)).json()["task"]["id"] == first.json()["task"]["id"], "the question is open already"
    problem(ask(clerk, wanted(again), key="k"), 409, "duplicate_request")
    assert post(clerk, "requests", wanted(told)).json()["code"] == "idempotency_key_missing"
    assert Escalation.objects.count() == 1
    assert first["Location"] == first.json()["task"]["status_endpoint"]


@pytest.mark.parametrize("more", [{"items": []}, {"callback": 5}, {"requested_access": 5},
                                  {"requested_access": {"title": 5}}])  # fmt: skip
def test_what_is_not_offered_is_refused_and_not_ignored(clerk: Any, more: Any) -> None:
    answer = ask(clerk, wanted(said(clerk, asked()), **more))

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, next(iter(more)))


def test_somebody_elses_task_is_not_found(clerk: Any, robot: Any, halden: Any) -> None:
    task = pending(clerk)
    scout = robot("RK-01")

    problem(get(scout, f"requests/{task['id']}"), 404, "unknown_task")
    problem(post(scout, f"requests/{task['id']}/cancel", {}, Idempotency_Key="c"), 404, "unknown_task")
    problem(get(clerk, f"requests/{uuid.uuid4()}"), 404, "unknown_task")
    at = ledger.database_now()
    agents.grant(
        "agents.ask_for_unit", halden.agents["RK-01"].principal, halden.units["finance"], by=ledger.SYSTEM, at=at
    )
    assert get(scout, f"requests/{task['id']}").status_code == 200
    assert Escalation.objects.get().is_open


ENDS = ("approve", "reject", "cancel", "expire")
STATUS = {"approve": "approved", "reject": "denied", "cancel": "cancelled", "expire": "expired"}


@pytest.mark.parametrize(("first", "second"), list(itertools.product(ENDS, ENDS)))
def test_a_task_leaves_pending_once(clerk: Any, sign_in: Any, now: Any, first: str, second: str) -> None:
    task = pending(clerk)

    def end(how: str) -> bool:
        if how == "cancel":
            return bool(
                post(clerk, f"requests/{task['id']}/cancel", {}, Idempotency_Key=str(uuid.uuid4())).status_code == 200
            )
        if how != "expire":
            return bool(settle(sign_in, task, how).status_code == 200)
        try:
            return operations.expire(Escalation.objects.get(), at=now)
        except ledger.Refused:
            return False

    while first == "expire" and not end("expire"):
        pass  # the next level is asked first
    assert first == "expire" or end(first)
    assert not end(second)

    assert get(clerk, f"requests/{task['id']}").json()["task"]["status"] == STATUS[first]
    if second == "cancel":
        problem(post(clerk, f"requests/{task['id']}/cancel", {}, Idempotency_Key="z"), 409, "invalid_task_state")


def test_who_has_a_person_asked_for_an_agent_does_not_answer_as_well(sign_in: Any, halden: Any) -> None:
    priya, at = sign_in("priya"), ledger.database_now()
    agents.grant("agents.ask_for_unit", halden.people["priya"], halden.units["finance"], by=ledger.SYSTEM, at=at)

    task = pending(priya)

    assert settle(sign_in, task, "approve", who="priya").status_code == 403
    assert Escalation.objects.get().is_open
    assert Event.objects.get(verb="escalation.opened").actor_id == "priya"
