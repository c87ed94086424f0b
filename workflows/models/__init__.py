"""Rows of coordination: workflows, their drafts and versions, runs, steps, timers, and the facts of shared memory."""

from workflows.models.drafts import DraftQuerySet, WorkflowDraft
from workflows.models.memory import Fact, FactQuerySet, Space
from workflows.models.tables import DecisionTable, DecisionTableQuerySet
from workflows.models.work import Run, RunQuerySet, Step, StepQuerySet, Timer, TimerQuerySet
from workflows.models.workflows import Workflow, WorkflowQuerySet, WorkflowVersion

__all__ = [
    "DecisionTable",
    "DecisionTableQuerySet",
    "DraftQuerySet",
    "Fact",
    "FactQuerySet",
    "Run",
    "RunQuerySet",
    "Space",
    "Step",
    "StepQuerySet",
    "Timer",
    "TimerQuerySet",
    "Workflow",
    "WorkflowDraft",
    "WorkflowQuerySet",
    "WorkflowVersion",
]
