"""One request and its retries: every repeat carries the same Idempotency-Key, so it can do no harm."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from autonomy_client.errors import AutonomyError, Unreachable, error_for

LONGEST_PAUSE_SECONDS = 10.0
# A server that wants to be left alone for longer than this is the caller's to wait for.
LONGEST_WISH_SECONDS = 60.0
LONGEST_RETRY_AFTER_SECONDS = 86_400.0
LOOK_AGAIN_SECONDS = 2.0
BUSY = frozenset({502, 503, 504})


class Wire:
    """The connection of one agent: sends JSON, retries what may be retried, raises typed errors."""

    def __init__(self, base_url: str, key: str, timeout: float, retries: int, backoff_seconds: float) -> None:
        self.timeout = timeout
        self.retries = retries
        self.backoff_seconds = backoff_seconds
        self.hurry = threading.Event()
        self.http = httpx.Client(
            base_url=_checked_address(base_url) + "/api/v1/",
            headers={"Authorization": f"Bearer {_checked_key(key)}", "Accept": "application/json"},
        )

    def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON body of a GET."""
        return self._answer(self.http.build_request("GET", path, params=params, timeout=self.timeout), self.timeout)

    def post(self, path: str, body: Mapping[str, Any], wait_seconds: float = 0) -> dict[str, Any]:
        """The JSON body of a POST; the server may take `wait_seconds` longer than usual to answer."""
        longest = self.timeout + wait_seconds
        return self._answer(self._posted(path, body, httpx.Timeout(self.timeout, read=longest)), longest)

    def post_once(self, path: str, body: Mapping[str, Any], within_seconds: float) -> dict[str, Any]:
        """The JSON body of a POST that is not repeated and soon given up."""
        return self._once(self._posted(path, body, httpx.Timeout(min(within_seconds, self.timeout))))

    def _posted(self, path: str, body: Mapping[str, Any], timeout: httpx.Timeout) -> httpx.Request:
        return self.http.build_request(
            "POST",
            path,
            content=json.dumps(body, default=_wire_value, allow_nan=False).encode(),
            headers={"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())},
            timeout=timeout,
        )

    def _answer(self, request: httpx.Request, longest_seconds: float) -> dict[str, Any]:
        # The first one may have been cut off at its very end, and be under way for as long again.
        under_way_until = time.monotonic() + 2 * longest_seconds
        attempt = 0
        while True:
            try:
                return self._once(request)
            except AutonomyError as refused:
                is_under_way = refused.code == "in_flight" and time.monotonic() < under_way_until
                if not is_under_way and (attempt >= self.retries or not _may_retry(refused)):
                    raise
                pause = self._pause(attempt, refused.retry_after)
                if self.hurry.wait(min(pause, LOOK_AGAIN_SECONDS) if is_under_way else pause):
                    raise
                attempt += 1

    def _once(self, request: httpx.Request) -> dict[str, Any]:
        try:
            response = self.http.send(request)
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as broken:
            raise AutonomyError(0, "bad_request", f"This request cannot be sent: {broken}") from broken
        except httpx.RequestError as broken:
            detail = f"{request.method} {request.url}: {broken or type(broken).__name__}"
            raise Unreachable(0, "unreachable", detail) from broken
        return _body_of(response)

    def _pause(self, attempt: int, asked_seconds: float) -> float:
        # Jitter keeps a crowd of agents from coming back all at once.
        pause = self.backoff_seconds * float(2 ** min(attempt, 20)) * random.uniform(0.5, 1.0)  # noqa: S311
        return max(min(pause, LONGEST_PAUSE_SECONDS), asked_seconds)


def _checked_address(text: str) -> str:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as wrong:
        raise ValueError(f"{text!r} is not the address of a server: {wrong}") from wrong
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"{text!r} is not the address of a server; write it like http://127.0.0.1:8000.")
    return text.rstrip("/")


def _checked_key(key: str) -> str:
    if not key or not key.isascii() or not key.isprintable():
        raise ValueError("The key must be one line of plain characters, as it was issued.")
    return key


def _may_retry(refused: AutonomyError) -> bool:
    if refused.retry_after > LONGEST_WISH_SECONDS:
        return False
    is_asked_to = refused.status == 429 and refused.retry_after > 0
    return is_asked_to or refused.code in {"unreachable", "in_flight"} or refused.status in BUSY


def _body_of(response: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content, parse_float=Decimal) if response.content else {}
    except (ValueError, RecursionError):
        body = None
    if not response.is_success:
        problem = body if isinstance(body, dict) else {"detail": response.reason_phrase}
        raise error_for(response.status_code, problem, _retry_after(response))
    if not isinstance(body, dict):
        raise AutonomyError(response.status_code, "not_json", "The answer is not a JSON object; is this the server?")
    return body


def _retry_after(response: httpx.Response) -> float:
    """The seconds that the server asks for, as a number or as a date (RFC 9110); 0 when it asks for nothing."""
    text = response.headers.get("Retry-After", "").strip()
    seconds = float(text) if text.isascii() and text.isdigit() else _seconds_until(text)
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)


def _seconds_until(date: str) -> float:
    try:
        return (parsedate_to_datetime(date).astimezone(UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return 0.0


def _wire_value(value: object) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is not a number that can be sent.")
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON.")
