"""Rows of agents: principals (people and agents), units, roles, agents, their keys, and the systems they act upon."""

from agents.models.agents import Agent, AgentQuerySet, Role
from agents.models.cards import ForeignCard
from agents.models.keys import CLIENT_KEY_BY_NAME, KEY_BY_PREFIX, ClientKey, Consent, GivenAnswer, Key, UsedToken
from agents.models.principals import Principal, PrincipalManager, PrincipalQuerySet, Unit, UnitQuerySet
from agents.models.systems import SharedQuerySet, System

__all__ = [
    "CLIENT_KEY_BY_NAME",
    "KEY_BY_PREFIX",
    "Agent",
    "AgentQuerySet",
    "ClientKey",
    "Consent",
    "ForeignCard",
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
    "UsedToken",
]
