"""The pages about planted cases: those there are, a new one, and what somebody is told who answered one."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents.models import Principal
from agents.views import person
from governance.forms.planted import PlantForm
from governance.models import Escalation, PlantedCase
from governance.operations import learning
from observability import ledger
from observability.ledger import database_now

ROWS = 100
PATTERNS = 20


def planter(request: HttpRequest) -> Principal:
    """The person, if they may plant cases; else there is no such page."""
    user = person(request)
    if not learning.may_plant(user):
        raise ledger.NotFound
    return user


class PlantedPage(LoginRequiredMixin, View):
    """The planted cases, and the answered questions that a new one can look like."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = planter(request)
        cases = PlantedCase.objects.visible_to(user).select_related("policy", "planted_by", "escalation__settled_by")
        decided = Escalation.objects.visible_to(user).decided().exclude(agent=None).exclude(policy="")
        page = {"cases": cases[:ROWS], "patterns": decided.select_related("agent").order_by("-settled_at")[:PATTERNS]}
        return render(request, "governance/planted.html", page)


class NewPlantedPage(LoginRequiredMixin, View):
    """A new case, filled in like an answered question."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        like = learning.pattern(planter(request), uid)
        return self.shown(request, like, PlantForm.like(like))

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = planter(request)
        like, form = learning.pattern(user, uid), PlantForm(request.POST)
        if not form.is_valid():
            return self.shown(request, like, form, 400)
        try:
            learning.plant(form.planted(like), by=user, at=database_now())
        except ledger.Invalid as wrong:
            for name, words in wrong.fields.items():
                form.add_error(name if name in form.fields else None, words)
            return self.shown(request, like, form, 400)
        messages.success(request, "The case is planted. It is asked at a moment that nobody knows.")
        return redirect("insights-planted")

    def shown(self, request: HttpRequest, like: Escalation, form: PlantForm, status: int = 200) -> HttpResponse:
        """The form beside its pattern."""
        return render(request, "governance/planted_new.html", {"form": form, "like": like}, status=status)


class WithdrawPlanted(LoginRequiredMixin, View):
    """Take a case back that nobody was asked yet."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = planter(request)
        case = PlantedCase.objects.visible_to(user).filter(uid=uid).first()
        if case is None:
            raise ledger.NotFound
        learning.withdraw_case(case, by=user, at=database_now())
        messages.success(request, "The case is taken back. Nobody is asked.")
        return redirect("insights-planted")


class SeenPlanted(LoginRequiredMixin, View):
    """Whoever answered has read that the case was planted."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        learning.mark_told(uid, by=person(request), at=database_now())
        return redirect("escalations")
