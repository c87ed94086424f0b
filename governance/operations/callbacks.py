"""Callbacks: an agent that named an address with its access request is told there what became of it."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from agents.operations.signing import sign_detached
from governance.models import Callback, CallbackAttempt, Escalation
from governance.rules.retrying import is_given_up, next_try
from observability import ledger
from observability.operations import NotDelivered, NowhereToSend, Resolve, checked, looked_up, send

AT_MOST = 5
EACH_SWEEP = 20
STATUS = {
    Escalation.Status.OPEN: "pending", Escalation.Status.HELD: "pending",
    Escalation.Status.APPROVED: "approved", Escalation.Status.REJECTED: "denied",
    Escalation.Status.EXPIRED: "expired", Escalation.Status.WITHDRAWN: "cancelled",
}  # fmt: skip
"""What an escalation is called as the task of an access request."""
ENDS = tuple(word for word in STATUS.values() if word != "pending")
LONGEST_STATE = 1000


@dataclass(frozen=True)
class CallbackWish:
    """Where an agent wants to be told, what it wants to read there, and of which ends; of all when it names none."""

    endpoint: str
    state: str = ""
    events: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """What tells this wish from another one about the same question."""
        return hashlib.sha256(f"{self.endpoint}\0{self.state}".encode()).hexdigest()


@dataclass(frozen=True)
class Delivery:
    """What came of one try: the status of the answer, None when there was none, and words."""

    code: int | None
    outcome: str

    @property
    def is_taken(self) -> bool:
        """Whether the other side took it."""
        return self.code is not None and 200 <= self.code < 300


def read_callback(given: Any, *, resolve: Resolve = looked_up) -> CallbackWish:
    """The callback as an access request names it, its address looked up and checked. Raises Invalid."""
    if not isinstance(given, Mapping):
        raise ledger.Invalid(fields={"callback": "Send an object."})
    endpoint, state, events = given.get("endpoint"), given.get("state", ""), given.get("events", [])
    if not isinstance(endpoint, str):
        raise ledger.Invalid(fields={"callback.endpoint": "Send an address in quotation marks."})
    if not isinstance(state, str) or len(state) > LONGEST_STATE:
        raise ledger.Invalid(fields={"callback.state": f"Send text of at most {LONGEST_STATE} characters."})
    if not isinstance(events, list) or not all(isinstance(each, str) and each in ENDS for each in events):
        raise ledger.Invalid(fields={"callback.events": f"Send a list of {', '.join(ENDS)}."})
    try:
        checked(endpoint, allowed=settings.OUTGOING_HOSTS, resolve=resolve)
    except NowhereToSend as refused:
        raise ledger.Invalid(fields={"callback.endpoint": str(refused)}) from refused
    return CallbackWish(endpoint, state, tuple(events))


def keep_callback(wish: CallbackWish, task: Escalation, *, base: str, at: datetime) -> None:
    """Tell this address what becomes of the task; the same wish is kept once. Raises Invalid for too many."""
    others, digest = Callback.objects.filter(escalation=task), wish.sha256
    if others.filter(wish_sha256=digest).exists():
        return
    if others.count() >= AT_MOST:
        raise ledger.Invalid(fields={"callback": f"This request has {AT_MOST} callbacks already."})
    Callback.objects.create(
        escalation=task, endpoint=wish.endpoint, state=wish.state, wish_sha256=digest, base=base,
        events=list(wish.events), created_at=at, due_at=at,
    )  # fmt: skip


def take_callbacks(*, at: datetime) -> list[Callback]:
    """The callbacks to be tried now, each taken by one caller: another sweep that runs now does not get them."""
    due = Callback.objects.due(at).select_related("escalation__path", "escalation__agent")[:EACH_SWEEP]
    return [callback for callback in due if _is_wanted(callback, at) and _is_taken(callback, at)]


def _is_wanted(callback: Callback, at: datetime) -> bool:
    end = STATUS[Escalation.Status(callback.escalation.status)]
    if not callback.events or end in callback.events:
        return True
    why = f"It ended as {end}, which is not asked for."
    ledger.move(callback, Callback.Status.NOT_WANTED, by=ledger.SYSTEM, verb="callback.not_wanted", at=at, why=why)
    return False


def _is_taken(callback: Callback, at: datetime) -> bool:
    # Counted and put off before it is sent: a worker that dies on the way costs one try, and nobody sends it twice.
    this = Callback.objects.filter(pk=callback.pk, status=callback.status, attempts=callback.attempts)
    callback.attempts += 1
    callback.due_at = next_try(callback.attempts, at)
    return this.update(attempts=callback.attempts, due_at=callback.due_at) == 1


def deliver_callback(callback: Callback, body: bytes, *, resolve: Resolve = looked_up) -> Delivery:
    """Send the signed body; what came of it. Touches no row."""
    protected, signature = sign_detached(body, typ="JOSE")
    headers = {
        "Content-Type": "application/json", "User-Agent": "Autonomy-OS", "Callback-Id": str(callback.uid),
        "JWS-Signature": f"{protected}..{signature}",
    }  # fmt: skip
    try:
        answer = send(callback.endpoint, body, headers=headers, allowed=_allowed(), resolve=resolve)
    except (NowhereToSend, NotDelivered) as failed:
        return Delivery(None, str(failed))
    return Delivery(answer.status, f"Answered with {answer.status}.")


def _allowed() -> Collection[str]:
    hosts: Collection[str] = settings.OUTGOING_HOSTS
    return hosts


@transaction.atomic
def note_delivery(callback: Callback, delivery: Delivery, *, at: datetime) -> None:
    """Write down what came of a try; after a day without success the callback is given up."""
    CallbackAttempt.objects.create(callback=callback, at=at, code=delivery.code, outcome=delivery.outcome[:200])
    if delivery.is_taken:
        ledger.move(callback, Callback.Status.DELIVERED, by=ledger.SYSTEM, verb="callback.delivered", at=at)
    elif is_given_up(callback.escalation.settled_at or callback.created_at, at):
        ledger.move(
            callback, Callback.Status.GIVEN_UP, by=ledger.SYSTEM, verb="callback.given_up", at=at, why=delivery.outcome
        )  # fmt: skip
