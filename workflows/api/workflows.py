"""Workflows: put the file of one before a second person."""

import hashlib
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, PeopleOnly
from observability import ledger
from observability.ledger import database_now
from workflows import operations
from workflows.models import Workflow, WorkflowDraft
from workflows.serializers import BpmnInput, ProposedOutput

Answer = tuple[int, Mapping[str, Any]]


class WorkflowsView(ActingDoor):
    """Workflows: hand in a BPMN file as the next version of one."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=BpmnInput, responses={200: ProposedOutput, 201: ProposedOutput}, parameters=[IDEMPOTENCY],
        summary="Put a BPMN file before a second person",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(BpmnInput, request.data)

        def act(key: str) -> Answer:
            code, at = given["code"], database_now()
            known = Workflow.objects.visible_to(self.principal).select_related("unit").filter(code=code).first()
            if known is None:
                raise ledger.NotFound(f"There is no workflow {code}, or you may not see it.")
            made = operations.propose(known, given["bpmn"], by=self.principal, at=at, why=given["reason"])
            if not isinstance(made, WorkflowDraft):
                told = {"status": "published", "revision": None, "version": made.number, "sha256": made.sha256}
                return 200, {"workflow": code, **told}
            digest = hashlib.sha256(made.bpmn.encode()).hexdigest()
            told = {"status": made.status, "revision": made.revision, "version": None, "sha256": digest}
            return 201 if made.created_at == at else 200, {"workflow": code, **told}

        return self.answer_once(request, act)
