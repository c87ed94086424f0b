"""Spaces of shared memory: list them, add one, purge what an author put into them."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, PeopleOnly, PeopleWrite
from agents.models import Agent, Unit
from agents.operations import require
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of
from workflows import memory
from workflows.api.shapes.memory import PurgeInput, PurgeOutput, SpaceInput, SpaceOutput
from workflows.models import Space, Workflow

Answer = tuple[int, Mapping[str, Any]]


class SpacesView(PeopleWrite):
    """Spaces of shared memory: those one may see, and a new one."""

    scope = "memory:read"
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(SpaceOutput), summary="List the spaces of shared memory")
    def get(self, request: Request) -> Response:
        rows = Space.objects.visible_to(self.principal).select_related("unit", "agent", "workflow")
        return self.page(rows, SpaceOutput, by="code")

    @extend_schema(request=SpaceInput, responses={201: SpaceOutput}, parameters=[IDEMPOTENCY], summary="Add a space")
    def post(self, request: Request) -> Response:
        given = self.read(SpaceInput, request.data)
        require(self.principal, "workflows.add_space")
        self.require_recent()

        def act(key: str) -> Answer:
            terms = memory.SpaceTerms(
                code=given["code"], name=given["name"], purpose=given["purpose"], scope=given["scope"],
                schema=given["schema"], unit=self.named("unit", Unit.objects.all(), given["unit"]),
                agent=self.named("agent", Agent.objects.all(), given["agent"]),
                workflow=self.named("workflow", Workflow.objects.all(), given["workflow"]),
            )  # fmt: skip
            return 201, SpaceOutput(memory.add_space(terms, by=self.principal, at=database_now())).data

        return self.answer_once(request, act)

    def named(self, field: str, rows: QuerySet[Any], code: str) -> Any:
        """The row with this code that the person may see, None without a code."""
        found = rows.visible_to(self.principal).filter(code=code).first() if code else None  # type: ignore[attr-defined]
        if found is None and (code or field == "unit"):
            raise ledger.Invalid(fields={field: f"There is no {field} {code}, or you may not see it."})
        return found


class PurgeView(ActingDoor):
    """Purge what an author put into shared memory."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=PurgeInput, responses=PurgeOutput, parameters=[IDEMPOTENCY],
        summary="Purge what an author put into shared memory, with everything derived from it",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(PurgeInput, request.data)
        self.require_recent()

        def act(key: str) -> Answer:
            author = Agent.objects.visible_to(self.principal).filter(code=given["agent"]).first()
            if author is None:
                raise ledger.NotFound(f"There is no agent {given['agent']}, or you may not see it.")
            purged = memory.purge(author, by=self.principal, at=database_now(), why=given["why"])
            return 200, PurgeOutput(purged).data

        return self.answer_once(request, act)
