"""Sign in and out, and one's own password."""

import hashlib
from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.internal.flows.logout import logout
from allauth.account.models import Login
from django.conf import settings
from django.contrib.auth import views as django_views
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.generic import TemplateView

from agents.api.limits import by_address
from agents.forms import PasswordForm, SignInForm
from agents.operations import signing_in
from agents.views.adapters import record_failure
from agents.views.sessions import keep_session
from agents.views.who import address_of, person
from observability.ledger import database_now


@method_decorator(by_address("sign-in"), name="dispatch")
class SignIn(django_views.LoginView):
    """Sign in with name and password, then with the second factor of those who have one."""

    template_name = "agents/sign_in.html"
    form_class = SignInForm
    redirect_authenticated_user = True
    extra_context = {"sso": settings.OIDC}

    def form_valid(self, form: Any) -> HttpResponse:
        """Go on to the second factor, or in."""
        login = Login(user=form.get_user(), redirect_url=self.get_success_url())
        return perform_password_login(self.request, {}, login)

    def form_invalid(self, form: Any) -> HttpResponse:
        """Say the same to everybody, and note it."""
        if "username" in form.cleaned_data and "password" in form.cleaned_data:
            record_failure(self.request, signing_in.named(form.cleaned_data["username"]), method="password")
        return super().form_invalid(form)

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """With the button of single sign-on where there is one."""
        return super().get_context_data(**more) | {"sso": settings.OIDC}


def locked_out(request: HttpRequest, response: Any, credentials: Any) -> HttpResponse:
    """What is said to a name and address with too many wrong passwords, whether there is such a person or not."""
    _note_lock_out(request, str((credentials or {}).get("username", "")))
    page = render(request, "agents/locked_out.html", status=429)
    page["Retry-After"] = str(int(settings.AXES_COOLOFF_TIME.total_seconds()))
    return page


def _note_lock_out(request: HttpRequest, username: str) -> None:
    # Once for each lock: whoever goes on knocking must not fill the ledger.
    address = address_of(request)
    lock = hashlib.sha256(f"{username}\0{address}".encode()).hexdigest()
    if cache.add(f"locked-out:{lock}", True, timeout=settings.AXES_COOLOFF_TIME.total_seconds()):
        signing_in.record_lock_out(signing_in.named(username), at=database_now(), address=address)


class SignOut(django_views.LogoutView):
    """Sign out; only by POST."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """End the session, also one that waits for its second factor."""
        logout(request, show_message=False)
        return redirect(self.get_success_url())


class SignedOut(TemplateView):
    """What is shown after signing out."""

    template_name = "agents/signed_out.html"


class PasswordChange(LoginRequiredMixin, django_views.PasswordChangeView):
    """Change one's own password."""

    template_name = "agents/password_change.html"
    form_class = PasswordForm
    success_url = reverse_lazy("password-changed")

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep the new password, and end all sessions but this one."""
        form.save()
        user = person(self.request)
        signing_in.change_password(user, at=database_now(), keep=self.request.session.session_key or "")
        keep_session(self.request, user)
        return redirect(self.get_success_url())


class PasswordChanged(LoginRequiredMixin, TemplateView):
    """The password was changed."""

    template_name = "agents/password_changed.html"
