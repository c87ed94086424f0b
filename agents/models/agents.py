"""Roles, and the agents: digital employees that do the work of a role."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Cast, Now
from uuid_utils.compat import uuid7

from agents.models.access import Grant, RoleGrant
from agents.models.blueprints import Blueprint
from agents.models.principals import Principal, Unit
from agents.models.systems import SharedQuerySet
from agents.rights import units_below
from agents.rules.hours import WorkingHours, read_hours
from observability.ledger import Actor, Caller, Subject


class Role(models.Model):
    """What kind of work an agent does; steps of a workflow name the role that takes them."""

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    purpose = models.CharField(max_length=400, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AgentQuerySet(SharedQuerySet):
    """Reading phrases for agents."""

    def at_work(self) -> Self:
        """Agents that are active."""
        return self.filter(status=Agent.Status.ACTIVE)

    def with_people(self) -> Self:
        """With everything that a list shows, in one query."""
        return self.select_related("unit", "role", "accountable", "stand_in", "blueprint")

    def employed(self) -> Self:
        """Agents that are not retired."""
        return self.exclude(status=Agent.Status.RETIRED)

    def without_sponsor(self) -> Self:
        """Employed agents whose accountable person has left."""
        return self.employed().filter(accountable__is_active=False)

    def to_watch(self, at: datetime) -> Self:
        """Agents whose sponsor left or was missed, or whose last day has passed."""
        missed = Q(accountable__is_active=False) | Q(sponsor_missing_since__isnull=False)
        return self.filter(missed | Q(ends_on__lt=at.date()))

    def orphaned(self) -> Self:
        """Employed agents for which nobody answers: sponsor and stand-in have left, or no living person owns the unit
        or one above it."""
        no_sponsor = Q(accountable__is_active=False) & (Q(stand_in=None) | Q(stand_in__is_active=False))
        return self.employed().filter(no_sponsor | ~Q(unit__in=owned_units()))

    def holding_access(self) -> Self:
        """Agents with an active key, or with a right on anything but their own unit."""
        rights = (
            Grant.objects.in_force(Now())
            .filter(user=OuterRef("principal"))
            .exclude(permission__codename="view_unit", object_pk=Cast(OuterRef("unit"), models.CharField()))
        )
        return self.filter(Q(keys__status="active") | Exists(rights)).distinct()


def owned_units() -> list[int]:
    """Primary keys of the units that a living person manages, and of all below them."""
    managing = {"permission__codename": "manage_unit", "permission__content_type__app_label": "agents"}
    own = Grant.objects.in_force(Now()).filter(user__is_active=True, user__kind=Principal.Kind.PERSON, **managing)
    members = {"group__user__is_active": True, "group__user__kind": Principal.Kind.PERSON}
    tops = {*own.values_list("object_pk", flat=True)}
    tops |= {*RoleGrant.objects.in_force(Now()).filter(**members, **managing).values_list("object_pk", flat=True)}
    return units_below([int(pk) for pk in sorted(tops)])


class Agent(models.Model):
    """A digital employee: an outside program with a role, a unit, limits and a person who answers for it."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        RETIRED = "retired", "Retired"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.DRAFT: (Status.IN_REVIEW, Status.ACTIVE, Status.RETIRED),
        Status.IN_REVIEW: (Status.DRAFT, Status.ACTIVE, Status.RETIRED),
        Status.ACTIVE: (Status.PAUSED, Status.RETIRED),
        Status.PAUSED: (Status.ACTIVE, Status.RETIRED),
    }

    class Environment(models.TextChoices):
        PRODUCTION = "production", "Production"
        TEST = "test", "Test"

    Risk = Blueprint.Risk

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    purpose = models.CharField(max_length=600)
    icon = models.CharField(max_length=40, default="bot")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="agents")
    blueprint = models.ForeignKey(Blueprint, on_delete=models.PROTECT, related_name="agents")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="agents")
    principal = models.OneToOneField(Principal, on_delete=models.PROTECT, related_name="agent")
    accountable = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="answers_for")
    stand_in = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="stands_in_for")
    autonomy_level = models.PositiveSmallIntegerField(default=0)
    risk_class = models.PositiveSmallIntegerField(choices=Risk.choices, default=Risk.LOW)
    runtime = models.CharField(max_length=200, blank=True)
    environment = models.CharField(max_length=10, choices=Environment.choices, default=Environment.PRODUCTION)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    hours = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    last_seen_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    card_published = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    submitted_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    submitted_at = models.DateTimeField(null=True)
    sponsor_missing_since = models.DateTimeField(null=True)

    caller: Caller | None = None  # how it came in, set by the door for one request
    came_at: datetime | None = None  # and when
    scopes: frozenset[str] = frozenset()  # of the credential that it came in with
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
        return Actor(kind="agent", id=self.code, name=str(self), caller=self.caller)

    def as_subject(self) -> Subject:
        """How the ledger names this agent when something happens to it."""
        return Subject(kind="agent", id=self.code, name=str(self), unit=str(self.unit_id))

    def as_document(self) -> dict[str, Any]:
        """What its versions keep: everything that people decide about it, in plain values."""
        return {
            "name": self.name, "purpose": self.purpose, "icon": self.icon, "blueprint": self.blueprint.code,
            "unit": self.unit.code, "accountable": self.accountable.username,
            "stand_in": self.stand_in.username if self.stand_in else None, "autonomy_level": self.autonomy_level,
            "environment": self.environment, "runtime": self.runtime,
            "starts_on": self.starts_on.isoformat() if self.starts_on else None,
            "ends_on": self.ends_on.isoformat() if self.ends_on else None, "hours": self.hours,
        }  # fmt: skip

    @property
    def effective_autonomy(self) -> int:
        """The level at which it acts: its own, or the ceiling of its blueprint when that is lower."""
        return min(self.autonomy_level, self.blueprint.autonomy_ceiling)

    @property
    def acting_sponsor(self) -> Principal | None:
        """Who answers for it now: the accountable person, or the stand-in when that one has left."""
        return next((each for each in (self.accountable, self.stand_in) if each and each.is_active), None)

    @property
    def working_hours(self) -> WorkingHours | None:
        """When it works; None for always."""
        return read_hours(self.hours) if self.hours else None
