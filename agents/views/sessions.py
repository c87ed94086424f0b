"""One's own sessions: where one is signed in, and the end of any of them."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents import operations
from agents.models import Principal
from agents.views.who import person
from observability.ledger import database_now

BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


class SessionsPage(LoginRequiredMixin, View):
    """Where one is signed in; POST ends one session (`key`), or all others."""

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = sessions_of(person(request), current=request.session.session_key or "")
        return render(request, "usersessions/usersession_list.html", {"rows": rows})

    def post(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        pk = request.POST.get("session", "")
        if pk:
            row = UserSession.objects.filter(user_id=user.pk, pk=pk).first() if pk.isdecimal() else None
            operations.end_session(row.session_key if row else "", by=user, at=at)
            messages.success(request, "The session has ended.")
            return redirect("usersessions_list")
        ended = operations.end_other_sessions(user, at=at, keep=request.session.session_key or "")
        keep_session(request, user)
        messages.success(request, f"You are signed out everywhere else ({ended} session{'' if ended == 1 else 's'}).")
        return redirect("usersessions_list")


def sessions_of(user: Principal, *, current: str) -> list[dict[str, Any]]:
    """The sessions of a person that still go on, the newest first."""
    live = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=Now())
    going_on = UserSession.objects.filter(Exists(live), user_id=user.pk).order_by("-created_at")
    return [
        {
            "pk": row.pk, "began_at": row.created_at, "address": row.ip, "device": device_of(row.user_agent),
            "is_current": row.session_key == current,
        }
        for row in going_on
    ]  # fmt: skip


def keep_session(request: HttpRequest, user: Principal) -> None:
    """Let this session go on after all sessions of its person ended; it gets another key."""
    before = request.session.session_key
    user.refresh_from_db()
    update_session_auth_hash(request, user)
    UserSession.objects.filter(user_id=user.pk, session_key=before).update(session_key=request.session.session_key)


def device_of(agent: str) -> str:
    """A browser and its system in words: Firefox on Windows."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "A browser")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return f"{browser} on {system}" if system else browser
