"""Rows of agents: principals (people and agents), units, roles, agents, their keys, the systems they act
upon, rights on single rows, and the reviews of these rights."""

from agents.models.access import Grant, GrantQuerySet, RoleGrant
from agents.models.agents import Agent, AgentQuerySet, Role
from agents.models.keys import GivenAnswer, Key
from agents.models.principals import Principal, PrincipalManager, PrincipalQuerySet, Unit, UnitQuerySet
from agents.models.reviews import Review, ReviewItem
from agents.models.systems import SharedQuerySet, System

__all__ = [
    "Agent",
    "AgentQuerySet",
    "GivenAnswer",
    "Grant",
    "GrantQuerySet",
    "Key",
    "Principal",
    "PrincipalManager",
    "PrincipalQuerySet",
    "Review",
    "ReviewItem",
    "Role",
    "RoleGrant",
    "SharedQuerySet",
    "System",
    "Unit",
    "UnitQuerySet",
]
