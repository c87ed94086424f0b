"""The designer: the page with the canvas, and the settings of one element as a form."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views import View

from agents.models import Principal
from agents.views import person
from governance.operations import policies_about
from observability import ledger
from observability.charts.words import percent
from observability.ledger import database_now
from workflows.forms.canvas import ElementForm, Offers
from workflows.models import Space, Step, Workflow
from workflows.plan.laying import is_drawn
from workflows.plan.outlining import outline_of
from workflows.plan.sheet import Sheet
from workflows.views.designer import bar_of, callable_by, names_for, open_draft_of
from workflows.views.drafting import may_change
from workflows.views.workflows import DAYS, path_names, role_names, visible_workflow

VALUES_AT_MOST = 200_000
STEPS_AT_MOST = 5_000
PIECES = (
    ("agent", "bot", "Agent task"), ("approval", "user", "Approval"), ("policy", "shield-check", "Policy check"),
    ("decision", "diamond", "Decision"), ("parallel", "menu", "In parallel"), ("wait", "clock", "Wait"),
    ("call", "workflow", "Sub-workflow"), ("end", "circle", "End"), ("connect", "move-up-right", "Connect"),
)  # fmt: skip


class DesignPage(LoginRequiredMixin, View):
    """The canvas with its palette, the settings of the chosen step, and what is wrong; without a draft that this person
    may change, the drawing to look at."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        workflow, draft = open_draft_of(user, code)
        bar = bar_of(user, workflow, draft, "design")
        shown = {
            "bar": bar, "workflow": workflow, "draft": draft, "version": bar["live"], "names": names_for(user),
            "pieces": PIECES, "may_change": draft is not None and may_change(user, draft),
        }  # fmt: skip
        drawn = draft or bar["live"]
        sheet = Sheet(drawn.bpmn) if drawn else None
        shown |= {"lines": outline_of(sheet) if sheet else [], "laid_out": sheet is not None and not is_drawn(sheet)}
        return render(request, "workflows/design.html", shown)


class StepSettings(LoginRequiredMixin, View):
    """The settings of one element, from the values that the drawing holds: shown as a form, or checked and given back
    as the values to write. Nothing is kept here; the drawing is."""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        workflow = visible_workflow(user, code)
        values = _values(request.POST.get("values", ""))
        shown: dict[str, Any] = {"values": values, "offers": _offers(user)}
        if "set" not in request.POST:
            lately = _lately(workflow, str(values.get("id", "")), database_now())
            about = policies_about(action, viewer=user) if (action := str(values.get("action") or "")) else []
            return _form(request, ElementForm(**shown), values, {"lately": lately, "policies": about, "days": DAYS})
        form = ElementForm(**shown, data=request.POST)
        if not form.is_valid():
            return _form(request, form, values, {}, status=422)
        written = form.written()
        again = ElementForm({**values, **written}, shown["offers"])
        html = render_to_string("workflows/_step_form.html", {"form": again, "values": values}, request)
        return JsonResponse({"values": written, "form": html, "reshaped": again.shape != form.shape})


def _form(
    request: HttpRequest, form: ElementForm, values: Mapping[str, Any], known: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    shown = {"form": form, "values": values, **known}
    return render(request, "workflows/_step_form.html", shown, status=status)


def _lately(workflow: Workflow, element: str, at: datetime) -> dict[str, Any] | None:
    """How the element went in the last days; None where it was not reached."""
    since = at - timedelta(days=DAYS)
    steps = Step.objects.filter(run__workflow=workflow, element=element[:120], opened_at__gte=since).order_by("-id")
    found = list(steps.values_list("opened_at", "ended_at", "error", "status")[:STEPS_AT_MOST])
    lengths = [
        (ended - opened).total_seconds() for opened, ended, _, status in found if ended and status == Step.Status.DONE
    ]
    if not found:
        return None
    wrong = Decimal(sum(bool(error) for _, _, error, _ in found)) / len(found)
    return {"reached": len(found), "median": median(lengths) if lengths else None, "wrong": percent(wrong)}


def _values(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text[:VALUES_AT_MOST])
    except ValueError as wrong:
        raise ledger.Invalid(fields={"values": "Send the values of the element as JSON."}) from wrong
    if not isinstance(values, dict):
        raise ledger.Invalid(fields={"values": "Send the values of the element as an object."})
    return values


def _offers(user: Principal) -> Offers:
    spaces = Space.objects.visible_to(user).values_list("code", "name")
    return Offers(sorted(role_names().items()), sorted(path_names().items()), callable_by(user), list(spaces))
