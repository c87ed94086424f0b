"""What kind of thing a span is, from whichever attribute an emitter says it with."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What an agent did."""

    AGENT = "agent"
    MODEL = "model"
    EMBEDDING = "embedding"
    TOOL = "tool"
    RETRIEVAL = "retrieval"
    WORKFLOW = "workflow"
    GUARDRAIL = "guardrail"
    EVALUATION = "evaluation"
    OTHER = "other"


CALLS = frozenset({Kind.MODEL, Kind.EMBEDDING})
"""The only kinds that cost: an agent's span repeats what its calls have used."""

OPERATIONS = {  # gen_ai.operation.name, the canonical word
    "chat": Kind.MODEL, "generate_content": Kind.MODEL, "text_completion": Kind.MODEL, "completion": Kind.MODEL,
    "responses": Kind.MODEL, "embeddings": Kind.EMBEDDING, "embedding": Kind.EMBEDDING, "retrieval": Kind.RETRIEVAL,
    "create_agent": Kind.AGENT, "invoke_agent": Kind.AGENT, "plan": Kind.AGENT, "handoff": Kind.AGENT,
    "execute_tool": Kind.TOOL, "invoke_workflow": Kind.WORKFLOW, "workflow": Kind.WORKFLOW, "chain": Kind.WORKFLOW,
    "run_guardrail": Kind.GUARDRAIL, "guardrail": Kind.GUARDRAIL, "evaluation": Kind.EVALUATION,
}  # fmt: skip
OPENINFERENCE = {
    "agent": Kind.AGENT, "tool": Kind.TOOL, "llm": Kind.MODEL, "chain": Kind.WORKFLOW, "retriever": Kind.RETRIEVAL,
    "reranker": Kind.RETRIEVAL, "embedding": Kind.EMBEDDING, "guardrail": Kind.GUARDRAIL,
    "evaluator": Kind.EVALUATION, "decision": Kind.OTHER, "prompt": Kind.OTHER, "unknown": Kind.OTHER,
}  # fmt: skip
TRACELOOP = {"workflow": Kind.WORKFLOW, "task": Kind.WORKFLOW, "agent": Kind.AGENT, "tool": Kind.TOOL}
LANGSMITH = {
    "llm": Kind.MODEL, "chain": Kind.WORKFLOW, "tool": Kind.TOOL, "retriever": Kind.RETRIEVAL,
    "embedding": Kind.EMBEDDING, "prompt": Kind.OTHER, "parser": Kind.OTHER,
}  # fmt: skip
LANGFUSE = {
    "generation": Kind.MODEL, "agent": Kind.AGENT, "tool": Kind.TOOL, "chain": Kind.WORKFLOW,
    "retriever": Kind.RETRIEVAL, "embedding": Kind.EMBEDDING, "guardrail": Kind.GUARDRAIL,
    "evaluator": Kind.EVALUATION,
}  # fmt: skip
VERCEL = {
    "ai.toolcall": Kind.TOOL, "ai.generatetext": Kind.AGENT, "ai.streamtext": Kind.AGENT,
    "ai.generateobject": Kind.AGENT, "ai.streamobject": Kind.AGENT, "ai.generatetext.dogenerate": Kind.MODEL,
    "ai.streamtext.dostream": Kind.MODEL, "ai.generateobject.dogenerate": Kind.MODEL,
    "ai.streamobject.dostream": Kind.MODEL, "ai.embed": Kind.OTHER, "ai.embedmany": Kind.OTHER,
    "ai.embed.doembed": Kind.EMBEDDING, "ai.embedmany.doembed": Kind.EMBEDDING,
}  # fmt: skip
MCP = {"tools/call": Kind.TOOL, "resources/read": Kind.RETRIEVAL}
KINDS: tuple[tuple[str, Mapping[str, Kind]], ...] = (
    ("gen_ai.operation.name", OPERATIONS),
    ("openinference.span.kind", OPENINFERENCE),
    ("ai.operationId", VERCEL),
    ("traceloop.span.kind", TRACELOOP),
    ("langsmith.span.kind", LANGSMITH),
    ("langfuse.observation.type", LANGFUSE),
    ("llm.request.type", OPERATIONS),
    ("mcp.method.name", MCP),
)
"""Where the kind stands, the first that says something known wins."""


def kind_of(attributes: Mapping[str, Any], *, calls_model: bool) -> Kind:
    """The kind of a span; `calls_model`: it names a model and tokens, which is enough where no kind is told."""
    for name, words in KINDS:
        said = attributes.get(name)
        if isinstance(said, str) and (kind := words.get(said.lower())):
            return kind
    if any(name in attributes for name in ("gen_ai.tool.name", "tool.name")):
        return Kind.TOOL
    if "gen_ai.evaluation.name" in attributes:
        return Kind.EVALUATION
    if any(name in attributes for name in ("agent_name", "gen_ai.agent.name")):
        return Kind.AGENT  # its tokens are the sum of its calls
    return Kind.MODEL if calls_model else Kind.OTHER
