"""The pages on which an event log becomes the manual baseline of a workflow, or the first drawing of a new one."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from agents.operations import require
from agents.views import person
from observability import ledger
from observability.ledger import database_now
from observability.models import EventLog
from observability.operations import may_upload
from observability.views import visible_log
from workflows import operations
from workflows.forms.event_logs import BaselineForm, DraftFromLogForm
from workflows.operations import from_logs


def _log(request: HttpRequest, uid: UUID) -> EventLog:
    log = visible_log(request.user, uid)
    if not may_upload(person(request), log.unit_id):
        raise ledger.NotAllowed("What a log tells is kept by whoever manages its unit, and by the council.")
    return log


class KeepBaseline(LoginRequiredMixin, View):
    """Hold a workflow against what the log tells."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        log = _log(request, uid)
        return self._shown(request, log, BaselineForm(user=person(request), initial=_initial(log)))

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        log, user = _log(request, uid), person(request)
        form = BaselineForm(request.POST, user=user)
        if form.is_valid():
            workflow = form.cleaned_data["workflow"]
            try:
                from_logs.keep_baseline(workflow, log, form.by_hand, by=user, at=database_now())
            except ledger.Invalid as wrong:
                form.refuse(wrong)
            else:
                messages.success(request, f"{workflow} is held against this log from now on.")
                return redirect(f"{reverse('performance')}?workflow={workflow.code}")
        return self._shown(request, log, form, status=400)

    def _shown(self, request: HttpRequest, log: EventLog, form: BaselineForm, *, status: int = 200) -> HttpResponse:
        figures = from_logs.figures_of(log)
        page = {"form": form, "log": log, "figures": figures, "cases_per_day": figures.cases_per_day}
        return render(request, "workflows/event_log_baseline.html", page, status=status)


def _initial(log: EventLog) -> dict[str, Any]:
    figures = from_logs.figures_of(log)
    years = sorted({figures.first[:4], figures.last[:4]})
    initial = {
        "source": f"{log.name}, {figures.cases:,} cases, {'–'.join(years)}"[:300],
        "error_percent": round(100 * figures.rework_share, 2),
    }
    if figures.has_start and figures.cases:
        initial["minutes_per_case"] = round(figures.worked_total / figures.cases / 60, 2)
    return initial


class DraftFromLog(LoginRequiredMixin, View):
    """A new workflow whose draft shows the most frequent ways of the log."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        log, user = _log(request, uid), person(request)
        require(user, "workflows.draft_workflow")
        initial = {"owner": user.pk, "unit": log.unit_id, "name": log.name}
        return self._shown(request, log, DraftFromLogForm(user=user, initial=initial))

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        log, user = _log(request, uid), person(request)
        require(user, "workflows.draft_workflow")
        form = DraftFromLogForm(request.POST, user=user)
        if form.is_valid():
            share = form.cleaned_data["share"] / 100
            try:
                draft, found = from_logs.draft_from_log(log, form.terms, share=share, by=user, at=database_now())
            except ledger.Invalid as wrong:
                form.refuse(wrong)
            else:
                problems = len(operations.problems_of(draft.bpmn, draft.workflow, at=database_now()))
                said = f"The draft shows {found.ways} ways, {found.share:.0%} of the cases, in {found.tasks} tasks."
                messages.success(request, f"{said} Say who does each; {problems} points are listed beside the drawing.")
                return redirect("workflow-design", draft.workflow.code)
        return self._shown(request, log, form, status=400)

    def _shown(self, request: HttpRequest, log: EventLog, form: DraftFromLogForm, *, status: int = 200) -> HttpResponse:
        page = {"form": form, "log": log, "figures": from_logs.figures_of(log)}
        return render(request, "workflows/event_log_draft.html", page, status=status)
