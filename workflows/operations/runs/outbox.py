"""The outbox: what a run tells others is written down with the change that told it, and delivered after the commit."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from observability import ledger
from observability.prepared import PreparedList
from workflows.models import Follow, Message, Run, Subscription, Workflow
from workflows.operations.starting import is_answered_for
from workflows.operations.writing import write_now
from workflows.plan import CallWorkflow, Send

log = logging.getLogger(__name__)
DELIVER = "workflows.deliver_messages"


def last_subscription() -> int:
    """The number of the newest subscription: a signal is meant for those who wait now."""
    return Subscription.objects.aggregate(last=Max("pk"))["last"] or 0


def post(messages: Sequence[Message], *, by: ledger.Acts) -> None:
    """Put these into the outbox; they are delivered once the transaction is committed, and swept until then."""
    Message.objects.bulk_create(messages, batch_size=1_000)
    ledger.record_all(
        [
            ledger.event_of(
                f"message.{'sent' if row.kind in (Message.Kind.MESSAGE, Message.Kind.SIGNAL) else 'posted'}",
                row,
                by=by,
                at=row.sent_at,
                after=row.status,
                data={"kind": row.kind, "key": row.key},
            )
            for row in messages
        ]
    )
    transaction.on_commit(partial(deliver_soon), robust=True)


def deliver_soon() -> None:
    """Ask the worker to deliver at once. A help for speed: what is not delivered now is swept."""
    try:
        current_app.send_task(DELIVER, retry=False)
    except Exception:
        log.warning("Nobody could be asked to deliver at once; the sweep will.", exc_info=True)


def lasting(at: datetime) -> datetime:
    """Until when a message that nobody waits for is kept."""
    return at + timedelta(seconds=settings.MESSAGE_KEPT_SECONDS)


def send(run: Run, effects: Sequence[Send], *, by: ledger.Acts, at: datetime) -> None:
    """Send these messages and signals from a run."""
    post([_sent(run, each, at) for each in effects], by=by)


def _sent(run: Run, effect: Send, at: datetime) -> Message:
    is_signal = effect.kind == Message.Kind.SIGNAL
    return Message(
        kind=effect.kind, name=effect.name[:200], key=effect.key[:200], payload=dict(effect.payload), unit=run.unit,
        sender=run, element=effect.node_id, token=last_subscription() if is_signal else 0, depth=run.depth,
        sent_at=at, due_at=at, expires_at=lasting(at),
    )  # fmt: skip


def call(run: Run, effects: Sequence[CallWorkflow], *, by: ledger.Acts, at: datetime) -> None:
    """Have runs of other workflows begin for these call activities."""
    post(
        [
            Message(
                kind=Message.Kind.CALL,
                name=each.workflow[:200],
                payload=dict(each.variables),
                unit=run.unit,
                sender=run,
                token=each.token,
                element=each.node_id,
                depth=run.depth,
                sent_at=at,
                due_at=at,
            )
            for each in effects
        ],
        by=by,
    )


def tell_end(run: Run, *, by: ledger.Acts, at: datetime) -> None:
    """Tell the run that called this one how it ended, and begin what follows on it."""
    follows = _FOLLOWS.all(after=run.workflow_id, status=run.status, outcomes=["", run.outcome])
    if run.parent_id is None and not follows:
        return
    write_now()  # the values that go with them are read from the steps
    messages = [] if run.parent_id is None else [_ended(run, at)]
    begin = [each for each in follows if is_answered_for(each.author, each.workflow)]
    post([*messages, *(_following(run, each.workflow, at) for each in begin)], by=by)
    for each in follows:
        if each not in begin:
            why = f"{each.author} may no longer start its runs."
            ledger.record("follow.silent", each, by=ledger.SYSTEM, at=at, why=why)


_FOLLOWS = PreparedList(
    lambda after, status, outcomes: Follow.objects.filter(
        after=after, status=status, outcome__in=outcomes
    ).select_related("workflow__unit", "author"),
    after=int, status=str, outcomes=str,
)  # fmt: skip


def _ended(run: Run, at: datetime) -> Message:
    return Message(
        kind=Message.Kind.ENDED, name=run.status, payload={"outcome": run.outcome, "values": values_of(run)},
        unit=run.unit, sender=run, receiver=run.parent, token=run.parent_token, sent_at=at, due_at=at,
    )  # fmt: skip


def _following(run: Run, workflow: Workflow, at: datetime) -> Message:
    return Message(
        kind=Message.Kind.START, name=workflow.code, key=run.key, payload=values_of(run), unit=workflow.unit,
        workflow=workflow, sender=run, depth=run.depth + 1, sent_at=at, due_at=at,
    )  # fmt: skip


def values_of(run: Run) -> dict[str, Any]:
    """What a run leaves behind, by plain name: what it was started with, and over it what its elements left, those of
    steps in the order in which they ended."""
    order = list(run.steps.filter(status="done").order_by("ended_at", "id").values_list("element", flat=True))
    place = {element: number for number, element in enumerate(order)}
    left: dict[str, Any] = {}
    for element in sorted(run.variables, key=lambda name: (name != "input", place.get(name, -1), name)):
        values = run.variables[element]
        left |= values if isinstance(values, Mapping) else {}
    return left
