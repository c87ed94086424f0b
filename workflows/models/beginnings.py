"""Rows of coordination: how runs begin by themselves: by the calendar, by a call from outside, after another run."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from agents.models import Principal
from governance.models import BusinessCalendar
from observability.ledger import Subject
from workflows.models.work import Run
from workflows.models.workflows import Workflow


class BeginningQuerySet(models.QuerySet[Any]):
    """Reading phrases for what begins runs."""

    def visible_to(self, user: Principal) -> Self:
        """Those of the workflows that the user may see."""
        if user.has_perm("workflows.view_workflow"):
            return self
        return self.filter(workflow__in=Workflow.objects.visible_to(user))


class ScheduleQuerySet(BeginningQuerySet):
    """Reading phrases for schedules."""

    def due(self, at: datetime) -> Self:
        """Those that should have begun a run by `at`, the oldest first."""
        return self.filter(status=Schedule.Status.ACTIVE, next_at__lte=at).order_by("next_at", "id")


class Schedule(models.Model):
    """A workflow begins a run by the calendar: a cron line or an ISO 8601 cycle, in a time zone."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        OVER = "over", "Over"

    class Missed(models.TextChoices):
        SKIP = "skip", "Skip what was missed"
        ONCE = "once", "Make up for all of it with one run"
        ALL = "all", "Make up for each"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.ACTIVE: (Status.PAUSED, Status.OVER), Status.PAUSED: (Status.ACTIVE, Status.OVER),
    }  # fmt: skip

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="schedules")
    # the start event of the drawing that it belongs to; empty for one that a person made
    element = models.CharField(max_length=120, blank=True)
    name = models.CharField(max_length=120)
    rule = models.CharField(max_length=200)
    zone = models.CharField(max_length=60, default="UTC")
    calendar = models.ForeignKey(BusinessCalendar, on_delete=models.PROTECT, null=True, related_name="+")
    missed = models.CharField(max_length=10, choices=Missed.choices, default=Missed.ONCE)
    variables = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    why = models.CharField(max_length=500, blank=True)
    # where a cycle begins to count, how many turns it has left (none for endless), and what comes next
    since = models.DateTimeField()
    left = models.PositiveIntegerField(null=True)
    next_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    # work was paused when it should have begun a run: what was kept is made up for, whatever is done with missed ones
    is_held = models.BooleanField(default=False)
    author = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "name"], condition=~Q(status="over"), name="one_schedule_per_workflow_and_name"
            )
        ]  # fmt: skip
        indexes = [models.Index(fields=["next_at"], name="schedule_due", condition=Q(status="active"))]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this schedule."""
        return Subject(
            kind="schedule", id=str(self.uid), name=self.name, unit=str(self.workflow.unit_id),
            workflow=self.workflow.code,
        )  # fmt: skip


class Hook(models.Model):
    """An address at which another system begins a run or sends a message; what it sends is signed with a secret."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        REVOKED = "revoked", "Revoked"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {Status.ACTIVE: (Status.REVOKED,)}

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="hooks")
    name = models.CharField(max_length=120)
    # the message that a call becomes; empty: each call begins a run
    message = models.CharField(max_length=200, blank=True)
    # where in the body the business key stands, as in order.number; empty: the number of the call is the key
    key_path = models.CharField(max_length=200, blank=True)
    secret = models.TextField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    author = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    called_at = models.DateTimeField(null=True)

    objects = BeginningQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this address."""
        return Subject(
            kind="hook", id=str(self.uid), name=self.name, unit=str(self.workflow.unit_id), workflow=self.workflow.code
        )  # fmt: skip


class HookCall(models.Model):
    """One call of a hook: the same one again does nothing."""

    hook = models.ForeignKey(Hook, on_delete=models.CASCADE, related_name="calls")
    number = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hook", "number"], name="one_call_per_hook_and_number")]

    def __str__(self) -> str:
        return self.number


class Follow(models.Model):
    """A workflow begins a run when one of another workflow ends, with any outcome or with one."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="follows")
    after = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="followed_by")
    status = models.CharField(
        max_length=10, choices=[(end.value, end.label) for end in Run.ENDS], default=Run.Status.DONE
    )
    outcome = models.CharField(max_length=200, blank=True)
    author = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    objects = BeginningQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["workflow", "after", "status", "outcome"], name="one_follow_of_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.workflow} after {self.after}"

    def as_subject(self) -> Subject:
        """How the ledger names this connection."""
        return Subject(
            kind="follow", id=str(self.uid), name=str(self)[:300], unit=str(self.workflow.unit_id),
            workflow=self.workflow.code,
        )  # fmt: skip
