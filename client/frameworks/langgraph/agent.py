"""Pays invoices: LangGraph thinks, Autonomy OS says what it may do."""

import logging

from autonomy_client import Autonomy
from autonomy_client.serving import serve
from autonomy_client.tools import Desk, in_words
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from model import model

TASK = "Pay the invoice, unless what is known in `sellers` speaks against it. Keep there what the next clerk needs."


def thinking(tools):
    """A graph in which the model calls tools until it knows the answer."""

    def think(state: MessagesState):
        return {"messages": [model.bind_tools(tools).invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")
    return graph.compile()


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

    asked = [("system", TASK), ("user", f"{desk.work.variables['input']}")]
    said = thinking([pay, *desk.tools]).invoke({"messages": asked})
    return {"paid": bool(paid), "reason": said["messages"][-1].content}


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    with Autonomy.from_environment() as autonomy:
        serve(autonomy, work)
