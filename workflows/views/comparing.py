"""What differs between two drawings of a workflow: on both of them, and in words."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View

from agents.views import person
from observability import ledger
from workflows.models import Workflow, WorkflowDraft, WorkflowVersion
from workflows.operations.definitions import graph_of
from workflows.plan import Change, Difference, Graph, compare, read_model
from workflows.views.designer import bar_of, names_for, open_draft_of
from workflows.views.workflows import SHOWN_KINDS

DRAFT = "draft"


@dataclass(frozen=True)
class Drawing:
    """One of the two: its key in the address, its name, its file, and its graph if it holds together."""

    key: str
    name: str
    url: str
    graph: Graph | None


class ComparePage(LoginRequiredMixin, View):
    """Two drawings, what was added, changed and removed; by default what is live and the draft."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        workflow, draft = open_draft_of(user, code)
        versions = list(workflow.versions.defer("bpmn", "graph").order_by("-number"))
        keys = ([DRAFT] if draft else []) + [str(version.number) for version in versions]
        if not keys:
            raise ledger.NotFound("Nothing is drawn yet.")
        wanted = request.GET.get("from", ""), request.GET.get("to", "")
        old, new = (
            _drawing(workflow, draft, versions, key) for key in _pair(keys, draft, versions, *wanted)
        )  # fmt: skip
        changes = _named(old.graph, new.graph) if old.graph and new.graph else []
        shown = {
            "bar": bar_of(user, workflow, draft, "compare"), "workflow": workflow, "draft": draft,
            "names": names_for(user), "old": old,
            "new": new, "changes": changes, "choices": [(key, _name(key)) for key in keys],
            "old_marks": _marks(changes, Difference.REMOVED), "new_marks": _marks(changes, Difference.ADDED),
        }  # fmt: skip
        return render(request, "workflows/workflow_compare.html", shown)


def _pair(
    keys: list[str], draft: WorkflowDraft | None, versions: list[WorkflowVersion], old: str, new: str
) -> tuple[str, str]:
    """The two that are wanted; else the newest, and what it takes the place of."""
    if not set(filter(None, (old, new))) <= set(keys):
        raise ledger.NotFound
    new = new or next((key for key in keys if key != old), keys[0])
    if not old:
        base = draft.base if draft and new == DRAFT else None
        below = keys[keys.index(new) + 1 :] or [new]
        old = str(base.number) if base else below[0]
    return old, new


def _drawing(workflow: Workflow, draft: WorkflowDraft | None, versions: list[WorkflowVersion], key: str) -> Drawing:
    if key == DRAFT and draft is not None:
        url = reverse("workflow-draft-file", args=[workflow.code])
        return Drawing(key, _name(key), url, read_model(draft.bpmn.encode()).graph)
    version = next(each for each in versions if str(each.number) == key)
    url = reverse("workflow-drawing", args=[workflow.code, version.number])
    return Drawing(key, _name(key), url, graph_of(version.pk))


def _named(old: Graph, new: Graph) -> list[Change]:
    """What differs; a way without a name is called by its ends."""
    found = []
    for change in compare(old, new):
        graph = new if change.element_id in new.flows else old
        flow = graph.flows.get(change.element_id)
        if flow is not None and not flow.name:
            ends = (graph.nodes[flow.source], graph.nodes[flow.target])
            change = replace(change, name=" to ".join(node.name or SHOWN_KINDS[node.kind][1] for node in ends))
        elif change.element_id in graph.nodes and not change.name:
            change = replace(change, name=SHOWN_KINDS[graph.nodes[change.element_id].kind][1])
        found.append(change)
    return found


def _name(key: str) -> str:
    return "the draft" if key == DRAFT else f"version {key}"


def _marks(changes: Iterable[Change], side: Difference) -> str:
    """The marks on one of the drawings: what changed, and what only this one has."""
    found: dict[str, Any] = {}
    for change in changes:
        if change.difference in (side, Difference.CHANGED):
            word = str(change.difference)
            found[change.element_id] = {"state": word, "word": word}
    return json.dumps({"elements": found})
