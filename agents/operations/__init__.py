"""What can be done with identities, in the order of their life: admit, hire, activate, key, pause, retire."""

from agents.operations.access import define_people_roles, grant, require
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
from agents.operations.emergencies import close_break_glass, end_overdue, open_break_glass, review_break_glass
from agents.operations.invitations import accept_invitation, invitation_for, invite_again, invited
from agents.operations.keys import UnknownKey, issue_key, revoke_key, sign_in_with_key
from agents.operations.movers import change_roles, describe, disable, enable, require_over, reset_second_factors
from agents.operations.people import add_unit, admit_person
from agents.operations.sessions import (
    SecondFactorNeeded,
    SignInAgain,
    end_other_sessions,
    end_session,
    end_sessions,
    is_recent,
    lacks_second_factor,
    require_recent,
)
from agents.operations.systems import add_system

__all__ = [
    "AgentNotActive",
    "Hired",
    "SecondFactorNeeded",
    "SignInAgain",
    "UnknownKey",
    "accept_invitation",
    "activate",
    "add_system",
    "add_unit",
    "admit_person",
    "change_roles",
    "close_break_glass",
    "define_people_roles",
    "describe",
    "disable",
    "enable",
    "end_other_sessions",
    "end_overdue",
    "end_session",
    "end_sessions",
    "grant",
    "hire",
    "invitation_for",
    "invite_again",
    "invited",
    "is_recent",
    "issue_key",
    "lacks_second_factor",
    "open_break_glass",
    "pause",
    "require",
    "require_active",
    "require_over",
    "require_recent",
    "reset_second_factors",
    "resume",
    "retire",
    "review_break_glass",
    "revoke_key",
    "sign_in_with_key",
]
