"""Rows of agents: principals (people and agents), units, roles, blueprints, agents, their versions, keys, systems."""

from agents.models.agents import Agent, AgentQuerySet, Role
from agents.models.blueprints import ANY_ACTION, Blueprint, BlueprintQuerySet
from agents.models.keys import GivenAnswer, Key
from agents.models.principals import Principal, PrincipalManager, PrincipalQuerySet, Unit, UnitQuerySet
from agents.models.systems import SharedQuerySet, System
from agents.models.versions import VALID_FOR, Assessment, AssessmentQuerySet, Version, Versioned, VersionQuerySet

__all__ = [
    "ANY_ACTION",
    "VALID_FOR",
    "Agent",
    "AgentQuerySet",
    "Assessment",
    "AssessmentQuerySet",
    "Blueprint",
    "BlueprintQuerySet",
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
    "Version",
    "VersionQuerySet",
    "Versioned",
]
