"""What both transports share: the request of a call, the errors of a connection, checked addresses and keys."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx

from autonomy_client.answers import Answer, read_answer
from autonomy_client.calls import BELOW, Call
from autonomy_client.errors import AutonomyError, Unreachable


def request_of(call: Call[Any], http: httpx.Client | httpx.AsyncClient, timeout: float) -> httpx.Request:
    """The request of a call; it is sent again as it is, so that every repeat carries the same Idempotency-Key."""
    headers = {"If-Match": call.match} if call.match else {}
    content = None
    if call.method != "GET":
        headers |= {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        content = json.dumps(call.body or {}, default=_wire_value, allow_nan=False).encode()
    patience = httpx.Timeout(timeout, read=timeout + call.wait_seconds)
    # No parameters is None: an empty mapping would take away those that the path has.
    params = dict(call.params) or None
    root = str(http.base_url).removesuffix(BELOW) if call.path.startswith("/") else ""
    return http.build_request(
        call.method, root + call.path, params=params, content=content, headers=headers, timeout=patience
    )


def answer_of(response: httpx.Response) -> Answer:
    """What the response says, or the error that it is."""
    return read_answer(response.status_code, response.headers, response.content)


@contextlib.contextmanager
def typed_errors(request: httpx.Request) -> Iterator[None]:
    """What can go wrong with a connection, as this client's errors."""
    try:
        yield
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as broken:
        raise AutonomyError(0, "bad_request", f"This request cannot be sent: {broken}") from broken
    except httpx.RequestError as broken:
        detail = f"{request.method} {request.url}: {broken or type(broken).__name__}"
        raise Unreachable(0, "unreachable", detail) from broken


def checked_address(text: str) -> str:
    """The server's address without a slash at its end; ValueError when it cannot be one."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as wrong:
        raise ValueError(f"{text!r} is not the address of a server: {wrong}") from wrong
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"{text!r} is not the address of a server; write it like http://127.0.0.1:8000.")
    return text.rstrip("/")


def _wire_value(value: object) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is not a number that can be sent.")
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON.")
