"""Writing: the only way to record what happened and the only way to change a status."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, Protocol

from django.db import connection, models, transaction
from django.db.models import Max

from observability.models import Event, Subject
from observability.prepared import Insertion, Swap

_NEW_EVENT = Insertion(Event)


class Bell:
    """Rings in this process after each commit that wrote an event; a help for speed, never needed for the truth."""

    def __init__(self) -> None:
        self._heard = threading.Condition()
        self.rings = 0
        self.is_closed = False

    def ring(self) -> None:
        """Wake everybody who waits."""
        with self._heard:
            self.rings += 1
            self._heard.notify_all()

    def close(self) -> None:
        """Wake everybody for the last time: this process ends, and nobody should wait any more."""
        self.is_closed = True
        self.ring()

    def wait(self, rings: int, timeout: float) -> int:
        """Wait until it has rung more often than `rings`, at most `timeout` seconds; how often it has rung now."""
        with self._heard:
            self._heard.wait_for(lambda: self.rings != rings, timeout)
            return self.rings


bell = Bell()


class Refused(Exception):
    """This cannot be done now."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "refused"
    family: ClassVar[str] = "urn:autonomy-os:problem:"  # in front of the code where the error is told as a problem

    def __init__(
        self, detail: str = "", *, fields: Mapping[str, str] | None = None, about: "Recorded | None" = None
    ) -> None:
        self.detail = detail or (self.__doc__ or "").strip()
        self.fields = dict(fields or {})
        self.about = about  # the row, when the attempt itself is worth a line in the ledger: see `record_refusal`
        super().__init__(self.detail)


class WrongStatus(Refused):
    """The status does not allow this step."""

    code = "wrong_status"


class TooLate(Refused):
    """Somebody else was faster."""

    code = "too_late"


class Invalid(Refused):
    """The request has errors."""

    status = 400
    code = "invalid"


class NotAllowed(Refused):
    """You do not have the right to do this."""

    status = 403
    code = "not_allowed"


class NotFound(Refused):
    """There is no such thing, or you may not see it."""

    status = 404
    code = "not_found"


@dataclass(frozen=True)
class Caller:
    """How an actor came in: with which credential and from which address, for whom (nearest first, each with kind, id
    and name), in which version, within which trace. A door sets it on whoever acts."""

    credential: str = ""
    address: str = ""
    on_behalf_of: tuple[Mapping[str, str], ...] = ()
    version: str = ""
    trace: str = ""


NO_DOOR = Caller()


@dataclass(frozen=True)
class Actor:
    """Who acted: kind is person, agent or system; `caller` is None for what came in by no door."""

    kind: str
    id: str
    name: str
    caller: Caller | None = None

    def as_actor(self) -> "Actor":
        return self


class Acts(Protocol):
    """Anybody who can act."""

    def as_actor(self) -> Actor: ...


class Recorded(Protocol):
    """Any row that the ledger can name."""

    def as_subject(self) -> Subject: ...


class Moving(Protocol):
    """A row whose status moves along its MOVES."""

    pk: Any
    status: str
    MOVES: ClassVar[Mapping[str, tuple[str, ...]]]

    def as_subject(self) -> Subject: ...


SYSTEM = Actor(kind="system", id="autonomy-os", name="Autonomy OS")


def record(
    verb: str,
    subject: Recorded,
    *,
    by: Acts,
    at: datetime,
    why: str = "",
    before: str = "",
    after: str = "",
    cost: Decimal | None = None,
    seconds: Decimal | None = None,
    data: Mapping[str, Any] | None = None,
) -> Event:
    """Write one event in the caller's transaction; the world hears of it after the commit. Cost in the company's
    currency, seconds of wall time; `data` is JSON with exact numbers as text."""
    event = event_of(
        verb, subject, by=by, at=at, why=why, before=before, after=after, cost=cost, seconds=seconds, data=data
    )
    record_all([event])
    return event


def record_all(events: Sequence[Event]) -> None:
    """Write events that `event_of` made, in their order, as `record` writes one."""
    gathering = _gathering.get()
    if gathering is not None and gathering.level == len(connection.savepoint_ids):
        gathering.events += events
    else:
        _write(events)


def _write(events: Sequence[Event]) -> None:
    if events:
        _NEW_EVENT.insert_all(events)
        transaction.on_commit(bell.ring, robust=True)


@dataclass
class _Gathering:
    """Events that wait to be written together; `level` is how many savepoints deep they belong."""

    level: int
    events: list[Event] = field(default_factory=list)


_gathering: ContextVar[_Gathering | None] = ContextVar("gathering", default=None)


@contextmanager
def gathered() -> Iterator[None]:
    """Write what is recorded in this block by one statement at its end; nothing of it when the block fails. What is
    recorded within a savepoint of its own is written there. Nothing in the block reads the ledger for what it wrote.
    Call it inside a transaction."""
    gathering = _Gathering(len(connection.savepoint_ids))
    before = _gathering.set(gathering)
    try:
        yield
    finally:
        _gathering.reset(before)
    record_all(gathering.events)


def event_of(
    verb: str,
    subject: Recorded,
    *,
    by: Acts,
    at: datetime,
    why: str = "",
    before: str = "",
    after: str = "",
    cost: Decimal | None = None,
    seconds: Decimal | None = None,
    data: Mapping[str, Any] | None = None,
) -> Event:
    """One event that nobody has written yet: for `record_all`."""
    actor, what = by.as_actor(), subject.as_subject()
    caller = actor.caller or NO_DOOR
    return Event(
        verb=verb, at=at, why=why, before=before, after=after, cost=cost, seconds=seconds, data=dict(data or {}),
        actor_kind=actor.kind, actor_id=actor.id, actor_name=actor.name,
        subject_kind=what.kind, subject_id=what.id, subject_name=what.name[:300],
        unit=what.unit, run=what.run, workflow=what.workflow,
        credential=caller.credential, address=caller.address, on_behalf_of=list(caller.on_behalf_of),
        actor_version=caller.version, trace=caller.trace,
    )  # fmt: skip


def record_refusal(refused: Refused, *, by: Acts) -> None:
    """Write down that somebody tried what was refused, once the refused transaction is over; only if it is `about`
    something."""
    if refused.about is not None:
        verb = f"{refused.about.as_subject().kind}.refused"
        record(verb, refused.about, by=by, at=database_now(), why=refused.detail)


def move(
    row: Moving,
    to: str,
    *,
    by: Acts,
    verb: str,
    at: datetime,
    why: str = "",
    cost: Decimal | None = None,
    seconds: Decimal | None = None,
    data: Mapping[str, Any] | None = None,
    expect: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Event:
    """Change the row's status to `to` together with the columns in `changes`, if nobody else moved it since and the
    columns in `expect` still hold; record it. Raises WrongStatus or TooLate and then changes nothing."""
    before = row.status
    if to not in row.MOVES.get(before, ()):
        raise WrongStatus(f"{row.as_subject().name} is {before} and cannot become {to}.")
    with _one_transaction():
        _swap(row, before, to, expect or {}, changes)
        return record(
            verb, row, by=by, at=at, why=why, before=before, after=to, cost=cost, seconds=seconds, data=data
        )  # fmt: skip


@dataclass(frozen=True)
class Move:
    """One row of many that are moved together, as `move` takes it."""

    row: Moving
    changes: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    cost: Decimal | None = None
    seconds: Decimal | None = None
    data: Mapping[str, Any] | None = None


def move_all(moves: Sequence[Move], to: str, *, by: Acts, verb: str, at: datetime) -> None:
    """Move rows of one model, which all name the same columns, as `move` does with one, by two statements for all of
    them. Call it inside a transaction, with the rows locked: TooLate leaves some of them changed, so it has to end."""
    if not moves:
        return
    befores = [each.row.status for each in moves]
    for each, before in zip(moves, befores, strict=True):
        if to not in each.row.MOVES.get(before, ()):
            raise WrongStatus(f"{each.row.as_subject().name} is {before} and cannot become {to}.")
    swaps = [
        (each.row.pk, {"status": before, **each.expect}, {"status": to, **each.changes})
        for each, before in zip(moves, befores, strict=True)
    ]
    if not _swap_of(type(moves[0].row)).swap_all(swaps):
        raise TooLate
    for each in moves:
        for name, value in (("status", to), *each.changes.items()):
            setattr(each.row, name, value)
    record_all([
        event_of(
            verb, each.row, by=by, at=at, why=each.why, before=before, after=to, cost=each.cost, seconds=each.seconds,
            data=each.data,
        )
        for each, before in zip(moves, befores, strict=True)
    ])  # fmt: skip


def _one_transaction() -> AbstractContextManager[Any]:
    # A lost swap has written nothing, so inside a caller's transaction no savepoint (two round trips) is needed.
    return nullcontext() if connection.in_atomic_block else transaction.atomic()


def _swap(row: Moving, before: str, to: str, expect: Mapping[str, Any], changes: dict[str, Any]) -> None:
    changes = {"status": to, **changes}
    if not _swap_of(type(row)).swap(row.pk, {"status": before, **expect}, changes):
        table: models.Manager[Any] = type(row)._base_manager  # type: ignore[attr-defined]
        now = table.filter(pk=row.pk).values_list("status", flat=True).first()
        raise TooLate(f"{row.as_subject().name} was changed by somebody else meanwhile: it is {now or 'gone'} now.")
    for name, value in changes.items():
        setattr(row, name, value)


@cache
def _swap_of(model: Any) -> Swap:
    return Swap(model)


def last_position() -> int:
    """The position of the newest sealed event, 0 in an empty ledger."""
    return Event.objects.aggregate(last=Max("position"))["last"] or 0


def database_now() -> datetime:
    """The database's clock, in UTC: leases and deadlines of all processes are measured with this one."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT clock_timestamp()")
            now: datetime = cursor.fetchone()[0]
            return now
        cursor.execute("SELECT strftime('%%Y-%%m-%%dT%%H:%%M:%%f+00:00', 'now')", [])
        return datetime.fromisoformat(cursor.fetchone()[0])
