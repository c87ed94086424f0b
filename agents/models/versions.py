"""Versions: how an agent or a blueprint stood after each change, who made it and why; and assessments of risk."""

from datetime import datetime, timedelta
from typing import Any, Protocol, Self

from django.db import models

from agents.models.agents import Agent
from agents.models.principals import Principal
from observability.ledger import Subject

VALID_FOR = timedelta(days=365)


class Versioned(Protocol):
    """A row of which every state is kept; `version` is the number of the one in force."""

    pk: Any
    version: int

    def as_subject(self) -> Subject: ...

    def as_document(self) -> dict[str, Any]: ...


class VersionQuerySet(models.QuerySet["Version"]):
    """Reading phrases for versions."""

    def of(self, row: Versioned) -> Self:
        """The versions of one row, newest first."""
        subject = row.as_subject()
        return self.filter(subject_kind=subject.kind, subject_id=subject.id).order_by("-number")


class Version(models.Model):
    """One state of an agent or a blueprint, as a document that never changes."""

    subject_kind = models.CharField(max_length=20)
    subject_id = models.CharField(max_length=80)
    number = models.PositiveIntegerField()
    document = models.JSONField()
    author = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    why = models.TextField(blank=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        ordering = ["subject_kind", "subject_id", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["subject_kind", "subject_id", "number"], name="one_version_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.subject_id}, version {self.number}"


class AssessmentQuerySet(models.QuerySet["Assessment"]):
    """Reading phrases for assessments."""

    def valid(self, at: datetime) -> Self:
        """Those that are not older than a year, newest first."""
        return self.filter(valid_until__gt=at).order_by("-at", "-pk")


class Assessment(models.Model):
    """What somebody who answers for it thought through before an agent began: needed from risk class 2 on."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="assessments")
    does = models.TextField()
    data = models.TextField()
    risks = models.TextField()
    measures = models.TextField()
    sha256 = models.CharField(max_length=64)
    by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    valid_until = models.DateTimeField()

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"Assessment of {self.agent.code}, {self.at:%Y-%m-%d}"
