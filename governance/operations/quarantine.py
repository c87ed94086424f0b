"""Quarantine: an agent that is denied again and again, or does far more than it ever did, is stopped until a person has
looked at it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncHour

from agents import operations as agents
from agents.models import Agent
from governance.models import Decision, Incident, SafeguardRule
from governance.operations import flooding
from governance.operations.incidents import open_incident
from governance.rules.breaking import DEFAULTS, ENOUGH_ACTS, Conduct, Limits, why_quarantine
from observability import ledger

STOPPED_FOR_NOW = frozenset({"control-state", "circuit-breaker", flooding.RULE})
"""Built-in rules that stop what will be possible again: no blame for the agent, and its step goes back to the queue."""
NO_BLAME = STOPPED_FOR_NOW | {"not-at-work", "not-evaluated"}
"""Denials that say nothing about how the agent works."""
HOUR = timedelta(hours=1)
PAST = timedelta(days=7)


def limits_of(agent: Agent) -> Limits:
    """The limits that hold for agents of this role: those of the role, those for all others, or the usual ones."""
    return limits_for(agent.role.code)


def limits_for(role: str) -> Limits:
    """The limits that hold for the role of this code; empty for all roles without limits of their own."""
    rules = {rule.role: rule for rule in SafeguardRule.objects.filter(role__in=("", role))}
    rule = rules.get(role) or rules.get("")
    return rule.limits if rule is not None else DEFAULTS


def denials_of(agent: Agent, limits: Limits, at: datetime) -> Conduct:
    """What the agent was denied lately, counted anew since it was last released."""
    window, hour = at - timedelta(minutes=limits.window_minutes), at - HOUR
    since = _released_at(agent)
    if since is not None:
        window, hour = max(window, since), max(hour, since)
    denied = Decision.objects.filter(agent=agent, at__gt=min(window, hour), effect=Decision.Effect.DENY)
    denied = denied.exclude(rule__in=NO_BLAME).order_by()
    counted = denied.aggregate(
        denials=Count("pk", filter=Q(at__gt=window)), signs=Count("pk", filter=Q(at__gt=hour, tainted=True))
    )
    return Conduct(**counted)


def _released_at(agent: Agent) -> datetime | None:
    told = Incident.objects.filter(kind=Incident.Kind.QUARANTINE, about=f"agent:{agent.code}")
    return told.values_list("resolved_at", flat=True).first()


def quarantine(agent: Agent, *, why: str, at: datetime) -> None:
    """Stop the agent from its next call on, and open the incident that a person resolves."""
    last = Decision.objects.filter(agent=agent).order_by("-id")[:20]
    kind, about = Incident.Kind.QUARANTINE, f"agent:{agent.code}"
    was = Agent.objects.filter(pk=agent.pk).values_list("status", flat=True).get()
    if was != Agent.Status.ACTIVE:
        return  # somebody stopped it meanwhile
    try:
        agents.pause(agent, by=ledger.SYSTEM, at=at, why=f"Quarantine: {why}")
    except (ledger.TooLate, ledger.WrongStatus):
        return  # somebody stopped it meanwhile
    open_incident(kind, about, why=why, at=at, agent=agent, evidence=last, agent_was=was)


# --- what only time shows -----------------------------------------------------------------------------------------
def unusual(*, at: datetime) -> Iterator[tuple[Agent, str]]:
    """The agents at work that do far more than they ever did, where a rule says how much that is, and why."""
    if not SafeguardRule.objects.filter(rate_factor__isnull=False).exists():
        return
    lately = Decision.objects.filter(at__gt=at - HOUR).order_by().values("agent").annotate(n=Count("pk"))
    busy = {row["agent"]: row["n"] for row in lately.filter(n__gte=ENOUGH_ACTS)}
    for agent in Agent.objects.at_work().filter(pk__in=busy).select_related("role", "unit"):
        limits = limits_of(agent)
        why = why_quarantine(Conduct(last_hour=busy[agent.pk], usual=_usual(agent, at)), limits)
        if why:
            yield agent, why


def _usual(agent: Agent, at: datetime) -> list[int]:
    past = Decision.objects.filter(agent=agent, at__gt=at - PAST, at__lte=at - HOUR).order_by()
    since = _released_at(agent)
    past = past.filter(at__gt=since) if since is not None and since < at - HOUR else past
    return list(past.annotate(hour=TruncHour("at")).values("hour").annotate(n=Count("pk")).values_list("n", flat=True))
