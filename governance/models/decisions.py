"""Decisions: every answered question of an agent, with what made the answer."""

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from uuid_utils.compat import uuid7

from agents.models import Agent, Principal
from observability.ledger import Subject
from observability.models import Event, Reader

# What the agent reported about the step of a decision after it: that it failed, or anything.
_LATER = Event.objects.filter(
    subject_kind="step", subject_id=OuterRef("step"), at__gte=OuterRef("at"), actor_kind="agent",
    actor_id=OuterRef("agent__code"),
)  # fmt: skip
HAS_FAILED = ~Q(step="") & Q(Exists(_LATER.filter(verb="step.failed")))
HAS_REPORT = ~Q(step="") & Q(Exists(_LATER.filter(verb__in=("step.failed", "step.finished"))))


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Reading phrases for decisions."""

    def visible_to(self, reader: Reader) -> Self:
        """Decisions about agents of the units that the reader may see."""
        return self if reader.sees_all_units else self.filter(agent__unit__in=reader.unit_ids())

    def alone(self) -> Self:
        """Those that allowed without a person: no approval was among the facts."""
        return self.filter(effect=Decision.Effect.ALLOW).exclude(facts__has_key="approval")

    def reported(self, *, failed: bool) -> Self:
        """Allowed ones whose step came to a report of the agent afterwards; or only those that failed."""
        return self.filter(effect=Decision.Effect.ALLOW).filter(Q(HAS_FAILED) if failed else Q(HAS_REPORT))


class Decision(models.Model):
    """One answered question: may this agent do this? With everything that made the answer."""

    class Effect(models.TextChoices):
        ALLOW = "allow", "Allowed"
        DENY = "deny", "Denied"
        ESCALATE = "escalate", "Asked"

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    at = models.DateTimeField()
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="decisions")
    asked_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    request_key = models.CharField(max_length=200)
    action = models.CharField(max_length=80)
    resource_kind = models.CharField(max_length=60)
    resource_id = models.CharField(max_length=200)
    request = models.JSONField()
    request_sha256 = models.CharField(max_length=64)
    facts = models.JSONField()
    effect = models.CharField(max_length=10, choices=Effect.choices)
    reason = models.TextField()
    policy = models.CharField(max_length=80, blank=True)
    policy_version = models.PositiveIntegerField(null=True)
    rule = models.CharField(max_length=80, blank=True)
    because = models.JSONField(default=list)
    matched = models.JSONField(default=list)
    missing = models.JSONField(default=list)
    obligations = models.JSONField(default=list)
    terms = models.JSONField(null=True)
    rule_set = models.CharField(max_length=64)
    microseconds = models.PositiveIntegerField()
    statement = models.TextField(blank=True)
    confidence = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    run = models.CharField(max_length=40, blank=True)
    step = models.CharField(max_length=40, blank=True)
    reported_at = models.DateTimeField(null=True)
    report = models.JSONField(default=dict)
    matter_sha256 = models.CharField(max_length=64, default="", db_default="", blank=True)  # whoever asks in any step
    tainted = models.BooleanField(default=False, db_default=False)  # read from what is not trusted, or denied after it

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["agent", "request_key"], name="one_decision_per_request_key")]
        indexes = [
            models.Index(fields=["run", "id"], name="decision_run"),
            models.Index(fields=["at"], name="decision_at"),
            models.Index(fields=["resource_kind", "resource_id", "id"], name="decision_resource"),
            models.Index(fields=["agent", "at"], name="decision_agent_at"),
            models.Index(fields=["agent", "matter_sha256", "at"], name="decision_agent_matter"),
            models.Index(fields=["agent", "at"], name="decision_denied", condition=models.Q(effect="deny")),
            models.Index(fields=["agent", "at"], name="decision_tainted", condition=models.Q(tainted=True)),
            models.Index(fields=["resource_kind", "resource_id", "at"], name="decision_resource_at"),
        ]

    def __str__(self) -> str:
        return f"{self.agent.code} {self.action} {self.resource_id}: {self.effect}"

    def as_subject(self) -> Subject:
        """How the ledger names this decision."""
        run = {"run": self.run, "workflow": str(self.request.get("workflow", ""))}
        return Subject(
            kind="decision", id=str(self.uid), name=f"{self.action} {self.resource_id}",
            unit=str(self.agent.unit_id), **run
        )  # fmt: skip
