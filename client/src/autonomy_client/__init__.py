"""The Python client of Autonomy OS: what an agent imports to claim work, ask permission and report."""

from autonomy_client.client import Autonomy
from autonomy_client.errors import (
    AutonomyError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    StaleLease,
    TooLarge,
    Unauthorized,
    Unreachable,
)
from autonomy_client.keeping import Keeper
from autonomy_client.shapes import (
    Approval,
    Change,
    Decision,
    Escalation,
    Evidence,
    Fact,
    Me,
    RunRef,
    Work,
)

__all__ = [
    "Approval",
    "Autonomy",
    "AutonomyError",
    "Change",
    "Conflict",
    "Decision",
    "Escalation",
    "Evidence",
    "Fact",
    "Forbidden",
    "Invalid",
    "Keeper",
    "Me",
    "NotFound",
    "RateLimited",
    "RunRef",
    "StaleLease",
    "TooLarge",
    "Unauthorized",
    "Unreachable",
    "Work",
]
