"""What the reviewers' list shows: a tab, narrowed by what the address says; the like in piles; true counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest

from agents.models import Principal
from governance.models import Escalation, EscalationQuerySet, Risk, Snooze, Vote, Watch, claim_lasts
from workflows.views.cards import CARD_ONLY
from workflows.views.moments import begin_in, end_in

TABS = {"me": "For me", "teams": "My teams", "done": "Done", "all": "All"}
LIST_AT_MOST = 50
SEARCHED_AT_MOST = 10_000  # of the answered ones, the newest
ANSWERS = {
    "decided": "decided by people",
    "approved": "approved",
    "rejected": "rejected",
    "overruled": "rejected, or approved and undone later",
}
AGES = {"1h": "Asked over an hour ago", "1d": "Asked over a day ago", "3d": "Asked over 3 days ago", "late": "Late"}
AGO = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "3d": timedelta(days=3)}
CLAIMS = {
    "me": "I look at it", "others": "Others look at it", "nobody": "Nobody looks at it", "watched": "I watch it",
    "aside": "Put aside by me",
}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """What the list shows: a tab, narrowed by what a person searches and filters; `before` continues a long list,
    `unfold` names the pile whose questions are shown. Of the answered questions of agents it may want those about one
    action, with one answer, from one moment to another."""

    tab: str = "me"
    q: str = ""
    workflow: str = ""
    risk: str = ""
    agent: str = ""
    path: str = ""
    kind: str = ""
    age: str = ""
    claimed: str = ""
    action: str = ""
    answer: str = ""
    first: str = ""
    last: str = ""
    unfold: str = ""
    before: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> "Choice":
        """What the address asks for; what it does not know is left out."""
        return cls.read(request.GET.dict())

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Choice":
        """What the query asks for; what it does not know is left out."""
        tab, done = given.get("tab", "me"), given.get("tab") == "done"
        return cls(
            tab=tab if tab in TABS else "me", q=" ".join(given.get("q", "").split())[:100],
            workflow=given.get("workflow", "")[:80], risk=_one_of({str(level.value) for level in Risk}, given, "risk"),
            agent=given.get("agent", "")[:20], path=given.get("path", "")[:60],
            kind=_one_of(Escalation.Kind.values, given, "kind"), age="" if done else _one_of(AGES, given, "age"),
            claimed=_one_of(("watched",) if done else CLAIMS, given, "claimed"),
            action=given.get("action", "")[:80] if done else "",
            answer=_one_of(ANSWERS if done else (), given, "answer"),
            first=_known(given.get("from", ""), begin_in) if done else "",
            last=_known(given.get("to", ""), end_in) if done else "",
            unfold="" if done else given.get("unfold", "")[:32], before=given.get("before", "")[:40],
        )  # fmt: skip

    @property
    def kept(self) -> dict[str, str]:
        """The same choice as a saved view keeps it, without the page and the open pile."""
        named = {
            "tab": self.tab if self.tab != "me" else "", "q": self.q, "workflow": self.workflow, "risk": self.risk,
            "agent": self.agent, "path": self.path, "kind": self.kind, "age": self.age, "claimed": self.claimed,
            "action": self.action, "answer": self.answer, "from": self.first, "to": self.last,
        }  # fmt: skip
        return {name: value for name, value in named.items() if value}

    @property
    def query(self) -> str:
        """The same choice as the end of an address, without the page."""
        return _query(self.kept | ({"unfold": self.unfold} if self.unfold else {}))

    @property
    def folded(self) -> str:
        """The same, with no pile open."""
        return _query(self.kept) or "?tab=me"

    @property
    def elsewhere(self) -> "Choice":
        """The same choice without what only answered questions can be chosen by."""
        return replace(self, action="", answer="", first="", last="", before="", unfold="")

    @property
    def words(self) -> list[str]:
        """What narrows the list beyond workflow and risk, in words."""
        days = f"{self.first or 'the beginning'} to {self.last or 'today'}" if self.first or self.last else ""
        kind = dict(Escalation.Kind.choices).get(self.kind, "")
        sought = f"“{self.q}”" if self.q else ""
        told = (
            sought, self.agent, kind, self.path, AGES.get(self.age, ""), CLAIMS.get(self.claimed, ""), self.action,
            ANSWERS.get(self.answer, ""), days,
        )  # fmt: skip
        return [word for word in told if word]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.workflow or self.risk or self.words)

    def narrowed(self, escalations: EscalationQuerySet, user: Principal, at: datetime) -> EscalationQuerySet:
        """Those that fit everything chosen but the tab."""
        plain = {
            "workflow": self.workflow, "risk": self.risk, "agent__code": self.agent, "decision__action": self.action,
            "path__key": self.path, "kind": self.kind,
            "settled_at__gte": begin_in(self.first), "settled_at__lt": end_in(self.last),
        }  # fmt: skip
        escalations = escalations.filter(**{name: value for name, value in plain.items() if value})
        if self.age:
            late = self.age == "late"
            escalations = escalations.filter(Q(due_at__lte=at) if late else Q(opened_at__lte=at - AGO[self.age]))
        escalations = self._by_attention(escalations, user, at)
        if self.q:
            escalations = self._sought(escalations)
        if self.answer == "overruled":
            return escalations.overruled()
        if self.answer:
            escalations = escalations.decided()
        return escalations.filter(status=self.answer) if self.answer not in ("", "decided") else escalations

    def _by_attention(self, escalations: EscalationQuerySet, user: Principal, at: datetime) -> EscalationQuerySet:
        held = Q(claimed_at__gt=at - claim_lasts())
        wanted = {
            "me": held & Q(claimed_by=user),
            "others": held & ~Q(claimed_by=user),
            "nobody": Q(claimed_at=None) | Q(claimed_at__lte=at - claim_lasts()),
            "watched": Q(pk__in=Watch.objects.filter(person=user).values("escalation")),
            "aside": Q(pk__in=Snooze.objects.filter(person=user, until__gt=at).values("escalation")),
        }
        return escalations.filter(wanted[self.claimed]) if self.claimed else escalations

    def _sought(self, escalations: EscalationQuerySet) -> EscalationQuerySet:
        if self.tab != "done":
            return escalations.sought(self.q)
        newest = escalations.done().values("pk")[:SEARCHED_AT_MOST]
        return escalations.filter(pk__in=newest).sought(self.q)


def _query(given: Mapping[str, str]) -> str:
    return f"?{urlencode(given)}" if given else ""


def _one_of(known: Any, given: Mapping[str, str], name: str) -> str:
    value = given.get(name, "")
    return value if value in known else ""


def _known(text: str, read: Callable[[str], datetime | None]) -> str:
    try:
        return text if read(text) else ""
    except ValueError:
        return ""


def chosen(user: Principal, choice: Choice, at: datetime) -> EscalationQuerySet:
    """The escalations of the chosen tab that this person may see."""
    visible = choice.narrowed(Escalation.objects.visible_to(user), user, at)
    if choice.tab == "done":
        return visible.done()
    if choice.tab == "me":
        return visible.open().for_person(user)
    return visible.open().of_teams_of(user) if choice.tab == "teams" else visible.open()


def urgent_first(escalations: EscalationQuerySet, user: Principal, at: datetime) -> EscalationQuerySet:
    """The most urgent ones first, those that this person approved already last."""
    voted = Exists(Vote.objects.filter(escalation=OuterRef("pk"), person=user))
    ordered = escalations.annotate(voted=voted).most_urgent_first(at)
    return ordered.order_by("voted", *ordered.query.order_by)


def light(escalations: EscalationQuerySet) -> EscalationQuerySet:
    """The rows as a list shows them: without what only the card shows."""
    return escalations.select_related("agent", "settled_by", "claimed_by").defer(*CARD_ONLY)


def rows_of(user: Principal, choice: Choice, at: datetime) -> list[Escalation]:
    """One page of the list and one row more, if there are more; nothing is in piles."""
    escalations = light(chosen(user, choice, at))
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
