"""The agents' queue role by role: what stands ready, what is in hand, since when, and who carries how much."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from agents.models import Agent, Principal, Role
from agents.views import person
from observability.ledger import database_now
from workflows.models import Run, Step, StepQuerySet, Workflow
from workflows.views.keyset import page_of

READY, WORKING, WAITING = Step.Status.READY, Step.Status.WORKING, Step.Status.WAITING
RIGHT = "workflows.intervene_workflow"
HELD_UP = Q(run__status=Run.Status.PAUSED)


class QueuePage(LoginRequiredMixin, View):
    """Every role with its queue; one role with its agents and its steps, the longest waiting first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        workflow, role = request.GET.get("workflow", "")[:80], request.GET.get("role", "")[:60]
        steps = Step.objects.visible_to(user).open().filter(kind=Step.Kind.AGENT)
        if workflow:
            steps = steps.filter(run__workflow__code=workflow)
        shown: dict[str, Any] = {
            "rows": queue_rows(steps, user), "workflow": workflow, "role": role, "at": at,
            "workflows": Workflow.objects.visible_to(user).values_list("code", "name"),
        }  # fmt: skip
        if role:
            shown |= _one_role(steps.filter(role=role), role, user, request, at)
        return render(request, "workflows/runs_queue.html", shown)


def queue_rows(steps: StepQuerySet, user: Principal) -> list[dict[str, Any]]:
    """One row for each role that has open work or agents: how much, the oldest, the agents and what they carry."""
    ready = Q(status=READY) & ~HELD_UP
    counted = steps.order_by().values("role").annotate(
        ready=Count("pk", filter=ready), working=Count("pk", filter=Q(status=WORKING)),
        waiting=Count("pk", filter=Q(status=WAITING)), paused=Count("pk", filter=Q(status=READY) & HELD_UP),
        oldest=Min("opened_at", filter=ready),
    )  # fmt: skip
    work = {row["role"]: row for row in counted}
    at_work = Agent.objects.visible_to(user).at_work().order_by().values("role__code")
    agents = dict(at_work.annotate(number=Count("pk")).values_list("role__code", "number"))
    names = dict(Role.objects.filter(code__in={*work, *agents}).values_list("code", "name"))
    nothing = {"ready": 0, "working": 0, "waiting": 0, "paused": 0, "oldest": None}
    rows = [
        {**nothing, **work.get(code, {}), "code": code, "name": name, "agents": agents.get(code, 0)}
        for code, name in names.items()
    ]
    return sorted(rows, key=lambda row: (-row["ready"], -row["working"], row["name"]))


def _one_role(steps: StepQuerySet, role: str, user: Principal, request: HttpRequest, at: datetime) -> dict[str, Any]:
    columns = Step.objects.select_related("run__workflow", "agent", "assigned_to")
    page = page_of(steps, request, shown=columns, oldest_first=True)
    looks_after = {workflow.pk: user.may(RIGHT, workflow) for workflow in {step.run.workflow for step in page.rows}}
    rows = [
        {
            "step": step, "kept_for": step.kept_for(at) if step.status == READY else None,
            "may_assign": step.status == READY and not step.run.is_paused and looks_after[step.run.workflow_id],
        }
        for step in page.rows
    ]  # fmt: skip
    return {
        "page": page, "steps": rows, "agents": loads(role, user),
        "role_name": Role.objects.filter(code=role).values_list("name", flat=True).first() or role,
    }  # fmt: skip


def loads(role: str, user: Principal) -> list[dict[str, Any]]:
    """The agents of a role at work with what each has in hand, and since when the oldest of it."""
    agents = list(Agent.objects.visible_to(user).at_work().filter(role__code=role).order_by("code"))
    held: dict[int, dict[str, int]] = defaultdict(dict)
    oldest: dict[int, datetime] = {}
    in_hand = Step.objects.in_hand().filter(agent__in=agents).order_by()
    for agent, status, number, since in in_hand.values_list("agent", "status").annotate(Count("pk"), Min("started_at")):
        held[agent][status] = number
        oldest[agent] = min(since, oldest.get(agent, since))
    return [
        {
            "agent": agent, "working": held[agent.pk].get(WORKING, 0), "waiting": held[agent.pk].get(WAITING, 0),
            "oldest": oldest.get(agent.pk),
        }
        for agent in agents
    ]  # fmt: skip
