"""Blueprints: the job descriptions that agents are hired from and governed by."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from agents.models.principals import Principal, Unit
from agents.models.systems import SharedQuerySet
from observability.ledger import Subject

ANY_ACTION = "*"


class BlueprintQuerySet(SharedQuerySet):
    """Reading phrases for blueprints."""

    def in_force(self) -> Self:
        """Blueprints from which agents may be hired and work."""
        return self.filter(status=Blueprint.Status.ACTIVE)

    def with_people(self) -> Self:
        """With everything that a list shows, in one query."""
        return self.select_related("role", "unit", "owner")


class Blueprint(models.Model):
    """A job description: what agents of this kind do, up to which limits, and who owns it. It governs all its agents.

    `actions`: [{"system": "payables", "action": "invoice.pay", "scope": {"Amount": "up to 25,000 EUR"}}], where the
    scope is read by people; `rates`: {"run": "0.04"}, exact numbers as text in `currency`; `capabilities` are words
    that steps may ask for beside the role; `work_limit` is how many steps one agent holds at once, 0 for any number.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        DISABLED = "disabled", "Disabled"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.DRAFT: (Status.ACTIVE, Status.DISABLED),
        Status.ACTIVE: (Status.DISABLED,),
        Status.DISABLED: (Status.ACTIVE,),
    }

    class Risk(models.IntegerChoices):
        LOW = 1, "Low risk"
        MEDIUM = 2, "Medium risk"
        HIGH = 3, "High risk"

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    purpose = models.CharField(max_length=600)
    role = models.ForeignKey("agents.Role", on_delete=models.PROTECT, related_name="blueprints")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="blueprints")
    owner = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="blueprints")
    actions = models.JSONField(default=list)
    autonomy_ceiling = models.PositiveSmallIntegerField(default=0)
    risk_class = models.PositiveSmallIntegerField(choices=Risk.choices, default=Risk.LOW)
    model = models.CharField(max_length=200, blank=True)
    runtime = models.CharField(max_length=200, blank=True)
    rates = models.JSONField(default=dict)
    currency = models.CharField(max_length=3, default="EUR")
    capabilities = models.JSONField(default=list, db_default=[])
    work_limit = models.PositiveSmallIntegerField(default=0, db_default=0)
    version = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    created_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    objects = BlueprintQuerySet.as_manager()

    class Meta:
        ordering = ["name", "code"]
        constraints = [models.CheckConstraint(condition=Q(autonomy_ceiling__lte=4), name="autonomy_ceiling_is_0_to_4")]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this blueprint."""
        return Subject(kind="blueprint", id=self.code, name=self.name, unit=str(self.unit_id))

    def as_document(self) -> dict[str, Any]:
        """What its versions keep: everything that people decide about it, in plain values."""
        return {
            "name": self.name, "purpose": self.purpose, "role": self.role.code, "unit": self.unit.code,
            "owner": self.owner.username, "actions": self.actions, "autonomy_ceiling": self.autonomy_ceiling,
            "risk_class": self.risk_class, "model": self.model, "runtime": self.runtime, "rates": self.rates,
            "currency": self.currency, "capabilities": self.capabilities, "work_limit": self.work_limit,
        }  # fmt: skip

    @property
    def names_its_actions(self) -> bool:
        """Whether it lists what its agents may do; one made from agents of an older version leaves it to policies."""
        return all(item["action"] != ANY_ACTION for item in self.actions)

    def allows(self, action: str) -> bool:
        """Whether the action belongs to the job."""
        return any(item["action"] in (action, ANY_ACTION) for item in self.actions)
