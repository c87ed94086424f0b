"""The page on which a workflow begins: with nothing, a template or a file."""

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents.models import Principal, Role
from agents.operations import require
from agents.views import person
from governance.models import EscalationPath
from observability import ledger
from observability.ledger import database_now
from workflows import operations
from workflows.forms.beginning import NewWorkflowForm
from workflows.operations import gallery


class NewWorkflowPage(LoginRequiredMixin, View):
    """A new workflow, which begins as a draft."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        require(user, "workflows.draft_workflow")
        chosen = _chosen(request.GET.get("template", ""))
        initial = {"owner": user.pk, "unit": user.unit_id, "name": chosen.title if chosen else ""}
        return self.shown(request, user, NewWorkflowForm(user=user, initial=initial), chosen)

    def post(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        require(user, "workflows.draft_workflow")
        chosen = _chosen(request.POST.get("template", ""))
        form = NewWorkflowForm(request.POST, request.FILES, user=user)
        if not form.is_valid():
            return self.shown(request, user, form, chosen, status=400)
        drawing = form.drawing or _begun(chosen, form.terms.incident_path)
        try:
            draft = operations.begin_workflow(form.terms, bpmn=drawing, by=user, at=database_now())
        except ledger.Invalid as wrong:
            for name, said in wrong.fields.items():
                form.add_error(name if name in form.fields else None, said)
            return self.shown(request, user, form, chosen, status=400)
        messages.success(request, f"{draft.workflow} begins as a draft. It runs when somebody else has published it.")
        return redirect("workflow-outline", draft.workflow.code)

    def shown(
        self, request: HttpRequest, user: Principal, form: NewWorkflowForm,
        chosen: gallery.WorkflowTemplate | None, *, status: int = 200,
    ) -> HttpResponse:  # fmt: skip
        """The form and the templates."""
        known = set(Role.objects.values_list("code", flat=True))
        page = {
            "form": form, "gallery": gallery.gallery(), "chosen": chosen,
            "lacking": chosen.lacking(known) if chosen else [],
        }  # fmt: skip
        return render(request, "workflows/workflow_new.html", page, status=status)


def _chosen(name: str) -> gallery.WorkflowTemplate | None:
    found = gallery.template(name) if name else None
    if name and found is None:
        raise ledger.NotFound
    return found


def _begun(chosen: gallery.WorkflowTemplate | None, path: EscalationPath) -> str:
    if chosen is None:
        return ""
    known = set(EscalationPath.objects.values_list("key", flat=True))
    return gallery.begun_from(chosen, known_paths=known, path=path.key)
