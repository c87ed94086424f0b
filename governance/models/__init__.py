"""Rows of governance: policies, decisions, escalations and their paths, earned autonomy, the control state."""

from governance.models.autonomy import DemotionRule, PromotionQuerySet, PromotionRequest
from governance.models.budgets import Budget, BudgetPeriod, BudgetQuerySet, Reservation, ReservationQuerySet
from governance.models.control import ControlDrill, ControlState, DrillSighting
from governance.models.decisions import HAS_FAILED, HAS_REPORT, Decision, DecisionQuerySet
from governance.models.escalations import (
    WAS_UNDONE,
    Escalation,
    EscalationQuerySet,
    Vote,
    claim_lasts,
    of_teams_of,
    standing_in,
)
from governance.models.incidents import Incident, IncidentQuerySet
from governance.models.inquiries import HandOver, Inquiry, InquiryQuerySet
from governance.models.lists import ListEdition, ValueList, ValueListQuerySet
from governance.models.paths import (
    BARRED,
    BusinessCalendar,
    Delegation,
    DelegationQuerySet,
    EscalationPath,
    PathStep,
    Risk,
    Training,
)
from governance.models.policies import (
    Policy,
    PolicyComment,
    PolicyQuerySet,
    PolicyVersion,
    PolicyVersionQuerySet,
    RuleBook,
)
from governance.models.queue import DefaultView, SavedView, SavedViewQuerySet, Snooze, Watch
from governance.models.replays import Compared, ComparedQuerySet, Replay, ReplayFlip, ReplayQuerySet, ShadowRuling
from governance.models.safeguards import FUSE, LIMITS, SafeguardRule, SystemGuard, SystemReport

__all__ = [
    "BARRED",
    "FUSE",
    "HAS_FAILED",
    "HAS_REPORT",
    "LIMITS",
    "WAS_UNDONE",
    "Budget",
    "BudgetPeriod",
    "BudgetQuerySet",
    "BusinessCalendar",
    "Compared",
    "ComparedQuerySet",
    "ControlDrill",
    "ControlState",
    "Decision",
    "DecisionQuerySet",
    "DefaultView",
    "Delegation",
    "DelegationQuerySet",
    "DemotionRule",
    "DrillSighting",
    "Escalation",
    "EscalationPath",
    "EscalationQuerySet",
    "HandOver",
    "Incident",
    "IncidentQuerySet",
    "Inquiry",
    "InquiryQuerySet",
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
    "SafeguardRule",
    "SavedView",
    "SavedViewQuerySet",
    "ShadowRuling",
    "Snooze",
    "SystemGuard",
    "SystemReport",
    "Training",
    "ValueList",
    "ValueListQuerySet",
    "Vote",
    "Watch",
    "claim_lasts",
    "of_teams_of",
    "standing_in",
]
