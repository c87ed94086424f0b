"""The first page: what the workforce does now, what waits for this person, how the work went, what happened last."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views import View

from agents.models import Agent, Principal, ReviewItem
from agents.operations import REMIND_DAYS
from agents.views import person
from governance.models import Escalation, Incident, PolicyVersion, PromotionRequest
from observability import kpis
from observability.charts import RunLinks, tiles
from observability.charts.words import percent
from observability.forms import Period
from observability.ledger import database_now
from observability.models import Event
from workflows.models import Run, Step, Workflow
from workflows.views.attention import missed_sponsors
from workflows.views.cards import CARD_ONLY, by_name

PERIODS = {"24h": ("24 h", "24 hours"), "7": ("7 days", "7 days"), "30": ("30 days", "30 days")}
USUAL = "7"
AGENTS_AT_MOST, EVENTS_AT_MOST, DEADLINES_AT_MOST = 12, 8, 6
TOLD = (
    "run.finished", "run.failed", "run.cancelled", "escalation.opened", "escalation.approved", "escalation.rejected",
    "escalation.expired", "escalation.passed_on", "fact.reused", "control.changed", "agent.activated", "agent.paused",
    "agent.resumed", "agent.retired", "agent.promoted", "agent.demoted", "agent.sponsor_missing",
    "blueprint.disabled", "promotion.asked", "policy.activated", "workflow.published", "step.reclaimed", "step.failed",
)  # fmt: skip


@dataclass(frozen=True)
class AgentRow:
    """An agent, what it does now and what it did in the period; `load` counts its open steps."""

    agent: Agent
    state: str
    load: int
    workflow: str
    figures: kpis.AgentFigures | None

    @property
    def success(self) -> str:
        """The share of its steps that succeeded, in words."""
        return percent(self.figures.success_share if self.figures else None)


@dataclass
class Hands:
    """The open steps of one agent: how many it works on, how many wait for a person, and in which workflow."""

    working: int = 0
    waiting: int = 0
    workflows: set[str] = field(default_factory=set)

    @property
    def state(self) -> str:
        """What the agent does now, if it is active."""
        return "working" if self.working else "waiting" if self.waiting else "idle"


@dataclass(frozen=True)
class Span:
    """The period that is shown: from `since` to `until`, and the addresses of its runs."""

    name: str
    since: datetime
    until: datetime
    links: RunLinks

    @classmethod
    def of(cls, name: str, at: datetime) -> "Span":
        """Whole days up to today, or the last 24 hours to the second."""
        if name == "24h":
            until = at.replace(microsecond=0) + timedelta(seconds=1)
            since = until - timedelta(hours=24)
            return cls(name, since, until, RunLinks(since, until))
        name = name if name in PERIODS else USUAL
        today = timezone.localtime(at).date()
        days = Period(today - timedelta(days=int(name) - 1), today)
        return cls(name, days.since, days.until, RunLinks(days.first, days.last))


class Overview(LoginRequiredMixin, View):
    """The workforce at a glance."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        span = Span.of(request.GET.get("period", USUAL), at)
        report = kpis.report(user, since=span.since, until=span.until, names=kpis.workflow_names(user))
        by_agent = kpis.by_agent(user, since=span.since, until=span.until)
        shown = {
            "span": span, "periods": PERIODS, "period_words": PERIODS[span.name][1], "figures": report.figures,
            "runs_url": span.links.all(state="done"), "asked_url": span.links.all(touchless="0"),
            "worked": len(by_agent), "tiles": tiles(report, span.links), "flows": flows(report, span.links),
            "waits": waits_for(user, at), "promotions": promotions_for(user), "missed": missed_sponsors(user),
            "incidents": incidents_for(user), "reviews": reviews_for(user, at),
            "policies": policies_for(user),
            "deadlines": deadlines(user), "events": latest(user),
            "waiting_runs": Run.objects.visible_to(user).waiting().count(),
        }  # fmt: skip
        return render(request, "workflows/overview.html", shown | agents_of(user, by_agent))


def waits_for(user: Principal, at: datetime) -> dict[str, Any]:
    """What waits for this person: how many, how many of them late or due within the hour, and the next deadline."""
    open_ones = Escalation.objects.open().for_person(user)
    deadlines = sorted(open_ones.values_list("due_at", flat=True))
    soon = sum(due_at <= at + timedelta(hours=1) for due_at in deadlines)
    return {"count": len(deadlines), "soon": soon, "next": deadlines[0] if deadlines else None}


def promotions_for(user: Principal) -> dict[str, Any]:
    """The requests for promotion that this person may decide: how many, and the oldest."""
    asked = list(PromotionRequest.objects.for_person(user).with_people().order_by("id"))
    return {"count": len(asked), "first": asked[0] if asked else None}


def incidents_for(user: Principal) -> dict[str, Any]:
    """The open incidents that this person may resolve: how many, and the newest."""
    found = Incident.objects.for_person(user).with_names()
    return {"count": found.count(), "first": found.first()}


def policies_for(user: Principal) -> dict[str, Any]:
    """The versions of policies that this person may approve: how many, and the one that waits longest."""
    waiting = PolicyVersion.objects.for_person(user).select_related("policy", "author").defer("document")
    found = list(waiting.order_by("asked_at"))
    return {"count": len(found), "first": found[0] if found else None}


def reviews_for(user: Principal, at: datetime) -> dict[str, Any]:
    """The rights that wait for this person's answer in access reviews: how many, and the review that ends first; after
    a reminder it is called urgent."""
    waiting = ReviewItem.objects.waiting_for(user).select_related("review").order_by("review__due_at", "pk")
    first, count = waiting.first(), waiting.count()
    is_near = first is not None and first.review.due_at <= at + timedelta(days=REMIND_DAYS[0])
    return {"count": count, "review": first.review if first else None, "is_near": is_near}


def deadlines(user: Principal) -> list[Escalation]:
    """The questions whose deadlines come next, among all that this person may see."""
    open_ones = Escalation.objects.visible_to(user).open().select_related("asked__group").defer(*CARD_ONLY)
    return list(open_ones.prefetch_related(by_name("asked__people")).order_by("due_at", "id")[:DEADLINES_AT_MOST])


def flows(report: kpis.Report, links: RunLinks) -> list[dict[str, Any]]:
    """Each workflow with its figures and the address of its runs, the busiest first."""
    nothing = kpis.Sums.of([])
    rows = [
        {"code": code, "name": name, "sums": report.by_workflow.get(code, nothing), "url": links.all(workflow=code)}
        for code, name in report.names.items()
    ]
    return sorted(rows, key=lambda row: (-row["sums"].runs, row["name"]))


def agents_of(user: Principal, figures: Mapping[str, kpis.AgentFigures]) -> dict[str, Any]:
    """The agents that this person may see, those with work first, and how many are in each state."""
    agents = list(Agent.objects.visible_to(user).exclude(status=Agent.Status.RETIRED).with_people())
    hands = hands_of(agents, user)
    rows = [_row(agent, hands[agent.pk], figures.get(agent.code)) for agent in agents]
    rows.sort(key=lambda row: (-row.load, row.figures is None, row.agent.status != Agent.Status.ACTIVE, row.agent.code))
    states = [row.state for row in rows]
    counts = [(state, states.count(state)) for state in ("working", "waiting", "idle", "paused", "draft")]
    return {
        "agents": rows[:AGENTS_AT_MOST],
        "agents_all": len(rows),
        "agent_states": [(state, count) for state, count in counts if count],
    }


def _row(agent: Agent, hands: Hands, figures: kpis.AgentFigures | None) -> AgentRow:
    state = hands.state if agent.status == Agent.Status.ACTIVE else agent.status
    return AgentRow(agent, state, hands.working + hands.waiting, ", ".join(sorted(hands.workflows)), figures)


def hands_of(agents: list[Agent], user: Principal) -> defaultdict[int, Hands]:
    """What each agent has in its hands now, by the agent's key; of workflows only those that the user may see."""
    found = defaultdict[int, Hands](Hands)
    named = dict(Workflow.objects.visible_to(user).values_list("pk", "name"))
    steps = Step.objects.in_hand().filter(agent__in=agents).order_by()
    for agent, status, workflow in steps.values_list("agent", "status", "run__workflow"):
        hands = found[agent]
        hands.working += status == Step.Status.WORKING
        hands.waiting += status == Step.Status.WAITING
        hands.workflows |= {named[workflow]} if workflow in named else set()
    return found


def latest(user: Principal) -> list[dict[str, Any]]:
    """The last things worth telling, newest first, each with its run if this person may open it."""
    events = list(Event.objects.visible_to(user).filter(verb__in=TOLD).newest_first()[:EVENTS_AT_MOST])
    uids = {UUID(event.run) for event in events if event.run}
    runs = {str(run.uid): run for run in Run.objects.visible_to(user).filter(uid__in=uids)}
    return [{"event": event, "run": runs.get(event.run)} for event in events]
