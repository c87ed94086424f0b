"""The doors of a run's page through which people intervene in it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents.models import Agent
from agents.views import person
from observability import ledger
from observability.ledger import database_now
from workflows import operations
from workflows.forms.intervening import text_of
from workflows.models import Run
from workflows.operations import Reached
from workflows.views import hands
from workflows.views.hands import Hands
from workflows.views.run import told, visible_run

ACTS = ("pause", "resume", "restart", "retry", "skip", "reassign", "assign", "choose", "move", "variable")
CALLED = {"pause": " {many} that it called {are} paused with it.", "resume": " {many} that it called {go} on with it."}
DONE = {
    "pause": "Run {key} is paused.", "resume": "Run {key} goes on.", "restart": "Run {key} began again from {old}.",
    "retry": "It is tried again now.", "skip": "The step was skipped.", "reassign": "The step was given away.",
    "assign": "The step is kept for one agent alone.", "choose": "It is done now, or next.",
    "move": "Run {key} goes on there.", "variable": "The value was changed.",
}  # fmt: skip


class IntervenePage(LoginRequiredMixin, View):
    """One act on a run, one of its steps or one of its values; what does not fit is shown beside the form."""

    act = ""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, at = person(request), database_now()
        run = visible_run(user, uid)
        if not operations.may_intervene(user, run):
            raise ledger.NotAllowed
        card = self.card(run, request)
        hand = next((each for each in card.acts if each.act == self.act), None) if card else None
        if card is None or hand is None:
            messages.error(request, "This no longer fits: it went on meanwhile. Nothing was changed.")
            return redirect("run", uid)
        form: Any = hand.form
        try:
            if form.is_valid():
                acted = self.acted(run, request, form.given(), by=user, at=at, why="")
                return self.done(request, run, acted)
        except ledger.Invalid as wrong:
            hands.problems_of(form, wrong)
        except ledger.NotAllowed:
            raise
        except ledger.Refused as refused:
            messages.error(request, f"{refused.detail} Nothing was changed.")
            return redirect("run", uid)
        return render(request, "workflows/run.html", told(run, user, at) | {"card": card, "failed": form}, status=400)

    def card(self, run: Run, request: HttpRequest) -> Hands | None:
        """The card that was sent; None when what it is about is no longer there."""
        if self.act in hands.RUN_ACTS:
            return hands.of_run(run, self.act, request.POST)
        if self.act == "variable":
            return hands.of_variable(run, request.POST.get("name", ""), request.POST)
        if self.act == "move" and "step" not in request.POST:
            return hands.of_token(run, request.POST.get("token", ""), request.POST)
        step = hands.step_in(run, request.POST.get("step", ""))
        return hands.of_step(run, step, database_now(), self.act, request.POST) if step is not None else None

    def acted(self, run: Run, request: HttpRequest, given: dict[str, Any], **by: Any) -> Run | Reached:
        """The run that the act leads to: the same, perhaps with how many called ones it took along, or the new one."""
        by.pop("why")
        match self.act:
            case "pause":
                return operations.pause_run(run, **given, **by)
            case "resume":
                return operations.resume_run(run, **given, **by)
            case "restart":
                return operations.restart(run, **given, **by)
            case "variable":
                return self.changed(run, request.POST.get("name", ""), given, **by)
            case "move":
                token = request.POST.get("token", "")
                return operations.move_token(
                    run, int(token) if token.isdecimal() else 0, given.pop("to"), **given, **by
                )
        step = hands.step_in(run, request.POST.get("step", ""))
        if step is None:
            raise ledger.WrongStatus("The step has ended meanwhile.")
        match self.act:
            case "retry":
                operations.retry(step, **given, **by)
            case "assign":
                code = given.pop("agent")
                agent = Agent.objects.filter(code=code).first() if code else None
                operations.assign(step, agent, **given, **by)
            case "choose":
                operations.choose(step, given.pop("task"), **given, **by)
            case "skip":
                operations.skip(step, given.pop("output"), **given, **by)
            case _:
                operations.reassign(step, **given, **by)
        return run

    def changed(self, run: Run, name: str, given: dict[str, Any], **by: Any) -> Run:
        """The run with the new value, if it still holds what stood on the page."""
        element, _, wanted = name.partition(".")
        now, shown = run.variables[element][wanted], given.pop("shown")
        if text_of(now) != shown.replace("\r\n", "\n"):
            raise ledger.TooLate(f"It was changed meanwhile: it is {text_of(now)} now.")
        return operations.change_variable(run, name, given.pop("value"), before=now, **given, **by)

    def done(self, request: HttpRequest, old: Run, acted: Run | Reached) -> HttpResponse:
        """Back to the run, or on to the new one."""
        run, called = (acted.run, acted.called) if isinstance(acted, Reached) else (acted, 0)
        told = DONE[self.act].format(key=run.key, old=old.key)
        if called:
            words = ("1 run", "is", "goes") if called == 1 else (f"{called:,} runs", "are", "go")
            told += CALLED[self.act].format(many=words[0], are=words[1], go=words[2])
        messages.success(request, told)
        return redirect("run", run.uid)
