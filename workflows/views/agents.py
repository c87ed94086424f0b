"""The pages about agents: who works here; pausing one of them, letting it work again, giving it keys.

They stand in this app because they show policies and work beside the agent itself."""

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents import operations
from agents.models import Agent, Unit
from agents.views import person, require_recent
from governance import operations as governance
from governance.models import PromotionRequest
from observability import kpis, ledger
from observability.ledger import database_now
from workflows.forms import reason_in
from workflows.views.attention import attention
from workflows.views.profile import LATELY, loads, shown, state_of, visible_agent

STATES = (
    ("working", "Working"), ("waiting", "Waits for a person"), ("idle", "Idle"), ("paused", "Paused"),
    ("draft", "Draft"), ("in_review", "In review"), ("retired", "Retired"),
)  # fmt: skip


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
        held, figures = loads(agents), kpis.by_agent(user, since=at - LATELY, until=at)
        rows = [_row(agent, held.get(agent.pk, {}), figures) for agent in agents]
        shown = {
            "rows": [row for row in rows if wanted["state"] in ("", row.state)], "wanted": wanted, "days": LATELY.days,
            "units": Unit.objects.visible_to(user).values_list("pk", "name"), "states": STATES,
            "filtered": any(wanted.values()), "attention": attention(user, at=at), "here": "agents",
            "may_hire": user.may("agents.add_agent"),
            "promotions": PromotionRequest.objects.open().visible_to(user).count(),
        }  # fmt: skip
        return render(request, "workflows/agents.html", shown)


def _wanted(agents: QuerySet[Agent], wanted: dict[str, str]) -> QuerySet[Agent]:
    if wanted["q"]:
        agents = agents.filter(Q(name__icontains=wanted["q"]) | Q(code__icontains=wanted["q"]))
    if wanted["unit"]:
        known = wanted["unit"].isdecimal() and len(wanted["unit"]) < 18
        agents = agents.filter(unit=int(wanted["unit"])) if known else agents.none()
    return agents


def _row(agent: Agent, load: dict[str, int], figures: dict[str, kpis.AgentFigures]) -> Row:
    return Row(agent, state_of(agent, load), sum(load.values()), figures.get(agent.code))


class AgentPage(LoginRequiredMixin, View):
    """One agent: who it is, what it may do, what it did, its keys; `?ask=` shows the form of an act."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        return shown(request, visible_agent(user, code), user, {"ask": request.GET.get("ask", "")})


class PauseAgent(LoginRequiredMixin, View):
    """Stop an agent, or let it work again, with a reason."""

    resume = False

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user, why = person(request), request.POST.get("why", "")
        agent = visible_agent(user, code)
        act = governance.resume_agent if self.resume else operations.pause
        if self.resume:
            require_recent(request)
        try:
            act(agent, by=user, at=database_now(), why=reason_in(request.POST))
        except ledger.Invalid as wrong:
            if self.resume:
                raise
            more = {"ask": "pause", "why": why, "wrong": wrong.fields.get("why", wrong.detail)}
            return shown(request, agent, user, more, status=wrong.status)
        told = "works again." if self.resume else "is paused. It gets no work and no yes until it is resumed."
        messages.success(request, f"{agent} {told}")
        return redirect("agent", agent.code)
