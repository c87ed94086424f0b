"""Rows of coordination: where an agent that cannot ask for work is told that there is some, and each time it was."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from agents.models import Agent, Principal
from observability.ledger import Subject


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    """Reading phrases for endpoints."""

    def due(self, at: datetime) -> Self:
        """Active ones of agents at work that may be tried now, the longest untouched first."""
        active = self.filter(status=Endpoint.Status.ACTIVE, due_at__lte=at, agent__status=Agent.Status.ACTIVE)
        return active.select_related("agent__unit", "agent__role", "agent__blueprint", "agent__principal").order_by(
            "due_at", "pk"
        )


class Endpoint(models.Model):
    """The address of one agent; `due_at` is when it is looked at next, `secret_version` changes with its secret."""

    class Status(models.TextChoices):
        ACTIVE = "active", "In use"
        DISABLED = "disabled", "Not used"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.ACTIVE: (Status.DISABLED,),
        Status.DISABLED: (Status.ACTIVE,),
    }

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, related_name="endpoint")
    url = models.CharField(max_length=2000)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    secret_version = models.PositiveIntegerField(default=1)
    failures = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    set_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField()

    objects = EndpointQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="endpoint_due", condition=Q(status="active"))]

    def __str__(self) -> str:
        return f"Endpoint of {self.agent}"

    def as_subject(self) -> Subject:
        """How the ledger names this endpoint."""
        return Subject(kind="endpoint", id=str(self.uid), name=str(self.agent), unit=str(self.agent.unit_id))


class Push(models.Model):
    """One message to an endpoint: what came of it. `code` is the status of the answer, None when there was none."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="pushes")
    at = models.DateTimeField()
    ready = models.PositiveIntegerField()
    code = models.PositiveSmallIntegerField(null=True)
    outcome = models.CharField(max_length=200)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.outcome}"
