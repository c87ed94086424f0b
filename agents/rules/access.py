"""Which rights can be given one by one, on which kinds of objects, and who may give which to whom."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of object that rights are given on: its model ("app.model"), the column that names one, and the rights."""

    name: str
    model: str
    key: str
    title: str
    plural: str
    icon: str
    rights: tuple[str, ...]

    @property
    def app(self) -> str:
        """The app that the kind belongs to."""
        return self.model.partition(".")[0]

    def permission(self, codename: str) -> str:
        """The right with its app, as in agents.view_unit."""
        return f"{self.app}.{codename}"


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("unit", "agents.unit", "code", "Unit", "Units", "building-2",
             ("view_unit", "manage_unit", "ask_for_unit")),
        Kind(
            "agent", "agents.agent", "code", "Agent", "Agents", "bot",
            ("view_agent", "pause_agent", "key_agent", "change_agent"),
        ),
        Kind(
            "workflow", "workflows.workflow", "code", "Workflow", "Workflows", "workflow",
            ("view_workflow", "work_in_workflow", "start_workflow", "cancel_workflow", "intervene_workflow",
             "draft_workflow", "publish_workflow"),
        ),
        Kind(
            "policy", "governance.policy", "key", "Policy", "Policies", "scale",
            ("view_policy", "change_policy", "approve_policy"),
        ),
        Kind(
            "system", "agents.system", "code", "System", "Systems", "server",
            ("view_system", "read_in_system", "create_in_system", "change_in_system", "pay_in_system",
             "send_in_system"),
        ),
        Kind(
            "space", "workflows.space", "code", "Memory space", "Memory spaces", "database",
            ("view_space", "write_space", "curate_space"),
        ),
    )
}  # fmt: skip
KIND_NAMES = tuple(KINDS)
BY_UNIT_OWNERSHIP = ("view", "pause", "start", "cancel", "intervene")
"""What managing a unit allows on every agent, workflow and other object of the unit."""


def comes_with_managing(codename: str) -> bool:
    """Whether a right is held by whoever manages the unit of the object."""
    return codename.partition("_")[0] in BY_UNIT_OWNERSHIP


@dataclass(frozen=True)
class Giving:
    """One right that somebody wants to give: what is known about giver, receiver and object."""

    to_oneself: bool
    is_it: bool
    manages_unit: bool
    to_role: bool
    receiver_in_unit: bool
    holds: bool
    holds_until_end: bool = True


def why_not_give(giving: Giving) -> str:
    """Why the right may not be given, as a sentence; nothing when it may. IT gives everything but to itself; whoever
    manages the object's unit gives what is held already, as long as it is held, to people and agents of the unit."""
    if giving.to_oneself:
        return "Nobody gives a right to themselves, nor to a role that they have."
    if giving.is_it:
        return ""
    if not giving.manages_unit:
        return "Rights on this object are given by IT and by whoever manages its unit."
    if giving.to_role:
        return "A role has members in other units; only IT gives rights to a role."
    if not giving.receiver_in_unit:
        return "Whoever manages a unit gives rights within the unit only; ask IT."
    if not giving.holds:
        return "You cannot give what you do not hold yourself; ask IT."
    if not giving.holds_until_end:
        return "You cannot give a right for longer than you hold it yourself."
    return ""


def why_not_take(*, is_own: bool, is_it: bool, manages_unit: bool) -> str:
    """Why somebody's right may not be taken away, as a sentence; nothing when it may. A right of one's own may be given
    up at any time."""
    if is_own or is_it or manages_unit:
        return ""
    return "Rights on this object are taken away by IT and by whoever manages its unit."


@dataclass(frozen=True)
class Answering:
    """Somebody who could answer for one right in a review: whether still active, and whether the right is their own."""

    person: int
    is_active: bool
    is_own: bool


def first_to_answer(candidates: Iterable[Answering]) -> int | None:
    """The first of the candidates who is active and does not hold the right; nobody reviews a right of their own."""
    return next((each.person for each in candidates if each.is_active and not each.is_own), None)
