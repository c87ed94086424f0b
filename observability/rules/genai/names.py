"""Where each thing stands: the canonical name first (GenAI semantic conventions, July 2026), then what others say.

The conventions are in development and their packages move: this table is ours, and changes when an emitter does."""

PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider")
MODEL = ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "ai.response.model", "ai.model.id",
         "langfuse.observation.model.name", "embedding.model_name")  # fmt: skip
AGENT_ID = ("gen_ai.agent.id",)
AGENT_NAME = ("gen_ai.agent.name", "agent.name", "agent_name")
CONVERSATION = ("gen_ai.conversation.id", "session.id", "langfuse.session.id", "langsmith.trace.session_id",
                "traceloop.association.properties.session_id")  # fmt: skip
WORKFLOW = ("gen_ai.workflow.name", "traceloop.workflow.name", "graph.node.name", "graph.node.id")
TOOL = ("gen_ai.tool.name", "tool.name", "ai.toolCall.name", "mcp.tool.name")
ERROR = ("error.type", "exception.type")
RUN = ("autonomy.run",)
STEP = ("autonomy.step",)
INPUT = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "llm.usage.prompt_tokens",
         "ai.usage.inputTokens", "ai.usage.promptTokens")  # fmt: skip
OUTPUT = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion",
          "llm.usage.completion_tokens", "ai.usage.outputTokens", "ai.usage.completionTokens")  # fmt: skip
CACHED = ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens",
          "llm.token_count.prompt_details.cache_read", "ai.usage.cachedInputTokens")  # fmt: skip
WRITTEN = ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens",
           "llm.token_count.prompt_details.cache_write")  # fmt: skip
REASONING = ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens",
             "llm.token_count.completion_details.reasoning", "ai.usage.reasoningTokens")  # fmt: skip
COST = ("gen_ai.usage.cost.amount", "gen_ai.usage.cost", "llm.cost.total", "gen_ai.cost.total")
CURRENCY = ("gen_ai.usage.cost.currency",)
COST_SOURCE = ("gen_ai.usage.cost.source",)
USUAL_CURRENCY = "USD"  # of the names that say none: all their emitters count in it
LANGFUSE_USAGE, LANGFUSE_COST = "langfuse.observation.usage_details", "langfuse.observation.cost_details"
LANGFUSE_TOKENS = {
    "input": "input", "prompt_tokens": "input", "output": "output", "completion_tokens": "output",
    "input_cache_read": "cached", "prompt_details.cache_read": "cached", "cache_read_input_tokens": "cached",
    "output_reasoning": "reasoning", "completion_details.reasoning": "reasoning",
    "cache_creation_input_tokens": "written",
}  # fmt: skip

CONTENT = (
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result", "gen_ai.tool.definitions", "gen_ai.prompt", "gen_ai.completion", "gen_ai.user.message",
    "gen_ai.choice", "gen_ai.evaluation.explanation", "input.value", "output.value", "llm.input_messages",
    "llm.output_messages", "llm.prompts", "llm.prompt_template", "llm.tools", "llm.function_call", "tool.parameters",
    "traceloop.entity.input", "traceloop.entity.output", "traceloop.prompt", "langfuse.observation.input",
    "langfuse.observation.output", "langfuse.trace.input", "langfuse.trace.output", "ai.prompt", "ai.response.text",
    "ai.response.object", "ai.response.toolCalls", "ai.toolCall.args", "ai.toolCall.result", "ai.value", "ai.values",
    "gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response", "gcp.vertex.agent.tool_call_args",
    "gcp.vertex.agent.tool_response", "gcp.vertex.agent.data", "retrieval.documents", "reranker", "embedding.text",
    "embedding.vector", "embedding.embeddings", "document", "message", "metadata", "final_result",
    "all_messages_events", "events", "crew_agents", "crew_tasks", "crew_inputs", "prompt", "user_prompt", "body",
    "tool_input", "tool_parameters", "exception.message", "exception.stacktrace", "db.query.text", "db.statement",
    "url.full", "http.url", "user.email", "user.name", "enduser.id", "organization.id",
)  # fmt: skip
"""What people wrote or read, by name; also everything that begins with such a name and a dot."""
