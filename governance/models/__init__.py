"""Rows of governance: policies, decisions, escalations and their paths, earned autonomy, the control state."""

from governance.models.autonomy import DemotionRule, PromotionQuerySet, PromotionRequest
from governance.models.control import ControlState
from governance.models.decisions import HAS_FAILED, HAS_REPORT, Decision, DecisionQuerySet
from governance.models.escalations import WAS_UNDONE, Escalation, EscalationQuerySet, Vote, standing_in
from governance.models.incidents import Incident, IncidentQuerySet
from governance.models.paths import Delegation, DelegationQuerySet, EscalationPath, PathStep, Risk
from governance.models.policies import Policy, PolicyQuerySet, PolicyVersion, PolicyVersionQuerySet, RuleBook
from governance.models.safeguards import FUSE, LIMITS, SafeguardRule, SystemGuard, SystemReport

__all__ = [
    "FUSE",
    "HAS_FAILED",
    "HAS_REPORT",
    "LIMITS",
    "WAS_UNDONE",
    "ControlState",
    "Decision",
    "DecisionQuerySet",
    "Delegation",
    "DelegationQuerySet",
    "DemotionRule",
    "Escalation",
    "EscalationPath",
    "EscalationQuerySet",
    "Incident",
    "IncidentQuerySet",
    "PathStep",
    "Policy",
    "PolicyQuerySet",
    "PolicyVersion",
    "PolicyVersionQuerySet",
    "PromotionQuerySet",
    "PromotionRequest",
    "Risk",
    "RuleBook",
    "SafeguardRule",
    "SystemGuard",
    "SystemReport",
    "Vote",
    "standing_in",
]
