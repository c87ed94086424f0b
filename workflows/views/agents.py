"""The pages about agents: who works here, what one of them may do and did; pausing it, giving it keys.

They stand in this app because they show policies and work beside the agent itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents import operations
from agents.models import Agent, Key, Principal, Unit
from agents.rules import AUTONOMY
from agents.views import person
from governance.models import Escalation
from observability import kpis, ledger
from observability.ledger import database_now
from observability.models import Event, EventQuerySet
from workflows.forms import reason_in
from workflows.models import Run, Step
from workflows.views.access import access_of
from workflows.views.keyset import Page, page_of

LATELY = timedelta(days=30)
TABS = (("", "Profile"), ("work", "Work"), ("keys", "Keys"), ("audit", "Audit trail"))
STATES = (
    ("working", "Working"), ("waiting", "Waits for a person"), ("idle", "Idle"), ("paused", "Paused"),
    ("draft", "Draft"), ("retired", "Retired"),
)  # fmt: skip
LATEST = 8


@dataclass(frozen=True)
class Row:
    """An agent in the list: its state now, its open steps, and what it did lately."""

    agent: Agent
    state: str
    load: int
    figures: kpis.AgentFigures | None


class AgentsPage(LoginRequiredMixin, View):
    """The agents that a person may see."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        wanted = {name: request.GET.get(name, "").strip()[:100] for name in ("q", "unit", "state")}
        agents = _wanted(Agent.objects.visible_to(user).with_people(), wanted)
        loads, figures = _loads(agents), kpis.by_agent(user, since=at - LATELY, until=at)
        rows = [_row(agent, loads.get(agent.pk, {}), figures) for agent in agents]
        shown = {
            "rows": [row for row in rows if wanted["state"] in ("", row.state)], "wanted": wanted, "days": LATELY.days,
            "units": Unit.objects.visible_to(user).values_list("pk", "name"), "states": STATES,
            "filtered": any(wanted.values()),
        }  # fmt: skip
        return render(request, "workflows/agents.html", shown)


def _wanted(agents: QuerySet[Agent], wanted: dict[str, str]) -> QuerySet[Agent]:
    if wanted["q"]:
        agents = agents.filter(Q(name__icontains=wanted["q"]) | Q(code__icontains=wanted["q"]))
    if wanted["unit"]:
        known = wanted["unit"].isdecimal() and len(wanted["unit"]) < 18
        agents = agents.filter(unit=int(wanted["unit"])) if known else agents.none()
    return agents


def _loads(agents: QuerySet[Agent]) -> dict[int, dict[str, int]]:
    counts = Step.objects.in_hand().filter(agent__in=agents).order_by().values_list("agent", "status")
    found: dict[int, dict[str, int]] = {}
    for agent, status, count in counts.annotate(Count("pk")):
        found.setdefault(agent, {})[status] = count
    return found


def _row(agent: Agent, load: dict[str, int], figures: dict[str, kpis.AgentFigures]) -> Row:
    return Row(agent, state_of(agent, load), sum(load.values()), figures.get(agent.code))


def state_of(agent: Agent, load: dict[str, int]) -> str:
    """The agent's state in the words of the pages, from its open steps by status."""
    if agent.status != Agent.Status.ACTIVE:
        return agent.status
    return "working" if load.get("working") else "waiting" if load.get("waiting") else "idle"


class AgentPage(LoginRequiredMixin, View):
    """One agent: who it is, what it may do, what it did, its keys; `?ask=` shows the form of an act."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        return _shown(request, visible_agent(user, code), user, {"ask": request.GET.get("ask", "")})


class PauseAgent(LoginRequiredMixin, View):
    """Stop an agent, or let it work again, with a reason."""

    resume = False

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user, why = person(request), request.POST.get("why", "")
        agent = visible_agent(user, code)
        act = operations.resume if self.resume else operations.pause
        try:
            act(agent, by=user, at=database_now(), why=reason_in(request.POST))
        except ledger.Invalid as wrong:
            if self.resume:
                raise
            more = {"ask": "pause", "why": why, "wrong": wrong.fields.get("why", wrong.detail)}
            return _shown(request, agent, user, more, status=wrong.status)
        told = "works again." if self.resume else "is paused. It gets no work and no yes until it is resumed."
        messages.success(request, f"{agent} {told}")
        return redirect("agent", agent.code)


class IssueKey(LoginRequiredMixin, View):
    """Give an agent a new key; this page is the only place that ever shows it."""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        key = operations.issue_key(agent, by=user, at=database_now())
        answer = _shown(request, agent, user, {"new_key": key, "tab": "keys"})
        answer["Cache-Control"] = "no-store"
        return answer


class RevokeKey(LoginRequiredMixin, View):
    """Make a key of an agent open nothing any more."""

    def post(self, request: HttpRequest, code: str, prefix: str) -> HttpResponse:
        user = person(request)
        key = visible_agent(user, code).keys.select_related("agent__unit").filter(prefix=prefix).first()
        if key is None:
            raise ledger.NotFound
        operations.revoke_key(key, by=user, at=database_now(), why=reason_in(request.POST))
        messages.success(request, f"The key {key} opens nothing any more.")
        return redirect(f"{request.path.partition('/keys/')[0]}?tab=keys")


def visible_agent(user: Principal, code: str) -> Agent:
    """The agent, if this person may see it; not found otherwise."""
    agent = Agent.objects.visible_to(user).with_people().select_related("principal").filter(code=code).first()
    if agent is None:
        raise ledger.NotFound
    return agent


def _shown(
    request: HttpRequest, agent: Agent, user: Principal, more: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    at = database_now()
    tab = more.get("tab") or request.GET.get("tab", "")
    load = _loads(Agent.objects.filter(pk=agent.pk)).get(agent.pk, {})
    shown = {
        "agent": agent, "tab": tab, "tabs": TABS, "state": state_of(agent, load), "load": sum(load.values()), "at": at,
        "level": AUTONOMY[agent.autonomy_level], "days": LATELY.days,
        "may_pause": user.may("agents.pause_agent", agent), "may_key": user.may("agents.key_agent", agent),
        **_tab(request, agent, user, tab, at), **more,
    }  # fmt: skip
    return render(request, "workflows/agent.html", shown, status=status)


def _tab(request: HttpRequest, agent: Agent, user: Principal, tab: str, at: datetime) -> dict[str, Any]:
    if tab == "work":
        return {"page": _work(request, agent, user)}
    if tab == "keys":
        keys = agent.keys.select_related("created_by").order_by("-pk")
        return {"keys": [{"key": key, "state": _key_state(key, at)} for key in keys]}
    if tab == "audit":
        return {"page": page_of(_about(agent).visible_to(user), request)}
    if tab:
        raise ledger.NotFound
    key = agent.keys.filter(status=Key.Status.ACTIVE, expires_at__gt=at).order_by("-pk").first()
    return {
        "access": access_of(agent, user, at=at), "results": _results(agent, user, at), "key": key,
        "lately": _steps(agent, user).select_related("run", "escalation").order_by("-pk")[:LATEST],
    }  # fmt: skip


def _work(request: HttpRequest, agent: Agent, user: Principal) -> Page:
    return page_of(_steps(agent, user).select_related("run__workflow", "escalation"), request)


def _steps(agent: Agent, user: Principal) -> QuerySet[Step]:
    # An agent may work for other units as well; what it does there is theirs.
    return agent.steps.filter(run__in=Run.objects.visible_to(user))


def _about(agent: Agent) -> EventQuerySet:
    # What was done to the agent and to its account; what it did itself stands with its work.
    mine = Q(subject_kind="agent", subject_id__in=(agent.code, agent.principal.username))
    keys = Q(subject_kind="key", subject_id__in=list(agent.keys.values_list("prefix", flat=True)))
    return Event.objects.filter(mine | keys)


def _key_state(key: Key, at: datetime) -> str:
    return "expired" if key.status == Key.Status.ACTIVE and key.expired(at) else key.status


def _results(agent: Agent, user: Principal, at: datetime) -> dict[str, Any]:
    since = at - LATELY
    figures = kpis.by_agent(user, since=since, until=at).get(agent.code)
    settled = Escalation.objects.visible_to(user).filter(agent=agent, settled_at__gte=since).order_by()
    answers = dict(settled.values_list("status").annotate(Count("pk")))
    asked = sum(answers.values())
    return {
        "figures": figures,
        "per_step": figures.cost / figures.finished if figures and figures.finished else Decimal(0),
        "seconds": figures.seconds / figures.finished if figures and figures.finished else None,
        "asked": asked, "overruled": answers.get(Escalation.Status.REJECTED, 0),
    }  # fmt: skip
