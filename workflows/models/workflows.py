"""Rows of coordination: workflows and their versions."""

from typing import Self

from django.db import models

from agents.models import Agent, Principal, SharedQuerySet, Unit
from governance.models import EscalationPath
from observability.ledger import Subject


class WorkflowQuerySet(SharedQuerySet):
    """Reading phrases for workflows."""

    def worked_by(self, agent: Agent) -> Self:
        """Workflows in which this agent may take steps."""
        return self.filter(pk__in=agent.principal.granted("workflows.work_in_workflow", Workflow))


class Workflow(models.Model):
    """A process that agents and people work together; how it goes stands in its versions."""

    code = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="workflows")
    owner = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="workflows")
    incident_path = models.ForeignKey(EscalationPath, on_delete=models.PROTECT, related_name="+")

    objects = WorkflowQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [
            ("work_in_workflow", "Can take steps of the workflow"),
            ("start_workflow", "Can start runs of the workflow"),
            ("draft_workflow", "Can draw drafts of the workflow"),
            ("publish_workflow", "Can publish versions of the workflow"),
            ("cancel_workflow", "Can cancel runs of the workflow"),
            ("intervene_workflow", "Can intervene in runs of the workflow"),
        ]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this workflow."""
        return Subject(kind="workflow", id=self.code, name=self.name, unit=str(self.unit_id), workflow=self.code)


class WorkflowVersion(models.Model):
    """One edition of a workflow, immutable: the BPMN as drawn and the graph compiled from it."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    bpmn = models.TextField()
    graph = models.JSONField()
    sha256 = models.CharField(max_length=64)
    author = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    approved_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    why = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["workflow", "number"], name="one_workflow_version_per_number"),
        ]

    def __str__(self) -> str:
        return f"{self.workflow.name}, version {self.number}"
