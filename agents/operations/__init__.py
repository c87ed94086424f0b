"""What can be done with identities, in the order of their life: admit, hire, activate, key, pause, retire."""

from agents.operations.access import GrantRefused, define_people_roles, end_grant, endow, grant, require, revoke
from agents.operations.agents import (
    AgentNotActive,
    Hired,
    activate,
    hire,
    pause,
    require_active,
    resume,
    retire,
)
from agents.operations.autonomy import DEMOTED, PROMOTED, ceiling_of, change_level
from agents.operations.keys import UnknownKey, issue_key, revoke_key, sign_in_with_key
from agents.operations.people import add_unit, admit_person
from agents.operations.reviews import (
    REMIND_DAYS,
    NobodyToAsk,
    NothingToReview,
    NotYours,
    Scope,
    certify,
    close_overdue,
    evidence,
    remind,
    revoke_item,
    start_review,
)
from agents.operations.systems import add_system

__all__ = [
    "DEMOTED",
    "PROMOTED",
    "REMIND_DAYS",
    "AgentNotActive",
    "GrantRefused",
    "Hired",
    "NobodyToAsk",
    "NotYours",
    "NothingToReview",
    "Scope",
    "UnknownKey",
    "activate",
    "add_system",
    "add_unit",
    "admit_person",
    "ceiling_of",
    "certify",
    "change_level",
    "close_overdue",
    "define_people_roles",
    "end_grant",
    "endow",
    "evidence",
    "grant",
    "hire",
    "issue_key",
    "pause",
    "remind",
    "require",
    "require_active",
    "resume",
    "retire",
    "revoke",
    "revoke_item",
    "revoke_key",
    "sign_in_with_key",
    "start_review",
]
