"""Workflows, rules: a BPMN drawing becomes a graph, and a graph moves the tokens of a run.

bytes -> graph (bpmn, elements, checks); graph, marking, happening -> marking, effects (advance)
"""

from workflows.plan.advance import StaleHappening, advance
from workflows.plan.bpmn import read_bpmn
from workflows.plan.graph import INPUT, OUTCOME, OUTCOMES, Flow, Graph, Node, NodeKind, Output
from workflows.plan.marking import (
    CancelStep,
    CancelTimer,
    Effect,
    EndRun,
    Happening,
    IncidentResolved,
    Marking,
    OpenStep,
    RaiseIncident,
    RunCancelled,
    Started,
    StartTimer,
    StepFinished,
    Timer,
    TimerFired,
    Token,
)
from workflows.plan.problems import BpmnInvalid, ElementProblem

__all__ = [
    "INPUT",
    "OUTCOME",
    "OUTCOMES",
    "BpmnInvalid",
    "CancelStep",
    "CancelTimer",
    "Effect",
    "ElementProblem",
    "EndRun",
    "Flow",
    "Graph",
    "Happening",
    "IncidentResolved",
    "Marking",
    "Node",
    "NodeKind",
    "OpenStep",
    "Output",
    "RaiseIncident",
    "RunCancelled",
    "StaleHappening",
    "StartTimer",
    "Started",
    "StepFinished",
    "Timer",
    "TimerFired",
    "Token",
    "advance",
    "read_bpmn",
]
