"""Rows of coordination: workflows and their versions, runs, steps, timers, and the facts of shared memory."""

from workflows.models.memory import Fact, FactFile, FactQuerySet, Flight, Space, SpaceQuerySet, Waiter
from workflows.models.work import Run, RunQuerySet, Step, StepQuerySet, Timer, TimerQuerySet
from workflows.models.workflows import Workflow, WorkflowQuerySet, WorkflowVersion

__all__ = [
    "Fact",
    "FactFile",
    "FactQuerySet",
    "Flight",
    "Run",
    "RunQuerySet",
    "Space",
    "SpaceQuerySet",
    "Step",
    "StepQuerySet",
    "Timer",
    "TimerQuerySet",
    "Waiter",
    "Workflow",
    "WorkflowQuerySet",
    "WorkflowVersion",
]
