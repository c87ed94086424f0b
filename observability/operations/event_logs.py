"""Event logs of manual work: uploaded, their columns chosen, read by the worker, removed."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import IO, Any, Protocol, cast

from django.conf import settings
from django.db import IntegrityError, transaction

from observability import ledger
from observability.eventlog.columns import Columns
from observability.eventlog.discovery import discover
from observability.eventlog.figures import Figures
from observability.eventlog.log import Limits, Log
from observability.eventlog.opening import LogUnreadable
from observability.eventlog.reading import Head, head_of, read
from observability.eventlog.times import Shape, zone_of
from observability.models import EventLog, EventLogPart

PART_BYTES = 1_000_000
TELL_EVERY_SECONDS = 1.0
STANDS_STILL = timedelta(seconds=90)
TRIES_AT_MOST = 3
RIGHT = "observability.start_eventlog"
Status = EventLog.Status
Clock = Callable[[], datetime]


class LogRefused(ledger.Invalid):
    """The event log has errors."""

    code = "eventlog_refused"


class MayDo(ledger.Acts, Protocol):
    """Somebody whose rights can be asked about."""

    def may(self, permission: str, row: Any = None) -> bool: ...

    def unit_ids(self) -> list[int]: ...


@dataclass(frozen=True)
class Upload:
    """A file that somebody brings: whose it is, what it is called, and its bytes, which can be read twice."""

    unit: int
    name: str
    file_name: str
    file: IO[bytes]


def may_upload(by: ledger.Acts, unit: int) -> bool:
    """Whether this one may bring, have read and remove logs of the unit: the council, and who manages the unit."""
    return not isinstance(by, ledger.Actor) and cast(MayDo, by).may(RIGHT, EventLog(unit_id=unit))


def _require(by: ledger.Acts, unit: int) -> None:
    if isinstance(by, ledger.Actor):
        return  # the system itself
    if unit not in cast(MayDo, by).unit_ids():
        raise ledger.NotFound("There is no such unit, or you may not see it.")
    if not may_upload(by, unit):
        raise ledger.NotAllowed("Event logs of a unit are brought by whoever manages it, and by the council.")


def limits() -> Limits:
    """How much of a log is read here."""
    return Limits(events=settings.EVENT_LOG_EVENTS)


def upload(given: Upload, *, by: ledger.Acts, at: datetime) -> EventLog:
    """Keep a file as an event log of the unit, if it begins as one. Raises LogRefused, naming the field, and then keeps
    nothing."""
    _require(by, given.unit)
    size, digest = _measured(given.file)
    try:
        head = head_of(given.file, limits())
    except LogUnreadable as wrong:
        raise _refused("file", str(wrong)) from wrong
    given.file.seek(0)
    row = EventLog(
        name=given.name.strip()[:200] or given.file_name[:200], file_name=given.file_name[:200], size=size,
        sha256=digest,
        unit_id=given.unit, uploaded_by=by.as_actor().name[:200], uploaded_at=at, head=_kept(head),
        columns=asdict(head.guessed),
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save()
            for number, piece in enumerate(iter(lambda: given.file.read(PART_BYTES), b"")):
                EventLogPart.objects.create(log=row, number=number, content=piece)
            data = {"file": row.file_name, "bytes": size, "sha256": digest}
            ledger.record("eventlog.uploaded", row, by=by, at=at, after=row.status, data=data)
    except IntegrityError as taken:
        raise _refused("file", "This file is here already: open it in the list of event logs.") from taken
    return row


def _measured(file: IO[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while piece := file.read(PART_BYTES):
        size += len(piece)
        if size > settings.EVENT_LOG_BYTES:
            most = settings.EVENT_LOG_BYTES // 1_000_000
            raise _refused("file", f"The file is larger than {most:,} MB. Pack it with gzip, or send a shorter period.")
        digest.update(piece)
    file.seek(0)
    return size, digest.hexdigest()


def _refused(field: str, said: str) -> LogRefused:
    return LogRefused("Nothing was saved.", fields={field: said})


def _kept(head: Head) -> dict[str, Any]:
    # PostgreSQL keeps no NUL in JSON.
    rows = [[value.replace("\0", "") for value in row] for row in head.rows]
    names = [name.replace("\0", "") for name in head.names]
    return {"format": head.format, "names": names, "rows": rows, "notes": head.notes}


def choose_columns(row: EventLog, columns: Columns, *, by: ledger.Acts, at: datetime) -> None:
    """Say which column is what and have the log read; a result that was there goes. Raises LogRefused by field."""
    _require(by, row.unit_id)
    wrong = _wrong(row, columns)
    if wrong:
        raise LogRefused("Nothing was saved.", fields=wrong)
    ledger.move(
        row, Status.QUEUED, by=by, verb="eventlog.mapped", at=at, columns=asdict(columns), progress=0, tries=0,
        seen_at=None, failure="", problems={}, figures=None, read_at=None,
        data={"columns": columns.named(), "zone": columns.zone},
    )  # fmt: skip


def _wrong(row: EventLog, columns: Columns) -> dict[str, str]:
    wrong: dict[str, str] = {}
    taken: dict[str, str] = {}
    for role, name in columns.named().items():
        if name not in row.head["names"]:
            wrong[role] = f"The log has no column {name[:100]}."
        elif name in taken:
            wrong[role] = f"This column is the {taken[name]} already: choose another."
        taken.setdefault(name, role)
    for role in ("case", "activity", "time"):
        if not getattr(columns, role):
            wrong[role] = f"Say which column is the {role}."
    try:
        zone_of(columns.zone)
    except ValueError as unknown:
        wrong["zone"] = str(unknown)
    return wrong


@transaction.atomic
def remove_log(row: EventLog, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Remove the file and all that was found in it; baselines made of it stay. Raises LogRefused without a reason."""
    _require(by, row.unit_id)
    if not why.strip():
        raise _refused("why", "A reason is needed.")
    subject = row.as_subject()
    data = {"file": row.file_name, "sha256": row.sha256}
    EventLog.objects.filter(pk=row.pk).delete()
    ledger.record("eventlog.removed", _Gone(subject), by=by, at=at, why=why.strip()[:2000], data=data)


@dataclass(frozen=True)
class _Gone:
    subject: Any

    def as_subject(self) -> Any:
        return self.subject


# --- reading, by the worker -------------------------------------------------------------------------------------
class _Stopped(Exception):
    """The log was removed meanwhile, or somebody else reads it."""


class Parts:
    """The file of a log as it is kept, read from its beginning."""

    def __init__(self, row: EventLog) -> None:
        self._row, self._number, self._rest, self.taken = row, 0, b"", 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        if not self._rest:
            part = EventLogPart.objects.filter(log=self._row, number=self._number).values_list("content", flat=True)
            self._rest = bytes(part.first() or b"")
            self._number += 1
        piece, self._rest = (self._rest, b"") if size < 0 else (self._rest[:size], self._rest[size:])
        self.taken += len(piece)
        return piece

    def seek(self, place: int) -> None:
        """Begin again; `place` is 0."""
        self._number, self._rest, self.taken = 0, b"", 0


def begin_reading(row: EventLog, *, at: datetime) -> bool:
    """Take the log as the one that is read now; false when another one is, or somebody else was faster."""
    try:
        with transaction.atomic():
            ledger.move(
                row, Status.READING, by=ledger.SYSTEM, verb="eventlog.begun", at=at, seen_at=at, tries=row.tries + 1
            )
    except (IntegrityError, ledger.WrongStatus, ledger.TooLate):
        return False
    return True


def release_log(row: EventLog, *, at: datetime) -> None:
    """Nobody reads it any more: let it be read again, or give it up after some tries."""
    if row.tries >= TRIES_AT_MOST:
        _fail(
            row,
            "It was begun three times and never ended: the server may lack memory for it. Send a shorter period.",
            at,
        )
    else:
        why = "The worker that read it is gone."
        ledger.move(row, Status.QUEUED, by=ledger.SYSTEM, verb="eventlog.requeued", at=at, why=why, progress=0)


def read_log(row: EventLog, *, clock: Clock) -> bool:
    """Read a begun log and keep its figures; true when it ended, well or with an error that is kept. It stops, with
    nothing kept, when the log was removed; when this process ends, somebody else begins anew."""
    try:
        log, figures = _worked_out(row, clock)
    except LogUnreadable as wrong:
        return _fail(row, str(wrong), clock())
    except _Stopped:
        return False
    problems = {"count": log.error_count, "notes": log.notes, "rows": [asdict(each) for each in log.errors]}
    at = clock()
    data = {"cases": figures.cases, "events": figures.events, "errors": log.error_count}
    try:
        ledger.move(
            row, Status.READY, by=ledger.SYSTEM, verb="eventlog.read", at=at, progress=100, read_at=at,
            problems=problems, figures=figures.as_json(), data=data,
        )  # fmt: skip
    except (ledger.TooLate, ledger.WrongStatus):
        return False
    return True


def _fail(row: EventLog, why: str, at: datetime) -> bool:
    why = why.replace("\0", "")
    try:
        ledger.move(row, Status.FAILED, by=ledger.SYSTEM, verb="eventlog.failed", at=at, why=why, failure=why)
    except (ledger.TooLate, ledger.WrongStatus):  # it was removed meanwhile
        return False
    return True


def _worked_out(row: EventLog, clock: Clock) -> tuple[Log, Figures]:
    columns = Columns(**{**row.columns, "shape": Shape(row.columns["shape"])})
    parts, told = Parts(row), _Telling(row, clock)
    log = read(cast(IO[bytes], parts), columns, limits(), lambda _: told.at(80 * parts.taken // max(row.size, 1)))
    figures = discover(log, zone=zone_of(columns.zone), tell=lambda seen: told.at(80 + 20 * seen // len(log)))
    return log, figures


class _Telling:
    """Says now and then how far the reading is, and looks whether it shall go on."""

    def __init__(self, row: EventLog, clock: Clock) -> None:
        self._row, self._clock, self._told = row, clock, monotonic()

    def at(self, percent: int) -> None:
        """So much is done. Raises _Stopped when it shall not go on."""
        if monotonic() - self._told < TELL_EVERY_SECONDS:
            return
        self._told = monotonic()
        here = EventLog.objects.filter(pk=self._row.pk, status=Status.READING, tries=self._row.tries)
        if not here.update(progress=min(percent, 99), seen_at=self._clock()):
            raise _Stopped
        if ledger.bell.is_closed:
            release_log(self._row, at=self._clock())
            raise _Stopped


def bytes_of(row: EventLog) -> Iterable[bytes]:
    """The file of a log as it came, part by part."""
    parts = Parts(row)
    return iter(lambda: parts.read(), b"")
