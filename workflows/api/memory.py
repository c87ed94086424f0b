"""Shared memory: look before one works, keep what was found."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, AgentsOnly
from observability import ledger
from observability.ledger import database_now
from workflows import memory
from workflows.models import Run, Space
from workflows.serializers import (
    FactAnswer,
    FactInput,
    FactQuery,
    fact_of,
)

Answer = tuple[int, Mapping[str, Any]]


class FactsView(ActingDoor):
    """Shared memory."""

    permission_classes = [AgentsOnly]
    scope = {"get": "memory:read", "post": "memory:write"}
    query = FactQuery

    def space(self, code: str) -> Space:
        """A space the agent may see; anything else is not found."""
        space: Space | None = Space.objects.visible_to(self.agent.principal).filter(code=code).first()
        if space is None:
            raise ledger.NotFound(f"There is no space {code} in shared memory, or you may not see it.")
        return space

    def run(self, uid: UUID | None) -> Run | None:
        """The run a fact belongs to, if one is named."""
        if uid is None:
            return None
        run = Run.objects.visible_to(self.agent.principal).select_related("workflow").filter(uid=uid).first()
        if run is None:
            raise ledger.NotFound(f"There is no run {uid}, or you may not see it.")
        return run

    @extend_schema(parameters=[FactQuery], responses=FactAnswer, summary="Look before you work")
    def get(self, request: Request) -> Response:
        given, at = self.asked, database_now()
        fact = memory.get(self.space(given["space"]), given["key"], agent=self.agent, at=at, run=self.run(given["run"]))
        return Response(fact_of(fact, at))

    @extend_schema(
        request=FactInput, responses={201: FactAnswer}, parameters=[IDEMPOTENCY], summary="Keep a finding for others"
    )
    def post(self, request: Request) -> Response:
        given = self.read(FactInput, request.data)
        own_key = f"memory:{request.headers.get('Idempotency-Key', '')}"[:200]
        # Asked before the act: what the policies answer stays on record when it is no and the act is undone.
        memory.permit(
            "memory.write", self.space(given["space"]), given["key"], agent=self.agent, at=database_now(),
            request_key=own_key,
        )  # fmt: skip

        def act(key: str) -> Answer:
            space, at = self.space(given["space"]), database_now()
            finding = {name: value for name, value in given.items() if name not in ("space", "run")}
            found = memory.Finding(run=self.run(given["run"]), **finding)
            return 201, fact_of(memory.put(space, found, agent=self.agent, at=at, request_key=own_key), at)

        return self.answer_once(request, act)
