"""Incidents: what a safeguard stopped, and what a person made of it."""

from collections.abc import Mapping
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from agents.models import Agent, Principal, System, Unit
from observability.ledger import Subject
from observability.models import Reader

RIGHT, PAUSE, CONTROL = "governance.resolve_incident", "agents.pause_agent", "governance.set_control"
"""Who lets go on: what circles and circuits stopped, an agent that is paused, a system that is stopped."""


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Reading phrases for incidents."""

    def open(self) -> Self:
        """Those that nobody has resolved."""
        return self.filter(status=Incident.Status.OPEN)

    def visible_to(self, reader: Reader) -> Self:
        """Incidents of the units that the reader may see."""
        return self if reader.sees_all_units else self.filter(unit__in=reader.unit_ids())

    def for_person(self, person: Principal) -> Self:
        """Open ones that this person may resolve."""
        kind, managed = Incident.Kind, person.granted("agents.manage_unit", Unit)
        paused = Q(agent__in=person.granted(PAUSE, Agent)) | Q(agent__unit__in=managed)
        pauses = Q(agent__isnull=False) if person.may(PAUSE) else paused
        may = pauses & ~Q(kind=kind.CIRCUIT)
        may |= Q(kind=kind.LOOP) & (Q(agent__accountable=person) | Q(agent__stand_in=person))
        if person.may(RIGHT):
            may |= Q(kind=kind.LOOP) | Q(kind=kind.CIRCUIT)
        if person.may(CONTROL):
            may |= Q(kind=kind.CIRCUIT)
        return self.open().visible_to(person).filter(may)

    def resolved(self) -> Self:
        """Those that somebody has resolved, or that resolved themselves."""
        return self.exclude(status=Incident.Status.OPEN)

    def stopped_runs(self) -> list[str]:
        """The runs that stand still until somebody resolves an incident."""
        return list(self.open().filter(kind=Incident.Kind.LOOP).exclude(run="").values_list("run", flat=True))

    def with_names(self) -> Self:
        """With everything that a list shows, in one query."""
        return self.select_related("agent", "system", "unit", "resolved_by")


class Incident(models.Model):
    """A safeguard stopped an agent, a run or the calls to a system; `evidence` names the decisions that led to it."""

    class Kind(models.TextChoices):
        LOOP = "loop", "Work in circles"
        CIRCUIT = "circuit", "System fails"
        QUARANTINE = "quarantine", "Agent in quarantine"

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        RESOLVED = "resolved", "Resolved"

    class Outcome(models.TextChoices):
        RELEASED = "released", "Let go on"
        KEPT = "kept", "Stays paused"
        RETIRED = "retired", "Retired"
        RECOVERED = "recovered", "Works again"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {Status.OPEN: (Status.RESOLVED,)}

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    about = models.CharField(max_length=100)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, related_name="incidents")
    system = models.ForeignKey(System, on_delete=models.PROTECT, null=True, related_name="incidents")
    run = models.CharField(max_length=40, blank=True)
    why = models.TextField()
    evidence = models.JSONField(default=list)
    agent_was = models.CharField(max_length=10, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    opened_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    reason = models.TextField(blank=True)
    resolved_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    resolved_at = models.DateTimeField(null=True)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "about"], condition=Q(status="open"), name="one_open_incident_about_one_thing"
            )
        ]
        indexes = [
            models.Index(fields=["about", "kind", "-id"], name="incident_about"),
            models.Index(fields=["kind", "id"], name="incident_open", condition=Q(status="open")),
        ]
        permissions = [
            ("resolve_incident", "Can resolve incidents and let agents go on"),
            ("set_safeguards", "Can say when safeguards stop agents"),
        ]

    def __str__(self) -> str:
        what = self.system or self.agent
        return f"{self.get_kind_display()}: {what}"

    def as_subject(self) -> Subject:
        """How the ledger names this incident."""
        return Subject(kind="incident", id=str(self.uid), name=str(self), unit=str(self.unit_id), run=self.run)

    @property
    def is_open(self) -> bool:
        """Whether nobody has resolved it."""
        return self.status == self.Status.OPEN
