"""The keys that agents sign in with, and the answers that are kept for repeats."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from django.db import models

from agents.models.agents import Agent
from agents.models.principals import Principal
from observability.ledger import Subject


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
