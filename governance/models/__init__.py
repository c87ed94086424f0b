"""Rows of governance: policies, decisions, escalations and their paths, earned autonomy, the control state."""

from governance.models.autonomy import DemotionRule, PromotionQuerySet, PromotionRequest
from governance.models.budgets import Budget, BudgetPeriod, BudgetQuerySet, Reservation, ReservationQuerySet
from governance.models.callbacks import Callback, CallbackAttempt, CallbackQuerySet
from governance.models.control import ControlDrill, ControlState, DrillSighting
from governance.models.decisions import HAS_FAILED, HAS_REPORT, Decision, DecisionQuerySet
from governance.models.escalations import WAS_UNDONE, Escalation, EscalationQuerySet, Vote, standing_in
from governance.models.incidents import Incident, IncidentQuerySet
from governance.models.lists import ListEdition, ValueList, ValueListQuerySet
from governance.models.notices import Notice, NoticeMark, NoticePlace, NoticeQuerySet, NoticeWish
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
from governance.models.safeguards import FUSE, LIMITS, SafeguardRule, SystemGuard, SystemReport

__all__ = [
    "FUSE",
    "HAS_FAILED",
    "HAS_REPORT",
    "LIMITS",
    "WAS_UNDONE",
    "Budget",
    "BudgetPeriod",
    "BudgetQuerySet",
    "Callback",
    "CallbackAttempt",
    "CallbackQuerySet",
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
    "Incident",
    "IncidentQuerySet",
    "ListEdition",
    "Notice",
    "NoticeMark",
    "NoticePlace",
    "NoticeQuerySet",
    "NoticeWish",
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
    "SafeguardRule",
    "ShadowRuling",
    "SystemGuard",
    "SystemReport",
    "ValueList",
    "ValueListQuerySet",
    "Vote",
    "standing_in",
]
