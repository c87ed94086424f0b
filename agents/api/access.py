"""Who may, and why, for programs: the rights on an object, the rights of a principal, giving and taking them away."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents import operations
from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly
from agents.api.shapes.access import GrantInput, HoldingOutput, ObjectAccessPage, PrincipalAccessPage, TakeQuery
from agents.api.versions import IF_MATCH, etag, require_match
from agents.models import Grant, Principal, RoleGrant, Unit
from agents.models.access import unit_of
from agents.operations import holdings
from agents.operations.holdings import Holding
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery


class ObjectAccessView(Door):
    """Who may do what with one object?"""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=ObjectAccessPage, summary="Who may?")
    def get(self, request: Request, kind: str, key: str) -> Response:
        row = holdings.find_object(kind, key, viewer=self.principal)
        if row is None:
            raise ledger.NotFound
        at = database_now()
        unit = Unit.objects.get(pk=unit_of(row)).code
        head = {
            "object": {**_named(row), "unit": unit}, "may_change": holdings.may_change_rights(self.principal, row),
            "roles": shown(holdings.roles_reaching(row, at=at)),
        }  # fmt: skip
        grants = holdings.grants_reaching(row, at=at)
        return self.page_under(head, grants, lambda some: shown(holdings.holdings_on(row, some)), by="pk")


class PrincipalAccessView(Door):
    """What may one person or agent do?"""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=PrincipalAccessPage, summary="What may this person or agent?")
    def get(self, request: Request, username: str) -> Response:
        principal = Principal.objects.get_queryset().visible_to(self.principal).filter(username=username).first()
        if principal is None:
            raise ledger.NotFound
        at = database_now()
        head = {
            "principal": {"kind": principal.kind, "id": principal.username, "name": str(principal)},
            "roles": shown(holdings.role_holdings(principal, viewer=self.principal, at=at)),
        }
        grants = holdings.grants_of(principal, viewer=self.principal, at=at)
        return self.page_under(head, grants, lambda some: shown(holdings.holdings_of(some)), by="pk")


class GrantsView(ActingDoor):
    """Give a right."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=GrantInput,
        responses={201: HoldingOutput},
        parameters=[IDEMPOTENCY],
        summary="Give a right on one object",
    )
    def post(self, request: Request) -> Response:
        given = self.read(GrantInput, request.data)
        self.require_recent()

        def act(key: str) -> tuple[int, Mapping[str, Any]]:
            row = holdings.find_object(given["kind"], given["id"], viewer=self.principal)
            if row is None:
                raise ledger.NotFound
            grant = operations.grant(
                given["permission"], self.receiver(given), row, by=self.principal, at=database_now(),
                reason=given["reason"], expires_at=given["expires_at"],
            )  # fmt: skip
            return 201, shown(holdings.holdings_of([grant]))[0]

        return self.answer_once(request, act)

    def receiver(self, given: Mapping[str, Any]) -> Principal | Group:
        """The person, agent or role that is named. Raises Invalid when there is none that the giver may see."""
        if bool(given["to"]) == bool(given["role"]):
            raise ledger.Invalid(fields={"to": "Name either a person or agent in `to`, or a role in `role`."})
        if given["role"]:
            role = Group.objects.filter(name=given["role"]).first()
            if role is None:
                raise ledger.Invalid(fields={"role": "There is no such role."})
            return role
        visible = Principal.objects.get_queryset().visible_to(self.principal)
        principal = visible.filter(username=given["to"]).first()
        if principal is None:
            raise ledger.Invalid(fields={"to": "There is nobody of this name, or you may not see them."})
        return principal


class GrantView(Door):
    """One right: take it away."""

    permission_classes = [PeopleOnly]
    query = TakeQuery
    queried = ("DELETE",)

    @extend_schema(responses={204: None}, parameters=[IF_MATCH, TakeQuery], summary="Take a right away")
    def delete(self, request: Request, uid: UUID) -> Response:
        with transaction.atomic():
            grant = holdings.find_grant(uid, viewer=self.principal, to_change=True)
            if grant is None:
                raise ledger.NotFound
            require_match(request, tag_of(grant))
            operations.revoke(grant, by=self.principal, at=database_now(), why=self.asked["reason"])
        return Response(status=204)


def tag_of(grant: Grant | RoleGrant) -> str:
    """The entity tag of a right as it is."""
    return etag(grant.uid, grant.reason, grant.granted_by_id, grant.granted_at, grant.expires_at)


def shown(found: Iterable[Holding]) -> list[dict[str, Any]]:
    """Rights as the API shows them, each with its origin."""
    return [_shown(holding) for holding in found]


def _shown(holding: Holding) -> dict[str, Any]:
    grant, holder = holding.grant, holding.holder
    given = {
        "id": grant.uid, "permission": f"{grant.content_type.app_label}.{grant.permission.codename}",
        "reason": grant.reason, "granted_by": str(grant.granted_by) if grant.granted_by else None,
        "granted_at": grant.granted_at, "expires_at": grant.expires_at, "etag": tag_of(grant),
    } if grant else None  # fmt: skip
    return {
        "holder": {
            "kind": "role" if isinstance(holder, Group) else holder.kind,
            "id": holder.name if isinstance(holder, Group) else holder.username, "name": holding.holder_name,
        },
        "may": holding.words, "origin": holding.origin,
        "object": _named(holding.row) if holding.row is not None else None, "grant": given,
    }  # fmt: skip


def _named(row: Any) -> dict[str, str]:
    about = row.as_subject()
    return {"kind": about.kind, "id": about.id, "name": about.name}
