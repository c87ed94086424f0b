"""People's door to safeguards for programs: the limits at which agents are stopped, the circuit breakers of systems."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly
from agents.api.shapes.reasons import ReasonInput
from agents.api.versions import IF_MATCH, require_match, tag_over
from agents.models import Role, System
from governance import operations
from governance.api.shapes.safeguards import (
    EVERYBODY,
    CircuitChangeInput,
    CircuitOutput,
    SafeguardChangeInput,
    SafeguardOutput,
    circuit_tag,
    circuits_of,
    safeguard_of,
    safeguard_tag,
)
from governance.models import FUSE, SafeguardRule, SystemGuard
from governance.operations import CircuitChange, SafeguardChange
from governance.rules.breaking import Fuse
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of

Answer = tuple[int, Mapping[str, Any]]


# --- limits ---------------------------------------------------------------------------------------------------------
class SafeguardsView(Door):
    """The limits that were set; what is not set for a role or for everybody is as usual."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(
        parameters=[PageQuery],
        responses=page_of(SafeguardOutput),
        summary="List the limits of safeguards that were set",
    )
    def get(self, request: Request) -> Response:
        found = SafeguardRule.objects.select_related("changed_by")
        return self.page_under({}, found, _told, by="role")


def _told(rules: list[SafeguardRule]) -> list[dict[str, Any]]:
    return [safeguard_of(rule.role, rule, rule.limits) for rule in rules]


class SafeguardDoor(Door):
    """What the doors to the limits of one role share."""

    permission_classes = [PeopleOnly]

    def role(self, name: str) -> str:
        """The code of the role, empty for everybody; not found when there is none."""
        if name == EVERYBODY:
            return ""
        if not Role.objects.filter(code=name).exists():
            raise ledger.NotFound
        return name

    def shown(self, role: str) -> tuple[dict[str, Any], str]:
        """The limits that hold for the role, and their entity tag."""
        rule = SafeguardRule.objects.select_related("changed_by").filter(role=role).first()
        body = safeguard_of(role, rule, operations.limits_for(role))
        return body, tag_over(safeguard_tag(role, rule), body)


class SafeguardView(SafeguardDoor):
    """The limits of one role, or of everybody."""

    shows_one = True

    @extend_schema(responses=SafeguardOutput, summary="Show the limits at which agents of a role are stopped")
    def get(self, request: Request, role: str) -> Response:
        return self.tagged(*self.shown(self.role(role)))

    @extend_schema(
        request=SafeguardChangeInput, responses=SafeguardOutput, parameters=[IF_MATCH],
        summary="Set the limits at which agents of a role are stopped",
    )  # fmt: skip
    def patch(self, request: Request, role: str) -> Response:
        given, code = self.read(SafeguardChangeInput, request.data), self.role(role)
        self.require_recent()
        why = given.pop("why")
        with transaction.atomic():
            require_match(request, safeguard_tag(code, operations.lock_safeguards(code)))
            change = SafeguardChange(code, replace(operations.limits_for(code), **given))
            operations.set_safeguards(change, by=self.principal, at=database_now(), why=why)
        body, tag = self.shown(code)
        return Response(body, headers={"ETag": tag})


class DropSafeguardView(SafeguardDoor, ActingDoor):
    """Let the limits of a role hold no more."""

    @extend_schema(
        request=ReasonInput, responses=SafeguardOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Drop the limits of a role",
    )  # fmt: skip
    def post(self, request: Request, role: str) -> Response:
        why, code = self.read(ReasonInput, request.data)["why"], self.role(role)
        self.require_recent()

        def act(key: str) -> Answer:
            rule = operations.lock_safeguards(code)
            if rule is None:
                raise ledger.WrongStatus("No limits of their own were set here.")
            require_match(request, safeguard_tag(code, rule))
            operations.drop_safeguards(rule, by=self.principal, at=database_now(), why=why)
            return 200, self.shown(code)[0]

        return self.answer_once(request, act)


# --- circuits -------------------------------------------------------------------------------------------------------
class CircuitsView(Door):
    """The circuit breakers of the systems one may see."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(CircuitOutput), summary="List circuit breakers of systems")
    def get(self, request: Request) -> Response:
        found = System.objects.visible_to(self.principal).select_related("unit")
        return self.page_under({}, found, circuits_of, by="code")


class CircuitView(Door):
    """The circuit breaker of one system."""

    permission_classes = [PeopleOnly]
    shows_one = True

    def system(self, code: str) -> System:
        """The system, if this person may see it; not found otherwise."""
        found: System | None = (
            System.objects.visible_to(self.principal).select_related("unit").filter(code=code).first()
        )
        if found is None:
            raise ledger.NotFound
        return found

    @extend_schema(responses=CircuitOutput, summary="Show the circuit breaker of a system")
    def get(self, request: Request, code: str) -> Response:
        system = self.system(code)
        body = circuits_of([system])[0]
        return self.tagged(body, tag_over(body["etag"], body))

    @extend_schema(
        request=CircuitChangeInput, responses=CircuitOutput, parameters=[IF_MATCH],
        summary="Set when a system is left alone",
    )  # fmt: skip
    def patch(self, request: Request, code: str) -> Response:
        given, system = self.read(CircuitChangeInput, request.data), self.system(code)
        self.require_recent()
        with transaction.atomic():
            guard = operations.lock_circuit(system)
            require_match(request, circuit_tag(guard))
            change = _changed(system, guard, given)
            operations.set_circuit(change, by=self.principal, at=database_now(), why=given["why"])
        body = circuits_of([system])[0]
        return Response(body, headers={"ETag": tag_over(body["etag"], body)})


def _changed(system: System, guard: SystemGuard, given: Mapping[str, Any]) -> CircuitChange:
    fuse = Fuse(**{name: given.get(name, getattr(guard, name)) for name in FUSE})
    return CircuitChange(system, fuse, is_untrusted=given.get("is_untrusted", guard.is_untrusted))
