"""Cards of agents elsewhere (A2A), pinned by their hash."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from agents.models.principals import Principal, Unit
from agents.models.systems import SharedQuerySet
from observability.ledger import Subject


class ForeignCard(models.Model):
    """The card of an agent that somebody else runs, as a person read and pinned it. `seen` is the card that came in
    last while it differs from the pinned one."""

    class Status(models.TextChoices):
        PINNED = "pinned", "Pinned"
        DRIFTED = "drifted", "Changed since it was pinned"
        WITHDRAWN = "withdrawn", "Withdrawn"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.PINNED: (Status.DRIFTED, Status.WITHDRAWN),
        Status.DRIFTED: (Status.DRIFTED, Status.PINNED, Status.WITHDRAWN),
        Status.WITHDRAWN: (Status.DRIFTED, Status.PINNED),
    }

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="foreign_cards")
    name = models.CharField(max_length=200)
    provider = models.CharField(max_length=200, blank=True)
    url = models.CharField(max_length=500)
    version = models.CharField(max_length=60)
    skills = models.JSONField(default=list)
    card = models.JSONField()
    sha256 = models.CharField(max_length=64)
    seen = models.JSONField(null=True)
    seen_sha256 = models.CharField(max_length=64, blank=True)
    seen_at = models.DateTimeField()
    pinned_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    pinned_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PINNED)

    objects = SharedQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["unit", "url"], name="one_foreign_card_per_unit_and_address"),
            models.CheckConstraint(
                condition=~Q(status="drifted") | Q(seen__isnull=False), name="drifted_card_has_been_seen"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def newest(self) -> dict[str, Any]:
        """The card that came in last."""
        card: dict[str, Any] = self.card if self.seen is None else self.seen
        return card

    def as_subject(self) -> Subject:
        """How the ledger names this card."""
        return Subject(kind="card", id=str(self.uid), name=f"the card of {self.name}", unit=str(self.unit_id))
