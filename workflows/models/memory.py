"""Rows of coordination: the spaces of shared memory and the facts in them."""

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from agents.models import Agent, Principal, SharedQuerySet, Unit
from observability.ledger import Subject
from workflows.models.work import Run


class Space(models.Model):
    """A part of shared memory, with its own readers and writers."""

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    purpose = models.CharField(max_length=400, blank=True)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="spaces")

    objects = SharedQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [("write_space", "Can put facts into the space")]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this space."""
        return Subject(kind="space", id=self.code, name=self.name, unit=str(self.unit_id))


class FactQuerySet(models.QuerySet["Fact"]):
    """Reading phrases for facts."""

    def visible_to(self, user: Principal) -> Self:
        """Facts of the spaces that the user may see."""
        return self.filter(space__in=Space.objects.visible_to(user))

    def valid(self, at: datetime) -> Self:
        """Facts that are current and not expired."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at), superseded_at__isnull=True)


class Fact(models.Model):
    """A result that was found once, for all who need it later."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="facts")
    key = models.CharField(max_length=300)
    value = models.JSONField()
    value_sha256 = models.CharField(max_length=64)
    author = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="facts")
    run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, related_name="facts")
    evidence = models.JSONField(default=list)
    cost = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    seconds = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    superseded_at = models.DateTimeField(null=True)
    reused = models.PositiveIntegerField(default=0)

    objects = FactQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["space", "key"], condition=Q(superseded_at__isnull=True), name="one_current_fact_per_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.space.code}/{self.key}"

    def as_subject(self) -> Subject:
        """How the ledger names this fact."""
        run = str(self.run.uid) if self.run else ""
        workflow = self.run.workflow.code if self.run else ""
        return Subject(
            kind="fact", id=str(self.uid), name=str(self), unit=str(self.space.unit_id), run=run, workflow=workflow
        )

    @property
    def saved(self) -> dict[str, Any]:
        """What its reuse has saved so far: seconds and cost."""
        return {"seconds": self.seconds * self.reused, "cost": self.cost * self.reused}
