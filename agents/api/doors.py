"""What every API door is built on: rights by kind of caller, strict input, answers given once."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.permissions import AgentsOnly, InsufficientScope, PeopleOnly, SignedIn, scope_of
from agents.models import Agent, GivenAnswer, Principal
from agents.operations import require_recent
from observability import ledger
from observability.api.doors import ReadingDoor
from observability.ledger import database_now
from observability.prepared import Insertion
from observability.serializers import StrictSerializer, Text, Whole, YesNo

__all__ = [
    "IDEMPOTENCY", "ActingDoor", "AgentsOnly", "Door", "InFlight", "InsufficientScope", "KeyNeeded", "KeyReused",
    "PeopleOnly", "PeopleWrite", "SignedIn", "StrictSerializer", "Text", "Then", "Whole", "YesNo", "scope_of",
]  # fmt: skip
ABANDONED_AFTER = timedelta(seconds=60)
LOOK_EVERY_SECONDS = 0.25
WAITS_LONGER = timedelta(seconds=2)  # a wait begins when the first act is done, and its last look takes a moment
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key", {"type": "string", "minLength": 1, "maxLength": 200}, OpenApiParameter.HEADER, required=True,
    description="One key for one act: a repeat with the same key gets the same answer.",
)  # fmt: skip


class InFlight(ledger.Refused):
    """The first request with this Idempotency-Key is still being worked on. Ask again in a moment."""

    code = "in_flight"


class KeyNeeded(ledger.Invalid):
    """Send an Idempotency-Key header of 1 to 200 characters."""

    code = "idempotency_key_missing"


class KeyReused(ledger.Refused):
    """This Idempotency-Key was used for another request. Use a new key for a new request."""

    status = 422
    code = "idempotency_key_reused"


class Door(ReadingDoor):
    """A view of the API that knows who asks."""

    def check_permissions(self, request: Request) -> None:
        """Count the request before anything is refused: what is refused counts as well."""
        self.check_throttles(request)
        super().check_permissions(request)

    @property
    def principal(self) -> Principal:
        """Who asks: a person, or the agent's account."""
        if not isinstance(self.request.user, Principal):
            raise ledger.NotAllowed
        return self.request.user

    def require_recent(self) -> None:
        """Raise SignInAgain unless the person who asks showed recently who it is; agents are known by their key."""
        if self.request.auth is None:
            require_recent(self.request.session, at=database_now())

    @property
    def agent(self) -> Agent:
        """The agent that asks; only for views with AgentsOnly."""
        if not isinstance(self.request.auth, Agent):
            raise ledger.NotAllowed
        return self.request.auth


Act = Callable[[str], tuple[int, Mapping[str, Any]]]
Instead = Callable[[str, Mapping[str, Any]], tuple[int, Mapping[str, Any]] | None]


@dataclass(frozen=True)
class Then:
    """What to do later in the same request: `act` as soon as `ready` says, by reading only, that it can help. What is
    waited for stands in the `field` of the body."""

    act: Act
    ready: Callable[[], bool]
    field: str = "work"


class ActingDoor(Door):
    """A view whose POST creates or acts: it needs an Idempotency-Key and answers a repeat as it did the first time."""

    def answer_once(
        self,
        request: Request,
        act: Act,
        *,
        then: Then | None = None,
        wait_seconds: float = 0,
        secret: str = "",
        instead: Instead | None = None,
    ) -> Response:
        """Call `act(key)` once for this principal, route and key; its status and body are kept for repeats, but for
        the field `secret`, which a repeat gets as null. While what `then` waits for is empty, it is looked at after
        each commit for up to `wait_seconds`. A repeat asks `instead(key, body)` for what has to be said in place of the
        kept body now, None when nothing has."""
        key = request.headers.get("Idempotency-Key", "")
        if not 0 < len(key) <= 200:
            raise KeyNeeded
        given, is_first = _take(request, key)
        if is_first:
            try:
                _act(given, act, secret)
            except BaseException:
                given.delete()
                raise
            if then is not None:
                _wait_for_work(given, then, time.monotonic() + wait_seconds)
        elif then is not None and _still_waits(given, then, wait_seconds):
            raise InFlight
        elif instead is not None and given.body is not None and (other := instead(given.key, given.body)) is not None:
            return Response(other[1], status=other[0])
        return Response(given.body, status=given.status_code)


class PeopleWrite(ActingDoor):
    """Everybody signed in reads; only people write."""

    def get_permissions(self) -> list[Any]:
        """Only people past the reading methods."""
        guards = list(super().get_permissions())
        method = str(self.request.method)
        writes = method not in SAFE_METHODS and hasattr(self, method.lower())
        return [*guards, PeopleOnly()] if writes else guards


def _take(request: Request, key: str) -> tuple[GivenAnswer, bool]:
    fingerprint = hashlib.sha256(json.dumps(request.data, sort_keys=True, default=str).encode()).hexdigest()
    whose = {"principal": request.user, "route": request.path, "key": key}
    given = _created(whose, fingerprint)
    if given is None and _freed(whose):
        given = _created(whose, fingerprint)
    return (given, True) if given else (_given_before(whose, fingerprint), False)


def _created(whose: Mapping[str, Any], fingerprint: str) -> GivenAnswer | None:
    try:
        # One statement needs no transaction of its own: that would be two more round trips.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            return _PLACE.insert(GivenAnswer(**whose, fingerprint=fingerprint))
    except IntegrityError:
        return None


def _freed(whose: Mapping[str, Any]) -> bool:
    # A process that died before its answer was kept has changed nothing: its place is free again after a minute.
    abandoned = GivenAnswer.objects.filter(**whose, status_code=None, at__lt=Now() - ABANDONED_AFTER)
    return abandoned.delete()[0] > 0


def _given_before(whose: Mapping[str, Any], fingerprint: str) -> GivenAnswer:
    given = GivenAnswer.objects.filter(**whose).first()
    if given is not None and given.fingerprint != fingerprint:
        raise KeyReused
    if given is None or given.status_code is None:
        raise InFlight
    return given


def _act(given: GivenAnswer, act: Act, secret: str = "") -> None:
    with transaction.atomic():
        status, body = act(given.key)
        plain = json.loads(json.dumps(body, cls=DjangoJSONEncoder))
        kept = {**plain, secret: None} if secret else plain
        GivenAnswer.objects.filter(pk=given.pk).update(status_code=status, body=kept)
    given.status_code, given.body = status, plain


_PLACE = Insertion(GivenAnswer, "at")


def _still_waits(given: GivenAnswer, then: Then, wait_seconds: float) -> bool:
    until = given.at + timedelta(seconds=wait_seconds) + WAITS_LONGER
    return given.body is not None and not given.body[then.field] and wait_seconds > 0 and database_now() < until


def _wait_for_work(given: GivenAnswer, then: Then, until: float) -> None:
    rings = ledger.bell.rings
    while (
        not ledger.bell.is_closed
        and given.body is not None
        and not given.body[then.field]
        and (left := until - time.monotonic()) > 0
    ):
        rings = ledger.bell.wait(rings, min(LOOK_EVERY_SECONDS, left))
        if then.ready():
            _act(given, then.act)
