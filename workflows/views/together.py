"""Deciding questions together: each is listed before the answer, and each failure is told after it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views import View

from agents.models import Principal
from agents.views import person
from governance.models import Escalation
from governance.rules.queueing import HIGH_RISK
from observability import ledger
from observability.ledger import database_now
from workflows import operations
from workflows.forms import AnswerForm
from workflows.operations import TOGETHER_AT_MOST, Item, Outcome
from workflows.views.cards import readable
from workflows.views.listing import Choice, chosen, is_uid, urgent_first

PAGE = "workflows/escalations_together.html"
ANSWERS = (Escalation.Status.APPROVED, Escalation.Status.REJECTED)


class TogetherForm(AnswerForm):
    """One answer to all that are listed; a rejection says why."""

    request_sha256 = None  # type: ignore[assignment]  # each question has its own


@dataclass(frozen=True)
class Line:
    """One question as the confirmation lists it, and what became of it once it was answered."""

    escalation: Escalation
    refused: str = ""

    @property
    def amount(self) -> str:
        """The amount that is asked for, "" without one."""
        known = self.escalation.request.get("context") or {}
        amount, currency = str(known.get("amount", "")), str(known.get("currency", ""))
        return f"{currency} {readable(amount)}".strip() if amount else ""

    @property
    def value(self) -> str:
        """How the form names it: the question and the request that was listed."""
        return f"{self.escalation.uid}:{self.escalation.request_sha256}"


class TogetherPage(LoginRequiredMixin, View):
    """The selected questions one by one, the answer to all of them, and what became of each."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, choice = person(request), Choice.of(request)
        found, left_out = self.selected(user, request.GET, choice)
        listed = [Line(each) for each in found if each.risk < HIGH_RISK and each.is_open]
        alone = [each for each in found if each.risk >= HIGH_RISK]
        given = request.GET.get("as", "")
        form = TogetherForm(initial={"answer": given if given in ANSWERS else Escalation.Status.APPROVED})
        page = {"lines": listed, "alone": alone, "left_out": left_out, "form": form, "choice": choice}
        return render(request, PAGE, page)

    def post(self, request: HttpRequest) -> HttpResponse:
        user, at, choice, form = person(request), database_now(), Choice.of(request), TogetherForm(request.POST)
        try:
            items = items_in(request.POST)
            if not form.is_valid():
                raise ledger.Invalid("Nothing was decided: the reason is missing.")
            given = {name: form.cleaned_data[name] for name in ("answer", "reason", "reason_code")}
            undo = timedelta(seconds=settings.UNDO_SECONDS)
            outcomes = operations.settle_together(items, reviewer=user, at=at, undo=undo, **given)
        except ledger.Invalid as wrong:
            rows = rows_by_uid(user, [UUID(uid) for uid in uids_in(request.POST)])
            said = " ".join((wrong.detail, *wrong.fields.values()))
            page = {"lines": [Line(row) for row in rows.values()], "form": form, "choice": choice, "wrong": said}
            return render(request, PAGE, page, status=wrong.status)
        page = {"told": told_of(user, outcomes), "choice": choice, "answer": form.cleaned_data["answer"]}
        page |= {"done": sum(each.is_done for each in outcomes), "failed": sum(not each.is_done for each in outcomes)}
        return render(request, PAGE, page)

    def selected(self, user: Principal, given: QueryDict, choice: Choice) -> tuple[list[Escalation], int]:
        """The questions that are selected one by one or by their piles, at most 20; how many were left out."""
        uids = [UUID(text) for text in given.getlist("item")[:200] if is_uid(text)]
        rows = list(rows_by_uid(user, uids).values())
        piles = [key[:32] for key in given.getlist("pile")[:50] if key]
        if piles:
            at = database_now()
            alike = chosen(user, choice, at).filter(alike__in=piles).exclude(uid__in=uids)
            whole = len(rows) + alike.order_by().count()
            rows += urgent_first(alike.select_related("agent"), user, at)[:TOGETHER_AT_MOST]
            return rows[:TOGETHER_AT_MOST], max(whole - TOGETHER_AT_MOST, 0)
        return rows[:TOGETHER_AT_MOST], max(len(rows) - TOGETHER_AT_MOST, 0)


def rows_by_uid(user: Principal, uids: list[UUID]) -> dict[UUID, Escalation]:
    """The questions of these ids that the person may see, in this order."""
    found = Escalation.objects.visible_to(user).select_related("agent", "settled_by").in_bulk(uids, field_name="uid")
    return {uid: found[uid] for uid in uids if uid in found}


def uids_in(given: QueryDict) -> list[str]:
    """The ids of the questions that the form names, as far as they are ids."""
    named = (text.partition(":")[0] for text in given.getlist("item")[:200])
    return [uid for uid in named if is_uid(uid)]


def items_in(given: QueryDict) -> list[Item]:
    """What the form of the confirmation answers. Raises Invalid for what is no question with its request."""
    items = []
    for text in given.getlist("item"):
        uid, _, digest = text.partition(":")
        if not is_uid(uid) or not digest:
            raise ledger.Invalid("Nothing was decided: a question was not named by its request.")
        items.append(Item(UUID(uid), digest[:64]))
    return items


def told_of(user: Principal, outcomes: list[Outcome]) -> list[Line]:
    """What became of each question that this person may see."""
    rows = rows_by_uid(user, [each.uid for each in outcomes])
    told: dict[UUID, Any] = {each.uid: each.refused for each in outcomes}
    return [Line(row, refused=_words(told[uid])) for uid, row in rows.items()]


def _words(refused: ledger.Refused | None) -> str:
    return "" if refused is None else " ".join((refused.detail, *refused.fields.values()))
