"""People's door to incidents for programs: read them, let go on what they stopped, or leave an agent paused."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly
from agents.api.hiring import MovingDoor
from agents.api.shapes.reasons import ReasonInput, WhyInput
from agents.api.versions import IF_MATCH, require_match, tag_over
from agents.serializers import AgentDetail
from governance import operations
from governance.api.shapes.safeguards import (
    IncidentDetail,
    IncidentOutput,
    IncidentsQuery,
    incident_of,
    incident_tag,
    incident_with,
)
from governance.models import Incident
from observability import ledger
from observability.ledger import database_now
from observability.serializers import page_of

Answer = tuple[int, Mapping[str, Any]]


class IncidentDoor(Door):
    """What all doors to incidents share."""

    permission_classes = [PeopleOnly]

    def incident(self, uid: UUID) -> Incident:
        """The incident, if this person may see it; not found otherwise."""
        found = Incident.objects.visible_to(self.principal).with_names().filter(uid=uid).first()
        if found is None:
            raise ledger.NotFound
        return found

    def shown(self, incident: Incident) -> dict[str, Any]:
        """The incident with what led to it."""
        evidence = operations.evidence_for(incident, self.principal)
        return incident_with(incident, evidence, may_resolve=operations.may_resolve(self.principal, incident))


class IncidentsView(IncidentDoor):
    """Incidents: what safeguards stopped."""

    query = IncidentsQuery

    @extend_schema(
        parameters=[IncidentsQuery], responses=page_of(IncidentOutput), summary="List incidents, newest first"
    )
    def get(self, request: Request) -> Response:
        wanted = {"status": "status", "kind": "kind", "agent": "agent__code", "unit": "unit__code"}
        asked = {column: self.asked[name] for name, column in wanted.items() if self.asked[name]}
        found = Incident.objects.visible_to(self.principal).with_names().filter(**asked)
        return self.page_under({}, found, lambda rows: [incident_of(row) for row in rows], by="-pk")


class IncidentView(IncidentDoor):
    """One incident."""

    shows_one = True

    @extend_schema(responses=IncidentDetail, summary="Show an incident and what led to it")
    def get(self, request: Request, uid: UUID) -> Response:
        incident = self.incident(uid)
        body = self.shown(incident)
        return self.tagged(body, tag_over(incident_tag(incident), body))


class ResolvingDoor(IncidentDoor, ActingDoor):
    """What the doors share that resolve an incident: read, lock, compare the entity tag, act, tell."""

    def resolve(self, request: Request, uid: UUID, act: Callable[..., None]) -> Response:
        """Act once on the incident, if it is still as the caller read it."""
        why = self.read(ReasonInput, request.data)["why"]

        def resolved(key: str) -> Answer:
            incident = self.incident(uid)
            operations.lock_incident(incident)
            require_match(request, incident_tag(incident))
            act(incident, by=self.principal, at=database_now(), why=why)
            return 200, self.shown(incident)

        return self.answer_once(request, resolved)


class ReleaseView(ResolvingDoor):
    """Let go on what an incident stopped."""

    @extend_schema(
        request=ReasonInput, responses=IncidentDetail, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Let go on what an incident stopped",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        self.require_recent()
        return self.resolve(request, uid, operations.release)


class KeepView(ResolvingDoor):
    """Close an incident and leave its agent paused."""

    @extend_schema(
        request=ReasonInput, responses=IncidentDetail, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Close an incident and leave its agent paused",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        return self.resolve(request, uid, operations.keep_paused)


class ResumeView(MovingDoor):
    """Let a paused agent work again; one in quarantine is released with it, and that needs a reason."""

    loosens = True

    @extend_schema(
        request=WhyInput, responses=AgentDetail, parameters=[IDEMPOTENCY, IF_MATCH], summary="Resume an agent"
    )
    def post(self, request: Request, code: str) -> Response:
        why, by, at = self.read(WhyInput, request.data)["why"], self.principal, database_now()
        return self.move(request, code, lambda agent: operations.resume_agent(agent, by=by, at=at, why=why))
