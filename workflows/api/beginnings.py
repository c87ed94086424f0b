"""What begins runs of a workflow: schedules, addresses for other systems, the ends of other runs."""

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, PeopleOnly
from agents.api.shapes.reasons import NothingInput
from governance.models import BusinessCalendar
from observability import ledger
from observability.ledger import database_now
from observability.serializers import page_of
from workflows import operations
from workflows.api.shapes.beginnings import (
    BeginningsQuery,
    BeginningWhyInput,
    FollowInput,
    FollowOutput,
    HookInput,
    HookOutput,
    NewHookOutput,
    ScheduleInput,
    ScheduleOutput,
)
from workflows.models import Follow, Hook, Schedule, Workflow

Answer = tuple[int, Mapping[str, Any]]


class BeginningDoor(ActingDoor):
    """What all of them share: people say how runs begin."""

    permission_classes = [PeopleOnly]

    def workflow(self, code: str, field: str = "workflow") -> Workflow:
        """The workflow of this code. Raises NotFound for one that the person may not see."""
        found = Workflow.objects.visible_to(self.principal).select_related("unit").filter(code=code).first()
        if found is None:
            said = f"There is no workflow {code}, or you may not see it."
            raise ledger.NotFound(said, fields={field: said})
        return found

    def those(self, rows: Any) -> Any:
        """Those that the person may see, of the workflow that is asked for."""
        found = rows.visible_to(self.principal)
        code = self.asked["workflow"]
        return found.filter(workflow__code=code) if code else found


class SchedulesView(BeginningDoor):
    """Schedules of workflows."""

    query = BeginningsQuery

    @extend_schema(parameters=[BeginningsQuery], responses=page_of(ScheduleOutput), summary="List schedules")
    def get(self, request: Request) -> Response:
        found = self.those(Schedule.objects.select_related("workflow", "calendar"))
        return self.page(found, ScheduleOutput, by="pk")

    @extend_schema(
        request=ScheduleInput, responses={201: ScheduleOutput}, parameters=[IDEMPOTENCY],
        summary="Begin runs by the calendar",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(ScheduleInput, request.data)

        def act(key: str) -> Answer:
            plan = operations.Plan(
                name=given["name"], rule=given["rule"], zone=given["zone"], missed=given["missed"],
                variables=given["input"], calendar=self.calendar(given["calendar"]),
            )  # fmt: skip
            workflow = self.workflow(given["workflow"])
            schedule = operations.add_schedule(workflow, plan, by=self.principal, at=database_now())
            return 201, ScheduleOutput(schedule).data

        return self.answer_once(request, act)

    def calendar(self, key: str) -> BusinessCalendar | None:
        """The business calendar of this key. Raises Invalid for one that the person may not see."""
        found = BusinessCalendar.objects.visible_to(self.principal).filter(key=key).first() if key else None
        if key and found is None:
            raise ledger.Invalid(fields={"calendar": "Name the key of a calendar that you may see."})
        return found


class ScheduleView(BeginningDoor):
    """One schedule."""

    shows_one = True

    @extend_schema(responses=ScheduleOutput, summary="Show a schedule")
    def get(self, request: Request, uid: UUID) -> Response:
        return self.tagged(ScheduleOutput(operations.find_schedule(uid, user=self.principal)).data)


class PauseScheduleView(BeginningDoor):
    """Begin no more runs for now."""

    @extend_schema(
        request=BeginningWhyInput, responses=ScheduleOutput, parameters=[IDEMPOTENCY], summary="Pause a schedule"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(BeginningWhyInput, request.data)

        def act(key: str) -> Answer:
            schedule = operations.find_schedule(uid, user=self.principal)
            operations.pause_schedule(schedule, by=self.principal, at=database_now(), why=given["why"])
            return 200, ScheduleOutput(schedule).data

        return self.answer_once(request, act)


class ResumeScheduleView(BeginningDoor):
    """Begin runs again."""

    @extend_schema(
        request=NothingInput, responses=ScheduleOutput, parameters=[IDEMPOTENCY], summary="Resume a schedule"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        self.read(NothingInput, request.data)

        def act(key: str) -> Answer:
            schedule = operations.find_schedule(uid, user=self.principal)
            operations.resume_schedule(schedule, by=self.principal, at=database_now())
            return 200, ScheduleOutput(schedule).data

        return self.answer_once(request, act)


class EndScheduleView(BeginningDoor):
    """Begin no runs any more."""

    @extend_schema(
        request=NothingInput, responses=ScheduleOutput, parameters=[IDEMPOTENCY], summary="End a schedule for good"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        self.read(NothingInput, request.data)

        def act(key: str) -> Answer:
            schedule = operations.find_schedule(uid, user=self.principal)
            operations.end_schedule(schedule, by=self.principal, at=database_now())
            return 200, ScheduleOutput(schedule).data

        return self.answer_once(request, act)


class HooksView(BeginningDoor):
    """Addresses for other systems."""

    query = BeginningsQuery

    @extend_schema(parameters=[BeginningsQuery], responses=page_of(HookOutput), summary="List hooks")
    def get(self, request: Request) -> Response:
        return self.page(self.those(Hook.objects.select_related("workflow")), HookOutput, by="pk")

    @extend_schema(
        request=HookInput, responses={201: NewHookOutput}, parameters=[IDEMPOTENCY],
        summary="Open an address for another system",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(HookInput, request.data)
        self.require_recent()

        def act(key: str) -> Answer:
            way = operations.Way(given["name"], given["message"], given["key_path"])
            hook, secret = operations.add_hook(
                self.workflow(given["workflow"]), way, by=self.principal, at=database_now(),
                random=secrets.token_bytes(32),
            )  # fmt: skip
            return 201, {**HookOutput(hook).data, "path": reverse("hook-call", args=[hook.uid]), "secret": secret}

        return self.answer_once(request, act, secret="secret")


class RevokeHookView(BeginningDoor):
    """Close an address."""

    @extend_schema(
        request=BeginningWhyInput, responses=HookOutput, parameters=[IDEMPOTENCY], summary="Close a hook for good"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(BeginningWhyInput, request.data)

        def act(key: str) -> Answer:
            hook = operations.find_hook(uid, user=self.principal)
            operations.revoke_hook(hook, by=self.principal, at=database_now(), why=given["why"])
            return 200, HookOutput(hook).data

        return self.answer_once(request, act)


class FollowsView(BeginningDoor):
    """Workflows that begin after the runs of others."""

    query = BeginningsQuery

    @extend_schema(parameters=[BeginningsQuery], responses=page_of(FollowOutput), summary="List what begins after what")
    def get(self, request: Request) -> Response:
        return self.page(self.those(Follow.objects.select_related("workflow", "after")), FollowOutput, by="pk")

    @extend_schema(
        request=FollowInput, responses={201: FollowOutput}, parameters=[IDEMPOTENCY],
        summary="Begin runs after those of another workflow",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(FollowInput, request.data)

        def act(key: str) -> Answer:
            follow = operations.add_follow(
                self.workflow(given["workflow"]), self.workflow(given["after"], "after"), by=self.principal,
                at=database_now(), status=given["status"], outcome=given["outcome"],
            )  # fmt: skip
            return 201, FollowOutput(follow).data

        return self.answer_once(request, act)


class DropFollowView(BeginningDoor):
    """Begin no runs after the other's any more."""

    @extend_schema(
        request=NothingInput, responses=FollowOutput, parameters=[IDEMPOTENCY], summary="Take a connection away"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        self.read(NothingInput, request.data)

        def act(key: str) -> Answer:
            follow = operations.find_follow(uid, user=self.principal)
            told = dict(FollowOutput(follow).data)
            operations.drop_follow(follow, by=self.principal, at=database_now())
            return 200, told

        return self.answer_once(request, act)
