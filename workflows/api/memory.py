"""Shared memory for agents: look before one works, claim what one finds out, keep what was found."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, AgentsOnly, Then
from observability import ledger
from observability.ledger import database_now
from workflows import memory
from workflows.api.shapes.memory import (
    ClaimOutput,
    FactAnswer,
    FactClaimInput,
    FactInput,
    FactQuery,
    ReleaseClaimInput,
    begun_of,
    fact_of,
    finding_in,
)
from workflows.models import Run, Space

Answer = tuple[int, Mapping[str, Any]]


class MemoryDoor(ActingDoor):
    """What the agents' doors to shared memory have in common."""

    permission_classes = [AgentsOnly]
    scope: Any = {"get": "memory:read", "post": "memory:write"}

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


class FactsView(MemoryDoor):
    """Shared memory."""

    query = FactQuery

    @extend_schema(
        operation_id="v1_memory_facts_look", parameters=[FactQuery], responses=FactAnswer,
        summary="Look before you work",
    )  # fmt: skip
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
            found = finding_in(given, run=self.run(given["run"]))
            return 201, fact_of(memory.put(space, found, agent=self.agent, at=at, request_key=own_key), at)

        return self.answer_once(request, act)


class ClaimsView(MemoryDoor):
    """Be the only one who finds something out."""

    @extend_schema(
        request=FactClaimInput, responses=ClaimOutput, parameters=[IDEMPOTENCY], summary="Claim what you find out"
    )
    def post(self, request: Request) -> Response:
        given = self.read(FactClaimInput, request.data)

        def act(key: str) -> Answer:
            at = database_now()
            begun = memory.begin(
                self.space(given["space"]), given["key"], agent=self.agent, at=at, seconds=given["seconds"],
                run=self.run(given["run"]),
            )  # fmt: skip
            return 200, begun_of(begun, at)

        def ready() -> bool:
            self.agent.principal.forget_grants()
            return memory.may_begin(self.space(given["space"]), given["key"], at=database_now())

        then = Then(act, ready, field="answer")
        return self.answer_once(request, act, then=then, wait_seconds=given["wait_seconds"])


class ReleaseView(MemoryDoor):
    """Leave it to somebody else."""

    @extend_schema(
        request=ReleaseClaimInput, responses=ClaimOutput, parameters=[IDEMPOTENCY], summary="Give up a claim"
    )
    def post(self, request: Request) -> Response:
        given = self.read(ReleaseClaimInput, request.data)

        def act(key: str) -> Answer:
            space = self.space(given["space"])
            memory.give_up(space, given["key"], agent=self.agent, token=given["token"], at=database_now())
            return 200, begun_of(memory.Begun(), database_now())

        return self.answer_once(request, act)
