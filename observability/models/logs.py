"""Event logs of manual work: the file in parts, how its columns are read, and what was found in it."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from observability.models.events import Reader, Subject


class EventLogQuerySet(models.QuerySet["EventLog"]):
    """Reading phrases for event logs."""

    def visible_to(self, reader: Reader) -> Self:
        """Those of the units that the reader may see."""
        return self if reader.sees_all_units else self.filter(unit_id__in=reader.unit_ids())

    def standing_still(self, since: datetime) -> Self:
        """Those that somebody began to read and has not said anything about since then."""
        return self.filter(status=EventLog.Status.READING, seen_at__lt=since)

    def without_result(self) -> Self:
        """Without the large columns that a list does not show."""
        return self.defer("head", "problems")


class EventLog(models.Model):
    """A log of work as people did it, with what was found in it. The file is kept in parts, as it came; `unit_id` is
    the key of the business unit that it belongs to. `head` has the names of the columns and the first rows, `columns`
    what a person said which column is, `problems` the errors by row and the notes, `figures` the result."""

    class Status(models.TextChoices):
        UPLOADED = "uploaded", "Needs its columns"
        QUEUED = "queued", "Waits to be read"
        READING = "reading", "Is read"
        READY = "ready", "Read"
        FAILED = "failed", "Could not be read"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.UPLOADED: (Status.QUEUED,),
        Status.QUEUED: (Status.READING,),
        Status.READING: (Status.READY, Status.FAILED, Status.QUEUED),
        Status.READY: (Status.QUEUED,),
        Status.FAILED: (Status.QUEUED,),
    }

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=200)
    file_name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    unit_id = models.BigIntegerField(db_index=True)
    uploaded_by = models.CharField(max_length=200)
    uploaded_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.UPLOADED)
    head = models.JSONField(default=dict)
    columns = models.JSONField(default=dict)
    progress = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    seen_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    failure = models.TextField(blank=True)
    problems = models.JSONField(default=dict)
    figures = models.JSONField(null=True)

    objects = EventLogQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [("start_eventlog", "Can have event logs read and keep what they tell")]
        constraints = [
            models.UniqueConstraint(fields=["unit_id", "sha256"], name="one_event_log_per_file_and_unit"),
            models.UniqueConstraint(
                fields=["status"], condition=Q(status="reading"), name="one_event_log_is_read_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this log."""
        return Subject("eventlog", str(self.uid), self.name, unit=str(self.unit_id))


class EventLogPart(models.Model):
    """A piece of the file of a log, as it came."""

    log = models.ForeignKey(EventLog, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["log", "number"], name="one_part_per_log_and_number")]

    def __str__(self) -> str:
        return f"{self.log_id}, part {self.number}"
