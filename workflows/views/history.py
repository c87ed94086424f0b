"""The pages of versions: how an agent or a blueprint changed, who changed it and why, and the way back."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents import operations
from agents.forms import RollBackForm
from agents.models import Agent, Blueprint, Principal, Role, Unit, Version
from agents.rules import differences
from agents.views import person
from observability import ledger
from observability.ledger import database_now
from workflows.views.blueprints import visible_blueprint
from workflows.views.profile import visible_agent

SHOWN_AT_MOST = 100
Names = Mapping[str, Mapping[str, str]]  # of people, units, roles and blueprints, by the field that holds their code


class History(LoginRequiredMixin, View):
    """The versions of one row, newest first, each with what it changed; `?back=` shows the form that goes back."""

    page: ClassVar[str]
    right: ClassVar[str]

    def row(self, user: Principal, code: str) -> Agent | Blueprint:
        """The row, if this person may see it."""
        raise NotImplementedError

    def roll_back(self, row: Any, number: int, *, by: Principal, why: str) -> Version:
        """The row as it stood in that version, as a new one."""
        raise NotImplementedError

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        back = request.GET.get("back", "")
        number = int(back) if back.isdecimal() and len(back) < 10 else 0
        return self.shown(request, self.row(user, code), user, number, RollBackForm(initial={"number": number}))

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user, form = person(request), RollBackForm(request.POST)
        row = self.row(user, code)
        if form.is_valid():
            number, why = form.cleaned_data["number"], form.cleaned_data["why"]
            try:
                version = self.roll_back(row, number, by=user, why=why)
            except (ledger.Invalid, operations.NothingChanged) as refused:
                form.refuse(refused)
            else:
                messages.success(request, f"{row} is as in version {number} again. This is version {version.number}.")
                return redirect(request.path)
        number = form.cleaned_data.get("number", 0)
        return self.shown(request, row, user, number, form, status=400)

    def shown(
        self, request: HttpRequest, row: Any, user: Principal, number: int, form: RollBackForm, *, status: int = 200
    ) -> HttpResponse:
        """The page, with the form that goes back to version `number` when there is one."""
        versions = list(Version.objects.of(row).select_related("author")[: SHOWN_AT_MOST + 1])
        may = user.may(self.right, row) and getattr(row, "status", "") not in ("retired", "in_review")
        chosen = next((version for version in versions if version.number == number), None)
        names = _names()
        changes = _changes(row.as_document(), chosen.document, names) if chosen and may else []
        shown = {
            "row": row, "entries": _entries(versions, names)[:SHOWN_AT_MOST], "may_change": may, "form": form,
            "back": chosen if may else None, "changes": changes,
            "is_agent": isinstance(row, Agent), "page": self.page,
        }  # fmt: skip
        return render(request, "workflows/history.html", shown, status=status)


class AgentHistory(History):
    """The versions of an agent."""

    page, right = "agent", "agents.change_agent"

    def row(self, user: Principal, code: str) -> Agent:
        return visible_agent(user, code)

    def roll_back(self, row: Agent, number: int, *, by: Principal, why: str) -> Version:
        return operations.roll_back_agent(row, number, by=by, at=database_now(), why=why)


class BlueprintHistory(History):
    """The versions of a blueprint."""

    page, right = "agent-blueprint", "agents.change_blueprint"

    def row(self, user: Principal, code: str) -> Blueprint:
        return visible_blueprint(user, code)

    def roll_back(self, row: Blueprint, number: int, *, by: Principal, why: str) -> Version:
        return operations.roll_back_blueprint(row, number, by=by, at=database_now(), why=why)


def _entries(versions: list[Version], names: Names) -> list[dict[str, Any]]:
    entries = []
    for place, version in enumerate(versions):
        older = versions[place + 1].document if place + 1 < len(versions) else version.document
        entries.append(
            {"version": version, "changes": _changes(older, version.document, names), "is_newest": place == 0}
        )
    return entries


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], names: Names) -> list[dict[str, str]]:
    return [vars(each) for each in differences(_named(before, names), _named(after, names))]


def _named(document: Mapping[str, Any], names: Names) -> dict[str, Any]:
    return {name: names.get(name, {}).get(str(value), value) for name, value in document.items()}


def _names() -> Names:
    people = dict(Principal.objects.filter(kind=Principal.Kind.PERSON).values_list("username", "name"))
    return {
        "accountable": people, "stand_in": people, "owner": people,
        "unit": dict(Unit.objects.values_list("code", "name")), "role": dict(Role.objects.values_list("code", "name")),
        "blueprint": dict(Blueprint.objects.values_list("code", "name")),
    }  # fmt: skip
