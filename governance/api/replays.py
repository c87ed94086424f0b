"""The programs' door to replays, for people: ask for one over recorded decisions, follow it, read it, cancel it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, PeopleOnly
from governance import operations
from governance.api.shapes.replays import (
    CancelReplayInput,
    ComparedOutput,
    ReplayInput,
    ReplayOutput,
    ShadowOutput,
    ShadowQuery,
    result_of,
)
from governance.models import Policy, PolicyVersion, Replay
from governance.operations.replays import medians
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of

Answer = tuple[int, Mapping[str, Any]]
COMPARED = page_of(ComparedOutput)


class ReplayDoor(ActingDoor):
    """What the doors to replays share: a version that the person may see, and its replays."""

    permission_classes = [PeopleOnly]

    def version(self, key: str, number: int) -> PolicyVersion:
        """The version, if this person may see its policy; not found otherwise."""
        policies = Policy.objects.visible_to(self.principal).order_by()
        versions = PolicyVersion.objects.filter(policy__in=policies, policy__key=key, number=number)
        version = versions.select_related("policy__unit").first()
        if version is None:
            raise ledger.NotFound(f"There is no version {number} of a policy {key}, or you may not see it.")
        return version

    def replays(self, key: str, number: int) -> QuerySet[Replay]:
        """The replays of the version."""
        return self.version(key, number).replays.select_related("asked_by", "looked_by", "version__policy")

    def replay(self, key: str, number: int, uid: UUID) -> Replay:
        """One of them."""
        replay = self.replays(key, number).filter(uid=uid).first()
        if replay is None:
            raise ledger.NotFound("This version has no such replay.")
        return replay

    def shown(self, replay: Replay) -> dict[str, Any]:
        """The replay as this person may see it."""
        return dict(ReplayOutput(replay, context={"reader": self.principal}).data)


class ReplaysView(ReplayDoor):
    """Replays of one version."""

    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=page_of(ReplayOutput), summary="List replays of a version, newest first"
    )
    def get(self, request: Request, key: str, number: int) -> Response:
        return self.page(self.replays(key, number).defer("result"), ReplayOutput, by="-pk")

    @extend_schema(
        request=ReplayInput, responses={201: ReplayOutput}, parameters=[IDEMPOTENCY],
        summary="Replay recorded decisions with a version",
    )  # fmt: skip
    def post(self, request: Request, key: str, number: int) -> Response:
        given = self.read(ReplayInput, request.data)

        def act(once: str) -> Answer:
            version, at = self.version(key, number), database_now()
            since = at - timedelta(days=given["days"])
            replay = operations.ask_replay(
                version, since=since, until=at, by=self.principal, at=at, recounts=given["recounts"]
            )
            return 201, self.shown(replay)

        return self.answer_once(request, act)


class ReplayView(ReplayDoor):
    """One replay: how far it is, and what it found."""

    shows_one = True

    @extend_schema(responses=ReplayOutput, summary="Show a replay")
    def get(self, request: Request, key: str, number: int, uid: UUID) -> Response:
        replay = self.replay(key, number, uid)
        if replay.status == Replay.Status.DONE:
            operations.look_at(replay, by=self.principal, at=database_now())
        return self.tagged(self.shown(replay))


class ReplayDecisionsView(ReplayDoor):
    """The decisions that the version would have answered differently."""

    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=COMPARED,
        summary="List the decisions that differ in a replay, newest first",
    )  # fmt: skip
    def get(self, request: Request, key: str, number: int, uid: UUID) -> Response:
        flips = self.replay(key, number, uid).flips.visible_to(self.principal)
        told = operations.telling_to(self.principal)
        return self.page(flips.select_related("decision__agent"), ComparedOutput, by="pk", told=told)


class ShadowView(ReplayDoor):
    """A version in shadow: what it would have decided."""

    query = ShadowQuery

    @extend_schema(parameters=[ShadowQuery], responses=ShadowOutput, summary="Show what a version in shadow said")
    def get(self, request: Request, key: str, number: int) -> Response:
        at = database_now()
        since = at - timedelta(days=self.asked["days"])
        rulings = self.version(key, number).shadow_rulings.filter(at__gte=since)
        failed = rulings.exclude(failure="").count()
        result = result_of(rulings.filter(failure="").counts(), medians(at), self.principal)
        return Response(ShadowOutput({"since": since, "failed": failed, "result": result}).data)


class ShadowDecisionsView(ReplayDoor):
    """The decisions that a version in shadow would have answered differently."""

    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=COMPARED,
        summary="List the decisions that differ in shadow, newest first",
    )  # fmt: skip
    def get(self, request: Request, key: str, number: int) -> Response:
        said = self.version(key, number).shadow_rulings.filter(failure="").differing().visible_to(self.principal)
        told = operations.telling_to(self.principal)
        return self.page(said.select_related("decision__agent"), ComparedOutput, by="-pk", told=told)


class CancelReplayView(ReplayDoor):
    """End a replay that is not over."""

    @extend_schema(
        request=CancelReplayInput, responses=ReplayOutput, parameters=[IDEMPOTENCY], summary="Cancel a replay"
    )
    def post(self, request: Request, key: str, number: int, uid: UUID) -> Response:
        self.read(CancelReplayInput, request.data)

        def act(once: str) -> Answer:
            replay = self.replay(key, number, uid)
            operations.cancel_replay(replay, by=self.principal, at=database_now())
            return 200, self.shown(replay)

        return self.answer_once(request, act)
