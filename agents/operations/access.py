"""Access: what people's roles allow, rights on single rows, and the question whether somebody may."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, models, transaction

from agents.models import Agent, Grant, GrantQuerySet, Principal, RoleGrant, Unit
from agents.models.access import kind_of, title_of, unit_of
from agents.operations.reasons import check_length
from agents.rules import PEOPLE_ROLES
from agents.rules.access import Giving, comes_with_managing, why_not_give, why_not_take
from observability import ledger

IT_RIGHT = "agents.add_grant"


class GrantRefused(ledger.NotAllowed):
    """You may not give or take this right."""

    code = "grant_refused"


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


# --- give -----------------------------------------------------------------------------------------------------
@transaction.atomic
def grant(
    permission: str, to: Principal | Group, row: Any, *, by: ledger.Acts, at: datetime, reason: str = "",
    expires_at: datetime | None = None,
) -> Grant | RoleGrant:  # fmt: skip
    """Give a person, an agent or a role one right ("app.codename") on one row, until `expires_at` if it is given, and
    record who gave it and why. A right that is held already is prolonged, never doubled and never shortened."""
    _require_grantable(permission, row)
    refused = _why_not_give(permission, to, row, by, until=expires_at)
    if refused:
        raise GrantRefused(refused)
    _check_terms(to, reason, expires_at, at)
    given, verb = _given(permission, to, row, by=by, at=at, reason=reason, expires_at=expires_at)
    _forget(to)
    ledger.record(verb, given, by=by, at=at, why=reason, data=_told(given, row))
    return given


def endow(
    permission: str, to: Principal, row: Any, *, by: ledger.Acts, at: datetime, reason: str
) -> Grant | RoleGrant:  # fmt: skip
    """A right that comes with something that was asked for and recorded, as sight of the unit with being hired."""
    given, _ = _given(permission, to, row, by=by, at=at, reason=reason, expires_at=None)
    _forget(to)
    return given


def endow_new(permission: str, to: Principal, row: models.Model, *, by: ledger.Acts, at: datetime, reason: str) -> None:
    """As `endow`, for an account that has just been made: it holds nothing yet, so nothing is looked up."""
    kind = ContentType.objects.get_for_model(row)
    right = Permission.objects.only("pk").get(content_type=kind, codename=permission.partition(".")[2])
    giver = by if isinstance(by, Principal) else None
    given = Grant(permission=right, content_type=kind, object_pk=str(row.pk), user=to, granted_by=giver)
    given.granted_at, given.reason = at, reason
    Grant.objects.bulk_create([given])


def _require_grantable(permission: str, row: models.Model) -> None:
    app, _, codename = permission.partition(".")
    try:
        kind = kind_of(row)
    except KeyError as unknown:
        raise ledger.Invalid(fields={"object": "Rights are not given on such an object."}) from unknown
    if app != kind.app or codename not in kind.rights:
        known = ", ".join(kind.permission(each) for each in kind.rights)
        raise ledger.Invalid(fields={"permission": f"Choose one of {known}."})


def _why_not_give(
    permission: str, to: Principal | Group, row: models.Model, by: ledger.Acts, *, until: datetime | None
) -> str:
    giver = by.principal if isinstance(by, Agent) else by
    if giver is ledger.SYSTEM:
        return ""
    if not (isinstance(giver, Principal) and giver.is_active):
        return "You may not give rights."
    holds = giver.may(permission, row)
    return why_not_give(
        Giving(
            to_oneself=to == giver or (isinstance(to, Group) and to.name in giver.role_names),
            is_it=giver.is_person and giver.may(IT_RIGHT),
            manages_unit=manages(giver, row),
            to_role=isinstance(to, Group),
            receiver_in_unit=isinstance(to, Principal) and _is_within(to, unit_of(row)),
            holds=holds,
            holds_until_end=holds and _holds_until(permission, row, giver, until),
        )
    )


def manages(person: Principal, row: models.Model) -> bool:
    """Whether this person manages the unit that the row belongs to."""
    return person.is_person and unit_of(row) in person.granted("agents.manage_unit", Unit)


def _is_within(principal: Principal, unit: int) -> bool:
    return principal.unit is not None and str(unit) in principal.unit.path.split("/")


def _holds_until(permission: str, row: models.Model, giver: Principal, until: datetime | None) -> bool:
    # Of several ways in which a right is held the longest counts; one that came with a role for all rows has no end.
    codename = permission.partition(".")[2]
    if giver.has_perm(permission):
        return True
    ends = [*_ends(row, codename, giver)]
    if comes_with_managing(codename):
        ends += _ends(Unit(pk=unit_of(row)), "manage_unit", giver)
    return any(end is None or (until is not None and until <= end) for end in ends)


def _ends(row: models.Model, codename: str, holder: Principal) -> list[datetime | None]:
    own = Grant.objects.on(row).filter(user=holder, permission__codename=codename)
    of_roles = RoleGrant.objects.on(row).filter(group__user=holder, permission__codename=codename)
    return [*own.values_list("expires_at", flat=True), *of_roles.values_list("expires_at", flat=True)]


def _check_terms(to: Principal | Group, reason: str, expires_at: datetime | None, at: datetime) -> None:
    check_length(reason)
    if isinstance(to, Principal) and not to.is_active:
        raise ledger.Invalid(fields={"to": f"{to} is not active; name an active person or agent."})
    if expires_at is not None and expires_at <= at:
        raise ledger.Invalid(fields={"expires_at": "The end lies in the past; choose a later moment or none."})


def _given(
    permission: str, to: Principal | Group, row: models.Model, *, by: ledger.Acts, at: datetime, reason: str,
    expires_at: datetime | None,
) -> tuple[Grant | RoleGrant, str]:  # fmt: skip
    wanted = {"permission": _permission(permission), "object_pk": str(row.pk)}
    wanted |= {"group": to} if isinstance(to, Group) else {"user": to}
    table: Any = RoleGrant if isinstance(to, Group) else Grant
    terms = {"reason": reason, "granted_by": by if isinstance(by, Principal) else None, "granted_at": at}
    before = table.objects.select_for_update().filter(**wanted).first()
    if before is None:
        try:
            with transaction.atomic():
                of_row = {"content_type": ContentType.objects.get_for_model(row), "content_object": row}
                return table.objects.create(**wanted, **of_row, **terms, expires_at=expires_at), "grant.given"
        except IntegrityError:  # somebody else gave the same right at this moment
            before = table.objects.select_for_update().get(**wanted)
    return _prolonged(before, row, terms, expires_at, at)


def _prolonged(
    before: Grant | RoleGrant, row: models.Model, terms: dict[str, Any], expires_at: datetime | None, at: datetime
) -> tuple[Grant | RoleGrant, str]:
    before.content_object = row
    is_over = before.expires_at is not None and before.expires_at <= at
    if before.expires_at is None or (expires_at is not None and expires_at < before.expires_at):
        expires_at = before.expires_at
    longer = expires_at != before.expires_at
    for name, value in {**terms, "expires_at": expires_at}.items():
        setattr(before, name, value)
    before.save(update_fields=[*terms, "expires_at"])
    return before, "grant.prolonged" if longer and not is_over else "grant.given"


def _forget(holder: Principal | Group) -> None:
    if isinstance(holder, Principal):
        holder.forget_grants()


def _told(given: Grant | RoleGrant, row: Any) -> dict[str, Any]:
    name = f"{given.permission.content_type.app_label}.{given.permission.codename}"
    end = {"until": given.expires_at.isoformat()} if given.expires_at else {}
    return {"permission": name, "on": row.as_subject().name, **end}


# --- take away ------------------------------------------------------------------------------------------------
@transaction.atomic
def revoke(given: Grant | RoleGrant, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Take a right away from its holder, from the next request on. Raises TooLate when it was taken away meanwhile."""
    row = given.row
    taker = by.principal if isinstance(by, Agent) else by
    if taker is not ledger.SYSTEM:
        refused = "You may not take rights away."
        if isinstance(taker, Principal) and taker.is_active:
            is_own = isinstance(given, Grant) and given.is_of(taker)
            is_it = taker.is_person and taker.may(IT_RIGHT)
            refused = why_not_take(is_own=is_own, is_it=is_it, manages_unit=manages(taker, row))
        if refused:
            raise GrantRefused(refused)
    if not why.strip():
        raise ledger.Invalid("Say why the right is taken away.", fields={"why": "A reason is needed."})
    check_length(why)
    if not take_away(given, verb="grant.revoked", by=by, at=at, why=why):
        raise ledger.TooLate(f"Somebody else took this right from {title_of(given.holder)} first.")


def take_away(given: Grant | RoleGrant, *, verb: str, by: ledger.Acts, at: datetime, why: str) -> bool:
    """Remove a right and record it under `verb`, for operations that have checked who asks; False when it is gone."""
    table: Any = type(given)
    removed, _ = table.objects.filter(pk=given.pk).delete()
    if not removed:
        return False
    _forget(given.holder)
    ledger.record(verb, given, by=by, at=at, why=why, data=_told(given, given.row))
    return True


@transaction.atomic
def end_grant(given: Grant | RoleGrant, *, at: datetime) -> bool:
    """Remove a right whose time has run out; False when it is gone or was prolonged meanwhile."""
    table: Any = type(given)
    still: GrantQuerySet = table.objects.select_for_update(of=("self",)).expired(at)
    if not still.filter(pk=given.pk).exists():
        return False
    if given.row is None:  # its object is gone; nobody is told of a right on nothing
        return bool(table.objects.filter(pk=given.pk).delete()[0])
    return take_away(given, verb="grant.expired", by=ledger.SYSTEM, at=at, why="Its time has run out.")


def drop(permission: str, holder: Principal, row: Any) -> None:
    """Remove a right that came with something else that is recorded, as sight of the old unit with a move."""
    Grant.objects.on(row).filter(user=holder, permission=_permission(permission)).delete()
    holder.forget_grants()


def hand_over(permission: str, row: Any, *, giver: Agent, taker: Agent | None, by: ledger.Acts, at: datetime) -> None:
    """Take a right on one row from an agent that retires, and give it to the one that takes its place, if there is
    one. Who may change both agents may do so."""
    require(by, "agents.change_agent", giver)
    for held in Grant.objects.on(row).filter(user=giver.principal, permission=_permission(permission)).with_names():
        held.content_object = row
        take_away(held, verb="grant.revoked", by=by, at=at, why=f"{giver} retired.")
    if taker is not None:
        require(by, "agents.change_agent", taker)
        why = f"It takes the place of {giver}."
        given, verb = _given(permission, taker.principal, row, by=by, at=at, reason=why, expires_at=None)
        _forget(taker.principal)
        ledger.record(verb, given, by=by, at=at, why=why, data=_told(given, row))
