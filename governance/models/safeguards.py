"""Safeguards: the limits at which agents are stopped, and for each system the circuit breaker with its state."""

from collections.abc import Mapping
from typing import ClassVar

from django.db import models
from django.db.models import Q

from agents.models import Principal, System
from governance.rules.breaking import USUAL_FUSE, Fuse, Limits
from observability.ledger import Subject

LIMITS = tuple(Limits.__dataclass_fields__)
FUSE = tuple(Fuse.__dataclass_fields__)


class SafeguardRule(models.Model):
    """The limits for agents of a role; the rule without a role holds for all others. Empty is no limit."""

    role = models.CharField(max_length=60, blank=True, unique=True)
    repeats = models.PositiveIntegerField(null=True)
    no_progress = models.PositiveIntegerField(null=True)
    window_minutes = models.PositiveIntegerField()
    steps = models.PositiveIntegerField(null=True)
    at_once = models.PositiveIntegerField(null=True)
    attempts = models.PositiveIntegerField(null=True)
    run_minutes = models.PositiveIntegerField(null=True)
    denials = models.PositiveIntegerField(null=True)
    hijack_signs = models.PositiveIntegerField(null=True)
    rate_factor = models.PositiveIntegerField(null=True)
    changed_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["role"]
        constraints = [models.CheckConstraint(condition=Q(window_minutes__gte=1), name="safeguard_window_is_some_time")]

    def __str__(self) -> str:
        return f"Safeguards of {self.role or 'all other roles'}"

    def as_subject(self) -> Subject:
        """How the ledger names this rule."""
        return Subject(kind="safeguard", id=self.role or "everybody", name=self.role or "all other roles")

    @property
    def limits(self) -> Limits:
        """The rule as plain values."""
        return Limits(**{name: getattr(self, name) for name in LIMITS})


class SystemGuard(models.Model):
    """The circuit breaker of a system: its settings and its state, and whether what comes from it is to be trusted."""

    class Status(models.TextChoices):
        CLOSED = "closed", "Works"
        OPEN = "open", "Stopped"
        HALF_OPEN = "half_open", "On trial"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.CLOSED: (Status.OPEN,),
        Status.OPEN: (Status.HALF_OPEN, Status.CLOSED),
        Status.HALF_OPEN: (Status.CLOSED, Status.OPEN),
    }

    system = models.OneToOneField(System, on_delete=models.CASCADE, related_name="guard")
    is_untrusted = models.BooleanField(default=False)
    percent = models.PositiveSmallIntegerField(default=USUAL_FUSE.percent)
    at_least = models.PositiveIntegerField(default=USUAL_FUSE.at_least)
    window_minutes = models.PositiveIntegerField(default=USUAL_FUSE.window_minutes)
    cool_down_seconds = models.PositiveIntegerField(default=USUAL_FUSE.cool_down_seconds)
    trials = models.PositiveSmallIntegerField(default=USUAL_FUSE.trials)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.CLOSED)
    since = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    trials_left = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["system__name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(percent__gte=1, percent__lte=100, at_least__gte=1, window_minutes__gte=1, trials__gte=1),
                name="system_guard_can_trip_and_recover",
            )
        ]

    def __str__(self) -> str:
        return f"Circuit of {self.system}"

    def as_subject(self) -> Subject:
        """How the ledger names this breaker."""
        return Subject(
            kind="circuit", id=self.system.code, name=str(self.system), unit=str(self.system.unit_id)
        )  # fmt: skip

    @property
    def fuse(self) -> Fuse:
        """The settings as plain values."""
        return Fuse(**{name: getattr(self, name) for name in FUSE})


class SystemReport(models.Model):
    """What an agent reported after it was allowed to act in a system: it worked, or it failed."""

    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="reports")
    at = models.DateTimeField()
    failed = models.BooleanField()

    class Meta:
        indexes = [models.Index(fields=["system", "at"], name="system_report_at")]

    def __str__(self) -> str:
        return f"{self.system} {'failed' if self.failed else 'worked'}"
