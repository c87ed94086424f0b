"""Rows of agents: principals, units, roles, blueprints, agents, versions, keys, systems, rights on single rows,
and the reviews of these rights."""

from agents.models.access import Grant, GrantQuerySet, RoleGrant
from agents.models.agents import Agent, AgentQuerySet, Role
from agents.models.blueprints import ANY_ACTION, Blueprint, BlueprintQuerySet
from agents.models.cards import ForeignCard
from agents.models.emergencies import BreakGlass, BreakGlassQuerySet
from agents.models.keys import CLIENT_KEY_BY_NAME, KEY_BY_PREFIX, ClientKey, Consent, GivenAnswer, Key, UsedToken
from agents.models.principals import Principal, PrincipalManager, PrincipalQuerySet, Unit, UnitQuerySet
from agents.models.reviews import Review, ReviewItem
from agents.models.systems import SharedQuerySet, System
from agents.models.versions import VALID_FOR, Assessment, AssessmentQuerySet, Version, Versioned, VersionQuerySet

__all__ = [
    "ANY_ACTION",
    "CLIENT_KEY_BY_NAME",
    "KEY_BY_PREFIX",
    "VALID_FOR",
    "Agent",
    "AgentQuerySet",
    "Assessment",
    "AssessmentQuerySet",
    "Blueprint",
    "BlueprintQuerySet",
    "BreakGlass",
    "BreakGlassQuerySet",
    "ClientKey",
    "Consent",
    "ForeignCard",
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
    "UsedToken",
    "Version",
    "VersionQuerySet",
    "Versioned",
]
