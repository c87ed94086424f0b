"""The names of many emitters, and what they mean here."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from observability.rules.genai import CALLS, Kind, Meaning, NotPlausible, figure_of, kept, understood
from observability.rules.genai.meaning import Tokens
from observability.rules.otlp import Body, Encoding, Record, Signal, read
from tests.observability import langfuse, otlp


def meaning(attributes: dict[str, Any], **more: Any) -> Meaning:
    return understood(Record(name="x", started=1, ended=2, attributes=attributes, **more))


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"gen_ai.operation.name": "chat"}, Kind.MODEL),
        ({"gen_ai.operation.name": "generate_content"}, Kind.MODEL),
        ({"gen_ai.operation.name": "text_completion"}, Kind.MODEL),
        ({"gen_ai.operation.name": "embeddings"}, Kind.EMBEDDING),
        ({"gen_ai.operation.name": "retrieval"}, Kind.RETRIEVAL),
        ({"gen_ai.operation.name": "create_agent"}, Kind.AGENT),
        ({"gen_ai.operation.name": "invoke_agent"}, Kind.AGENT),
        ({"gen_ai.operation.name": "plan"}, Kind.AGENT),
        ({"gen_ai.operation.name": "execute_tool"}, Kind.TOOL),
        ({"gen_ai.operation.name": "invoke_workflow"}, Kind.WORKFLOW),
        *[
            ({"openinference.span.kind": name}, kind)
            for name, kind in {
                "AGENT": Kind.AGENT, "TOOL": Kind.TOOL, "LLM": Kind.MODEL, "CHAIN": Kind.WORKFLOW,
                "RETRIEVER": Kind.RETRIEVAL, "GUARDRAIL": Kind.GUARDRAIL, "EVALUATOR": Kind.EVALUATION,
                "RERANKER": Kind.RETRIEVAL, "EMBEDDING": Kind.EMBEDDING, "PROMPT": Kind.OTHER, "DECISION": Kind.OTHER,
            }.items()
        ],
        *[
            ({"traceloop.span.kind": name}, kind)
            for name, kind in {"workflow": Kind.WORKFLOW, "task": Kind.WORKFLOW, "agent": Kind.AGENT,
                               "tool": Kind.TOOL}.items()
        ],
        ({"ai.operationId": "ai.generateText"}, Kind.AGENT),
        ({"ai.operationId": "ai.generateText.doGenerate"}, Kind.MODEL),
        ({"langsmith.span.kind": "llm"}, Kind.MODEL),
        ({"langfuse.observation.type": "generation"}, Kind.MODEL),
        ({"mcp.method.name": "tools/call"}, Kind.TOOL),
        ({"gen_ai.tool.name": "search"}, Kind.TOOL),
        # the canonical name wins; a word that nobody knows says nothing
        ({"gen_ai.operation.name": "execute_tool", "openinference.span.kind": "LLM"}, Kind.TOOL),
        ({"gen_ai.operation.name": "dream", "openinference.span.kind": "LLM"}, Kind.MODEL),
        # without a kind: a model and its tokens are a call, an agent's name beside them makes it a sum
        ({"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 1}, Kind.MODEL),
        ({"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 1, "agent_name": "a"}, Kind.AGENT),
        ({"gen_ai.request.model": "m"}, Kind.OTHER),
        ({"http.request.method": "GET"}, Kind.OTHER),
        ({"gen_ai.operation.name": 5}, Kind.OTHER),
        ({}, Kind.OTHER),
    ],
)  # fmt: skip
def test_the_kind_of_a_span(attributes: dict[str, Any], kind: Kind) -> None:
    assert meaning(attributes).kind is kind


@pytest.mark.parametrize(
    ("attributes", "field", "value"),
    [
        ({"gen_ai.provider.name": "p", "gen_ai.system": "q"}, "provider", "p"),
        ({"gen_ai.system": "q"}, "provider", "q"),
        ({"llm.provider": "r"}, "provider", "r"),
        ({"gen_ai.request.model": "asked", "gen_ai.response.model": "answered"}, "model", "answered"),
        ({"gen_ai.request.model": "asked"}, "model", "asked"),
        ({"llm.model_name": "m"}, "model", "m"),
        ({"gen_ai.tool.name": "t", "tool.name": "u"}, "tool", "t"),
        ({"tool.name": "u"}, "tool", "u"),
        ({"gen_ai.conversation.id": "c"}, "conversation", "c"),
        ({"session.id": "s"}, "conversation", "s"),
        ({"langfuse.session.id": "l"}, "conversation", "l"),
        ({"gen_ai.workflow.name": "w"}, "workflow", "w"),
        ({"traceloop.workflow.name": "v"}, "workflow", "v"),
        ({"graph.node.id": "n"}, "workflow", "n"),
        ({"gen_ai.agent.id": "AP-01"}, "agent_id", "AP-01"),
        ({"gen_ai.agent.name": "desk"}, "agent_name", "desk"),
        ({"agent.name": "desk"}, "agent_name", "desk"),
        ({"error.type": "timeout"}, "error", "timeout"),
        ({"autonomy.run": "r", "autonomy.step": "s"}, "step", "s"),
    ],
)
def test_where_each_thing_stands(attributes: dict[str, Any], field: str, value: str) -> None:
    assert getattr(meaning(attributes), field) == value


def test_an_error_without_a_name_is_told_by_the_exception_or_at_least_as_one() -> None:
    thrown = [{"name": "exception", "at": 1, "attributes": {"exception.type": "ValueError"}}]

    assert meaning({}, outcome=2).error == "error"
    assert meaning({}, outcome=2, events=thrown).error == "ValueError"
    assert meaning({}, outcome=0, events=thrown).error == ""


@pytest.mark.parametrize(
    ("attributes", "tokens"),
    [
        ({"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 4}, Tokens(10, 4)),
        ({"gen_ai.usage.prompt_tokens": 10, "gen_ai.usage.completion_tokens": "4"}, Tokens(10, 4)),
        ({"llm.token_count.prompt": 10.0, "llm.token_count.completion": 4}, Tokens(10, 4)),
        ({"gen_ai.usage.input_tokens": 10, "gen_ai.usage.cache_read.input_tokens": 8,
          "gen_ai.usage.cache_creation.input_tokens": 1}, Tokens(10, None, 8, 1)),
        # who counts cached tokens beside the input says more of them than were read
        ({"gen_ai.usage.input_tokens": 5, "gen_ai.usage.cache_read.input_tokens": 90}, Tokens(95, None, 90)),
        ({"gen_ai.usage.output_tokens": 50, "gen_ai.usage.reasoning.output_tokens": 40},
         Tokens(None, 50, reasoning=40)),
        ({"langfuse.observation.usage_details": '{"input": 7, "output": 2}'}, Tokens(7, 2)),
        ({"langfuse.observation.usage_details": "no document"}, Tokens()),
        ({"gen_ai.usage.input_tokens": "many"}, Tokens()),
        ({"gen_ai.usage.input_tokens": True}, Tokens()),
        ({}, Tokens()),
    ],
)  # fmt: skip
def test_tokens(attributes: dict[str, Any], tokens: Tokens) -> None:
    assert meaning(attributes).tokens == tokens


CALL = {"gen_ai.operation.name": "chat"}


@pytest.mark.parametrize(
    ("attributes", "amount", "currency", "source"),
    [
        ({"gen_ai.usage.cost.amount": 0.25, "gen_ai.usage.cost.currency": "eur",
          "gen_ai.usage.cost.source": "provider"}, "0.25", "EUR", "provider"),
        ({"gen_ai.usage.cost": "0.1"}, "0.1", "USD", "emitter"),
        ({"llm.cost.total": 1}, "1", "USD", "emitter"),
        ({"langfuse.observation.cost_details": '{"input": 0.1, "output": 0.2}'}, "0.3", "USD", "emitter"),
        ({"langfuse.observation.cost_details": '{"input": 0.1, "total": 0.5}'}, "0.5", "USD", "emitter"),
    ],
)  # fmt: skip
def test_what_a_call_cost(attributes: dict[str, Any], amount: str, currency: str, source: str) -> None:
    cost = meaning({**CALL, **attributes}).cost

    assert cost is not None
    assert (cost.amount, cost.currency, cost.source) == (Decimal(amount), currency, source)


def test_only_calls_cost_and_what_nobody_says_is_not_zero() -> None:
    assert meaning({"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.cost": 5}).cost is None
    assert meaning(CALL).cost is None


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.usage.cost": -1}, {"gen_ai.usage.cost": "-0.01"}, {"gen_ai.usage.cost": 1e30},
        {"gen_ai.usage.input_tokens": -1}, {"gen_ai.usage.output_tokens": 10**15},
        {"langfuse.observation.cost_details": '{"total": -3}'},
    ],
)  # fmt: skip
def test_what_cannot_be_is_not_plausible(attributes: dict[str, Any]) -> None:
    with pytest.raises(NotPlausible):
        meaning({**CALL, **attributes})


def test_evaluations_are_read_from_the_span_and_its_events() -> None:
    said = {"gen_ai.evaluation.name": "faithful", "gen_ai.evaluation.score.value": 0.5,
            "gen_ai.evaluation.score.label": "pass"}  # fmt: skip
    told = ({"name": "faithful", "score": "0.5", "label": "pass"},)

    assert meaning(said).evaluations == told
    event = {"name": "gen_ai.evaluation.result", "at": 1, "attributes": said}
    assert meaning({}, events=[event]).evaluations == told


# --- what is kept -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name",
    ["gen_ai.input.messages", "gen_ai.prompt.0.content", "input.value", "llm.input_messages.0.message.content",
     "traceloop.entity.output", "gen_ai.tool.call.arguments", "ai.prompt.messages", "user.email", "anything.long"],
)  # fmt: skip
def test_what_people_wrote_is_not_kept(name: str) -> None:
    words = "Dear Sirs, " * 40 if name == "anything.long" else "secret words"

    assert kept({name: words, "server.port": 443}) == ({"server.port": 443}, 1)


@pytest.mark.parametrize(
    "secret",
    ["aos_live_abcdefghijkl_0123456789abcdef", "sk-proj-abcdefghijklmnop", "Bearer abcdefghijklmnop",
     "AKIAABCDEFGHIJKLMNOP", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdef", "someone@example.com",
     "ghp_abcdefghijklmnopqrst"],
)  # fmt: skip
def test_what_opens_a_door_is_masked(secret: str) -> None:
    found, _ = kept({"note": f"it is {secret}", "list": [secret]})

    assert secret not in str(found)
    assert found["note"].startswith("it is …")


# --- metrics and logs ---------------------------------------------------------------------------------------------
def figures(signal: Signal, request: Any) -> Any:
    batch = read(signal, Body(Encoding.JSON, otlp.written(request)), now=otlp.NOW)
    return figure_of(signal, batch.records[0])


def test_the_metrics_of_claude_code_are_figures() -> None:
    cost = figures(Signal.METRICS, otlp.points("claude_code.cost.usage", otlp.point(0.031, {"model": "c"}), unit="USD"))
    assert (cost.what, cost.cost, cost.currency, cost.model) == ("cost", Decimal("0.031"), "USD", "c")
    used = figures(
        Signal.METRICS, otlp.points("claude_code.token.usage", otlp.point(12, {"type": "cacheRead", "session.id": "s"}))
    )
    assert (used.what, used.kind, used.amount, used.conversation) == ("tokens", "cacheRead", 12, "s")
    assert figures(Signal.METRICS, otlp.points("system.cpu.time", otlp.point(1, {}))) is None
    with pytest.raises(NotPlausible):
        figures(Signal.METRICS, otlp.points("claude_code.cost.usage", otlp.point(-1, {})))


def test_the_events_of_claude_code_are_figures_and_count_cached_tokens_in() -> None:
    said = {"event.name": "api_request", "model": "c", "cost_usd": "0.02", "input_tokens": "10", "output_tokens": "5",
            "cache_read_tokens": "100", "cache_creation_tokens": "20"}  # fmt: skip

    told = figures(Signal.LOGS, otlp.line("", said, body={"stringValue": "claude_code.api_request"}))

    assert (told.what, told.cost, told.model) == ("claude_code.api_request", Decimal("0.02"), "c")
    assert told.tokens == Tokens(130, 5, 100, 20)
    assert figures(Signal.LOGS, otlp.line("", {}, body={"stringValue": "something was logged"})) is None


# --- traces of frameworks -------------------------------------------------------------------------------------------
# Around this call Langfuse saw a second one, whose tokens it estimated by itself: here that span is the agent's.
ESTIMATED = {
    "vercel-aisdk-2025-11-17.trace.json": {
        "total_cost_usd": "0.000927499999", "usage_details_sum": {"input": 62, "output": 85},
    }
}  # fmt: skip


@pytest.mark.parametrize("name", langfuse.NAMES)
def test_the_traces_of_frameworks_give_their_known_totals(name: str) -> None:
    known = langfuse.answers(name) | ESTIMATED.get(name, {})

    batch = read(Signal.TRACES, Body(Encoding.JSON, otlp.written(langfuse.request(name))), now=otlp.NOW)

    assert not batch.refused
    assert len(batch.records) == known["observations"]
    meanings = [understood(record) for record in batch.records]
    calls = [each for each in meanings if each.kind in CALLS]
    assert sum((each.cost.amount for each in calls if each.cost), Decimal(0)) == pytest.approx(
        Decimal(str(known["total_cost_usd"])), abs=Decimal("1e-11")
    )
    priced = [each for each in calls if each.cost]
    usage = known["usage_details_sum"]
    assert sum(each.tokens.input or 0 for each in priced) == usage["input"]
    assert sum(each.tokens.output or 0 for each in priced) == usage["output"]
    assert Counter(bool(each.error) for each in meanings)[True] == known["errors"]
    assert {each.model for each in priced} <= {*known["models"]} | {"gpt-4o-2024-08-06", "gpt-5-2025-08-07"}
