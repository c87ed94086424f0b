"""Who is asked: escalation paths, and the delegations under which one person decides for another."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from agents.models import Principal, Unit
from governance.rules.calendars import Calendar, read_calendar
from observability.ledger import Subject


class Risk(models.IntegerChoices):
    """How much harm a wrong decision can do."""

    LOW = 1, "Low risk"
    MEDIUM = 2, "Medium risk"
    HIGH = 3, "High risk"


class EscalationPathQuerySet(models.QuerySet["EscalationPath"]):
    """Reading phrases for escalation paths."""

    def visible_to(self, user: Principal) -> Self:
        """Paths of the units that the user may see."""
        return self if user.sees_all_units else self.filter(unit__in=user.unit_ids())

    def with_levels(self) -> Self:
        """With everything that a list shows of them."""
        return self.select_related("unit", "calendar").prefetch_related("steps__people", "steps__group")


BARRED = ("requester", "accountable", "author", "previous_approver")
"""Who may be kept from deciding: who asked or started the run, who answers for the agent, who wrote the policy version
that asks, and who approved something else of the same run."""


class CalendarQuerySet(models.QuerySet["BusinessCalendar"]):
    """Reading phrases for calendars."""

    def visible_to(self, user: Principal) -> Self:
        """Calendars of the units that the user may see."""
        return self if user.sees_all_units else self.filter(unit__in=user.unit_ids())


class BusinessCalendar(models.Model):
    """When people work: weekdays, hours, a time zone, and the days off. `document` is read by the rules."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="calendars")
    document = models.JSONField()
    edition = models.PositiveIntegerField(default=1, db_default=1)

    objects = CalendarQuerySet.as_manager()

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this calendar."""
        return Subject(kind="calendar", id=self.key, name=self.name, unit=str(self.unit_id))

    @property
    def working(self) -> Calendar:
        """The working time that it describes."""
        return read_calendar(self.document)


class EscalationPath(models.Model):
    """Who is asked, in which order and how many of them have to approve, within which time, and what follows when
    nobody decides: no, unless the path says otherwise for low risk."""

    class Mode(models.TextChoices):
        PASS_ON = "pass_on", "The next level is asked when nobody decides in time"
        IN_ORDER = "in_order", "Each level approves, one after another"
        PARALLEL = "parallel", "Every level approves, in any order"

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="escalation_paths")
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.PASS_ON, db_default=Mode.PASS_ON)
    calendar = models.ForeignKey(BusinessCalendar, on_delete=models.PROTECT, null=True, related_name="paths")
    bars_accountable = models.BooleanField(default=False, db_default=False)
    bars_author = models.BooleanField(default=False, db_default=False)
    bars_previous = models.BooleanField(default=False, db_default=False)
    training = models.SlugField(max_length=60, blank=True, default="", db_default="")
    approves_unanswered = models.BooleanField(default=False, db_default=False)
    asking_pauses = models.BooleanField(default=False, db_default=False)
    pauses_at_most = models.PositiveSmallIntegerField(default=2, db_default=2)
    pause_hours_at_most = models.PositiveSmallIntegerField(default=8, db_default=8)
    edition = models.PositiveIntegerField(default=1, db_default=1)

    objects = EscalationPathQuerySet.as_manager()

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this path."""
        return Subject(kind="path", id=self.key, name=self.name, unit=str(self.unit_id))

    @property
    def not_by(self) -> tuple[str, ...]:
        """Who never decides on this path, in words; the requester never does on any."""
        barred = ((BARRED[0], True), (BARRED[1], self.bars_accountable), (BARRED[2], self.bars_author))
        return tuple(word for word, is_barred in (*barred, (BARRED[3], self.bars_previous)) if is_barred)

    def ends_at(self, at: datetime, seconds: int) -> datetime:
        """When so much time is over that begins at `at`: only working time counts on a path with a calendar."""
        if self.calendar is None:
            return at + timedelta(seconds=seconds)
        return self.calendar.working.after(at, seconds)


class LevelManager(models.Manager["PathStep"]):
    """The levels that are asked; one that was taken out of its path stays only for the questions it was asked."""

    def get_queryset(self) -> models.QuerySet["PathStep"]:
        """Levels that are part of their path."""
        return super().get_queryset().filter(retired=False)


class PathStep(models.Model):
    """One level of a path: these people, or the members of this group who may see the unit, within `seconds`; `quorum`
    of them approve. They are reminded once, `remind_seconds` before the end, if that is not 0."""

    path = models.ForeignKey(EscalationPath, on_delete=models.CASCADE, related_name="steps")
    level = models.PositiveSmallIntegerField()
    people = models.ManyToManyField(Principal, blank=True, related_name="+")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, related_name="+")
    seconds = models.PositiveIntegerField()
    quorum = models.PositiveSmallIntegerField(default=1, db_default=1)
    remind_seconds = models.PositiveIntegerField(default=0, db_default=0)
    retired = models.BooleanField(default=False, db_default=False)

    objects = LevelManager()
    every: ClassVar[models.Manager["PathStep"]] = models.Manager()

    class Meta:
        ordering = ["path", "level"]
        base_manager_name = "every"
        constraints = [models.UniqueConstraint(fields=["path", "level"], name="one_path_step_per_level")]

    def __str__(self) -> str:
        return f"{self.path.key} {self.level}"

    def who(self) -> str:
        """The people or the group, as a sentence names them."""
        names = sorted(str(person) for person in self.people.all())
        names += [self.group.name] if self.group else []
        return ", ".join(names) or "nobody"


class Training(models.Model):
    """What a person was trained for, and until when that counts."""

    person = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="trainings")
    name = models.SlugField(max_length=60)
    valid_until = models.DateTimeField()

    class Meta:
        ordering = ["name", "person"]
        constraints = [models.UniqueConstraint(fields=["person", "name"], name="one_training_per_person_and_name")]

    def __str__(self) -> str:
        return f"{self.name} of {self.person}"

    def as_subject(self) -> Subject:
        """How the ledger names this training."""
        unit = str(self.person.unit_id or "")
        return Subject(kind="training", id=f"{self.person.username}:{self.name}", name=str(self), unit=unit)


class DelegationQuerySet(models.QuerySet["Delegation"]):
    """Reading phrases for delegations."""

    def holding(self, since: datetime, until: datetime) -> Self:
        """Those that were not ended and hold at some moment of the period."""
        return self.filter(status=Delegation.Status.ACTIVE, starts_at__lt=until, ends_at__gt=since)

    def in_force(self, at: datetime) -> Self:
        """Those that hold at that time."""
        return self.filter(status=Delegation.Status.ACTIVE, starts_at__lte=at, ends_at__gt=at)

    def now(self) -> Self:
        """Those that hold at this moment by the database's clock."""
        return self.filter(status=Delegation.Status.ACTIVE, starts_at__lte=Now(), ends_at__gt=Now())

    def over(self, at: datetime) -> Self:
        """Those whose time has run out and that nobody ended."""
        return self.filter(status=Delegation.Status.ACTIVE, ends_at__lte=at)

    def visible_to(self, user: Principal) -> Self:
        """Those of people in the user's units, those that the user gave and those that let the user decide."""
        if user.sees_all_units:
            return self
        return self.filter(Q(person__unit__in=user.unit_ids()) | Q(person=user) | Q(delegate=user))

    def with_names(self) -> Self:
        """With everything that a list shows of them, in two queries."""
        related = self.select_related("person__unit", "delegate", "unit", "created_by", "ended_by")
        return related.prefetch_related("paths__unit")


class Delegation(models.Model):
    """One person decides for another for a while, within limits. What is delegated is not delegated on."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        ENDED = "ended", "Ended"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {Status.ACTIVE: (Status.ENDED,)}

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    person = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="delegations")
    delegate = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="delegated")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    paths = models.ManyToManyField(EscalationPath, blank=True, related_name="+")
    risk_at_most = models.PositiveSmallIntegerField(choices=Risk.choices, default=Risk.HIGH)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    created_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    ended_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(person=F("delegate")), name="nobody_delegates_to_themselves"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="delegation_ends_after_it_starts"),
        ]
        indexes = [
            models.Index(fields=["delegate"], name="delegation_to", condition=Q(status="active")),
            models.Index(fields=["ends_at"], name="delegation_end", condition=Q(status="active")),
        ]

    def __str__(self) -> str:
        return f"{self.delegate} for {self.person}"

    def as_subject(self) -> Subject:
        """How the ledger names this delegation: as something about the person for whom another one decides."""
        return Subject(
            kind="delegation", id=str(self.uid), name=str(self.person), unit=str(self.person.unit_id or "")
        )  # fmt: skip

    def concerns(self, person: Principal) -> bool:
        """Whether it is this person's own, on either side."""
        return person.pk in (self.person_id, self.delegate_id)
