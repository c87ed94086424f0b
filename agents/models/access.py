"""Rights on single rows: who holds them, who gave them, why, until when. Guardian reads them as its own."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import CharField, Q
from django.db.models.functions import Cast
from guardian.managers import GroupObjectPermissionManager, UserObjectPermissionManager
from guardian.models import GroupObjectPermissionAbstract, UserObjectPermissionAbstract
from uuid_utils.compat import uuid7

from agents.models.principals import Principal, Unit
from agents.rules.access import KINDS, Kind
from agents.rules.people import PEOPLE_ROLES
from observability.ledger import Subject

ROLE_TITLES = {role.name: role.title for role in PEOPLE_ROLES}


def model_of(kind: Kind) -> type[models.Model]:
    """The rows of a kind of object."""
    return apps.get_model(kind.model)


def kind_of(row: models.Model) -> Kind:
    """The kind of an object that rights are given on. Raises KeyError for any other row."""
    return KINDS[str(row._meta.model_name)]


def unit_of(row: Any) -> int:
    """The primary key of the unit that an object belongs to; a unit belongs to itself."""
    return int(row.pk if isinstance(row, Unit) else row.unit_id)


class GrantQuerySet(models.QuerySet[Any]):
    """Reading phrases for rights on single rows."""

    def in_force(self, at: datetime) -> Self:
        """Those that hold at that time."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=at))

    def expired(self, at: datetime) -> Self:
        """Those whose time has run out."""
        return self.filter(expires_at__lte=at)

    def on(self, row: models.Model) -> Self:
        """Those on this row."""
        return self.filter(content_type=ContentType.objects.get_for_model(row), object_pk=str(row.pk))

    def on_units(self, units: list[int], codename: str) -> Self:
        """Those with this right on one of the units."""
        of_units = self.filter(content_type=ContentType.objects.get_for_model(Unit), permission__codename=codename)
        return of_units.filter(object_pk__in=[str(pk) for pk in units])

    def visible_to(self, user: Principal) -> Self:
        """Those on objects that the user may see."""
        return self.filter(on_visible(user))

    def with_names(self) -> Self:
        """With everything that a list shows of them, in one query."""
        return self.select_related("permission", "content_type", "granted_by")


def on_visible(user: Principal) -> Q:
    """The condition that a right is on an object which the user may see."""
    either = Q()
    for kind in KINDS.values():
        rows = model_of(kind)
        seen = rows._default_manager.all().visible_to(user)  # type: ignore[attr-defined]
        keys = seen.order_by().annotate(as_text=Cast("pk", CharField())).values("as_text")
        either |= Q(content_type=ContentType.objects.get_for_model(rows), object_pk__in=keys)
    return either


class Given(models.Model):
    """What every right on a row tells beside who and what: its reason, its giver, and its end."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    reason = models.TextField(blank=True)
    granted_by = models.ForeignKey(Principal, on_delete=models.SET_NULL, null=True, related_name="+")
    granted_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def row(self) -> Any:
        """The object it was given on."""
        return self.content_object  # type: ignore[attr-defined]


class Grant(UserObjectPermissionAbstract, Given):
    """A right on one row that a person or an agent holds directly."""

    objects: ClassVar = UserObjectPermissionManager.from_queryset(GrantQuerySet)()

    class Meta(UserObjectPermissionAbstract.Meta):
        abstract = False
        indexes = [
            models.Index(fields=["user", "content_type", "object_pk"], name="grant_holder"),
            models.Index(fields=["content_type", "object_pk"], name="grant_row"),
            models.Index(fields=["expires_at"], name="grant_end", condition=Q(expires_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.permission.codename} {self.object_pk}"

    @property
    def holder(self) -> Principal:
        """Who holds it."""
        holder: Principal = self.user
        return holder

    def is_of(self, principal: Principal) -> bool:
        """Whether the principal holds it."""
        return bool(self.user_id == principal.pk)

    def as_subject(self) -> Subject:
        """How the ledger names it: as something that happens to its holder, in the unit of its object."""
        about = self.holder.as_subject()
        return Subject(kind=about.kind, id=about.id, name=about.name, unit=str(unit_of(self.row)))


class RoleGrant(GroupObjectPermissionAbstract, Given):
    """A right on one row that everybody with a role holds."""

    objects: ClassVar = GroupObjectPermissionManager.from_queryset(GrantQuerySet)()

    class Meta(GroupObjectPermissionAbstract.Meta):
        abstract = False
        indexes = [
            models.Index(fields=["group", "content_type", "object_pk"], name="role_grant_holder"),
            models.Index(fields=["content_type", "object_pk"], name="role_grant_row"),
            models.Index(fields=["expires_at"], name="role_grant_end", condition=Q(expires_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.group}: {self.permission.codename} {self.object_pk}"

    @property
    def holder(self) -> Group:
        """Whose members hold it."""
        holder: Group = self.group
        return holder

    def is_of(self, principal: Principal) -> bool:
        """Whether the principal has the role."""
        return bool(self.group.name in principal.role_names)

    def as_subject(self) -> Subject:
        """How the ledger names it: as something that happens to the role, in the unit of its object."""
        return Subject(
            kind="role", id=self.group.name, name=title_of(self.group), unit=str(unit_of(self.row))
        )  # fmt: skip


def title_of(holder: Principal | Group) -> str:
    """The name of a person, an agent or a role as people read it."""
    return ROLE_TITLES.get(holder.name, holder.name) if isinstance(holder, Group) else str(holder)
