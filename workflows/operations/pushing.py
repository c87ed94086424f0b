"""Telling an agent that cannot ask: a signed message to its address says that work is ready, and nothing else; the
agent claims it as always. Signed as Standard Webhooks; what is lost or doubled does no harm."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from standardwebhooks import Webhook
from uuid_utils.compat import uuid7

from agents.models import Agent, Principal
from agents.operations import require
from governance import operations as governance
from governance.rules.retrying import next_try
from governance.rules.stopping import strictest
from observability import ledger
from observability.operations import NotDelivered, NowhereToSend, Resolve, checked, looked_up, send
from workflows.models import Endpoint, Push
from workflows.operations.stopping import ready_steps, without_stopped

EACH_SWEEP = 20
STEPS_TOLD = 20
GONE = 410
LOOK_EVERY = timedelta(seconds=1)
KEPT_PER_ENDPOINT = 200


@dataclass(frozen=True)
class Told:
    """One message: its id and body, which says only that work is ready, and to which endpoint it goes."""

    endpoint: Endpoint
    id: UUID
    body: str
    ready: int
    at: datetime


@dataclass(frozen=True)
class Came:
    """What came of a message: the status of the answer, None when there was none, and words."""

    code: int | None
    outcome: str

    @property
    def is_taken(self) -> bool:
        """Whether the other side took it."""
        return self.code is not None and 200 <= self.code < 300


# --- where ------------------------------------------------------------------------------------------------------
@transaction.atomic
def set_endpoint(
    agent: Agent, url: str, *, by: Principal, at: datetime, resolve: Resolve = looked_up
) -> tuple[Endpoint, str]:
    """Tell this agent at this address that work is ready, from now on; the endpoint, and its new secret, which is shown
    once. Raises Invalid for an address to which nothing is sent."""
    require(by, "agents.key_agent", agent)
    if agent.status == Agent.Status.RETIRED:
        raise ledger.WrongStatus(f"{agent} is retired and gets no work.")
    try:
        checked(url, allowed=settings.OUTGOING_HOSTS, resolve=resolve)
    except NowhereToSend as refused:
        raise ledger.Invalid(fields={"url": str(refused)}) from refused
    endpoint = Endpoint.objects.select_for_update(of=("self",)).filter(agent=agent).first()
    if endpoint is None:
        endpoint = Endpoint.objects.create(agent=agent, url=url, due_at=at, set_by=by, set_at=at)
    else:
        _renew(endpoint, url, by, at)
    ledger.record("endpoint.set", endpoint, by=by, at=at, data={"url": url})
    return endpoint, secret_of(endpoint)


def _renew(endpoint: Endpoint, url: str, by: Principal, at: datetime) -> None:
    endpoint.url, endpoint.secret_version, endpoint.failures = url, endpoint.secret_version + 1, 0
    endpoint.due_at, endpoint.told_at, endpoint.set_by, endpoint.set_at = at, None, by, at
    endpoint.save(update_fields=["url", "secret_version", "failures", "due_at", "told_at", "set_by", "set_at"])
    if endpoint.status == Endpoint.Status.DISABLED:
        ledger.move(endpoint, Endpoint.Status.ACTIVE, by=by, verb="endpoint.enabled", at=at)


def disable_endpoint(endpoint: Endpoint, *, by: Principal, at: datetime, why: str) -> None:
    """Send nothing there any more."""
    require(by, "agents.key_agent", endpoint.agent)
    ledger.move(endpoint, Endpoint.Status.DISABLED, by=by, verb="endpoint.disabled", at=at, why=why)


def secret_of(endpoint: Endpoint) -> str:
    """The secret that messages are signed with: made of the server's own, so that it is stored nowhere."""
    about = f"work endpoint {endpoint.uid} {endpoint.secret_version}".encode()
    made = hmac.new(settings.SECRET_KEY.encode(), about, hashlib.sha256).digest()
    return f"whsec_{base64.b64encode(made).decode()}"


# --- what -------------------------------------------------------------------------------------------------------
def take_pushes(*, at: datetime) -> list[Told]:
    """The messages to be sent now, each taken by one caller: another sweep that runs now does not get them."""
    found = (_message(each, at) for each in Endpoint.objects.due(at)[:EACH_SWEEP] if _is_taken(each, at))
    return [each for each in found if each is not None]


def _is_taken(endpoint: Endpoint, at: datetime) -> bool:
    # Put off before it is sent: a worker that dies on the way costs one try, and nobody sends it twice.
    this = Endpoint.objects.filter(pk=endpoint.pk, status=endpoint.status, due_at=endpoint.due_at)
    endpoint.due_at = at + LOOK_EVERY
    return this.update(due_at=endpoint.due_at) == 1


def _message(endpoint: Endpoint, at: datetime) -> Told | None:
    stops = governance.stops_for_work(at)
    stop = strictest(stops, governance.reach_of(endpoint.agent), at)
    if stop is not None and stop.is_paused:
        return None
    ready = without_stopped(ready_steps(endpoint.agent, stops, at=at))
    again = at - timedelta(seconds=settings.PUSH_AGAIN_SECONDS)
    if endpoint.told_at is not None and endpoint.told_at > again:
        ready = ready.filter(ranked_at__gt=endpoint.told_at)  # of what stood there before it knows
    steps = [str(uid) for uid in ready.values_list("uid", flat=True)[:STEPS_TOLD]]
    if not steps:
        return None
    data = {"agent": endpoint.agent.code, "steps": steps}
    body = {"type": "work.ready", "timestamp": at.isoformat(), "data": data}
    return Told(endpoint, uuid7(), json.dumps(body), len(steps), at)


def deliver_push(told: Told, *, resolve: Resolve = looked_up) -> Came:
    """Send the signed message; what came of it. Touches no row."""
    signature = Webhook(secret_of(told.endpoint)).sign(str(told.id), told.at, told.body)
    headers = {
        "Content-Type": "application/json", "User-Agent": "Autonomy-OS", "webhook-id": str(told.id),
        "webhook-timestamp": str(int(told.at.timestamp())), "webhook-signature": signature,
    }  # fmt: skip
    allowed = settings.OUTGOING_HOSTS
    try:
        answer = send(told.endpoint.url, told.body.encode(), headers=headers, allowed=allowed, resolve=resolve)
    except (NowhereToSend, NotDelivered) as failed:
        return Came(None, str(failed))
    return Came(answer.status, f"Answered with {answer.status}.")


@transaction.atomic
def note_push(told: Told, came: Came, *, at: datetime) -> None:
    """Write down what came of a message. What is not taken is tried again later and later; an address that is gone
    (410) is used no more."""
    endpoint = Endpoint.objects.select_for_update(of=("self",)).select_related("agent").get(pk=told.endpoint.pk)
    Push.objects.create(
        uid=told.id, endpoint=endpoint, at=at, ready=told.ready, code=came.code, outcome=came.outcome[:200]
    )
    _forget_old(endpoint)
    endpoint.failures = 0 if came.is_taken else endpoint.failures + 1
    endpoint.told_at = told.at if came.is_taken else endpoint.told_at
    endpoint.due_at = at if came.is_taken else next_try(endpoint.failures, at)
    endpoint.save(update_fields=["failures", "told_at", "due_at"])
    if came.code == GONE and endpoint.status == Endpoint.Status.ACTIVE:
        why = "It answered that it is gone (410)."
        ledger.move(endpoint, Endpoint.Status.DISABLED, by=ledger.SYSTEM, verb="endpoint.gone", at=at, why=why)
    elif not came.is_taken and endpoint.failures == 1:
        ledger.record("endpoint.failed", endpoint, by=ledger.SYSTEM, at=at, why=came.outcome)


def _forget_old(endpoint: Endpoint) -> None:
    kept = endpoint.pushes.order_by("-pk").values_list("pk", flat=True)[KEPT_PER_ENDPOINT : KEPT_PER_ENDPOINT + 1]
    oldest = next(iter(kept), None)
    if oldest is not None:
        endpoint.pushes.filter(pk__lte=oldest).delete()
