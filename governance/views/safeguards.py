"""The pages about safeguards: at which limits agents are stopped, and how the systems work that they act upon."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents.models import Principal, Role, System
from agents.operations import require
from agents.views import person, require_recent
from governance import operations
from governance.api.shapes.safeguards import EVERYBODY, circuit_tag, incident_tag, safeguard_tag
from governance.forms.safeguards import FUSE_WORDS, LIMIT_WORDS, CircuitForm, LimitsForm, ResolveForm
from governance.models import FUSE, LIMITS, Incident, SafeguardRule, SystemGuard
from governance.operations import CircuitChange, SafeguardChange
from governance.operations.safeguards import RIGHT
from observability import ledger
from observability.ledger import database_now
from observability.models import Event

CHANGES = 20
CHANGED = ("safeguard.set", "safeguard.dropped", "circuit.set")


class SafeguardsPage(LoginRequiredMixin, View):
    """The limits in force and the circuit breakers of the systems that a person may see."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        rules = list(SafeguardRule.objects.exclude(role="").select_related("changed_by"))
        names = dict(Role.objects.values_list("code", "name"))
        held = [operations.limits_for(""), *(rule.limits for rule in rules)]
        rows = [(label, hint, [getattr(each, name) for each in held]) for name, (label, hint) in LIMIT_WORDS.items()]
        own = [(rule.role, names.get(rule.role, rule.role)) for rule in rules]
        page = {
            "columns": [(EVERYBODY, "All other roles"), *own],
            "rows": rows, "circuits": _circuits(user), "may": user.may(RIGHT), "here": "safeguards",
            "roles": [(code, name) for code, name in names.items() if code not in dict(own)],
            "events": Event.objects.visible_to(user).filter(verb__in=CHANGED).order_by("-id")[:CHANGES],
        }  # fmt: skip
        return render(request, "governance/safeguards.html", page)


def _circuits(user: Principal) -> list[dict[str, Any]]:
    systems = list(System.objects.visible_to(user).select_related("unit"))
    guards = {guard.system_id: guard for guard in SystemGuard.objects.filter(system__in=systems)}
    open_ones = Incident.objects.open().filter(kind=Incident.Kind.CIRCUIT, system__in=systems)
    incidents = dict(open_ones.values_list("system", "uid"))
    return [
        {"system": each, "guard": guards.get(each.pk) or SystemGuard(system=each), "incident": incidents.get(each.pk)}
        for each in systems
    ]


class LimitsPage(LoginRequiredMixin, View):
    """The limits of one role, or of all others, to change."""

    def get(self, request: HttpRequest, role: str) -> HttpResponse:
        require(person(request), RIGHT)
        code = _code(role)
        rule = SafeguardRule.objects.filter(role=code).first()
        limits = operations.limits_for(code)
        held = {name: getattr(limits, name) for name in LIMITS}
        return self.shown(request, code, rule, LimitsForm(initial={**held, "tag": safeguard_tag(code, rule)}))

    def post(self, request: HttpRequest, role: str) -> HttpResponse:
        user, form = person(request), LimitsForm(request.POST)
        require(user, RIGHT)
        code = _code(role)
        rule = SafeguardRule.objects.filter(role=code).first()
        if not form.is_valid():
            return self.shown(request, code, rule, form, 400)
        require_recent(request)
        with transaction.atomic():
            _require_unchanged(form.cleaned_data["tag"], safeguard_tag(code, operations.lock_safeguards(code)))
            change = SafeguardChange(code, form.limits)
            operations.set_safeguards(change, by=user, at=database_now(), why=form.cleaned_data["why"])
        messages.success(request, "The new limits hold from the next question on.")
        return redirect("incidents-safeguards")

    def shown(
        self, request: HttpRequest, code: str, rule: SafeguardRule | None, form: LimitsForm, status: int = 200
    ) -> HttpResponse:
        """The form as it stands or as it was refused."""
        name = Role.objects.get(code=code).name if code else "all other roles"
        page = {"form": form, "role": code or EVERYBODY, "name": name, "rule": rule, "here": "safeguards"}
        page["tag"] = safeguard_tag(code, rule)
        return render(request, "governance/safeguard_limits.html", page, status=status)


class DropLimits(LoginRequiredMixin, View):
    """Let the limits of a role hold no more."""

    def post(self, request: HttpRequest, role: str) -> HttpResponse:
        user = person(request)
        require(user, RIGHT)
        code = _code(role)
        require_recent(request)
        with transaction.atomic():
            rule = operations.lock_safeguards(code)
            if rule is None:
                raise ledger.WrongStatus("No limits of their own were set here.")
            _require_unchanged(request.POST.get("tag", ""), safeguard_tag(code, rule))
            operations.drop_safeguards(rule, by=user, at=database_now(), why=request.POST.get("why", ""))
        messages.success(request, "They hold no more. What holds for all other roles, or as usual, holds instead.")
        return redirect("incidents-safeguards")


class CircuitPage(LoginRequiredMixin, View):
    """The circuit breaker of one system: its state, its settings, and letting calls through again."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        system = _system(user, code)
        guard = SystemGuard.objects.filter(system=system).first() or SystemGuard(system=system)
        held = {name: getattr(guard, name) for name in (*FUSE, "is_untrusted")}
        return self.shown(request, system, guard, CircuitForm(initial={**held, "tag": circuit_tag(guard)}))

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user, form = person(request), CircuitForm(request.POST)
        system = _system(user, code)
        require(user, RIGHT)
        if not form.is_valid():
            guard = SystemGuard.objects.filter(system=system).first() or SystemGuard(system=system)
            return self.shown(request, system, guard, form, 400)
        require_recent(request)
        with transaction.atomic():
            _require_unchanged(form.cleaned_data["tag"], circuit_tag(operations.lock_circuit(system)))
            change = CircuitChange(system, form.fuse, is_untrusted=form.cleaned_data["is_untrusted"])
            operations.set_circuit(change, by=user, at=database_now(), why=form.cleaned_data["why"])
        messages.success(request, f"{system}: the new settings hold from the next report on.")
        return redirect("incidents-circuit", system.code)

    def shown(
        self, request: HttpRequest, system: System, guard: SystemGuard, form: CircuitForm, status: int = 200
    ) -> HttpResponse:
        """The page as it stands, with the form as it was refused if it was."""
        user = person(request)
        open_ones = Incident.objects.open().filter(kind=Incident.Kind.CIRCUIT, system=system).with_names()
        incident, told = open_ones.first(), Event.objects.filter(subject_kind="circuit", subject_id=system.code)
        past = Incident.objects.resolved().visible_to(user).filter(system=system).with_names()
        tag = incident_tag(incident) if incident is not None else ""
        page = {
            "system": system, "guard": guard, "form": form, "incident": incident, "may_set": user.may(RIGHT),
            "may_resolve": incident is not None and operations.may_resolve(user, incident), "here": "safeguards",
            "settings": [(label, getattr(guard, name)) for name, (label, _) in FUSE_WORDS.items()],
            "release_form": ResolveForm(initial={"tag": tag}, auto_id="release-%s"), "past": past[:5],
            "events": told.visible_to(user).order_by("-id")[:CHANGES],
        }  # fmt: skip
        return render(request, "governance/circuit.html", page, status=status)


def _require_unchanged(tag: str, now: str) -> None:
    if tag != now:
        raise ledger.TooLate("Somebody changed these settings meanwhile. Look at them again.")


def _code(role: str) -> str:
    if role == EVERYBODY:
        return ""
    if not Role.objects.filter(code=role).exists():
        raise ledger.NotFound
    return role


def _system(user: Principal, code: str) -> System:
    found: System | None = System.objects.visible_to(user).select_related("unit").filter(code=code).first()
    if found is None:
        raise ledger.NotFound
    return found
