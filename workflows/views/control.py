"""The switch that stops everything: what it says now, what a change would stop, and the change itself.

It stands in this app because it counts the work that a change would stop."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from agents.models import Agent
from agents.views import person, require_recent
from governance import operations
from governance.forms import ControlForm
from governance.models import ControlState
from observability import ledger
from observability.ledger import database_now
from observability.models import Event
from workflows.models import Run, Step

RIGHT = "governance.set_control"
CHANGES_AT_MOST = 5
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
        "No step is handed out and every action is denied. Work that has begun may be reported as finished. "
        "Deadlines of people go on.",
        "Pause all work", "pause", "dng",
    ),
)  # fmt: skip


class ControlPage(LoginRequiredMixin, View):
    """The control state of everything; those with the right may change it, with a reason."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.shown(request, ControlForm(), {})

    def post(self, request: HttpRequest) -> HttpResponse:
        user, form = person(request), ControlForm(request.POST)
        if not form.is_valid():
            return self.shown(request, form, {"asked": request.POST.get("state", "")}, status=400)
        if operations.loosens(form.cleaned_data["state"]):
            require_recent(request)  # to stop is never more than one step away, to let go again is
        try:
            control = operations.change_control(
                form.cleaned_data["state"], by=user, at=database_now(), why=form.cleaned_data["why"]
            )
        except (ledger.WrongStatus, ledger.TooLate):
            return self.shown(request, form, {"wrong": _meanwhile()}, status=409)
        messages.success(request, f"{control.get_status_display()} from now on.")
        return redirect("control")

    def shown(self, request: HttpRequest, form: ControlForm, more: dict[str, Any], status: int = 200) -> HttpResponse:
        """The page with the state as it is now."""
        control, user = operations.control_now(), person(request)
        page = {
            "control": control, "now": next(offer for offer in OFFERS if offer.state == control.status),
            "offers": [offer for offer in OFFERS if offer.state != control.status], "form": form,
            "may_change": user.may(RIGHT), "stops": stops(), "changes": changes(),
        }  # fmt: skip
        return render(request, "governance/control.html", page | more, status=status)


class Posture(LoginRequiredMixin, View):
    """The button that shows the control state on every page, for pages that were open when it changed."""

    def get(self, request: HttpRequest) -> HttpResponse:
        control = operations.control_now()
        button = {"state": control.status, "label": control.get_status_display(), "url": reverse("control")}
        return render(request, "components/_posture.html", {"control": button})


def _meanwhile() -> str:
    control = operations.control_now()
    by = f", set by {control.changed_by}" if control.changed_by else ""
    return f"Nothing was changed: the control state is “{control.get_status_display()}” already{by}."


def stops() -> dict[str, int]:
    """What a stop would hold up now, in the whole company: it stops everything, whoever may see it."""
    return {
        "runs": Run.objects.under_way().count(),
        "agents": Agent.objects.at_work().count(),
        "steps": Step.objects.filter(status=Step.Status.WORKING).count(),
    }


def changes() -> list[Event]:
    """The last changes of the control state, newest first."""
    return list(Event.objects.filter(verb="control.changed").newest_first()[:CHANGES_AT_MOST])
