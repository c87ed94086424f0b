"""The programs of docs/connect: each claims a step, asks, waits for a person, keeps a finding and finishes."""

from subprocess import Popen
from typing import Any

import pytest
from autonomy_client import Autonomy

from governance.models import Escalation
from workflows.models import Fact, Run, Step

INVOICE = {"number": "2026-1187", "seller": "Kessler Maschinenbau GmbH", "amount": "9000.00"}


def hear(program: Popen[str], words: str) -> None:
    """Wait until the program says these words."""
    said = ""
    for line in program.stderr or ():
        if words in line:
            return
        said += line
    raise AssertionError(f"The program ended without a word of {words!r}:\n{said}")


def decide(sign_in: Any, answer: str) -> None:
    """Priya answers the one open question."""
    asked = Escalation.objects.get(status="open")
    assert asked.title == "Pay EUR 9000.00 to Kessler Maschinenbau GmbH"
    told = {"request_sha256": asked.request_sha256, "reason": "As agreed on the phone."}
    answered = sign_in("priya").call("post", f"escalations/{asked.uid}/{answer}", told)
    assert answered.status_code == 200, answered.content


@pytest.mark.parametrize("name", ["plain", "langgraph", "crewai", "openai-agents"])
def test_the_program_asks_waits_for_a_person_and_finishes(
    name: str, begin: Any, address: str, key: str, sign_in: Any, elsewhere: Any
) -> None:
    with Autonomy(address, key) as autonomy:
        autonomy.start_run("pay-invoice", "2026-1187", INVOICE)
    program = begin(name)

    hear(program, "waits for a person")
    decide(sign_in, "approve")
    hear(program, "is done")

    step = Step.objects.get()
    assert (step.status, step.output["paid"]) == ("done", True)
    assert Run.objects.get().status == "done"
    assert Fact.objects.get().space.code == "sellers"
    assert elsewhere.called == []


@pytest.mark.parametrize("name", ["plain", "langgraph"])
def test_a_persons_no_holds_whatever_the_model_says(
    name: str, begin: Any, address: str, key: str, sign_in: Any, elsewhere: Any
) -> None:
    with Autonomy(address, key) as autonomy:
        autonomy.start_run("pay-invoice", "2026-1187", INVOICE)
    program = begin(name)

    hear(program, "waits for a person")
    decide(sign_in, "reject")
    hear(program, "is done")

    step = Step.objects.get()
    assert (step.status, step.output["paid"]) == ("done", False)
    assert elsewhere.called == []
