"""Boundaries: what the policies in force let one agent do alone, with a question, or never."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone

from agents.models import Agent, Principal, System
from governance.language import find
from governance.models import Decision, Policy
from governance.operations.policies import rules_now
from governance.operations.telling import Telling
from governance.rules import Effect
from governance.rules.boundaries import Boundary, Limit, boundaries
from governance.rules.documents import covers
from observability.kpis import midnight

NEAR_PERCENT = 80


@dataclass(frozen=True)
class ActionBounds:
    """The rules about one action of a system that can concern an agent, those that the reader may not see among them:
    the answer is the same for everybody."""

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

    @property
    def deciding(self) -> list[Boundary]:
        """The rules that this answer comes from, the one that leads first; none where no rule allows it."""
        if self.effect == Effect.DENY:
            return [bound for bound in self.denying if not bound.conditions]
        return self.asking if self.effect == Effect.ESCALATE else self.allowing

    @property
    def limits(self) -> list[tuple[Limit, Boundary]]:
        """The lowest number of each field above which a person is asked or the answer is no, with its rule, as far as
        that is told."""
        found: dict[str, tuple[Limit, Boundary]] = {}
        for bound in (each for each in (*self.asking, *self.denying) if each.is_told):
            for limit in bound.limits:
                if limit.most > 0 and (limit.path not in found or limit.most < found[limit.path][0].most):
                    found[limit.path] = (limit, bound)
        return list(found.values())


def bounds_of(
    agent: Agent, systems: Iterable[System], *, verbs: Mapping[int, Collection[str]], told: Telling, at: datetime
) -> list[ActionBounds]:
    """What the rules in force say about every action of these systems, nothing about those that are not in the agent's
    job description; `verbs` are those granted, by system, and `told` says which rules the reader may know."""
    rules, _ = rules_now()
    found = []
    for system in systems:
        known = _known(agent, system, verbs.get(system.pk, ()), at)
        for action in system.actions:
            about = boundaries(rules, action["name"], {**known, "action": {"name": action["name"]}})
            about = about if agent.blueprint.allows(action["name"]) else ()
            about = tuple(replace(each, is_told=told.tells(each.rule.ref)) for each in about)
            found.append(ActionBounds(system, action["name"], action.get("label") or action["name"], about))
    return found


def policies_about(action: str, *, viewer: Principal) -> list[Policy]:
    """The policies in force with a rule about this action, those of them that the viewer may see."""
    rules, _ = rules_now()
    keys = {
        policy.key
        for policy in rules.policies
        for rule in policy.rules
        if any(covers(pattern, action) for pattern in rule.actions)
    }
    return list(Policy.objects.visible_to(viewer).filter(key__in=keys))


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


# --- limits today ---------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Today:
    """A limit of one action and how near the agent came to it today: how often it was allowed without a person, the
    largest value, and their sum by currency (empty where there is none)."""

    action: ActionBounds
    limit: Limit
    bound: Boundary
    count: int
    largest: Decimal | None
    sums: tuple[tuple[str, Decimal], ...]

    @property
    def percent(self) -> int:
        """The largest value in percent of the limit."""
        return 0 if self.largest is None else min(int(100 * self.largest / self.limit.most), 100)

    @property
    def is_near(self) -> bool:
        """Whether that is so much that people should look."""
        return self.percent >= NEAR_PERCENT


def limits_today(agent: Agent, actions: Iterable[ActionBounds], *, at: datetime) -> list[Today]:
    """The policies' numeric limits for the agent's actions, and what it did alone today; one query."""
    wanted = [(action, *limit) for action in actions if action.effect != Effect.DENY for limit in action.limits]
    if not wanted:
        return []
    done: defaultdict[str, list[Any]] = defaultdict(list)
    alone = Decision.objects.alone().filter(agent=agent, at__gte=midnight(timezone.localtime(at).date())).order_by()
    for name, facts in alone.values_list("action", "facts"):
        done[name].append(facts)
    return [_today(action, limit, bound, done[action.name]) for action, limit, bound in wanted]


def _today(action: ActionBounds, limit: Limit, bound: Boundary, done: list[Any]) -> Today:
    values = [(value, str(find(facts, "context.currency") or "")) for facts in done if (value := _number(facts, limit))]
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for value, currency in values:
        sums[currency] += value
    return Today(
        action, limit, bound, len(done), max((value for value, _ in values), default=None), tuple(sorted(sums.items()))
    )


def _number(facts: Any, limit: Limit) -> Decimal | None:
    try:
        return Decimal(str(find(facts, limit.path)))
    except InvalidOperation:
        return None
