"""Who looks at a question, who watches it, who put it aside: the small menu of the card and its forms."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views import View

from agents.models import Principal
from agents.views import person
from governance import operations as governance
from governance.models import Escalation, claim_lasts
from governance.rules.queueing import latest_return
from observability import ledger
from observability.ledger import database_now
from workflows.views.listing import Choice

MORNING = 8
SNOOZES = {
    "1h": "For 1 hour",
    "4h": "For 4 hours",
    "tomorrow": "Until tomorrow, 08:00",
    "monday": "Until Monday, 08:00",
}


@dataclass(frozen=True)
class Attention:
    """Who gives attention to one question, as `viewer` sees it at the time `at`."""

    escalation: Escalation
    viewer: Principal
    at: datetime
    is_asked: bool | None = None  # whether the viewer is asked, where that is known already

    @cached_property
    def looker(self) -> Principal | None:
        """Who looks at it now."""
        return self.escalation.looker(self.at)

    @property
    def is_mine(self) -> bool:
        """Whether the viewer looks at it."""
        return self.looker == self.viewer

    @property
    def until(self) -> datetime | None:
        """When it counts as left alone again."""
        since = self.escalation.claimed_at
        return since + claim_lasts() if self.looker is not None and since is not None else None

    @cached_property
    def may_look(self) -> bool:
        """Whether the viewer is one of those who are asked."""
        if self.is_asked is not None:
            return self.is_asked
        return self.escalation.is_open and governance.may_settle(self.viewer, self.escalation)

    @cached_property
    def others(self) -> list[Principal]:
        """Who else could look at it."""
        return [each for each in governance.asked_people(self.escalation) if each != self.viewer]

    @cached_property
    def watchers(self) -> list[Principal]:
        """Who watches it, by name."""
        return [each.person for each in self.escalation.watches.select_related("person").order_by("person__name")]

    @property
    def is_watched(self) -> bool:
        """Whether the viewer watches it."""
        return self.viewer in self.watchers

    @cached_property
    def aside_until(self) -> datetime | None:
        """Until when the viewer put it aside."""
        return governance.snoozed_until(self.escalation, self.viewer, self.at)

    @property
    def latest_return(self) -> datetime | None:
        """At the latest when it would come back; None where it is due too soon to be put aside."""
        latest = latest_return(self.escalation.due_at)
        return latest if latest > self.at else None

    @property
    def snoozes(self) -> list[tuple[str, str]]:
        """For how long it can be put aside."""
        return list(SNOOZES.items())


class LookDoor(LoginRequiredMixin, View):
    """One act of the menu, then the card again; what is refused is said on it."""

    act = ""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, at = person(request), database_now()
        try:
            with transaction.atomic():
                told = ACTS[self.act](request, locked(user, uid), user, at)
        except ledger.Refused as refused:
            if refused.status == ledger.NotFound.status:
                raise
            messages.error(request, " ".join((refused.detail, *refused.fields.values())))
        else:
            messages.success(request, told)
        return HttpResponseRedirect(back_to(request, uid), status=303)

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        """After signing in again the browser comes here by GET: show the card."""
        return redirect(back_to(request, uid))


class LooksFragment(LoginRequiredMixin, View):
    """Who looks at a question, as its line in the list says it."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        row = Escalation.objects.visible_to(person(request)).select_related("claimed_by").filter(uid=uid).first()
        if row is None:
            raise ledger.NotFound
        return render(request, "workflows/_escalation_looks.html", {"row": row, "at": database_now()})


def back_to(request: HttpRequest, uid: UUID) -> str:
    """The address of the card, in the list from which the reader came."""
    return reverse("escalation", args=[uid]) + Choice.of(request).query


def locked(user: Principal, uid: UUID) -> Escalation:
    """The question, held until the act is over. Raises NotFound for what this person may not see."""
    rows = Escalation.objects.visible_to(user).select_for_update(of=("self",))
    found = rows.select_related("asked", "claimed_by").filter(uid=uid).first()
    if found is None:
        raise ledger.NotFound
    return found


def _claim(request: HttpRequest, asked: Escalation, user: Principal, at: datetime) -> str:
    governance.claim_escalation(asked, by=user, at=at)
    return "The others read that you look at it."


def _release(request: HttpRequest, asked: Escalation, user: Principal, at: datetime) -> str:
    governance.release_escalation(asked, by=user, at=at)
    return "Nobody looks at it now."


def _assign(request: HttpRequest, asked: Escalation, user: Principal, at: datetime) -> str:
    to = Principal.objects.people().filter(username=request.POST.get("person", "")[:150]).first()
    if to is None:
        raise ledger.Invalid("Nothing was changed.", fields={"person": "This person is not asked to decide this."})
    governance.assign_escalation(asked, to=to, by=user, at=at)
    return f"{to} is shown as looking at it."


def _watch(request: HttpRequest, asked: Escalation, user: Principal, at: datetime) -> str:
    governance.watch_escalation(asked, by=user, at=at)
    return "You watch it."


def _unwatch(request: HttpRequest, asked: Escalation, user: Principal, at: datetime) -> str:
    governance.unwatch_escalation(asked, by=user, at=at)
    return "You no longer watch it."


def _snooze(request: HttpRequest, asked: Escalation, user: Principal, at: datetime) -> str:
    until = moment_of(request.POST.get("for", ""), at)
    back = timezone.localtime(governance.snooze_escalation(asked, until=until, by=user, at=at))
    return f"Put aside. It comes back on {back.day} {back:%b at %H:%M}."


def _wake(request: HttpRequest, asked: Escalation, user: Principal, at: datetime) -> str:
    governance.wake_escalation(asked, by=user, at=at)
    return "It waits for you again."


ACTS: dict[str, Callable[[HttpRequest, Escalation, Principal, datetime], str]] = {
    "claim": _claim, "release": _release, "assign": _assign, "watch": _watch, "unwatch": _unwatch,
    "snooze": _snooze, "wake": _wake,
}  # fmt: skip


def moment_of(name: str, at: datetime) -> datetime:
    """The moment that a choice of the menu means. Raises Invalid for another one."""
    if name in ("1h", "4h"):
        return at + timedelta(hours=int(name[0]))
    days = {"tomorrow": 1, "monday": 7 - timezone.localtime(at).weekday()}.get(name)
    if days is None:
        raise ledger.Invalid("Nothing was changed: choose for how long.")
    day = timezone.localtime(at) + timedelta(days=days)
    return day.replace(hour=MORNING, minute=0, second=0, microsecond=0)
