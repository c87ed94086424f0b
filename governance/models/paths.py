"""Who is asked: escalation paths, and the delegations under which one person decides for another."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Self

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from agents.models import Principal, Unit
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


class EscalationPath(models.Model):
    """Who is asked, and who is asked next when nobody decides in time. At the end of a path the answer is no."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="escalation_paths")

    objects = EscalationPathQuerySet.as_manager()

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this path."""
        return Subject(kind="path", id=self.key, name=self.name, unit=str(self.unit_id))


class PathStep(models.Model):
    """One level of a path: these people, or the members of this group who may see the unit, within `seconds`."""

    path = models.ForeignKey(EscalationPath, on_delete=models.CASCADE, related_name="steps")
    level = models.PositiveSmallIntegerField()
    people = models.ManyToManyField(Principal, blank=True, related_name="+")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, related_name="+")
    seconds = models.PositiveIntegerField()

    class Meta:
        ordering = ["path", "level"]
        constraints = [models.UniqueConstraint(fields=["path", "level"], name="one_path_step_per_level")]

    def __str__(self) -> str:
        return f"{self.path.key} {self.level}"

    def who(self) -> str:
        """The people or the group, as a sentence names them."""
        names = sorted(str(person) for person in self.people.all())
        return ", ".join(names) or (self.group.name if self.group else "nobody")


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
