"""Blueprints at the API: people's programs list, write and change job descriptions."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents import operations
from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly
from agents.api.shapes.hiring import BlueprintChangeInput, BlueprintInput
from agents.api.versions import IF_MATCH, body_tag, require_match
from agents.models import Blueprint, Principal
from agents.operations.naming import Naming
from agents.serializers import BlueprintOutput
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of


class BlueprintsView(ActingDoor):
    """The job descriptions that the caller may see."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(BlueprintOutput), summary="List blueprints")
    def get(self, request: Request) -> Response:
        return self.page(Blueprint.objects.visible_to(self.principal).with_people(), BlueprintOutput, by="code")

    @extend_schema(
        request=BlueprintInput, responses={201: BlueprintOutput}, parameters=[IDEMPOTENCY], summary="Write a blueprint"
    )
    def post(self, request: Request) -> Response:
        given = self.read(BlueprintInput, request.data)

        def act(key: str) -> tuple[int, Mapping[str, Any]]:
            code, document = given["code"], {name: value for name, value in given.items() if name != "code"}
            named = Naming(document)
            rows = {"role": named.role(), "unit": named.unit(), "owner": named.person("owner")}
            named.require("The job description cannot be kept like this.")
            job = operations.JobDescription(**{**document, **rows})
            blueprint = operations.draft_blueprint(code, job, by=self.principal, at=database_now())
            return 201, BlueprintOutput(blueprint).data

        return self.answer_once(request, act)


class BlueprintView(Door):
    """One job description."""

    permission_classes = [PeopleOnly]
    shows_one = True

    @extend_schema(responses=BlueprintOutput, summary="Show a blueprint")
    def get(self, request: Request, code: str) -> Response:
        return self.tagged(BlueprintOutput(visible_blueprint(self.principal, code)).data)

    @extend_schema(
        request=BlueprintChangeInput, responses=BlueprintOutput, parameters=[IF_MATCH], summary="Change a blueprint"
    )
    def patch(self, request: Request, code: str) -> Response:
        blueprint = visible_blueprint(self.principal, code)
        given = self.read(BlueprintChangeInput, request.data)
        status, why = given.pop("status", None), given.pop("why")
        with transaction.atomic():
            operations.lock_blueprint(blueprint)
            require_match(request, tag_of_blueprint(blueprint))
            if given or status is None:
                operations.change_blueprint(blueprint, given, by=self.principal, at=database_now(), why=why)
            if status is not None:
                act = operations.activate_blueprint if status == "active" else operations.disable_blueprint
                act(blueprint, by=self.principal, at=database_now(), why=why)
        return _told(blueprint)


def visible_blueprint(user: Principal, code: str) -> Blueprint:
    """The blueprint, if this person may see it; not found otherwise."""
    found: Blueprint | None = Blueprint.objects.visible_to(user).with_people().filter(code=code).first()
    if found is None:
        raise ledger.NotFound
    return found


def tag_of_blueprint(blueprint: Blueprint) -> str:
    """The entity tag of the blueprint in its present state."""
    return body_tag(BlueprintOutput(blueprint).data)


def _told(blueprint: Blueprint) -> Response:
    return Response(BlueprintOutput(blueprint).data, headers={"ETag": tag_of_blueprint(blueprint)})
