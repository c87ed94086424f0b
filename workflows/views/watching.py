"""A workflow while it works: what is under way on the drawing, and where time, money and errors go."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import View

from agents.models import Principal
from agents.views import person
from observability import ledger
from observability.ledger import database_now
from workflows.charts import MEASURES, Warm, doers, heat, heat_states, workflow_states
from workflows.models import Step, Workflow, WorkflowVersion
from workflows.operations.definitions import graph_of
from workflows.plan import Graph
from workflows.views.designer import bar_of
from workflows.views.workflows import DAYS, open_steps, path_names, role_names, visible_workflow

STEPS_AT_MOST = 20_000


class LivePage(LoginRequiredMixin, View):
    """What is under way now, on the drawing of the newest version and as a list."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user, at = person(request), database_now()
        workflow = visible_workflow(user, code)
        version = newest(workflow)
        states = workflow_states(open_steps(version.pk), {}, at) if version else {}
        graph = graph_of(version.pk) if version else None
        rows = [{"name": _name(graph, element), **shown} for element, shown in states.items()]
        return render(request, "workflows/workflow_live.html", _page(user, workflow, version, "live") | {"rows": rows})


class HeatPage(LoginRequiredMixin, View):
    """Where the steps of the last 30 days took time, cost money or went wrong: the drawing, and the same as a table."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user, at = person(request), database_now()
        workflow, by = visible_workflow(user, code), _measure(request)
        version = newest(workflow)
        warm = _warm(version, by, at) if version else []
        graph = graph_of(version.pk) if version else None
        shown = {
            "by": by, "measure": MEASURES[by], "days": DAYS,
            "measures": [(key, word, key == by) for key, word in MEASURES.items()],
            "rows": [{"name": _name(graph, each.element), "warm": each} for each in warm],
        }  # fmt: skip
        return render(request, "workflows/workflow_heat.html", _page(user, workflow, version, "heat") | shown)


class HeatStates(LoginRequiredMixin, View):
    """The heat of each element of one version, as JSON."""

    def get(self, request: HttpRequest, code: str, number: int) -> JsonResponse:
        workflow = visible_workflow(person(request), code)
        version = workflow.versions.filter(number=number).only("pk").first()
        if version is None:
            raise ledger.NotFound
        who = doers(graph_of(version.pk), role_names(), path_names())
        return JsonResponse({"elements": heat_states(_warm(version, _measure(request), database_now()), who)})


def newest(workflow: Workflow) -> WorkflowVersion | None:
    """The version that is live."""
    return workflow.versions.order_by("-number").defer("bpmn", "graph").first()


def _page(user: Principal, workflow: Workflow, version: WorkflowVersion | None, current: str) -> dict[str, Any]:
    draft = workflow.drafts.open().with_people().first()
    return {"workflow": workflow, "version": version, "bar": bar_of(user, workflow, draft, current)}


def _measure(request: HttpRequest) -> str:
    wanted = request.GET.get("by", "time")
    return wanted if wanted in MEASURES else "time"


def _warm(version: WorkflowVersion, by: str, at: datetime) -> list[Warm]:
    steps = Step.objects.filter(run__version=version.pk, opened_at__gte=at - timedelta(days=DAYS)).order_by("-id")
    found = steps.values_list("element", "opened_at", "ended_at", "cost", "error", "status")[:STEPS_AT_MOST]
    rows = (
        (element, opened, ended if status == Step.Status.DONE else None, Decimal(cost), bool(error))
        for element, opened, ended, cost, error, status in found
    )
    return heat(rows, by)


def _name(graph: Graph | None, element: str) -> str:
    node = graph.nodes.get(element) if graph else None
    return (node.name if node else "") or element
