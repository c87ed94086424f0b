"""Rows of governance: policies, decisions, escalations and their paths, earned autonomy, the control state."""

from governance.models.autonomy import DemotionRule, PromotionQuerySet, PromotionRequest
from governance.models.control import ControlDrill, ControlState, DrillSighting
from governance.models.decisions import HAS_FAILED, HAS_REPORT, Decision, DecisionQuerySet
from governance.models.escalations import WAS_UNDONE, Escalation, EscalationQuerySet, Vote, standing_in
from governance.models.paths import Delegation, DelegationQuerySet, EscalationPath, PathStep, Risk
from governance.models.policies import Policy, PolicyQuerySet, PolicyVersion, PolicyVersionQuerySet, RuleBook

__all__ = [
    "HAS_FAILED",
    "HAS_REPORT",
    "WAS_UNDONE",
    "ControlDrill",
    "ControlState",
    "Decision",
    "DecisionQuerySet",
    "Delegation",
    "DelegationQuerySet",
    "DemotionRule",
    "DrillSighting",
    "Escalation",
    "EscalationPath",
    "EscalationQuerySet",
    "PathStep",
    "Policy",
    "PolicyQuerySet",
    "PolicyVersion",
    "PolicyVersionQuerySet",
    "PromotionQuerySet",
    "PromotionRequest",
    "Risk",
    "RuleBook",
    "Vote",
    "standing_in",
]
