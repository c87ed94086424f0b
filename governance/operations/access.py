"""Access: what an agent may do, where each right comes from, and what the policies in force make of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from agents.models import Agent, Principal, System
from agents.models import Grant as Held
from governance.operations.boundaries import ActionBounds, bounds_of
from governance.operations.telling import telling_to
from governance.rules.boundaries import Boundary
from observability.models import Event

ALLOW, ASK, DENY = "allow", "escalate", "deny"
UNTOLD = "A rule of another unit says so, on its own terms."


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
    """One thing that the agent may do, must ask or never does; `bound` is the rule that says so, if one does and the
    reader may see it."""

    words: str
    conditions: tuple[str, ...] = ()
    bound: Boundary | None = None
    note: str = ""


@dataclass(frozen=True)
class Cell:
    """The answer for one verb in one system, and its origin: a right that was given, rules of policies, or nothing."""

    word: str
    effect: str
    grant: Grant | None = None
    actions: tuple[ActionBounds, ...] = ()

    @property
    def rules(self) -> list[Boundary]:
        """The rules that the answer comes from and that the reader may see, the one that leads first."""
        return [bound for bound in self._deciding if bound.is_told]

    @property
    def hides(self) -> bool:
        """Whether it comes from rules that the reader may not see."""
        return not all(bound.is_told for bound in self._deciding)

    @property
    def _deciding(self) -> list[Boundary]:
        return [bound for each in self.actions if each.effect == self.effect for bound in each.deciding]

    @property
    def origin(self) -> str:
        """policy, grant or none."""
        if self.actions:
            return "policy" if self._deciding else "none"
        return "grant" if self.grant else "none"


@dataclass(frozen=True)
class SystemRow:
    """One line of the access table: what the agent may do in a system, verb by verb."""

    system: System
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Access:
    """The agent's rights and boundaries."""

    grants: tuple[Grant, ...]
    actions: tuple[ActionBounds, ...]
    systems: tuple[System, ...]

    @cached_property
    def table(self) -> list[SystemRow]:
        """The systems that the agent has a right on, or that belong to its unit."""
        return [SystemRow(system, tuple(self._cell(system, verb) for verb in self._columns)) for system in self.systems]

    @property
    def verbs(self) -> list[str]:
        """The heads of the table."""
        return [_capital(verb) for verb in self._columns]

    @cached_property
    def _columns(self) -> list[str]:
        # Verbs that can be granted, then what else the actions of these systems are called.
        known = [str(verb) for verb in System.Verb.values]
        return known + sorted({_verb(each) for each in self.actions} - set(known))

    @property
    def others(self) -> list[Grant]:
        """Rights on workflows, spaces and units."""
        return [grant for grant in self.grants if not isinstance(grant.row, System)]

    @property
    def alone(self) -> list[Line]:
        """What it may do alone."""
        plain = [grant for grant in self.grants if not self._is_governed(grant) and grant.verb != "view"]
        return self._ruled("allowing") + [Line(_capital(grant.words)) for grant in plain]

    @property
    def asks(self) -> list[Line]:
        """What it must ask a person about."""
        return self._ruled("asking")

    @property
    def never(self) -> list[Line]:
        """What it never does."""
        denied = [each for each in self.actions if each.effect == DENY]
        unruled = [Line(each.label, note="No rule allows it to this agent.") for each in denied]
        return self._ruled("denying") + unruled + [line for row in self.table for line in _not_given(row)]

    def _ruled(self, kind: str) -> list[Line]:
        lines = [
            Line(each.label, bound.conditions, bound) if bound.is_told else Line(each.label, note=UNTOLD)
            for each in self.actions
            if each.effect != DENY
            for bound in getattr(each, kind)
        ]
        return [line for place, line in enumerate(lines) if line.bound or line not in lines[:place]]

    def _cell(self, system: System, verb: str) -> Cell:
        grant = next((each for each in self.grants if each.row == system and each.verb == verb), None)
        governed = tuple(self._governed(system, verb))
        if governed:
            effects = {each.effect for each in governed}
            return Cell(verb, next((e for e in (DENY, ASK) if e in effects), ALLOW), grant, governed)
        if verb not in System.Verb.values:
            return Cell(verb, "")
        return Cell(verb, ALLOW if grant else DENY, grant)

    def _governed(self, system: System, verb: str) -> list[ActionBounds]:
        return [each for each in self.actions if each.system == system and _verb(each) == verb]

    def _is_governed(self, grant: Grant) -> bool:
        return isinstance(grant.row, System) and bool(self._governed(grant.row, grant.verb))


def _verb(action: ActionBounds) -> str:
    return action.name.rpartition(".")[2]


def _not_given(row: SystemRow) -> list[Line]:
    words = [cell.word for cell in row.cells if cell.effect == DENY and not cell.actions]
    if not words:
        return []
    listed = " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
    return [Line(_capital(f"{listed} in {row.system}"), note="No right was given.")]


def access_of(agent: Agent, user: Principal, *, at: datetime) -> Access:
    """The rights and boundaries of an agent, as far as this person may see the objects they are about."""
    grants = _grants(agent, user, at)
    visible = list(System.objects.visible_to(user).select_related("unit"))
    verbs: dict[int, set[str]] = defaultdict(set)
    for grant in grants:
        if isinstance(grant.row, System):
            verbs[grant.row.pk].add(grant.verb)
    near = [system for system in visible if system.pk in verbs or system.unit_id == agent.unit_id]
    actions = bounds_of(agent, near, verbs=verbs, told=telling_to(user), at=at)
    return Access(tuple(grants), tuple(actions), tuple(near))


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
