"""The list of runs with its filters."""

from datetime import datetime
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from agents.models import Agent, Principal, Unit
from agents.views import person
from observability.ledger import database_now
from workflows.models import Run, RunQuerySet, Workflow
from workflows.views.keyset import page_of
from workflows.views.run_filter import STATES, RunFilter

COUNT_AT_MOST = 10_000
COLUMNS = (
    "uid", "key", "status", "outcome", "started_at", "ended_at", "cost", "people_asked", "workflow__code",
    "workflow__name", "version__number",
)  # fmt: skip


class RunsPage(LoginRequiredMixin, View):
    """The runs that a person may see, newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at, wanted = person(request), database_now(), RunFilter.read(request.GET)
        visible = Run.objects.visible_to(user)
        found = wanted.applied(visible)
        columns = Run.objects.with_waiting().select_related("workflow", "version").only(*COLUMNS)
        page = page_of(found, request, shown=columns)
        count = found.order_by()[: COUNT_AT_MOST + 1].count()
        shown = {
            "rows": [_row(run, at) for run in page.rows], "page": page, "wanted": wanted, "states": STATES,
            "count": count, "many": count > COUNT_AT_MOST, "at_most": COUNT_AT_MOST,
        }  # fmt: skip
        return render(request, "workflows/runs.html", shown | _choices(user, visible))


def _row(run: Run, at: datetime) -> dict[str, Any]:
    return {"run": run, "state": state_of(run), "elapsed": (run.ended_at or at) - run.started_at}


def _choices(user: Principal, visible: RunQuerySet) -> dict[str, Any]:
    outcomes = visible.exclude(outcome="").order_by("outcome").values_list("outcome", flat=True).distinct()
    return {
        "workflows": Workflow.objects.visible_to(user).values_list("code", "name"),
        "units": Unit.objects.visible_to(user).values_list("pk", "name"),
        "agents": [(agent.code, str(agent)) for agent in Agent.objects.visible_to(user).only("code", "name")],
        "outcomes": list(outcomes[:50]),
    }


def state_of(run: Run) -> str:
    """The state in the words of the pages; needs `waits` from `with_waiting`."""
    return "waiting" if run.status == Run.Status.RUNNING and getattr(run, "waits", False) else run.status
