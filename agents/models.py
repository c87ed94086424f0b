"""Rows of agents: principals (people and agents), units, roles, agents, their keys, and the systems they act upon."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from agents.rights import Rights, held_by, units_below
from observability.ledger import Actor, Subject


class PrincipalQuerySet(models.QuerySet["Principal"]):
    """Reading phrases for principals."""

    def people(self) -> Self:
        """People only, those who may sign in."""
        return self.filter(kind=Principal.Kind.PERSON, is_active=True)


class PrincipalManager(DjangoUserManager["Principal"]):
    """Makes principals; a person has a password, an agent never has one."""

    def get_queryset(self) -> PrincipalQuerySet:
        return PrincipalQuerySet(self.model, using=self._db)

    def people(self) -> PrincipalQuerySet:
        """People only, those who may sign in."""
        return self.get_queryset().people()


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

    def as_actor(self) -> Actor:
        """How the ledger names this principal when it acts."""
        return Actor(kind=self.kind, id=self.username, name=str(self))

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
        """Everything that this principal and its groups hold; one query answers every question of a request."""
        return held_by(self.pk) if self.is_active else Rights()

    def forget_grants(self) -> None:
        """Read the rights anew at the next question: they were changed, or time has passed."""
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
        return manages and permission.partition(".")[2].split("_")[0] in ("view", "pause", "start", "cancel")


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
        permissions = [("manage_unit", "Can manage the work of the unit")]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this unit."""
        return Subject(kind="unit", id=self.code, name=self.name, unit=str(self.pk))


class Role(models.Model):
    """What kind of work an agent does; steps of a workflow name the role that takes them."""

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    purpose = models.CharField(max_length=400, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SharedQuerySet(models.QuerySet[Any]):
    """Rows that belong to a unit and can also be granted one by one."""

    def visible_to(self, user: Principal) -> Self:
        """Rows of the user's units, and rows granted to the user directly."""
        permission = f"{self.model._meta.app_label}.view_{self.model._meta.model_name}"
        if user.has_perm(permission):
            return self
        return self.filter(Q(unit__in=user.unit_ids()) | Q(pk__in=user.granted(permission, self.model)))


class System(models.Model):
    """Something that agents act upon, with the actions it offers and the typed facts that come with a request.

    `actions`: [{"name": "invoice.pay", "label": "Pay an invoice", "risk": 2, "effect": "Money leaves the company"}];
    `fields`: [{"path": "context.amount", "kind": "decimal", "label": "Amount", "unit": ""}].
    """

    class Verb(models.TextChoices):
        READ = "read", "read"
        CREATE = "create", "create"
        CHANGE = "change", "change"
        PAY = "pay", "pay"
        SEND = "send", "send"

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="systems")
    resource = models.CharField(max_length=60)
    actions = models.JSONField(default=list)
    fields = models.JSONField(default=list)

    objects = SharedQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [
            (f"{verb}_in_system", f"Can {verb} in the system") for verb in ("read", "create", "change", "pay", "send")
        ]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this system."""
        return Subject(kind="system", id=self.code, name=self.name, unit=str(self.unit_id))


class AgentQuerySet(SharedQuerySet):
    """Reading phrases for agents."""

    def at_work(self) -> Self:
        """Agents that are active."""
        return self.filter(status=Agent.Status.ACTIVE)

    def with_people(self) -> Self:
        """With everything that a list shows, in one query."""
        return self.select_related("unit", "role", "accountable", "stand_in")


class Agent(models.Model):
    """A digital employee: an outside program with a role, a unit, limits and a person who answers for it."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        RETIRED = "retired", "Retired"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.DRAFT: (Status.ACTIVE, Status.RETIRED),
        Status.ACTIVE: (Status.PAUSED, Status.RETIRED),
        Status.PAUSED: (Status.ACTIVE, Status.RETIRED),
    }

    class Risk(models.IntegerChoices):
        LOW = 1, "Low risk"
        MEDIUM = 2, "Medium risk"
        HIGH = 3, "High risk"

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    purpose = models.CharField(max_length=600)
    icon = models.CharField(max_length=40, default="bot")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="agents")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="agents")
    principal = models.OneToOneField(Principal, on_delete=models.PROTECT, related_name="agent")
    accountable = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="answers_for")
    stand_in = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="stands_in_for")
    autonomy_level = models.PositiveSmallIntegerField(default=0)
    risk_class = models.PositiveSmallIntegerField(choices=Risk.choices, default=Risk.LOW)
    runtime = models.CharField(max_length=200, blank=True)
    ends_on = models.DateField(null=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    last_seen_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects = AgentQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        permissions = [("pause_agent", "Can pause and resume the agent"), ("key_agent", "Can issue keys for the agent")]
        constraints = [
            models.CheckConstraint(condition=Q(autonomy_level__lte=4), name="autonomy_level_is_0_to_4"),
            models.CheckConstraint(condition=~Q(accountable=F("principal")), name="no_agent_answers_for_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def as_actor(self) -> Actor:
        """How the ledger names this agent when it acts."""
        return Actor(kind="agent", id=self.code, name=str(self))

    def as_subject(self) -> Subject:
        """How the ledger names this agent when something happens to it."""
        return Subject(kind="agent", id=self.code, name=str(self), unit=str(self.unit_id))


class Key(models.Model):
    """A secret an agent signs in with; only its SHA-256 is stored."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        REVOKED = "revoked", "Revoked"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {Status.ACTIVE: (Status.REVOKED,)}

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="keys")
    prefix = models.CharField(max_length=12, unique=True)
    secret_sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"aos_live_{self.prefix}…"

    def as_subject(self) -> Subject:
        """How the ledger names this key: by its prefix, never by its secret."""
        return Subject(kind="key", id=self.prefix, name=f"{self} of {self.agent.code}", unit=str(self.agent.unit_id))

    def expired(self, at: datetime) -> bool:
        """Whether the key no longer opens anything at that time."""
        return at >= self.expires_at


class GivenAnswer(models.Model):
    """The answer to a request that carried an Idempotency-Key, so that a repeat gets the same one."""

    principal = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="+")
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["principal", "route", "key"], name="one_answer_per_idempotency_key")
        ]
        indexes = [models.Index(fields=["at"], name="given_answer_at")]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
