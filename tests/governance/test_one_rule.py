"""One rule, seen the same through every door that asks: the API, AuthZEN, the workflow engine, memory and the pages."""

from typing import Any

import pytest

from agents.models import Blueprint
from governance import operations
from governance.models import Decision, Escalation
from observability import ledger
from tests.governance.authzen import asked, get, post, said
from tests.invoices import question as of_invoice
from workflows.models import Fact

WHY = "Finance is closed for the year."
REF = "finance.closing@1#closed"


def close(halden: Any, effect: str = "deny") -> None:
    """One rule about paying and about shared memory, in force from now on."""
    rule: dict[str, Any] = {"id": "closed", "effect": effect, "reason": WHY}
    if effect == "escalate":
        rule["escalate"] = {"path": "finance-approver", "sla": "4h", "grants": True}
    document = {
        "apiVersion": "autonomyos/v1", "kind": "Policy", "key": "finance.closing", "version": 1, "title": "Closing",
        "priority": 900, "scope": {"actions": ["invoice.pay", "memory.write", "memory.read"]}, "rules": [rule],
    }  # fmt: skip
    at = ledger.database_now()
    version = operations.add_policy(
        document, unit=halden.units["finance"], owner=halden.people["maria"], by=ledger.SYSTEM, at=at
    )
    operations.activate(version, by=ledger.SYSTEM, at=at)


@pytest.fixture
def clerk(robot: Any) -> Any:
    """The payments clerk."""
    return robot("AP-04")


def keep(client: Any, name: str, **more: Any) -> Any:
    return client.call("post", "memory/facts", {"space": "orders", "key": name, "value": {"total": "1"}}, **more)


def test_one_deny_is_the_same_through_every_door(clerk: Any, robot: Any, sign_in: Any, halden: Any, bring: Any) -> None:
    bring()
    work = clerk.claim()
    reader = robot("AP-02")
    assert keep(reader, "before").status_code == 201, "without a policy that names memory, rights alone decide"
    close(halden)
    body = {"action": "invoice.pay", "resource": asked()["resource"], "context": asked("1")["context"]}

    api = clerk.call("post", "actions", body).json()
    engine = clerk.call("post", "actions", of_invoice(work, "1.00")).json()
    authzen = said(clerk, asked("1"))["context"]
    batch = post(clerk, "evaluations", {**asked("1"), "evaluations": [{}]}).json()["evaluations"][0]["context"]
    written, read = keep(reader, "after"), reader.call("get", "memory/facts", {"space": "orders", "key": "before"})

    assert {each["effect"] for each in (api, engine, authzen, batch)} == {"deny"}
    assert {each["reason"] for each in (api, engine, authzen, batch)} == {WHY}
    assert {each["rule"] for each in (api, engine, authzen, batch)} == {"closed"}
    assert [(each.status_code, each.json()["detail"]) for each in (written, read)] == [(403, WHY)] * 2
    assert Fact.objects.filter(key="after").count() == 0
    decisions = list(Decision.objects.all())
    assert len(decisions) == 6, "every question left its record, the refused ones of memory as well"
    assert {tuple(each.because) for each in decisions} == {(REF,)}
    bounds = sign_in("maria").get(f"/agents/{halden.agents['AP-04'].code}")
    assert WHY in bounds.content.decode() or "never" in bounds.content.decode().lower()
    found = post(clerk, "search/action", {name: asked("1")[name] for name in ("subject", "resource", "context")})
    assert found.json()["results"] == []


def test_a_repeat_of_what_memory_was_asked_leaves_one_record(robot: Any, halden: Any) -> None:
    close(halden)
    reader = robot("AP-02")

    assert [keep(reader, "k", key="once").status_code for _ in range(2)] == [403, 403]
    assert Decision.objects.filter(action="memory.write").count() == 1


def test_memory_that_needs_a_yes_asks_once_and_goes_on_after_it(robot: Any, sign_in: Any, halden: Any) -> None:
    close(halden, "escalate")
    reader = robot("AP-02")
    assert [keep(reader, "k").status_code for _ in range(3)] == [403] * 3
    asked_of = Escalation.objects.get()
    assert get(reader, f"requests/{asked_of.uid}").json()["task"]["status"] == "pending"

    body = {"request_sha256": asked_of.request_sha256, "reason": "Fine."}
    assert sign_in("priya").call("post", f"escalations/{asked_of.uid}/approve", body).status_code == 200

    kept = keep(reader, "k")
    assert kept.status_code == 201, kept.content
    assert Blueprint.objects.exists()
