"""Rows of governance: policies, decisions, escalations and their paths, earned autonomy, the control state."""

from governance.models.autonomy import DemotionRule, PromotionQuerySet, PromotionRequest
from governance.models.budgets import Budget, BudgetPeriod, BudgetQuerySet, Reservation, ReservationQuerySet
from governance.models.control import ControlDrill, ControlState, DrillSighting
from governance.models.decisions import HAS_FAILED, HAS_REPORT, Decision, DecisionQuerySet
from governance.models.escalations import WAS_UNDONE, Escalation, EscalationQuerySet, Vote, standing_in
from governance.models.lists import ListEdition, ValueList, ValueListQuerySet
from governance.models.paths import Delegation, DelegationQuerySet, EscalationPath, PathStep, Risk
from governance.models.policies import (
    Policy,
    PolicyComment,
    PolicyQuerySet,
    PolicyVersion,
    PolicyVersionQuerySet,
    RuleBook,
)
from governance.models.replays import Compared, ComparedQuerySet, Replay, ReplayFlip, ReplayQuerySet, ShadowRuling

__all__ = [
    "HAS_FAILED",
    "HAS_REPORT",
    "WAS_UNDONE",
    "Budget",
    "BudgetPeriod",
    "BudgetQuerySet",
    "Compared",
    "ComparedQuerySet",
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
    "ListEdition",
    "PathStep",
    "Policy",
    "PolicyComment",
    "PolicyQuerySet",
    "PolicyVersion",
    "PolicyVersionQuerySet",
    "PromotionQuerySet",
    "PromotionRequest",
    "Replay",
    "ReplayFlip",
    "ReplayQuerySet",
    "Reservation",
    "ReservationQuerySet",
    "Risk",
    "RuleBook",
    "ShadowRuling",
    "ValueList",
    "ValueListQuerySet",
    "Vote",
    "standing_in",
]
