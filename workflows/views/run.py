"""The page about one run, and stopping it."""

from collections.abc import Mapping
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
from workflows import operations
from workflows.charts import AGENT, doers, moments, run_states, time_rows
from workflows.forms import reason_in
from workflows.models import Run, Step, Timer
from workflows.operations import may_intervene
from workflows.operations.definitions import graph_of
from workflows.operations.intervening.steps import is_stuck
from workflows.plan import Marking
from workflows.views.hands import RUN_ACTS, asked_about, asked_for, run_acts, step_acts
from workflows.views.run_filter import state_of
from workflows.views.run_links import calls_in, family, ids_in, messages_of, waits_for
from workflows.views.traces import traces_of_run
from workflows.views.values import known_values
from workflows.views.workflows import path_names, role_names

EVENTS_AT_MOST = 500


class RunPage(LoginRequiredMixin, View):
    """One run: where it is, how long everything took, what was done and why, and what can be done about it."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, at = person(request), database_now()
        run = visible_run(user, uid)
        shown = told(run, user, at)
        shown["cancelling"] = shown["may_cancel"] and request.GET.get("ask") == "cancel"
        shown["card"] = asked_for(run, request, user, at)
        return render(request, "workflows/run.html", shown)


class CancelRun(LoginRequiredMixin, View):
    """Stop a run, with a reason."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, at, why = person(request), database_now(), request.POST.get("why", "")
        run = visible_run(user, uid)
        try:
            operations.cancel(run, by=user, at=at, why=reason_in(request.POST))
        except ledger.Invalid as wrong:
            more = {"cancelling": True, "why": why, "wrong": wrong.fields.get("why", wrong.detail)}
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
    return list(run.steps.select_related("agent", "assigned_to", "escalation").order_by("id"))


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
    roles = role_names()
    may, tree = run.is_under_way and may_intervene(user, run), family(run, user)
    return {
        "run": run, "state": state_of(run), "rows": rows, "asked": asked, "at": at, "steps_open": _open(steps),
        "elapsed": (run.ended_at or at) - run.started_at,
        "worked": sum((row.total(AGENT) for row in rows), timedelta()),
        "moments": moments(_newest_events(run), titles), "variables": known_values(run, may),
        "now": [_now_row(run, step, user, at, may, roles) for step in steps if _is_unsettled(step)],
        "clocks": _clocks(run, may), "waits": waits_for(run, may), "tree": tree, "tree_ids": ids_in(tree),
        "calls": calls_in(tree) if run.is_under_way else [],
        "talk": messages_of(run, user), "run_acts": [(act, *RUN_ACTS[act]) for act in run_acts(run, user)],
        "may_cancel": run.is_under_way and user.may("workflows.cancel_workflow", run.workflow),
        "told": traces_of_run(run, user), "again": list(run.repeated_by.only("uid", "key")),
    }  # fmt: skip


def _open(steps: list[Step]) -> int:
    return sum(step.status in (Step.Status.READY, Step.Status.WORKING, Step.Status.WAITING) for step in steps)


def _is_unsettled(step: Step) -> bool:
    asked = step.escalation is not None and step.escalation.is_pending
    failed = step.status == Step.Status.FAILED and asked
    return failed or step.status in (Step.Status.READY, Step.Status.WORKING, Step.Status.WAITING)


def _now_row(
    run: Run, step: Step, user: Principal, at: datetime, may: bool, roles: Mapping[str, str]
) -> dict[str, Any]:
    later = step.status == Step.Status.READY and step.available_at > at
    return {
        "step": step, "since": step.opened_at, "later": step.available_at if later else None,
        "who": step.agent if step.status == Step.Status.WORKING else step.kept_for(at),
        "kept_until": step.assigned_until if step.status == Step.Status.READY and step.kept_for(at) else None,
        "asked": asked_about(step, user), "acts": step_acts(run, step, at) if may else [],
        "is_stuck": is_stuck(step), "role": roles.get(step.role, step.role),
    }  # fmt: skip


def _clocks(run: Run, may: bool) -> list[dict[str, Any]]:
    nodes = graph_of(run.version_id).nodes
    timers = run.timers.filter(status=Timer.Status.SET).order_by("due_at")
    waits = {token.node: token.id for token in Marking.from_json(run.marking).tokens}
    return [
        {
            "name": nodes[each.element].name or each.element, "due_at": each.due_at,
            "token": waits.get(each.element) if may else None,
        }
        for each in timers
    ]  # fmt: skip
