"""Autonomy that is earned: requests for a higher level with the evidence for them, and the rules that lower it."""

from collections.abc import Mapping
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from agents.models import Agent, Principal
from governance.rules.evidence import Bounds, Evidence, evidence_from
from observability.ledger import Subject


class PromotionQuerySet(models.QuerySet["PromotionRequest"]):
    """Reading phrases for requests for promotion."""

    def open(self) -> Self:
        """Those that wait for the council."""
        return self.filter(status=PromotionRequest.Status.OPEN)

    def visible_to(self, user: Principal) -> Self:
        """Requests about the agents that the user may see."""
        return self.filter(agent__in=Agent.objects.visible_to(user).order_by())

    def for_person(self, person: Principal) -> Self:
        """Those that this person may decide: of the council, and neither who asked nor who answers for the agent."""
        if not person.may("governance.promote_agent"):
            return self.none()
        return self.open().visible_to(person).exclude(Q(asked_by=person) | Q(agent__accountable=person))

    def with_people(self) -> Self:
        """With everything that a list shows, in one query."""
        return self.select_related("agent__unit", "agent__role", "agent__accountable", "asked_by", "decided_by")


class PromotionRequest(models.Model):
    """Somebody asks the council to let an agent act at the next level; the evidence stays as it was when asked."""

    class Status(models.TextChoices):
        OPEN = "open", "Waits for the council"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.OPEN: (Status.APPROVED, Status.REJECTED, Status.WITHDRAWN),
    }

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="promotion_requests")
    from_level = models.PositiveSmallIntegerField()
    to_level = models.PositiveSmallIntegerField()
    evidence = models.JSONField()
    evidence_since = models.DateTimeField()
    reason = models.TextField()
    asked_by = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    decided_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)

    objects = PromotionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["agent"], condition=Q(status="open"), name="one_open_promotion_per_agent"),
            models.CheckConstraint(condition=Q(to_level=F("from_level") + 1), name="promotion_is_one_step_up"),
        ]
        permissions = [
            ("promote_agent", "Can decide which autonomy an agent has earned"),
            ("demote_agent", "Can lower the autonomy of agents"),
        ]

    def __str__(self) -> str:
        return f"{self.agent} to level {self.to_level}"

    def as_subject(self) -> Subject:
        """How the ledger names this request."""
        return Subject(kind="promotion", id=str(self.uid), name=str(self), unit=str(self.agent.unit_id))

    @property
    def is_open(self) -> bool:
        """Whether it waits for the council."""
        return self.status == self.Status.OPEN

    @property
    def evidence_then(self) -> Evidence:
        """The evidence as it was when this was asked."""
        return evidence_from(self.evidence)


class DemotionRule(models.Model):
    """When agents of a role lose a level by themselves; the rule without a role holds for all others."""

    role = models.CharField(max_length=60, blank=True, unique=True)
    overruled_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    error_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    at_least = models.PositiveIntegerField()
    days = models.PositiveSmallIntegerField()
    changed_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["role"]
        constraints = [
            models.CheckConstraint(condition=Q(at_least__gte=1, days__gte=1), name="demotion_rule_counts_something"),
            models.CheckConstraint(
                condition=Q(overruled_percent__isnull=False) | Q(error_percent__isnull=False),
                name="demotion_rule_bounds_something",
            ),
        ]

    def __str__(self) -> str:
        return f"Demotion of {self.role or 'all other roles'}"

    def as_subject(self) -> Subject:
        """How the ledger names this rule."""
        return Subject(kind="demotion", id=self.role or "everybody", name=self.role or "all other roles")

    @property
    def bounds(self) -> Bounds:
        """The rule as plain values."""
        return Bounds(self.overruled_percent, self.error_percent, self.at_least, self.days)
