"""One request and its retries: every repeat carries the same Idempotency-Key, so it can do no harm."""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx

from autonomy_client.errors import AutonomyError, Unreachable, error_for

LONGEST_PAUSE_SECONDS = 10.0
BUSY = frozenset({502, 503, 504})


class Wire:
    """The connection of one agent: sends JSON, retries what may be retried, raises typed errors."""

    def __init__(self, base_url: str, key: str, timeout: float, retries: int, backoff_seconds: float) -> None:
        self.timeout = timeout
        self.retries = retries
        self.backoff_seconds = backoff_seconds
        self.hurry = threading.Event()
        self.http = httpx.Client(
            base_url=base_url.rstrip("/") + "/api/v1/",
            headers={"Authorization": f"Bearer {key}", "Accept": "application/json"},
        )

    def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON body of a GET."""
        return self._answer(self.http.build_request("GET", path, params=params, timeout=self.timeout))

    def post(self, path: str, body: Mapping[str, Any], wait_seconds: float = 0) -> dict[str, Any]:
        """The JSON body of a POST; the server may take `wait_seconds` longer than usual to answer."""
        request = self.http.build_request(
            "POST",
            path,
            content=json.dumps(body, default=_wire_value, allow_nan=False).encode(),
            headers={"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())},
            timeout=self.timeout + wait_seconds,
        )
        return self._answer(request)

    def _answer(self, request: httpx.Request) -> dict[str, Any]:
        for attempt in range(self.retries + 1):
            try:
                return self._once(request)
            except AutonomyError as refused:
                if attempt == self.retries or not _may_retry(refused):
                    raise
                if self.hurry.wait(self._pause(attempt, refused.retry_after)):
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _once(self, request: httpx.Request) -> dict[str, Any]:
        try:
            response = self.http.send(request)
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as broken:
            raise AutonomyError(0, "bad_request", f"This request cannot be sent: {broken}") from broken
        except httpx.TransportError as broken:
            detail = f"{request.method} {request.url}: {broken or type(broken).__name__}"
            raise Unreachable(0, "unreachable", detail) from broken
        return _body_of(response)

    def _pause(self, attempt: int, asked_seconds: float) -> float:
        # Jitter keeps a crowd of agents from coming back all at once.
        pause = self.backoff_seconds * float(2**attempt) * random.uniform(0.5, 1.0)  # noqa: S311
        return min(max(pause, asked_seconds), LONGEST_PAUSE_SECONDS)


def _may_retry(refused: AutonomyError) -> bool:
    return refused.code in {"unreachable", "in_flight"} or refused.status in BUSY


def _body_of(response: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content, parse_float=Decimal) if response.content else {}
    except ValueError:
        body = None
    if not response.is_success:
        problem = body if isinstance(body, dict) else {"detail": response.reason_phrase}
        raise error_for(response.status_code, problem, _retry_after(response))
    if not isinstance(body, dict):
        raise AutonomyError(response.status_code, "not_json", "The answer is not a JSON object; is this the server?")
    return body


def _retry_after(response: httpx.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _wire_value(value: object) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is not a number that can be sent.")
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON.")
