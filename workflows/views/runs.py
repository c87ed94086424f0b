"""The pages about runs: the list with its filters, one run, and stopping it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.views import View

from agents.models import Agent, Principal, Unit
from agents.views import person
from governance.models import Escalation, Policy
from observability import ledger
from observability.ledger import database_now
from observability.models import Event
from observability.templatetags.ledger import inert
from workflows import operations
from workflows.charts import AGENT, doers, moments, run_states, time_rows
from workflows.forms import reason_in
from workflows.models import Run, RunQuerySet, Step, Workflow
from workflows.operations.definitions import graph_of
from workflows.views.keyset import page_of
from workflows.views.moments import begin_in, end_in
from workflows.views.workflows import path_names, role_names

COUNT_AT_MOST = 10_000
EVENTS_AT_MOST = 500
STATES = (
    ("under_way", "Under way"), ("running", "Running"), ("waiting", "Waits for a person"), ("done", "Done"),
    ("failed", "Failed"), ("cancelled", "Cancelled"),
)  # fmt: skip
COLUMNS = (
    "uid", "key", "status", "outcome", "started_at", "ended_at", "cost", "people_asked", "workflow__code",
    "workflow__name", "version__number",
)  # fmt: skip
ENDED = {"done", "failed", "cancelled"}


@dataclass
class RunFilter:
    """Which runs are wanted, read from the address; `wrong` says what in it could not be read.

    `state` is one of STATES; `touchless` "1" or "0" asks for finished runs without or with a person; `since` and
    `until` bound when runs ended if only ended ones are wanted, else when they started.
    """

    state: str = ""
    workflow: str = ""
    unit: str = ""
    outcome: str = ""
    agent: str = ""
    touchless: str = ""
    words: str = ""
    since: datetime | None = None
    until: datetime | None = None
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, query: QueryDict) -> "RunFilter":
        """The filter that an address asks for."""
        found = cls(words=query.get("q", "").strip()[:200])
        for name in ("workflow", "unit", "outcome", "agent"):
            setattr(found, name, query.get(name, "")[:200])
        found.state = found._one_of("state", query, {name for name, _ in STATES})
        found.touchless = found._one_of("touchless", query, {"0", "1"})
        found.since = found._moment("from", query, begin_in)
        found.until = found._moment("to", query, end_in)
        return found

    def _one_of(self, name: str, query: QueryDict, known: set[str]) -> str:
        text = query.get(name, "")
        if text and text not in known:
            self.wrong.append(f"{name} “{text[:40]}” is not known and was left out.")
            return ""
        return text

    def _moment(self, name: str, query: QueryDict, read: Callable[[str], datetime | None]) -> datetime | None:
        text = query.get(name, "").strip()
        try:
            return read(text)
        except ValueError:
            self.wrong.append(f"{name} “{text[:40]}” is not a day such as 2026-11-22 and was left out.")
            return None

    @property
    def by_end(self) -> bool:
        """Whether the period is about when runs ended, not when they started."""
        return self.state in ENDED or bool(self.touchless)

    def __bool__(self) -> bool:
        words = (self.state, self.workflow, self.unit, self.outcome, self.agent, self.touchless, self.words)
        return any(words) or bool(self.since or self.until)

    def applied(self, runs: RunQuerySet) -> RunQuerySet:
        """Those of the runs that are wanted."""
        plain = {"workflow__code": self.workflow, "outcome": self.outcome, "key__icontains": self.words}
        runs = runs.filter(**{name: value for name, value in plain.items() if value})
        if self.unit:
            runs = runs.filter(unit=int(self.unit)) if self.unit.isdecimal() and len(self.unit) < 18 else runs.none()
        if self.agent:
            runs = runs.filter(pk__in=Step.objects.filter(agent__code=self.agent).values("run"))
        return self._within(self._in_state(runs))

    def _in_state(self, runs: RunQuerySet) -> RunQuerySet:
        if self.touchless:
            runs = runs.filter(status=Run.Status.DONE)
            runs = runs.filter(people_asked=0) if self.touchless == "1" else runs.filter(people_asked__gt=0)
        if self.state in ENDED:
            return runs.filter(status=self.state)
        if self.state:
            runs = runs.filter(status=Run.Status.RUNNING)
        if self.state == "waiting":
            return runs.waiting()
        return runs.exclude(pk__in=Step.objects.for_people().run_ids()) if self.state == "running" else runs

    def _within(self, runs: RunQuerySet) -> RunQuerySet:
        column = "ended_at" if self.by_end else "started_at"
        if self.since:
            runs = runs.filter(**{f"{column}__gte": self.since})
        return runs.filter(**{f"{column}__lt": self.until}) if self.until else runs


class RunsPage(LoginRequiredMixin, View):
    """The runs that a person may see, newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at, wanted = person(request), database_now(), RunFilter.read(request.GET)
        visible = Run.objects.visible_to(user)
        found = wanted.applied(visible)
        columns = Run.objects.with_waiting().select_related("workflow", "version").only(*COLUMNS)
        page = page_of(found, request, shown=columns)
        count = found.order_by()[: COUNT_AT_MOST + 1].count()
        shown = {
            "rows": [_row(run, at) for run in page.rows], "page": page, "wanted": wanted, "states": STATES,
            "count": count, "many": count > COUNT_AT_MOST, "at_most": COUNT_AT_MOST,
        }  # fmt: skip
        return render(request, "workflows/runs.html", shown | _choices(user, visible))


def _row(run: Run, at: datetime) -> dict[str, Any]:
    return {"run": run, "state": state_of(run), "elapsed": (run.ended_at or at) - run.started_at}


def _choices(user: Principal, visible: RunQuerySet) -> dict[str, Any]:
    outcomes = visible.exclude(outcome="").order_by("outcome").values_list("outcome", flat=True).distinct()
    return {
        "workflows": Workflow.objects.visible_to(user).values_list("code", "name"),
        "units": Unit.objects.visible_to(user).values_list("pk", "name"),
        "agents": [(agent.code, str(agent)) for agent in Agent.objects.visible_to(user).only("code", "name")],
        "outcomes": list(outcomes[:50]),
    }


def state_of(run: Run) -> str:
    """The state in the words of the pages; needs `waits` from `with_waiting`."""
    return "waiting" if run.status == Run.Status.RUNNING and getattr(run, "waits", False) else run.status


class RunPage(LoginRequiredMixin, View):
    """One run: where it is, how long everything took, what was done and why."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, at = person(request), database_now()
        run = visible_run(user, uid)
        may_cancel = run.status == Run.Status.RUNNING and user.may("workflows.cancel_workflow", run.workflow)
        cancelling = may_cancel and request.GET.get("ask") == "cancel"
        return render(
            request, "workflows/run.html", told(run, user, at) | {"may_cancel": may_cancel, "cancelling": cancelling}
        )


class CancelRun(LoginRequiredMixin, View):
    """Stop a run, with a reason."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, at, why = person(request), database_now(), request.POST.get("why", "")
        run = visible_run(user, uid)
        try:
            operations.cancel(run, by=user, at=at, why=reason_in(request.POST))
        except ledger.Invalid as wrong:
            more = {"may_cancel": True, "cancelling": True, "why": why, "wrong": wrong.fields.get("why", wrong.detail)}
            return render(request, "workflows/run.html", told(run, user, at) | more, status=wrong.status)
        messages.success(
            request, f"Run {run.key} is cancelled. Its open steps were taken back, its questions withdrawn."
        )
        return redirect("run", uid)


class RunStates(LoginRequiredMixin, View):
    """What the drawing shows about a run, as JSON."""

    def get(self, request: HttpRequest, uid: UUID) -> JsonResponse:
        run = visible_run(person(request), uid)
        rows = time_rows(run, _steps(run), _step_events(run), database_now())
        who = doers(graph_of(run.version_id), role_names(), path_names())
        return JsonResponse({"elements": run_states(run, rows, who)})


def visible_run(user: Principal, uid: UUID) -> Run:
    """The run with `waits`, if this person may see it; not found otherwise."""
    runs = Run.objects.visible_to(user).with_waiting().select_related("workflow", "version", "unit", "started_by")
    run = runs.filter(uid=uid).first()
    if run is None:
        raise ledger.NotFound
    return run


def _steps(run: Run) -> list[Step]:
    return list(run.steps.select_related("agent", "escalation").order_by("id"))


def _step_events(run: Run) -> list[Event]:
    # All of them, whatever else happened: the time of a step is right only with its whole story.
    of_steps = Event.objects.filter(run=str(run.uid), subject_kind="step").order_by("id")
    return list(of_steps.only("verb", "after", "at", "subject_kind", "subject_id"))


def _newest_events(run: Run) -> list[Event]:
    return list(Event.objects.filter(run=str(run.uid)).order_by("-id")[:EVENTS_AT_MOST])


def told(run: Run, user: Principal, at: datetime) -> dict[str, Any]:
    """Everything that the page shows about a run."""
    steps = _steps(run)
    rows = time_rows(run, steps, _step_events(run), at)
    asked = list(Escalation.objects.open().visible_to(user).filter(run=str(run.uid)).order_by("due_at"))
    titles = dict(Policy.objects.visible_to(user).values_list("key", "title"))
    return {
        "run": run, "state": state_of(run), "rows": rows, "asked": asked, "at": at, "steps_open": _open(steps),
        "elapsed": (run.ended_at or at) - run.started_at,
        "worked": sum((row.total(AGENT) for row in rows), timedelta()),
        "moments": moments(_newest_events(run), titles), "variables": _variables(run),
    }  # fmt: skip


def _open(steps: list[Step]) -> int:
    return sum(step.status in (Step.Status.READY, Step.Status.WORKING, Step.Status.WAITING) for step in steps)


def _variables(run: Run) -> list[dict[str, Any]]:
    graph = graph_of(run.version_id)
    found = []
    for element, values in run.variables.items():
        node = graph.start if element == "input" else graph.nodes.get(element)
        labels = {output.name: output.label for output in node.outputs} if node else {}
        rows = [{"label": labels.get(name) or _spoken(name), "value": _plain(value)} for name, value in values.items()]
        title = "Given at the start" if element == "input" else node.name if node else element
        found.append({"name": title, "rows": rows})
    return found


def _spoken(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return inert(", ".join(map(str, value)) if isinstance(value, list) else value)
