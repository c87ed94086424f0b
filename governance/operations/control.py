"""The control state: which scopes are stopped, read from the database at every decision and every claim.

A change waits until the decisions and claims under way have ended, and those after it see it: on PostgreSQL they hold
one advisory lock together, which the change holds alone; SQLite has one writer at a time anyway."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import Q

from agents.models import Agent, Principal, System, Unit
from agents.operations import require
from agents.rights import units_below
from governance.models import ControlDrill, ControlState
from governance.operations.drills import new_drill, note_sightings
from governance.rules.stopping import Reach, Stop, applies, strictest, strictness
from observability import ledger
from observability.models import CONTROL_CHANGED

RIGHT = "governance.set_control"
CONTROL_LOCK = 7_203_114_019  # shared by decisions and claims, held alone by a change
Kind = ControlState.Kind
Status = ControlState.Status


class Paused(ledger.Refused):
    """Work is paused here. Nothing is handed out until it is resumed."""

    status = 409
    code = "paused"


class ControlUnreadable(ledger.Refused):
    """The control state cannot be read. Nothing is allowed and nothing is handed out until it can."""

    status = 503
    code = "control_unreadable"


@dataclass(frozen=True)
class Scope:
    """What is stopped together: everything, or one thing; `row` is the thing itself."""

    kind: str
    code: str
    name: str
    unit: Unit | None = None
    row: Any = None

    @property
    def key(self) -> str:
        """How addresses and the ledger name it: everything, agent:AP-04."""
        return f"{self.kind}:{self.code}" if self.code else self.kind


EVERYTHING = Scope(Kind.EVERYTHING, "", "all work")


# --- read -----------------------------------------------------------------------------------------------------
def control_now(scope: Scope = EVERYTHING, *, at: datetime | None = None) -> ControlState:
    """The state of one scope at this moment, as it was set; what is stopped around it is another matter."""
    row = ControlState.objects.select_related("unit", "changed_by").filter(scope=scope.key).first()
    if row is None or row.state_at(at or ledger.database_now()) != row.status:
        return ControlState(scope=scope.key, kind=scope.kind, code=scope.code, name=scope.name, unit=scope.unit)
    return row


def stops_for_work(at: datetime) -> tuple[Stop, ...]:
    """Every stop that holds, for an act that gives something: until its transaction ends no change can come between.
    Call it after the run is locked. Raises ControlUnreadable."""
    try:
        hold_control()
        noted = ~Q(status=Status.NORMAL) | Q(drill__isnull=False)
        rows = list(ControlState.objects.filter(noted).select_related("unit", "changed_by"))
    except DatabaseError as broken:
        raise ControlUnreadable from broken
    note_sightings([row.drill_id for row in rows if row.drill_id is not None])
    return tuple(stop for stop in (row.as_stop() for row in rows) if stop.holds(at))


def hold_control() -> None:
    """Until this transaction ends no change of the control state can come between; outside of one nothing is held."""
    if connection.vendor == "postgresql" and connection.in_atomic_block:
        _lock("pg_advisory_xact_lock_shared")


def _lock(function: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [CONTROL_LOCK])


def reach_of(agent: Agent | None, *, workflow: str = "", path: str = "", system: str = "") -> Reach:
    """What an agent's act touches; `path` is that of the unit whose workflow it is."""
    if agent is None:
        return Reach(workflow=workflow, paths=(path,))
    return Reach(
        agent=agent.code, blueprint=agent.blueprint.code, workflow=workflow, system=system,
        paths=(agent.unit.path, path),
    )  # fmt: skip


def stopped_system(action: str, stops: Sequence[Stop]) -> str:
    """The code of the system that offers this action, if one that is stopped does; of several the strictest."""
    found = sorted((stop for stop in stops if stop.kind == Kind.SYSTEM), key=lambda stop: -strictness(stop.status))
    systems = {row.code: row for row in System.objects.filter(code__in=[stop.code for stop in found])} if found else {}
    offers = {code for code, row in systems.items() if action in {each["name"] for each in row.actions}}
    return next((stop.code for stop in found if stop.code in offers), "")


def require_running(reach: Reach, stops: Sequence[Stop], *, at: datetime) -> None:
    """Raise Paused while something that this touches is paused."""
    stop = strictest(stops, reach, at)
    if stop is not None and stop.is_paused:
        raise Paused(stop.words)


def stops_on(scope: Scope, *, at: datetime, blueprint: str = "", path: str = "") -> list[ControlState]:
    """Every stop that holds for this thing, its own and those around it, the strictest first: for its own page."""
    named = {kind: scope.code for kind in ("agent", "workflow", "system", "blueprint") if kind == scope.kind}
    if scope.kind == Kind.AGENT:
        named["blueprint"] = blueprint
    # A system is used by all units: a stop of the unit that keeps it does not stop it.
    reach = Reach(**named, paths=() if scope.kind == Kind.SYSTEM else (path,))
    found = [row for row in ControlState.objects.on(at) if applies(row.as_stop(), reach)]
    return sorted(found, key=lambda row: -strictness(row.status))


# --- who may --------------------------------------------------------------------------------------------------
def loosens(to: str, scope: Scope = EVERYTHING, *, until: datetime | None = None) -> bool:
    """Whether this would allow more than what holds now: a milder state, or an earlier end."""
    return _eases(control_now(scope), to, until)


def may_stop(by: ledger.Acts, scope: Scope) -> bool:
    """Whether this person may stop it: the council, IT and risk anything; who manages a unit what belongs to it and to
    the units below; who answers for an agent that agent."""
    if _is_machine(by):
        return True
    if not isinstance(by, Principal) or not by.is_active or not by.is_person:
        return False
    return by.may(RIGHT) or _manages(by, scope) or _answers_for(by, scope)


def may_let_go(by: ledger.Acts, scope: Scope, row: ControlState) -> bool:
    """Whether this person may ease the stop: what the council, IT or risk set, only they do; who only answers for an
    agent eases what they set themselves."""
    if _is_machine(by):
        return True
    if not may_stop(by, scope) or not isinstance(by, Principal):
        return False
    return by.may(RIGHT) or (not row.is_central and (_manages(by, scope) or row.changed_by_id == by.pk))


def may_set(by: ledger.Acts, scope: Scope, row: ControlState) -> bool:
    """Whether this person may change the state of the scope at all: while something holds that the council, IT or risk
    set, they alone do, for whoever makes it stricter may end it too."""
    held = row.is_central and row.status != Status.NORMAL
    return may_stop(by, scope) and (not held or _is_central(by))


def _is_central(by: ledger.Acts) -> bool:
    return _is_machine(by) or (isinstance(by, Principal) and by.may(RIGHT))


def _is_machine(by: ledger.Acts) -> bool:
    return isinstance(by, ledger.Actor) and by.kind == ledger.SYSTEM.kind


def _manages(by: Principal, scope: Scope) -> bool:
    if scope.unit is None:
        return False
    if isinstance(scope.row, Agent) and by.may("agents.pause_agent", scope.row):
        return True
    return scope.unit.pk in units_below(by.granted("agents.manage_unit", Unit))


def _answers_for(by: Principal, scope: Scope) -> bool:
    return isinstance(scope.row, Agent) and scope.row.acting_sponsor == by


def _require(by: ledger.Acts, scope: Scope, row: ControlState, *, eases: bool) -> None:
    if not may_stop(by, scope):
        require(by, RIGHT)
        raise ledger.NotAllowed(f"{by.as_actor().name} may not stop {scope.name}.")
    if not may_set(by, scope, row) or (eases and not may_let_go(by, scope, row)):
        raise ledger.NotAllowed(f"{row.set_by or 'The council'} stopped this. Who may stop everything changes it.")


# --- change ---------------------------------------------------------------------------------------------------
@transaction.atomic
def change_control(
    to: str, *, by: ledger.Acts, at: datetime, why: str, scope: Scope = EVERYTHING, until: datetime | None = None
) -> ControlState:
    """Set the state of a scope, until a moment if one is given; effective at the next decision and claim in every
    process. The same state with another end changes the end. Scopes stand beside each other: this changes no other."""
    _check(to, why, until, at)
    if connection.vendor == "postgresql":
        _lock("pg_advisory_xact_lock")
    row = _row_of(scope)
    if row.state_at(at) != row.status:
        lapse(row, at=at)
    _require(by, scope, row, eases=_eases(row, to, until))
    who = by if isinstance(by, Principal) else None
    name = by.as_actor().name[:200]
    told = {"until": until.isoformat() if until else None}
    end = until if to != Status.NORMAL else None
    changes: dict[str, Any] = {
        "until": end, "changed_by": who, "changed_by_name": name, "changed_at": at,
        "is_central": _is_central(by),
    }  # fmt: skip
    if to == row.status and to != Status.NORMAL and end != row.until:
        ledger.record("control.extended", row, by=by, at=at, why=why, after=to, data=told)
        ControlState.objects.filter(pk=row.pk).update(why=why, **changes)
        row.refresh_from_db()
        return row
    ledger.move(row, to, by=by, verb=_verb(row), at=at, why=why, data=told, **changes)
    ControlState.objects.filter(pk=row.pk).update(why=why)
    row.why = why
    return row


def _check(to: str, why: str, until: datetime | None, at: datetime) -> None:
    if to not in Status.values:
        raise ledger.Invalid(fields={"state": f"Choose one of {', '.join(Status.values)}."})
    if not why.strip():
        raise ledger.Invalid("Say why the control state changes.", fields={"why": "A reason is needed."})
    if until is not None and (to == Status.NORMAL or until <= at):
        said = "Normal operation has no end." if to == Status.NORMAL else "Name a moment that is still to come."
        raise ledger.Invalid(said, fields={"until": said})


def _row_of(scope: Scope) -> ControlState:
    known = {"kind": scope.kind, "code": scope.code, "name": scope.name[:240], "unit": scope.unit}
    row, is_new = ControlState.objects.select_for_update(of=("self",)).get_or_create(scope=scope.key, defaults=known)
    if not is_new and (row.name, row.unit_id) != (scope.name[:240], scope.unit.pk if scope.unit else None):
        row.name, row.unit = scope.name[:240], scope.unit  # it may have been renamed or moved since
        row.save(update_fields=["name", "unit"])
    return row


def _eases(row: ControlState, to: str, until: datetime | None) -> bool:
    # A stricter stop that ends sooner eases too: what held before does not come back at its end.
    if row.status == Status.NORMAL or strictness(to) < strictness(row.status):
        return row.status != Status.NORMAL
    return until is not None and (row.until is None or until < row.until)


def _verb(row: ControlState) -> str:
    # Of a stop of everything everybody hears; of one scope who may see its unit.
    return CONTROL_CHANGED if row.kind == Kind.EVERYTHING else "control.set"


def lapse(row: ControlState, *, at: datetime) -> None:
    """Record that a stop has ended by the clock; it has held nothing up since then."""
    verb = CONTROL_CHANGED if row.kind == Kind.EVERYTHING else "control.lapsed"
    why = "Its time ran out."
    ledger.move(row, Status.NORMAL, by=ledger.SYSTEM, verb=verb, at=at, why=why, until=None, changed_at=at)


def ruling_stop(reach: Reach, *, at: datetime) -> Stop | None:
    """The stop that counts for a question or an act now; None when nothing is stopped there. See `stops_for_work`."""
    return strictest(stops_for_work(at), reach, at)


@transaction.atomic
def start_drill(
    scope: Scope, *, by: ledger.Acts, at: datetime, why: str, would_stop: Mapping[str, Any] | None = None
) -> ControlDrill:
    """Practise stopping this: nothing stops, and each process that decides or hands out work writes down when it saw
    it. One drill of a scope at a time; it ends by itself."""
    if not why.strip():
        raise ledger.Invalid("Say why you practise.", fields={"why": "A reason is needed."})
    if not may_stop(by, scope):
        raise ledger.NotAllowed(f"{by.as_actor().name} may not stop {scope.name}.")
    row = _row_of(scope)
    if row.drill_id is not None:
        raise ledger.WrongStatus(f"A drill of stopping {scope.name} is under way already.")
    known: dict[str, Any] = {
        "kind": scope.kind, "code": scope.code, "name": row.name, "unit": scope.unit, "why": why,
        "by_name": by.as_actor().name[:200], "would_stop": dict(would_stop or {}),
    }  # fmt: skip
    drill = new_drill(known, at=at)
    row.drill = drill
    row.save(update_fields=["drill"])
    ledger.record("control.drill_started", drill, by=by, at=at, why=why, data=known["would_stop"])
    return drill
