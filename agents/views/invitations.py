"""An invited person sets a password: the one page that nobody has to be signed in for, but for the sign-in itself."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from agents import operations
from agents.forms import InvitationForm
from observability import ledger
from observability.ledger import database_now


@method_decorator(never_cache, name="dispatch")
class AcceptInvitation(View):
    """Choose a password with the link that one was given."""

    def get(self, request: HttpRequest, who: str, token: str) -> HttpResponse:
        return self.shown(request, operations.invited(who, token), InvitationForm())

    def post(self, request: HttpRequest, who: str, token: str) -> HttpResponse:
        form = InvitationForm(request.POST)
        person = operations.invited(who, token)
        if not form.is_valid():
            return self.shown(request, person, form, status=400)
        try:
            operations.accept_invitation(who, token, password=form.cleaned_data["password"], at=database_now())
        except ledger.Invalid as wrong:
            form.add_error("password", wrong.fields.get("password", wrong.detail))
            return self.shown(request, person, form, status=400)
        messages.success(request, "Your password is set. Sign in with it.")
        return redirect("sign-in")

    def shown(self, request: HttpRequest, person: Any, form: InvitationForm, *, status: int = 200) -> HttpResponse:
        """The page with its form."""
        return render(request, "agents/invitation.html", {"person": person, "form": form}, status=status)
