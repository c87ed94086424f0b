"""The agents' door to giving a step away: back to the queue, or on to another role with what one knows."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, Door
from observability.ledger import database_now
from workflows import operations
from workflows.api.shapes.work import (
    HandedOutput,
    HandOffInput,
    HandOffOutput,
    HandOffsOutput,
    ReleasedOutput,
    ReleaseInput,
)
from workflows.api.work import Answer, WorkDoor
from workflows.operations import Given, Reference


class ReleaseView(WorkDoor):
    """Give a step back without blame."""

    @extend_schema(request=ReleaseInput, responses=ReleasedOutput, parameters=[IDEMPOTENCY], summary="Give a step back")
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(ReleaseInput, request.data)

        def act(key: str) -> Answer:
            step = operations.release(self.step(uid), agent=self.agent, at=database_now(), **given)
            return 200, {"status": step.status}

        return self.answer_once(request, act)


class HandOffView(WorkDoor):
    """Hand a step off to another role."""

    @extend_schema(
        request=HandOffInput, responses=HandedOutput, parameters=[IDEMPOTENCY], summary="Hand a step off to a role"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(HandOffInput, request.data)
        lease_token, references = given.pop("lease_token"), [Reference(**each) for each in given.pop("references")]

        def act(key: str) -> Answer:
            what = Given(references=references, **given)
            step = operations.hand_off(
                self.step(uid), what, agent=self.agent, lease_token=lease_token, at=database_now()
            )
            return 200, {"status": step.status}

        return self.answer_once(request, act)


class HandOffsView(Door):
    """What was handed off with a step."""

    scope = "work"

    @extend_schema(responses=HandOffsOutput, summary="Show what was handed off with a step")
    def get(self, request: Request, uid: UUID) -> Response:
        found = operations.read_hand_offs(uid, by=self.principal)
        body: dict[str, Any] = {"hand_offs": HandOffOutput(found, many=True).data}
        return Response(body)
