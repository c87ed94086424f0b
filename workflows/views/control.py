"""The switch that stops work: what is stopped now, what a change would stop, the change itself, and drills.

It stands in this app because it counts the work that a change would stop."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views import View

from agents.models import Agent, Principal
from agents.views import person, require_recent
from governance import operations as governance
from governance.forms import ControlForm, DrillForm
from governance.models import ControlDrill, ControlState, Escalation
from governance.operations import EVERYTHING, Scope
from governance.rules.stopping import PAUSED, RESTRICTED, strictness
from observability import ledger
from observability.ledger import database_now
from observability.models import Event
from observability.views.audit import harmless
from workflows import operations
from workflows.models import Run, Step, Workflow
from workflows.operations import Stops

CHANGES_AT_MOST = 10
DRILLS_AT_MOST = 5
ROWS_AT_MOST = 20
Status = ControlState.Status


@dataclass(frozen=True)
class Offer:
    """A state that can be chosen: what it means, and the words of its button."""

    state: str
    label: str
    means: str
    button: str
    icon: str
    tone: str


OFFERS = (
    Offer(
        Status.NORMAL, "Normal operation", "Agents take work, and the policies decide what they may do.",
        "Return to normal operation", "play", "pri",
    ),
    Offer(
        Status.RESTRICTED, "Restricted",
        "Agents take work, but only actions of low risk are allowed. All others are denied, whatever the policies say.",
        "Restrict to low-risk actions", "shield-alert", "",
    ),
    Offer(
        Status.PAUSED, "Paused",
        "No step is handed out, no run begins and every action is denied. What an agent has in hand goes back to the "
        "queue and loses no attempt; only where an action was allowed already may it still report. "
        "Questions to people and deadlines go on.",
        "Pause all work", "pause", "dng",
    ),
)  # fmt: skip


class ControlPage(LoginRequiredMixin, View):
    """What is stopped now; those with the right change one scope (`?scope=`), with a reason."""

    def get(self, request: HttpRequest) -> HttpResponse:
        scope = chosen(request.GET.get("scope", ""), person(request))
        return self.shown(request, scope, ControlForm(initial={"scope": scope.key}), {})

    def post(self, request: HttpRequest) -> HttpResponse:
        user, form = person(request), ControlForm(request.POST)
        scope = chosen(request.POST.get("scope", "")[:120], user)
        if not form.is_valid():
            return self.shown(request, scope, form, {"asked": request.POST.get("state", "")}, status=400)
        state, until = form.cleaned_data["state"], form.cleaned_data["until"]
        if governance.loosens(state, scope, until=until):
            require_recent(request)  # to stop is never more than one step away, to let go again is
        try:
            row, void = operations.set_control(
                scope, state, by=user, at=database_now(), why=form.cleaned_data["why"], until=until
            )
        except ledger.Invalid as wrong:
            for name, words in wrong.fields.items():
                form.add_error(name if name in form.fields else None, words)
            return self.shown(request, scope, form, {}, status=wrong.status)
        except (ledger.WrongStatus, ledger.TooLate):
            return self.shown(request, scope, form, {"wrong": _meanwhile(scope)}, status=409)
        messages.success(request, _told(row, void))
        return redirect(address_of(scope))

    def shown(
        self, request: HttpRequest, scope: Scope, form: ControlForm, more: Mapping[str, Any], status: int = 200
    ) -> HttpResponse:
        """The page with the state as it is now."""
        user, at = person(request), database_now()
        control = governance.control_now(scope, at=at)
        may_stop = governance.may_stop(user, scope)
        may_ease = governance.may_let_go(user, scope, control)
        page = {
            "scope": scope, "is_all": scope == EVERYTHING, "control": control, "now": _offer(control.status),
            "offers": _offers(control, scope, may_ease), "form": form, "may_change": may_stop,
            "may_set": governance.may_set(user, scope, control), "may_ease": may_ease,
            "scopes": _choices(operations.may_be_stopped_by(user), scope), "stopped": stopped(user, at),
            "paused_agents": Agent.objects.visible_to(user).filter(status=Agent.Status.PAUSED)[:ROWS_AT_MOST],
            "pause": _Preview(operations.stops_if(scope, PAUSED), user),
            "restrict": _Preview(operations.stops_if(scope, RESTRICTED), user), "changes": changes(user),
            "drills": drills(user)[:DRILLS_AT_MOST], "drill_form": DrillForm(prefix="drill"),
            "drill_due": governance.drill_is_due(at), "last_drill": governance.last_drill(),
        }  # fmt: skip
        return render(request, "governance/control.html", {**page, **more}, status=status)


class Posture(LoginRequiredMixin, View):
    """The button that shows the control state on every page, for pages that were open when it changed."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "components/_posture.html", {"control": posture(person(request))})


class PractiseStop(LoginRequiredMixin, View):
    """Begin a drill: nothing stops, and who would have known how soon is measured."""

    def post(self, request: HttpRequest) -> HttpResponse:
        user, form = person(request), DrillForm(request.POST, prefix="drill")
        scope = chosen(request.POST.get("scope", "")[:120], user)
        if not form.is_valid():
            blank = ControlForm(initial={"scope": scope.key})
            return ControlPage().shown(request, scope, blank, {"drill_form": form}, status=400)
        operations.practise(scope, by=user, at=database_now(), why=form.cleaned_data["why"])
        messages.success(request, f"The drill of pausing {scope.name} runs for a minute. Nothing stops.")
        return redirect(address_of(scope))


class DrillsFile(LoginRequiredMixin, View):
    """All drills that a person may see, as CSV."""

    def get(self, request: HttpRequest) -> HttpResponse:
        answer = HttpResponse(content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="drills.csv"'
        answer["Cache-Control"] = "no-store"
        writer = csv.writer(answer)
        writer.writerow(["drill", "scope", "name", "by", "why", "at", "ended_at", "processes", "slowest_ms"])
        for drill in drills(person(request)):
            ended = drill.ended_at.isoformat() if drill.ended_at else ""
            row = [
                drill.uid, f"{drill.kind}:{drill.code}".rstrip(":"), drill.name, drill.by_name, drill.why,
                drill.at.isoformat(), ended, len(drill.sightings.all()), drill.slowest_ms,
            ]  # fmt: skip
            writer.writerow([harmless(each) for each in row])
        return answer


@dataclass(frozen=True)
class _Preview:
    """What a state would stop: the numbers of the whole company, and of the rows behind them those that the reader may
    see."""

    stops: Stops
    user: Principal

    @property
    def counts(self) -> dict[str, int]:
        counted = self.stops.counts
        return {**counted, "steps": counted["steps_returned"] + counted["steps_reported"]}

    @property
    def actions(self) -> tuple[str, ...]:
        return self.stops.actions

    @property
    def agents(self) -> list[Agent]:
        return list(self.stops.agents.filter(pk__in=Agent.objects.visible_to(self.user))[:ROWS_AT_MOST])

    @property
    def runs(self) -> list[Run]:
        return list(self.stops.runs.visible_to(self.user)[:ROWS_AT_MOST])  # type: ignore[attr-defined]

    @property
    def voided(self) -> list[Step]:
        return self._steps(self.stops.voided)

    @property
    def reported(self) -> list[Step]:
        return self._steps(self.stops.reported)

    def _steps(self, steps: Any) -> list[Step]:
        seen = Workflow.objects.visible_to(self.user)
        return list(steps.filter(run__workflow__in=seen)[:ROWS_AT_MOST])

    @property
    def questions(self) -> list[Escalation]:
        return list(self.stops.questions.visible_to(self.user)[:ROWS_AT_MOST])  # type: ignore[attr-defined]


def chosen(key: str, user: Principal) -> Scope:
    """The scope that an address names (everything, agent:AP-04), if the person may see it; not found otherwise."""
    kind, _, code = (key or EVERYTHING.key).partition(":")
    try:
        return operations.find_scope(kind, code, user=user)
    except ledger.Invalid as unknown:
        raise ledger.NotFound from unknown


def address_of(scope: Scope) -> str:
    """The page about this scope."""
    page = reverse("control")
    return page if scope == EVERYTHING else f"{page}?{urlencode({'scope': scope.key})}"


def stopped(user: Principal, at: datetime) -> list[ControlState]:
    """What is stopped now and this person may see, the widest and strictest first."""
    found = ControlState.objects.on(at).visible_to(user)
    return sorted(found, key=lambda row: (row.kind != EVERYTHING.kind, -strictness(row.status), row.name))


def posture(user: Principal) -> dict[str, Any]:
    """The button of every page: the strictest state among the scopes that this person may see, and how many."""
    rows = list(ControlState.objects.on(Now()).visible_to(user))  # type: ignore[arg-type]
    worst = max(rows, key=lambda row: strictness(row.status), default=None)
    if worst is None:
        return {"state": Status.NORMAL, "label": Status.NORMAL.label, "url": reverse("control")}
    scopes = [row for row in rows if row.kind != EVERYTHING.kind]
    label = worst.get_status_display()
    count = f"{len(scopes)} scope{'' if len(scopes) == 1 else 's'}"
    if scopes:
        label = f"{label}: {count}" if len(scopes) == len(rows) else f"{label}, and {count}"
    return {"state": worst.status, "label": label, "url": reverse("control")}


def stops_of(row: Any, user: Principal) -> dict[str, Any]:
    """What the page of an agent, blueprint, workflow, system or unit shows about its own control state."""
    scope, at = operations.scope_of(row), database_now()
    named = {"blueprint": row.blueprint.code} if isinstance(row, Agent) else {}
    path = scope.unit.path if scope.unit else ""
    found = governance.stops_on(scope, at=at, path=path, **named)
    return {"stops": found, "control_url": address_of(scope), "may_stop": governance.may_stop(user, scope)}


def changes(user: Principal) -> list[Event]:
    """The last changes of the control state that this person may see, newest first."""
    of_control = Q(verb__startswith="control.")
    return list(Event.objects.visible_to(user).filter(of_control).newest_first()[:CHANGES_AT_MOST])


def drills(user: Principal) -> Any:
    """Drills that this person may see, newest first, each with who saw it when."""
    return ControlDrill.objects.visible_to(user).prefetch_related("sightings")


def _offer(state: str) -> Offer:
    return next(offer for offer in OFFERS if offer.state == state)


def _offers(control: ControlState, scope: Scope, may_ease: bool) -> list[Offer]:
    now = strictness(control.status)
    able = [offer for offer in OFFERS if strictness(offer.state) > now or (may_ease and offer.state != control.status)]
    if scope == EVERYTHING:
        return able
    words = {Status.NORMAL: f"End the stop of {scope.name}", Status.PAUSED: f"Pause {scope.name}"}
    return [Offer(**{**vars(each), "button": words.get(Status(each.state), each.button)}) for each in able]


def _choices(scopes: Iterable[Scope], chosen_scope: Scope) -> list[tuple[str, list[Scope]]]:
    groups: dict[str, list[Scope]] = {}
    listed = list(scopes)
    if chosen_scope not in listed:
        listed.append(chosen_scope)
    for scope in listed:
        groups.setdefault(str(ControlState.Kind(scope.kind).label), []).append(scope)
    return list(groups.items())


def _told(row: ControlState, void: int) -> str:
    where = "" if row.kind == EVERYTHING.kind else f"{row.name[:1].upper()}{row.name[1:]}: "
    back = f" {void} step{'' if void == 1 else 's'} went back to the queue." if void else ""
    return f"{where}{row.get_status_display()} from now on.{back}"


def _meanwhile(scope: Scope) -> str:
    control = governance.control_now(scope)
    by = f", set by {control.set_by}" if control.set_by else ""
    return f"Nothing was changed: the control state is “{control.get_status_display()}” already{by}."
