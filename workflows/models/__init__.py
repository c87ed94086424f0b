"""Rows of coordination: workflows, their drafts and versions, runs, steps, timers, what they wait for and tell each
other, how runs begin by themselves, and the facts of shared memory."""

from workflows.models.beginnings import Follow, Hook, HookCall, Schedule, ScheduleQuerySet
from workflows.models.drafts import DraftQuerySet, WorkflowDraft
from workflows.models.handing import HandOff, HandOffQuerySet
from workflows.models.holding import Held, holding
from workflows.models.memory import (
    Fact,
    FactFile,
    FactQuerySet,
    Flight,
    ReuseDay,
    ReuseMark,
    Space,
    SpaceQuerySet,
    Waiter,
)
from workflows.models.messages import Listener, Message, MessageQuerySet, Subscription, SubscriptionQuerySet
from workflows.models.pushing import Endpoint, EndpointQuerySet, Push
from workflows.models.tables import DecisionTable, DecisionTableQuerySet
from workflows.models.work import Run, RunQuerySet, Step, StepQuerySet, Timer, TimerQuerySet
from workflows.models.workflows import Workflow, WorkflowQuerySet, WorkflowVersion

__all__ = [
    "DecisionTable",
    "DecisionTableQuerySet",
    "DraftQuerySet",
    "Endpoint",
    "EndpointQuerySet",
    "Fact",
    "FactFile",
    "FactQuerySet",
    "Flight",
    "Follow",
    "HandOff",
    "HandOffQuerySet",
    "Held",
    "Hook",
    "HookCall",
    "Listener",
    "Message",
    "MessageQuerySet",
    "Push",
    "ReuseDay",
    "ReuseMark",
    "Run",
    "RunQuerySet",
    "Schedule",
    "ScheduleQuerySet",
    "Space",
    "SpaceQuerySet",
    "Step",
    "StepQuerySet",
    "Subscription",
    "SubscriptionQuerySet",
    "Timer",
    "TimerQuerySet",
    "Waiter",
    "Workflow",
    "WorkflowDraft",
    "WorkflowQuerySet",
    "WorkflowVersion",
    "holding",
]
