"""Roles, and the agents: digital employees that do the work of a role."""

from collections.abc import Mapping
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from agents.models.principals import Principal, Unit
from agents.models.systems import SharedQuerySet
from observability.ledger import Actor, Subject


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
