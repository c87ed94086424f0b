"""The list beside a decision: tabs with true counts, filters, and one page of questions."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.utils import timezone

from agents.models import Agent, Principal
from governance.models import Escalation, EscalationPath, Risk, SavedView, of_teams_of
from observability import ledger
from workflows.models import Workflow
from workflows.views import listing
from workflows.views.listing import AGES, CLAIMS, TABS, Choice, chosen, rows_of
from workflows.views.piles import UNFOLDED_AT_MOST, Entry, Listed, listed, unpiled


def inbox(user: Principal, choice: Choice, at: datetime) -> dict[str, Any]:
    """What the list beside the card shows. The ledger's position is read first: what comes after it counts as new."""
    position, shown = ledger.last_position(), shown_in(user, choice, at)
    counts = counts_of(user, choice, at) | ({choice.tab: shown.count} if choice.tab != "done" else {})
    tabs = [
        {"name": name, "label": label, "count": counts.get(name), "query": tab_query(choice, name)}
        for name, label in tabs_for(user).items()
    ]
    older = choice.tab == "done" and shown.more
    return {
        "choice": choice, "tabs": tabs, "entries": shown.entries, "rows": shown.rows, "more": shown.more,
        "counts": counts, "count": shown.count, "full": shown.full, "position": position, "at": at,
        "filters": (filters := filters_for(user, choice)), "narrowed": words_of(choice, filters),
        "views": list(SavedView.objects.visible_to(user).of("escalations").with_names()),
        "decided_today": decided_today(user, at),
        "decides": user.may("governance.settle_escalation"),
        "undo": undoable(user, at), "unfolded_at_most": UNFOLDED_AT_MOST,
        "narrowed_count": shown.count if choice.is_narrowed else None,
        "older": f"{choice.query or '?'}&before={shown.rows[-1].uid}" if older else "",
    }  # fmt: skip


def shown_in(user: Principal, choice: Choice, at: datetime) -> Listed:
    """One page of the chosen list."""
    if choice.tab != "done":
        matching = chosen(user, choice, at)
        return unpiled(matching, user, choice, at) if choice.q else listed(matching, user, choice, at)
    rows = rows_of(user, choice, at)
    page, more = rows[: listing.LIST_AT_MOST], len(rows) > listing.LIST_AT_MOST
    count = chosen(user, choice, at).count() if choice.is_narrowed else len(page)
    return Listed([Entry(row=row) for row in page], count, more, [])


def tabs_for(user: Principal) -> dict[str, str]:
    """The tabs of this person: who decides nothing has no team to decide with."""
    decides = user.may("governance.settle_escalation")
    return {name: label for name, label in TABS.items() if decides or name != "teams"}


def tab_query(choice: Choice, name: str) -> str:
    """The address of a tab with the same filters; the first one says that nothing else is wanted."""
    return replace(choice.elsewhere, tab=name).query or "?tab=me"


def counts_of(user: Principal, choice: Choice, at: datetime) -> dict[str, int]:
    """How many wait in each of the other open tabs, narrowed by the same filters."""
    here = replace(choice.elsewhere, claimed="" if choice.tab == "done" else choice.claimed)
    wide = chosen(user, replace(here, tab="all"), at).order_by()
    counts: dict[str, int] = wide.aggregate(all=Count("pk"), teams=Count("pk", filter=of_teams_of(user)))
    if choice.tab != "me":
        counts["me"] = chosen(user, replace(here, tab="me"), at).order_by().count()
    return counts


def filters_for(user: Principal, choice: Choice) -> list[dict[str, Any]]:
    """The filters of the list, each with its choices."""
    workflows = Workflow.objects.visible_to(user).order_by("name").values_list("code", "name")
    agents = Agent.objects.visible_to(user).exclude(status=Agent.Status.RETIRED).order_by("code")
    paths = EscalationPath.objects.visible_to(user).order_by("name").values_list("key", "name")
    claims = {"watched": CLAIMS["watched"]} if choice.tab == "done" else CLAIMS
    named: list[tuple[str, str, str, Any]] = [
        ("workflow", "Workflow", "All workflows", workflows),
        ("risk", "Risk", "All risks", [(str(value), label) for value, label in Risk.choices]),
        ("agent", "Agent", "All agents", [(agent.code, str(agent)) for agent in agents]),
        ("path", "Path", "All paths", paths),
        ("kind", "Kind", "All kinds", Escalation.Kind.choices),
        ("age", "Age", "Any age", AGES.items() if choice.tab != "done" else ()),
        ("claimed", "Attention", "Anybody", claims.items()),
    ]
    return [
        {"name": name, "label": label, "all": every, "choices": known, "value": getattr(choice, name)}
        for name, label, every, choices in named
        if (known := _with_own(list(choices), getattr(choice, name)))
    ]


def words_of(choice: Choice, filters: list[dict[str, Any]]) -> list[str]:
    """What narrows the list, in words."""
    named = {each["name"]: dict(each["choices"]).get(each["value"]) for each in filters if each["value"]}
    first = [
        str(named[name]).lower() if name == "risk" else str(named[name])
        for name in ("risk", "workflow")
        if name in named
    ]
    return [*first, *choice.words]


def _with_own(choices: list[tuple[str, str]], value: str) -> list[tuple[str, str]]:
    # What the address asks for stays in the form, also where nobody offers it any more.
    return choices if not value or value in dict(choices) else [*choices, (value, value)]


def undoable(user: Principal, at: datetime) -> Escalation | None:
    """This person's latest answer that has not taken effect."""
    return Escalation.objects.undoable_by(user).filter(effect_at__gt=at).first()


def decided_today(user: Principal, at: datetime) -> int:
    """How many escalations this person settled since midnight."""
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return Escalation.objects.filter(settled_by=user, settled_at__gte=midnight).count()
