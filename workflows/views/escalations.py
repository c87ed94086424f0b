"""The reviewers' door: the list of escalations, the decision card, approve and reject."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views import View

from agents.models import Principal
from agents.views import person
from governance.models import Escalation, EscalationQuerySet, Risk, Vote
from observability import ledger
from observability.ledger import database_now
from observability.models import Event
from workflows import operations
from workflows.forms import AnswerForm, opened_token, seconds_open
from workflows.views.cards import CARD_ONLY, Card
from workflows.views.moments import begin_in, end_in

TABS = {"me": "For me", "all": "All", "done": "Done"}
LIST_AT_MOST = 50
ANSWERS = {
    "decided": "decided by people",
    "approved": "approved",
    "rejected": "rejected",
    "overruled": "rejected, or approved and undone later",
}
ARRIVALS = ("escalation.opened", "escalation.passed_on")


@dataclass(frozen=True)
class Choice:
    """What the list shows: a tab, narrowed by workflow, risk and agent; `before` continues a long list. Of the answered
    questions of agents it may want those about one action, with one answer, from one moment to another."""

    tab: str = "me"
    workflow: str = ""
    risk: str = ""
    agent: str = ""
    action: str = ""
    answer: str = ""
    first: str = ""
    last: str = ""
    before: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> "Choice":
        """What the address asks for; what it does not know is left out."""
        given = request.GET
        tab, risk, answer = given.get("tab", "me"), given.get("risk", ""), given.get("answer", "")
        done = tab == "done"
        return cls(
            tab=tab if tab in TABS else "me", workflow=given.get("workflow", "")[:80],
            risk=risk if risk in {str(level.value) for level in Risk} else "", before=given.get("before", "")[:40],
            agent=given.get("agent", "")[:20], action=given.get("action", "")[:80] if done else "",
            answer=answer if done and answer in ANSWERS else "",
            first=_known(given.get("from", ""), begin_in) if done else "",
            last=_known(given.get("to", ""), end_in) if done else "",
        )  # fmt: skip

    @property
    def query(self) -> str:
        """The same choice as the end of an address, without the page."""
        named = {
            "tab": self.tab if self.tab != "me" else "", "workflow": self.workflow, "risk": self.risk,
            "agent": self.agent, "action": self.action, "answer": self.answer, "from": self.first, "to": self.last,
        }  # fmt: skip
        given = {name: value for name, value in named.items() if value}
        return f"?{urlencode(given)}" if given else ""

    @property
    def elsewhere(self) -> "Choice":
        """The same choice without what only answered questions can be chosen by."""
        return replace(self, action="", answer="", first="", last="", before="")

    @property
    def words(self) -> list[str]:
        """What narrows the list beyond workflow and risk, in words."""
        days = f"{self.first or 'the beginning'} to {self.last or 'today'}" if self.first or self.last else ""
        return [word for word in (self.agent, self.action, ANSWERS.get(self.answer, ""), days) if word]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.workflow or self.risk or self.words)

    def narrowed(self, escalations: EscalationQuerySet) -> EscalationQuerySet:
        """Those that fit everything chosen but the tab."""
        plain = {
            "workflow": self.workflow, "risk": self.risk, "agent__code": self.agent, "decision__action": self.action,
            "settled_at__gte": begin_in(self.first), "settled_at__lt": end_in(self.last),
        }  # fmt: skip
        escalations = escalations.filter(**{name: value for name, value in plain.items() if value})
        if self.answer == "overruled":
            return escalations.overruled()
        if self.answer:
            escalations = escalations.decided()
        return escalations.filter(status=self.answer) if self.answer not in ("", "decided") else escalations


def _known(text: str, read: Callable[[str], datetime | None]) -> str:
    try:
        return text if read(text) else ""
    except ValueError:
        return ""


class EscalationsPage(LoginRequiredMixin, View):
    """The list, with the most urgent one open beside it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        page = inbox(user, Choice.of(request), at)
        first = found(user, page["rows"][0].uid) if page["rows"] else None
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


def found(user: Principal, uid: UUID) -> Escalation:
    """The escalation if this person may see it; raises NotFound otherwise."""
    related = ("agent", "asked", "path", "unit", "settled_by", "settled_for", "decision", "amended_by")
    escalation = Escalation.objects.visible_to(user).select_related(*related).filter(uid=uid).first()
    if escalation is None:
        raise ledger.NotFound
    return escalation


def chosen(user: Principal, choice: Choice) -> EscalationQuerySet:
    """The escalations of the chosen tab that this person may see."""
    visible = choice.narrowed(Escalation.objects.visible_to(user))
    if choice.tab == "done":
        return visible.done()
    return visible.open().for_person(user) if choice.tab == "me" else visible.open()


def urgent_first(escalations: EscalationQuerySet, user: Principal, at: datetime) -> EscalationQuerySet:
    """The most urgent ones first, those that this person approved already last."""
    voted = Exists(Vote.objects.filter(escalation=OuterRef("pk"), person=user))
    ordered = escalations.annotate(voted=voted).most_urgent_first(at)
    return ordered.order_by("voted", *ordered.query.order_by)


def rows_of(user: Principal, choice: Choice, at: datetime) -> list[Escalation]:
    """One page of the list and one row more, if there are more."""
    escalations = chosen(user, choice).select_related("agent", "settled_by").defer(*CARD_ONLY)
    if choice.tab != "done":
        return list(urgent_first(escalations, user, at)[: LIST_AT_MOST + 1])
    last = escalations.filter(uid=choice.before).first() if is_uid(choice.before) else None
    if last is not None and last.settled_at is not None:
        older = Q(settled_at__lt=last.settled_at) | Q(settled_at=last.settled_at, pk__lt=last.pk)
        escalations = escalations.filter(older)
    return list(escalations[: LIST_AT_MOST + 1])


def is_uid(text: str) -> bool:
    """Whether the text is an id as addresses carry it."""
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def inbox(user: Principal, choice: Choice, at: datetime) -> dict[str, Any]:
    """What the list beside the card shows. The ledger's position is read first: what comes after it counts as new."""
    position, rows, visible = ledger.last_position(), rows_of(user, choice, at), Escalation.objects.visible_to(user)
    shown, more = rows[:LIST_AT_MOST], len(rows) > LIST_AT_MOST
    counts = {"me": visible.open().for_person(user).count(), "all": visible.open().count()}
    tabs = [
        {"name": name, "label": label, "count": counts.get(name), "query": replace(choice.elsewhere, tab=name).query}
        for name, label in TABS.items()
    ]
    return {
        "choice": choice, "tabs": tabs, "rows": shown, "more": more, "counts": counts, "position": position, "at": at,
        "risks": Risk.choices, "workflows": workflow_names(visible), "decided_today": decided_today(user, at),
        "narrowed_count": chosen(user, choice).count() if choice.tab == "done" and choice.words else None,
        "undo": undoable(user, at),
        "older": f"{choice.query or '?'}&before={shown[-1].uid}" if more and choice.tab == "done" else "",
    }  # fmt: skip


def undoable(user: Principal, at: datetime) -> Escalation | None:
    """This person's latest answer that has not taken effect."""
    return Escalation.objects.undoable_by(user).filter(effect_at__gt=at).first()


def workflow_names(visible: EscalationQuerySet) -> list[tuple[str, str]]:
    """Code and name of each workflow that has escalations here."""
    named = visible.exclude(workflow="").order_by("workflow_name", "workflow")
    return list(named.values_list("workflow", "workflow_name").distinct())


def decided_today(user: Principal, at: datetime) -> int:
    """How many escalations this person settled since midnight."""
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return Escalation.objects.filter(settled_by=user, settled_at__gte=midnight).count()


def card_of(escalation: Escalation | None, user: Principal, at: datetime) -> dict[str, Any]:
    """The card of one escalation, as `found` gives it, with its empty form; nothing without one."""
    if escalation is None:
        return {"card": None}
    form = AnswerForm(initial={"request_sha256": escalation.request_sha256})
    return {"card": Card(escalation, user, at), "form": form, "opened_token": opened_token(escalation.uid, at)}


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
    return chosen(user, choice).filter(uid__in=uids).count()
