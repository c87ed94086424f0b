"""The pages about job descriptions: which there are, what one says, writing it, changing it, its history.

They stand in this app beside the pages of the agents that are hired from them."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents import operations
from agents.forms import BlueprintForm, WhyForm
from agents.models import Agent, Blueprint, Principal, System
from agents.operations.naming import Naming
from agents.rules import AUTONOMY, RATES, scope_in_words
from agents.views import person, require_recent
from observability import ledger
from observability.ledger import database_now
from workflows.views.control import stops_of


class BlueprintsPage(LoginRequiredMixin, View):
    """The job descriptions that a person may see."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        employed = Count("agents", filter=~Q(agents__status=Agent.Status.RETIRED))
        rows = Blueprint.objects.visible_to(user).with_people().annotate(employed=employed).order_by("name", "code")
        shown = {"rows": rows, "may_write": user.may("agents.add_blueprint"), "here": "blueprints"}
        return render(request, "workflows/blueprints.html", shown)


class BlueprintPage(LoginRequiredMixin, View):
    """One job description, and the agents hired from it."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        return _shown(request, visible_blueprint(user, code), user, {"ask": request.GET.get("ask", "")})


class MoveBlueprint(LoginRequiredMixin, View):
    """Put a job description in force, or disable it with a reason."""

    disable = False

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user, form = person(request), WhyForm(request.POST)
        blueprint = visible_blueprint(user, code)
        if not self.disable:
            require_recent(request)
            operations.activate_blueprint(blueprint, by=user, at=database_now())
            messages.success(request, f"{blueprint} is in force. Agents can be hired from it.")
            return redirect("agent-blueprint", blueprint.code)
        if not form.is_valid():
            return _shown(request, blueprint, user, {"ask": "disable", "form": form}, status=400)
        operations.disable_blueprint(blueprint, by=user, at=database_now(), why=form.cleaned_data["why"])
        messages.success(request, f"{blueprint} is disabled. Its agents get no work and no yes.")
        return redirect("agent-blueprint", blueprint.code)


class NewBlueprint(LoginRequiredMixin, View):
    """Write a job description."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        operations.require(user, "agents.add_blueprint")
        return _form(request, BlueprintForm(user=user), None)

    def post(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        operations.require(user, "agents.add_blueprint")
        form = BlueprintForm(request.POST, user=user)

        def write() -> Blueprint:
            document = form.document()
            named = Naming(document)
            rows = {"role": named.role(), "unit": named.unit(), "owner": named.person("owner")}
            job = operations.JobDescription(**{**document, **rows})
            return operations.draft_blueprint(form.cleaned_data["code"], job, by=user, at=database_now())

        return _written(request, form, None, write, "is written. Put it in force when it is right.")


class EditBlueprint(LoginRequiredMixin, View):
    """Change a job description, with a reason."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        blueprint = visible_blueprint(user, code)
        operations.require(user, "agents.change_blueprint", blueprint)
        return _form(request, BlueprintForm(user=user, blueprint=blueprint), blueprint)

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        blueprint = visible_blueprint(user, code)
        operations.require(user, "agents.change_blueprint", blueprint)
        form = BlueprintForm(request.POST, user=user, blueprint=blueprint)

        def write() -> Blueprint:
            why = form.cleaned_data["why"]
            operations.change_blueprint(blueprint, form.document(), by=user, at=database_now(), why=why)
            return blueprint

        return _written(request, form, blueprint, write, "is changed. Its agents follow at once.")


def visible_blueprint(user: Principal, code: str) -> Blueprint:
    """The blueprint, if this person may see it; not found otherwise."""
    found: Blueprint | None = Blueprint.objects.visible_to(user).with_people().filter(code=code).first()
    if found is None:
        raise ledger.NotFound
    return found


def _written(
    request: HttpRequest, form: BlueprintForm, blueprint: Blueprint | None, write: Callable[[], Blueprint], told: str
) -> HttpResponse:
    if form.is_valid():
        try:
            written = write()
        except (ledger.Invalid, operations.NothingChanged) as refused:
            form.refuse(refused)
        else:
            messages.success(request, f"{written} {told}")
            return redirect("agent-blueprint", written.code)
    return _form(request, form, blueprint, status=400)


def _form(request: HttpRequest, form: BlueprintForm, blueprint: Blueprint | None, *, status: int = 200) -> HttpResponse:
    return render(request, "workflows/blueprint_form.html", {"form": form, "blueprint": blueprint}, status=status)


def _shown(
    request: HttpRequest, blueprint: Blueprint, user: Principal, more: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    agents = Agent.objects.visible_to(user).filter(blueprint=blueprint).with_people()
    shown = {
        "blueprint": blueprint, "agents": agents, "actions": _actions(blueprint, user),
        "ceiling": AUTONOMY[blueprint.autonomy_ceiling],
        "rates": [(word, blueprint.rates[name]) for name, word in RATES.items() if name in blueprint.rates],
        "may_change": user.may("agents.change_blueprint", blueprint), "may_hire": user.may("agents.add_agent"),
        "form": WhyForm(), **stops_of(blueprint, user), **more,
    }  # fmt: skip
    return render(request, "workflows/blueprint.html", shown, status=status)


def _actions(blueprint: Blueprint, user: Principal) -> list[dict[str, str]]:
    systems = {system.code: system for system in System.objects.visible_to(user)}
    labels = {
        (code, action["name"]): action.get("label", "") for code, system in systems.items() for action in system.actions
    }
    return [
        {
            "name": item["action"], "label": labels.get((item["system"], item["action"])) or item["action"],
            "system": str(systems.get(item["system"], item["system"])), "scope": scope_in_words(item["scope"]),
        }
        for item in blueprint.actions
        if item["action"] != "*"
    ]  # fmt: skip
