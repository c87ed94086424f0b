"""The pages on which a draft is reviewed and published, and an older version comes back."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents.models import Principal
from agents.views import person, require_recent
from observability import ledger
from observability.ledger import database_now
from observability.models import Event
from workflows import operations
from workflows.models import WorkflowDraft
from workflows.operations.definitions import graph_of
from workflows.plan import Change, compare, read_model
from workflows.views.designer import bar_of
from workflows.views.drafting import open_draft, posted_revision
from workflows.views.workflows import visible_workflow

ACTS: dict[str, Callable[..., Any]] = {
    "ask": operations.ask_to_publish, "withdraw": operations.take_back, "publish": operations.publish_draft,
    "send-back": operations.send_back, "compared": operations.take_base,
}  # fmt: skip
DONE = {
    "ask": "You asked. Somebody else than those who drew it publishes it; what is live has not changed.",
    "withdraw": "It is a draft again.",
    "publish": "It is live: runs that start from now on follow it. Those under way keep their version.",
    "send-back": "It is a draft again, and those who drew it read your reason.",
    "compared": "The draft takes the place of the newest version when it is published.",
}
TOLD = (
    "workflow.drafted", "workflow.asked", "workflow.withdrawn", "workflow.sent_back", "workflow.compared",
    "workflow.approved", "workflow.refused",
)  # fmt: skip
LATELY = 30


class ReviewPage(LoginRequiredMixin, View):
    """A draft before it is published: what keeps it from running, what it changes, who said what, what comes next."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        draft = open_draft(visible_workflow(user, code))
        return render(request, "workflows/workflow_review.html", review_of(user, draft))


def review_of(user: Principal, draft: WorkflowDraft) -> dict[str, Any]:
    """What the page of a review shows."""
    bar = bar_of(user, draft.workflow, draft, "review")
    problems = operations.problems_of(draft.bpmn, draft.workflow, at=database_now())
    has_errors = any(operations.stops(problem) for problem in problems)
    is_behind = bar["live"] is not None and bar["live"].pk != draft.base_id
    said = Event.objects.filter(
        subject_kind="workflow", subject_id=draft.workflow.code, verb__in=TOLD, at__gte=draft.created_at
    )
    return {
        "bar": bar, "workflow": draft.workflow, "draft": draft, "problems": problems,
        "has_errors": has_errors, "changes": _changes(draft), "is_behind": is_behind,
        "editors": draft.editors.order_by("username"), "said": said.order_by("-pk")[:LATELY],
        "next": _next(user, draft, has_problems=has_errors, is_behind=is_behind),
    }  # fmt: skip


def _changes(draft: WorkflowDraft) -> tuple[Change, ...] | None:
    """What the draft says otherwise than the newest version; None where the two cannot be compared."""
    version, graph = draft.workflow.versions.only("pk").first(), read_model(draft.bpmn.encode()).graph
    return None if version is None or graph is None else compare(graph_of(version.pk), graph)


def _next(user: Principal, draft: WorkflowDraft, *, has_problems: bool, is_behind: bool) -> list[dict[str, str]]:
    """The acts that this person may take now, the usual one first."""
    found = []
    if draft.status == WorkflowDraft.Status.DRAFT and operations.may_draft(user, draft.workflow):
        if is_behind:
            found.append({"act": "compared", "words": "I looked at what differs", "look": "pri"})
        elif not has_problems:
            found.append({"act": "ask", "words": "Ask to publish", "look": "pri"})
        return found
    if draft.status == WorkflowDraft.Status.IN_REVIEW and operations.may_publish(user, draft):
        found.append({"act": "publish", "words": "Publish it", "look": "pri"})
        found.append({"act": "send-back", "words": "Send it back", "look": ""})
    if draft.status == WorkflowDraft.Status.IN_REVIEW and _may_take_back(user, draft):
        found.append({"act": "withdraw", "words": "Take it back", "look": ""})
    return found


def _may_take_back(user: Principal, draft: WorkflowDraft) -> bool:
    is_concerned = user.pk == draft.asked_by_id or draft.editors.filter(pk=user.pk).exists()
    return is_concerned and operations.may_draft(user, draft.workflow)


class ReviewAct(LoginRequiredMixin, View):
    """One step of the review of a draft."""

    act = ""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        draft = open_draft(visible_workflow(user, code))
        given: dict[str, Any] = {} if self.act == "compared" else {"why": request.POST.get("reason", "")}
        if self.act == "publish":
            require_recent(request)
            given["seen"] = posted_revision(request)
        ACTS[self.act](draft, by=user, at=database_now(), **given)
        messages.success(request, DONE[self.act])
        return redirect("workflow", code) if self.act == "publish" else redirect("workflow-review", code)


class RestoreVersion(LoginRequiredMixin, View):
    """Go back: publish again what an older version said."""

    def post(self, request: HttpRequest, code: str, number: int) -> HttpResponse:
        user = person(request)
        version = visible_workflow(user, code).versions.select_related("workflow").filter(number=number).first()
        if version is None:
            raise ledger.NotFound
        require_recent(request)
        new = operations.roll_back(version, by=user, at=database_now(), why=request.POST.get("reason", ""))
        messages.success(request, f"Version {new.number} is live and says what version {number} said.")
        return redirect("workflow", code)
