"""Saved views of the list of runs: what they keep, what they show in words, and the menu of them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from agents.models import Agent, Principal, Unit
from governance.models import SavedView
from workflows.models import Workflow
from workflows.views.run_filter import AGES, SORTS, STATES, RunFilter
from workflows.views.saved_views import Listing

ASKED = {"1": "nobody was asked", "0": "somebody was asked"}


class RunsListing(Listing):
    """The list of runs."""

    table = SavedView.Table.RUNS
    name = "Runs"
    page, views, view, drop = "runs", "runs-views", "runs-view", "runs-view-drop"
    begins = False

    def kept(self, query: Mapping[str, str]) -> dict[str, str]:
        """What of an address a view keeps."""
        return RunFilter.read(_asked(query)).kept

    def words(self, user: Principal, query: Mapping[str, str]) -> str:
        """What a view shows, in words."""
        told = ", ".join(_told(user, RunFilter.read(_asked(query))))
        return told[:1].upper() + told[1:] if told else "All runs"

    def address(self, view: SavedView) -> str:
        """Where the list stands as the view shows it: the address carries the filter."""
        return reverse(self.page) + (f"?{urlencode(view.query)}" if view.query else "")


RUNS = RunsListing()


def _asked(query: Mapping[str, str]) -> QueryDict:
    asked = QueryDict(mutable=True)
    asked.update(dict(query))
    return asked


def _told(user: Principal, wanted: RunFilter) -> list[str]:
    unit = Unit.objects.visible_to(user).filter(pk=int(wanted.unit)).first() if wanted.unit.isdecimal() else None
    workflow = Workflow.objects.visible_to(user).filter(code=wanted.workflow).first() if wanted.workflow else None
    agent = Agent.objects.visible_to(user).filter(code=wanted.agent).first() if wanted.agent else None
    days = [wanted.given.get(name, "").strip() for name in ("from", "to")]
    told = (
        f"key with “{wanted.words}”" if wanted.words else "", dict(STATES).get(wanted.state, ""),
        str(workflow or wanted.workflow), f"version {wanted.version}" if wanted.version else "",
        f"open at {wanted.step}" if wanted.step else "", str(unit or wanted.unit), wanted.outcome,
        str(agent or wanted.agent), ASKED.get(wanted.touchless, ""),
        f"{days[0] or 'the beginning'} to {days[1] or 'today'}" if wanted.since or wanted.until else "",
        f"under way for {AGES[wanted.age][0]}" if wanted.age else "", wanted.value,
        SORTS[wanted.sort] if wanted.sort else "",
    )  # fmt: skip
    return [word for word in told if word]


def menu(user: Principal, wanted: RunFilter) -> dict[str, Any]:
    """The views that this person may use, and which of them the list shows now."""
    views = list(SavedView.objects.visible_to(user).of(RUNS.table).with_names())
    kept = wanted.kept
    return {
        "views": [(view, RUNS.address(view)) for view in views],
        "view": next((view for view in views if view.query == kept), None),
        "keep": reverse(RUNS.views) + (f"?{urlencode(kept)}" if kept else ""),
    }
