"""Facts of shared memory, for people and agents: search, read one with its file, confirm it, find it wrong."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, Door
from agents.models import Agent, Principal
from observability import ledger
from observability.ledger import database_now
from observability.serializers import page_of
from workflows import memory
from workflows.api.shapes.memory import (
    FactAnswer,
    FactRow,
    FactsAnswer,
    FactShown,
    FactWhyInput,
    SearchQuery,
    fact_of,
    told,
)
from workflows.models import Fact, FactFile, FactQuerySet

Answer = tuple[int, Mapping[str, Any]]


class FactDoor(Door):
    """What the doors share that name a fact."""

    scope: Any = {"get": "memory:read", "post": "memory:write"}

    @property
    def by(self) -> Principal | Agent:
        """Who acts: a person, or an agent."""
        return self.agent if self.request.auth is not None else self.principal

    def facts(self) -> FactQuerySet:
        """The facts that the caller may see, with what the API tells of them."""
        seen = Fact.objects.visible_to(self.principal).select_related("space__unit", "author", "run__workflow", "file")
        return seen.prefetch_related("sources").defer("words", "file__content")

    def fact(self, uid: UUID) -> Fact:
        """One of them, as far as the policies let an agent read it; anything else is not found."""
        fact = self.facts().filter(uid=uid).first()
        if fact is None:
            raise ledger.NotFound
        if self.request.auth is not None:
            memory.permit("memory.read", fact.space, fact.key, agent=self.agent, at=database_now())
        return fact


class SearchView(FactDoor):
    """Search shared memory."""

    query = SearchQuery

    @extend_schema(parameters=[SearchQuery], responses=page_of(FactRow), summary="Search shared memory")
    def get(self, request: Request) -> Response:
        given, at = self.asked, database_now()
        if request.auth is not None:
            memory.permit_search(self.agent)
        wanted = {"space": "space__code", "author": "author__code", "kind": "kind"}
        found = self.facts().saying(given["q"])
        found = found.filter(**{column: given[name] for name, column in wanted.items() if given[name]})
        if given["state"] != "all":
            found = found.valid(at) if given["state"] == "valid" else found.to_confirm()
        return self.page_under({}, found, lambda rows: [FactRow(told(row, at)).data for row in rows], by="-id")


class FactView(FactDoor):
    """One fact."""

    shows_one = True

    @extend_schema(responses=FactShown, summary="Show a fact")
    def get(self, request: Request, uid: UUID) -> Response:
        return self.tagged({"fact": FactRow(told(self.fact(uid), database_now())).data})


class FactFileView(FactDoor):
    """The file of a fact."""

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)}, summary="Download its file"
    )
    def get(self, request: Request, uid: UUID) -> HttpResponse:
        file = FactFile.objects.filter(fact=self.fact(uid)).first()
        if file is None:
            raise ledger.NotFound("This fact is no file, or it was purged.")
        return file_answer(file)


def file_answer(file: FactFile) -> HttpResponse:
    """The file as a download that no browser opens or takes for anything else; its own type stands in the fact."""
    answer = HttpResponse(bytes(file.content), content_type="application/octet-stream")
    answer["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["Cache-Control"] = "private, no-store"
    return answer


class JudgingDoor(FactDoor, ActingDoor):
    """What the doors share that judge a fact."""

    def judge(self, request: Request, uid: UUID, act: Any) -> Response:
        """Act once, with the reason."""
        why = self.read(FactWhyInput, request.data)["why"]
        self.require_recent()

        def judged(key: str) -> Answer:
            at = database_now()
            return 200, act(self.judged(uid), at, why)

        return self.answer_once(request, judged)

    def judged(self, uid: UUID) -> Fact:
        """The fact that is judged: an agent that writes to its space sees it also while nobody has confirmed it."""
        fact = self.facts().filter(uid=uid).first()
        if fact is None and isinstance(self.by, Agent):
            low = Fact.objects.to_confirm().select_related("space__unit", "author", "run__workflow").filter(uid=uid)
            fact = low.first()
            fact = fact if fact is not None and memory.may_confirm(self.by, fact) else None
        if fact is None:
            raise ledger.NotFound
        return fact


class ConfirmView(JudgingDoor):
    """Confirm a fact."""

    @extend_schema(request=FactWhyInput, responses=FactAnswer, parameters=[IDEMPOTENCY], summary="Confirm a fact")
    def post(self, request: Request, uid: UUID) -> Response:
        return self.judge(
            request, uid, lambda fact, at, why: fact_of(memory.confirm(fact, by=self.by, at=at, why=why), at)
        )


class InvalidateView(JudgingDoor):
    """Find a fact wrong, with everything derived from it."""

    @extend_schema(
        request=FactWhyInput, responses=FactsAnswer, parameters=[IDEMPOTENCY],
        summary="Find a fact wrong, with everything derived from it",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        def act(fact: Fact, at: Any, why: str) -> dict[str, Any]:
            ended = [row.pk for row in memory.invalidate(fact, by=self.by, at=at, why=why)]
            rows = self.facts().filter(pk__in=ended).order_by("pk")
            return {"facts": [FactRow(told(row, at)).data for row in rows]}

        return self.judge(request, uid, act)
