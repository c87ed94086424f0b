"""What reuse saved, by space and by day; and what an author put into shared memory, taken away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents.models import Agent, Principal
from agents.views import person, require_recent
from observability import ledger
from observability.ledger import database_now
from workflows import memory
from workflows.forms import reason_in
from workflows.memory import Reuse
from workflows.models import Fact, Space
from workflows.models.memory import KNOWN_AT_MOST, FewKept

DAYS = 30
HEIGHT, WIDTH, GAP = 96, 20, 4


@dataclass
class Day:
    """What was reused on one day, with its bar in the picture."""

    day: date
    reuse: Reuse
    place: int = 0
    height: int = 0

    @property
    def top(self) -> int:
        """Where the bar begins."""
        return HEIGHT - self.height


class ReusePage(LoginRequiredMixin, View):
    """How often facts were reused, and what that saved."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, today = person(request), memory.day_of(database_now())
        spaces = list(Space.objects.visible_to(user).select_related("unit").annotate(known=FewKept()))
        found = memory.reuses(spaces, today - timedelta(days=DAYS - 1))
        total, days = Reuse(), _by_day(found.by_day, today)
        for each in found.by_space.values():
            total.add(each.uses, each.seconds, each.cost)
        page = {
            "rows": [{"space": each, "reuse": found.by_space[each.pk]} for each in spaces], "days": days,
            "width": DAYS * (WIDTH + GAP), "height": HEIGHT, "bar": WIDTH, "total": total, "period": DAYS,
            "lately": sum(day.reuse.uses for day in days), "is_behind": found.is_behind, "at_most": KNOWN_AT_MOST,
        }  # fmt: skip
        return render(request, "workflows/memory_reuse.html", page)


def _by_day(counted: Mapping[date, Reuse], today: date) -> list[Day]:
    dates = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    days = [Day(each, counted.get(each, Reuse()), number * (WIDTH + GAP)) for number, each in enumerate(dates)]
    most = max(day.reuse.uses for day in days)
    for day in days:
        day.height = max(2, day.reuse.uses * HEIGHT // most) if day.reuse.uses else 0
    return days


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
        not_purged = Fact.objects.filter(author=OuterRef("pk"), purged_at=None)
        page = {
            "authors": Agent.objects.visible_to(user).filter(Exists(not_purged)).order_by("code"),
            "author": author, "own": own, "derived": derived, "wrong": wrong, "why": request.POST.get("why", "")[:2000],
        }  # fmt: skip
        return render(request, "workflows/memory_purge.html", page, status=status)


def _author(user: Principal, code: str) -> Agent | None:
    found: Agent | None = Agent.objects.visible_to(user).filter(code=code[:20]).first() if code else None
    return found
