"""Who may, and why: the rights on one object, and the rights of one person, agent or role, each with its origin."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import models
from django.db.models import Q

from agents.models import Grant, GrantQuerySet, Principal, RoleGrant, Unit
from agents.models.access import kind_of, model_of, on_visible, title_of, unit_of
from agents.operations.access import IT_RIGHT, manages
from agents.rules.access import BY_UNIT_OWNERSHIP, KINDS, Kind, comes_with_managing
from observability.templatetags.ledger import right_words


@dataclass(frozen=True)
class Holding:
    """One right of one holder: what it allows in words, where it comes from, and the grant behind it if there is one.
    `row` is the object it was given on, None for a right on all objects of a kind."""

    holder: Principal | Group
    words: str
    origin: str
    row: Any = None
    grant: Grant | RoleGrant | None = None

    @property
    def holder_name(self) -> str:
        """The person, the agent or the role."""
        return title_of(self.holder)

    @property
    def is_role(self) -> bool:
        """Whether a role holds it, and with it everybody who has the role."""
        return isinstance(self.holder, Group)

    @property
    def kind(self) -> Kind | None:
        """The kind of object it was given on."""
        return kind_of(self.row) if self.row is not None else None

    @property
    def key(self) -> str:
        """The code that names the object it was given on."""
        return str(self.row.as_subject().id) if self.row is not None else ""


def find_object(kind: str, key: str, *, viewer: Principal) -> Any:
    """The object of this kind and code, if the viewer may see it; None otherwise."""
    known = KINDS.get(kind)
    if known is None:
        return None
    rows = model_of(known)._default_manager.all()
    return rows.visible_to(viewer).filter(**{known.key: key}).first()  # type: ignore[attr-defined]


def find_grant(uid: Any, *, viewer: Principal, to_change: bool = False) -> Grant | RoleGrant | None:
    """The right with this id, if the viewer may see its object or holds it; None otherwise. `to_change` locks it."""
    for table, own in ((Grant, Q(user=viewer)), (RoleGrant, Q(group__user=viewer))):
        grants: GrantQuerySet = table.objects.with_names()
        named = grants.filter(uid=uid)
        held = (named.select_for_update(of=("self",)) if to_change else named).first()
        if held is not None and held.row is not None and grants.filter(own | on_visible(viewer), pk=held.pk).exists():
            return held  # type: ignore[no-any-return]
    return None


def may_change_rights(viewer: Principal, row: models.Model) -> bool:
    """Whether the viewer may give rights on this object to somebody, or take them away."""
    return viewer.is_person and (viewer.may(IT_RIGHT) or manages(viewer, row))


# --- who may? -------------------------------------------------------------------------------------------------
def grants_reaching(row: Any, *, at: datetime) -> GrantQuerySet:
    """The rights of people and agents that reach this object: those on itself, sight of its unit or one above it, and
    the managing of its unit."""
    grants = Grant.objects.in_force(at)
    reaching: GrantQuerySet = grants.filter(_reaching(grants, row)).select_related("user__unit").with_names()
    return reaching


def roles_reaching(row: Any, *, at: datetime) -> list[Holding]:
    """The rights of roles that reach this object: for all objects of its kind, and those given like people's."""
    kind = kind_of(row)
    everywhere = Group.permissions.through.objects.filter(
        permission__content_type__app_label=kind.app, permission__codename__in=kind.rights
    )
    given = everywhere.select_related("group", "permission").order_by("group__name", "permission__codename")
    found = [
        Holding(each.group, right_words(each.permission.codename), f"By the role, on all {kind.plural.lower()}")
        for each in given
    ]
    grants = RoleGrant.objects.in_force(at)
    reaching = grants.filter(_reaching(grants, row)).select_related("group").with_names().order_by("group__name", "pk")
    return found + holdings_on(row, list(reaching))


def _reaching(grants: GrantQuerySet, row: Any) -> Q:
    keys = [Q(pk__in=grants.on(row).values("pk"))]
    unit = Unit.objects.get(pk=unit_of(row))
    above = [int(pk) for pk in unit.path.split("/") if pk]
    keys.append(Q(pk__in=grants.on_units(above, "view_unit").values("pk")))
    keys.append(Q(pk__in=grants.on_units([unit.pk], "manage_unit").values("pk")))
    return keys[0] | keys[1] | keys[2]


def holdings_on(row: Any, grants: Sequence[Grant | RoleGrant]) -> list[Holding]:
    """These rights as lines of the page about an object, with where each comes from."""
    kind, others = kind_of(row), _rows_of(grants)
    return [_on(row, kind, grant, others) for grant in grants]


def _on(row: Any, kind: Kind, grant: Grant | RoleGrant, others: dict[tuple[str, str], Any]) -> Holding:
    about = others.get((grant.content_type.model, str(grant.object_pk)), row)
    grant.content_object = about
    by_role = isinstance(grant, RoleGrant)
    if about == row:
        origin = "By the role, on this object" if by_role else "Given directly"
        return Holding(grant.holder, right_words(grant.permission.codename), origin, about, grant)
    who = "By the role: " if by_role else ""
    if grant.permission.codename == "manage_unit":
        allowed = [right_words(each) for each in kind.rights if comes_with_managing(each)]
        words = ", ".join(allowed[:-1]) + f" and {allowed[-1]}" if len(allowed) > 1 else allowed[0]
        return Holding(grant.holder, words, _sentence(f"{who}manages the unit {about}"), about, grant)
    return Holding(grant.holder, "see", _sentence(f"{who}sees the unit {about}"), about, grant)


# --- what may I? ----------------------------------------------------------------------------------------------
def grants_of(principal: Principal, *, viewer: Principal, at: datetime) -> GrantQuerySet:
    """The rights given to this person or agent directly, on objects that the viewer may see; one's own are all seen."""
    grants = Grant.objects.filter(user=principal).in_force(at).select_related("user").with_names()
    seen: GrantQuerySet = grants if viewer == principal else grants.visible_to(viewer)
    return seen


def role_holdings(principal: Principal, *, viewer: Principal, at: datetime) -> list[Holding]:
    """What this person may by their roles: on single objects, and on all objects of a kind."""
    given = RoleGrant.objects.filter(group__user=principal).in_force(at).select_related("group").with_names()
    seen = given if viewer == principal else given.visible_to(viewer)
    return holdings_of(list(seen.order_by("group__name", "pk"))) + _everywhere(principal)


def _everywhere(principal: Principal) -> list[Holding]:
    through = Group.permissions.through.objects.filter(group__user=principal)
    by_role = through.select_related("group", "permission__content_type").order_by("permission__name", "group__name")
    roles: dict[Permission, list[str]] = defaultdict(list)
    for each in by_role:
        roles[each.permission].append(title_of(each.group))
    found = [
        Holding(principal, everywhere_words(each), f"By the role {' and '.join(names)}")
        for each, names in roles.items()
    ]
    own = principal.user_permissions.select_related("content_type").order_by("name")
    return found + [Holding(principal, everywhere_words(each), "Given directly, on everything") for each in own]


def everywhere_words(permission: Permission) -> str:
    """What a right on all rows allows: see all agents; decide escalations."""
    kind = KINDS.get(permission.content_type.model)
    if kind is not None and permission.codename in kind.rights:
        return f"{right_words(permission.codename)} all {kind.plural.lower()}"
    said = permission.name.removeprefix("Can ")
    return said[:1].lower() + said[1:]


def holdings_of(grants: Sequence[Grant | RoleGrant]) -> list[Holding]:
    """These rights as lines of the page about their holder; a right on an object that is gone says nothing."""
    rows, found = _rows_of(grants), []
    for grant in grants:
        about = rows.get((grant.content_type.model, str(grant.object_pk)))
        if about is not None:
            grant.content_object = about
            origin = f"By the role {title_of(grant.group)}" if isinstance(grant, RoleGrant) else "Given directly"
            found.append(Holding(grant.holder, right_words(grant.permission.codename), origin, about, grant))
    return found


def also_allows(holding: Holding) -> str:
    """What a right on a unit allows on everything in it, as a sentence; nothing for other rights."""
    if holding.grant is None or not isinstance(holding.row, Unit):
        return ""
    if holding.grant.permission.codename == "manage_unit":
        return f"{', '.join(BY_UNIT_OWNERSHIP[:-1]).capitalize()} and {BY_UNIT_OWNERSHIP[-1]} everything in it"
    return "See everything in it and below it"


def _rows_of(grants: Iterable[Grant | RoleGrant]) -> dict[tuple[str, str], Any]:
    # One query for each kind of object.
    wanted: dict[str, set[int]] = defaultdict(set)
    for grant in grants:
        wanted[grant.content_type.model].add(int(grant.object_pk))
    rows: dict[tuple[str, str], Any] = {}
    for model, keys in wanted.items():
        kind = KINDS.get(model)
        if kind is not None:
            found = model_of(kind)._default_manager.in_bulk(keys)
            rows |= {(model, str(pk)): row for pk, row in found.items()}
    return rows


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
