"""Keeping what agents' programs tell: each span and figure once, under the agent of the credential."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from django.db import transaction

from observability.models import Reported, Span
from observability.operations.prices import prices
from observability.prepared import Insertion
from observability.rules.genai import CALLS, Figure, Meaning, kept, safe_text
from observability.rules.otlp import Record, Signal
from observability.rules.pricing import Price, priced

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SEEN_TOGETHER = 500
ANOTHERS = "another agent has told of this span already."
_NEW_SPAN, _NEW_FIGURE = Insertion(Span), Insertion(Reported)


@dataclass(frozen=True)
class Sender:
    """The agent of the credential: its code, its name, and its unit by key."""

    code: str
    name: str
    unit: str


@dataclass(frozen=True)
class Place:
    """The run and the step that something belongs to, by their ids; empty for none."""

    run: str = ""
    step: str = ""


@dataclass(frozen=True)
class Claim:
    """The agent that a program names when that is not its sender, and whose name it is: see `Told.Claims`."""

    name: str = ""
    claims: str = ""


Said = TypeVar("Said", Meaning, Figure)


@dataclass(frozen=True)
class Heard(Generic[Said]):
    """A record with its meaning, where it belongs, and whom it names."""

    record: Record
    meaning: Said
    place: Place = Place()
    claim: Claim = Claim()


@dataclass(frozen=True)
class Kept:
    """How many records are new here, how many were here already, and how many are another agent's."""

    new: int
    again: int
    anothers: int = 0


@transaction.atomic
def keep_spans(heard: Sequence[Heard[Meaning]], *, sender: Sender, at: datetime) -> Kept:
    """Keep spans, each once, with what their calls cost: as they say it, or else by the table of prices."""
    table = prices() if any(_needs_price(each) for each in heard) else []
    rows = [_span(each, sender, at, table) for each in heard]
    rows.sort(key=lambda row: (row.trace_id, row.span_id))  # as everywhere: two that send the same wait, none is stuck
    new = _NEW_SPAN.insert_new(rows)
    anothers = _of_others(rows, sender) if new < len(rows) else 0
    return Kept(new, len(rows) - new - anothers, anothers)


@transaction.atomic
def keep_figures(signal: Signal, heard: Sequence[Heard[Figure]], *, sender: Sender, at: datetime) -> Kept:
    """Keep figures of metrics or logs, each once."""
    rows = sorted((_figure(signal, each, sender, at) for each in heard), key=lambda row: row.digest)
    new = _NEW_FIGURE.insert_new(rows)
    return Kept(new, len(rows) - new)


def _needs_price(heard: Heard[Meaning]) -> bool:
    meaning = heard.meaning
    return meaning.kind in CALLS and meaning.cost is None


def _of_others(rows: Sequence[Span], sender: Sender) -> int:
    found = 0
    for start in range(0, len(rows), SEEN_TOGETHER):
        some = rows[start : start + SEEN_TOGETHER]
        pairs = {(row.trace_id, row.span_id) for row in some}
        there = Span.objects.filter(
            trace_id__in={trace for trace, _ in pairs}, span_id__in={span for _, span in pairs}
        ).exclude(agent=sender.code)
        found += len(pairs & set(there.values_list("trace_id", "span_id")))
    return found


def moment(nanoseconds: int) -> datetime:
    """The time that a record tells, in UTC."""
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _shared(heard: Heard[Any], sender: Sender, at: datetime) -> dict[str, Any]:
    record, meaning = heard.record, heard.meaning
    attributes, content = kept(record.attributes)
    return {
        "trace_id": record.trace_id, "span_id": record.span_id, "agent": sender.code, "agent_name": sender.name,
        "unit": sender.unit, "claim": heard.claim.name, "claims": heard.claim.claims,
        "service": safe_text(str(record.resource.get("service.name", ""))), "model": meaning.model,
        "tool": meaning.tool, "conversation": meaning.conversation, "error": meaning.error,
        "input_tokens": meaning.tokens.input, "output_tokens": meaning.tokens.output,
        "cached_tokens": meaning.tokens.cached, "written_tokens": meaning.tokens.written, "run": heard.place.run,
        "step": heard.place.step, "attributes": attributes, "left_out": min(record.dropped + content, 2**31 - 1),
        "received_at": at,
    }  # fmt: skip


def _span(heard: Heard[Meaning], sender: Sender, at: datetime, table: Sequence[Price]) -> Span:
    record, meaning = heard.record, heard.meaning
    started = moment(record.started)
    return Span(
        **_shared(heard, sender, at), **_cost(meaning, started, table), parent_id=record.parent_id,
        name=safe_text(record.name, 300), kind=meaning.kind, started_at=started,
        nanoseconds=record.ended - record.started, message=safe_text(record.message, 300), provider=meaning.provider,
        workflow=meaning.workflow, reasoning_tokens=meaning.tokens.reasoning, evaluations=list(meaning.evaluations),
        events=[{"name": each["name"], "at": each["at"]} for each in record.events],
    )  # fmt: skip


def _cost(meaning: Meaning, started: datetime, table: Sequence[Price]) -> dict[str, Any]:
    if meaning.cost is not None:
        told = meaning.cost
        return {"cost": told.amount, "currency": told.currency, "cost_source": told.source}
    if meaning.kind not in CALLS:
        return {}
    found = priced(meaning.tokens, provider=meaning.provider, model=meaning.model, at=started, prices=table)
    if found is None:
        return {}
    return {
        "cost": found.amount, "currency": found.currency, "cost_source": "price", "price_version": found.version,
    }  # fmt: skip


def _figure(signal: Signal, heard: Heard[Figure], sender: Sender, at: datetime) -> Reported:
    record, figure = heard.record, heard.meaning
    return Reported(
        **_shared(heard, sender, at), digest=_digest(signal, record, sender), signal=signal, what=figure.what,
        kind=figure.kind, amount=None if figure.amount is None else figure.amount.quantize(Decimal("1e-9")),
        measure=figure.unit, is_total=record.is_total, cost=figure.cost, currency=figure.currency,
        at=moment(record.ended) if record.ended else at,
    )  # fmt: skip


def _digest(signal: Signal, record: Record, sender: Sender) -> str:
    same = [
        signal, sender.code, record.name, record.started, record.ended, record.value, record.trace_id, record.span_id,
        record.attributes, dict(record.resource), record.body,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(same, sort_keys=True, default=str).encode()).hexdigest()
