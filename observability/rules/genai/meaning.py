"""One span in our words: who, which model and tool, how many tokens, what it cost."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from observability.rules.genai import names
from observability.rules.genai.kinds import CALLS, Kind, kind_of
from observability.rules.genai.safe import safe_text
from observability.rules.otlp.records import Record

TOKENS_AT_MOST = 10**12
COST_AT_MOST = Decimal(10**9)
PLACES = Decimal("1e-12")
ERROR = 2


class NotPlausible(ValueError):
    """The span says what cannot be; the text says what."""


@dataclass(frozen=True)
class Tokens:
    """What a model read and wrote: `input` includes cached and newly cached ones, `output` includes reasoning. None is
    unknown."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    written: int | None = None
    reasoning: int | None = None


@dataclass(frozen=True)
class Cost:
    """What a call cost by its emitter's account, exact, in an ISO 4217 currency; `source` is who worked it out."""

    amount: Decimal
    currency: str
    source: str


@dataclass(frozen=True)
class Meaning:
    """What a span says. Names are text, empty when not told; `agent` is a claim, no identity."""

    kind: Kind
    provider: str = ""
    model: str = ""
    tool: str = ""
    conversation: str = ""
    workflow: str = ""
    agent_id: str = ""
    agent_name: str = ""
    error: str = ""
    run: str = ""
    step: str = ""
    tokens: Tokens = field(default_factory=Tokens)
    cost: Cost | None = None
    evaluations: tuple[Mapping[str, Any], ...] = ()


def understood(record: Record) -> Meaning:
    """The meaning of a span. Raises NotPlausible for negative or impossible numbers."""
    said, about = record.attributes, {**record.resource, **record.attributes}
    model, tokens = first(said, names.MODEL), _tokens(said)
    kind = kind_of(said, calls_model=bool(model) and (tokens.input is not None or tokens.output is not None))
    cost = _cost(said)
    return Meaning(
        kind=kind, provider=first(said, names.PROVIDER, 60), model=model, tool=first(said, names.TOOL),
        conversation=first(about, names.CONVERSATION), workflow=first(said, names.WORKFLOW),
        agent_id=first(about, names.AGENT_ID), agent_name=first(about, names.AGENT_NAME), error=_error(record),
        run=first(about, names.RUN, 40), step=first(about, names.STEP, 40), tokens=tokens,
        cost=cost if kind in CALLS else None, evaluations=_evaluations(record),
    )  # fmt: skip


def first(said: Mapping[str, Any], places: Sequence[str], at_most: int = 200) -> str:
    """The first of these attributes that is text or a number, as text."""
    for name in places:
        value = said.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return safe_text(str(value), at_most)
    return ""


def _tokens(said: Mapping[str, Any]) -> Tokens:
    found = {
        name: _count(said, places)
        for name, places in (("input", names.INPUT), ("output", names.OUTPUT), ("cached", names.CACHED),
                             ("written", names.WRITTEN), ("reasoning", names.REASONING))
    }  # fmt: skip
    for name, value in _document(said, names.LANGFUSE_USAGE).items():
        ours = names.LANGFUSE_TOKENS.get(name)
        if ours and found[ours] is None:
            found[ours] = _whole(value, name)
    return included(**found)


def included(
    *, input: int | None, output: int | None, cached: int | None, written: int | None, reasoning: int | None
) -> Tokens:
    """The tokens with the parts inside their whole: who counts more cached ones than were read counts them apart."""
    apart = (cached or 0) + (written or 0)
    if input is not None and apart > input:
        input += apart
    if output is not None and (reasoning or 0) > output:
        output += reasoning or 0
    return Tokens(input, output, cached, written, reasoning)


def _count(said: Mapping[str, Any], places: Sequence[str]) -> int | None:
    return next((_whole(said[name], name) for name in places if said.get(name) is not None), None)


def _whole(value: Any, name: str) -> int | None:
    number = as_number(value)
    if number is None:
        return None
    if number < 0 or number > TOKENS_AT_MOST:
        raise NotPlausible(f"{name} is {'negative' if number < 0 else 'more than anything here can use'}.")
    return int(number)


def as_number(value: Any) -> Decimal | None:
    """The exact number that a value tells, as number or as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 40:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 40 else None


def _cost(said: Mapping[str, Any]) -> Cost | None:
    source = first(said, names.COST_SOURCE, 20) or "emitter"
    for name in names.COST:
        amount = as_number(said.get(name))
        if amount is not None:
            return Cost(plausible(amount, name), currency_in(said), source)
    parts = {name: as_number(value) for name, value in _document(said, names.LANGFUSE_COST).items()}
    known = {name: value for name, value in parts.items() if value is not None}
    if not known:
        return None
    amount = known["total"] if "total" in known else sum(known.values(), Decimal(0))
    return Cost(plausible(amount, names.LANGFUSE_COST), names.USUAL_CURRENCY, source)


def currency_in(said: Mapping[str, Any]) -> str:
    """The currency that is told, or the usual one."""
    told = first(said, names.CURRENCY, 3).upper()
    return told if len(told) == 3 and told.isascii() and told.isalpha() else names.USUAL_CURRENCY


def plausible(amount: Decimal, name: str) -> Decimal:
    """The amount to twelve places. Raises NotPlausible."""
    if amount < 0 or amount > COST_AT_MOST:
        raise NotPlausible(f"{name} is {'negative' if amount < 0 else 'more than anything here can cost'}.")
    return amount.quantize(PLACES)


def _document(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = said.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _error(record: Record) -> str:
    told = first(record.attributes, names.ERROR)
    if told or record.outcome != ERROR:
        return told
    thrown = (first(event["attributes"], names.ERROR) for event in record.events if event["name"] == "exception")
    return next(filter(None, thrown), "error")


def _evaluations(record: Record) -> tuple[Mapping[str, Any], ...]:
    places = [record.attributes, *(event["attributes"] for event in record.events)]
    return tuple(
        {
            "name": first(each, ("gen_ai.evaluation.name",)),
            "score": str(as_number(each.get("gen_ai.evaluation.score.value")) or ""),
            "label": first(each, ("gen_ai.evaluation.score.label",)),
        }
        for each in places
        if "gen_ai.evaluation.name" in each
    )
