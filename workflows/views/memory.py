"""The page about shared memory: what was found once and is there for all who need it."""

from typing import Any
from uuid import UUID

from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Count, F, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from agents.models import Principal
from agents.views import person
from observability import ledger
from observability.ledger import database_now
from observability.templatetags.ledger import inert
from workflows.models import Fact, Run, Space
from workflows.views.keyset import page_of


class MemoryPage(LoginRequiredMixin, View):
    """The current facts of the spaces that a person may see, and one of them in full."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        words, space = request.GET.get("q", "").strip()[:200], request.GET.get("space", "")[:60]
        found = _wanted(Fact.objects.visible_to(user).filter(superseded_at=None), words, space)
        page = page_of(found.select_related("space", "author", "run"), request)
        rows = [{"fact": fact, "expired": fact.expires_at is not None and fact.expires_at <= at} for fact in page.rows]
        spaces = list(Space.objects.visible_to(user))
        known = next((each for each in spaces if each.code == space), None)
        shown = {
            "rows": rows, "page": page, "words": words, "space": space, "totals": _totals(found), "at": at,
            "spaces": spaces, "known_space": known,
            "chosen": _chosen(user, request.GET.get("fact", "")),
        }  # fmt: skip
        return render(request, "workflows/memory.html", shown)


def _wanted(facts: QuerySet[Fact], words: str, space: str) -> QuerySet[Fact]:
    if words:
        facts = facts.filter(key__icontains=words)
    return facts.filter(space__code=space) if space else facts


def _totals(facts: QuerySet[Fact]) -> dict[str, Any]:
    return facts.order_by().aggregate(
        count=Count("pk"),
        uses=Sum("reused"),
        saved_seconds=Sum(F("seconds") * F("reused")),
        saved_cost=Sum(F("cost") * F("reused")),
    )


def _chosen(user: Principal, uid: str) -> dict[str, Any] | None:
    if not uid:
        return None
    facts = Fact.objects.visible_to(user).select_related("space", "author", "run__workflow")
    wanted = _uid(uid)
    fact = facts.filter(uid=wanted).first() if wanted else None
    if fact is None:
        raise ledger.NotFound
    values = [
        {"label": name.replace("_", " ").capitalize(), "value": inert(value)} for name, value in fact.value.items()
    ]
    earlier = Fact.objects.filter(space=fact.space, key=fact.key).exclude(pk=fact.pk).count()
    run = Run.objects.visible_to(user).filter(pk=fact.run_id).first() if fact.run_id else None
    return {"fact": fact, "values": values, "earlier": earlier, "run": run}


def _uid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
