"""What an agent may do, as its profile shows it: its rights, and what the policies in force make of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from agents.models import Agent, Principal, System
from agents.models import Grant as Held
from governance.operations import ActionBounds, bounds_of
from governance.rules.boundaries import Boundary
from observability.models import Event

ALLOW, ASK, DENY = "allow", "escalate", "deny"


@dataclass(frozen=True)
class Grant:
    """One right of the agent on one row, and the event that tells who gave it (None: it came with hiring)."""

    codename: str
    title: str
    row: Any
    event: Event | None

    @property
    def verb(self) -> str:
        """For a right on a system, its verb: read, create, change, pay, send."""
        return self.codename.partition("_")[0]

    @property
    def words(self) -> str:
        """The right as people say it: take steps of Invoice to payment."""
        said, noun = self.title.removeprefix("Can "), f"the {self.row._meta.verbose_name}"
        return said.replace(noun, str(self.row)) if noun in said else f"{said} {self.row}"


@dataclass(frozen=True)
class Line:
    """One thing that the agent may do, must ask or never does; `bound` is the rule that says so, if one does."""

    words: str
    conditions: tuple[str, ...] = ()
    bound: Boundary | None = None
    note: str = ""


@dataclass(frozen=True)
class SystemRow:
    """One line of the access table: what the agent may do in a system, verb by verb, and who gave it that."""

    system: System
    cells: tuple[tuple[str, str], ...]
    grants: tuple[Grant, ...]


@dataclass(frozen=True)
class Access:
    """The agent's rights and boundaries."""

    grants: tuple[Grant, ...]
    actions: tuple[ActionBounds, ...]
    systems: tuple[System, ...]

    @cached_property
    def table(self) -> list[SystemRow]:
        """The systems that the agent has a right on, or that belong to its unit."""
        return [self._row(system) for system in self.systems]

    @property
    def verbs(self) -> list[str]:
        """The heads of the table."""
        return [verb.label.capitalize() for verb in System.Verb]

    @property
    def others(self) -> list[Grant]:
        """Rights on workflows, spaces and units."""
        return [grant for grant in self.grants if not isinstance(grant.row, System)]

    @property
    def alone(self) -> list[Line]:
        """What it may do alone."""
        ruled = [
            Line(each.label, bound.conditions, bound)
            for each in self.actions
            if each.effect != DENY
            for bound in each.allowing
        ]
        plain = [grant for grant in self.grants if not self._is_governed(grant) and grant.verb != "view"]
        return ruled + [Line(_capital(grant.words)) for grant in plain]

    @property
    def asks(self) -> list[Line]:
        """What it must ask a person about."""
        return [
            Line(each.label, bound.conditions, bound)
            for each in self.actions
            if each.effect != DENY
            for bound in each.asking
        ]

    @property
    def never(self) -> list[Line]:
        """What it never does."""
        ruled = [
            Line(each.label, bound.conditions, bound)
            for each in self.actions
            if each.effect != DENY
            for bound in each.denying
        ]
        return ruled + [
            Line(each.label, note="No rule allows it to this agent.") for each in self.actions if each.effect == DENY
        ]

    def _row(self, system: System) -> SystemRow:
        given = tuple(grant for grant in self.grants if grant.row == system)
        held = {grant.verb for grant in given}
        cells = tuple(
            (verb.label, self._cell(system, verb.value) if verb.value in held else DENY) for verb in System.Verb
        )
        return SystemRow(system, cells, given)

    def _cell(self, system: System, verb: str) -> str:
        effects = {each.effect for each in self._governed(system, verb)}
        return next((effect for effect in (DENY, ASK) if effect in effects), ALLOW)

    def _governed(self, system: System, verb: str) -> list[ActionBounds]:
        return [each for each in self.actions if each.system == system and each.name.rpartition(".")[2] == verb]

    def _is_governed(self, grant: Grant) -> bool:
        return isinstance(grant.row, System) and bool(self._governed(grant.row, grant.verb))


def access_of(agent: Agent, user: Principal, *, at: datetime) -> Access:
    """The rights and boundaries of an agent, as far as this person may see the objects they are about."""
    grants = _grants(agent, user, at)
    visible = list(System.objects.visible_to(user).select_related("unit"))
    verbs: dict[int, set[str]] = defaultdict(set)
    for grant in grants:
        if isinstance(grant.row, System):
            verbs[grant.row.pk].add(grant.verb)
    near = [system for system in visible if system.pk in verbs or system.unit_id == agent.unit_id]
    return Access(tuple(grants), tuple(bounds_of(agent, near, verbs=verbs, at=at)), tuple(near))


def _grants(agent: Agent, user: Principal, at: datetime) -> list[Grant]:
    held = (
        Held.objects.filter(user=agent.principal)
        .in_force(at)
        .visible_to(user)
        .with_names()
        .order_by("permission_id", "pk")
    )
    origins = _origins(agent)
    return [_grant(each, origins) for each in _with_rows(held)]


def _with_rows(held: Iterable[Held]) -> list[Held]:
    # One query for each kind of row; a right on a row that is gone says nothing.
    by_kind = defaultdict(list)
    for each in held:
        by_kind[each.content_type].append(each)
    found = []
    for kind, rights in by_kind.items():
        rows = kind.model_class()._default_manager.in_bulk([int(each.object_pk) for each in rights])  # type: ignore[union-attr]
        for each in rights:
            if int(each.object_pk) in rows:
                each.content_object = rows[int(each.object_pk)]
                found.append(each)
    return found


def _origins(agent: Agent) -> dict[tuple[str, str], Event]:
    given = Event.objects.filter(verb="grant.given", subject_kind="agent", subject_id=agent.principal.username)
    return {(event.data.get("permission", ""), event.data.get("on", "")): event for event in given.order_by("id")}


def _grant(held: Held, origins: Mapping[tuple[str, str], Event]) -> Grant:
    name = f"{held.content_type.app_label}.{held.permission.codename}"
    row: Any = held.content_object
    origin = origins.get((name, row.as_subject().name))
    return Grant(held.permission.codename, held.permission.name, row, origin)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
