"""Principals (people, and the accounts of agents) and the units that they belong to."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.db import models
from django.utils.crypto import salted_hmac

from agents.rights import Rights, held_by, held_by_each, units_below
from agents.rules.access import BY_UNIT_OWNERSHIP
from observability.ledger import Actor, Caller, Subject


class PrincipalQuerySet(models.QuerySet["Principal"]):
    """Reading phrases for principals."""

    def people(self) -> Self:
        """People only, those who may sign in."""
        return self.filter(kind=Principal.Kind.PERSON, is_active=True)

    def all_people(self) -> Self:
        """People only, with those who were disabled."""
        return self.filter(kind=Principal.Kind.PERSON)

    def visible_to(self, user: "Principal") -> Self:
        """Principals of the units that the user may see, and the user's own."""
        if user.sees_all_units:
            return self
        return self.filter(models.Q(unit__in=user.unit_ids()) | models.Q(pk=user.pk))

    def holding(self, role: str) -> Self:
        """Those in the group of this role."""
        return self.filter(groups__name=role)


class PrincipalManager(DjangoUserManager["Principal"]):
    """Makes principals; a person has a password, an agent never has one."""

    def get_queryset(self) -> PrincipalQuerySet:
        return PrincipalQuerySet(self.model, using=self._db)

    def people(self) -> PrincipalQuerySet:
        """People only, those who may sign in."""
        return self.get_queryset().people()

    def all_people(self) -> PrincipalQuerySet:
        """People only, with those who were disabled."""
        return self.get_queryset().all_people()

    def with_reach(self, keys: Sequence[int]) -> "list[Principal]":
        """The people among these who may sign in, with their rights and units read now, for all of them at once."""
        found = list(self.people().filter(pk__in=keys))
        held = held_by_each([each.pk for each in found])
        shared: dict[tuple[bool, frozenset[int]], list[int]] = {}
        for each in found:
            vars(each)["rights"] = held[each.pk]
            tops = each.sees_all_units, frozenset(each.granted("agents.view_unit", Unit))
            if tops not in shared:
                shared[tops] = each.unit_ids()
            vars(each)["_unit_ids"] = shared[tops]
        return found


class Principal(AbstractBaseUser, PermissionsMixin):
    """Somebody who can be given rights: a person, or an agent's account."""

    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        AGENT = "agent", "Agent"

    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PERSON)
    username = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    title = models.CharField(max_length=120, blank=True)
    unit = models.ForeignKey("Unit", on_delete=models.PROTECT, null=True, related_name="principals")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    single_key_shortcuts = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sessions_ended = models.PositiveIntegerField(default=0)

    caller: Caller | None = None  # how the principal came in, set by the door for one request
    acts_for: "Principal | None" = None  # the person for whom an agent's account acts, set by the door likewise

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects: ClassVar[PrincipalManager] = PrincipalManager()

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def is_person(self) -> bool:
        """Whether this is a person, not an agent's account."""
        return self.kind == self.Kind.PERSON

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # Each session carries this digest and is over when it no longer fits: after a new password, and after an
        # end of all sessions, which counts up. So none has to be looked for.
        if not self.sessions_ended:
            return str(super()._get_session_auth_hash(secret=secret))  # type: ignore[misc]
        told = f"{self.sessions_ended}:{self.password}"
        return salted_hmac("agents.principal.sessions", told, secret=secret, algorithm="sha256").hexdigest()

    def as_actor(self) -> Actor:
        """How the ledger names this principal when it acts."""
        return Actor(kind=self.kind, id=self.username, name=str(self), caller=self.caller)

    def as_subject(self) -> Subject:
        """How the ledger names this principal when something happens to it."""
        return Subject(kind=self.kind, id=self.username, name=str(self), unit=str(self.unit_id or ""))

    @cached_property
    def role_names(self) -> frozenset[str]:
        """The names of the groups this principal is in."""
        return frozenset(self.groups.values_list("name", flat=True))

    @cached_property
    def sees_all_units(self) -> bool:
        """Whether a model-wide right opens every unit: council, IT, risk and auditors."""
        return self.has_perm("agents.view_unit")

    @cached_property
    def _unit_ids(self) -> list[int]:
        if self.sees_all_units:
            return list(Unit.objects.values_list("pk", flat=True))
        return units_below(self.granted("agents.view_unit", Unit))

    @cached_property
    def rights(self) -> Rights:
        """Everything that this principal and its groups hold; one query answers every question of a request. While
        it acts for a person, only what that person may see as well."""
        held = held_by(self.pk) if self.is_active else Rights()
        return held if self.acts_for is None else _within(held, self.acts_for)

    def forget_grants(self) -> None:
        """Read the rights anew at the next question: they were changed, or time has passed."""
        if self.acts_for is not None:
            self.acts_for.forget_grants()
        for name in ("rights", "sees_all_units", "_unit_ids"):
            vars(self).pop(name, None)

    def granted(self, permission: str, model: type[models.Model]) -> list[int]:
        """Primary keys of the rows of `model` on which `permission` ("app.codename") was granted."""
        app, _, codename = permission.partition(".")
        return self.rights.rows.get((app, str(model._meta.model_name), codename), [])

    def unit_ids(self) -> list[int]:
        """Primary keys of the units this principal may see: those granted and everything below them."""
        return self._unit_ids

    def unit_choices(self) -> list[tuple[int, str]]:
        """(primary key, name) of the units this principal may see, in the order of the tree."""
        return list(Unit.objects.visible_to(self).values_list("pk", "name"))

    def may(self, permission: str, row: Any = None) -> bool:
        """Whether `permission` ("app.codename") is held for all rows, for this row, or for its unit."""
        if self.has_perm(permission):
            return True
        if row is None:
            return False
        return row.pk in self.granted(permission, type(row)) or self._may_by_unit(permission, row)

    def _may_by_unit(self, permission: str, row: Any) -> bool:
        unit = getattr(row, "unit_id", None)
        manages = unit is not None and unit in self.granted("agents.manage_unit", Unit)
        return manages and permission.partition(".")[2].split("_")[0] in BY_UNIT_OWNERSHIP


def _within(held: Rights, person: Principal) -> Rights:
    left = Rights(everywhere=held.everywhere & person.rights.everywhere)
    for (app, model, codename), keys in held.rows.items():
        kind = apps.get_model(app, model)
        if kind is Unit:
            # A unit opens all below it: of those, the ones that the person may see.
            seen = [pk for pk in units_below(keys) if pk in person.unit_ids()]
        else:
            seen = list(kind._default_manager.visible_to(person).filter(pk__in=keys).values_list("pk", flat=True))
        if seen:
            left.rows[app, model, codename] = seen
    return left


class UnitQuerySet(models.QuerySet["Unit"]):
    """Reading phrases for units."""

    def visible_to(self, user: Principal) -> Self:
        """Units that the user may see."""
        return self.filter(pk__in=user.unit_ids())


class Unit(models.Model):
    """A part of the company; units form a tree. `path` is the chain of keys from the top, "1/4/"."""

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    path = models.CharField(max_length=400, blank=True, db_index=True)

    objects = UnitQuerySet.as_manager()

    class Meta:
        ordering = ["path"]
        permissions = [
            ("manage_unit", "Can manage the work of the unit"),
            ("ask_for_unit", "Can ask what the agents of the unit may do"),
        ]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this unit."""
        return Subject(kind="unit", id=self.code, name=self.name, unit=str(self.pk))
