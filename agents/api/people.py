"""People for programs of people: read, admit, change, disable. Names are seen by unit, as on the pages."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents import operations
from agents.api.doors import IDEMPOTENCY, ActingDoor, PeopleOnly
from agents.api.shapes.people import AdmittedOutput, PersonChange, PersonInput, PersonOutput
from agents.api.shapes.reasons import ReasonInput
from agents.api.versions import IF_MATCH, body_tag, require_match
from agents.models import Principal, Unit
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of


class PersonDoor(ActingDoor):
    """What all doors to people share."""

    permission_classes = [PeopleOnly]

    def person(self, username: str) -> Principal:
        """The person, if the caller may see it; not found otherwise."""
        person: Principal | None = seen_by(self.principal).filter(username=username).first()
        if person is None:
            raise ledger.NotFound
        return person

    def unit(self, code: str) -> Unit:
        """The unit of this code, if the caller may see it."""
        unit = Unit.objects.visible_to(self.principal).filter(code=code).first()
        if unit is None:
            raise ledger.Invalid(fields={"unit": "Name the code of a unit that you may see."})
        return unit

    def locked(self, request: Request, username: str) -> Principal:
        """The person, locked, in the state that the caller has read."""
        person = self.person(username)
        Principal.objects.select_for_update().get(pk=person.pk)
        fresh = self.person(username)
        require_match(request, tag_of(fresh))
        return fresh


class PeopleView(PersonDoor):
    """The people of the units that the caller may see; IT admits one more."""

    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(PersonOutput), summary="List people")
    def get(self, request: Request) -> Response:
        return self.page(seen_by(self.principal), PersonOutput, by="username")

    @extend_schema(
        request=PersonInput, responses={201: AdmittedOutput}, parameters=[IDEMPOTENCY], summary="Admit a person"
    )
    def post(self, request: Request) -> Response:
        given = self.read(PersonInput, request.data)
        self.require_recent()

        def act(key: str) -> tuple[int, Mapping[str, Any]]:
            person = operations.admit_person(
                **{**given, "unit": self.unit(given["unit"])}, password=None, by=self.principal, at=database_now()
            )
            return 201, {**PersonOutput(self.person(person.username)).data, "invitation": None}

        answer = self.answer_once(request, act)
        # The link is a secret and therefore no part of the kept answer; a repeat makes it again until it is used.
        admitted = self.person(answer.data["username"])
        if not admitted.has_usable_password():
            link = request.build_absolute_uri(reverse("invitation", args=operations.invitation_for(admitted)))
            answer.data = {**answer.data, "invitation": link}
        answer["Cache-Control"] = "no-store"
        return answer


class PersonView(PersonDoor):
    """One person."""

    shows_one = True

    @extend_schema(responses=PersonOutput, summary="Show a person")
    def get(self, request: Request, username: str) -> Response:
        return self.tagged(PersonOutput(self.person(username)).data)

    @extend_schema(request=PersonChange, responses=PersonOutput, parameters=[IF_MATCH], summary="Change a person")
    def patch(self, request: Request, username: str) -> Response:
        given = self.read(PersonChange, request.data)
        self.require_recent()
        by, at = self.principal, database_now()
        operations.require_over(self.person(username), by=by)
        with transaction.atomic():
            person = self.locked(request, username)
            if {"name", "title", "email"} & set(given):
                words = {name: given.get(name, getattr(person, name)) for name in ("name", "title", "email")}
                operations.describe(person, by=by, at=at, **words)
            if {"roles", "unit"} & set(given):
                roles = given.get("roles", person.role_names)
                unit = self.unit(given["unit"]) if "unit" in given else None
                operations.change_roles(person, roles, unit=unit, by=by, at=at, why=given["why"])
        return tagged(self.person(username))


class DisableView(PersonDoor):
    """A person leaves, or comes back."""

    enables = False

    @extend_schema(
        request=ReasonInput, responses=PersonOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Disable or enable a person",
    )  # fmt: skip
    def post(self, request: Request, username: str) -> Response:
        given = self.read(ReasonInput, request.data)
        self.require_recent()
        operate = operations.enable if self.enables else operations.disable

        def act(key: str) -> tuple[int, Mapping[str, Any]]:
            operations.require_over(self.person(username), by=self.principal)
            person = self.locked(request, username)
            operate(person, by=self.principal, at=database_now(), why=given["why"])
            return 200, PersonOutput(self.person(username)).data

        return self.answer_once(request, act)


def seen_by(user: Principal) -> Any:
    """The people that this one may see, in the order of their names to sign in with."""
    people = Principal.objects.all_people().visible_to(user).select_related("unit")
    return people.prefetch_related("groups").order_by("username")


def tag_of(person: Principal) -> str:
    """The entity tag of a person in this state."""
    return body_tag(PersonOutput(person).data)


def tagged(person: Principal) -> Response:
    """The person with its entity tag."""
    return Response(PersonOutput(person).data, headers={"ETag": tag_of(person)})
