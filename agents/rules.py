"""Rules of identity: what people's roles may do and what a secret looks like. Plain values in, plain values out."""

import hashlib
import hmac
import re
from dataclasses import dataclass

KEY_START = "aos_live_"
_KEY = re.compile(rf"{KEY_START}(?P<prefix>[0-9a-f]{{12}})_(?P<secret>[A-Za-z0-9_-]{{32,64}})")
AGENT_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}")
AUTONOMY = {
    0: "Observes",
    1: "Suggests, a person acts",
    2: "Acts within limits",
    3: "Acts, reports afterwards",
    4: "Acts unattended",
}


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


def split_key(text: str) -> tuple[str, str] | None:
    """(prefix, secret) of a key as it stands in the Authorization header, or None when it cannot be one."""
    parts = _KEY.fullmatch(text)
    return (parts["prefix"], parts["secret"]) if parts else None


def secret_digest(secret: str) -> str:
    """The SHA-256 of a secret, hex. A 256-bit random secret needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same_digest(left: str, right: str) -> bool:
    """Whether two digests are equal, in constant time."""
    return hmac.compare_digest(left, right)
