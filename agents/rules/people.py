"""What the roles of people allow."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class PeopleRole:
    """A role that people hold: the group's name, its title on screen, and the rights that come with it."""

    name: str
    title: str
    permissions: tuple[str, ...]


_VIEW = (
    "agents.view_unit", "agents.view_agent", "agents.view_blueprint", "agents.view_system", "governance.view_policy",
    "workflows.view_workflow", "workflows.view_space", "observability.view_event", "observability.read_ledger",
)  # fmt: skip
_RUN_PEOPLE = ("agents.add_principal", "agents.change_principal")
_RUN_AGENTS = (
    "agents.add_agent",
    "agents.change_agent",
    "agents.pause_agent",
    "agents.key_agent",
    "agents.add_blueprint",
    "agents.change_blueprint",
    "agents.add_assessment",
    "agents.add_unit",
    "agents.add_system",
)

PEOPLE_ROLES: tuple[PeopleRole, ...] = (
    PeopleRole(
        "council", "Governance council",
        (*_VIEW, "agents.pause_agent", "agents.change_agent", "agents.change_principal", "agents.change_blueprint",
         "agents.add_assessment", "agents.start_review", "governance.add_policy", "governance.change_policy",
         "governance.approve_policy", "governance.set_control", "governance.settle_escalation",
         "governance.promote_agent", "governance.demote_agent", "governance.change_budget",
         "governance.resolve_incident", "governance.set_safeguards", "governance.view_reviewers",
         "governance.plant_case", "workflows.draft_workflow", "workflows.publish_workflow",
         "workflows.add_space", "workflows.curate_space", "workflows.purge_space", "observability.set_prices",
         "observability.start_eventlog"),
    ),
    PeopleRole(
        "it", "IT",
        (*_VIEW, *_RUN_AGENTS, *_RUN_PEOPLE, "agents.add_grant", "agents.start_review", "governance.set_control",
         "workflows.draft_workflow", "workflows.publish_workflow", "workflows.start_workflow",
         "workflows.intervene_workflow", "observability.set_prices"),
    ),
    PeopleRole(
        "risk", "Risk",
        (*_VIEW, "agents.pause_agent", "agents.add_assessment", "agents.start_review", "governance.add_policy",
         "governance.change_policy", "governance.approve_policy", "governance.set_control",
         "governance.settle_escalation", "governance.demote_agent", "governance.resolve_incident",
         "governance.view_reviewers"),
    ),
    PeopleRole(
        "unit_owner", "Business-unit owner",
        ("governance.settle_escalation", "governance.change_budget", "workflows.draft_workflow",
         "workflows.start_workflow", "workflows.intervene_workflow"),
    ),
    PeopleRole("reviewer", "Reviewer", ("governance.settle_escalation",)),
    PeopleRole("member", "Member", ()),
    PeopleRole("auditor", "Auditor", _VIEW),
)  # fmt: skip

COUNCIL, IT, RISK = "council", "it", "risk"
SECOND_FACTOR_ROLES = frozenset({COUNCIL, IT, RISK})
"""Who can do nothing without a second factor: these roles can stop or change what agents may do."""
NEVER_EMPTY_ROLES = (COUNCIL, IT)
"""Without a person in these, nobody could let anybody in again."""
REVIEWING_ROLES = frozenset({COUNCIL, RISK})
"""Who reviews a use of the emergency account."""


def titles_of(roles: Iterable[str]) -> list[str]:
    """The titles of roles on screen, in the order of the rules; a group that is no role keeps its name."""
    names = set(roles)
    known = [role for role in PEOPLE_ROLES if role.name in names]
    return [role.title for role in known] + sorted(names - {role.name for role in known})
