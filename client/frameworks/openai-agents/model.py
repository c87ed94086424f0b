"""A model that answers from a list. Yours is one line: `model = "gpt-..."`, with OPENAI_API_KEY in the environment."""

import json
from typing import Any

from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from agents import Model, ModelResponse, Usage, set_tracing_disabled

INVOICE = {"number": "2026-1187", "seller": "Kessler Maschinenbau GmbH", "amount": "9000.00"}
SELLER = {"space": "sellers", "key": INVOICE["seller"]}


def call(id: str, name: str, **args: str) -> ResponseFunctionToolCall:
    """The model wants a tool to be called."""
    return ResponseFunctionToolCall(call_id=id, name=name, arguments=json.dumps(args), type="function_call")


def say(text: str) -> ResponseOutputMessage:
    """The model's last word."""
    content = [ResponseOutputText(text=text, type="output_text", annotations=[])]
    return ResponseOutputMessage(id="said", content=content, role="assistant", status="completed", type="message")


ANSWERS = [
    call("1", "recall", **SELLER),
    call("2", "pay", **INVOICE),
    say("I wait for a person."),
    call("3", "recall", **SELLER),
    call("4", "pay", **INVOICE),
    call("5", "remember", **SELLER, finding="Above 5,000 a person decides."),
    say("Paid after a person agreed."),
]


class FromAList(Model):
    """Gives one answer after the other."""

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        return ModelResponse(output=[ANSWERS.pop(0)], usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("This example does not stream.")


set_tracing_disabled(True)  # or every run is told to OpenAI
model = FromAList()
