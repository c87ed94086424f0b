"""The control state: the switch that stops everything."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models

from agents.models import Principal
from observability.ledger import Subject


class ControlState(models.Model):
    """Whether work goes on: the switch that stops everything."""

    class Status(models.TextChoices):
        NORMAL = "normal", "Normal operation"
        RESTRICTED = "restricted", "Restricted"
        PAUSED = "paused", "Paused"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.NORMAL: (Status.RESTRICTED, Status.PAUSED),
        Status.RESTRICTED: (Status.NORMAL, Status.PAUSED),
        Status.PAUSED: (Status.NORMAL, Status.RESTRICTED),
    }

    scope = models.CharField(max_length=40, unique=True, default="everything")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.NORMAL)
    why = models.TextField(blank=True)
    changed_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.scope}: {self.status}"

    def as_subject(self) -> Subject:
        """How the ledger names the switch."""
        return Subject(kind="control", id=self.scope, name=f"Control state of {self.scope}")

    def as_facts(self) -> dict[str, Any]:
        """What pages show about it."""
        return {
            "state": self.status,
            "label": self.get_status_display(),
            "why": self.why,
            "at": self.changed_at,
        }
