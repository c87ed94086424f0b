"""Workflows, rules: DMN decision tables. A file becomes a model (reading), a model and facts a decision (deciding)."""

from workflows.plan.dmn.deciding import Decided, DecisionFailed, decide, evaluate_json
from workflows.plan.dmn.reading import DmnInvalid, read_dmn
from workflows.plan.dmn.tables import Decision, HitPolicy, Input, Model, Output, Rule

__all__ = [
    "Decided",
    "Decision",
    "DecisionFailed",
    "DmnInvalid",
    "HitPolicy",
    "Input",
    "Model",
    "Output",
    "Rule",
    "decide",
    "evaluate_json",
    "read_dmn",
]
