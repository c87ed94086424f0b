"""Devices: a browser that shows what it is pushed, encrypted so that the push service in between reads nothing."""

import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from py_vapid import Vapid
from pywebpush import WebPushException, webpush

from observability.operations import NotDelivered, Resolve, send

SECONDS_KEPT = 12 * 60 * 60
GONE = (404, 410)


class DeviceGone(NotDelivered):
    """The device does not want to be told any more."""


def application_key() -> str:
    """The public key by which a browser knows who pushes; empty where the installation has none."""
    return str(settings.VAPID["public"]) if settings.VAPID else ""


def subscription_of(address: str) -> Mapping[str, Any]:
    """The subscription as the browser made it. Raises ValueError for what is none."""
    given = json.loads(address)
    keys = given.get("keys") if isinstance(given, dict) else None
    if not isinstance(keys, dict):
        raise ValueError("no keys")
    wanted = {"endpoint": given.get("endpoint"), "p256dh": keys.get("p256dh"), "auth": keys.get("auth")}
    if not all(isinstance(each, str) and each for each in wanted.values()):
        raise ValueError("no endpoint or no keys")
    return {"endpoint": wanted.pop("endpoint"), "keys": wanted}


def push(address: str, told: Mapping[str, str], resolve: Resolve) -> None:
    """Push to one device. Raises DeviceGone, NotDelivered or NowhereToSend."""
    if not settings.VAPID:
        raise NotDelivered("This installation has no key to push with.")
    try:
        key = Vapid.from_string(settings.VAPID["private"])  # type: ignore[no-untyped-call]
        webpush(
            dict(subscription_of(address)), json.dumps(told), vapid_private_key=key,
            vapid_claims={"sub": settings.VAPID["contact"]}, ttl=SECONDS_KEPT, timeout=10,
            requests_session=_Guarded(resolve),  # type: ignore[arg-type]
        )  # fmt: skip
    except WebPushException as failed:
        code = failed.status_code
        raise (DeviceGone if code in GONE else NotDelivered)(f"The push service answered with {code}.") from failed
    except (ValueError, TypeError, binascii.Error) as wrong:  # keys that are no keys
        raise DeviceGone("The browser's keys cannot be used.") from wrong


@dataclass(frozen=True)
class _Answer:
    """What the push library reads of an answer."""

    status_code: int
    text: str = ""
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class _Guarded:
    """Stands in for the push library's own connection: everything goes to an address that was checked."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    def post(self, endpoint: str, *, data: bytes, headers: Mapping[str, str], timeout: float) -> _Answer:
        """The answer of the push service."""
        named = {name: str(value) for name, value in headers.items()}
        answer = send(
            endpoint, data, headers=named, allowed=settings.OUTGOING_HOSTS, resolve=self._resolve, seconds=timeout
        )  # fmt: skip
        return _Answer(answer.status)
