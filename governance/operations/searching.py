"""Searches: which agents may do something, on which things, and what; the same answers as questions, nothing recorded.

The rules are first asked with the open part left out: where no rule can allow, nothing is read, and what must hold of a
column becomes part of the query. What is left is decided one by one, exactly as a question is; where that is very much,
one page looks at a part and says where the next one goes on."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from agents.models import Agent, Principal
from agents.models.access import model_of
from agents.rules.access import KINDS
from governance.language import Kind, Schema
from governance.models import Decision
from governance.operations.asking import asked_about
from governance.operations.decisions import OWN_ACTIONS, Put, answer_to, put
from governance.operations.facts import Circumstances, Question, asked_facts
from governance.rules import Verdict
from governance.rules.searching import Atom, Join, Where, openings

LOOKED_AT_MOST = 200
TOGETHER = 50  # how many are looked up in one statement
REMEMBERED = timedelta(days=90)
AGENT_COLUMNS = {
    "subject.id": "code", "subject.role": "role__code", "subject.team": "unit__code",
    "subject.risk_class": "risk_class", "subject.status": "status",
}  # fmt: skip

Row = TypeVar("Row")


@dataclass(frozen=True)
class Thing:
    """Something that agents act upon: its id, and the properties that are known of it."""

    id: str
    properties: Mapping[str, Any] = field(default_factory=dict)


# --- agents ---------------------------------------------------------------------------------------------------
def agents_that_may(
    question: Question, kind: str, *, by: Agent | Principal, at: datetime, after: str, limit: int
) -> tuple[list[str], str]:
    """The codes of the agents behind `after` that may do this, of those one may ask about, and where it goes on."""
    own = by if isinstance(by, Agent) else Agent()
    shared = Circumstances(own, at)
    known = {name: part for name, part in asked_facts(question, shared.schema, at).items() if name != "subject"}
    narrow = _narrowed(openings(shared.rules, question.action, known), AGENT_COLUMNS)
    if kind != "agent" or narrow is None:
        return [], ""
    rows = asked_about(by).filter(narrow, code__gt=after).order_by("code")[: LOOKED_AT_MOST + 1]
    return _page(((agent.code, agent.code, question, shared.about(agent)) for agent in rows), limit)


# --- things ---------------------------------------------------------------------------------------------------
def resources_for(
    question: Question, *, known: Circumstances, by: Agent | Principal, after: str, limit: int
) -> tuple[list[Thing], str]:
    """The things behind `after` upon which the agent may act: those of the registry, or those of earlier questions."""
    kind, given = str(question.resource["type"]), dict(question.resource.get("properties", {}))
    facts = asked_facts(question, known.schema, known.at)
    facts["resource"] = {name: value for name, value in facts.get("resource", {}).items() if name != "id"}
    left = openings(known.rules, question.action, facts)
    viewer = by.principal if isinstance(by, Agent) else by
    things = _registered(kind, left, viewer, after) if kind in KINDS else _met(kind, left, viewer, after, known)
    asked = (
        (Thing(thing.id, {**thing.properties, **given}), replace(question, resource=_resource(kind, thing, given)))
        for thing in things
    )
    return _page(((thing, thing.id, each, known) for thing, each in asked), limit)


def _resource(kind: str, thing: Thing, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": kind, "id": thing.id, "properties": {**thing.properties, **given}}


def _registered(kind: str, left: list[Where], viewer: Principal, after: str) -> Iterator[Thing]:
    key, narrow = KINDS[kind].key, _narrowed(left, {"resource.id": KINDS[kind].key})
    if narrow is None:
        return
    rows: QuerySet[Any] = model_of(KINDS[kind])._default_manager.visible_to(viewer)  # type: ignore[attr-defined]
    rows = rows.filter(narrow, **{f"{key}__gt": after}).order_by(key)
    yield from (Thing(str(name)) for name in rows.values_list(key, flat=True)[: LOOKED_AT_MOST + 1])


def _met(kind: str, left: list[Where], viewer: Principal, after: str, known: Circumstances) -> Iterator[Thing]:
    """Things that agents asked about lately, with what was said of them last."""
    columns = {"resource.id": "resource_id", **_properties(known.schema)}
    narrow = _narrowed(left, columns)
    if narrow is None:
        return
    lately = Decision.objects.visible_to(viewer).filter(at__gt=known.at - REMEMBERED)
    seen = lately.filter(resource_kind=kind, resource_id__gt=after)
    newest = seen.order_by().values("resource_id").annotate(newest=Max("pk")).values("newest")
    rows = Decision.objects.filter(narrow, pk__in=newest).order_by("resource_id")
    for name, request in rows.values_list("resource_id", "request")[: LOOKED_AT_MOST + 1]:
        yield Thing(name, request["resource"].get("properties", {}))


def _properties(schema: Schema) -> dict[str, str]:
    """Where the record keeps a text that was said of a thing; other kinds of values are compared by the rules alone."""
    texts = (each for each in schema.fields if each.kind is Kind.STRING and each.path.count(".") == 1)
    named = {each.path: each.path.partition(".")[2] for each in texts if each.path.startswith("resource.")}
    return {
        path: f"request__resource__properties__{name}" for path, name in named.items() if name not in ("id", "type")
    }


# --- actions --------------------------------------------------------------------------------------------------
def actions_for(question: Question, *, known: Circumstances, after: str, limit: int) -> tuple[list[str], str]:
    """The names of the actions behind `after` that the agent may take on this thing."""
    names = sorted(name for name in {*known.systems, *OWN_ACTIONS} if name > after)
    return _page(((name, name, replace(question, action=name), known) for name in names), limit)


# --- what all share -------------------------------------------------------------------------------------------
def _page(asked: Iterable[tuple[Row, str, Question, Circumstances]], limit: int) -> tuple[list[Row], str]:
    """The rows whose question is allowed, at most `limit`, and the key of the last one looked at while any are left."""
    found: list[Row] = []
    looked, last, rows = 0, "", iter(asked)
    while some := [(row, key, put(question, known)) for row, key, question, known in islice(rows, TOGETHER)]:
        _look_up([each for _, _, each in some])
        for row, key, each in some:
            if len(found) == limit or looked == LOOKED_AT_MOST:
                return found, last
            found += [row] if _is_allowed(each) else []
            looked, last = looked + 1, key
    return found, ""


def _look_up(asked: Iterable[Put]) -> None:
    """What people answered and how often each came up lately, together for all questions about one agent."""
    by_agent: dict[int, list[Put]] = {}
    for each in asked:
        by_agent.setdefault(id(each.known), []).append(each)
    for some in by_agent.values():
        first, known = some[0], some[0].known
        if len(some) == 1:
            known.expect_one(first.digest, first.matter)
        else:
            known.expect_all({each.digest for each in some}, {each.matter for each in some})


def _is_allowed(asked: Put) -> bool:
    with transaction.atomic():
        answer = answer_to(asked.question, asked.request, asked.digest, asked.known)
    return answer.ruling.verdict is Verdict.ALLOW


def _narrowed(left: list[Where], columns: Mapping[str, str]) -> Q | None:
    """The condition on columns without which no rule can allow; None when none can in any case."""
    if not left:
        return None
    found = [_q_of(each, columns) for each in left]
    return _any(found)


def _q_of(where: Where, columns: Mapping[str, str]) -> Q:
    # An empty Q asks nothing: beside others it adds nothing, and in place of one it lets everything through.
    match where:
        case Atom(path=path, operator=operator, value=value) if path in columns:
            return Q(**{f"{columns[path]}__{operator}": value})
        case Join(operator="&&", parts=parts):
            joined = Q()
            for part in parts:
                joined &= _q_of(part, columns)
            return joined
        case Join(parts=parts):
            return _any([_q_of(part, columns) for part in parts])
    return Q()


def _any(found: list[Q]) -> Q:
    if not all(found):
        return Q()
    joined = Q()
    for each in found:
        joined |= each
    return joined
