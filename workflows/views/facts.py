"""The page of one fact: what it says, where it comes from, what came of it; people confirm it or find it wrong here."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents.models import Principal
from agents.views import person, require_recent
from observability import ledger
from observability.ledger import database_now
from observability.models import Event
from workflows import memory
from workflows.api.facts import file_answer
from workflows.forms import reason_in
from workflows.models import Fact, FactFile
from workflows.views.memory import said_in, shown_state, visible_fact

EVENTS_AT_MOST = 30


class FactPage(LoginRequiredMixin, View):
    """One fact with its provenance."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        return shown(request, visible_fact(person(request), uid))


def shown(request: HttpRequest, fact: Fact, *, wrong: str = "", act: str = "", status: int = 200) -> HttpResponse:
    """The page of the fact, with what was wrong with the form of `act`."""
    user, at = person(request), database_now()
    editions = [{"fact": each, "state": shown_state(each, at)} for each in memory.editions_of(fact, user)]
    page = {
        "fact": fact, "state": shown_state(fact, at), **said_in(fact, user), "editions": editions,
        "origins": memory.origins_of(fact, user), "derived": memory.derived_from(fact, user),
        "alike": memory.near_keys(fact, user), "events": _events(fact, user), "wrong": wrong, "act": act,
        "why": request.POST.get("why", "")[:2000], **_may(fact, user),
    }  # fmt: skip
    return render(request, "workflows/fact.html", page, status=status)


def _may(fact: Fact, user: Principal) -> dict[str, Any]:
    may = memory.may_curate(user, fact.space)
    ended = fact.invalidated_at is not None
    return {"may_confirm": may and fact.is_low and not ended and not fact.superseded_at, "may_end": may and not ended}


def _events(fact: Fact, user: Principal) -> list[Event]:
    told = Event.objects.visible_to(user).filter(subject_kind="fact", subject_id=str(fact.uid))
    return list(told.order_by("-id")[:EVENTS_AT_MOST])


class JudgeFact(LoginRequiredMixin, View):
    """What people say about a fact, with a reason."""

    act = ""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        fact = visible_fact(user, uid)
        require_recent(request)
        try:
            told = self.judge(fact, user, reason_in(request.POST))
        except ledger.Invalid as invalid:
            return shown(request, fact, wrong=invalid.fields.get("why", invalid.detail), act=self.act, status=400)
        messages.success(request, told)
        return redirect("memory-fact", fact.uid)

    def judge(self, fact: Fact, user: Principal, why: str) -> str:
        """Act, and say what was done."""
        raise NotImplementedError


class ConfirmFact(JudgeFact):
    """A second opinion."""

    act = "confirm"

    def judge(self, fact: Fact, user: Principal, why: str) -> str:
        memory.confirm(fact, by=user, at=database_now(), why=why)
        return "The fact is confirmed. Everybody who may read the space gets it from now on."


class InvalidateFact(JudgeFact):
    """It is wrong, and so is everything derived from it."""

    act = "invalidate"

    def judge(self, fact: Fact, user: Principal, why: str) -> str:
        ended = memory.invalidate(fact, by=user, at=database_now(), why=why)
        more = len(ended) - 1
        return f"The fact is found wrong{f', and {more} derived from it' if more else ''}. Nobody gets it any more."


class FactFileDoor(LoginRequiredMixin, View):
    """The file of a fact as a download."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        file = FactFile.objects.filter(fact=visible_fact(person(request), uid)).first()
        if file is None:
            raise ledger.NotFound
        return file_answer(file)
