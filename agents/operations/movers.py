"""What happens to a person after the first day: other roles, another unit, a lost phone, leaving, coming back."""

from collections.abc import Iterable
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.db import transaction
from guardian.shortcuts import assign_perm, remove_perm

from agents.models import Principal, Unit
from agents.operations.access import require
from agents.operations.people import require_council_for
from agents.operations.reasons import check_length
from agents.operations.sessions import end_sessions
from agents.rules import NEVER_EMPTY_ROLES, titles_of
from observability import ledger

UNIT_RIGHTS = {"agents.view_unit": frozenset[str](), "agents.manage_unit": frozenset({"unit_owner"})}


class NotOneself(ledger.NotAllowed):
    """Nobody does this to himself. Ask somebody else who has the right."""

    code = "not_oneself"


class LastOne(ledger.Refused):
    """This is the last one who can sign in with this role; nobody could let anybody in any more."""

    code = "last_one"


def require_over(person: Principal, *, by: ledger.Acts) -> None:
    """Raise NotAllowed unless `by` may see to this person's account; the attempt is worth a line in the ledger."""
    try:
        require(by, "agents.change_principal")
    except ledger.NotAllowed as refused:
        raise ledger.NotAllowed(refused.detail, about=person) from refused


@transaction.atomic
def change_roles(
    person: Principal, roles: Iterable[str], *, by: ledger.Acts, at: datetime, unit: Unit | None = None, why: str = ""
) -> bool:
    """Give a person exactly these roles, and another unit if one is named; whether anything changed. The person signs
    in again, so that what the new roles ask for (a second factor) is asked at once."""
    require_over(person, by=by)
    _refuse_oneself(person, by)
    check_length(why)
    person = _locked(person)
    before, after = set(person.role_names), set(roles)
    _require_known(after)
    require_council_for(before ^ after, by=by)
    for role in before - after:
        _require_another(role, person)
    moved = unit is not None and unit.pk != person.unit_id
    if before == after and not moved:
        return False
    told = {"before": titles_of(before), "roles": sorted(after), "unit": unit.code if moved and unit else ""}
    _give(person, before, after, unit if moved else None)
    end_sessions(person)
    ledger.record("person.roles_changed", person, by=by, at=at, why=why, data=told)
    return True


def _give(person: Principal, before: set[str], after: set[str], unit: Unit | None) -> None:
    old = person.unit
    person.groups.set(Group.objects.filter(name__in=after))
    if unit is not None:
        person.unit = unit
        person.save(update_fields=["unit"])
    # The rights that come with a role on the person's own unit go and come with it; others were given by hand and stay.
    for permission, needs in UNIT_RIGHTS.items():
        held, due = needs <= before, needs <= after
        if old is not None and held and (unit is not None or not due):
            remove_perm(permission, person, old)
        if person.unit is not None and due:
            assign_perm(permission, person, person.unit)
    vars(person).pop("role_names", None)
    person.forget_grants()


@transaction.atomic
def describe(person: Principal, *, by: ledger.Acts, at: datetime, name: str, title: str, email: str) -> bool:
    """Correct what a person is called; whether anything changed."""
    require_over(person, by=by)
    wanted = {"name": name.strip(), "title": title.strip(), "email": email.strip()}
    if not wanted["name"]:
        raise ledger.Invalid(fields={"name": "A name is needed."})
    changed = {key: value for key, value in wanted.items() if getattr(person, key) != value}
    if not changed:
        return False
    for key, value in changed.items():
        setattr(person, key, value)
    person.save(update_fields=list(changed))
    ledger.record("person.described", person, by=by, at=at, data={"fields": sorted(changed)})
    return True


@transaction.atomic
def disable(person: Principal, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """A person leaves: nobody comes in with this account any more, all sessions end now and open pages close within
    seconds. Roles and rights stay on the record and open nothing."""
    require_over(person, by=by)
    _refuse_oneself(person, by)
    _require_reason(why)
    person = _locked(person)
    if not person.is_active:
        raise ledger.WrongStatus(f"{person} is disabled already.")
    for role in person.role_names:
        _require_another(role, person)
    Principal.objects.filter(pk=person.pk).update(is_active=False)
    ended = end_sessions(person)
    ledger.record("person.disabled", person, by=by, at=at, why=why, data={"sessions": ended})


@transaction.atomic
def enable(person: Principal, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """A person comes back, with the roles and rights of before."""
    require_over(person, by=by)
    _refuse_oneself(person, by)
    require_council_for(person.role_names, by=by)
    _require_reason(why)
    person = _locked(person)
    if person.is_active:
        raise ledger.WrongStatus(f"{person} can sign in already.")
    Principal.objects.filter(pk=person.pk).update(is_active=True)
    ledger.record("person.enabled", person, by=by, at=at, why=why)


@transaction.atomic
def reset_second_factors(person: Principal, *, by: ledger.Acts, at: datetime, why: str) -> int:
    """Remove a person's second factors, after a lost phone for example; how many. Sessions end, and at the next sign-in
    a new factor is set up."""
    require_over(person, by=by)
    _refuse_oneself(person, by)
    # Whoever can remove the factors of the council and hand out a new password would be the council.
    require_council_for(person.role_names, by=by)
    _require_reason(why)
    person = _locked(person)
    removed, _ = Authenticator.objects.filter(user_id=person.pk).delete()
    end_sessions(person)
    ledger.record("person.second_factors_reset", person, by=by, at=at, why=why, data={"factors": removed})
    return int(removed)


def _locked(person: Principal) -> Principal:
    # The groups that may not become empty first, in one order: two people who disable each other do it one by one.
    list(Group.objects.select_for_update().filter(name__in=NEVER_EMPTY_ROLES).order_by("name"))
    return Principal.objects.select_for_update(of=("self",)).select_related("unit").get(pk=person.pk)


def _refuse_oneself(person: Principal, by: ledger.Acts) -> None:
    if isinstance(by, Principal) and by.pk == person.pk:
        raise NotOneself(about=person)


def _require_another(role: str, person: Principal) -> None:
    if role not in NEVER_EMPTY_ROLES or not person.is_active:
        return
    if not Principal.objects.people().holding(role).exclude(pk=person.pk).filter(emergencies=None).exists():
        raise LastOne(
            f"{person} is the last one who can sign in as {', '.join(titles_of([role]))}. Nothing was changed."
        )


def _require_known(roles: set[str]) -> None:
    known = set(Group.objects.filter(name__in=roles).values_list("name", flat=True))
    if unknown := sorted(roles - known):
        raise ledger.Invalid(fields={"roles": f"There is no role {', '.join(unknown)}."})


def _require_reason(why: str) -> None:
    if not why.strip():
        raise ledger.Invalid("Say why; the audit trail keeps it.", fields={"why": "A reason is needed."})
    check_length(why)
