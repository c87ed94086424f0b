"""What reuse saved, by space and by day; and what an author put into shared memory, taken away."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Count, F, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views import View

from agents.models import Agent, Principal
from agents.views import person, require_recent
from observability import ledger
from observability.ledger import database_now
from observability.models import Event
from workflows import memory
from workflows.forms import reason_in
from workflows.models import Space

DAYS = 30
EVENTS_AT_MOST = 50_000
HEIGHT, WIDTH, GAP = 96, 20, 4


@dataclass
class Day:
    """What was reused on one day, with its bar in the picture."""

    day: date
    uses: int = 0
    seconds: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    place: int = 0
    height: int = 0

    @property
    def top(self) -> int:
        """Where the bar begins."""
        return HEIGHT - self.height


class ReusePage(LoginRequiredMixin, View):
    """How often facts were reused, and what that saved."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        days, rows = _by_day(user, at), _by_space(user)
        page = {
            "rows": rows, "days": days, "width": DAYS * (WIDTH + GAP), "height": HEIGHT, "bar": WIDTH,
            "uses": sum(row["uses"] or 0 for row in rows), "period": DAYS,
            "seconds": sum((row["saved_seconds"] or Decimal(0) for row in rows), Decimal(0)),
            "cost": sum((row["saved_cost"] or Decimal(0) for row in rows), Decimal(0)),
            "lately": sum(day.uses for day in days), "cut": sum(day.uses for day in days) >= EVENTS_AT_MOST,
        }  # fmt: skip
        return render(request, "workflows/memory_reuse.html", page)


def _by_space(user: Principal) -> list[dict[str, Any]]:
    current = Q(facts__superseded_at=None, facts__invalidated_at=None)
    rows = Space.objects.visible_to(user).select_related("unit").annotate(
        known=Count("facts", filter=current), uses=Sum("facts__reused"),
        saved_seconds=Sum(F("facts__seconds") * F("facts__reused")),
        saved_cost=Sum(F("facts__cost") * F("facts__reused")),
    )  # fmt: skip
    return [
        {"space": row, "known": row.known, "uses": row.uses, "saved_seconds": row.saved_seconds,
         "saved_cost": row.saved_cost}
        for row in rows
    ]  # fmt: skip


def _by_day(user: Principal, at: datetime) -> list[Day]:
    today = timezone.localdate(at)
    days = {today - timedelta(days=ago): Day(today - timedelta(days=ago)) for ago in reversed(range(DAYS))}
    reused = Event.objects.visible_to(user).filter(verb="fact.reused", at__gte=at - timedelta(days=DAYS))
    counted: dict[date, Day] = defaultdict(lambda: Day(today), days)
    for moment, data in reused.order_by("-id").values_list("at", "data")[:EVENTS_AT_MOST]:
        day = counted[timezone.localdate(moment)]
        day.uses += 1
        day.seconds += Decimal(data.get("saved_seconds", "0"))
        day.cost += Decimal(data.get("saved_cost", "0"))
    most = max((day.uses for day in days.values()), default=0)
    for number, day in enumerate(days.values()):
        day.place = number * (WIDTH + GAP)
        day.height = max(2, day.uses * HEIGHT // most) if day.uses else 0
    return list(days.values())


class PurgePage(LoginRequiredMixin, View):
    """Take away what an author put into shared memory, once it is seen what that is."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.shown(request, request.GET.get("agent", ""))

    def post(self, request: HttpRequest) -> HttpResponse:
        user = self.curator(request)
        author = _author(user, request.POST.get("agent", ""))
        if author is None:
            return self.shown(request, "", wrong="Choose whose facts are purged.", status=400)
        require_recent(request)
        try:
            purged = memory.purge(author, by=user, at=database_now(), why=reason_in(request.POST))
        except (ledger.Invalid, ledger.WrongStatus) as refused:
            wrong = refused.fields.get("why", refused.detail)
            return self.shown(request, author.code, wrong=wrong, status=refused.status)
        total = purged.own + purged.derived
        said = f"Purged {total} fact{'' if total == 1 else 's'}. Certificate: {purged.certificate[:16]}…"
        messages.success(request, said)
        return redirect("memory")

    def curator(self, request: HttpRequest) -> Principal:
        """The person, who may purge. Raises NotAllowed."""
        user = person(request)
        if not memory.may_purge(user):
            raise ledger.NotAllowed("Only the council purges shared memory.")
        return user

    def shown(self, request: HttpRequest, code: str, *, wrong: str = "", status: int = 200) -> HttpResponse:
        """The form, with what it would end for the agent that is chosen."""
        user = self.curator(request)
        author = _author(user, code)
        own, derived = memory.purge_if(author) if author is not None else (0, 0)
        page = {
            "authors": Agent.objects.visible_to(user).filter(facts__purged_at=None, facts__isnull=False)
            .distinct().order_by("code"),
            "author": author, "own": own, "derived": derived, "wrong": wrong, "why": request.POST.get("why", "")[:2000],
        }  # fmt: skip
        return render(request, "workflows/memory_purge.html", page, status=status)


def _author(user: Principal, code: str) -> Agent | None:
    found: Agent | None = Agent.objects.visible_to(user).filter(code=code[:20]).first() if code else None
    return found
