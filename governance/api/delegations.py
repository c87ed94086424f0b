"""People's door to delegations for programs: let somebody decide for another, and end it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, PeopleOnly
from agents.api.versions import IF_MATCH, etag, require_match
from agents.models import Principal, Unit
from governance import operations
from governance.api.shapes.delegations import DelegationInput, DelegationOutput, EndInput
from governance.models import Delegation, EscalationPath
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of

Answer = tuple[int, Mapping[str, Any]]


class DelegationsView(ActingDoor):
    """Delegations: those one may see, and a new one."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=page_of(DelegationOutput), summary="List delegations, newest first"
    )
    def get(self, request: Request) -> Response:
        found, own = Delegation.objects.visible_to(self.principal).with_names(), set(self.principal.unit_ids())
        return self.page_under({}, found, lambda some: [delegation_of(row, own) for row in some], by="-pk")

    @extend_schema(
        request=DelegationInput, responses={201: DelegationOutput}, parameters=[IDEMPOTENCY],
        summary="Let somebody decide for another",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(DelegationInput, request.data)

        def act(key: str) -> Answer:
            delegation = operations.delegate(self.terms(given), by=self.principal, at=database_now())
            return 201, delegation_of(delegation, set(self.principal.unit_ids()))

        return self.answer_once(request, act)

    def terms(self, given: Mapping[str, Any]) -> operations.Terms:
        """What the body asks for. Raises Invalid that names an unknown person, path or unit."""
        paths = list(EscalationPath.objects.visible_to(self.principal).filter(key__in=given["paths"]))
        if len(paths) < len(set(given["paths"])):
            raise ledger.Invalid(fields={"paths": "Name keys of escalation paths that you may see."})
        unit = Unit.objects.visible_to(self.principal).filter(code=given["unit"]).first()
        if given["unit"] and unit is None:
            raise ledger.Invalid(fields={"unit": "Name the code of a unit that you may see."})
        return operations.Terms(
            person=self.person(given["person"], "person") if given["person"] else self.principal,
            delegate=self.person(given["to"], "to"), starts_at=given["starts_at"], ends_at=given["ends_at"],
            paths=paths, risk_at_most=given["risk_at_most"], unit=unit, reason=given["reason"],
        )  # fmt: skip

    def person(self, username: str, field: str) -> Principal:
        """The person of this name. Raises Invalid when there is none who may decide in a unit that one may see."""
        found = operations.deciders(self.principal).filter(username=username).first()
        if found is None:
            raise ledger.Invalid(fields={field: "There is no such person who could decide, or you may not see them."})
        return found


class EndDelegationView(ActingDoor):
    """End a delegation early."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=EndInput, responses=DelegationOutput, parameters=[IDEMPOTENCY, IF_MATCH], summary="End a delegation"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(EndInput, request.data)

        def act(key: str) -> Answer:
            visible = Delegation.objects.visible_to(self.principal).filter(uid=uid)
            delegation = visible.select_related("person", "delegate", "unit").select_for_update(of=("self",)).first()
            if delegation is None:
                raise ledger.NotFound
            require_match(request, delegation_tag(delegation))
            operations.end_delegation(delegation, by=self.principal, at=database_now(), why=given["reason"])
            return 200, delegation_of(delegation, set(self.principal.unit_ids()))

        return self.answer_once(request, act)


def delegation_of(delegation: Delegation, units: set[int]) -> dict[str, Any]:
    """A delegation as the API shows it to somebody who may see these units."""
    return {
        "id": delegation.uid, "person": _person(delegation.person), "to": _person(delegation.delegate),
        "starts_at": delegation.starts_at, "ends_at": delegation.ends_at, "status": delegation.status,
        "paths": [path.key for path in delegation.paths.all() if path.unit_id in units],
        "risk_at_most": delegation.risk_at_most,
        "unit": delegation.unit.code if delegation.unit and delegation.unit_id in units else None,
        "reason": delegation.reason, "ended_at": delegation.ended_at, "etag": delegation_tag(delegation),
    }  # fmt: skip


def delegation_tag(delegation: Delegation) -> str:
    """The entity tag of a delegation: it changes once, when it ends."""
    return etag(delegation.uid, delegation.status, delegation.ended_at)


def _person(person: Principal) -> dict[str, str]:
    return {"id": person.username, "name": str(person)}
