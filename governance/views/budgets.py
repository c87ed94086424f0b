"""The pages about budgets: how far each is used, the rows behind the numbers, and who set the limits when."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import transaction
from django.db.models import Q, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views import View

from agents.models import Agent, Principal, Unit
from agents.views import person, require_recent
from governance import operations
from governance.forms.budgets import BudgetForm, BudgetLine, LimitsForm
from governance.models import Budget, EscalationPath, Reservation
from governance.operations import BudgetTerms, Limits
from observability import ledger
from observability.ledger import database_now
from observability.models import Event

ROWS, DAYS, CHANGES, MOST = 50, 14, 30, 200
FILTERS = ("scope", "metric", "status")


class BudgetsPage(LoginRequiredMixin, View):
    """The budgets that a person may see, with how far each is used."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        wanted = {name: request.GET.get(name, "") for name in FILTERS}
        found = Budget.objects.visible_to(user).with_names()
        found = found.filter(**{name: value for name, value in wanted.items() if value})
        if not wanted["status"]:
            found = found.active()
        budgets = list(found[: MOST + 1])
        rows = operations.standing(budgets, at=at)
        page = {
            "rows": [BudgetLine(each, rows.get(each.pk), at) for each in budgets[:MOST]], "wanted": wanted,
            "filtered": any(wanted.values()), "more": len(budgets) > MOST, "may_add": operations.may_change(user),
            "scopes": Budget.Scope.choices, "metrics": Budget.Metric.choices, "states": Budget.Status.choices,
        }  # fmt: skip
        return render(request, "governance/budgets.html", page)


class BudgetPage(LoginRequiredMixin, View):
    """One budget: its meter, the reservations and spends behind it, by day, and its history."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, at = person(request), database_now()
        budget = _visible(user, uid)
        behind = Reservation.objects.filter(period__budget=budget)
        seen = behind.filter(Q(agent=None) | Q(agent__in=Agent.objects.visible_to(user))).with_names()
        before = request.GET.get("before", "")
        shown = list((seen.filter(pk__lt=int(before)) if before.isdecimal() and len(before) < 19 else seen)[: ROWS + 1])
        events = Event.objects.filter(subject_kind="budget", subject_id=str(budget.uid)).visible_to(user)
        page = {
            "line": BudgetLine(budget, operations.standing([budget], at=at).get(budget.pk), at), "budget": budget,
            "behind": [(each, budget.say(each.counts), budget.say(each.amount)) for each in shown[:ROWS]],
            "older": shown[ROWS - 1].pk if len(shown) > ROWS else None, "hidden": behind.count() - seen.count(),
            "days": _days(budget), "events": events.order_by("-id")[:CHANGES],
            "may": budget.is_active and operations.may_change(user, budget.unit),
        }  # fmt: skip
        return render(request, "governance/budget.html", page)


class NewBudget(LoginRequiredMixin, View):
    """A new budget."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.shown(request, self.form(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        user, form = person(request), self.form(request, request.POST)
        if not form.is_valid():
            return self.shown(request, form, 400)
        asked = {name: value for name, value in form.cleaned_data.items() if name != "edition"}
        unit = Unit.objects.visible_to(user).filter(code=asked["unit"]).first()
        terms = BudgetTerms(**{**asked, "unit": unit, "path": _path(user, asked["path"])})
        try:
            made = operations.open_budget(terms, by=user, at=database_now())
        except ledger.Invalid as wrong:
            _tell(form, wrong)
            return self.shown(request, form, 400)
        messages.success(request, f"{made.name} binds from the next question on.")
        return redirect("budget", made.uid)

    def form(self, request: HttpRequest, *given: Any) -> BudgetForm:
        """The form with the units and paths that this person may name."""
        user = person(request)
        if not operations.may_change(user):
            raise ledger.NotAllowed("Only those who manage a unit set budgets.")
        units = [(each.code, str(each)) for each in Unit.objects.visible_to(user) if operations.may_change(user, each)]
        return BudgetForm(*given, units=units, paths=_paths(user))

    def shown(self, request: HttpRequest, form: BudgetForm, status: int = 200) -> HttpResponse:
        """The empty or the refused form."""
        return render(request, "governance/budget_new.html", {"form": form}, status=status)


class EditBudget(LoginRequiredMixin, View):
    """Other limits."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        budget = _changeable(user, uid)
        held: dict[str, Any] = {
            "name": budget.name,
            "hard_limit": _plain(budget.hard_limit),
            "soft_limit": _plain(budget.soft_limit),
        }
        held |= {"path": budget.path.key if budget.path else "", "edition": budget.edition}
        return self.shown(request, budget, LimitsForm(initial=held, paths=_paths(user)))

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        budget, form = _changeable(user, uid), LimitsForm(request.POST, paths=_paths(user))
        if not form.is_valid():
            return self.shown(request, budget, form, 400)
        try:
            self.change(request, budget, form.cleaned_data)
        except ledger.Invalid as wrong:
            _tell(form, wrong)
            return self.shown(request, budget, form, 400)
        messages.success(request, f"{budget.name}: the new limits bind from the next question on.")
        return redirect("budget", budget.uid)

    @transaction.atomic
    def change(self, request: HttpRequest, budget: Budget, asked: dict[str, Any]) -> None:
        """Change it, unless somebody else did since the form was opened; raising needs a recent sign-in."""
        user = person(request)
        operations.lock_budget(budget)
        if asked["edition"] != budget.edition:
            raise ledger.Invalid("Somebody changed this budget meanwhile; look at it again. Nothing was saved.")
        limits = Limits(asked["name"], asked["hard_limit"], asked["soft_limit"], _path(user, asked["path"]))
        if operations.raises(budget, limits):
            require_recent(request)
        operations.change_budget(budget, limits, by=user, at=database_now(), why=asked["why"])

    def shown(self, request: HttpRequest, budget: Budget, form: LimitsForm, status: int = 200) -> HttpResponse:
        """The form as it stands or as it was refused."""
        return render(request, "governance/budget_edit.html", {"form": form, "budget": budget}, status=status)


class CloseBudget(LoginRequiredMixin, View):
    """Let a budget bind nothing any more."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        budget = _visible(user, uid)
        require_recent(request)
        operations.close_budget(budget, by=user, at=database_now(), why=request.POST.get("why", ""))
        messages.success(request, f"{budget.name} is closed and binds nothing any more.")
        return redirect("budget", budget.uid)


def _visible(user: Principal, uid: UUID) -> Budget:
    found = Budget.objects.visible_to(user).with_names().filter(uid=uid).first()
    if found is None:
        raise ledger.NotFound
    return found


def _changeable(user: Principal, uid: UUID) -> Budget:
    budget = _visible(user, uid)
    if not operations.may_change(user, budget.unit):
        raise ledger.NotAllowed("Only those who manage the unit change its budgets.")
    return budget


def _paths(user: Principal) -> list[tuple[str, str]]:
    return [(each.key, str(each)) for each in EscalationPath.objects.visible_to(user)]


def _path(user: Principal, key: str) -> EscalationPath | None:
    return EscalationPath.objects.visible_to(user).filter(key=key).first() if key else None


def _plain(amount: Any) -> str:
    return "" if amount is None else f"{amount:.2f}" if amount == round(amount, 2) else f"{amount:f}"


def _days(budget: Budget) -> list[dict[str, Any]]:
    rows = Reservation.objects.filter(period__budget=budget).order_by()
    day = TruncDate("created_at", tzinfo=timezone.get_default_timezone())
    held = Sum("amount", filter=Q(status=Reservation.Status.HELD))
    found = rows.values(day=day).annotate(spent=Sum("settled_amount"), held=held).order_by("-day")[:DAYS]
    return [
        {"day": each["day"], "spent": budget.say(each["spent"] or Decimal(0)), "held": budget.say(each["held"])}
        for each in found
    ]  # fmt: skip


def _tell(form: LimitsForm, wrong: ledger.Invalid) -> None:
    fields = getattr(wrong, "fields", None) or {}
    for name, words in fields.items():
        form.add_error(name if name in form.fields else None, words)
    if not fields:
        form.add_error(None, wrong.detail)
