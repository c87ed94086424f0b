"""History: how often an agent acted and what happened before, as facts that rules read; and what taints a question."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Count, Max, Q, QuerySet
from django.db.models.fields.json import KT

from governance.language import Field, Kind
from governance.models import Decision
from governance.rules.breaking import taints

if TYPE_CHECKING:
    from governance.operations.facts import Asking

WINDOWS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
REACH = timedelta(days=1)  # how long what an agent read outside of a run goes with it
ALLOWED = Q(effect=Decision.Effect.ALLOW)

HISTORY_FIELDS = (
    Field("context.sources", Kind.LIST, "Sources read", item=Kind.STRING),
    *(
        field
        for name in WINDOWS
        for field in (
            Field(f"rate.{name}.count", Kind.INT, f"Allowed in the last {name}", source="fact"),
            Field(f"rate.{name}.denied", Kind.INT, f"Denied in the last {name}", source="fact"),
            Field(f"rate.{name}.amount", Kind.DECIMAL, f"Allowed amount in the last {name}", "{context.currency}",
                  source="fact"),
        )
    ),
    Field("history.run.actions", Kind.LIST, "Done before in this run", source="fact", item=Kind.STRING),
    Field("history.run.tainted", Kind.BOOL, "Read from what is not trusted", source="fact"),
    Field("history.run.count", Kind.INT, "Allowed in this run", source="fact"),
    Field("history.agent.hour.actions", Kind.LIST, "Done in the last hour", source="fact", item=Kind.STRING),
    Field("history.agent.day.actions", Kind.LIST, "Done in the last day", source="fact", item=Kind.STRING),
    Field("history.resource.last_action_at", Kind.TIMESTAMP, "Last act on this thing", source="fact"),
    Field("history.resource.count_day", Kind.INT, "Acts on this thing in the last day", source="fact"),
    Field("history.resource.actions_day", Kind.LIST, "Done with this thing in the last day", source="fact",
          item=Kind.STRING),
)  # fmt: skip
"""What rules may read about the past; all but the sources is ours to know."""


# --- rates ----------------------------------------------------------------------------------------------------
def rates(asking: "Asking") -> dict[str, Any]:
    """How often, and for how much, this agent was allowed this action within the last minute, hour and day; how often
    it was denied anything. Until the transaction ends nobody else decides for this agent by its rates."""
    one_at_a_time("agent", asking.agent.pk)
    wanted = _wanted(asking, "rate")
    named = [name for name in WINDOWS if any(path.startswith(f"rate.{name}.") for path in wanted)]
    counted = _counted(asking, named)
    return {
        name: {
            "count": counted[f"{name}_count"],
            "denied": counted[f"{name}_denied"],
            **({"amount": _amount(asking, name)} if f"rate.{name}.amount" in wanted else {}),
        }
        for name in named
    }


def _wanted(asking: "Asking", group: str) -> frozenset[str]:
    if group in asking.also:  # a version in shadow may read any of them
        return frozenset(field.path for field in HISTORY_FIELDS if field.path.startswith(f"{group}."))
    return frozenset(path for path in asking.rules.needs(asking.question.action) if path.startswith(f"{group}."))


def _counted(asking: "Asking", named: list[str]) -> Mapping[str, int]:
    counts = {}
    for name in named:
        within = Q(at__gt=asking.at - WINDOWS[name])
        counts[f"{name}_count"] = Count("pk", filter=within & ALLOWED & Q(action=asking.question.action))
        counts[f"{name}_denied"] = Count("pk", filter=within & Q(effect=Decision.Effect.DENY))
    longest = max((WINDOWS[name] for name in named), default=timedelta(0))
    return Decision.objects.filter(agent=asking.agent, at__gt=asking.at - longest).order_by().aggregate(**counts)


def _amount(asking: "Asking", name: str) -> Decimal:
    # Amounts of other currencies cannot be added to this one; a rule on sums names the currencies that it allows.
    own = Decision.objects.filter(ALLOWED, agent=asking.agent, action=asking.question.action)
    own = own.filter(at__gt=asking.at - WINDOWS[name]).order_by()
    currency = asking.question.context.get("currency")
    # As text: read as JSON, SQLite would make a float of an amount that is kept as text.
    said = own.values_list(KT("request__context__amount"), KT("request__context__currency"))
    return sum((Decimal(str(amount)) for amount, of in said if amount is not None and of == currency), Decimal(0))


def one_at_a_time(kind: str, key: object) -> None:
    """Wait until every other decision about the same thing has committed, and let later ones wait for this one."""
    _hold([_number_of(kind, key)])


def _number_of(kind: str, key: object) -> int:
    digest = hashlib.blake2b(f"decide:{kind}:{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _hold(numbers: Iterable[int]) -> None:
    if connection.vendor != "postgresql":
        return  # SQLite has one writer at a time anyway
    with connection.cursor() as cursor:
        for number in numbers:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def hold_history(askings: Sequence["Asking"]) -> None:
    """Wait for what `rates` and `history` wait for, of all these questions: the agents first, then the resources, each
    in the order of their numbers, so that nobody waits in a ring."""
    _hold(sorted({_number_of("agent", asking.agent.pk) for asking in askings}))
    about = [each for each in askings if any(path.startswith("history.resource.") for path in _wanted(each, "history"))]
    _hold(sorted({_number_of("resource", _resource(each)) for each in about}))


# --- what happened before ---------------------------------------------------------------------------------------
def history(asking: "Asking") -> dict[str, Any]:
    """What was allowed before, in this run, to this agent, and on this resource; whether the run is tainted. Until the
    transaction ends nobody else decides for this agent, or about this resource, by its history."""
    # Always in this order, the agent before the resource: so nobody waits in a ring.
    one_at_a_time("agent", asking.agent.pk)
    wanted = _wanted(asking, "history")
    facts: dict[str, Any] = {}
    if any(path.startswith("history.resource.") for path in wanted):
        one_at_a_time("resource", _resource(asking))
        facts["resource"] = _of_resource(asking)
    if any(path.startswith("history.run.") for path in wanted):
        facts["run"] = _of_run(asking)
    if any(path.startswith("history.agent.") for path in wanted):
        facts["agent"] = {name: {"actions": _of_agent(asking, WINDOWS[name])} for name in ("hour", "day")}
    return facts


def _of_run(asking: "Asking") -> dict[str, Any]:
    allowed = within_reach(asking).filter(ALLOWED).order_by()
    counted = dict(allowed.values_list("action").annotate(Count("pk")))
    return {"actions": sorted(counted), "count": sum(counted.values()), "tainted": is_tainted(asking)}


def within_reach(asking: "Asking") -> QuerySet[Decision]:
    """The decisions whose results may have gone into this question: those of its run, and what the agent did lately
    outside of any run; for a question outside of a run all that the agent did lately, so that leaving a run forgets
    nothing."""
    lately = Q(agent=asking.agent, at__gt=asking.at - REACH)
    run = asking.question.place.run
    return Decision.objects.filter(Q(run=run) | (lately & Q(run="")) if run else lately)


def is_tainted(asking: "Asking") -> bool:
    """Whether the question, or anything that may have gone into it, read from a source that is not trusted."""
    return taints(sources_of(asking)) or within_reach(asking).filter(tainted=True).exists()


def sources_of(asking: "Asking") -> list[str]:
    """The labels of the sources that the agent says it read from."""
    said = asking.question.context.get("sources")
    return [str(label) for label in said] if isinstance(said, list | tuple) else []


def _of_agent(asking: "Asking", window: timedelta) -> list[str]:
    own = Decision.objects.filter(ALLOWED, agent=asking.agent, at__gt=asking.at - window)
    return sorted(own.order_by().values_list("action", flat=True).distinct())


def _resource(asking: "Asking") -> tuple[str, str]:
    return str(asking.question.resource["type"]), str(asking.question.resource["id"])


def _of_resource(asking: "Asking") -> dict[str, Any]:
    kind, name = _resource(asking)
    acts = Decision.objects.filter(ALLOWED, resource_kind=kind, resource_id=name).order_by()
    lately = acts.filter(at__gt=asking.at - WINDOWS["day"])
    counted = dict(lately.values_list("action").annotate(Count("pk")))
    last = acts.aggregate(last=Max("at"))["last"]
    known = {"count_day": sum(counted.values()), "actions_day": sorted(counted)}
    return known if last is None else {**known, "last_action_at": last}
