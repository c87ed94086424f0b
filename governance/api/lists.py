"""People's door to named lists for programs: read them, add one, change what one holds."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, PeopleOnly
from agents.api.versions import IF_MATCH, body_tag, require_match
from agents.models import Principal, Unit
from governance import operations
from governance.api.shapes.lists import ListChangeInput, ListInput, ListOutput
from governance.models import ValueList, ValueListQuerySet
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of

Answer = tuple[int, Mapping[str, Any]]


class ValueListsView(ActingDoor):
    """Named lists: those one may see, and a new one."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(ListOutput), summary="List the named lists")
    def get(self, request: Request) -> Response:
        return self.page(ValueList.objects.visible_to(self.principal).select_related("unit"), ListOutput, by="name")

    @extend_schema(request=ListInput, responses={201: ListOutput}, parameters=[IDEMPOTENCY], summary="Add a named list")
    def post(self, request: Request) -> Response:
        given = self.read(ListInput, request.data)
        self.require_recent()

        def act(key: str) -> Answer:
            named = {name: given[name] for name in ("title", "items")}
            unit = home(self.principal, given["unit"])
            made = operations.add_list(
                given["name"], **named, unit=unit, by=self.principal, at=database_now(), why=given["reason"]
            )
            return 201, ListOutput(made).data

        return self.answer_once(request, act)


def home(user: Principal, code: str) -> Unit:
    """The unit with this code, by default one's own. Raises Invalid when one may not see it."""
    unit = Unit.objects.visible_to(user).filter(code=code).first() if code else user.unit
    if unit is None:
        raise ledger.Invalid("The list needs a unit.", fields={"unit": "Name the code of a unit that you may see."})
    return unit


def visible_list(user: Principal, name: str, lists: ValueListQuerySet) -> ValueList:
    """The list, if this user may see it; not found otherwise."""
    found = lists.visible_to(user).select_related("unit").filter(name=name).first()
    if found is None:
        raise ledger.NotFound(f"There is no list {name}, or you may not see it.")
    return found


class ValueListView(ActingDoor):
    """One named list."""

    permission_classes = [PeopleOnly]
    shows_one = True

    @extend_schema(responses=ListOutput, summary="Show a named list")
    def get(self, request: Request, name: str) -> Response:
        return self.tagged(ListOutput(visible_list(self.principal, name, ValueList.objects.all())).data)

    @extend_schema(
        request=ListChangeInput, responses=ListOutput, parameters=[IF_MATCH], summary="Change what a named list holds"
    )
    def patch(self, request: Request, name: str) -> Response:
        given = self.read(ListChangeInput, request.data)
        self.require_recent()
        with transaction.atomic():
            found = visible_list(self.principal, name, ValueList.objects.select_for_update(of=("self",)))
            require_match(request, body_tag(ListOutput(found).data))
            changed = operations.change_list(
                found, items=given["items"], edition=found.edition, by=self.principal, at=database_now(),
                why=given["reason"],
            )  # fmt: skip
        return self.tagged(ListOutput(changed).data)
