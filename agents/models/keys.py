"""What agents sign in with, what people hand them, and the answers that are kept for repeats."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from django.db import models
from uuid_utils.compat import uuid7

from agents.models.agents import Agent
from agents.models.principals import Principal
from agents.rules import ALL_SCOPES
from observability.ledger import Subject
from observability.prepared import Prepared


def all_scopes() -> list[str]:
    """Every scope: what a credential has that was given without saying which."""
    return list(ALL_SCOPES)


class Key(models.Model):
    """A secret an agent signs in with; only its SHA-256 is stored."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        REVOKED = "revoked", "Revoked"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {Status.ACTIVE: (Status.REVOKED,)}

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="keys")
    name = models.CharField(max_length=80, blank=True)
    scopes = models.JSONField(default=all_scopes)
    replaces = models.OneToOneField("self", on_delete=models.SET_NULL, null=True, related_name="replaced_by")
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

    def opens(self, at: datetime) -> bool:
        """Whether the key is neither revoked nor expired."""
        return self.status == self.Status.ACTIVE and not self.expired(at)


KEY_BY_PREFIX = Prepared(
    lambda prefix: Key.objects.select_related(
        "agent__principal", "agent__role", "agent__unit", "agent__blueprint"
    ).filter(prefix=prefix),
    "prefix",
)


class ClientKey(models.Model):
    """The public half of a key pair with which an agent proves who it is at the token endpoint (RFC 7523)."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        REVOKED = "revoked", "Revoked"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {Status.ACTIVE: (Status.REVOKED,)}

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="client_keys")
    kid = models.CharField(max_length=100)
    jwk = models.JSONField()
    scopes = models.JSONField(default=all_scopes)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "kid"], name="one_client_key_per_agent_and_kid")]

    def __str__(self) -> str:
        return self.kid

    def as_subject(self) -> Subject:
        """How the ledger names this public key."""
        return Subject(
            kind="client_key", id=str(self.uid), name=f"{self.kid} of {self.agent.code}", unit=str(self.agent.unit_id)
        )

    def opens(self, at: datetime) -> bool:
        """Whether the key is neither revoked nor expired."""
        return self.status == self.Status.ACTIVE and at < self.expires_at


CLIENT_KEY_BY_NAME = Prepared(
    lambda code, kid: ClientKey.objects.select_related(
        "agent__principal", "agent__role", "agent__unit", "agent__blueprint"
    ).filter(agent__code=code, kid=kid),
    "code",
    "kid",
)


class Consent(models.Model):
    """A person lets one agent act for the person, for minutes; its secret can be exchanged for a token once. Only the
    SHA-256 of the secret is stored."""

    class Status(models.TextChoices):
        GIVEN = "given", "Not used yet"
        USED = "used", "Used"
        WITHDRAWN = "withdrawn", "Withdrawn"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.GIVEN: (Status.USED, Status.WITHDRAWN),
        Status.USED: (Status.WITHDRAWN,),
    }

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    person = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="consents")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="consents")
    prefix = models.CharField(max_length=12, unique=True)
    secret_sha256 = models.CharField(max_length=64)
    scopes = models.JSONField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.GIVEN)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["person", "-id"], name="consent_person")]

    def __str__(self) -> str:
        return f"{self.agent.code} for {self.person}"

    def as_subject(self) -> Subject:
        """How the ledger names this consent."""
        return Subject(kind="consent", id=str(self.uid), name=str(self), unit=str(self.agent.unit_id))

    def open_at(self, at: datetime) -> bool:
        """Whether something can still be done with it: exchange it, or work with the token it was exchanged for."""
        return self.status != self.Status.WITHDRAWN and at < self.expires_at


class UsedToken(models.Model):
    """The jti of a client's assertion that was used, as a digest, until the assertion has expired anyway."""

    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.digest


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
