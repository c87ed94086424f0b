"""Agents that need attention: nobody answers for them, or they hold rights and do no work."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from agents.models import Agent, Principal
from governance.models import Decision
from workflows.models import Step


@dataclass(frozen=True)
class Attention:
    """One agent and why it is listed: stable name of the reason, and its words."""

    agent: Agent
    reasons: dict[str, str]


def attention(user: Principal, *, at: datetime) -> list[Attention]:
    """The agents that this person may see and that need attention, in the order of their codes."""
    visible = Agent.objects.visible_to(user)
    orphaned = set(visible.orphaned().values_list("pk", flat=True))
    dormant = set(visible.filter(pk__in=_dormant(at)).values_list("pk", flat=True))
    missed = Q(accountable__is_active=False) | Q(pk__in=orphaned | dormant)
    return [
        Attention(agent, _reasons(agent, orphaned, dormant))
        for agent in visible.employed().filter(missed).with_people().order_by("code")
    ]


def missed_sponsors(user: Principal) -> list[Agent]:
    """Agents at work whose sponsor was missed, for those who can do something: who may change the agent, and who stands
    in."""
    missed = Agent.objects.visible_to(user).at_work().filter(sponsor_missing_since__isnull=False).with_people()
    return [agent for agent in missed if user.may("agents.change_agent", agent) or agent.stand_in_id == user.pk]


def grace_ends(agent: Agent) -> datetime | None:
    """When an agent is paused whose sponsor was missed; None when nobody is missed."""
    since = agent.sponsor_missing_since
    return since + timedelta(days=settings.SPONSOR_GRACE_DAYS) if since else None


def _dormant(at: datetime) -> set[int]:
    since = at - timedelta(days=settings.DORMANT_DAYS)
    old = Agent.objects.filter(status__in=(Agent.Status.ACTIVE, Agent.Status.PAUSED), created_at__lt=since)
    holding = set(old.holding_access().values_list("pk", flat=True))
    worked = Step.objects.filter(agent__in=holding).worked_on_since(since).order_by()
    asked = Decision.objects.filter(agent__in=holding, at__gte=since).order_by()
    awake = {*worked.values_list("agent", flat=True).distinct(), *asked.values_list("agent", flat=True).distinct()}
    return holding - awake


def _reasons(agent: Agent, orphaned: set[int], dormant: set[int]) -> dict[str, str]:
    reasons = {}
    if not agent.accountable.is_active:
        acting = f"; {agent.stand_in} stands in" if agent.stand_in and agent.stand_in.is_active else ""
        reasons["sponsor"] = f"{agent.accountable} has left{acting}."
    if agent.pk in orphaned and not ("sponsor" in reasons and agent.acting_sponsor is None):
        reasons["orphaned"] = f"Nobody owns {agent.unit}."
    elif agent.pk in orphaned:
        reasons["orphaned"] = "Nobody answers for it."
    if agent.pk in dormant:
        reasons["dormant"] = f"It holds rights or keys and did no work for {settings.DORMANT_DAYS} days."
    return reasons
