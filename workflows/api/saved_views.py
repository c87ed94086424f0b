"""People's doors to saved views of lists for programs: of the queue, and of runs."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, PeopleOnly, StrictSerializer
from agents.api.shapes.reasons import NothingInput
from agents.api.versions import IF_MATCH, body_tag, require_match
from agents.models import Unit
from governance import operations as governance
from governance.models import SavedView, SavedViewQuerySet
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of
from workflows.api.shapes.queue import RunViewInput, RunViewOutput, ViewInput, ViewOutput

Answer = tuple[int, Mapping[str, Any]]


class ViewsDoor(ActingDoor):
    """What the doors of saved views share."""

    permission_classes = [PeopleOnly]
    table: ClassVar[str] = SavedView.Table.ESCALATIONS
    takes: ClassVar[type[StrictSerializer]] = ViewInput
    tells: ClassVar[type[ViewOutput]] = ViewOutput

    @property
    def views(self) -> SavedViewQuerySet:
        """Those of the list that this person may use."""
        return SavedView.objects.visible_to(self.principal).of(self.table)

    def terms(self, given: Mapping[str, Any]) -> governance.ViewTerms:
        """What the body asks for. Raises Invalid for a unit that one may not see."""
        code = given["unit"]
        unit = Unit.objects.visible_to(self.principal).filter(code=code).first() if code else None
        if code and unit is None:
            raise ledger.Invalid(fields={"unit": "Name the code of a unit that you may see."})
        return governance.ViewTerms(
            given["name"], given["query"], unit, given.get("is_team_default", False), self.table
        )

    def held(self, request: Request, uid: UUID) -> SavedView:
        """The view as it was read, held until the act is over. Raises MatchNeeded or ChangedSince."""
        found = self.one(uid, self.views.with_names().select_for_update(of=("self",)))
        require_match(request, body_tag(self.tells(found).data))
        return found

    def one(self, uid: UUID, views: SavedViewQuerySet) -> SavedView:
        """The view, if this person may see it. Raises NotFound otherwise."""
        found = views.filter(uid=uid).first()
        if found is None:
            raise ledger.NotFound
        return found

    def listed(self) -> Response:
        """A page of them."""
        return self.page(self.views.with_names(), self.tells, by="pk")

    def saved(self, request: Request) -> Response:
        """A new one."""
        given = self.read(self.takes, request.data)

        def act(key: str) -> Answer:
            view = governance.save_view(self.terms(given), by=self.principal, at=database_now())
            return 201, self.tells(view).data

        return self.answer_once(request, act)

    def shown(self, uid: UUID) -> Response:
        """One of them."""
        return self.tagged(self.tells(self.one(uid, self.views.with_names())).data)

    def changed(self, request: Request, uid: UUID) -> Response:
        """One of them as it is to be from now on."""
        given = self.read(self.takes, request.data)
        with transaction.atomic():
            found = self.held(request, uid)
            terms, at = self.terms(given), database_now()
            changed = governance.change_view(found, terms, edition=found.edition, by=self.principal, at=at)
        return self.tagged(self.tells(changed).data)

    def dropped(self, request: Request, uid: UUID) -> Response:
        """One of them as it was before it went."""
        self.read(NothingInput, request.data)

        def act(key: str) -> Answer:
            found = self.held(request, uid)
            told = self.tells(found).data
            governance.drop_view(found, by=self.principal, at=database_now())
            return 200, told

        return self.answer_once(request, act)


class ViewsView(ViewsDoor):
    """Saved views of the queue: those one may use, and a new one."""

    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(ViewOutput), summary="List saved views of the queue")
    def get(self, request: Request) -> Response:
        return self.listed()

    @extend_schema(
        request=ViewInput, responses={201: ViewOutput}, parameters=[IDEMPOTENCY], summary="Save a view of the queue"
    )
    def post(self, request: Request) -> Response:
        return self.saved(request)


class ViewView(ViewsDoor):
    """One saved view of the queue."""

    shows_one = True

    @extend_schema(responses=ViewOutput, summary="Show a saved view")
    def get(self, request: Request, uid: UUID) -> Response:
        return self.shown(uid)

    @extend_schema(request=ViewInput, responses=ViewOutput, parameters=[IF_MATCH], summary="Change a saved view")
    def patch(self, request: Request, uid: UUID) -> Response:
        return self.changed(request, uid)


class DropViewView(ViewsDoor):
    """Take a saved view of the queue away."""

    @extend_schema(
        request=NothingInput, responses=ViewOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Take a saved view away",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        return self.dropped(request, uid)


class RunViewsDoor(ViewsDoor):
    """What the doors of saved views of runs share."""

    table = SavedView.Table.RUNS
    takes = RunViewInput
    tells = RunViewOutput


class RunViewsView(RunViewsDoor):
    """Saved views of runs: those one may use, and a new one."""

    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(RunViewOutput), summary="List saved views of runs")
    def get(self, request: Request) -> Response:
        return self.listed()

    @extend_schema(
        request=RunViewInput, responses={201: RunViewOutput}, parameters=[IDEMPOTENCY], summary="Save a view of runs"
    )
    def post(self, request: Request) -> Response:
        return self.saved(request)


class RunViewView(RunViewsDoor):
    """One saved view of runs."""

    shows_one = True

    @extend_schema(responses=RunViewOutput, summary="Show a saved view of runs")
    def get(self, request: Request, uid: UUID) -> Response:
        return self.shown(uid)

    @extend_schema(
        request=RunViewInput, responses=RunViewOutput, parameters=[IF_MATCH], summary="Change a saved view of runs"
    )
    def patch(self, request: Request, uid: UUID) -> Response:
        return self.changed(request, uid)


class DropRunViewView(RunViewsDoor):
    """Take a saved view of runs away."""

    @extend_schema(
        request=NothingInput, responses=RunViewOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Take a saved view of runs away",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        return self.dropped(request, uid)
