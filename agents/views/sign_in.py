"""Sign in and out, and one's own password."""

from typing import Any

from django.conf import settings
from django.contrib.auth import views as django_views
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.views.generic import TemplateView

from agents.forms import PasswordForm


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
