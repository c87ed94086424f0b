"""Rows of governance: policies and their versions, decisions, escalation paths, escalations, votes, control states."""

from governance.models.control import ControlState
from governance.models.decisions import Decision, DecisionQuerySet
from governance.models.escalations import Escalation, EscalationPath, EscalationQuerySet, PathStep, Risk, Vote
from governance.models.policies import Policy, PolicyVersion, PolicyVersionQuerySet, RuleBook

__all__ = [
    "ControlState",
    "Decision",
    "DecisionQuerySet",
    "Escalation",
    "EscalationPath",
    "EscalationQuerySet",
    "PathStep",
    "Policy",
    "PolicyVersion",
    "PolicyVersionQuerySet",
    "Risk",
    "RuleBook",
    "Vote",
]
