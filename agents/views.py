"""The people's door to identity: sign in and out, password, settings, the agents' pages."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as django_views
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views import View
from django.views.generic import TemplateView

from agents.forms import PasswordForm
from agents.models import Principal
from observability import ledger


def person(request: HttpRequest) -> Principal:
    """The signed-in person behind a request for a page."""
    if not isinstance(request.user, Principal):
        raise ledger.NotAllowed
    return request.user


class PeopleBackend(ModelBackend):
    """Lets active people in with their password; an agent's account never."""

    def user_can_authenticate(self, user: Any) -> bool:
        return isinstance(user, Principal) and user.is_person and user.is_active

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Everything held for all rows, directly or through a group."""
        if not user_obj.is_active or user_obj.is_superuser or obj is not None:
            return super().get_all_permissions(user_obj, obj)
        return user_obj.rights.everywhere


class SignIn(django_views.LoginView):
    """Sign in with name and password."""

    template_name = "agents/sign_in.html"
    redirect_authenticated_user = True


def locked_out(request: HttpRequest, response: Any, credentials: Any) -> HttpResponse:
    """What is said to a name and address with too many wrong passwords, whether there is such a person or not."""
    page = render(request, "agents/locked_out.html", status=429)
    page["Retry-After"] = str(int(settings.AXES_COOLOFF_TIME.total_seconds()))
    return page


class SignOut(django_views.LogoutView):
    """Sign out; only by POST."""


class SignedOut(TemplateView):
    """What is shown after signing out."""

    template_name = "agents/signed_out.html"


class PasswordChange(LoginRequiredMixin, django_views.PasswordChangeView):
    """Change one's own password."""

    template_name = "agents/password_change.html"
    form_class = PasswordForm
    success_url = reverse_lazy("password-changed")


class PasswordChanged(LoginRequiredMixin, TemplateView):
    """The password was changed."""

    template_name = "agents/password_changed.html"


class Settings(LoginRequiredMixin, View):
    """One's own settings: single-key shortcuts."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "agents/settings.html")

    def post(self, request: HttpRequest) -> HttpResponse:
        Principal.objects.filter(pk=person(request).pk).update(
            single_key_shortcuts="single_key_shortcuts" in request.POST
        )
        messages.success(request, "Your settings are saved.")
        return redirect("settings")
