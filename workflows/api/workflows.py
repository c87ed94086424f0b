"""Workflows: publish the next version of one."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, PeopleOnly
from observability import ledger
from observability.ledger import database_now
from workflows import operations
from workflows.models import Workflow
from workflows.serializers import (
    BpmnInput,
    PublishedOutput,
)

Answer = tuple[int, Mapping[str, Any]]


class WorkflowsView(ActingDoor):
    """Workflows: publish the next version of one from a BPMN file."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=BpmnInput, responses={201: PublishedOutput}, parameters=[IDEMPOTENCY], summary="Publish a BPMN file"
    )
    def post(self, request: Request) -> Response:
        given = self.read(BpmnInput, request.data)
        self.require_recent()

        def act(key: str) -> Answer:
            known = Workflow.objects.visible_to(self.principal).filter(code=given["code"]).first()
            if known is None:
                raise ledger.NotFound(f"There is no workflow {given['code']}, or you may not see it.")
            version = operations.publish(
                known.code, given["bpmn"].encode(), by=self.principal, at=database_now(), unit=known.unit,
                owner=known.owner, incident_path=known.incident_path,
            )  # fmt: skip
            return 201, {"workflow": known.code, "version": version.number, "sha256": version.sha256}

        return self.answer_once(request, act)
