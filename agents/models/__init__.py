"""Rows of agents: principals (people and agents), units, roles, agents, their keys, and the systems they act upon."""

from agents.models.agents import Agent, AgentQuerySet, Role
from agents.models.keys import GivenAnswer, Key
from agents.models.principals import Principal, PrincipalManager, PrincipalQuerySet, Unit, UnitQuerySet
from agents.models.systems import SharedQuerySet, System

__all__ = [
    "Agent",
    "AgentQuerySet",
    "GivenAnswer",
    "Key",
    "Principal",
    "PrincipalManager",
    "PrincipalQuerySet",
    "Role",
    "SharedQuerySet",
    "System",
    "Unit",
    "UnitQuerySet",
]
