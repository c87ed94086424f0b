"""The page about one run, and stopping it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views import View

from agents.models import Principal
from agents.views import person
from governance.models import Escalation, Policy
from observability import ledger
from observability.ledger import database_now
from observability.models import Event
from observability.templatetags.ledger import inert
from workflows import operations
from workflows.charts import AGENT, doers, moments, run_states, time_rows
from workflows.forms import reason_in
from workflows.models import Run, Step
from workflows.operations.definitions import graph_of
from workflows.views.runs import state_of
from workflows.views.workflows import path_names, role_names

EVENTS_AT_MOST = 500


class RunPage(LoginRequiredMixin, View):
    """One run: where it is, how long everything took, what was done and why."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, at = person(request), database_now()
        run = visible_run(user, uid)
        may_cancel = run.status == Run.Status.RUNNING and user.may("workflows.cancel_workflow", run.workflow)
        cancelling = may_cancel and request.GET.get("ask") == "cancel"
        return render(
            request, "workflows/run.html", told(run, user, at) | {"may_cancel": may_cancel, "cancelling": cancelling}
        )


class CancelRun(LoginRequiredMixin, View):
    """Stop a run, with a reason."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, at, why = person(request), database_now(), request.POST.get("why", "")
        run = visible_run(user, uid)
        try:
            operations.cancel(run, by=user, at=at, why=reason_in(request.POST))
        except ledger.Invalid as wrong:
            more = {"may_cancel": True, "cancelling": True, "why": why, "wrong": wrong.fields.get("why", wrong.detail)}
            return render(request, "workflows/run.html", told(run, user, at) | more, status=wrong.status)
        messages.success(
            request, f"Run {run.key} is cancelled. Its open steps were taken back, its questions withdrawn."
        )
        return redirect("run", uid)


class RunStates(LoginRequiredMixin, View):
    """What the drawing shows about a run, as JSON."""

    def get(self, request: HttpRequest, uid: UUID) -> JsonResponse:
        run = visible_run(person(request), uid)
        rows = time_rows(run, _steps(run), _step_events(run), database_now())
        who = doers(graph_of(run.version_id), role_names(), path_names())
        return JsonResponse({"elements": run_states(run, rows, who)})


def visible_run(user: Principal, uid: UUID) -> Run:
    """The run with `waits`, if this person may see it; not found otherwise."""
    runs = Run.objects.visible_to(user).with_waiting().select_related("workflow", "version", "unit", "started_by")
    run = runs.filter(uid=uid).first()
    if run is None:
        raise ledger.NotFound
    return run


def _steps(run: Run) -> list[Step]:
    return list(run.steps.select_related("agent", "escalation").order_by("id"))


def _step_events(run: Run) -> list[Event]:
    # All of them, whatever else happened: the time of a step is right only with its whole story.
    of_steps = Event.objects.filter(run=str(run.uid), subject_kind="step").order_by("id")
    return list(of_steps.only("verb", "after", "at", "subject_kind", "subject_id"))


def _newest_events(run: Run) -> list[Event]:
    return list(Event.objects.filter(run=str(run.uid)).order_by("-id")[:EVENTS_AT_MOST])


def told(run: Run, user: Principal, at: datetime) -> dict[str, Any]:
    """Everything that the page shows about a run."""
    steps = _steps(run)
    rows = time_rows(run, steps, _step_events(run), at)
    asked = list(Escalation.objects.open().visible_to(user).filter(run=str(run.uid)).order_by("due_at"))
    titles = dict(Policy.objects.visible_to(user).values_list("key", "title"))
    return {
        "run": run, "state": state_of(run), "rows": rows, "asked": asked, "at": at, "steps_open": _open(steps),
        "elapsed": (run.ended_at or at) - run.started_at,
        "worked": sum((row.total(AGENT) for row in rows), timedelta()),
        "moments": moments(_newest_events(run), titles), "variables": _variables(run),
    }  # fmt: skip


def _open(steps: list[Step]) -> int:
    return sum(step.status in (Step.Status.READY, Step.Status.WORKING, Step.Status.WAITING) for step in steps)


def _variables(run: Run) -> list[dict[str, Any]]:
    graph = graph_of(run.version_id)
    found = []
    for element, values in run.variables.items():
        node = graph.start if element == "input" else graph.nodes.get(element)
        labels = {output.name: output.label for output in node.outputs} if node else {}
        rows = [{"label": labels.get(name) or _spoken(name), "value": _plain(value)} for name, value in values.items()]
        title = "Given at the start" if element == "input" else node.name if node else element
        found.append({"name": title, "rows": rows})
    return found


def _spoken(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return inert(", ".join(map(str, value)) if isinstance(value, list) else value)
