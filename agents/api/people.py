"""People for programs of people: read, admit, change, disable. Names are seen by unit, as on the pages."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agents import operations
from agents.api.doors import IDEMPOTENCY, ActingDoor, PeopleOnly, StrictSerializer, Text
from agents.api.versions import etag, require_match
from agents.models import Principal, Unit
from observability import ledger
from observability.ledger import database_now

AT_MOST = 200
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True,
    description="The ETag of the person as you read it, or * for any state.",
)  # fmt: skip


class PersonInput(StrictSerializer):
    """A new person."""

    username = Text(max_length=60)
    name = Text(max_length=200)
    unit = Text(max_length=60)
    roles = serializers.ListField(child=Text(max_length=60), max_length=20)
    title = Text(max_length=120, required=False, allow_blank=True, default="")
    email = serializers.EmailField(required=False, allow_blank=True, default="")


class PersonChange(StrictSerializer):
    """What changes of a person; what is not named stays."""

    name = Text(max_length=200, required=False)
    unit = Text(max_length=60, required=False)
    roles = serializers.ListField(child=Text(max_length=60), max_length=20, required=False)
    title = Text(max_length=120, required=False, allow_blank=True)
    email = serializers.EmailField(required=False, allow_blank=True)
    why = Text(max_length=2000, required=False, allow_blank=True, default="")


class WhyInput(StrictSerializer):
    """A reason."""

    why = Text(max_length=2000)


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

    @extend_schema(operation_id="v1_people_list", responses=dict, summary="List people")
    def get(self, request: Request) -> Response:
        return Response({"results": [told(each) for each in seen_by(self.principal)[:AT_MOST]]})

    @extend_schema(request=PersonInput, responses=dict, parameters=[IDEMPOTENCY], summary="Admit a person")
    def post(self, request: Request) -> Response:
        given = self.read(PersonInput, request.data)
        self.require_recent()

        def act(key: str) -> tuple[int, Mapping[str, Any]]:
            person = operations.admit_person(
                **{**given, "unit": self.unit(given["unit"])}, password=None, by=self.principal, at=database_now()
            )
            return 201, told(self.person(person.username))

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

    @extend_schema(responses=dict, summary="Show a person")
    def get(self, request: Request, username: str) -> Response:
        return tagged(self.person(username))

    @extend_schema(request=PersonChange, responses=dict, parameters=[IF_MATCH], summary="Change a person")
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
        request=WhyInput, responses=dict, parameters=[IDEMPOTENCY, IF_MATCH], summary="Disable or enable a person"
    )
    def post(self, request: Request, username: str) -> Response:
        given = self.read(WhyInput, request.data)
        self.require_recent()
        operate = operations.enable if self.enables else operations.disable

        def act(key: str) -> tuple[int, Mapping[str, Any]]:
            operations.require_over(self.person(username), by=self.principal)
            person = self.locked(request, username)
            operate(person, by=self.principal, at=database_now(), why=given["why"])
            return 200, told(self.person(username))

        return self.answer_once(request, act)


def seen_by(user: Principal) -> Any:
    """The people that this one may see, in the order of their names to sign in with."""
    people = Principal.objects.all_people().visible_to(user).select_related("unit")
    return people.prefetch_related("groups").order_by("username")


def told(person: Principal) -> dict[str, Any]:
    """A person as the API shows it."""
    return {
        "username": person.username, "name": person.name, "title": person.title, "email": person.email,
        "unit": person.unit.code if person.unit else None, "roles": sorted(group.name for group in person.groups.all()),
        "is_active": person.is_active,
    }  # fmt: skip


def tag_of(person: Principal) -> str:
    """The entity tag of a person in this state."""
    return etag(person.pk, *told(person).values())


def tagged(person: Principal) -> Response:
    """The person with its entity tag."""
    return Response(told(person), headers={"ETag": tag_of(person)})
