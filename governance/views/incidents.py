"""The pages about incidents: what safeguards stopped, why, and letting it go on."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views import View

from agents.models import Agent, Principal, Unit
from agents.views import person, require_recent
from governance import operations
from governance.api.shapes.safeguards import incident_tag
from governance.forms.safeguards import ResolveForm
from governance.models import Incident
from observability import ledger
from observability.ledger import database_now
from observability.models import Event

ROWS, MOST, EVENTS = 50, 200, 40
FILTERS = {"kind": "kind", "agent": "agent__code", "unit": "unit__code"}
OF_AGENTS = ("agent.paused", "agent.resumed", "agent.retired")


class IncidentsPage(LoginRequiredMixin, View):
    """The incidents that a person may see, open ones first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        wanted = {name: request.GET.get(name, "")[:80] for name in ("status", *FILTERS)}
        found = Incident.objects.visible_to(user).with_names()
        found = found.filter(**{column: wanted[name] for name, column in FILTERS.items() if wanted[name]})
        before = request.GET.get("before", "")
        is_later = before.isdecimal() and len(before) < 19
        closed = found.resolved().filter(pk__lt=int(before)) if is_later else found.resolved()
        resolved = list(closed[: ROWS + 1]) if wanted["status"] != Incident.Status.OPEN else []
        is_open = wanted["status"] != Incident.Status.RESOLVED and not is_later
        open_ones = list(found.open()[: MOST + 1]) if is_open else []
        asked = {name: value for name, value in wanted.items() if value}
        page = {
            "rows": [*open_ones[:MOST], *resolved[:ROWS]], "wanted": wanted, "filtered": bool(asked),
            "more_open": len(open_ones) > MOST, "open_count": len(open_ones[:MOST]), "here": "incidents",
            "older": urlencode({**asked, "before": str(resolved[ROWS - 1].pk)}) if len(resolved) > ROWS else "",
            "states": Incident.Status.choices, "kinds": Incident.Kind.choices,
            "units": Unit.objects.visible_to(user).values_list("code", "name"), "agents": _agents(user),
        }  # fmt: skip
        return render(request, "governance/incidents.html", page)


def _agents(user: Principal) -> list[tuple[str, str]]:
    found = Agent.objects.visible_to(user).filter(incidents__isnull=False).distinct().order_by("code")
    return [(agent.code, str(agent)) for agent in found]


class IncidentPage(LoginRequiredMixin, View):
    """One incident: what happened, what led to it, what was done since; who may resolves it here."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        return shown(request, visible_incident(person(request), uid))


class ResolveIncident(LoginRequiredMixin, View):
    """Let go on what an incident stopped; or close it and leave the agent paused."""

    keep = False

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, form = person(request), ResolveForm(request.POST)
        incident = visible_incident(user, uid)
        if not operations.may_resolve(user, incident) and incident.is_open:
            raise operations.NotYourIncident(about=incident)
        if not form.is_valid():
            return shown(request, incident, form, keep=self.keep, status=400)
        if not self.keep:
            require_recent(request)
        act = operations.keep_paused if self.keep else operations.release
        with transaction.atomic():
            operations.lock_incident(incident)
            if form.cleaned_data["tag"] != incident_tag(incident):
                raise ledger.TooLate("Somebody resolved this incident meanwhile. Look at it again.")
            act(incident, by=user, at=database_now(), why=form.cleaned_data["why"])
        messages.success(request, _told(incident, self.keep))
        return redirect("incident", incident.uid)


def _told(incident: Incident, keep: bool) -> str:
    if keep:
        return f"The incident is closed. {incident.agent} stays paused."
    return {
        Incident.Kind.QUARANTINE: f"{incident.agent} works again as before.",
        Incident.Kind.CIRCUIT: f"Calls to {incident.system} are let through again.",
        Incident.Kind.LOOP: "It may go on. All counts begin anew.",
    }[Incident.Kind(incident.kind)]


def visible_incident(user: Principal, uid: UUID) -> Incident:
    """The incident, if this person may see it; not found otherwise."""
    found = Incident.objects.visible_to(user).with_names().filter(uid=uid).first()
    if found is None:
        raise ledger.NotFound
    return found


def shown(
    request: HttpRequest, incident: Incident, form: ResolveForm | None = None, *, keep: bool = False, status: int = 200
) -> HttpResponse:
    """The page of an incident, with the form as it was refused if it was."""
    user = person(request)
    blank = {"tag": incident_tag(incident)}
    page = {
        "incident": incident, "evidence": operations.evidence_for(incident, user), "events": _timeline(incident, user),
        "may": operations.may_resolve(user, incident), "here": "incidents",
        "release_form": form if form and not keep else ResolveForm(initial=blank, auto_id="release-%s"),
        "keep_form": form if form and keep else ResolveForm(initial=blank, auto_id="keep-%s"),
    }  # fmt: skip
    return render(request, "governance/incident.html", page, status=status)


def _timeline(incident: Incident, user: Principal) -> list[Event]:
    """What the ledger says about it and, while it was open, about the agent or the circuit."""
    told = Q(subject_kind="incident", subject_id=str(incident.uid))
    while_open: dict[str, Any] = {"at__gte": incident.opened_at}
    if incident.resolved_at is not None:
        while_open["at__lte"] = incident.resolved_at
    if incident.agent is not None:
        told |= Q(subject_kind="agent", subject_id=incident.agent.code, verb__in=OF_AGENTS, **while_open)
    if incident.system is not None:
        told |= Q(subject_kind="circuit", subject_id=incident.system.code, **while_open)
    return list(Event.objects.visible_to(user).filter(told).order_by("-id")[:EVENTS])
