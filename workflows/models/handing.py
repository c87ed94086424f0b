"""Rows of coordination: what an agent gives with a step that it hands off to another role."""

from typing import Any, Self

from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from agents.models import Agent, Principal
from observability.ledger import Subject
from workflows.models.work import Run, Step


class HandOffQuerySet(models.QuerySet["HandOff"]):
    """Reading phrases for hand-offs."""

    def visible_to(self, user: Principal) -> Self:
        """Those of the runs that a person may see; those of the steps that an agent holds now."""
        if user.is_person:
            return self.filter(step__run__in=Run.objects.visible_to(user).order_by())
        held = self.filter(step__agent__principal=user, step__status=Step.Status.WORKING)
        return held.filter(step__leased_until__gt=Now())

    def in_order(self) -> Self:
        """The first one first."""
        return self.order_by("number")


class HandOff(models.Model):
    """One step given on, with a snapshot of what the sender knows; `number` counts those of the step, `sha256` is that
    of everything it says and of the one before it, and stands in the ledger too."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="given")
    number = models.PositiveSmallIntegerField()
    sender = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="+")
    from_role = models.CharField(max_length=60)
    to_role = models.CharField(max_length=60)
    note = models.TextField(blank=True)
    context = models.JSONField(default=dict)
    references = models.JSONField(default=list)
    previous_sha256 = models.CharField(max_length=64, blank=True)
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField()
    receiver = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, related_name="+")
    received_at = models.DateTimeField(null=True)

    objects = HandOffQuerySet.as_manager()

    class Meta:
        ordering = ["step", "number"]
        constraints = [models.UniqueConstraint(fields=["step", "number"], name="one_hand_off_per_step_and_number")]

    def __str__(self) -> str:
        return f"{self.step} to {self.to_role}"

    def as_subject(self) -> Subject:
        """How the ledger names this hand-off."""
        about = self.step.as_subject()
        return Subject(
            kind="hand_off", id=str(self.uid), name=about.name, unit=about.unit, run=about.run, workflow=about.workflow
        )

    def as_document(self) -> dict[str, Any]:
        """Everything it says, in plain values: what its SHA-256 is taken of."""
        return {
            "id": str(self.uid), "step": str(self.step.uid), "number": self.number, "from": self.sender.code,
            "from_role": self.from_role, "to_role": self.to_role, "note": self.note, "context": self.context,
            "references": self.references, "previous_sha256": self.previous_sha256,
        }  # fmt: skip
