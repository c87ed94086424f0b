"""What the frame of every page shows: navigation with counts, the control state, the person."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from agents.models import Agent, BreakGlass, Principal, ReviewItem
from agents.operations import lacks_second_factor
from agents.views.emergencies import concerns
from autonomy_site.templatetags.aos import initials
from governance.models import Escalation, Incident
from observability import ledger
from workflows.models import Run, Workflow
from workflows.views.control import posture


@dataclass(frozen=True)
class Place:
    """One entry of the navigation; `key` is what follows G on the keyboard."""

    label: str
    url_name: str
    icon: str
    key: str

    def is_open(self, url_name: str) -> bool:
        """Whether the page of this name is the place itself or one below it: agent-pause is below agents."""
        noun = url_name.partition("-")[0]
        return self.url_name in (noun, f"{noun}s", f"{noun.removesuffix('y')}ies")


GROUPS: tuple[tuple[str, tuple[Place, ...]], ...] = (
    ("", (
        Place("Overview", "overview", "layout-dashboard", "o"),
        Place("Escalations", "escalations", "inbox", "i"),
        Place("Runs", "runs", "list", "r"),
    )),
    ("Workforce", (
        Place("Agents", "agents", "bot", "a"),
        Place("People", "people", "users", "e"),
        Place("Workflows", "workflows", "workflow", "w"),
        Place("Shared memory", "memory", "database", "s"),
    )),
    ("Governance", (
        Place("Policies", "policies", "scale", "p"),
        Place("Budgets", "budgets", "wallet", "b"),
        Place("Incidents", "incidents", "siren", "n"),
        Place("Access", "access", "key-round", "c"),
        Place("Audit trail", "audit", "fingerprint-pattern", "t"),
    )),
    ("Results", (
        Place("Performance", "performance", "chart-line", "f"),
        Place("How we decide", "insights", "gavel", "d"),
    )),
)  # fmt: skip
WAIT_FOR_PEOPLE = frozenset({"escalations", "incidents"})
"""Entries whose count is of what waits for the person who reads it."""


def shell(request: HttpRequest) -> dict[str, Any]:
    """The variable `shell` for signed-in people's pages; the contract stands on top of templates/shell.html."""
    user = getattr(request, "user", None)
    if not isinstance(user, Principal) or getattr(request, "htmx", False):
        return {}
    return {
        "shell": {
            "organisation": settings.ORGANISATION,
            "scope_name": "all units" if user.sees_all_units else str(user.unit or ""),
            "nav": _navigation(request, user),
            "control": posture(user),
            "user_initials": initials(str(user)),
            "user_name": str(user),
            "user_title": user.title,
            "position": ledger.last_position(),
            "shortcuts": user.single_key_shortcuts,
            "emergency": _emergency(user),
            "waits": lacks_second_factor(request.session, user),
        }
    }


def _emergency(user: Principal) -> BreakGlass | None:
    # One statement, only for council, IT and risk: nobody else hears of it.
    return BreakGlass.objects.unreviewed().first() if concerns(user) else None


def _navigation(request: HttpRequest, user: Principal) -> list[dict[str, Any]]:
    counts = _counts(user)
    current = request.resolver_match.url_name if request.resolver_match else ""
    return [
        {"title": title, "items": [_item(place, counts, current or "") for place in places]} for title, places in GROUPS
    ]


def _item(place: Place, counts: dict[str, int], current: str) -> dict[str, Any]:
    return {
        "label": place.label,
        "url": reverse(place.url_name),
        "icon": place.icon,
        "key": place.key,
        "count": counts.get(place.url_name, 0),
        "hot": place.url_name in WAIT_FOR_PEOPLE,
        "current": place.is_open(current),
    }


def _counts(user: Principal) -> dict[str, int]:
    return {
        "escalations": Escalation.objects.open().for_person(user).count(),
        "runs": Run.objects.under_way().visible_to(user).count(),
        "agents": Agent.objects.visible_to(user).exclude(status=Agent.Status.RETIRED).count(),
        "workflows": Workflow.objects.visible_to(user).count(),
        "incidents": Incident.objects.for_person(user).count(),
        "access": ReviewItem.objects.waiting_for(user).count(),
    }
