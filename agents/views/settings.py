"""One's own settings."""

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents.models import Principal
from agents.views.who import person


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
