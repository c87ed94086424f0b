"""People who come in through the company's own sign-in service: who may, what their groups mean here."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from agents.models import Principal, Unit
from agents.operations.movers import change_roles
from agents.operations.people import admit_person
from observability import ledger

NOT_IN_A_NAME = re.compile(r"[^a-z0-9._-]+")


class NotAdmitted(ledger.Refused):
    """The sign-in service knows you, but none of your groups opens anything here. Ask IT."""

    status = 403
    code = "not_admitted"


class NameTaken(NotAdmitted):
    """Somebody here has your e-mail address already. Ask IT to join the two accounts."""

    code = "name_taken"


@dataclass(frozen=True)
class Claims:
    """What the sign-in service says of a person, as far as it is believed."""

    roles: frozenset[str]
    unit: Unit
    username: str
    name: str
    email: str
    email_is_verified: bool


def roles_in(groups: Any, group_map: Mapping[str, str]) -> frozenset[str]:
    """The roles that these groups mean here; a group that is not mapped means none."""
    named = groups if isinstance(groups, list) else [groups]
    return frozenset(group_map[group] for group in named if isinstance(group, str) and group in group_map)


def unit_in(code: Any, *, otherwise: str) -> Unit:
    """The unit that the claim names, or the one for everybody else. Raises NotAdmitted when there is neither."""
    codes = [each for each in (code, otherwise) if isinstance(each, str) and each]
    found = {unit.code: unit for unit in Unit.objects.filter(code__in=codes)}
    for each in codes:
        if each in found:
            return found[each]
    raise NotAdmitted("The sign-in service names no business unit that is known here. Ask IT.")


@transaction.atomic
def come_first_time(claims: Claims, *, links_by_email: bool, at: datetime) -> Principal:
    """The person for somebody who comes for the first time: a new one, or a local one with the same verified address
    when `links_by_email`. Raises NameTaken, never takes an account over."""
    known = list(Principal.objects.all_people().filter(email__iexact=claims.email)[:2]) if claims.email else []
    if known and not (links_by_email and claims.email_is_verified and len(known) == 1):
        raise NameTaken
    if known:
        ledger.record("person.linked", known[0], by=ledger.SYSTEM, at=at)
        return known[0]
    return admit_person(
        _free_name(claims.username or claims.email.partition("@")[0]), claims.name or claims.username,
        unit=claims.unit, roles=sorted(claims.roles), password=None, email=claims.email, by=ledger.SYSTEM, at=at,
    )  # fmt: skip


def follow(person: Principal, claims: Claims, *, at: datetime) -> bool:
    """Give the person exactly the roles that the groups mean today; whether that changed anything."""
    return change_roles(person, claims.roles, by=ledger.SYSTEM, at=at, why="The groups at the sign-in service say so.")


def _free_name(wanted: str) -> str:
    base = NOT_IN_A_NAME.sub("-", wanted.lower()).strip("-._")[:50] or "person"
    taken = set(Principal.objects.filter(username__startswith=base).values_list("username", flat=True))
    return next(name for name in _names(base) if name not in taken)


def _names(base: str) -> Iterable[str]:
    yield base
    for number in range(2, 10_000):
        yield f"{base}-{number}"
