"""The page about shared memory: what was found once and is there for all who need it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from agents.models import Agent, Principal
from agents.views import person
from observability import ledger
from observability.ledger import database_now
from observability.templatetags.ledger import inert
from workflows import memory
from workflows.models import Fact, FactQuerySet, Run, Space
from workflows.views.keyset import page_of

COUNT_AT_MOST = 10_000
STATES = {
    "": "holds or waits", "unconfirmed": "not confirmed", "confirmed": "confirmed by a second opinion",
    "invalid": "found wrong", "all": "every edition",
}  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Which facts are wanted, read from the address; what it does not know is left out."""

    words: str = ""
    space: str = ""
    author: str = ""
    kind: str = ""
    state: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """What the address asks for."""
        given = request.GET
        kind, state = given.get("kind", ""), given.get("state", "")
        return cls(
            words=given.get("q", "").strip()[:200], space=given.get("space", "")[:60],
            author=given.get("author", "")[:20], kind=kind if kind in Fact.Kind.values else "",
            state=state if state in STATES else "",
        )  # fmt: skip

    @property
    def narrows(self) -> bool:
        """Whether anything narrows the list."""
        return any((self.words, self.space, self.author, self.kind, self.state))

    def applied(self, facts: FactQuerySet) -> FactQuerySet:
        """The facts that fit."""
        states = {
            "": Q(superseded_at=None, invalidated_at=None), "invalid": Q(invalidated_at__isnull=False), "all": Q(),
            "unconfirmed": Q(superseded_at=None, invalidated_at=None, trust=Fact.Trust.LOW),
            "confirmed": Q(superseded_at=None, invalidated_at=None, trust=Fact.Trust.CONFIRMED),
        }  # fmt: skip
        columns = {"space__code": self.space, "author__code": self.author, "kind": self.kind}
        asked = {column: value for column, value in columns.items() if value}
        return facts.saying(self.words).filter(states[self.state], **asked)


class MemoryPage(LoginRequiredMixin, View):
    """The current facts of the spaces that a person may see, and one of them in full."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at, wanted = person(request), database_now(), Wanted.of(request)
        found = wanted.applied(Fact.objects.visible_to(user))
        page = page_of(found.select_related("space", "author", "run").defer("words"), request)
        rows = [{"fact": fact, "state": shown_state(fact, at)} for fact in page.rows]
        spaces = list(Space.objects.visible_to(user))
        found_some = Fact.objects.filter(author=OuterRef("pk"), space__in=spaces)
        authors = Agent.objects.visible_to(user).filter(Exists(found_some)).order_by("code")
        shown = {
            "rows": rows, "page": page, "wanted": wanted, "words": wanted.words, "space": wanted.space, "at": at,
            "totals": totals_of(found), "spaces": spaces, "authors": authors, "kinds": Fact.Kind.choices,
            "states": STATES.items(), "may_purge": memory.may_purge(user),
            "known_space": next((each for each in spaces if each.code == wanted.space), None),
            "chosen": _chosen(user, request.GET.get("fact", ""), at),
        }  # fmt: skip
        return render(request, "workflows/memory.html", shown)


def shown_state(fact: Fact, at: datetime) -> str:
    """The state of the fact as the vocabulary of the pages names it."""
    state = fact.state(at)
    if state == "current" and fact.trust == Fact.Trust.CONFIRMED:
        return "confirmed"
    return "unconfirmed" if state == "low" else state


def totals_of(facts: QuerySet[Fact]) -> dict[str, Any]:
    """How many there are and what their reuse saved; `many` when they are more than are counted."""
    # Of the newest ones: so many are added up while somebody waits for the page.
    newest = facts.order_by("-pk").only("seconds", "cost", "reused")
    figures = newest[:COUNT_AT_MOST].aggregate(
        count=Count("pk"),
        uses=Sum("reused"),
        saved_seconds=Sum(F("seconds") * F("reused")),
        saved_cost=Sum(F("cost") * F("reused")),
    )
    full = figures["count"] == COUNT_AT_MOST
    more = full and newest[COUNT_AT_MOST : COUNT_AT_MOST + 1].exists()
    return figures | {"many": more}


def _chosen(user: Principal, uid: str, at: datetime) -> dict[str, Any] | None:
    if not uid:
        return None
    fact = visible_fact(user, _uid(uid))
    earlier = Fact.objects.filter(space=fact.space, key=fact.key).exclude(pk=fact.pk).count()
    return {"fact": fact, "state": shown_state(fact, at), "earlier": earlier, **said_in(fact, user)}


def visible_fact(user: Principal, uid: UUID | None) -> Fact:
    """The fact, if this person may see it; not found otherwise."""
    rows = Fact.objects.visible_to(user).select_related("space__unit", "author", "run__workflow", "step", "file")
    fact = rows.defer("file__content").filter(uid=uid).first() if uid else None
    if fact is None:
        raise ledger.NotFound
    return fact


def said_in(fact: Fact, user: Principal) -> dict[str, Any]:
    """What the fact says, in rows that a person reads, with its run if the person may see that."""
    values = [
        {"label": name.replace("_", " ").capitalize(), "value": inert(value)} for name, value in fact.value.items()
    ]
    run = Run.objects.visible_to(user).filter(pk=fact.run_id).first() if fact.run_id else None
    return {"values": values, "run": run, "file": getattr(fact, "file", None)}


def _uid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
