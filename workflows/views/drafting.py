"""The doors through which a draft is read, saved and checked while it is drawn, begun and put away."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views import View

from agents.models import Principal
from agents.views import person
from observability import ledger
from observability.ledger import database_now
from workflows import operations
from workflows.models import Workflow, WorkflowDraft, WorkflowVersion
from workflows.plan import ElementProblem
from workflows.plan.laying import drawn
from workflows.views.workflows import asked_text, visible_workflow


class DraftFile(LoginRequiredMixin, View):
    """The BPMN of the draft as it is kept, for other programs; `?as=drawing` has a drawing also where the file came
    without one, for the pages that show it. Its ETag is the revision."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        draft = open_draft(visible_workflow(person(request), code))
        answer = HttpResponse(asked_text(request, draft.bpmn), content_type="application/xml; charset=utf-8")
        answer["ETag"] = f'"{draft.revision}"'
        answer["Cache-Control"] = "private, no-cache"
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Content-Disposition"] = f'attachment; filename="{code}-draft.bpmn"'
        return answer


class SaveDraft(LoginRequiredMixin, View):
    """Save a drawing over the revision that it began with; JSON, for the drawing page. 409 has the draft as it is
    now."""

    def post(self, request: HttpRequest, code: str) -> JsonResponse:
        user = person(request)
        draft = open_draft(visible_workflow(user, code))
        text = posted_drawing(request)
        try:
            saved = operations.save_draft(
                draft, text, revision=posted_revision(request), by=user, at=database_now()
            )  # fmt: skip
        except operations.DraftChanged as changed:
            now = {"revision": changed.draft.revision, "bpmn": drawn(changed.draft.bpmn)}
            return JsonResponse(_told(changed) | now, status=changed.status)
        except ledger.Refused as refused:
            return JsonResponse(_told(refused), status=refused.status)
        found = [
            as_problem(problem) for problem in operations.problems_of(saved.bpmn, draft.workflow, at=database_now())
        ]
        return JsonResponse({"revision": saved.revision, "saved_at": saved.updated_at, "problems": found})


class CheckDraft(LoginRequiredMixin, View):
    """What is wrong with a drawing, element by element, while it is drawn; nothing is saved."""

    def post(self, request: HttpRequest, code: str) -> JsonResponse:
        user = person(request)
        workflow = visible_workflow(user, code)
        operations.require_drafter(user, workflow)
        found = operations.problems_of(posted_drawing(request), workflow, at=database_now())
        return JsonResponse({"problems": [as_problem(problem) for problem in found]})


class BeginDraft(LoginRequiredMixin, View):
    """Begin a draft of a workflow that is there: from its newest version, an or an older one."""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        workflow = visible_workflow(user, code)
        version = _asked_version(workflow, request.POST.get("version", ""))
        operations.begin_draft(workflow, version=version, by=user, at=database_now())
        messages.success(request, "The draft is yours to change. What is live stays as it is.")
        return redirect("workflow-design" if request.POST.get("view") == "design" else "workflow-outline", code)


def _asked_version(workflow: Workflow, number: str) -> WorkflowVersion | None:
    if not number:
        return None
    version = workflow.versions.filter(number=int(number) if number.isdecimal() and len(number) < 9 else 0).first()
    if version is None:
        raise ledger.NotFound
    return version


class DiscardDraft(LoginRequiredMixin, View):
    """Put the draft away."""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        draft = open_draft(visible_workflow(user, code))
        discarded = operations.discard_draft(draft, by=user, at=database_now(), why=request.POST.get("reason", ""))
        if operations.went_with(discarded):
            messages.success(
                request, f"The draft is discarded. Nothing of {draft.workflow} was ever live, so it is gone."
            )
            return redirect("workflows")
        messages.success(request, "The draft is discarded. What is live stays as it is.")
        return redirect("workflow", code)


def open_draft(workflow: Workflow) -> WorkflowDraft:
    """The draft of the workflow that is drawn or reviewed; not found without one."""
    draft = workflow.drafts.open().with_people().first()
    if draft is None:
        raise ledger.NotFound("The workflow has no draft. Begin one from its page.")
    return draft


def posted_drawing(request: HttpRequest) -> str:
    """The drawing that was sent: browsers send each line end as CR LF, which was not drawn."""
    return request.POST.get("bpmn", "").replace("\r\n", "\n")


def posted_revision(request: HttpRequest) -> int:
    """The revision that the change began with; 0, which no draft has, for none."""
    given = request.POST.get("revision", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else 0


def as_problem(problem: ElementProblem) -> dict[str, str]:
    """A problem as the drawing page reads it."""
    return {
        "element": problem.element_id, "name": problem.name, "reason": problem.reason,
        "severity": str(getattr(problem, "severity", "error")),
    }  # fmt: skip


def _told(refused: ledger.Refused) -> dict[str, Any]:
    errors = [{"field": name, "message": message} for name, message in refused.fields.items()]
    return {"code": refused.code, "detail": refused.detail, "errors": errors}


def may_change(user: Principal, draft: WorkflowDraft) -> bool:
    """Whether this person may change the draft now."""
    return draft.status == WorkflowDraft.Status.DRAFT and operations.may_draft(user, draft.workflow)
