"""The outline: a draft, or what is live, as a numbered list that is read and changed with plain forms."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from agents.views import person
from observability import ledger
from workflows.plan.outlining import outline_of
from workflows.plan.sheet import Sheet
from workflows.views.designer import bar_of, open_draft_of


class OutlinePage(LoginRequiredMixin, View):
    """The draft as a list; without a draft, what is live."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        workflow, draft = open_draft_of(user, code)
        bar = bar_of(user, workflow, draft, "outline")
        drawn = draft or workflow.versions.first()
        if drawn is None:
            raise ledger.NotFound("Nothing is drawn yet.")
        shown = {"bar": bar, "workflow": workflow, "draft": draft, "lines": outline_of(Sheet(drawn.bpmn))}
        return render(request, "workflows/workflow_outline.html", shown)
