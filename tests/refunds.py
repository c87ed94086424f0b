"""Refunds that are alike, for the tests of the reviewers' queue."""

from datetime import datetime
from typing import Any

from agents.models import System
from governance import operations as governance
from governance.models import Escalation, EscalationPath

REFUND = {"name": "invoice.refund", "label": "Refund a customer", "risk": 1, "effect": ""}


def ask_refunds(
    halden: Any, at: datetime, count: int, *, amount: int = 20, risk: int = 1, code: str = "AP-04", seconds: int = 3600
) -> list[Escalation]:
    """That many questions of an agent about refunds of the same amount, open to Maria and Priya."""
    payables = System.objects.get(code="payables")
    if REFUND not in payables.actions:
        payables.actions = [*payables.actions, REFUND]
        payables.save(update_fields=["actions"])
    path = EscalationPath.objects.get(key="finance-approver")
    asked = [
        governance.Asked(
            kind="action", title=f"Refund order {code}-{amount}-{number}", risk=risk, agent=halden.agents[code],
            likeness="invoice.refund:refunds:small", request_sha256=f"{risk}{amount}{number:x}".rjust(64, "0"),
            request={"context": {"amount": str(amount), "currency": "EUR"}, "resource": {"id": f"R-{number}"}},
            path=path, unit=halden.units["finance"], seconds=seconds,
        )
        for number in range(count)
    ]  # fmt: skip
    return [governance.open_escalation(each, by=halden.agents[code], at=at) for each in asked]
