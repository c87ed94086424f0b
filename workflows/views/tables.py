"""The pages about the decision tables of a workflow: which there are, and what one decides."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents.models import Principal
from agents.views import person, require_recent
from observability import ledger
from observability.ledger import database_now
from workflows import operations
from workflows.forms.tables import TableForm, TryForm
from workflows.models import DecisionTable, Workflow
from workflows.plan.dmn import Decided, Model
from workflows.views.workflows import visible_workflow

RIGHT = "workflows.publish_workflow"
EDITIONS = 20


class TablesPage(LoginRequiredMixin, View):
    """The decision tables of a workflow; those who may publish add one here."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        return self.shown(request, visible_workflow(person(request), code), TableForm())

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        workflow, form = visible_workflow(user, code), TableForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.shown(request, workflow, form, 400)
        require_recent(request)
        try:
            table = operations.publish_table(
                workflow, form.cleaned_data["file"].read(operations.DMN_AT_MOST_BYTES + 1), by=user,
                at=database_now(), why=form.cleaned_data["why"],
            )  # fmt: skip
        except ledger.Invalid as wrong:
            for words in wrong.fields.values():
                form.add_error("file", words)
            return self.shown(request, workflow, form, 400)
        messages.success(request, f"{table} is published. The next version of the workflow decides by it.")
        return redirect("workflow-table", workflow.code, table.uid)

    def shown(self, request: HttpRequest, workflow: Workflow, form: TableForm, status: int = 200) -> HttpResponse:
        """The list, with this form."""
        user = person(request)
        page = {
            "workflow": workflow, "form": form, "may": user.may(RIGHT, workflow),
            "tables": workflow.tables.newest().select_related("author").defer("dmn", "model"),
        }  # fmt: skip
        return render(request, "workflows/tables.html", page, status=status)


class TablePage(LoginRequiredMixin, View):
    """One edition of a table: its rules, and with values in the address what it decides for them."""

    def get(self, request: HttpRequest, code: str, uid: UUID) -> HttpResponse:
        table = _visible(person(request), code, uid)
        model = Model.from_json(table.model)
        form = TryForm(request.GET if "try" in request.GET else None, model=model)
        decided, refused = _tried(table, form)
        editions = table.workflow.tables.filter(code=table.code).select_related("author").defer("dmn", "model")
        page = {
            "table": table, "workflow": table.workflow, "decisions": _told(model, decided), "form": form,
            "decided": decided, "refused": refused, "editions": editions[:EDITIONS],
        }  # fmt: skip
        return render(
            request, "workflows/table.html", page, status=400 if form.is_bound and not form.is_valid() else 200
        )


class TableFile(LoginRequiredMixin, View):
    """The DMN file as it came; an edition never changes, so a browser may keep it."""

    def get(self, request: HttpRequest, code: str, uid: UUID) -> HttpResponse:
        table = _visible(person(request), code, uid)
        answer = HttpResponse(table.dmn, content_type="application/xml; charset=utf-8")
        answer["Cache-Control"] = "private, max-age=31536000, immutable"
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Content-Disposition"] = f'attachment; filename="{table.workflow.code}-table-{table.number}.dmn"'
        return answer


def _visible(user: Principal, code: str, uid: UUID) -> DecisionTable:
    workflow = visible_workflow(user, code)
    table: DecisionTable | None = workflow.tables.select_related("workflow", "author").filter(uid=uid).first()
    if table is None:
        raise ledger.NotFound
    return table


def _tried(table: DecisionTable, form: TryForm) -> tuple[Decided | None, str]:
    if not form.is_bound or not form.is_valid():
        return None, ""
    try:
        return operations.try_table(table, form.facts), ""
    except operations.NothingDecided as nothing:
        return None, nothing.detail


def _told(model: Model, decided: Decided | None) -> list[dict[str, Any]]:
    matched = decided.matched if decided else {}
    return [
        {
            "decision": each, "is_main": each.id == model.main.id,
            "rules": [
                {"number": n, "rule": rule, "matches": n in matched.get(each.id, ())}
                for n, rule in enumerate(each.rules, 1)
            ],
        }
        for each in reversed(model.decisions)
    ]  # fmt: skip
