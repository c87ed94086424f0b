"""Rows of coordination: workflows and their versions, runs, steps, timers, and the facts of shared memory."""

from workflows.models.memory import Fact, FactQuerySet, Space
from workflows.models.tables import DecisionTable, DecisionTableQuerySet
from workflows.models.work import Run, RunQuerySet, Step, StepQuerySet, Timer, TimerQuerySet
from workflows.models.workflows import Workflow, WorkflowQuerySet, WorkflowVersion

__all__ = [
    "DecisionTable",
    "DecisionTableQuerySet",
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
    "WorkflowQuerySet",
    "WorkflowVersion",
]
