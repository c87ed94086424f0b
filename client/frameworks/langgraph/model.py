"""A model that answers from a list. Yours is one line: `model = init_chat_model("...")` from LangChain."""

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

INVOICE = {"number": "2026-1187", "seller": "Kessler Maschinenbau GmbH", "amount": "9000.00"}
SELLER = {"space": "sellers", "key": INVOICE["seller"]}


def call(name: str, **args: str) -> AIMessage:
    """The model wants a tool to be called."""
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": name}])


ANSWERS = [
    call("recall", **SELLER),
    call("pay", **INVOICE),
    AIMessage("I wait for a person."),
    call("recall", **SELLER),
    call("pay", **INVOICE),
    call("remember", **SELLER, finding="Above 5,000 a person decides."),
    AIMessage("Paid after a person agreed."),
]


class FromAList(BaseChatModel):
    """Gives one answer after the other."""

    answers: list[AIMessage]

    def _generate(self, messages: list, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.answers.pop(0))])

    def bind_tools(self, tools: Any, **kwargs: Any) -> "FromAList":
        return self

    @property
    def _llm_type(self) -> str:
        return "from-a-list"


model = FromAList(answers=ANSWERS)
