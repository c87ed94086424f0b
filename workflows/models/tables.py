"""Rows of coordination: the decision tables of a workflow."""

from typing import Self

from django.db import models
from django.db.models import Max
from uuid_utils.compat import uuid7

from agents.models import Principal
from observability.ledger import Subject
from workflows.models.workflows import Workflow


class DecisionTableQuerySet(models.QuerySet["DecisionTable"]):
    """Reading phrases for decision tables."""

    def visible_to(self, user: Principal) -> Self:
        """Tables of the workflows that the user may see."""
        return self.filter(workflow__in=Workflow.objects.visible_to(user))

    def newest(self) -> Self:
        """The newest edition of each table."""
        latest = self.order_by().values("workflow", "code").annotate(newest=Max("pk")).values("newest")
        return self.filter(pk__in=latest)


class DecisionTable(models.Model):
    """One edition of a decision table, immutable: the DMN as it came, and the model compiled from it. A version of the
    workflow keeps the editions that it was published with."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="tables")
    code = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
    number = models.PositiveIntegerField()
    dmn = models.TextField()
    model = models.JSONField()
    sha256 = models.CharField(max_length=64)
    author = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    reason = models.CharField(max_length=2000, blank=True)

    objects = DecisionTableQuerySet.as_manager()

    class Meta:
        ordering = ["code", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["workflow", "code", "number"], name="one_table_edition_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.name}, edition {self.number}"

    def as_subject(self) -> Subject:
        """How the ledger names this table."""
        return Subject(
            kind="table", id=str(self.uid), name=str(self), unit=str(self.workflow.unit_id), workflow=self.workflow.code
        )
