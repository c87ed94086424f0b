"""The page on which a person lets an agent act for the person, for minutes, and takes that back."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents import operations
from agents.forms import ConsentForm
from agents.models import Consent
from agents.rules import SCOPES
from agents.views.who import person
from observability import ledger
from observability.ledger import database_now

LATEST = 20


class Consents(LoginRequiredMixin, View):
    """Let an agent act for me; what it exchanges is shown once."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _shown(request, ConsentForm(person=person(request)))

    def post(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        form = ConsentForm(request.POST, person=user)
        if not form.is_valid():
            return _shown(request, form, status=400)
        given = dict(form.cleaned_data)
        consent, text = operations.give_consent(given.pop("agent"), by=user, at=database_now(), **given)
        return _shown(request, ConsentForm(person=user), new=consent, text=text)


def _shown(
    request: HttpRequest, form: ConsentForm, *, new: Consent | None = None, text: str = "", status: int = 200
) -> HttpResponse:
    at = database_now()
    given = Consent.objects.filter(person=person(request)).select_related("agent")[:LATEST]
    rows = [{"consent": each, "state": each.status if each.open_at(at) else _ended(each)} for each in given]
    shown = {"form": form, "rows": rows, "new": new, "text": text, "scopes": SCOPES.items()}
    answer = render(request, "agents/consents.html", shown, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


def _ended(consent: Consent) -> str:
    return "withdrawn" if consent.status == Consent.Status.WITHDRAWN else "expired"


class WithdrawConsent(LoginRequiredMixin, View):
    """Let an agent act for me no longer."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        consent = Consent.objects.filter(person=user, uid=uid).select_related("agent", "person").first()
        if consent is None:
            raise ledger.NotFound
        operations.withdraw_consent(consent, by=user, at=database_now())
        messages.success(request, f"{consent.agent} acts for you no longer.")
        return redirect("settings-agents")
