"""People's door to saved views of the queue for programs."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, PeopleOnly
from agents.api.shapes.reasons import NothingInput
from agents.api.versions import IF_MATCH, body_tag, require_match
from agents.models import Principal, Unit
from governance import operations as governance
from governance.models import SavedView, SavedViewQuerySet
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of
from workflows.api.shapes.queue import ViewInput, ViewOutput

Answer = tuple[int, Mapping[str, Any]]


class ViewsDoor(ActingDoor):
    """What the doors of saved views share."""

    permission_classes = [PeopleOnly]

    def terms(self, given: Mapping[str, Any]) -> governance.ViewTerms:
        """What the body asks for. Raises Invalid for a unit that one may not see."""
        code = given["unit"]
        unit = Unit.objects.visible_to(self.principal).filter(code=code).first() if code else None
        if code and unit is None:
            raise ledger.Invalid(fields={"unit": "Name the code of a unit that you may see."})
        return governance.ViewTerms(given["name"], given["query"], unit, given["is_team_default"])

    def held(self, request: Request, uid: UUID) -> SavedView:
        """The view as it was read, held until the act is over. Raises MatchNeeded or ChangedSince."""
        found = visible(self.principal, uid, SavedView.objects.with_names().select_for_update(of=("self",)))
        require_match(request, body_tag(ViewOutput(found).data))
        return found


class ViewsView(ViewsDoor):
    """Saved views: those one may use, and a new one."""

    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(ViewOutput), summary="List saved views of the queue")
    def get(self, request: Request) -> Response:
        return self.page(SavedView.objects.visible_to(self.principal).with_names(), ViewOutput, by="pk")

    @extend_schema(
        request=ViewInput, responses={201: ViewOutput}, parameters=[IDEMPOTENCY], summary="Save a view of the queue"
    )
    def post(self, request: Request) -> Response:
        given = self.read(ViewInput, request.data)

        def act(key: str) -> Answer:
            view = governance.save_view(self.terms(given), by=self.principal, at=database_now())
            return 201, ViewOutput(view).data

        return self.answer_once(request, act)


class ViewView(ViewsDoor):
    """One saved view."""

    shows_one = True

    @extend_schema(responses=ViewOutput, summary="Show a saved view")
    def get(self, request: Request, uid: UUID) -> Response:
        return self.tagged(ViewOutput(visible(self.principal, uid, SavedView.objects.with_names())).data)

    @extend_schema(request=ViewInput, responses=ViewOutput, parameters=[IF_MATCH], summary="Change a saved view")
    def patch(self, request: Request, uid: UUID) -> Response:
        given = self.read(ViewInput, request.data)
        with transaction.atomic():
            found = self.held(request, uid)
            terms, at = self.terms(given), database_now()
            changed = governance.change_view(found, terms, edition=found.edition, by=self.principal, at=at)
        return self.tagged(ViewOutput(changed).data)


class DropViewView(ViewsDoor):
    """Take a saved view away."""

    @extend_schema(
        request=NothingInput, responses=ViewOutput, parameters=[IDEMPOTENCY, IF_MATCH], summary="Take a saved view away"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        self.read(NothingInput, request.data)

        def act(key: str) -> Answer:
            found = self.held(request, uid)
            told = ViewOutput(found).data
            governance.drop_view(found, by=self.principal, at=database_now())
            return 200, told

        return self.answer_once(request, act)


def visible(user: Principal, uid: UUID, views: SavedViewQuerySet) -> SavedView:
    """The view, if this user may see it; not found otherwise."""
    found = views.visible_to(user).filter(uid=uid).first()
    if found is None:
        raise ledger.NotFound
    return found
