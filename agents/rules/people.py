"""What the roles of people allow."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PeopleRole:
    """A role that people hold: the group's name, its title on screen, and the rights that come with it."""

    name: str
    title: str
    permissions: tuple[str, ...]


_VIEW = (
    "agents.view_unit", "agents.view_agent", "agents.view_system", "governance.view_policy",
    "workflows.view_workflow", "workflows.view_space", "observability.view_event", "observability.read_ledger",
)  # fmt: skip
_RUN_AGENTS = (
    "agents.add_agent",
    "agents.change_agent",
    "agents.pause_agent",
    "agents.key_agent",
    "agents.add_unit",
    "agents.add_system",
)

PEOPLE_ROLES: tuple[PeopleRole, ...] = (
    PeopleRole(
        "council", "Governance council",
        (*_VIEW, "agents.pause_agent", "agents.change_agent", "governance.add_policy", "governance.change_policy",
         "governance.set_control", "governance.settle_escalation", "workflows.publish_workflow"),
    ),
    PeopleRole("it", "IT", (*_VIEW, *_RUN_AGENTS, "governance.set_control", "workflows.publish_workflow")),
    PeopleRole(
        "risk", "Risk",
        (*_VIEW, "agents.pause_agent", "governance.add_policy", "governance.change_policy", "governance.set_control",
         "governance.settle_escalation"),
    ),
    PeopleRole("unit_owner", "Business-unit owner", ("governance.settle_escalation",)),
    PeopleRole("reviewer", "Reviewer", ("governance.settle_escalation",)),
    PeopleRole("member", "Member", ()),
    PeopleRole("auditor", "Auditor", _VIEW),
)  # fmt: skip
