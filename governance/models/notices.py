"""Notices: what a person wants to be told of, where and when, and each notice with what became of it."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from agents.models import Principal
from governance.models.escalations import Escalation
from governance.rules.notifying import WORDS, Hours, Rhythm
from observability.ledger import Subject


def everything() -> list[str]:
    """All that a person can be told of."""
    return [str(each) for each in WORDS]


class NoticeWish(models.Model):
    """What one person wants to be told of, and when."""

    person = models.OneToOneField(Principal, on_delete=models.CASCADE, related_name="notice_wish")
    happenings = models.JSONField(default=everything)
    rhythm = models.CharField(max_length=10, default=Rhythm.AT_ONCE)
    zone = models.CharField(max_length=60, default="UTC")
    daily_at = models.TimeField(default=time(8))
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)

    def __str__(self) -> str:
        return f"What {self.person} is told of"

    @property
    def hours(self) -> Hours:
        """When this person is told, as plain values."""
        return Hours(Rhythm(self.rhythm), self.zone, self.daily_at, self.quiet_from, self.quiet_until)


class NoticePlace(models.Model):
    """One place where a person is told. The address is a secret: it is kept sealed, and shown as `shown` only."""

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        SLACK = "slack", "Slack"
        TEAMS = "teams", "Teams"
        WEBHOOK = "webhook", "Webhook"
        DEVICE = "device", "This device"

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    person = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="notice_places")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    sealed = models.TextField(blank=True)
    address_sha256 = models.CharField(max_length=64)
    shown = models.CharField(max_length=200)
    base = models.CharField(max_length=300)
    added_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["person", "address_sha256"], name="a_person_names_a_place_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.shown}"


class NoticeMark(models.Model):
    """Up to which position the ledger was read for notices; there is one."""

    position = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.position)


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Reading phrases for notices."""

    def due(self, at: datetime) -> Self:
        """Those that are to be sent now, the longest waiting first."""
        waiting = self.filter(status=Notice.Status.WAITING, due_at__lte=at)
        return waiting.select_related("escalation", "place__person").order_by("due_at", "pk")


class Notice(models.Model):
    """One thing to tell one person at one place; `opened_at` is when the link in it was used."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waits"
        SENT = "sent", "Sent"
        GIVEN_UP = "given_up", "Given up"
        DROPPED = "dropped", "Not needed any more"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {Status.WAITING: (Status.SENT, Status.GIVEN_UP, Status.DROPPED)}

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    place = models.ForeignKey(NoticePlace, on_delete=models.CASCADE, related_name="notices")
    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="notices")
    position = models.BigIntegerField()
    happening = models.CharField(max_length=12)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    made_at = models.DateTimeField()
    wanted_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "position"], name="a_place_hears_of_an_event_once"),
            models.CheckConstraint(condition=Q(wanted_at__gte=F("made_at")), name="a_notice_is_wanted_after_its_event"),
        ]
        indexes = [models.Index(fields=["due_at"], name="notice_due", condition=Q(status="waiting"))]

    def __str__(self) -> str:
        return f"{self.happening} {self.escalation}"

    def as_subject(self) -> Subject:
        """How the ledger names this notice."""
        about = self.escalation.as_subject()
        return Subject(kind="notice", id=str(self.uid), name=about.name, unit=about.unit, run=about.run)
