"""The events of the ledger, and the manual baselines and targets that results are held against."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, Self

from django.db import models
from django.db.models import Q, Value
from uuid_utils.compat import uuid7


@dataclass(frozen=True)
class Subject:
    """What it happened to, with the names that the ledger keeps about it."""

    kind: str
    id: str
    name: str
    unit: str = ""
    run: str = ""
    workflow: str = ""


class Reader(Protocol):
    """Whoever reads the ledger; implemented by the user model, so that this app needs to know no other."""

    @property
    def sees_all_units(self) -> bool: ...

    @property
    def is_person(self) -> bool: ...

    def unit_ids(self) -> list[int]: ...


class UnitReader(Reader, Protocol):
    """A reader who can name the units there are to choose from."""

    def unit_choices(self) -> list[tuple[int, str]]: ...


CONTROL_CHANGED = "control.changed"


class EventQuerySet(models.QuerySet["Event"]):
    """Reading phrases for the ledger."""

    def visible_to(self, reader: Reader) -> Self:
        """Events of the units that the reader may see, and each change of the control state: it concerns everybody.
        Other events of no unit only for readers of all units."""
        if reader.sees_all_units:
            return self
        return self.within(reader.unit_ids(), everything=False)

    def within(self, units: Iterable[int], *, everything: bool) -> Self:
        """What somebody hears of who may see these units, or everything."""
        if everything:
            return self
        return self.filter(Q(unit__in=[str(pk) for pk in units]) | Q(verb=CONTROL_CHANGED))

    def sealed_after(self, position: int) -> Self:
        """Events with a position above `position`, oldest first: what a reader that stopped there has missed."""
        return self.filter(position__gt=position).order_by("position")

    def newest_first(self) -> Self:
        """Newest first; events that wait for their position come on top."""
        return self.order_by("-id")

    def concerning_agent(self, code: str) -> Self:
        """What an agent did, and what was done to it, to its account and to its keys."""
        did = Q(actor_kind="agent", actor_id=code)
        # The ledger names a key by its prefix, and after it the agent that it belongs to.
        key = Q(subject_kind__in=("key", "client_key"), subject_name__endswith=f" of {code}")
        return self.filter(did | key | Q(subject_kind="agent", subject_id__in=(code, f"agent:{code}")))

    def of_run(self, run: str) -> Self:
        """Everything that happened in one run, oldest first."""
        return self.filter(run=run).order_by("id")


class Event(models.Model):
    """One thing that happened. Append-only: the database itself refuses a change (migration 0004)."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    at = models.DateTimeField()
    verb = models.CharField(max_length=60)
    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=80)
    actor_name = models.CharField(max_length=200)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=80)
    subject_name = models.CharField(max_length=300)
    before = models.CharField(max_length=40, blank=True)
    after = models.CharField(max_length=40, blank=True)
    why = models.TextField(blank=True)
    run = models.CharField(max_length=40, blank=True)
    workflow = models.CharField(max_length=80, blank=True)
    unit = models.CharField(max_length=20, blank=True)
    cost = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    seconds = models.DecimalField(max_digits=18, decimal_places=3, null=True)
    data = models.JSONField(default=dict)
    credential = models.CharField(max_length=160, default="", db_default="", blank=True)
    address = models.CharField(max_length=45, default="", db_default="", blank=True)
    on_behalf_of = models.JSONField(default=list, db_default=Value([], models.JSONField()), blank=True)
    actor_version = models.CharField(max_length=40, default="", db_default="", blank=True)
    trace = models.CharField(max_length=32, default="", db_default="", blank=True)
    position = models.BigIntegerField(null=True, unique=True)
    leaf = models.BinaryField(null=True)
    salt = models.BinaryField(null=True)
    digest = models.BinaryField(null=True)  # of the payload, once that is erased: until then it can be worked out

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="event_unsealed", condition=Q(position__isnull=True)),
            models.Index(fields=["verb", "at"], name="event_verb_at"),
            models.Index(fields=["run", "id"], name="event_run", condition=~Q(run="")),
            models.Index(fields=["subject_kind", "subject_id", "id"], name="event_subject"),
            models.Index(fields=["unit", "id"], name="event_unit"),
            models.Index(fields=["trace"], name="event_trace", condition=~Q(trace="")),
        ]
        permissions = [("read_ledger", "Can read the whole audit trail")]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject_name}"

    @property
    def noun(self) -> str:
        """What kind of thing it happened to: the part of the verb before the dot."""
        return self.verb.partition(".")[0]

    def is_visible_within(self, units: Container[int], *, everything: bool) -> bool:
        """Whether somebody hears of it who may see these units, or everything: the rule of `within` for one event."""
        return everything or self.verb == CONTROL_CHANGED or (self.unit.isdecimal() and int(self.unit) in units)

    def as_message(self) -> dict[str, Any]:
        """The event as sockets, polls and the API send it: names, ids and position, never the payload."""
        fields = (
            "verb position actor_kind actor_id actor_name subject_kind subject_id subject_name after run workflow unit"
        )
        return {name: getattr(self, name) for name in fields.split()} | {"at": self.at.isoformat(), "id": str(self.uid)}


class Baseline(models.Model):
    """How a workflow did when people did it by hand: the yardstick, with its source."""

    workflow = models.CharField(max_length=80, unique=True)
    cycle_seconds = models.DecimalField(max_digits=14, decimal_places=3)
    cost = models.DecimalField(max_digits=12, decimal_places=4)
    error_share = models.DecimalField(max_digits=6, decimal_places=4)
    runs_per_day = models.DecimalField(max_digits=12, decimal_places=2)
    source = models.CharField(max_length=300)

    def __str__(self) -> str:
        return f"Baseline of {self.workflow}"


class Target(models.Model):
    """What the unit wants to reach for one figure of one workflow."""

    class Figure(models.TextChoices):
        CYCLE_SECONDS = "cycle_seconds", "Median cycle time"
        COST = "cost", "Cost per run"
        ERROR_SHARE = "error_share", "Error rate"
        TOUCHLESS_SHARE = "touchless_share", "Touchless rate"

    workflow = models.CharField(max_length=80)
    figure = models.CharField(max_length=30, choices=Figure.choices)
    value = models.DecimalField(max_digits=14, decimal_places=4)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow", "figure"], name="one_target_per_workflow_and_figure")
        ]

    def __str__(self) -> str:
        return f"{self.workflow}: {self.figure} {self.value}"
