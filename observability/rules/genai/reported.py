"""What metrics and logs say about use: the counters and events that count, each as one figure with its meaning."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from observability.rules.genai import names
from observability.rules.genai.meaning import NotPlausible, Tokens, as_number, first, included, plausible
from observability.rules.otlp.records import Record, Signal

METRICS = {
    "claude_code.token.usage": "tokens", "claude_code.cost.usage": "cost", "claude_code.session.count": "sessions",
    "claude_code.active_time.total": "seconds", "claude_code.lines_of_code.count": "lines",
    "claude_code.commit.count": "commits", "claude_code.pull_request.count": "pull requests",
    "claude_code.code_edit_tool.decision": "decisions", "gen_ai.client.token.usage": "tokens",
    "gen_ai.client.operation.duration": "seconds",
}  # fmt: skip
"""The metrics that are kept, and what they count; others are refused as partial success."""
EVENTS = frozenset({
    "claude_code.api_request", "claude_code.api_error", "claude_code.tool_result", "claude_code.tool_decision",
    "claude_code.user_prompt", "gen_ai.client.inference.operation.details", "gen_ai.evaluation.result",
})  # fmt: skip
"""The events of logs that are kept, without the words in them; plain lines of a log are refused as partial success."""
NOT_KEPT = {
    Signal.METRICS: "this metric is none of those about models and tools that are kept; docs/telemetry.md lists them.",
    Signal.LOGS: "this line is none of the events that are kept; docs/telemetry.md lists them.",
}  # fmt: skip
KIND = ("type", "gen_ai.token.type")
NAME = ("event.name",)
MODEL = ("model", *names.MODEL)
CONVERSATION = (*names.CONVERSATION, "session.id")


@dataclass(frozen=True)
class Figure:
    """One figure that an agent reported: `amount` of `what` (with its `unit`), or an event with tokens and cost."""

    what: str
    kind: str = ""
    amount: Decimal | None = None
    unit: str = ""
    model: str = ""
    tool: str = ""
    conversation: str = ""
    error: str = ""
    cost: Decimal | None = None
    currency: str = ""
    tokens: Tokens = field(default_factory=Tokens)


def figure_of(signal: Signal, record: Record) -> Figure | None:
    """The figure in a point of a metric or a line of a log, None for what is not kept. Raises NotPlausible."""
    return _of_metric(record) if signal is Signal.METRICS else _of_line(record)


def _of_metric(record: Record) -> Figure | None:
    what = METRICS.get(record.name)
    if what is None:
        return None
    amount = as_number(record.value)
    if amount is None or amount < 0 or amount > 10**15:
        raise NotPlausible(f"{record.name} needs a number that is not negative.")
    said, about = record.attributes, {**record.resource, **record.attributes}
    money = plausible(amount, record.name) if what == "cost" else None
    return Figure(
        what=what, kind=first(said, KIND, 40), amount=amount, unit=record.unit, model=first(said, MODEL),
        conversation=first(about, CONVERSATION), cost=money, currency="USD" if what == "cost" else "",
    )  # fmt: skip


def _of_line(record: Record) -> Figure | None:
    name = event_name(record)
    if name not in EVENTS:
        return None
    said, about = record.attributes, {**record.resource, **record.attributes}
    cost = as_number(said.get("cost_usd"))
    return Figure(
        what=name, model=first(said, MODEL), tool=first(said, ("tool_name", *names.TOOL)),
        conversation=first(about, CONVERSATION), error=first(said, ("error", *names.ERROR)),
        cost=plausible(cost, "cost_usd") if cost is not None else None, currency="USD" if cost is not None else "",
        tokens=_tokens(said),
    )  # fmt: skip


def event_name(record: Record) -> str:
    """The name of the event that a line of a log is; some emitters write it as an attribute, or as the whole body."""
    told = record.name or first(record.attributes, NAME) or (record.body if isinstance(record.body, str) else "")
    name = str(told)[:100]
    return name if "." in name else f"claude_code.{name}"


def _tokens(said: Mapping[str, Any]) -> Tokens:
    def count(*places: str) -> int | None:
        number = next((n for place in places if (n := as_number(said.get(place))) is not None), None)
        if number is not None and not 0 <= number <= 10**12:
            raise NotPlausible(f"{places[0]} is not plausible.")
        return None if number is None else int(number)

    read = count("input_tokens", *names.INPUT)
    cached, written = count("cache_read_tokens", *names.CACHED), count("cache_creation_tokens", *names.WRITTEN)
    if read is not None and "input_tokens" in said:
        read += (cached or 0) + (written or 0)  # this emitter counts them apart
    return included(
        input=read, output=count("output_tokens", *names.OUTPUT), cached=cached, written=written, reasoning=None
    )
