"""A moment: what all questions that are asked at once have in common. A first glance tells, in one statement, where
there is anything to look up; the rest is looked up once, and only when asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import DatabaseError, connection

from agents.models import System
from governance.language import Schema
from governance.models import SafeguardRule, SystemGuard
from governance.operations.control import ControlUnreadable, hold_control, stops_for_work
from governance.operations.policies import rules_now, systems_now
from governance.operations.policies.rulebook import Edition
from governance.operations.shadows import Shadows, shadows_now
from governance.rules import RuleSet
from governance.rules.stopping import Stop

_GLANCE = """
SELECT (SELECT edition FROM governance_rulebook WHERE id = 1),
       (SELECT count(*) FROM agents_system), (SELECT max(id) FROM agents_system),
       EXISTS (SELECT 1 FROM governance_controlstate WHERE status <> 'normal' OR drill_id IS NOT NULL),
       EXISTS (SELECT 1 FROM governance_policyversion WHERE status = 'shadow'),
       EXISTS (SELECT 1 FROM governance_budget WHERE status = 'active'),
       EXISTS (SELECT 1 FROM governance_safeguardrule),
       EXISTS (SELECT 1 FROM governance_systemguard),
       EXISTS (SELECT 1 FROM governance_incident WHERE kind = 'loop')
"""


@dataclass(frozen=True)
class Glance:
    """Which edition of the rules holds, and whether there is anything at all that stops, shadows or limits."""

    edition: Edition
    stops: bool
    shadows: bool
    budgets: bool
    safeguards: bool
    guards: bool
    loops: bool


def glance_now() -> Glance:
    """What there is to look up. In a transaction no stop comes between this and its end. Raises ControlUnreadable."""
    try:
        hold_control()
        with connection.cursor() as cursor:
            cursor.execute(_GLANCE)
            number, systems, newest, *found = cursor.fetchone()
    except DatabaseError as broken:
        raise ControlUnreadable from broken
    return Glance((number, systems, newest), *map(bool, found))


class Moment:
    """What holds for everybody who asks at this time."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def begin(self) -> None:
        """Look anew, in this transaction: no stop comes between it and the end. Raises ControlUnreadable."""
        at = self.at
        vars(self).clear()
        self.at, self.glance = at, glance_now()

    @cached_property
    def glance(self) -> Glance:
        """What there is to look up."""
        return glance_now()

    @cached_property
    def book(self) -> tuple[RuleSet, Schema]:
        """The rules that decide, and the typed fields of a question."""
        return rules_now(self.glance.edition)

    @cached_property
    def stops(self) -> tuple[Stop, ...]:
        """What stops work at this moment; see `stops_for_work`."""
        return stops_for_work(self.at) if self.glance.stops else ()

    @cached_property
    def shadows(self) -> Shadows:
        """The versions that are asked beside those that decide, and never answer."""
        return shadows_now(*self.book) if self.glance.shadows else Shadows()

    @cached_property
    def systems(self) -> Mapping[str, tuple[System, Mapping[str, Any]]]:
        """The system that knows an action and what it says about it, by the name of the action."""
        found: dict[str, tuple[System, Mapping[str, Any]]] = {}
        for system in systems_now(self.glance.edition):
            for item in system.actions:
                found.setdefault(item["name"], (system, item))
        return found

    @cached_property
    def safeguards(self) -> Mapping[str, SafeguardRule]:
        """The limits of the breakers that somebody set, by the code of the role."""
        return {rule.role: rule for rule in SafeguardRule.objects.all()} if self.glance.safeguards else {}

    @cached_property
    def guards(self) -> Mapping[int, SystemGuard]:
        """The circuit breakers, by the key of their system."""
        if not self.glance.guards:
            return {}
        return {guard.system_id: guard for guard in SystemGuard.objects.select_related("system")}
