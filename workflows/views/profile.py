"""The profile of one agent, a digital employee: who it is, what it may do and did, and what that says about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from agents.models import Agent, Key, Principal
from agents.operations import ceiling_of
from agents.rules import AUTONOMY
from governance import operations as governance
from governance.forms.budgets import BudgetLine
from governance.models import WAS_UNDONE, Decision, DecisionQuerySet, Escalation
from governance.views.autonomy import action_labels, asking_form, told_evidence
from observability import kpis, ledger
from observability.charts import RunLinks, Tile, tiles
from observability.charts.words import percent_figure
from observability.forms import Period
from observability.ledger import database_now
from observability.models import Event
from workflows.forms import ClientKeyForm, EndpointForm, KeyForm, RotateForm
from workflows.models import Fact, Run, Step
from workflows.views.control import stops_of
from workflows.views.keys import credentials_of
from workflows.views.keyset import page_of
from workflows.views.memory import COUNT_AT_MOST, totals_of
from workflows.views.moments import begin_in, end_in

LATELY = timedelta(days=30)
LATEST = 8
ENDS = {Run.Status.DONE: kpis.FINISHED, Run.Status.FAILED: kpis.FAILED, Run.Status.CANCELLED: kpis.CANCELLED}
ANSWERS = (
    ("alone", "Allowed without a person"), ("allow", "Allowed"), ("escalate", "A person was asked"), ("deny", "Denied"),
    ("reported", "Allowed, and reported"), ("failed", "Allowed, and failed afterwards"),
)  # fmt: skip


def visible_agent(user: Principal, code: str) -> Agent:
    """The agent, if this person may see it; not found otherwise."""
    agent = Agent.objects.visible_to(user).with_people().select_related("principal").filter(code=code).first()
    if agent is None:
        raise ledger.NotFound
    return agent


def loads(agents: QuerySet[Agent]) -> dict[int, dict[str, int]]:
    """The open steps of each agent by status, by the agent's key; one query."""
    counts = Step.objects.in_hand().filter(agent__in=agents).order_by().values_list("agent", "status")
    found: dict[int, dict[str, int]] = {}
    for agent, status, count in counts.annotate(Count("pk")):
        found.setdefault(agent, {})[status] = count
    return found


def state_of(agent: Agent, load: dict[str, int]) -> str:
    """The agent's state in the words of the pages, from its open steps by status."""
    if agent.status != Agent.Status.ACTIVE:
        return agent.status
    return "working" if load.get("working") else "waiting" if load.get("waiting") else "idle"


def shown(
    request: HttpRequest, agent: Agent, user: Principal, more: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """The page, on the tab that the address or `more` names."""
    tab = more.get("tab") or request.GET.get("tab", "")
    build = next((build for name, _, build in TABS if name == tab), None)
    if build is None:
        raise ledger.NotFound
    place = _Place(request, agent, user, database_now())
    load = loads(Agent.objects.filter(pk=agent.pk)).get(agent.pk, {})
    counts = _counts(place)
    shown = {
        "agent": agent, "tab": tab, "tabs": [(name, word, counts.get(name)) for name, word, _ in TABS],
        "state": state_of(agent, load), "load": sum(load.values()), "at": place.at, "days": LATELY.days,
        "level": AUTONOMY[agent.effective_autonomy], "ceiling": ceiling_of(agent),
        "may_pause": user.may("agents.pause_agent", agent) or agent.acting_sponsor == user,
        "incident": governance.quarantine_of(agent),
        "may_change": user.may("agents.change_agent", agent), "may_key": user.may("agents.key_agent", agent),
        **stops_of(agent, user), **build(place), **more,
    }  # fmt: skip
    return render(request, "workflows/agent.html", shown, status=status)


@dataclass(frozen=True)
class _Place:
    """Which agent is looked at, by whom and when."""

    request: HttpRequest
    agent: Agent
    user: Principal
    at: datetime

    @property
    def steps(self) -> QuerySet[Step]:
        return Step.objects.filter(agent=self.agent, run__in=Run.objects.visible_to(self.user).order_by())

    @property
    def facts(self) -> QuerySet[Fact]:
        return Fact.objects.visible_to(self.user).filter(author=self.agent)


def _counts(place: _Place) -> dict[str, int]:
    return {"work": place.steps.count(), "memory": place.facts.filter(superseded_at=None).count()}


# --- the tabs -------------------------------------------------------------------------------------------------
def _profile(place: _Place) -> dict[str, Any]:
    agent, at = place.agent, place.at
    access = governance.access_of(agent, place.user, at=at)
    keys = agent.keys.filter(status=Key.Status.ACTIVE, expires_at__gt=at)
    return {
        "access": access, "limits": governance.limits_today(agent, access.actions, at=at),
        "results": _results(place), "budgets": _budgets(place), "key": keys.order_by("-pk").first(),
        "lately": place.steps.select_related("run", "escalation").order_by("-pk")[:LATEST],
    }  # fmt: skip


def _budgets(place: _Place) -> list[BudgetLine]:
    """How far each budget that binds the agent is used, those of each run last."""
    budgets = list(governance.budgets_of(place.agent).visible_to(place.user))
    rows = governance.standing(budgets, at=place.at)
    lines = [BudgetLine(each, rows.get(each.pk), place.at) for each in budgets]
    return sorted(lines, key=lambda line: (line.is_each_run, line.budget.name))


def _access(place: _Place) -> dict[str, Any]:
    return {"access": governance.access_of(place.agent, place.user, at=place.at), "detailed": True}


def _autonomy(place: _Place) -> dict[str, Any]:
    agent, user = place.agent, place.user
    requests = list(agent.promotion_requests.with_people()[:LATEST])
    changed = Event.objects.visible_to(user).filter(subject_kind="agent", subject_id=agent.code)
    waits = next((asked for asked in requests if asked.is_open), None)
    return {
        **told_evidence(agent, user), "requests": requests, "waits": waits, "levels": list(AUTONOMY.items()),
        "next": governance.next_level(agent), "may_ask": governance.may_ask(user, agent) and waits is None,
        "may_demote": governance.may_demote(user, agent) and agent.autonomy_level > 0, "asking": asking_form(),
        "changed": changed.filter(verb__in=("agent.promoted", "agent.demoted")).newest_first()[:LATEST],
    }  # fmt: skip


def _work(place: _Place) -> dict[str, Any]:
    return {"page": page_of(place.steps.select_related("run__workflow", "escalation"), place.request)}


def _keys(place: _Place) -> dict[str, Any]:
    forms = {"new-key": KeyForm, "client-key": ClientKeyForm, "endpoint": EndpointForm}
    form = forms.get(place.request.GET.get("ask", ""))
    known = credentials_of(place.agent, place.user, at=place.at)
    return known | {"form": form() if form else None, "rotate_form": RotateForm()}


def _memory(place: _Place) -> dict[str, Any]:
    facts = place.facts.filter(superseded_at=None)
    reuse = Event.objects.visible_to(place.user).filter(verb="fact.reused", actor_kind="agent")
    used = reuse.filter(actor_id=place.agent.code)
    return {
        "page": page_of(facts.select_related("space", "run"), place.request), "totals": totals_of(facts),
        "used": used[: COUNT_AT_MOST + 1].count(), "at_most": COUNT_AT_MOST,
    }  # fmt: skip


def _audit(place: _Place) -> dict[str, Any]:
    # The same entries as the audit trail shows for the agent; of its keys, whoever may see the agent sees it there.
    return {"page": page_of(Event.objects.visible_to(place.user).concerning_agent(place.agent.code), place.request)}


def _decisions(place: _Place) -> dict[str, Any]:
    wanted = DecisionFilter.of(place.request.GET)
    found = wanted.applied(Decision.objects.visible_to(place.user).filter(agent=place.agent))
    page = page_of(found, place.request, shown=Decision.objects.select_related("escalation__settled_by"))
    labels = action_labels()
    uids = {decision.run for decision in page.rows if decision.run}
    runs = {str(run.uid): run for run in Run.objects.visible_to(place.user).filter(uid__in=uids)}
    rows = [(each, labels.get(each.action, each.action), runs.get(each.run)) for each in page.rows]
    return {
        "page": page, "rows": rows, "wanted": wanted, "answers": ANSWERS, "count": found.order_by().count(),
        "actions": sorted(labels.items()),
    }  # fmt: skip


Build = Callable[[_Place], dict[str, Any]]
TABS: tuple[tuple[str, str, Build], ...] = (
    ("", "Profile", _profile), ("autonomy", "Autonomy", _autonomy), ("work", "Work", _work),
    ("decisions", "Decisions", _decisions), ("access", "Access", _access), ("memory", "Memory", _memory),
    ("keys", "Credentials", _keys), ("audit", "Audit trail", _audit),
)  # fmt: skip


# --- decisions that an address asks for ------------------------------------------------------------------------
@dataclass(frozen=True)
class DecisionFilter:
    """Which decisions are wanted: about one action, with one of ANSWERS, from one moment to another; what the address
    does not say right is left out."""

    action: str = ""
    answer: str = ""
    first: str = ""
    last: str = ""

    @classmethod
    def of(cls, given: QueryDict) -> "DecisionFilter":
        """What the address asks for."""
        answer = given.get("answer", "")
        return cls(
            action=given.get("action", "")[:80], answer=answer if answer in dict(ANSWERS) else "",
            first=_readable(given.get("from", ""), begin_in), last=_readable(given.get("to", ""), end_in),
        )  # fmt: skip

    def __bool__(self) -> bool:
        return any((self.action, self.answer, self.first, self.last))

    def applied(self, decisions: DecisionQuerySet) -> DecisionQuerySet:
        """Those of the decisions that are wanted."""
        plain = {"action": self.action, "at__gte": begin_in(self.first), "at__lt": end_in(self.last)}
        decisions = decisions.filter(**{name: value for name, value in plain.items() if value})
        if self.answer == "alone":
            return decisions.alone()
        if self.answer in ("reported", "failed"):
            return decisions.reported(failed=self.answer == "failed")
        return decisions.filter(effect=self.answer) if self.answer else decisions


def _readable(text: str, read: Callable[[str], datetime | None]) -> str:
    try:
        return text if read(text) else ""
    except ValueError:
        return ""


# --- results beside how it was by hand -------------------------------------------------------------------------
def _results(place: _Place) -> list[Tile]:
    """The runs it worked in, their time and cost beside the manual baseline, and how often it was overruled."""
    today = timezone.localtime(place.at).date()
    days = Period(today - LATELY + timedelta(days=1), today)
    links = RunLinks(days.first, days.last, agent=place.agent.code)
    ended, names = _ended(place, days.since - LATELY, days.until)
    cycle, throughput, cost, *_ = tiles(
        kpis.report_of(ended, since=days.since, until=days.until, names=names), links
    )  # fmt: skip
    return [throughput, cycle, _overruled(place, days), cost]


def _ended(place: _Place, since: datetime, until: datetime) -> tuple[list[kpis.Ended], dict[str, str]]:
    worked = Step.objects.filter(agent=place.agent).order_by().values("run")
    runs = Run.objects.visible_to(place.user).filter(pk__in=worked, ended_at__gte=since, ended_at__lt=until)
    rows = list(
        runs.order_by("ended_at").values_list(
            "ended_at", "status", "workflow__code", "workflow__name", "started_at", "cost", "people_asked"
        )
    )
    ended = [
        kpis.Ended(at, ENDS[Run.Status(status)], code, kpis.seconds_between(started, at), cost, asked == 0)
        for at, status, code, _, started, cost, asked in rows
        if at is not None
    ]
    return ended, {code: name for _, _, code, name, *_ in rows}


def _overruled(place: _Place, days: Period) -> Tile:
    decided = Escalation.objects.visible_to(place.user).decided().filter(agent=place.agent).order_by()
    rows = decided.filter(settled_at__gte=days.since, settled_at__lt=days.until).values_list("status", WAS_UNDONE)
    answers = [status == Escalation.Status.REJECTED or undone for status, undone in rows]
    chosen = f"tab=done&agent={place.agent.code}&answer=overruled&from={days.first}&to={days.last}"
    share = f"{percent_figure(kpis.share(sum(answers), len(answers)))}" if answers else "–"
    return Tile(
        "Overruled", f"{reverse('escalations')}?{chosen}", ((share, "%" if answers else ""),),
        versus=f"{sum(answers)} of {len(answers)} that people decided",
    )  # fmt: skip
