"""Work for the benchmarks, done by the product's own operations: runs, questions that wait for a person."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autonomy_site.demo.company import Halden
    from governance.models import Escalation

READ = {
    "readable": True, "number": "2026-1187", "seller": "Kessler Maschinenbau GmbH", "total": "9000.00",
    "currency": "EUR",
}  # fmt: skip
PROPERTIES = {"seller": READ["seller"], "order_matched": True, "findings": 0, "bank_changed_days": 412}
OUTPUTS: Mapping[str, Mapping[str, Any]] = {
    "read": READ,
    "match": {"matched": True, "status": "matched", "deviation_percent": "0.0", "note": "Order and receipt agree."},
    "anomalies": {"findings": 0, "kinds": "", "note": "Nothing unusual.", "highest_risk": ""},
    "pay": {"paid": True, "message_id": "M-1", "file": "1187.xml", "reason": ""},
}


def question(number: int | str, amount: str) -> dict[str, Any]:
    """What the payments clerk asks, as the API takes it."""
    return {
        "action": "invoice.pay", "resource": {"type": "invoice", "id": f"INV-{number}", "properties": PROPERTIES},
        "context": {"amount": amount, "currency": "EUR"}, "title": f"Pay EUR {amount} for INV-{number}",
        "statement": "The order matches and nothing is unusual.", "confidence": "0.98",
    }  # fmt: skip


def start(halden: "Halden", key: str) -> None:
    """One run, started by the invoice reader."""
    from observability.ledger import database_now
    from workflows import operations

    values = {"document": f"{key}.xml", "sha256": "0" * 64}
    operations.start(halden.workflow, key=key, variables=values, by=halden.agents["AP-01"], at=database_now())


def work_off(halden: "Halden", code: str) -> None:
    """Let one agent finish everything that is ready for it."""
    from observability.ledger import database_now
    from workflows import operations

    agent = halden.agents[code]
    while step := operations.claim(agent, at=database_now()):
        operations.finish(
            step, agent=agent, lease_token=step.lease_token, output=OUTPUTS[step.element], at=database_now(),
            cost=Decimal("0.0123"), note="Done.",
        )  # fmt: skip


def ask(halden: "Halden") -> list["Escalation"]:
    """Let the payments clerk ask about every payment that is ready; all are above its limit, so a person is asked."""
    from governance.operations import Question
    from observability.ledger import database_now
    from workflows import operations

    clerk, asked = halden.agents["AP-04"], []
    while step := operations.claim(clerk, at=database_now()):
        given = question(step.run.key, "9000.00")
        wanted = Question(request_key=f"ask-{step.uid}", **{**given, "confidence": Decimal(given["confidence"])})
        decision = operations.request_action(
            wanted, agent=clerk, at=database_now(), step=step, lease_token=step.lease_token
        )  # fmt: skip
        asked.append(decision.escalation)
    return asked


def escalations(halden: "Halden", count: int, prefix: str) -> list["Escalation"]:
    """That many runs, each at its payment, each with an open question to a person."""
    for number in range(count):
        start(halden, f"{prefix}-{number}")
    for code in ("AP-01", "AP-02", "RK-01"):
        work_off(halden, code)
    return ask(halden)
