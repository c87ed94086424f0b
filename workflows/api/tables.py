"""Decision tables of a workflow: publish one, list them, try what one decides."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly
from agents.models import Principal
from observability import ledger
from observability.ledger import database_now
from observability.serializers import page_of
from workflows import operations
from workflows.api.shapes.tables import DecidedOutput, TableInput, TableOutput, TablesQuery, TryTableInput
from workflows.models import DecisionTable, Workflow

Answer = tuple[int, Mapping[str, Any]]


def visible_workflow(user: Principal, code: str) -> Workflow:
    """The workflow, if this caller may see it; not found otherwise."""
    found: Workflow | None = Workflow.objects.visible_to(user).select_related("unit").filter(code=code).first()
    if found is None:
        raise ledger.NotFound(f"There is no workflow {code}, or you may not see it.")
    return found


def visible_table(user: Principal, uid: UUID) -> DecisionTable:
    """The edition of a table, if this caller may see its workflow; not found otherwise."""
    found = DecisionTable.objects.visible_to(user).select_related("workflow", "author").filter(uid=uid).first()
    if found is None:
        raise ledger.NotFound
    return found


class TablesView(ActingDoor):
    """The decision tables of one workflow."""

    permission_classes = [PeopleOnly]
    query = TablesQuery

    @extend_schema(
        parameters=[TablesQuery], responses=page_of(TableOutput),
        summary="List decision tables: the newest edition of each, or all editions of one",
    )  # fmt: skip
    def get(self, request: Request, code: str) -> Response:
        found = visible_workflow(self.principal, code).tables.select_related("workflow", "author").defer("dmn", "model")
        wanted = self.asked["code"]
        return self.page(found.filter(code=wanted) if wanted else found.newest(), TableOutput, by="-pk")

    @extend_schema(
        request=TableInput, responses={201: TableOutput}, parameters=[IDEMPOTENCY], summary="Publish a DMN file"
    )
    def post(self, request: Request, code: str) -> Response:
        given = self.read(TableInput, request.data)
        self.require_recent()

        def act(key: str) -> Answer:
            workflow = visible_workflow(self.principal, code)
            table = operations.publish_table(
                workflow, given["dmn"].encode(), by=self.principal, at=database_now(), decision=given["decision"],
                why=given["why"],
            )  # fmt: skip
            return 201, TableOutput(table).data

        return self.answer_once(request, act)


class TableView(Door):
    """One edition of a decision table."""

    permission_classes = [PeopleOnly]
    shows_one = True

    @extend_schema(responses=TableOutput, summary="Show an edition of a decision table")
    def get(self, request: Request, uid: UUID) -> Response:
        return self.tagged(TableOutput(visible_table(self.principal, uid)).data)


class TryTableView(Door):
    """What a table decides, without anything being kept."""

    permission_classes = [PeopleOnly]

    @extend_schema(request=TryTableInput, responses=DecidedOutput, summary="Try what a decision table decides")
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(TryTableInput, request.data)
        decided = operations.try_table(visible_table(self.principal, uid), given["facts"])
        return Response(DecidedOutput({"values": decided.values, "matched": decided.matched}).data)
