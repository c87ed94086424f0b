"""The control state: what is stopped, from one agent to everything; and the drills that practise it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from agents.models import Principal, Unit
from governance.rules import stopping
from governance.rules.stopping import Stop
from observability.ledger import Subject
from observability.models import Reader

EVERYTHING = stopping.EVERYTHING


class ControlQuerySet(models.QuerySet["ControlState"]):
    """Reading phrases for scopes."""

    def on(self, at: datetime) -> Self:
        """Scopes that are restricted or paused at this moment, the strictest first."""
        running = Q(until=None) | Q(until__gt=at)
        return self.exclude(status=ControlState.Status.NORMAL).filter(running).select_related("unit", "changed_by")

    def lapsed(self, at: datetime) -> Self:
        """Scopes whose stop has ended by the clock and is not yet recorded as ended."""
        return self.exclude(status=ControlState.Status.NORMAL).filter(until__lte=at)

    def visible_to(self, reader: Reader) -> Self:
        """Everything, and scopes of the units that the reader may see."""
        return self if reader.sees_all_units else self.filter(Q(kind=EVERYTHING) | Q(unit__in=reader.unit_ids()))


class ControlState(models.Model):
    """Whether work goes on in one scope: one row each, made when it is stopped for the first time."""

    class Status(models.TextChoices):
        NORMAL = stopping.NORMAL, "Normal operation"
        RESTRICTED = stopping.RESTRICTED, "Restricted"
        PAUSED = stopping.PAUSED, "Paused"

    class Kind(models.TextChoices):
        EVERYTHING = stopping.EVERYTHING, "Everything"
        UNIT = stopping.UNIT, "Unit"
        BLUEPRINT = stopping.BLUEPRINT, "Blueprint"
        AGENT = stopping.AGENT, "Agent"
        WORKFLOW = stopping.WORKFLOW, "Workflow"
        SYSTEM = stopping.SYSTEM, "System"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.NORMAL: (Status.RESTRICTED, Status.PAUSED),
        Status.RESTRICTED: (Status.NORMAL, Status.PAUSED),
        Status.PAUSED: (Status.NORMAL, Status.RESTRICTED),
    }

    scope = models.CharField(max_length=120, unique=True, default=EVERYTHING)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.EVERYTHING)
    code = models.CharField(max_length=80, blank=True)
    name = models.CharField(max_length=240, default="all work")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.NORMAL)
    why = models.TextField(blank=True)
    until = models.DateTimeField(null=True)
    changed_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    changed_by_name = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField(null=True)
    is_central = models.BooleanField(default=False)  # set by who may stop everything: only they let go of it
    drill = models.ForeignKey("ControlDrill", on_delete=models.SET_NULL, null=True, related_name="+")

    objects = ControlQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["scope"], name="control_on", condition=~Q(status="normal") | Q(drill__isnull=False)
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.scope}: {self.status}"

    def as_subject(self) -> Subject:
        """How the ledger names the scope."""
        return Subject(kind="control", id=self.scope, name=self.name, unit=str(self.unit_id or ""))

    def as_stop(self) -> Stop:
        """What the rule reads."""
        path = self.unit.path if self.kind == self.Kind.UNIT and self.unit else ""
        return Stop(self.kind, self.code, self.name, self.status, self.why, self.set_by, self.until, path)

    @property
    def set_by(self) -> str:
        """The name of who changed it last."""
        return self.changed_by_name or (str(self.changed_by) if self.changed_by else "")

    def state_at(self, at: datetime) -> str:
        """The state that holds at this moment: a stop ends by the clock, before anybody records that it did."""
        return str(self.Status.NORMAL) if self.until is not None and self.until <= at else self.status


class ControlDrillQuerySet(models.QuerySet["ControlDrill"]):
    """Reading phrases for drills."""

    def visible_to(self, reader: Reader) -> Self:
        """Drills of everything, and of scopes of the units that the reader may see."""
        return self if reader.sees_all_units else self.filter(Q(kind=EVERYTHING) | Q(unit__in=reader.unit_ids()))

    def running(self) -> Self:
        """Drills that have not ended."""
        return self.filter(ended_at=None)


class ControlDrill(models.Model):
    """A practised stop: it stops nothing, and measures how soon each process that decides would have known."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=ControlState.Kind.choices)
    code = models.CharField(max_length=80, blank=True)
    name = models.CharField(max_length=240)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, related_name="+")
    why = models.TextField()
    by_name = models.CharField(max_length=200)
    at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    would_stop = models.JSONField(default=dict)

    objects = ControlDrillQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["ends_at"], name="drill_running", condition=Q(ended_at__isnull=True))]

    def __str__(self) -> str:
        return f"drill of stopping {self.name}"

    def as_subject(self) -> Subject:
        """How the ledger names the drill."""
        return Subject(kind="control", id=str(self.uid), name=self.name, unit=str(self.unit_id or ""))

    @property
    def slowest_ms(self) -> int | None:
        """How long the last process took to know, in milliseconds; None when none has looked."""
        times = [each.milliseconds for each in self.sightings.all()]
        return max(times, default=None)


class DrillSighting(models.Model):
    """The first decision, claim or sweep of one process that saw a drill."""

    drill = models.ForeignKey(ControlDrill, on_delete=models.CASCADE, related_name="sightings")
    process = models.CharField(max_length=120)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["drill", "process"], name="one_sighting_per_process")]

    def __str__(self) -> str:
        return f"{self.process} after {self.milliseconds} ms"

    @property
    def milliseconds(self) -> int:
        """From the moment the drill was written to the moment it was seen."""
        return max(0, round((self.at - self.drill.at) / timedelta(milliseconds=1)))
