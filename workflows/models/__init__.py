"""Rows of coordination: workflows and their versions, runs, steps, timers, hand-offs between agents, the facts of
shared memory, and the addresses at which agents are told that work is ready."""

from workflows.models.handing import HandOff, HandOffQuerySet
from workflows.models.memory import Fact, FactQuerySet, Space
from workflows.models.pushing import Endpoint, EndpointQuerySet, Push
from workflows.models.work import Run, RunQuerySet, Step, StepQuerySet, Timer, TimerQuerySet
from workflows.models.workflows import Workflow, WorkflowQuerySet, WorkflowVersion

__all__ = [
    "Endpoint",
    "EndpointQuerySet",
    "Fact",
    "FactQuerySet",
    "HandOff",
    "HandOffQuerySet",
    "Push",
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
