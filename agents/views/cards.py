"""The pages about cards of agents elsewhere: which are pinned, pin one by its file, accept or withdraw what changed."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents import operations
from agents.forms import CardForm
from agents.models import ForeignCard, Principal
from agents.rules.cards import differences
from agents.views.who import person
from observability import ledger
from observability.ledger import database_now

LISTED = 200


def visible_cards(user: Principal) -> Any:
    """The foreign cards that this person may see."""
    return ForeignCard.objects.visible_to(user).select_related("unit", "pinned_by")


def visible_card(user: Principal, uid: UUID) -> ForeignCard:
    """One of them; not found otherwise."""
    card: ForeignCard | None = visible_cards(user).filter(uid=uid).first()
    if card is None:
        raise ledger.NotFound
    return card


class CardsPage(LoginRequiredMixin, View):
    """The cards that a person may see, and the form to pin one."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _listed(request, CardForm(person=person(request)))

    def post(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        form = CardForm(request.POST, request.FILES, person=user)
        if not form.may_pin:
            raise ledger.NotAllowed
        if form.is_valid():
            try:
                card = operations.import_card(
                    form.cleaned_data["card"], unit=form.cleaned_data["unit"], by=user, at=database_now()
                )
            except ledger.Invalid as wrong:
                form.add_error("card", wrong.detail)
            else:
                _tell(request, card)
                return redirect("agent-cards-one", card.uid)
        return _listed(request, form, status=400)


def _listed(request: HttpRequest, form: CardForm, *, status: int = 200) -> HttpResponse:
    user = person(request)
    shown = {"cards": visible_cards(user)[:LISTED], "form": form, "here": "cards"}
    return render(request, "agents/cards.html", shown, status=status)


def _tell(request: HttpRequest, card: ForeignCard) -> None:
    if card.status == ForeignCard.Status.DRIFTED:
        messages.warning(
            request, f"The card of {card} is not as it was pinned. Read what changed before you accept it."
        )
    else:
        messages.success(request, f"The card of {card} is pinned.")


class CardPage(LoginRequiredMixin, View):
    """One card: what it says, who pinned it, and what changed since."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        card = visible_card(user, uid)
        changes = [] if card.seen is None else differences(card.card, card.seen)
        shown = {"card": card, "changes": changes, "may_accept": user.may("agents.change_agent", card.unit)}
        return render(request, "agents/card.html", shown)


class AcceptCard(LoginRequiredMixin, View):
    """Pin the card as it is now."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, given = person(request), request.POST
        card = visible_card(user, uid)
        operations.accept_card(
            card, sha256=given.get("sha256", ""), why=given.get("why", ""), by=user, at=database_now()
        )
        messages.success(request, f"The card of {card} is pinned as it is now.")
        return redirect("agent-cards-one", card.uid)


class WithdrawCard(LoginRequiredMixin, View):
    """Trust the card no longer."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        card = visible_card(user, uid)
        operations.withdraw_card(card, why=request.POST.get("why", ""), by=user, at=database_now())
        messages.success(request, f"The card of {card} is withdrawn.")
        return redirect("agent-cards-one", card.uid)
