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
from agents.operations.keys import UnknownKey, issue_key, revoke_key, sign_in_with_key
from agents.operations.people import add_unit, admit_person
from agents.operations.systems import add_system

__all__ = [
    "AgentNotActive",
    "Hired",
    "UnknownKey",
    "activate",
    "add_system",
    "add_unit",
    "admit_person",
    "define_people_roles",
    "grant",
    "hire",
    "issue_key",
    "pause",
    "require",
    "require_active",
    "resume",
    "retire",
    "revoke_key",
    "sign_in_with_key",
]
