"""Shapes of the API about drafts of workflows, their review and their versions."""

from typing import Any, ClassVar

from rest_framework import serializers

from observability.serializers import StrictSerializer, Text, Whole
from workflows.models import Workflow, WorkflowDraft, WorkflowVersion
from workflows.operations.gallery import WorkflowTemplate

BPMN_AT_MOST = 900_000
WHY_AT_MOST = 4000


class NewWorkflowInput(StrictSerializer):
    """A new workflow: what it is, and what its first draft starts from: a template, BPMN 2.0 as text, or nothing."""

    example: ClassVar[dict[str, Any]] = {
        "code": "customer-support", "name": "Customer support", "unit": "finance", "owner": "maria",
        "incident_path": "document-desk", "template": "customer-support", "bpmn": "",
    }  # fmt: skip

    code = serializers.SlugField(max_length=80)
    name = Text(max_length=200)
    unit = Text(max_length=60)
    owner = Text(max_length=150)
    incident_path = Text(max_length=80)
    template = Text(max_length=80, allow_blank=True, default="")
    bpmn = Text(max_length=BPMN_AT_MOST, allow_blank=True, default="", trim_whitespace=False)


class BeginDraftInput(StrictSerializer):
    """What a draft starts from: the version with this number, BPMN 2.0 as text, or what is live."""

    example: ClassVar[dict[str, Any]] = {"version": 1, "bpmn": ""}

    version = Whole(min_value=1, max_value=999_999_999, required=False, allow_null=True, default=None)
    bpmn = Text(max_length=BPMN_AT_MOST, allow_blank=True, default="", trim_whitespace=False)


class DrawingInput(StrictSerializer):
    """Another drawing for the draft: BPMN 2.0 as text."""

    example: ClassVar[dict[str, Any]] = {"bpmn": "<definitions xmlns=…"}

    bpmn = Text(max_length=BPMN_AT_MOST, trim_whitespace=False)


class DraftReasonInput(StrictSerializer):
    """Why; the audit trail keeps it."""

    example: ClassVar[dict[str, Any]] = {"reason": "The limits changed."}

    reason = Text(max_length=WHY_AT_MOST, allow_blank=True, default="")


class DraftOutput(serializers.ModelSerializer[WorkflowDraft]):
    """A draft with its drawing."""

    workflow = serializers.CharField(source="workflow.code")
    base = serializers.IntegerField(source="base.number", default=None, allow_null=True)
    author = serializers.CharField(source="author.name", default=None, allow_null=True)
    edited_by = serializers.CharField(source="edited_by.name", default=None, allow_null=True)
    asked_by = serializers.CharField(source="asked_by.name", default=None, allow_null=True)

    class Meta:
        model = WorkflowDraft
        fields: ClassVar[list[str]] = [
            "workflow", "status", "revision", "base", "author", "created_at", "edited_by", "updated_at", "asked_by",
            "asked_at", "bpmn",
        ]  # fmt: skip


class ElementProblemOutput(serializers.Serializer[Any]):
    """What is wrong with one element; a warning keeps nobody from publishing."""

    element = serializers.CharField()
    name = serializers.CharField()
    reason = serializers.CharField()
    severity = serializers.ChoiceField(choices=["error", "warning"])


class DrawingCheckedOutput(serializers.Serializer[Any]):
    """Everything that is wrong with a drawing."""

    problems = ElementProblemOutput(many=True)


class WorkflowVersionOutput(serializers.ModelSerializer[WorkflowVersion]):
    """A version: who drew it, who published it, and why."""

    workflow = serializers.CharField(source="workflow.code")
    version = serializers.IntegerField(source="number")
    author = serializers.CharField(source="author.name", default=None, allow_null=True)
    approved_by = serializers.CharField(source="approved_by.name", default=None, allow_null=True)

    class Meta:
        model = WorkflowVersion
        fields: ClassVar[list[str]] = ["workflow", "version", "sha256", "author", "approved_by", "why", "created_at"]


class WorkflowTemplateOutput(serializers.Serializer[Any]):
    """A drawing to start from."""

    name = serializers.CharField()
    title = serializers.CharField()
    about = serializers.CharField()
    steps = serializers.IntegerField()
    roles = serializers.ListField(child=serializers.CharField())


class WorkflowTemplatesOutput(serializers.Serializer[Any]):
    """All templates."""

    templates = WorkflowTemplateOutput(many=True)


def template_data(template: WorkflowTemplate) -> dict[str, Any]:
    """A template as the API shows it."""
    told: dict[str, Any] = WorkflowTemplateOutput(template).data
    return told


def draft_of(workflow: Workflow) -> WorkflowDraft | None:
    """The draft of the workflow that is drawn or reviewed, with what the API shows."""
    found: WorkflowDraft | None = workflow.drafts.open().with_people().first()
    return found
