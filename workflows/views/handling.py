"""What a reviewer does with a question beside answering it: amend the request, ask the agent, hand it over."""

from collections.abc import Mapping
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from agents.models import Principal
from agents.views import person
from governance import operations as governance
from observability import ledger
from observability.ledger import database_now
from workflows import operations
from workflows.views.escalations import Choice, card_of, found, inbox, next_after


class HandlingDoor(LoginRequiredMixin, View):
    """One of these acts by a plain form: done, one stands at the card again, or at the next one when this one has left
    the list; refused, the card says why and keeps what was typed."""

    act_name, leaves = "", False

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, choice, to = person(request), Choice.of(request), reverse("escalation", args=[uid])
        if self.leaves:
            following = next_after(found(user, uid), user, choice, database_now())
            to = reverse("escalation", args=[following.uid]) if following else reverse("escalations")
        try:
            told = self.act(request, user, uid)
        except ledger.Refused as refused:
            ledger.record_refusal(refused, by=user)
            return self.again(request, user, uid, refused)
        messages.success(request, told)
        return HttpResponseRedirect(to + choice.query, status=303)

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        """After signing in again the browser comes here by GET: show the card."""
        return redirect(reverse("escalation", args=[uid]) + Choice.of(request).query)

    def act(self, request: HttpRequest, user: Principal, uid: UUID) -> str:
        """Do it, and say what was done."""
        raise NotImplementedError

    def again(self, request: HttpRequest, user: Principal, uid: UUID, refused: ledger.Refused) -> HttpResponse:
        """The card with what went wrong, and this form open with what was typed."""
        at = database_now()
        words = " ".join([refused.detail, *refused.fields.values()])
        told = {"wrong": words, "opened": True, "acting": self.act_name, "typed": request.POST}
        page = inbox(user, Choice.of(request), at) | card_of(found(user, uid), user, at) | told
        return render(request, "workflows/escalations.html", page, status=refused.status)


class AmendDoor(HandlingDoor):
    """Change the request within the bounds of the policy."""

    act_name = "amend"

    def act(self, request: HttpRequest, user: Principal, uid: UUID) -> str:
        known = {each["field"] for each in found(user, uid).amendable}
        values = {
            name: request.POST.get(f"value-{name}", "").strip() for name in known if f"value-{name}" in request.POST
        }
        amendment = governance.Amendment(
            _changed(values, found(user, uid).request.get("context", {})),
            request.POST.get("request_sha256", ""), request.POST.get("reason", "")[:4000],
        )  # fmt: skip
        operations.amend(uid, amendment, reviewer=user, at=database_now())
        return "Changed and decided again. Your answer is about the changed request from now on."


def _changed(values: Mapping[str, str], context: Mapping[str, object]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value != str(context.get(name))}


class AskDoor(HandlingDoor):
    """Put a question to the agent."""

    act_name = "ask"

    def act(self, request: HttpRequest, user: Principal, uid: UUID) -> str:
        operations.ask_agent(uid, request.POST.get("text", ""), reviewer=user, at=database_now())
        return "Asked. The answer appears on this card."


class HandOverDoor(HandlingDoor):
    """Have somebody else asked as well."""

    act_name, leaves = "hand-over", True

    def act(self, request: HttpRequest, user: Principal, uid: UUID) -> str:
        kind, _, name = request.POST.get("to", "").partition(":")
        to = governance.Receiver(
            Principal.objects.people().filter(username=name).first() if kind == "person" else None,
            Group.objects.filter(name=name).first() if kind == "role" else None,
        )
        handed = operations.hand_over(
            uid, to, note=request.POST.get("note", ""), reviewer=user, at=database_now()
        )  # fmt: skip
        return f"Handed over to {handed.receiver}: {handed.escalation.title}."
