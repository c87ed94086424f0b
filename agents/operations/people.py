"""Units and the people in them."""

import re
from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from guardian.shortcuts import assign_perm

from agents.models import Agent, Principal, Unit
from agents.operations.access import require
from agents.rules import COUNCIL
from observability import ledger

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")


class CouncilNeeded(ledger.NotAllowed):
    """Only a member of the governance council can do this for the council. Ask one of them."""

    code = "council_needed"


@transaction.atomic
def add_unit(code: str, name: str, *, parent: Unit | None, by: ledger.Acts, at: datetime) -> Unit:
    """A new unit below `parent`, or at the top."""
    require(by, "agents.add_unit")
    unit = Unit.objects.create(code=code, name=name, parent=parent)
    unit.path = f"{parent.path if parent else ''}{unit.pk}/"
    unit.save(update_fields=["path"])
    ledger.record("unit.added", unit, by=by, at=at)
    return unit


@transaction.atomic
def admit_person(
    username: str, name: str, *, unit: Unit, roles: list[str], password: str | None, by: ledger.Acts, at: datetime,
    title: str = "", email: str = "",
) -> Principal:  # fmt: skip
    """A person who can sign in, with roles (group names), seeing their own unit and everything below it. Without a
    password (None) the person sets one with an invitation, or comes in by single sign-on."""
    require(by, "agents.add_principal")
    require_council_for(roles, by=by)
    groups = list(Group.objects.filter(name__in=roles))
    person = Principal(
        kind=Principal.Kind.PERSON, username=username, name=name, unit=unit, title=title, email=email
    )  # fmt: skip
    _check_person(person, password, unknown=set(roles) - {group.name for group in groups})
    person.set_password(password)
    person.save()
    person.groups.set(groups)
    _see_unit(person, unit, roles, by=by, at=at)
    ledger.record("person.admitted", person, by=by, at=at, data={"roles": sorted(roles)})
    return person


def require_council_for(roles: Iterable[str], *, by: ledger.Acts) -> None:
    """Raise CouncilNeeded when the council's role is among these and `by` does not hold it."""
    if COUNCIL in roles and by is not ledger.SYSTEM:
        holder = by.principal if isinstance(by, Agent) else by
        if not (isinstance(holder, Principal) and COUNCIL in holder.role_names):
            raise CouncilNeeded


def _see_unit(person: Principal, unit: Unit, roles: Iterable[str], *, by: ledger.Acts, at: datetime) -> None:
    # Whoever may admit or move people gives them their own unit with it; this needs no right to give others.
    for permission in ("agents.view_unit", *(["agents.manage_unit"] if "unit_owner" in roles else [])):
        assign_perm(permission, person, unit)
        ledger.record("grant.given", person, by=by, at=at, data={"permission": permission, "on": unit.name})
    person.forget_grants()


def _check_person(person: Principal, password: str | None, *, unknown: set[str]) -> None:
    wrong: dict[str, str] = {}
    if not USERNAME.fullmatch(person.username):
        wrong["username"] = "1 to 60 small letters, digits, dots, dashes or underscores, as in anna.berg."
    elif Principal.objects.filter(username=person.username).exists():
        wrong["username"] = f"{person.username} is taken; choose another name."
    if not person.name.strip():
        wrong["name"] = "A name is needed."
    if unknown:
        wrong["roles"] = f"There is no role {', '.join(sorted(unknown))}."
    try:
        if password is not None:
            validate_password(password, person)
    except ValidationError as weak:
        wrong["password"] = " ".join(weak.messages)
    if wrong:
        raise ledger.Invalid("The person cannot be admitted like this.", fields=wrong)
