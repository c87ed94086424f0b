"""What agents' programs tell: which run and step it belongs to, and whether the agent that it names is the sender."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Q

from agents.models import Agent
from observability.models import Event, Told
from observability.operations import Claim, Heard, Kept, Place, Sender, keep_figures, keep_spans
from observability.operations.keeping import ANOTHERS
from observability.rules.genai import Figure, Meaning, NotPlausible, figure_of, understood
from observability.rules.genai.meaning import first
from observability.rules.genai.names import AGENT_ID, AGENT_NAME, RUN, STEP
from observability.rules.genai.reported import NOT_KEPT
from observability.rules.otlp import Batch, Record, Signal
from workflows.models import Step

GENERATIONS_AT_MOST = 64
Said = TypeVar("Said", Meaning, Figure)
Ids = tuple[str, str]


@dataclass(frozen=True)
class _Named:
    """What a record says about itself: which agent, run and step."""

    agent: str
    run: str
    step: str


def take_spans(batch: Batch, *, agent: Agent, at: datetime) -> Kept:
    """Keep the spans of a request; what cannot be kept is counted in `batch.refused` with its reason."""
    said: list[tuple[Record, Meaning]] = []
    for record in batch.records:
        try:
            said.append((record, understood(record)))
        except NotPlausible as wrong:
            batch.refused[str(wrong)] += 1
    kept = keep_spans(_placed(said, agent, inherit=True), sender=_sender(agent), at=at)
    if kept.anothers:
        batch.refused[ANOTHERS] += kept.anothers
    return kept


def take_figures(signal: Signal, batch: Batch, *, agent: Agent, at: datetime) -> Kept:
    """Keep the figures of a request of metrics or logs; what is not kept is counted in `batch.refused`."""
    said: list[tuple[Record, Figure]] = []
    for record in batch.records:
        try:
            figure = figure_of(signal, record)
        except NotPlausible as wrong:
            batch.refused[str(wrong)] += 1
            continue
        if figure is None:
            batch.refused[NOT_KEPT[signal]] += 1
        else:
            said.append((record, figure))
    return keep_figures(signal, _placed(said, agent, inherit=False), sender=_sender(agent), at=at)


def _sender(agent: Agent) -> Sender:
    return Sender(agent.code, str(agent), str(agent.unit_id))


def _placed(said: Sequence[tuple[Record, Said]], agent: Agent, *, inherit: bool) -> list[Heard[Said]]:
    records = [record for record, _ in said]
    named = [_named(record) for record in records]
    places = _places(records, named, agent, inherit=inherit)
    claims = _claims({each.agent for each in named}, agent)
    return [
        Heard(record, meaning, place, claims[each.agent])
        for (record, meaning), each, place in zip(said, named, places, strict=True)
    ]


def _named(record: Record) -> _Named:
    about = {**record.resource, **record.attributes}
    return _Named(first(about, AGENT_ID) or first(about, AGENT_NAME), first(about, RUN, 40), first(about, STEP, 40))


# --- which agent ------------------------------------------------------------------------------------------------
def _claims(names: set[str], agent: Agent) -> Mapping[str, Claim]:
    own = {"", *(each.casefold() for each in (agent.code, agent.name, str(agent)))}
    strange = {name for name in names if name.casefold() not in own}
    known = _registered(strange) if strange else set()
    kinds = Told.Claims
    told = {name: Claim(name, kinds.OTHER if name.casefold() in known else kinds.UNKNOWN) for name in strange}
    return {name: told.get(name, Claim()) for name in names}


def _registered(names: Iterable[str]) -> set[str]:
    wanted = list(names)
    either = Q(code__in=[name.upper() for name in wanted]) | Q(name__in=wanted)
    found = Agent.objects.filter(either).values_list("code", "name")
    return {each.casefold() for pair in found for each in pair}


# --- which run --------------------------------------------------------------------------------------------------
def _places(records: Sequence[Record], named: Sequence[_Named], agent: Agent, *, inherit: bool) -> list[Place]:
    """A record belongs where it says, if the agent has acted in that run; else where its parent does; else to the run
    that the agent named its trace for, when that is one alone."""
    said = _said(named, agent)
    own = [_place_of(each, said) for each in named]
    by_trace = _by_trace({record.trace_id for record in records if record.trace_id}, agent)
    by_id = {(r.trace_id, r.span_id): n for n, r in enumerate(records)} if inherit else {}
    return [
        _inherited(number, records, own, by_id) or by_trace.get(records[number].trace_id) or Place()
        for number in range(len(records))
    ]


def _inherited(
    number: int, records: Sequence[Record], own: Sequence[Place | None], by_id: Mapping[Ids, int]
) -> Place | None:
    for _ in range(GENERATIONS_AT_MOST):
        if own[number] is not None:
            return own[number]
        above = by_id.get((records[number].trace_id, records[number].parent_id))
        if above is None:
            return None
        number = above
    return None


@dataclass(frozen=True)
class _Known:
    """Runs in which the agent has acted, and the run of each step, all by their ids."""

    runs: frozenset[str]
    steps: Mapping[str, str]


def _said(named: Sequence[_Named], agent: Agent) -> _Known:
    steps = {uid for each in named if (uid := _uuid(each.step))}
    found = {
        str(step): str(run) for step, run in Step.objects.filter(uid__in=steps).values_list("uid", "run__uid")
    } if steps else {}  # fmt: skip
    runs = {str(uid) for each in named if (uid := _uuid(each.run))} | {*found.values()}
    acted = (
        Event.objects.filter(run__in=runs, actor_kind="agent", actor_id=agent.code) if runs else Event.objects.none()
    )
    return _Known(frozenset(acted.values_list("run", flat=True).distinct()), found)


def _place_of(named: _Named, known: _Known) -> Place | None:
    step, run = str(_uuid(named.step) or ""), str(_uuid(named.run) or "")
    if step in known.steps and known.steps[step] in known.runs and run in ("", known.steps[step]):
        return Place(known.steps[step], step)
    return Place(run) if run in known.runs else None


def _by_trace(traces: set[str], agent: Agent) -> Mapping[str, Place]:
    acts = Event.objects.filter(trace__in=traces, actor_kind="agent", actor_id=agent.code).exclude(run="")
    runs: dict[str, set[str]] = {}
    for trace, run in acts.values_list("trace", "run").distinct():
        runs.setdefault(trace, set()).add(run)
    return {trace: Place(next(iter(found))) for trace, found in runs.items() if len(found) == 1}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
