"""What is on its way to a run reaches it: a message the one run that waits for it, or it begins one; a signal all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from agents.models import Agent, Principal
from governance import operations as governance
from observability import ledger
from workflows.models import Listener, Message, Run, Subscription, Workflow
from workflows.operations.definitions import graph_of, require_callable
from workflows.operations.runs import Origin, begin, checked_values, happen, limits, locked
from workflows.operations.runs.outbox import last_subscription, lasting, post
from workflows.operations.starting import startable_by
from workflows.plan import EventCaught, StaleHappening, StepFailed, StepFinished, plain

Kind, Status = Message.Kind, Message.Status
SOON, LATER = timedelta(seconds=1), timedelta(seconds=60)
TRIES_AT_MOST = 20
DOUBLINGS_AT_MOST = 6


class UnknownMessage(ledger.Refused):
    """No workflow that you may start knows a message or signal of this name."""

    status = 404
    code = "unknown_message"


class _Missed(Exception):
    """It waits no longer: the lock on its run is given back with the savepoint."""


class _Nobody(Exception):
    """Nobody can take it now: it is kept, and tried again later."""


class _NotFor(Exception):
    """It can reach nobody any more; the message says why."""


# --- send -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Letter:
    """What somebody outside of runs sends; the same `ref` again is the same letter, and does nothing."""

    kind: str
    name: str
    key: str = ""
    payload: Mapping[str, Any] | None = None
    ref: str = ""
    workflow: Workflow | None = None


def send_message(letter: Letter, *, by: Principal | Agent, at: datetime) -> Message:
    """Send a message or a signal to runs of workflows that the sender may start. A message that somebody waits for is
    taken at once, or begins a run; otherwise it is kept for a time. Raises UnknownMessage, Invalid."""
    principal = by.principal if isinstance(by, Agent) else by
    known = _known(letter, principal)
    ref = f"{principal.pk}:{letter.ref}" if letter.ref else ""  # each sender counts for itself
    before = _sent_before(letter, ref)
    if before is not None:
        return before
    try:
        with transaction.atomic():
            message = _post(letter, ref, known, principal, by, at)
    except IntegrityError:  # the same one was sent at the same moment
        return Message.objects.get(kind=letter.kind, name=letter.name, key=letter.key, ref=ref)
    if letter.kind == Kind.MESSAGE:  # a signal may concern thousands: they hear it after the commit
        deliver(message, at=at, strict=True)
    return message


def _known(letter: Letter, principal: Principal) -> Listener:
    may = Workflow.objects.filter(pk__in=startable_by(principal))
    listeners = Listener.objects.filter(kind=letter.kind, name=letter.name, workflow__in=may)
    if letter.workflow is not None:
        listeners = listeners.filter(workflow=letter.workflow)
    found = listeners.select_related("workflow__unit").first()
    if found is None:
        said = f"No workflow that you may start knows a {letter.kind} “{letter.name}”."
        raise UnknownMessage(said, fields={"name": said})
    return found


def _sent_before(letter: Letter, ref: str) -> Message | None:
    same = Message.objects.filter(kind=letter.kind, name=letter.name, key=letter.key, ref=ref)
    return same.first() if ref else None


def _post(letter: Letter, ref: str, known: Listener, principal: Principal, by: ledger.Acts, at: datetime) -> Message:
    message = Message(
        kind=letter.kind, name=letter.name, key=letter.key, ref=ref,
        payload={name: plain(value) for name, value in (letter.payload or {}).items()},
        unit=known.workflow.unit, principal=principal, workflow=letter.workflow,
        token=last_subscription() if letter.kind == Kind.SIGNAL else 0,
        sent_at=at, due_at=at, expires_at=lasting(at),
    )  # fmt: skip
    post([message], by=by)
    return message


# --- deliver --------------------------------------------------------------------------------------------------
def deliver(message: Message, *, at: datetime, strict: bool = False) -> bool:
    """Try to bring a message to whom it is for; whether it is settled then. What cannot be taken now is tried again,
    ever later; what can never be is dropped, and that is recorded. With `strict` what the receiver refuses is raised:
    nothing was changed, and the sender hears of it."""
    try:
        if message.kind == Kind.SIGNAL:
            _deliver_signal(message, at)
        else:
            with transaction.atomic():
                _DELIVER[Kind(message.kind)](message, at)
    except (_Nobody, governance.Paused) as waits:
        return _put_off(message, str(waits), at)
    except _NotFor as never:
        return _drop(message, str(never), at)
    except ledger.TooLate:
        return False  # somebody else delivers the same one
    except ledger.Refused as refused:
        if strict:
            raise
        return _drop(message, refused.detail, at)
    except StaleHappening as stale:
        return _drop(message, str(stale), at)
    except Exception:
        if not strict:
            _put_off(message, "Something went wrong with it; the log says what.", at)
        raise
    return True


@transaction.atomic
def _put_off(message: Message, why: str, at: datetime) -> bool:
    message.refresh_from_db(fields=["status", "attempts"])
    if message.status != Status.SENT:
        return False
    if message.expires_at is not None and message.expires_at <= at:
        return _drop(message, "Nobody took it in time.", at)
    wait = min(SOON * int(2 ** min(message.attempts, DOUBLINGS_AT_MOST)), LATER)
    message.attempts += 1
    message.due_at, message.trouble = at + wait, why
    message.save(update_fields=["attempts", "due_at", "trouble"])
    return False


@transaction.atomic
def _drop(message: Message, why: str, at: datetime) -> bool:
    message.refresh_from_db(fields=["status"])
    try:
        ledger.move(
            message, Status.DROPPED, by=ledger.SYSTEM, verb="message.dropped", at=at, why=why, settled_at=at,
            trouble=why,
        )  # fmt: skip
    except (ledger.TooLate, ledger.WrongStatus):
        return False
    return True


def _take(message: Message, run: Run | None, at: datetime, **told: Any) -> None:
    # First of all writes: who loses this swap has changed nothing yet.
    more: dict[str, Any] = {} if run is None else {"receiver": run}
    ledger.move(
        message, Status.TAKEN, by=ledger.SYSTEM, verb="message.taken", at=at, settled_at=at, trouble="",
        data={"kind": message.kind, **told}, **more,
    )  # fmt: skip


def _deliver_message(message: Message, at: datetime) -> None:
    for waits in _waiting_for(message)[:TRIES_AT_MOST]:
        if _is_caught(waits, message, at):
            return
    listener = _starts(message).first()
    if listener is None:
        raise _Nobody("Nobody waits for it yet.")
    _start_by(listener, message, key=message.key or str(message.uid), at=at)


def _waiting_for(message: Message) -> QuerySet[Subscription]:
    waiting = Subscription.objects.for_message(message.name, message.key)
    found: QuerySet[Subscription] = _within(message, waiting, "run__workflow")
    return found


def _starts(message: Message) -> QuerySet[Listener]:
    starts = Listener.objects.filter(kind=message.kind, name=message.name, starts=True).select_related("workflow__unit")
    found: QuerySet[Listener] = _within(message, starts, "workflow").order_by("pk")
    return found


def _within(message: Message, rows: Any, path: str) -> Any:
    # Those of the one workflow it is for, and of those that a person or an agent may start; a run speaks to all.
    if message.workflow_id is not None:
        rows = rows.filter(**{path: message.workflow_id})
    if message.principal is not None:
        rows = rows.filter(**{f"{path}__in": startable_by(message.principal)})
    return rows


def _is_caught(waits: Subscription, message: Message, at: datetime) -> bool:
    """The run takes the message or signal that it waits for, if it still does; else its lock is free again."""
    try:
        with transaction.atomic():
            _catch(waits, message, at)
    except _Missed:
        return False
    return True


def _catch(waits: Subscription, message: Message, at: datetime) -> None:
    run = locked(waits.run_id)
    waits.refresh_from_db(fields=["status"])
    if run.stands_still and message.kind == Kind.SIGNAL:
        raise _Nobody(f"The run {run} stands still.")  # it was paused meanwhile, and is told again
    if waits.status != Subscription.Status.OPEN or run.stands_still:
        raise _Missed
    values = _fitting(run, waits.element, message)
    waits.run = run
    if message.kind == Kind.MESSAGE:
        _take(message, run, at)
    ledger.move(
        waits, Subscription.Status.CAUGHT, by=ledger.SYSTEM, verb="subscription.caught", at=at, closed_at=at,
        data={"kind": waits.kind, "message": str(message.uid)},
    )  # fmt: skip
    run.variables[waits.element] = values
    happen(run, EventCaught(waits.token), by=ledger.SYSTEM, at=at)


def _fitting(run: Run, element: str, message: Message) -> dict[str, Any]:
    # An event that declares nothing takes all that comes, one that does what it asks for.
    declared = {output.name for output in graph_of(run.version_id).nodes[element].outputs}
    if not declared:
        return dict(message.values)
    asked = {name: value for name, value in message.values.items() if name in declared}
    return checked_values(run.version_id, element, asked)


def _start_by(listener: Listener, message: Message, *, key: str, at: datetime) -> Run:
    origin = Origin(start=listener.element, depth=_depth_below(message), starter=_starter(message))
    by: ledger.Acts = message.principal or ledger.SYSTEM
    run, is_new = begin(listener.workflow, key=key, variables=message.values, by=by, at=at, origin=origin)
    if not is_new:
        raise _Nobody(f"The run {run} of the same key does not wait for it.")
    if message.kind == Kind.MESSAGE:
        _take(message, run, at, started=True)
    return run


def _depth_below(message: Message) -> int:
    """How deep a run is that a message or signal begins: one that begins itself comes to an end. Raises _NotFor."""
    if message.sender is None:
        return message.depth
    depth = message.depth + 1
    if limits.too_deep(message.sender, depth) is not None:
        raise _NotFor(f"Runs begin each other {depth} deep.")
    return depth


def _starter(message: Message) -> Principal | None:
    return message.principal or (message.sender.started_by if message.sender else None)


def _deliver_signal(message: Message, at: datetime) -> None:
    # One after the other, each in a transaction of its own; told again after a crash, who heard it waits no longer.
    heard = _hear(message, at)
    _take(message, None, at, heard=heard)


def _hear(message: Message, at: datetime) -> int:
    heard, after, standing = 0, 0, ""
    waiting = _within(message, Subscription.objects.all(), "run__workflow").select_related("run")
    while batch := list(waiting.for_signal(message.name, after=after, upto=message.token)[:100]):
        for waits in batch:
            after = waits.pk
            if waits.run.stands_still:
                standing = standing or f"The run {waits.run} stands still."
                continue
            try:
                heard += _is_caught(waits, message, at)
            except _Nobody as paused:
                standing = standing or str(paused)
            except (ledger.Invalid, StaleHappening) as refused:
                ledger.record("message.not_heard", message, by=ledger.SYSTEM, at=at, why=f"{waits.run}: {refused}")
    heard += _begun_by(message, at)
    if standing:  # all others have heard it; this one is told again
        raise _Nobody(standing)
    return heard


def _begun_by(message: Message, at: datetime) -> int:
    begun = 0
    for listener in _starts(message):
        try:
            _start_by(listener, message, key=str(message.uid), at=at)
            begun += 1
        except _Nobody:
            continue  # it began one the last time
        except (ledger.Invalid, _NotFor) as refused:
            ledger.record("message.not_heard", message, by=ledger.SYSTEM, at=at, why=str(refused))
    return begun


def _deliver_call(message: Message, at: datetime) -> None:
    if message.sender_id is None:
        raise _NotFor("Nobody calls.")
    parent = locked(message.sender_id)
    message.refresh_from_db(fields=["status"])
    if message.status != Status.SENT:
        raise ledger.TooLate("The call was taken back.")
    if not parent.is_under_way:
        raise _NotFor(f"The run {parent} has ended.")
    if parent.stands_still:
        raise _Nobody(f"The run {parent} stands still.")
    limit = limits.too_deep(parent, parent.depth + 1)
    if limit is not None:
        limits.stand_still(parent, limit, at=at)
        return
    try:
        with transaction.atomic():
            child = _called(parent, message, at)
    except governance.Paused:
        raise
    except ledger.Refused as refused:
        _take(message, None, at)
        _told_failed(parent, message.token, "call_failed", refused.detail, at)
    else:
        _take(message, child, at)


def _called(parent: Run, message: Message, at: datetime) -> Run:
    workflow = Workflow.objects.select_related("unit").filter(code=message.name).first()
    if workflow is None:
        raise ledger.NotFound(f"There is no workflow {message.name}.")
    require_callable(parent.version, workflow)
    origin = Origin(
        parent=parent, parent_token=message.token, depth=parent.depth + 1, starter=parent.started_by
    )  # fmt: skip
    again = parent.children.filter(parent_token=message.token).count()  # it was called before, and failed
    key = f"{parent.key[:150]}/{message.token}{f'.{again + 1}' if again else ''}~{parent.uid.hex[-12:]}"
    run, _ = begin(workflow, key=key, variables=_inputs(workflow, message), by=ledger.SYSTEM, at=at, origin=origin)
    return run


def _inputs(workflow: Workflow, message: Message) -> dict[str, Any]:
    # Of all that the caller has, the called one gets what it asks for.
    version = workflow.versions.only("pk").first()
    wanted = {output.name for output in graph_of(version.pk).start.outputs} if version else set()
    return {name: value for name, value in message.values.items() if name in wanted}


def _deliver_end(message: Message, at: datetime) -> None:
    if message.receiver_id is None:
        raise _NotFor("Nobody waits for the end.")
    parent = locked(message.receiver_id)
    if parent.stands_still:
        raise _Nobody(f"The run {parent} stands still.")
    _take(message, parent, at)
    try:
        if message.name == Run.Status.DONE:
            _told_done(parent, message, at)
        else:
            _told_failed(
                parent, message.token, f"run_{message.name}", f"The run {message.sender} is {message.name}.", at
            )
    except StaleHappening as stale:
        raise _NotFor(f"The run {parent} does not wait for it any more.") from stale


def _told_done(parent: Run, message: Message, at: datetime) -> None:
    call = Message.objects.filter(kind=Kind.CALL, sender=parent, token=message.token).first()
    element = call.element if call is not None else ""
    declared = graph_of(parent.version_id).nodes[element].outputs if element else ()
    given = dict(message.values["values"])
    left = {each.name: given[each.name] for each in declared if each.name in given} if declared else given
    left["outcome"] = message.values["outcome"]
    parent.variables[element] = left
    happen(parent, StepFinished(message.token), by=ledger.SYSTEM, at=at)


def _told_failed(parent: Run, token: int, code: str, reason: str, at: datetime) -> None:
    happen(parent, StepFailed(token, code, reason), by=ledger.SYSTEM, at=at)


def _deliver_start(message: Message, at: datetime) -> None:
    workflow = message.workflow
    if workflow is None:
        raise _NotFor("There is no workflow to start.")
    if message.sender is not None and limits.too_deep(message.sender, message.depth) is not None:
        raise _NotFor(f"Runs follow each other {message.depth} deep.")
    origin = Origin(depth=message.depth, starter=_starter(message))
    by: ledger.Acts = message.principal or ledger.SYSTEM
    run, is_new = begin(workflow, key=message.key, variables=_inputs(workflow, message), by=by, at=at, origin=origin)
    _take(message, run, at, started=is_new)


_DELIVER = {
    Kind.MESSAGE: _deliver_message, Kind.CALL: _deliver_call, Kind.ENDED: _deliver_end, Kind.START: _deliver_start,
}  # fmt: skip
