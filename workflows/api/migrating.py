"""People's doors to moving runs over to another version: what would happen, and doing it."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, PeopleOnly
from observability import ledger
from observability.ledger import database_now
from workflows import operations
from workflows.api.shapes.intervening import (
    MigrationInput,
    MigrationPlanInput,
    MigrationPlanOutput,
    RunsTogetherOutput,
    foreseen_of,
    outcome_of,
)
from workflows.models import Workflow

Answer = tuple[int, Mapping[str, Any]]


class MigrationDoor(ActingDoor):
    """What both doors share."""

    permission_classes = [PeopleOnly]

    def workflow(self, code: str) -> Workflow:
        """The workflow, if one may see it."""
        found = Workflow.objects.visible_to(self.principal).filter(code=code).first()
        if found is None:
            raise ledger.NotFound
        return found


class MigrationPlanView(MigrationDoor):
    """What would happen to the runs of a version; nothing is changed."""

    @extend_schema(
        request=MigrationPlanInput, responses=MigrationPlanOutput, summary="Plan moving runs to another version"
    )
    def post(self, request: Request, code: str) -> Response:
        """Foresee it for each run."""
        given, workflow = self.read(MigrationPlanInput, request.data), self.workflow(code)
        source, to = (operations.version_of(workflow, given[name]) for name in ("from_version", "to_version"))
        runs = list(operations.movable(workflow, source).order_by("id")[: operations.RUNS_AT_MOST + 1])
        listed = runs[: operations.RUNS_AT_MOST]
        results = [foreseen_of(each) for each in operations.foresee(listed, to, given["mapping"])]
        return Response({"results": results, "more": len(runs) > len(listed)})


class MigrationView(MigrationDoor):
    """Move runs over."""

    @extend_schema(
        request=MigrationInput, responses=RunsTogetherOutput, parameters=[IDEMPOTENCY],
        summary="Move runs to another version",
    )  # fmt: skip
    def post(self, request: Request, code: str) -> Response:
        """Each by itself; what became of each."""
        given, workflow = self.read(MigrationInput, request.data), self.workflow(code)

        def act(key: str) -> Answer:
            to = operations.version_of(workflow, given["to_version"])
            outcomes = operations.migrate_together(
                given["runs"], to, given["mapping"], by=self.principal, at=database_now(), why=given["why"]
            )
            return 200, {"results": [outcome_of(each) for each in outcomes]}

        return self.answer_once(request, act)
