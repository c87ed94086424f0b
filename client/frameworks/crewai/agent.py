"""Pays invoices: CrewAI thinks, Autonomy OS says what it may do."""

import logging

from autonomy_client import Autonomy
from autonomy_client.serving import serve
from autonomy_client.tools import Desk, in_words
from crewai import Agent
from crewai.tools import tool
from model import model

TASK = "Pay the invoice, unless what is known in `sellers` speaks against it. Keep there what the next clerk needs."


def work(desk: Desk) -> dict:
    """One step: the output that the workflow declares for it."""
    paid = []

    def pay(number: str, seller: str, amount: str) -> str:
        """Pay an invoice, if that is allowed."""
        known = {"seller": seller, "order_matched": True, "findings": 0, "bank_changed_days": 412}
        decision = desk.may(
            "invoice.pay",
            {"type": "invoice", "id": number, "properties": known},
            {"amount": amount, "currency": "EUR"},
            title=f"Pay EUR {amount} to {seller}",
            statement="The invoice agrees with its order.",
            confidence="0.98",
        )
        if decision.allowed:
            paid.append(number)  # your bank comes here
        return in_words(decision)

    clerk = Agent(
        role="Payments clerk",
        goal=TASK,
        backstory="You pay what is due, and nothing else.",
        tools=[tool(each) for each in (pay, *desk.tools)],
        llm=model,
    )
    said = clerk.kickoff(f"Pay {desk.work.variables['input']}")
    return {"paid": bool(paid), "reason": said.raw}


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    with Autonomy.from_environment() as autonomy:
        serve(autonomy, work)
