"""Trying a drawing out with sample data, the data of a past run, faults and delays: nothing is opened, sent or kept."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from agents.models import Principal
from agents.views import person
from observability import ledger
from workflows.forms.trying import TryForm, past_values
from workflows.models import Run, Workflow, WorkflowDraft, WorkflowVersion
from workflows.operations.definitions import graph_of
from workflows.operations.tables import tables_named
from workflows.plan import ElementProblem, Graph, NodeKind, read_model
from workflows.plan.simulating import Outcome, Visit, simulate
from workflows.views.designer import bar_of, names_for, open_draft_of
from workflows.views.workflows import SHOWN_KINDS

RUNS_OFFERED = 20
VISITS_SHOWN = 300
WORDS = {
    "opened": "begins", "finished": "is done", "failed": "fails", "fired": "time is up", "caught": "it happens",
    "sent": "is sent", "told": "is told", "decided": "is worked out", "stuck": "stands still",
    "cancelled": "is taken back", "gathered": "all of them are done", "ended": "the run ends",
}  # fmt: skip
TONES = {"finished": "done", "ended": "done", "opened": "on", "failed": "fail", "stuck": "fail", "fired": "wt"}


@dataclass(frozen=True)
class Subject:
    """What is tried: the draft or the version, with its graph, or the problems that keep it from being tried."""

    draft: WorkflowDraft | None
    version: WorkflowVersion | None
    graph: Graph | None
    problems: tuple[ElementProblem, ...] = ()


class TryPage(LoginRequiredMixin, View):
    """The values of the try-out; after POST also what came of it, step by step and on the drawing."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        workflow, draft = open_draft_of(user, code)
        subject = _subject(workflow, draft, request.GET.get("of", ""))
        form = TryForm(subject.graph, None, _past(user, workflow, request, subject.graph)) if subject.graph else None
        return _page(request, user, workflow, draft, subject, form)

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        workflow, draft = open_draft_of(user, code)
        subject = _subject(workflow, draft, request.GET.get("of", ""))
        if subject.graph is None:
            return _page(request, user, workflow, draft, subject, None)
        form = TryForm(subject.graph, request.POST)
        outcome = simulate(subject.graph, form.trial()) if form.is_valid() else None
        status = 200 if outcome else 422
        return _page(request, user, workflow, draft, subject, form, _told(subject.graph, outcome), status)


def _page(
    request: HttpRequest, user: Principal, workflow: Workflow, draft: WorkflowDraft | None, subject: Subject,
    form: TryForm | None, told: Mapping[str, Any] | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    runs = workflow.runs.order_by("-id").select_related("version").only("uid", "key", "version__number")
    shown = {
        "bar": bar_of(user, workflow, draft, "try"), "workflow": workflow, "draft": draft,
        "names": names_for(user), "subject": subject,
        "form": form, "runs": [] if subject.graph is None else list(runs[:RUNS_OFFERED]),
        "chosen": request.GET.get("run", ""), "of": "draft" if subject.draft else "live",
    }  # fmt: skip
    return render(request, "workflows/workflow_try.html", shown | dict(told or {}), status=status)


def _subject(workflow: Workflow, draft: WorkflowDraft | None, of: str) -> Subject:
    version = workflow.versions.order_by("-number").defer("bpmn", "graph").first()
    if draft is None or (of == "live" and version is not None):
        if version is None:
            raise ledger.NotFound("Nothing is drawn yet.")
        return Subject(None, version, graph_of(version.pk))
    model = read_model(draft.bpmn.encode())
    if model.graph is None:
        return Subject(draft, None, None, model.problems)
    codes = {node.decision for node in model.graph.nodes.values() if node.kind is NodeKind.RULE_TASK}
    return Subject(draft, None, replace(model.graph, tables=tables_named(workflow, codes)))


def _past(user: Principal, workflow: Workflow, request: HttpRequest, graph: Graph | None) -> dict[str, Any] | None:
    wanted = request.GET.get("run", "")
    if not wanted or graph is None:
        return None
    try:
        run = Run.objects.visible_to(user).filter(workflow=workflow, uid=UUID(wanted)).first()
    except ValueError as wrong:
        raise ledger.NotFound from wrong
    if run is None:
        raise ledger.NotFound
    told = [
        (step.element, step.status, int((step.ended_at - step.opened_at).total_seconds()))
        for step in run.steps.order_by("id")
        if step.ended_at is not None
    ]
    return past_values(graph, run.variables, told)


def _told(graph: Graph, outcome: Outcome | None) -> dict[str, Any]:
    """What came of the try-out: the sentence, the path, and the marks on the drawing."""
    if outcome is None:
        return {}
    ended = graph.nodes.get(outcome.end)
    return {
        "outcome": outcome, "end": (ended.name or "its end") if ended else "",
        "path": [_line(graph, visit) for visit in outcome.visits[:VISITS_SHOWN]],
        "hidden": max(len(outcome.visits) - VISITS_SHOWN, 0), "ways": len(graph.flows), "taken": len(outcome.passed),
        "marks": json.dumps({"elements": marks(outcome)}),
    }  # fmt: skip


def _line(graph: Graph, visit: Visit) -> dict[str, Any]:
    node = graph.nodes.get(visit.element)
    name = (node.name or SHOWN_KINDS[node.kind][1]) if node else visit.element
    return {
        "seconds": visit.seconds, "name": name, "word": WORDS.get(visit.what, visit.what), "text": visit.text,
        "tone": TONES.get(visit.what, ""),
    }  # fmt: skip


def marks(outcome: Outcome) -> dict[str, dict[str, Any]]:
    """The coverage as the drawing shows it: ways and elements that were passed, where it ended or stands still."""
    found: dict[str, dict[str, Any]] = {flow: {"state": "passed"} for flow in outcome.passed}
    found |= {element: {"state": "passed"} for element in outcome.elements}
    for visit in outcome.visits:
        if visit.what in ("failed", "stuck"):
            found[visit.element] = {"state": "failed", "word": WORDS[visit.what]}
    if outcome.end:
        found[outcome.end] = {"state": "done"}
    return found
