"""People's door to the control state for programs: what is stopped, what a stop would reach, the change, drills."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly
from governance import operations as governance
from governance.api.shapes.control import (
    ControlInput,
    ControlOutput,
    ControlPreviewOutput,
    ControlPreviewQuery,
    DrillInput,
    DrillOutput,
    drill_of,
    stop_of,
)
from governance.models import ControlDrill, ControlState
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of
from workflows import operations

Answer = tuple[int, Mapping[str, Any]]


class ControlView(ActingDoor):
    """What is stopped now, and a change of one scope: restrict, pause, or let go."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(ControlOutput), summary="List what is stopped now")
    def get(self, request: Request) -> Response:
        found = ControlState.objects.on(database_now()).visible_to(self.principal)
        return self.page_under({}, found, lambda rows: [stop_of(row) for row in rows], by="-pk")

    @extend_schema(
        request=ControlInput, responses=ControlOutput, parameters=[IDEMPOTENCY],
        summary="Restrict, pause or let go everything or one scope",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(ControlInput, request.data)
        scope = operations.find_scope(given["kind"], given["id"], user=self.principal)
        if governance.loosens(given["state"], scope, until=given["until"]):
            self.require_recent()

        def act(key: str) -> Answer:
            row = governance.change_control(
                given["state"], by=self.principal, at=database_now(), why=given["why"], scope=scope,
                until=given["until"],
            )  # fmt: skip
            return 200, stop_of(row)

        answer = self.answer_once(request, act)
        # Committed: now the leases, run by run, so that no run is waited for while decisions wait for the change.
        operations.void_leases(at=database_now())
        return answer


class ControlPreviewView(Door):
    """What a state would stop in a scope now."""

    permission_classes = [PeopleOnly]
    query = ControlPreviewQuery

    @extend_schema(
        parameters=[ControlPreviewQuery], responses=ControlPreviewOutput, summary="Show what a stop would reach"
    )
    def get(self, request: Request) -> Response:
        scope = operations.find_scope(self.asked["kind"], self.asked["id"], user=self.principal)
        now = governance.control_now(scope, at=database_now())
        may = governance.may_stop(self.principal, scope)
        # The numbers are of the whole company: only who may stop the scope learns them.
        counts = operations.stops_if(scope, self.asked["state"]).counts if may else None
        return Response({"scope": scope.key, "state": now.status, "would_stop": counts, "may_stop": may})


class DrillsView(ActingDoor):
    """Drills: practised stops, with who would have known how soon."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(DrillOutput), summary="List drills, newest first")
    def get(self, request: Request) -> Response:
        found = ControlDrill.objects.visible_to(self.principal).prefetch_related("sightings")
        return self.page_under({}, found, lambda rows: [drill_of(row) for row in rows], by="-pk")

    @extend_schema(
        request=DrillInput, responses={201: DrillOutput}, parameters=[IDEMPOTENCY],
        summary="Practise a stop; nothing stops",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(DrillInput, request.data)

        def act(key: str) -> Answer:
            scope = operations.find_scope(given["kind"], given["id"], user=self.principal)
            drill = operations.practise(scope, by=self.principal, at=database_now(), why=given["why"])
            return 201, drill_of(drill)

        return self.answer_once(request, act)


class DrillView(Door):
    """One drill."""

    permission_classes = [PeopleOnly]
    shows_one = True

    @extend_schema(responses=DrillOutput, summary="Show a drill and what it measured")
    def get(self, request: Request, uid: UUID) -> Response:
        found = ControlDrill.objects.visible_to(self.principal).prefetch_related("sightings")
        drill = found.filter(uid=uid).first()
        if drill is None:
            raise ledger.NotFound
        return self.tagged(drill_of(drill))
