"""What reviewers keep about the queue of questions: whom they watch, what they put aside; views of lists."""

from typing import Self

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from agents.models import Principal, Unit
from observability.ledger import Subject


class Watch(models.Model):
    """Somebody wants to hear what becomes of a question."""

    escalation = models.ForeignKey("governance.Escalation", on_delete=models.CASCADE, related_name="watches")
    person = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["escalation", "person"], name="one_watch_per_person")]

    def __str__(self) -> str:
        return f"{self.person} watches {self.escalation}"


class Snooze(models.Model):
    """Somebody put a question aside for a while; it comes back by itself."""

    escalation = models.ForeignKey("governance.Escalation", on_delete=models.CASCADE, related_name="snoozes")
    person = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["escalation", "person"], name="one_snooze_per_person")]
        indexes = [models.Index(fields=["person", "until"], name="snooze_person")]

    def __str__(self) -> str:
        return f"{self.person} until {self.until}"


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Reading phrases for saved views."""

    def visible_to(self, user: Principal) -> Self:
        """One's own, those that the system brings, and those shared with a unit that one may see."""
        if user.sees_all_units:
            return self.filter(Q(owner=user) | Q(owner=None) | Q(is_shared=True))
        return self.filter(Q(owner=user) | Q(owner=None) | Q(is_shared=True, unit__in=user.unit_ids()))

    def of(self, table: str) -> Self:
        """Those of one list."""
        return self.filter(table=table)

    def with_names(self) -> Self:
        """With everything that a list shows of them, in one query."""
        return self.select_related("owner", "unit")


class SavedView(models.Model):
    """A way to look at a list, by name: what narrows it. One without an owner comes with the system and stays."""

    class Table(models.TextChoices):
        ESCALATIONS = "escalations", "Escalations"
        RUNS = "runs", "Runs"

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    owner = models.ForeignKey(Principal, on_delete=models.CASCADE, null=True, related_name="saved_views")
    table = models.CharField(
        max_length=20, choices=Table.choices, default=Table.ESCALATIONS, db_default=Table.ESCALATIONS
    )
    name = models.CharField(max_length=80)
    query = models.JSONField(default=dict)
    is_shared = models.BooleanField(default=False)
    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, null=True, related_name="+")
    is_team_default = models.BooleanField(default=False)
    edition = models.PositiveIntegerField(default=1)
    at = models.DateTimeField()

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "table", "name"], name="one_saved_view_per_name"),
            models.UniqueConstraint(
                fields=["unit"], condition=Q(is_team_default=True), name="one_default_view_per_unit"
            ),
            models.CheckConstraint(condition=Q(is_shared=False) | Q(unit__isnull=False), name="shared_view_has_a_unit"),
            models.CheckConstraint(
                condition=Q(is_team_default=False) | Q(is_shared=True), name="default_of_a_unit_is_shared"
            ),
            models.CheckConstraint(
                condition=Q(is_team_default=False) | Q(table="escalations"), name="default_of_a_unit_is_of_the_queue"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_system(self) -> bool:
        """Whether it comes with the system."""
        return self.owner_id is None

    def as_subject(self) -> Subject:
        """How the ledger names this view."""
        return Subject(kind="view", id=str(self.uid), name=self.name, unit=str(self.unit_id or ""))


class DefaultView(models.Model):
    """The view with which somebody's queue begins."""

    person = models.OneToOneField(Principal, on_delete=models.CASCADE, related_name="default_view")
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.person}: {self.view}"
