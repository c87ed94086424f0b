"""Failed work that a person has to put right: where, since when, why, and who is asked."""

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from agents.models import Principal, Role
from agents.views import person
from workflows import operations
from workflows.models import Step, StepQuerySet, Workflow
from workflows.views.hands import asked_about
from workflows.views.keyset import page_of

COUNT_AT_MOST = 1_000


class FailedWork(LoginRequiredMixin, View):
    """Steps that failed, or cannot go on by themselves, in the runs that a person may see."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        wanted = {name: request.GET.get(name, "")[:80] for name in ("workflow", "role")}
        found = _applied(Step.objects.visible_to(user).stuck(), wanted)
        columns = Step.objects.select_related("run__workflow", "agent", "escalation__asked")
        page = page_of(found, request, shown=columns, oldest_first=request.GET.get("sort") == "oldest")
        count = found.order_by()[: COUNT_AT_MOST + 1].count()
        shown = {
            "rows": [_row(step, user) for step in page.rows], "page": page, "count": count, "wanted": wanted,
            "many": count > COUNT_AT_MOST, "at_most": COUNT_AT_MOST, "filtered": any(wanted.values()),
            "workflows": Workflow.objects.visible_to(user).values_list("code", "name"),
            "roles": Role.objects.values_list("code", "name"), "sort": request.GET.get("sort", ""),
        }  # fmt: skip
        return render(request, "workflows/runs_failed.html", shown)


def _applied(steps: StepQuerySet, wanted: dict[str, str]) -> StepQuerySet:
    if wanted["workflow"]:
        steps = steps.filter(run__workflow__code=wanted["workflow"])
    return steps.filter(role=wanted["role"]) if wanted["role"] else steps


def _row(step: Step, user: Principal) -> dict[str, Any]:
    return {
        "step": step, "asked": asked_about(step, user), "since": step.escalation.opened_at if step.escalation else None,
        "may": operations.may_intervene(user, step.run),
    }  # fmt: skip
