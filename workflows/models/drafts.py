"""Rows of coordination: the draft of a workflow, from the first line drawn to the version that it became."""

from collections.abc import Mapping
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from agents.models import Principal
from observability.ledger import Subject
from workflows.models.workflows import Workflow, WorkflowVersion


class DraftQuerySet(models.QuerySet["WorkflowDraft"]):
    """Reading phrases for drafts."""

    def open(self) -> Self:
        """Those that are drawn or reviewed; of each workflow at most one."""
        return self.filter(status__in=(WorkflowDraft.Status.DRAFT, WorkflowDraft.Status.IN_REVIEW))

    def visible_to(self, user: Principal) -> Self:
        """Those of the workflows that the user may see."""
        return self.filter(workflow__in=Workflow.objects.visible_to(user).order_by())

    def for_person(self, person: Principal) -> Self:
        """Those in review that this person may publish: with the right, and drawn by others."""
        if not person.is_person:
            return self.none()
        waiting = self.visible_to(person).filter(status=WorkflowDraft.Status.IN_REVIEW).exclude(editors=person)
        if person.may("workflows.publish_workflow"):
            return waiting
        return waiting.filter(workflow__in=person.granted("workflows.publish_workflow", Workflow))

    def with_people(self) -> Self:
        """With everything that a page shows, in one query."""
        return self.select_related("workflow__unit", "workflow__owner", "base", "author", "edited_by", "asked_by")


class WorkflowDraft(models.Model):
    """What somebody draws before it is a version. `revision` grows with every change, so that nobody writes over what
    somebody else drew meanwhile; `editors` are all who changed it, and none of them publishes it."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        PUBLISHED = "published", "Published"
        DISCARDED = "discarded", "Discarded"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.DRAFT: (Status.IN_REVIEW, Status.DISCARDED),
        Status.IN_REVIEW: (Status.DRAFT, Status.PUBLISHED),
    }

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="drafts")
    base = models.ForeignKey(WorkflowVersion, on_delete=models.PROTECT, null=True, related_name="+")
    bpmn = models.TextField()
    revision = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    author = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    edited_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    updated_at = models.DateTimeField()
    editors = models.ManyToManyField(Principal, related_name="+")
    asked_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    version = models.OneToOneField(WorkflowVersion, on_delete=models.PROTECT, null=True, related_name="draft")

    objects = DraftQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["workflow"], condition=Q(status__in=("draft", "in_review")), name="one_open_draft_per_workflow"
            ),
            models.CheckConstraint(
                condition=Q(author=None) | Q(approved_by=None) | ~Q(approved_by=F("author")),
                name="no_author_publishes_their_own_draft",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.workflow.name}, draft"

    def as_subject(self) -> Subject:
        """How the ledger names this draft: as something about its workflow."""
        return self.workflow.as_subject()
