"""Boundaries: what the policies in force let one agent do alone, with a question, or never."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.models import Agent, System
from governance.operations.policies import rules_now
from governance.rules import Effect
from governance.rules.boundaries import Boundary, boundaries


@dataclass(frozen=True)
class ActionBounds:
    """The rules about one action of a system that can concern an agent."""

    system: System
    name: str
    label: str
    bounds: tuple[Boundary, ...]

    def of(self, effect: Effect) -> list[Boundary]:
        """The rules with this effect."""
        return [bound for bound in self.bounds if bound.rule.effect is effect]

    @property
    def allowing(self) -> list[Boundary]:
        """Rules under which the agent may act alone."""
        return self.of(Effect.ALLOW)

    @property
    def asking(self) -> list[Boundary]:
        """Rules under which a person is asked."""
        return self.of(Effect.ESCALATE)

    @property
    def denying(self) -> list[Boundary]:
        """Rules under which the answer is no."""
        return self.of(Effect.DENY)

    @property
    def effect(self) -> str:
        """The answer at its best: allow, escalate where a person may be asked, deny where no rule can allow it."""
        grants = any(bound.rule.escalate and bound.rule.escalate.grants for bound in self.asking)
        if not (self.allowing or grants) or any(not bound.conditions for bound in self.denying):
            return Effect.DENY.value
        return Effect.ESCALATE.value if self.asking else Effect.ALLOW.value


def bounds_of(
    agent: Agent, systems: Iterable[System], *, verbs: Mapping[int, Collection[str]], at: datetime
) -> list[ActionBounds]:
    """What the rules in force say about every action of these systems, nothing about those that are not in the agent's
    job description; `verbs` are those granted, by system."""
    rules, _ = rules_now()
    found = []
    for system in systems:
        known = _known(agent, system, verbs.get(system.pk, ()), at)
        for action in system.actions:
            about = boundaries(rules, action["name"], {**known, "action": {"name": action["name"]}})
            about = about if agent.blueprint.allows(action["name"]) else ()
            found.append(ActionBounds(system, action["name"], action.get("label") or action["name"], about))
    return found


def _known(agent: Agent, system: System, held: Collection[str], at: datetime) -> dict[str, Any]:
    return {
        "subject": {
            "type": "agent", "id": agent.code, "role": agent.role.code, "autonomy_level": agent.effective_autonomy,
            "risk_class": agent.risk_class, "status": Agent.Status.ACTIVE, "team": agent.unit.code,
        },
        "resource": {"type": system.resource},
        "context": {"time": at},
        "perm": {verb: verb in held for verb in System.Verb.values},
    }  # fmt: skip
