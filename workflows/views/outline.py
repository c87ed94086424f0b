"""The outline: a draft, or what is live, as a numbered list that is read and changed with plain forms."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from agents.models import Principal
from agents.views import person
from observability import ledger
from observability.ledger import database_now
from workflows import operations
from workflows.forms import steps
from workflows.models import WorkflowDraft
from workflows.plan import ElementProblem, editing
from workflows.plan.outlining import Line, Way, outline_of
from workflows.plan.sheet import Sheet
from workflows.views.designer import bar_of, callable_by, open_draft_of
from workflows.views.drafting import may_change, open_draft, posted_revision
from workflows.views.workflows import path_names, role_names, visible_workflow

DONE = {
    "step": "The step is changed.", "values": "What the step leaves behind is changed.",
    "passes": "What it is started with is changed.", "repeat": "How often the step is done is changed.",
    "insert": "The new step is in its place. Say what it needs.", "way": "The way is changed.",
    "connect": "The way is drawn.", "timer": "The timer is on the step. Say what follows it.",
    "remove": "It is taken out.",
}  # fmt: skip


@dataclass
class Forms:
    """The forms about one step; of those, one was sent and may be wrong."""

    line: Line
    lines: list[Line]
    sent: str = ""
    data: QueryDict | None = None
    callable_here: list[tuple[str, str]] = field(default_factory=list)
    ways: list[tuple[Way, steps.WayForm]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.step = steps.StepForm(
            *self._sent("step"), line=self.line, callable_here=self.callable_here, auto_id="step-%s"
        )  # fmt: skip
        self.repeat = steps.RepeatForm(*self._sent("repeat"), line=self.line, auto_id="repeat-%s")
        self.insert = steps.InsertForm(*self._sent("insert"), line=self.line, auto_id="insert-%s")
        self.connect = steps.ConnectForm(*self._sent("connect"), line=self.line, lines=self.lines, auto_id="connect-%s")
        self.timer = steps.TimerForm(*self._sent("timer"), line=self.line, auto_id="timer-%s")
        self.remove = steps.RemoveForm(*self._sent("remove"), line=self.line)
        line, computed = self.line, self.line.is_worked_out
        self.values = steps.values_form(line.values, *self._sent("values"), prefix="value", computed=computed)
        self.passes = steps.values_form(line.passes, *self._sent("passes"), prefix="given", computed=True)
        flow = self.data.get("flow", "") if self.data is not None and self.sent == "way" else None
        for number, way in enumerate(self.line.ways):
            given = self._sent("way") if way.id == flow else ()
            form = steps.WayForm(*given, line=self.line, flow=way.id, auto_id=f"way-{number}-%s")
            self.ways.append((way, form))

    def _sent(self, act: str) -> tuple[QueryDict, ...]:
        return (self.data,) if act == self.sent and self.data is not None else ()

    @property
    def chosen(self) -> Any:
        """The form that was sent, None for no form of this step."""
        if self.sent == "way":
            return next((form for _, form in self.ways if form.is_bound), None)
        fits = {"repeat": self.line.can_repeat, "values": self.line.values_word, "passes": self.is_call}
        if not fits.get(self.sent, True):
            return None
        return getattr(self, self.sent, None) if self.sent in DONE else None

    def change(self) -> Callable[[Sheet], str]:
        """What the form that was sent does to the drawing."""
        if self.sent not in ("values", "passes"):
            made: Callable[[Sheet], str] = self.chosen.change
            return made
        tag, before = ("input", self.line.passes) if self.sent == "passes" else ("", self.line.values)

        def change(sheet: Sheet) -> str:
            editing.set_values(sheet, self.line.id, self.chosen.values(before), tag=tag)
            return self.line.id

        return change

    @property
    def is_call(self) -> bool:
        """Whether another workflow runs here."""
        return self.line.tag == "callActivity"

    @property
    def leads_on(self) -> bool:
        """Whether something can follow."""
        return self.line.tag != "endEvent"


class OutlinePage(LoginRequiredMixin, View):
    """The draft as a list, each step with its settings; without a draft, what is live, to read."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        return self.shown(request, user, code, chosen=request.GET.get("step", ""))

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        draft = open_draft(visible_workflow(user, code))
        operations.require_drafter(user, draft.workflow)
        step, act = request.POST.get("step", ""), request.POST.get("act", "")
        lines = outline_of(Sheet(draft.bpmn))
        line = next((each for each in lines if each.id == step), None)
        if line is None:
            return self.shown(request, user, code, said="This step is not in the draft any more.", status=409)
        asked = Forms(line, lines, act, request.POST, callable_by(user))
        if asked.chosen is None:
            raise ledger.NotFound
        if not asked.chosen.is_valid():
            return self.shown(request, user, code, chosen=step, asked=asked, status=400)
        try:
            place = self.change(draft, asked, request, user)
        except operations.DraftChanged as changed:
            said = f"{changed.draft.edited_by or 'Autonomy OS'} changed the draft meanwhile. Nothing was saved: look at"
            said += " the step as it is now and send your change again."
            return self.shown(request, user, code, chosen=step, asked=asked, said=said, status=409)
        except ledger.Invalid as wrong:
            return self.shown(request, user, code, chosen=step, asked=asked, said=wrong.detail, status=400)
        messages.success(request, DONE[act])
        return redirect(address(code, place))

    def change(self, draft: WorkflowDraft, asked: Forms, request: HttpRequest, user: Principal) -> str:
        """The change, kept as the next revision; where the reader goes on."""
        return operations.edit_draft(
            draft, asked.change(), revision=posted_revision(request), by=user, at=database_now()
        )  # fmt: skip

    def shown(
        self, request: HttpRequest, user: Principal, code: str, *, chosen: str = "", asked: Forms | None = None,
        said: str = "", status: int = 200,
    ) -> HttpResponse:  # fmt: skip
        """The page, with the forms of the chosen step open."""
        workflow, draft = open_draft_of(user, code)
        drawn = draft or workflow.versions.first()
        if drawn is None:
            raise ledger.NotFound("Nothing is drawn yet.")
        lines = outline_of(Sheet(drawn.bpmn))
        changes = draft is not None and may_change(user, draft)
        line = next((each for each in lines if each.id == chosen), None) if changes and chosen else None
        problems: dict[str, list[ElementProblem]] = {}
        for each in operations.problems_of(drawn.bpmn, workflow, at=database_now()) if draft is not None else ():
            problems.setdefault(each.element_id, []).append(each)
        page = {
            "bar": bar_of(user, workflow, draft, "outline"), "workflow": workflow, "draft": draft, "lines": lines,
            "rows": _rows(lines, problems),
            "changes": changes, "said": said,
            "forms": (asked or Forms(line, lines, callable_here=callable_by(user))) if line else None,
            "others": _elsewhere(problems, lines),
            "wrong": sum(operations.stops(each) for each in chain(*problems.values())),
        }  # fmt: skip
        return render(request, "workflows/workflow_outline.html", page, status=status)


def _rows(lines: list[Line], problems: dict[str, list[ElementProblem]]) -> list[dict[str, Any]]:
    """Each step with who does it, the step on whose edge it is, and what is wrong with it or a way that leaves it."""
    names, by_id = {**role_names(), **path_names()}, {line.id: line for line in lines}
    rows = []
    for line in lines:
        told = line.given.get("role") or line.given.get("path") or line.given.get("capability") or ""
        wrong = [*problems.get(line.id, ()), *(said for way in line.ways for said in problems.get(way.id, ()))]
        rows.append({"line": line, "who": names.get(told, told), "host": by_id.get(line.attached_to), "wrong": wrong})
    return rows


def _elsewhere(problems: dict[str, list[ElementProblem]], lines: list[Line]) -> list[str]:
    """What is wrong with the drawing as a whole."""
    known = {line.id for line in lines} | {way.id for line in lines for way in line.ways}
    return [each.reason for element, told in problems.items() if element not in known for each in told]


def address(code: str, step: str) -> str:
    """The outline with the forms of a step open."""
    page = reverse("workflow-outline", args=[code])
    return f"{page}?{urlencode({'step': step})}#el-{step}" if step else page
