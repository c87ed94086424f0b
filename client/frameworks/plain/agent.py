"""Pays invoices: a few lines of Python think, Autonomy OS says what they may do."""

import logging

from autonomy_client import Autonomy
from autonomy_client.serving import serve
from autonomy_client.tools import Desk


def pay(number: str) -> None:
    """Your bank comes here."""
    logging.info("%s is paid", number)


def work(desk: Desk) -> dict:
    """One step: the output that the workflow declares for it."""
    invoice = desk.work.variables["input"]
    if "dispute" in desk.recall("sellers", invoice["seller"]):
        return {"paid": False, "reason": "There is a dispute with the seller."}
    known = {"seller": invoice["seller"], "order_matched": True, "findings": 0, "bank_changed_days": 412}
    decision = desk.may(
        "invoice.pay",
        {"type": "invoice", "id": invoice["number"], "properties": known},
        {"amount": invoice["amount"], "currency": "EUR"},
        title=f"Pay EUR {invoice['amount']} to {invoice['seller']}",
        statement="The invoice agrees with its order.",
        confidence="0.98",
    )
    if decision.allowed:
        pay(invoice["number"])
        desk.autonomy.outcome(decision.id, amount=invoice["amount"])
        desk.remember("sellers", invoice["seller"], f"Invoice {invoice['number']} was paid.")
    return {"paid": decision.allowed, "reason": decision.reason}


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    with Autonomy.from_environment() as autonomy:
        serve(autonomy, work)
