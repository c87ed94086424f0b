"""Each use of the emergency account: who opened it and why, until when it was open, and the review afterwards."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from agents.models.principals import Principal
from observability.ledger import Subject


class BreakGlassQuerySet(models.QuerySet["BreakGlass"]):
    """Reading phrases for uses of the emergency account."""

    def unreviewed(self) -> Self:
        """Those that are open, or that nobody has reviewed yet; the newest first."""
        return self.exclude(status=BreakGlass.Status.REVIEWED).order_by("-armed_at")

    def over(self, at: datetime) -> Self:
        """Those that are still open although their time has passed."""
        return self.filter(status=BreakGlass.Status.ARMED, expires_at__lte=at)


class BreakGlass(models.Model):
    """One use of the emergency account, from its opening to its review."""

    class Status(models.TextChoices):
        ARMED = "armed", "Open"
        EXPIRED = "expired", "Waits for its review"
        REVIEWED = "reviewed", "Reviewed"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.ARMED: (Status.EXPIRED,),
        Status.EXPIRED: (Status.REVIEWED,),
    }

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    account = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="emergencies")
    opened_by = models.CharField(max_length=120)
    why = models.TextField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ARMED)
    armed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    review = models.TextField(blank=True)

    objects = BreakGlassQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(status="armed"), name="one_open_use_of_the_emergency_account"
            )
        ]

    def __str__(self) -> str:
        return "the emergency account"

    @property
    def is_open(self) -> bool:
        """Whether the account can be used right now."""
        return self.status == self.Status.ARMED

    def as_subject(self) -> Subject:
        """How the ledger names this use."""
        return Subject(kind="break_glass", id=str(self.uid), name=str(self), unit=str(self.account.unit_id or ""))
