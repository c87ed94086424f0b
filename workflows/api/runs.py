"""Runs: list those one may see, start one or many, look at one."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, Door
from observability import ledger
from observability.ledger import database_now
from observability.serializers import page_of
from workflows import operations
from workflows.api.shapes.starting import RunsBatchInput, RunsBatchOutput, told_of
from workflows.models import Run, Workflow
from workflows.serializers import (
    RunInput,
    RunOutput,
    RunsQuery,
)

Answer = tuple[int, Mapping[str, Any]]


class StartDoor(ActingDoor):
    """A door at which runs are started."""

    scope = "work"

    def startable(self, code: str) -> Workflow:
        """The workflow, if one may see it. Raises NotFound."""
        seen = Workflow.objects.visible_to(self.principal).select_related("unit")
        workflow = seen.filter(code=code).first()
        if workflow is None:
            raise ledger.NotFound(f"There is no workflow {code}, or you may not see it.")
        return workflow


class RunsView(StartDoor):
    """Runs: list those one may see, start one."""

    query = RunsQuery

    @extend_schema(parameters=[RunsQuery], responses=page_of(RunOutput), summary="List runs, newest first")
    def get(self, request: Request) -> Response:
        runs = Run.objects.visible_to(self.principal)
        if code := self.asked["workflow"]:
            # Its key first: then the newest of one workflow stand in one index, in their order.
            known = Workflow.objects.visible_to(self.principal).filter(code=code).values_list("pk", flat=True).first()
            runs = Run.objects.filter(workflow=known)
        if status := self.asked["status"]:
            runs = runs.filter(status=status)
        return self.page(runs.as_told(), RunOutput, by="-pk")

    @extend_schema(
        request=RunInput, responses={200: RunOutput, 201: RunOutput}, parameters=[IDEMPOTENCY], summary="Start a run"
    )
    def post(self, request: Request) -> Response:
        given = self.read(RunInput, request.data)

        def act(key: str) -> Answer:
            workflow = self.startable(given["workflow"])
            by = self.agent if request.auth else self.principal
            asked = {"key": given["key"], "variables": given["input"], "priority": given["priority"]}
            run, new = operations.start(workflow, by=by, at=database_now(), works_anew=given["anew"], **asked)
            return (201 if new else 200), RunOutput(run).data

        return self.answer_once(request, act)


class RunsBatchView(StartDoor):
    """Many runs of one workflow."""

    @extend_schema(
        request=RunsBatchInput, responses=RunsBatchOutput, parameters=[IDEMPOTENCY], summary="Start many runs"
    )
    def post(self, request: Request) -> Response:
        """Start each, and tell what became of each."""
        given = self.read(RunsBatchInput, request.data)
        wanted = [operations.Wanted(each["key"], each["input"], each["priority"]) for each in given["runs"]]

        def act(key: str) -> Answer:
            workflow = self.startable(given["workflow"])
            by = self.agent if request.auth else self.principal
            begun = operations.start_many(workflow, wanted, by=by, at=database_now(), works_anew=given["anew"])
            return 200, {"results": [told_of(*each) for each in zip(wanted, begun, strict=True)]}

        return self.answer_once(request, act)


class RunView(Door):
    """One run."""

    scope = "work"
    shows_one = True

    @extend_schema(responses=RunOutput, summary="Show a run")
    def get(self, request: Request, uid: UUID) -> Response:
        run = Run.objects.visible_to(self.principal).as_told().filter(uid=uid).first()
        if run is None:
            raise ledger.NotFound
        return self.tagged(RunOutput(run).data)
