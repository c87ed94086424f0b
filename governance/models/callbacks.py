"""Callbacks: where an agent is told by itself what became of its access request, and each try to tell it."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from governance.models.escalations import Escalation
from observability.ledger import Subject


class CallbackQuerySet(models.QuerySet["Callback"]):
    """Reading phrases for callbacks."""

    def due(self, at: datetime) -> Self:
        """Those whose question is settled for good and that are to be tried now, oldest first."""
        waiting = self.filter(status=Callback.Status.WAITING, due_at__lte=at)
        return waiting.exclude(escalation__in=Escalation.objects.pending()).order_by("due_at", "pk")


class Callback(models.Model):
    """One address that wants to hear what became of a question; `due_at` is when it is tried next."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waits"
        DELIVERED = "delivered", "Delivered"
        GIVEN_UP = "given_up", "Given up"
        NOT_WANTED = "not_wanted", "Not wanted"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.WAITING: (Status.DELIVERED, Status.GIVEN_UP, Status.NOT_WANTED)
    }

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="callbacks")
    endpoint = models.CharField(max_length=2000)
    state = models.CharField(max_length=1000, blank=True)
    wish_sha256 = models.CharField(max_length=64)
    events = models.JSONField(default=list)
    base = models.CharField(max_length=300)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()

    objects = CallbackQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["escalation", "wish_sha256"], name="a_callback_is_wanted_once")]
        indexes = [models.Index(fields=["due_at"], name="callback_due", condition=Q(status="waiting"))]

    def __str__(self) -> str:
        return f"Callback about {self.escalation}"

    def as_subject(self) -> Subject:
        """How the ledger names this callback."""
        about = self.escalation.as_subject()
        return Subject(kind="callback", id=str(self.uid), name=about.name, unit=about.unit)


class CallbackAttempt(models.Model):
    """One try to deliver a callback, with what came of it."""

    callback = models.ForeignKey(Callback, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    code = models.PositiveSmallIntegerField(null=True)
    outcome = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.callback}: {self.outcome}"
