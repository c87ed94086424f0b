"""The client at the decision point: what it sends, and that it takes nothing for a yes that is none."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from autonomy_client import AccessRequest, Evaluation, NotUnderstood
from autonomy_client.questions import question

from tests.client.test_both import Speaker

INVOICE = {"type": "invoice", "id": "7"}
CAP = {"id": "o1", "type": "cap", "properties": {"field": "context.amount", "max": "5000"}}
ASKED = question("AP-04", "invoice.pay", INVOICE)
TASK = {"task": {"id": "t-1", "status": "pending", "expires_at": "2026-11-30T10:00:00Z"}}


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def speak(request: pytest.FixtureRequest) -> Speaker:
    return Speaker(request.param)


def server(**answers: Any) -> Any:
    """A server that knows the caller and gives these answers by the last part of the path, each the next of a list."""
    left = {name: list(value) if isinstance(value, list) else value for name, value in answers.items()}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/me":
            return httpx.Response(200, json={"code": "AP-04"})
        assert request.url.path.startswith("/access/v1/"), request.url
        told = left[request.url.path.rpartition("/")[2].replace("-", "_")]
        return httpx.Response(200, json=told.pop(0) if isinstance(told, list) else told)

    return answer


def sent(speak: Speaker) -> Any:
    return json.loads(speak.heard[-1].content)


def test_the_question_names_the_agent_itself_and_what_it_can_do(speak: Speaker) -> None:
    told = speak(server(evaluation={"decision": True}), "evaluate", "invoice.pay", INVOICE, {"amount": "1"},
                 can=["log", "cap"], approval={"id": "a"})  # fmt: skip

    assert told.allowed
    body = sent(speak)
    assert body["subject"] == {"type": "agent", "id": "AP-04"}
    assert body["context"] == {"amount": "1", "supported_obligations": ["cap", "log"], "approval": {"id": "a"}}
    assert speak.heard[-1].url == "http://autonomy.example/access/v1/evaluation"
    assert speak.heard[-1].headers["Authorization"] == "Bearer aos_live_x"


@pytest.mark.parametrize(
    ("answer", "can", "allowed"),
    [
        ({"decision": True}, (), True), ({"decision": False}, (), False), ({"decision": "true"}, (), False),
        ({"decision": 1}, (), False), ({"decision": None}, (), False),
        ({"decision": True, "context": {"obligations": [CAP]}}, (), False),
        ({"decision": True, "context": {"obligations": [CAP]}}, ("log",), False),
        ({"decision": True, "context": {"obligations": [CAP]}}, ("log", "cap"), True),
        ({"decision": True, "context": {"obligations": [CAP, {"type": "mask"}]}}, ("cap",), False),
        ({"decision": True, "context": {"obligations": [5]}}, ("cap",), False),
        ({"decision": True, "context": {"effect": "allow", "obligations": [CAP]}}, (), False),
        ({"decision": False, "context": {"effect": "allow"}}, (), False),
    ],
)  # fmt: skip
def test_only_a_plain_yes_whose_obligations_can_be_done_allows(
    speak: Speaker, answer: Any, can: Any, allowed: bool
) -> None:
    told = speak(server(evaluation=answer), "evaluate", "invoice.pay", INVOICE, can=can)

    assert (told.allowed, told.effect == "allow") == (allowed, allowed)


@pytest.mark.parametrize("answer", [{}, {"context": {}}])
def test_an_answer_without_a_decision_is_no_answer(speak: Speaker, answer: Any) -> None:
    with pytest.raises(NotUnderstood):
        speak(server(evaluation=answer), "evaluate", "invoice.pay", INVOICE)


def test_several_questions_go_out_as_one(speak: Speaker) -> None:
    answers = {"evaluations": [{"decision": True}, {"decision": False}]}
    asked = [{"action": "invoice.pay", "resource": INVOICE}] * 3

    told = speak(server(evaluations=answers), "evaluations", asked, semantic="deny_on_first_deny")

    assert [each.allowed for each in told] == [True, False]
    assert {each["subject"]["id"] for each in sent(speak)["evaluations"]} == {"AP-04"}
    assert sent(speak)["options"] == {"evaluations_semantic": "deny_on_first_deny"}


def test_searches_go_on_by_their_token(speak: Speaker) -> None:
    found = {"results": [{"type": "invoice", "id": "7"}], "page": {"next_token": "n"}}

    told = speak(server(resource=found), "search_resources", "invoice.pay", "invoice", token="t")
    assert (told.results, told.token, sent(speak)["page"]) == (({"type": "invoice", "id": "7"},), "n", {"token": "t"})
    assert speak(server(subject={"results": []}), "search_subjects", "invoice.pay", INVOICE).token == ""
    speak(server(action={"results": []}), "search_actions", INVOICE)
    assert "action" not in sent(speak)


def test_a_person_is_asked_about_what_was_evaluated_and_waited_for(speak: Speaker) -> None:
    evaluation = Evaluation.from_wire(
        {"decision": False, "context": {"effect": "escalate", "evaluation_id": "e-1", "access_request": {"a": 1}}},
        ASKED, (),
    )  # fmt: skip
    assert evaluation.can_be_requested
    task = speak(server(requests=TASK), "request_access", evaluation, "It matches.")
    body = sent(speak)
    assert {name: body[name] for name in ASKED} == ASKED
    assert (body["denial"], body["requested_access"]["justification"]) == ({"evaluation_id": "e-1"}, "It matches.")

    approval = {"id": "t-1", "approved_until": "2026-12-01T10:00:00Z"}
    done = {"task": {**TASK["task"], "status": "approved", "result": {"mode": "reevaluate", "approval": approval}}}
    answers = {"t-1".replace("-", "_"): [TASK, done]}
    settled = speak(server(**answers), "wait_for_access", task, 30, 0.001)
    assert (settled.granted, settled.approval) == (True, approval)
    assert not speak(server(), "wait_for_access", AccessRequest("t", "pending", "", "", None), 0).granted
    assert speak(server(cancel=TASK), "cancel_access", "t-1").status == "pending"
