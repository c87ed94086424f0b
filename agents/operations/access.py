"""Access: what people's roles allow, rights on single rows, and the question whether somebody may."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group, Permission
from guardian.shortcuts import assign_perm

from agents.models import Agent, Principal
from agents.rules import PEOPLE_ROLES
from observability import ledger


def require(by: ledger.Acts, permission: str, row: Any = None) -> None:
    """Raise NotAllowed unless `by` is the system itself or holds the permission for the row."""
    if by is ledger.SYSTEM:
        return
    holder = by.principal if isinstance(by, Agent) else by
    if not (isinstance(holder, Principal) and holder.is_active and holder.may(permission, row)):
        raise ledger.NotAllowed(f"{by.as_actor().name} may not do this ({permission}).")


def define_people_roles() -> None:
    """Create the groups for people's roles with exactly the permissions that the rules give them."""
    for role in PEOPLE_ROLES:
        group, _ = Group.objects.get_or_create(name=role.name)
        group.permissions.set([_permission(name) for name in role.permissions])


def _permission(name: str) -> Permission:
    app, _, codename = name.partition(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def grant(permission: str, to: Principal, row: Any, *, by: ledger.Acts, at: datetime) -> None:
    """Give a principal one permission on one row, and record who gave it."""
    require(by, "agents.change_principal")
    assign_perm(permission, to, row)
    to.forget_grants()
    ledger.record("grant.given", to, by=by, at=at, data={"permission": permission, "on": row.as_subject().name})
