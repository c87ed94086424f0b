"""What can be done with identities, in the order of their life: admit, describe, hire, activate, key, pause, retire."""

from agents.operations.access import define_people_roles, grant, hand_over, require
from agents.operations.agents import (
    AgentNotActive,
    OutsideWorkingHours,
    SecondPersonNeeded,
    activate,
    look_again,
    pause,
    require_active,
    require_at_work,
    resume,
    retire,
    send_back,
    submit,
)
from agents.operations.assessments import Assessed, assess
from agents.operations.blueprints import (
    JobDescription,
    activate_blueprint,
    change_blueprint,
    disable_blueprint,
    draft_blueprint,
    lock_blueprint,
    roll_back_blueprint,
)
from agents.operations.hiring import Hired, change_agent, hire, lock_agent, roll_back_agent
from agents.operations.keys import UnknownKey, issue_key, revoke_key, sign_in_with_key
from agents.operations.people import add_unit, admit_person
from agents.operations.sponsors import watch_sponsor
from agents.operations.systems import add_system
from agents.operations.versions import NothingChanged, keep_version, version_of

__all__ = [
    "AgentNotActive",
    "Assessed",
    "Hired",
    "JobDescription",
    "NothingChanged",
    "OutsideWorkingHours",
    "SecondPersonNeeded",
    "UnknownKey",
    "activate",
    "activate_blueprint",
    "add_system",
    "add_unit",
    "admit_person",
    "assess",
    "change_agent",
    "change_blueprint",
    "define_people_roles",
    "disable_blueprint",
    "draft_blueprint",
    "grant",
    "hand_over",
    "hire",
    "issue_key",
    "keep_version",
    "lock_agent",
    "lock_blueprint",
    "look_again",
    "pause",
    "require",
    "require_active",
    "require_at_work",
    "resume",
    "retire",
    "revoke_key",
    "roll_back_agent",
    "roll_back_blueprint",
    "send_back",
    "sign_in_with_key",
    "submit",
    "version_of",
    "watch_sponsor",
]
