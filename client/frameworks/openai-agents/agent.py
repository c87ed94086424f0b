"""Pays invoices: the OpenAI Agents SDK thinks, Autonomy OS says what it may do."""

import asyncio
import logging

from autonomy_client import AsyncAutonomy
from autonomy_client.serving import aserve
from autonomy_client.tools import AsyncDesk, in_words
from model import model

from agents import Agent, Runner, function_tool

TASK = "Pay the invoice, unless what is known in `sellers` speaks against it. Keep there what the next clerk needs."


async def work(desk: AsyncDesk) -> dict:
    """One step: the output that the workflow declares for it."""
    paid = []

    async def pay(number: str, seller: str, amount: str) -> str:
        """Pay an invoice, if that is allowed."""
        known = {"seller": seller, "order_matched": True, "findings": 0, "bank_changed_days": 412}
        decision = await desk.may(
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

    tools = [function_tool(each) for each in (pay, *desk.tools)]
    clerk = Agent(name="Payments clerk", instructions=TASK, tools=tools, model=model)
    said = await Runner.run(clerk, f"{desk.work.variables['input']}")
    return {"paid": bool(paid), "reason": said.final_output}


async def main() -> None:
    """Work until interrupted."""
    logging.basicConfig(level=logging.INFO)
    async with AsyncAutonomy.from_environment() as autonomy:
        await aserve(autonomy, work)


if __name__ == "__main__":
    asyncio.run(main())
