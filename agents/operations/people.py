"""Units and the people in them."""

from datetime import datetime

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from agents.models import Principal, Unit
from agents.operations.access import grant, require
from observability import ledger


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
    username: str, name: str, *, unit: Unit, roles: list[str], password: str, by: ledger.Acts, at: datetime,
    title: str = "", email: str = "",
) -> Principal:  # fmt: skip
    """A person who can sign in, with roles (group names), seeing their own unit and everything below it."""
    require(by, "agents.add_principal")
    groups = list(Group.objects.filter(name__in=roles))
    person = Principal(
        kind=Principal.Kind.PERSON, username=username, name=name, unit=unit, title=title, email=email
    )  # fmt: skip
    _check_person(person, password, unknown=set(roles) - {group.name for group in groups})
    person.set_password(password)
    person.save()
    person.groups.set(groups)
    grant("agents.view_unit", person, unit, by=by, at=at)
    if "unit_owner" in roles:
        grant("agents.manage_unit", person, unit, by=by, at=at)
    ledger.record("person.admitted", person, by=by, at=at, data={"roles": sorted(roles)})
    return person


def _check_person(person: Principal, password: str, *, unknown: set[str]) -> None:
    wrong: dict[str, str] = {}
    if Principal.objects.filter(username=person.username).exists():
        wrong["username"] = f"{person.username} is taken; choose another name."
    if unknown:
        wrong["roles"] = f"There is no role {', '.join(sorted(unknown))}."
    try:
        validate_password(password, person)
    except ValidationError as weak:
        wrong["password"] = " ".join(weak.messages)
    if wrong:
        raise ledger.Invalid("The person cannot be admitted like this.", fields=wrong)
