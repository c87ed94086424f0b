"""Doing the same with every run that the filter shows: each is listed before it, each failure is told after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View

from agents.models import Principal
from agents.views import person
from observability import ledger
from observability.ledger import database_now
from workflows import operations
from workflows.forms.intervening import WhyForm
from workflows.models import Run, RunQuerySet, Workflow
from workflows.operations import RUNS_AT_MOST
from workflows.views.listing import is_uid
from workflows.views.run_filter import RunFilter, state_of

PAGE = "workflows/runs_together.html"
SHOWN_AT_MOST = 50
PAGED = ("before", "after", "act")


@dataclass(frozen=True)
class Kind:
    """One thing that can be done with many runs, its words, and the right it needs."""

    act: str
    button: str
    done: str
    icon: str
    right: str
    told: str

    def fitting(self, runs: RunQuerySet, user: Principal, seen: Sequence[Workflow]) -> RunQuerySet:
        """Those of the runs with which this person, who sees these workflows, can do it now."""
        runs = runs.filter(workflow__in=[each.pk for each in seen if user.may(self.right, each)])
        match self.act:
            case "pause":
                return runs.filter(status=Run.Status.RUNNING)
            case "resume":
                return runs.filter(status=Run.Status.PAUSED)
            case "retry":
                return runs.stuck()
        return runs.under_way()


KINDS = {
    kind.act: kind
    for kind in (
        Kind("retry", "Try {} again", "tried again", "rotate-cw", "workflows.intervene_workflow",
             "Every failed step of these runs is tried again now; the questions about them are withdrawn."),
        Kind("pause", "Pause {}", "paused", "pause", "workflows.intervene_workflow",
             "Nothing of these runs is handed out and their clocks stand still."),
        Kind("resume", "Let {} go on", "let go on", "play", "workflows.intervene_workflow",
             "They go on where they stood; their clocks are later by the time of the pause."),
        Kind("cancel", "Cancel {}", "cancelled", "x", "workflows.cancel_workflow",
             "Their open steps are taken back and their questions withdrawn. This cannot be undone."),
    )
}  # fmt: skip


def offers(found: RunQuerySet, user: Principal, request: HttpRequest) -> list[dict[str, Any]]:
    """What can be done with all that the filter shows: how many it is, and the page that asks for it."""
    offered, seen = [], list(Workflow.objects.visible_to(user))
    for kind in KINDS.values():
        number = kind.fitting(found, user, seen).order_by()[: RUNS_AT_MOST + 1].count()
        if number:
            url = f"{reverse('runs-together')}?{_query(request, kind)}"
            offered.append({
                "number": number, "too_many": number > RUNS_AT_MOST, "at_most": RUNS_AT_MOST, "icon": kind.icon,
                "words": kind.button.format(_runs(number)), "url": url,
                "hard": kind.act == "cancel",
            })  # fmt: skip
    return offered


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"


def _query(request: HttpRequest, kind: Kind | None = None) -> str:
    query = request.GET.copy()
    for name in PAGED:
        query.pop(name, None)
    if kind is not None:
        query["act"] = kind.act
    return query.urlencode()


class TogetherPage(LoginRequiredMixin, View):
    """The runs that the filter shows one by one, the act in all of them, and what became of each."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        kind = _kind(request.GET.get("act", ""))
        wanted, seen = RunFilter.read(request.GET), list(Workflow.objects.visible_to(user))
        found = kind.fitting(wanted.applied(Run.objects.visible_to(user), at), user, seen)
        runs = list(found.with_waiting().select_related("workflow").newest_first()[: RUNS_AT_MOST + 1])
        return self.asked(request, kind, runs, WhyForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        kind, form = _kind(request.POST.get("act", "")), WhyForm(request.POST)
        uids = [UUID(uid) for uid in request.POST.getlist("run")[: RUNS_AT_MOST + 1] if is_uid(uid)]
        try:
            if form.is_valid():
                outcomes = operations.act_together(kind.act, uids, by=user, at=at, why=form.cleaned_data["why"])
                return self.told(request, kind, outcomes)
        except ledger.Invalid as wrong:
            form.add_error(None, " ".join((wrong.detail, *wrong.fields.values())))
        seen = Run.objects.visible_to(user).with_waiting().filter(uid__in=uids).select_related("workflow")
        return self.asked(request, kind, list(seen.newest_first()), form, status=400)

    def asked(
        self, request: HttpRequest, kind: Kind, runs: list[Run], form: WhyForm, status: int = 200
    ) -> HttpResponse:
        """The question before it is done."""
        first = [(run, state_of(run)) for run in runs[:SHOWN_AT_MOST]]
        shown = {
            "kind": kind, "runs": runs, "first": first, "left_out": max(len(runs) - SHOWN_AT_MOST, 0),
            "too_many": len(runs) > RUNS_AT_MOST, "at_most": RUNS_AT_MOST, "form": form, "query": _query(request),
            "button": kind.button.format(_runs(len(runs))),
        }  # fmt: skip
        return render(request, PAGE, shown, status=status)

    def told(self, request: HttpRequest, kind: Kind, outcomes: list[operations.RunOutcome]) -> HttpResponse:
        """What became of each."""
        failed = [each for each in outcomes if each.refused is not None]
        shown = {
            "kind": kind, "outcomes": failed + [each for each in outcomes if each.refused is None],
            "done": _runs(len(outcomes) - len(failed)), "failed": len(failed), "query": _query(request),
        }  # fmt: skip
        return render(request, PAGE, shown)


def _kind(act: str) -> Kind:
    if act not in KINDS:
        raise ledger.NotFound
    return KINDS[act]
