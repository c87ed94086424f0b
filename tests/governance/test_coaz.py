"""The default mapping of MCP calls to questions: one case for each method, and nothing else is a question."""

from typing import Any

import pytest

from governance.rules.coaz import METHODS, NotMapped, question_of

CLAIMS = {"sub": "priya", "client_id": "AP-04", "aud": "https://tools.example/mcp"}
NAMED = [
    ("tools/call", {"name": "pay", "arguments": {"amount": 1}}, ("tool", "pay")),
    ("prompts/get", {"name": "ask"}, ("prompt", "ask")),
    ("resources/read", {"uri": "file:///a"}, ("resource", "file:///a")),
    ("resources/subscribe", {"uri": "file:///a"}, ("resource", "file:///a")),
    ("resources/unsubscribe", {"uri": "file:///a"}, ("resource", "file:///a")),
    ("tasks/get", {"taskId": "t"}, ("task", "t")),
    ("tasks/update", {"taskId": "t"}, ("task", "t")),
    ("tasks/cancel", {"taskId": "t"}, ("task", "t")),
]
BY_NAME = {each[0] for each in NAMED}
SERVER = [(method, {}, ("mcp_server", CLAIMS["aud"])) for method in METHODS if method not in BY_NAME]


@pytest.mark.parametrize(("method", "params", "resource"), NAMED + SERVER)
def test_each_method_has_its_question(method: str, params: dict[str, Any], resource: tuple[str, str]) -> None:
    assert question_of(method, params, CLAIMS) == {
        "subject": {"type": "identity", "id": "priya"}, "action": {"name": method},
        "resource": {"type": resource[0], "id": resource[1]}, "context": {"agent": "AP-04"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "params", "claims"),
    [
        ("tools/burn", {}, CLAIMS), ("tools/call", {}, CLAIMS), ("tools/call", {"name": 5}, CLAIMS),
        ("tools/list", {}, {"sub": "priya"}), ("tools/list", {}, {**CLAIMS, "aud": ["a", "b"]}),
        ("tools/call", {"name": "pay"}, {"aud": "x"}), ("tools/call", {"name": "pay"}, {**CLAIMS, "sub": ""}),
    ],
)  # fmt: skip
def test_a_call_without_what_it_needs_has_no_question(method: str, params: Any, claims: Any) -> None:
    with pytest.raises(NotMapped):
        question_of(method, params, claims)


def test_one_audience_in_a_list_is_that_audience() -> None:
    assert question_of("ping", {}, {**CLAIMS, "aud": ["https://a"]})["resource"]["id"] == "https://a"
