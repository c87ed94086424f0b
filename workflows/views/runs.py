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
from workflows.operations.definitions import graph_of
from workflows.plan import NodeKind
from workflows.views.keyset import Page, page_in_order, page_of
from workflows.views.run_filter import AGES, SORTS, STATES, VERSIONS_AT_MOST, RunFilter, state_of
from workflows.views.run_sorting import heads
from workflows.views.runs_together import offers
from workflows.views.runs_views import menu

COUNT_AT_MOST = 10_000
OPENS = frozenset({
    NodeKind.SERVICE_TASK, NodeKind.USER_TASK, NodeKind.RULE_TASK, NodeKind.SCRIPT_TASK, NodeKind.SEND_TASK,
    NodeKind.RECEIVE_TASK, NodeKind.CALL,
})  # fmt: skip
COLUMNS = (
    "uid", "key", "status", "outcome", "started_at", "ended_at", "cost", "people_asked", "workflow__code",
    "workflow__name", "version__number",
)  # fmt: skip


class RunsPage(LoginRequiredMixin, View):
    """The runs that a person may see, newest first, and what can be done with all that the filter shows."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at, wanted = person(request), database_now(), RunFilter.read(request.GET)
        visible = Run.objects.visible_to(user)
        found = wanted.applied(visible, at)
        count = found.order_by()[: COUNT_AT_MOST + 1].count()
        if count > COUNT_AT_MOST:
            wanted.sort_by_start()
        page = _page(found, wanted, request, at)
        shown = {
            "rows": [_row(run, at) for run in page.rows], "page": page, "wanted": wanted, "states": STATES,
            "heads": heads(request, wanted), "menu": menu(user, wanted),
            "ages": [(name, words) for name, (words, _) in AGES.items()], "sorts": SORTS.items(),
            "count": count, "many": count > COUNT_AT_MOST, "at_most": COUNT_AT_MOST,
            "together": offers(found, user, request) if wanted and count else [],
        }  # fmt: skip
        return render(request, "workflows/runs.html", shown | _choices(user, visible, wanted))


def _page(found: RunQuerySet, wanted: RunFilter, request: HttpRequest, at: datetime) -> Page:
    columns = Run.objects.with_waiting().select_related("workflow", "version").only(*COLUMNS)
    if wanted.sort in ("", "oldest"):
        return page_of(found, request, shown=columns, oldest_first=wanted.sort == "oldest")
    keys = list(wanted.sorted(found, at).values_list("pk", flat=True)[:COUNT_AT_MOST])
    return page_in_order(keys, columns, request)


def _row(run: Run, at: datetime) -> dict[str, Any]:
    return {"run": run, "state": state_of(run), "elapsed": (run.ended_at or at) - run.started_at}


def _choices(user: Principal, visible: RunQuerySet, wanted: RunFilter) -> dict[str, Any]:
    outcomes = visible.exclude(outcome="").order_by("outcome").values_list("outcome", flat=True).distinct()
    return {
        "workflows": Workflow.objects.visible_to(user).values_list("code", "name"),
        "units": Unit.objects.visible_to(user).values_list("pk", "name"),
        "agents": [(agent.code, str(agent)) for agent in Agent.objects.visible_to(user).only("code", "name")],
        "outcomes": list(outcomes[:50]),
        **_of_workflow(user, wanted),
    }


def _of_workflow(user: Principal, wanted: RunFilter) -> dict[str, Any]:
    # Versions and steps are chosen within one workflow.
    workflow = Workflow.objects.visible_to(user).filter(code=wanted.workflow).first() if wanted.workflow else None
    versions = list(workflow.versions.values_list("pk", "number")[:VERSIONS_AT_MOST]) if workflow else []
    chosen = next((pk for pk, number in versions if str(number) == wanted.version), versions[0][0] if versions else 0)
    nodes = graph_of(chosen).nodes.values() if chosen else ()
    steps = [(node.id, node.name or node.id) for node in nodes if node.kind in OPENS]
    return {"versions": [str(number) for _, number in versions], "steps": steps}
