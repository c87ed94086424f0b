"""A model that answers from a list. Yours is one line: `model = LLM("...")` from CrewAI."""

import json
from typing import Any

from crewai import BaseLLM

INVOICE = {"number": "2026-1187", "seller": "Kessler Maschinenbau GmbH", "amount": "9000.00"}
SELLER = {"space": "sellers", "key": INVOICE["seller"]}


def call(name: str, **args: str) -> str:
    """The model wants a tool to be called."""
    return f"Thought: I need {name}.\nAction: {name}\nAction Input: {json.dumps(args)}"


def say(text: str) -> str:
    """The model's last word."""
    return f"Thought: I now know the final answer\nFinal Answer: {text}"


ANSWERS = [
    call("recall", **SELLER),
    call("pay", **INVOICE),
    say("I wait for a person."),
    call("recall", **SELLER),
    call("pay", **INVOICE),
    call("remember", **SELLER, finding="Above 5,000 a person decides."),
    say("Paid after a person agreed."),
]


class FromAList(BaseLLM):
    """Gives one answer after the other."""

    def call(self, *args: Any, **kwargs: Any) -> str:
        return ANSWERS.pop(0)

    def supports_function_calling(self) -> bool:
        return False


model = FromAList(model="from-a-list")
