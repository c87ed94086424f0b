"""Invoices on their way to a person, for the tests of several pages."""

from typing import Any

from governance.models import Escalation

SELLER = "Kessler Maschinenbau GmbH"
STATEMENT = "The order matches and nothing is unusual."


def question(work: dict[str, Any], amount: str, **more: Any) -> dict[str, Any]:
    """The clerk's question whether the invoice in hand may be paid; `more` replaces parts of it."""
    number = work["run"]["key"]
    properties = {"seller": SELLER, "order_matched": True, "findings": 0, "bank_changed_days": 412}
    return {
        "step": work["step"], "lease_token": work["lease_token"], "action": "invoice.pay",
        "resource": {"type": "invoice", "id": number, "properties": properties},
        "context": {"amount": amount, "currency": "EUR", "due_date": "2026-12-01"},
        "title": f"Pay EUR {float(amount):,.2f} to {SELLER}", "statement": STATEMENT, "confidence": "0.91",
        "changes": [{"field": f"Invoice {number}", "before": "open", "after": "scheduled for 2026-12-01"}],
        "evidence": [{"kind": "invoice", "name": f"{number}.xml", "proves": "What the seller asks for"}], **more,
    }  # fmt: skip


def bring(robot: Any, number: str, *, amount: str = "9000.00", findings: int = 0) -> None:
    """An invoice that was read, matched and looked at; it waits for the clerk, or with findings for a person."""
    reader = robot("AP-01")
    body = {"workflow": "invoice-to-payment", "key": number, "input": {"document": f"{number}.xml"}}
    assert reader.call("post", "runs", body).status_code == 201
    read = {"readable": True, "number": number, "seller": SELLER, "total": amount, "currency": "EUR"}
    assert reader.finish(reader.claim(), **read).status_code == 200
    matcher, scout = robot("AP-02"), robot("RK-01")
    assert matcher.finish(matcher.claim(), matched=True, status="matched").status_code == 200
    kinds = "changed_bank_account" if findings else ""
    assert scout.finish(scout.claim(), findings=findings, kinds=kinds).status_code == 200


def ask_to_pay(robot: Any, number: str, *, amount: str = "9000.00", **more: Any) -> Escalation:
    """The question that the clerk puts to people about an invoice above its limit."""
    bring(robot, number, amount=amount)
    clerk = robot("AP-04")
    answer = clerk.call("post", "actions", question(clerk.claim(), amount, **more))
    assert answer.status_code == 200, answer.content
    return Escalation.objects.get(uid=answer.json()["escalation"]["id"])
