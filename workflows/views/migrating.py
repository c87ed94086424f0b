"""The page that moves running runs of a workflow to another version: the plan, what would happen, and doing it."""

from typing import Any
from uuid import UUID

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views import View

from agents.models import Principal
from agents.views import person
from observability import ledger
from observability.ledger import database_now
from workflows import operations
from workflows.forms.intervening import WhyForm
from workflows.models import Workflow, WorkflowVersion
from workflows.operations import RUNS_AT_MOST
from workflows.views.listing import is_uid
from workflows.views.workflows import visible_workflow

PAGE = "workflows/workflow_move.html"
MAPPED = "map."


class MoveRunsPage(LoginRequiredMixin, View):
    """Choose versions and what takes whose place; see what would happen to each run; move those that can."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        workflow = visible_workflow(user, code)
        return self.planned(request, user, workflow, request.GET, WhyForm())

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user, at = person(request), database_now()
        workflow, form = visible_workflow(user, code), WhyForm(request.POST)
        uids = [UUID(uid) for uid in request.POST.getlist("run")[: RUNS_AT_MOST + 1] if is_uid(uid)]
        to = _version(list(workflow.versions.defer("bpmn", "graph")), request.POST.get("to", ""))
        try:
            if form.is_valid() and to is not None:
                why, plan = form.cleaned_data["why"], mapping_in(request.POST)
                outcomes = operations.migrate_together(uids, to, plan, by=user, at=at, why=why)
                return self.told(request, workflow, to, outcomes)
        except ledger.Invalid as wrong:
            form.add_error(None, " ".join((wrong.detail, *wrong.fields.values())))
        return self.planned(request, user, workflow, request.POST, form, status=400)

    def planned(
        self, request: HttpRequest, user: Principal, workflow: Workflow, query: QueryDict, form: WhyForm,
        status: int = 200,
    ) -> HttpResponse:  # fmt: skip
        """The plan and what would happen."""
        versions = list(workflow.versions.defer("bpmn", "graph"))
        source, to = _version(versions, query.get("from", "")), _version(versions, query.get("to", ""))
        shown: dict[str, Any] = {
            "workflow": workflow, "versions": versions, "source": source, "to": to, "form": form,
            "may": user.may("workflows.intervene_workflow", workflow),
        }  # fmt: skip
        if source is not None and to is not None and source != to:
            shown |= _foreseen(workflow, source, to, mapping_in(query))
        return render(request, PAGE, shown, status=status)

    def told(
        self, request: HttpRequest, workflow: Workflow, to: WorkflowVersion, outcomes: list[operations.RunOutcome]
    ) -> HttpResponse:
        """What became of each."""
        failed = [each for each in outcomes if each.refused is not None]
        moved = [each for each in outcomes if each.refused is None]
        shown = {"workflow": workflow, "to": to, "outcomes": failed + moved, "moved": len(moved), "failed": len(failed)}
        return render(request, PAGE, shown)


def _foreseen(workflow: Workflow, source: WorkflowVersion, to: WorkflowVersion, plan: dict[str, str]) -> dict[str, Any]:
    runs = list(operations.movable(workflow, source).order_by("id")[: RUNS_AT_MOST + 1])
    listed = runs[:RUNS_AT_MOST]
    foreseen = operations.foresee(listed, to, plan)
    asked = [
        {"node": node, "name": f"{MAPPED}{node.id}", "chosen": plan.get(node.id, ""),
         "choices": operations.counterparts(node, to)}
        for node in operations.homeless(listed, to)
    ]  # fmt: skip
    able = [each for each in foreseen if not each.problems]
    return {
        "foreseen": [each for each in foreseen if each.problems] + able, "able": able, "asked": asked, "plan": plan,
        "more": len(runs) > RUNS_AT_MOST, "at_most": RUNS_AT_MOST,
    }  # fmt: skip


def mapping_in(query: QueryDict) -> dict[str, str]:
    """Which element takes the place of which, as the form says it."""
    return {
        name.removeprefix(MAPPED)[:120]: value[:120]
        for name, value in query.items()
        if name.startswith(MAPPED) and isinstance(value, str) and value
    }


def _version(versions: list[WorkflowVersion], number: str) -> WorkflowVersion | None:
    return next((each for each in versions if str(each.number) == number), None)
