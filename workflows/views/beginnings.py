"""The pages about how runs begin: the form for one, and what begins them by itself."""

import secrets
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from agents.models import Principal
from agents.operations import require
from agents.views import person, require_recent
from governance.models import BusinessCalendar
from governance.operations import Paused
from observability import ledger
from observability.ledger import database_now
from workflows import operations
from workflows.forms import reason_in
from workflows.forms.beginnings import FollowForm, HookForm, ScheduleForm, StartForm
from workflows.models import Follow, Hook, Listener, Schedule, Workflow, WorkflowQuerySet
from workflows.operations.definitions import graph_of
from workflows.plan import Output
from workflows.views.workflows import visible_workflow

START, PUBLISH = "workflows.start_workflow", "workflows.publish_workflow"
SHOWN_AT_MOST = 200


class StartRun(LoginRequiredMixin, View):
    """Start a run: the form asks for what the start event of the newest version declares."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        workflow = _startable(person(request), code)
        return _start_page(request, workflow, StartForm(inputs=inputs_of(workflow)))

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        workflow = _startable(user, code)
        form = StartForm(request.POST, inputs=inputs_of(workflow))
        if form.is_valid():
            given = {"key": form.cleaned_data["key"], "variables": form.values}
            try:
                run, is_new = operations.start(workflow, by=user, at=database_now(), **given)
            except (ledger.Invalid, Paused) as refused:
                form.refuse(refused)
            else:
                told = "is started." if is_new else "was started before; this is it."
                messages.success(request, f"Run {run.key} {told}")
                return redirect("run", run.uid)
        return _start_page(request, workflow, form, status=400)


def _startable(user: Principal, code: str) -> Workflow:
    workflow = visible_workflow(user, code)
    require(user, START, workflow)
    return workflow


def inputs_of(workflow: Workflow) -> tuple[Output, ...]:
    """What the start event of the newest version asks for; nothing without a version."""
    version = workflow.versions.only("pk").first()
    return graph_of(version.pk).start.outputs if version is not None else ()


def _start_page(request: HttpRequest, workflow: Workflow, form: StartForm, *, status: int = 200) -> HttpResponse:
    fields = [form[name] for name in form.fields]
    shown = {"workflow": workflow, "form": form, "fields": fields, "has_version": workflow.versions.exists()}
    return render(request, "workflows/run_new.html", shown, status=status)


class BeginningsPage(LoginRequiredMixin, View):
    """How runs of a workflow begin: schedules, addresses, ends of others, messages."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        return _page(request, visible_workflow(user, code), user)


class AddSchedule(LoginRequiredMixin, View):
    """Begin runs by the calendar."""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        workflow = visible_workflow(user, code)
        form = ScheduleForm(request.POST, calendars=BusinessCalendar.objects.visible_to(user))

        def add() -> str:
            names = ("name", "rule", "zone", "missed", "calendar", "variables")
            plan = operations.Plan(**{name: form.cleaned_data[name] for name in names})
            operations.add_schedule(workflow, plan, by=user, at=database_now())
            return f"The schedule “{plan.name}” begins runs from now on."

        return _added(request, workflow, user, form, add, {"schedule_form": form})


class AddHook(LoginRequiredMixin, View):
    """Open an address for another system; its secret is shown once, on the page that answers."""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user, at = person(request), database_now()
        workflow = visible_workflow(user, code)
        require_recent(request)
        form = HookForm(request.POST, workflow=workflow)
        if form.is_valid():
            way = operations.Way(*(form.cleaned_data[name] for name in ("name", "message", "key_path")))
            try:
                hook, secret = operations.add_hook(workflow, way, by=user, at=at, random=secrets.token_bytes(32))
            except ledger.Invalid as refused:
                form.refuse(refused)
            else:
                address = request.build_absolute_uri(reverse("hook-call", args=[hook.uid]))
                answer = _page(request, workflow, user, {"new_hook": hook, "address": address, "secret": secret})
                answer["Cache-Control"] = "no-store"
                return answer
        return _page(request, workflow, user, {"hook_form": form}, status=400)


class AddFollow(LoginRequiredMixin, View):
    """Begin runs after those of another workflow."""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        workflow = visible_workflow(user, code)
        require(user, PUBLISH, workflow)
        form = FollowForm(request.POST, others=_others(user, workflow))

        def add() -> str:
            given = form.cleaned_data
            after, how = given["after"], {name: given[name] for name in ("status", "outcome")}
            operations.add_follow(workflow, after, by=user, at=database_now(), **how)
            return f"A run begins from now on after each of {after} that ends so."

        return _added(request, workflow, user, form, add, {"follow_form": form})


class DropFollow(LoginRequiredMixin, View):
    """Begin no more runs after those of the other workflow."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        follow = operations.find_follow(uid, user=user)
        operations.drop_follow(follow, by=user, at=database_now())
        messages.success(request, f"No run begins after those of {follow.after} any more.")
        return redirect("workflow-beginnings", follow.workflow.code)


def _others(user: Principal, workflow: Workflow) -> WorkflowQuerySet:
    """The workflows that this one may be let follow."""
    seen = Workflow.objects.visible_to(user).exclude(pk=workflow.pk).select_related("unit")
    return seen.filter(pk__in=[each.pk for each in seen if user.may(PUBLISH, each)])


def _added(
    request: HttpRequest, workflow: Workflow, user: Principal, form: Any, add: Callable[[], str], more: dict[str, Any]
) -> HttpResponse:
    if form.is_valid():
        try:
            told = add()
        except ledger.Invalid as refused:
            form.refuse(refused)
        else:
            messages.success(request, told)
            return redirect("workflow-beginnings", workflow.code)
    return _page(request, workflow, user, more, status=400)


class MoveSchedule(LoginRequiredMixin, View):
    """Pause, resume or end a schedule."""

    act = ""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, at = person(request), database_now()
        schedule = operations.find_schedule(uid, user=user)
        try:
            if self.act == "pause":
                operations.pause_schedule(schedule, by=user, at=at, why=reason_in(request.POST))
            elif self.act == "resume":
                operations.resume_schedule(schedule, by=user, at=at)
            else:
                operations.end_schedule(schedule, by=user, at=at, why=reason_in(request.POST))
        except (ledger.Invalid, ledger.WrongStatus) as refused:
            messages.error(request, refused.fields.get("why") or refused.detail)
        else:
            messages.success(request, f"The schedule “{schedule}” is {schedule.get_status_display().lower()}.")
        return redirect("workflow-beginnings", schedule.workflow.code)


class RevokeHook(LoginRequiredMixin, View):
    """Close an address for good."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        hook = operations.find_hook(uid, user=user)
        try:
            operations.revoke_hook(hook, by=user, at=database_now(), why=reason_in(request.POST))
        except (ledger.Invalid, ledger.WrongStatus) as refused:
            messages.error(request, refused.fields.get("why") or refused.detail)
        else:
            messages.success(request, f"The address “{hook}” is closed.")
        return redirect("workflow-beginnings", hook.workflow.code)


def _page(
    request: HttpRequest, workflow: Workflow, user: Principal, more: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    may_change = user.may(PUBLISH, workflow) and user.may(START, workflow)
    calendars = BusinessCalendar.objects.visible_to(user)
    seen = Workflow.objects.visible_to(user)
    hooks = Hook.objects.filter(workflow=workflow, status=Hook.Status.ACTIVE).select_related("author")[:SHOWN_AT_MOST]
    follows = Follow.objects.filter(workflow=workflow).select_related("after", "author")[:SHOWN_AT_MOST]
    shown = {
        "workflow": workflow, "may_change": may_change, "may_start": user.may(START, workflow),
        "schedules": Schedule.objects.filter(workflow=workflow).exclude(status="over").select_related("calendar"),
        "hooks": hooks, "silent_hooks": _silent(hooks, workflow),
        "follows": follows, "silent_follows": _silent(follows, workflow),
        "followers": workflow.followed_by.filter(workflow__in=seen).select_related("workflow")[:SHOWN_AT_MOST],
        "seen": set(seen.values_list("pk", flat=True)), "may_follow": user.may(PUBLISH, workflow),
        "listeners": Listener.objects.filter(workflow=workflow).order_by("-starts", "name", "element"),
        "schedule_form": ScheduleForm(calendars=calendars), "hook_form": HookForm(workflow=workflow),
        "follow_form": FollowForm(others=_others(user, workflow)),
    }  # fmt: skip
    return render(request, "workflows/beginnings.html", shown | (more or {}), status=status)


def _silent(rows: Iterable[Hook | Follow], workflow: Workflow) -> set[int]:
    """The keys of those for which nobody answers any more; each maker is asked about once."""
    makers = {each.author for each in rows}
    stands = {maker for maker in makers if operations.is_answered_for(maker, workflow)}
    return {each.pk for each in rows if each.author not in stands}
