"""The reviewers' door: the list of escalations, the decision card, approve and reject."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from agents.models import Principal
from agents.views import person
from governance.models import Escalation, Risk
from observability import ledger
from observability.ledger import database_now
from observability.models import Event
from workflows import operations
from workflows.forms import AnswerForm, opened_token, seconds_open
from workflows.views.cards import Card
from workflows.views.inbox import inbox
from workflows.views.listing import Choice, chosen, rows_of
from workflows.views.looking import Attention
from workflows.views.piles import alike
from workflows.views.saved_views import begun

ARRIVALS = ("escalation.opened", "escalation.passed_on")


class EscalationsPage(LoginRequiredMixin, View):
    """The list, with the most urgent one open beside it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        choice, view = begun(request, user)
        page = inbox(user, choice, at) | {"view": view}
        first = most_urgent_of(page, user, at)
        return render(request, "workflows/escalations.html", page | card_of(first, user, at))


class EscalationPage(LoginRequiredMixin, View):
    """One escalation beside the list."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, at, choice = person(request), database_now(), Choice.of(request)
        page = {"choice": choice} if request.headers.get("HX-Request") else inbox(user, choice, at)
        card = card_of(found(user, uid), user, at) | {"opened": True}
        return render(request, "workflows/escalations.html", page | card)


class AnswerDoor(LoginRequiredMixin, View):
    """Approve or reject, then go to the next one; what is refused is said beside the card, with nothing lost."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, at, choice, form = person(request), database_now(), Choice.of(request), AnswerForm(request.POST)
        escalation = found(user, uid)
        following = next_after(escalation, user, choice, at)
        if not form.is_valid():
            return again(request, uid, form, "Nothing was decided: the reason is missing.", status=400)
        hurry = hurried(form, escalation, at)
        if hurry:
            return again(request, uid, form, hurry, status=409, asked=True)
        try:
            undo = timedelta(seconds=settings.UNDO_SECONDS)
            operations.settle(uid, reviewer=user, at=at, undo=undo, **form.given)
        except ledger.Refused as refused:
            ledger.record_refusal(refused, by=user)
            if not answered_so(escalation, user, form.cleaned_data["answer"]):
                return again(request, uid, form, refused.detail, status=refused.status)
        return onward(request, escalation, following)

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        """After signing in again the browser comes here by GET: show the card."""
        return redirect(reverse("escalation", args=[uid]) + Choice.of(request).query)


class UndoDoor(LoginRequiredMixin, View):
    """Take one's own answer back, and stand at the open question again."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        try:
            undone = operations.undo(uid, by=user, at=database_now())
        except ledger.Refused as refused:
            ledger.record_refusal(refused, by=user)
            return again(request, uid, None, refused.detail, status=refused.status)
        messages.success(request, f"Undone: {undone.title}. It waits for an answer again.")
        return HttpResponseRedirect(reverse("escalation", args=[uid]) + Choice.of(request).query, status=303)

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        """After signing in again the browser comes here by GET: show the card."""
        return redirect(reverse("escalation", args=[uid]) + Choice.of(request).query)


class NewOnes(LoginRequiredMixin, View):
    """The "n new" bar: how many came into this list after a position of the ledger."""

    def get(self, request: HttpRequest) -> HttpResponse:
        after, choice = request.GET.get("after", ""), Choice.of(request)
        position = int(after) if after.isdecimal() and len(after) < 19 else ledger.last_position()
        new = arrivals(person(request), choice, position)
        return render(request, "workflows/_escalations_new.html", {"new": new, "choice": choice})


def hurried(form: AnswerForm, escalation: Escalation, at: datetime) -> str:
    """The question whether somebody who approves a high risk at once means it; empty for everybody else. It is asked
    once for each card."""
    approves = form.cleaned_data["answer"] == Escalation.Status.APPROVED and escalation.risk == Risk.HIGH
    seconds = seconds_open(form.cleaned_data["opened"], escalation.uid, at) if approves else None
    if seconds is None or seconds >= settings.SECOND_LOOK_SECONDS:
        return ""
    return f"You opened this {int(seconds)} s ago, and its risk is high. Nothing is approved: look again, then approve."


def again(
    request: HttpRequest, uid: UUID, form: AnswerForm | None, wrong: str, *, status: int, asked: bool = False
) -> HttpResponse:  # fmt: skip
    """The card as it stands now, with what went wrong and what was typed; it notes when it has asked once more."""
    user, at = person(request), database_now()
    card = card_of(found(user, uid), user, at) | {"wrong": wrong, "opened": True}
    if asked:
        card["opened_token"] = opened_token(uid, at, asked=True)
    page = inbox(user, Choice.of(request), at) | card | ({"form": form} if form is not None else {})
    return render(request, "workflows/escalations.html", page, status=status)


def most_urgent_of(page: dict[str, Any], user: Principal, at: datetime) -> Escalation | None:
    """What stands open beside the list before anybody chose: the first question, or the first of the first pile."""
    first = page["entries"][0] if page["entries"] else None
    if first is None:
        return None
    row = first.row
    if row is None and first.pile is not None:
        matching = chosen(user, page["choice"], at)
        row = next(iter(first.pile.rows or alike(matching, first.pile.key, user, 1)), None)
    return found(user, row.uid) if row is not None else None


def found(user: Principal, uid: UUID) -> Escalation:
    """The escalation if this person may see it; raises NotFound otherwise."""
    related = (
        "agent", "asked", "path", "unit", "settled_by", "settled_for", "claimed_by", "decision", "amended_by",
    )  # fmt: skip
    escalation = Escalation.objects.visible_to(user).select_related(*related).filter(uid=uid).first()
    if escalation is None:
        raise ledger.NotFound
    return escalation


def card_of(escalation: Escalation | None, user: Principal, at: datetime) -> dict[str, Any]:
    """The card of one escalation, as `found` gives it, with its empty form; nothing without one."""
    if escalation is None:
        return {"card": None}
    form = AnswerForm(initial={"request_sha256": escalation.request_sha256})
    card = Card(escalation, user, at)
    return {
        "card": card, "form": form, "opened_token": opened_token(escalation.uid, at),
        "looking": Attention(escalation, user, at, is_asked=card.standing is not None),
    }  # fmt: skip


def next_after(escalation: Escalation, user: Principal, choice: Choice, at: datetime) -> Escalation | None:
    """The one to go to after this one: the next of the open list, else the last of it."""
    if choice.tab == "done":
        return None
    rows = [row for row in rows_of(user, choice, at) if row.pk == escalation.pk or not getattr(row, "voted", False)]
    place = next((index for index, row in enumerate(rows) if row.pk == escalation.pk), 0)
    others = [row for row in rows if row.pk != escalation.pk]
    return others[min(place, len(others) - 1)] if others else None


def answered_so(escalation: Escalation, user: Principal, answer: str) -> bool:
    """Whether this person gave exactly this answer before: a second press shows the result instead of an error."""
    now = Escalation.objects.get(pk=escalation.pk)
    if now.settled_by_id == user.pk:
        return answer in (now.status, now.held_answer)
    return answer == Escalation.Status.APPROVED and now.is_open and now.votes.filter(person=user).exists()


def onward(request: HttpRequest, escalation: Escalation, following: Escalation | None) -> HttpResponseRedirect:
    """To the next escalation, with a sentence about this one."""
    now = Escalation.objects.get(pk=escalation.pk)
    if now.status == Escalation.Status.HELD:  # the bar at the foot of the page tells, and undoes it
        target = reverse("escalation", args=[following.uid]) if following else reverse("escalations")
        return HttpResponseRedirect(target + Choice.of(request).query, status=303)
    done = "Your approval is noted, another person has to approve as well" if now.is_open else now.get_status_display()
    follows = f" Next: {following.title}" if following else " Nothing else waits in this list."
    messages.success(request, f"{done}: {now.title}.{follows}")
    target = reverse("escalation", args=[following.uid]) if following else reverse("escalations")
    return HttpResponseRedirect(target + Choice.of(request).query, status=303)


def arrivals(user: Principal, choice: Choice, position: int) -> int:
    """How many of the chosen list came in after the position."""
    came = Event.objects.visible_to(user).sealed_after(position).filter(verb__in=ARRIVALS)
    uids = [UUID(text) for text in came.values_list("subject_id", flat=True)[:500]]
    return chosen(user, choice, database_now()).filter(uid__in=uids).count() if uids else 0
