"""People's door to escalation paths, business calendars and trainings for programs."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, PeopleOnly
from agents.api.versions import IF_MATCH, body_tag, require_match
from agents.models import Principal
from governance import operations
from governance.api.lists import home
from governance.api.shapes.paths import (
    CalendarChangeInput,
    CalendarInput,
    CalendarOutput,
    PathChangeInput,
    PathInput,
    PathOutput,
    TrainingInput,
    TrainingOutput,
)
from governance.models import BusinessCalendar, EscalationPath, Training
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of

Answer = tuple[int, Mapping[str, Any]]


class PathsView(ActingDoor):
    """Escalation paths: those one may see, and a new one."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(PathOutput), summary="List the escalation paths")
    def get(self, request: Request) -> Response:
        found = EscalationPath.objects.visible_to(self.principal).with_levels()
        return self.page(found, PathOutput, by="key")

    @extend_schema(
        request=PathInput, responses={201: PathOutput}, parameters=[IDEMPOTENCY], summary="Add an escalation path"
    )
    def post(self, request: Request) -> Response:
        given = self.read(PathInput, request.data)
        self.require_recent()

        def act(key: str) -> Answer:
            unit = home(self.principal, given["unit"])
            path = operations.add_path(
                given["key"], given["name"], unit=unit, levels=levels_in(given, self.principal),
                terms=terms_in(given, self.principal), by=self.principal, at=database_now(), why=given["reason"],
            )  # fmt: skip
            return 201, PathOutput(path).data

        return self.answer_once(request, act)


class PathView(ActingDoor):
    """One escalation path."""

    permission_classes = [PeopleOnly]
    shows_one = True

    @extend_schema(responses=PathOutput, summary="Show an escalation path")
    def get(self, request: Request, key: str) -> Response:
        return self.tagged(PathOutput(visible_path(self.principal, key)).data)

    @extend_schema(
        request=PathChangeInput, responses=PathOutput, parameters=[IF_MATCH], summary="Change an escalation path"
    )
    def patch(self, request: Request, key: str) -> Response:
        given = self.read(PathChangeInput, request.data)
        self.require_recent()
        with transaction.atomic():
            path = visible_path(self.principal, key)
            require_match(request, body_tag(PathOutput(path).data))
            operations.change_path(
                path, given["name"], levels=levels_in(given, self.principal), terms=terms_in(given, self.principal),
                edition=path.edition, by=self.principal, at=database_now(), why=given["reason"],
            )  # fmt: skip
        return self.tagged(PathOutput(visible_path(self.principal, key)).data)


def visible_path(user: Principal, key: str) -> EscalationPath:
    """The path, if this user may see it; not found otherwise."""
    found = EscalationPath.objects.visible_to(user).with_levels().filter(key=key).first()
    if found is None:
        raise ledger.NotFound
    return found


def levels_in(given: Mapping[str, Any], user: Principal) -> list[operations.Level]:
    """The levels of a body. Raises Invalid that names an unknown person."""
    return [
        operations.Level(
            each["seconds"], operations.people_named(each["people"]), each["role"], each["quorum"],
            each["remind_seconds"],
        )
        for each in given["levels"]
    ]  # fmt: skip


def terms_in(given: Mapping[str, Any], user: Principal) -> operations.PathTerms:
    """The terms of a body. Raises Invalid for a calendar that there is not."""
    calendar = BusinessCalendar.objects.visible_to(user).filter(key=given["calendar"]).first()
    if given["calendar"] and calendar is None:
        raise ledger.Invalid(fields={"calendar": "Name the key of a calendar that you may see."})
    return operations.PathTerms(
        mode=given["mode"], calendar=calendar, not_by=tuple(given["not_by"]), training=given["training"],
        approves_unanswered=given["approves_unanswered"], asking_pauses=given["asking_pauses"],
        pauses_at_most=given["pauses_at_most"], pause_hours_at_most=given["pause_hours_at_most"],
    )  # fmt: skip


# --- calendars ------------------------------------------------------------------------------------------------
class CalendarsView(ActingDoor):
    """Business calendars: those one may see, and a new one."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(CalendarOutput), summary="List the business calendars")
    def get(self, request: Request) -> Response:
        found = BusinessCalendar.objects.visible_to(self.principal).select_related("unit")
        return self.page(found, CalendarOutput, by="key")

    @extend_schema(
        request=CalendarInput, responses={201: CalendarOutput}, parameters=[IDEMPOTENCY],
        summary="Add a business calendar",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(CalendarInput, request.data)
        self.require_recent()

        def act(key: str) -> Answer:
            made = operations.add_calendar(
                given["key"], given["name"], document_in(given), unit=home(self.principal, given["unit"]),
                by=self.principal, at=database_now(),
            )  # fmt: skip
            return 201, CalendarOutput(made).data

        return self.answer_once(request, act)


class CalendarView(ActingDoor):
    """One business calendar."""

    permission_classes = [PeopleOnly]
    shows_one = True

    @extend_schema(responses=CalendarOutput, summary="Show a business calendar")
    def get(self, request: Request, key: str) -> Response:
        return self.tagged(CalendarOutput(visible_calendar(self.principal, key)).data)

    @extend_schema(
        request=CalendarChangeInput, responses=CalendarOutput, parameters=[IF_MATCH],
        summary="Change a business calendar",
    )  # fmt: skip
    def patch(self, request: Request, key: str) -> Response:
        given = self.read(CalendarChangeInput, request.data)
        self.require_recent()
        with transaction.atomic():
            calendar = visible_calendar(self.principal, key)
            require_match(request, body_tag(CalendarOutput(calendar).data))
            changed = operations.change_calendar(
                calendar, given["name"], document_in(given), edition=calendar.edition, by=self.principal,
                at=database_now(),
            )  # fmt: skip
        return self.tagged(CalendarOutput(changed).data)


def visible_calendar(user: Principal, key: str) -> BusinessCalendar:
    """The calendar, if this user may see it; not found otherwise."""
    found = BusinessCalendar.objects.visible_to(user).select_related("unit").filter(key=key).first()
    if found is None:
        raise ledger.NotFound
    return found


def document_in(given: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a calendar in a body."""
    return {name: given[name] for name in ("days", "from", "to", "zone", "holidays")}


# --- trainings ------------------------------------------------------------------------------------------------
class TrainingsView(ActingDoor):
    """Trainings of people whom one may see, and a new one or a later end."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(TrainingOutput), summary="List trainings")
    def get(self, request: Request) -> Response:
        found = Training.objects.filter(person__in=Principal.objects.all_people().visible_to(self.principal))
        return self.page(found.select_related("person"), TrainingOutput, by="pk")

    @extend_schema(
        request=TrainingInput, responses={201: TrainingOutput}, parameters=[IDEMPOTENCY],
        summary="Record until when a training counts",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(TrainingInput, request.data)
        self.require_recent()

        def act(key: str) -> Answer:
            people = Principal.objects.people().visible_to(self.principal)
            person = people.filter(username=given["person"]).first()
            if person is None:
                raise ledger.Invalid(fields={"person": "There is no such person, or you may not see them."})
            training = operations.record_training(
                person, given["name"], valid_until=given["valid_until"], by=self.principal, at=database_now()
            )
            return 201, TrainingOutput(training).data

        return self.answer_once(request, act)
