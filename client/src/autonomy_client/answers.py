"""How an answer is read: JSON with exact numbers, problems as errors, Retry-After and RateLimit as seconds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from autonomy_client.errors import NotUnderstood, error_for

LONGEST_RETRY_AFTER_SECONDS = 86_400.0
PARAMETER = re.compile(r";\s*([a-z]+)=(\d{1,15})")

Shape = TypeVar("Shape")


@dataclass(frozen=True)
class Limit:
    """What the server lets one caller do: `remaining` of `quota` requests until `resets_seconds` have passed."""

    name: str
    quota: int
    window_seconds: int
    remaining: int
    resets_seconds: int


@dataclass(frozen=True)
class Answer:
    """A good answer: its JSON object and what its headers tell."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        """The state that was read, for `match`."""
        return self.headers.get("etag", "")


def read_answer(status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """The answer, or the typed error that it is."""
    told = {name.lower(): value for name, value in headers.items()}
    try:
        body = json.loads(content, parse_float=Decimal) if content else {}
    except (ValueError, RecursionError, ArithmeticError):
        body = None
    if not 200 <= status < 300:
        problem = body if isinstance(body, dict) else {}
        raise error_for(status, problem, retry_after(told), trace_id=told.get("x-request-id", ""))
    if not isinstance(body, dict):
        raise NotUnderstood(status, "not_json", "The answer is not a JSON object; is this the server?")
    return Answer(status, body, told)


def understood(shape: Callable[[Mapping[str, Any]], Shape], body: Mapping[str, Any]) -> Shape:
    """What `shape` makes of the body, or NotUnderstood."""
    try:
        return shape(body)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as odd:
        detail = f"The answer is not what this client expects ({odd!r}); do client and server belong together?"
        raise NotUnderstood(200, "not_understood", detail) from odd


def retry_after(headers: Mapping[str, str]) -> float:
    """The seconds that the server asks for, as a number or as a date (RFC 9110); 0 when it asks for nothing."""
    text = headers.get("retry-after", "").strip()
    seconds = float(text) if text.isascii() and text.isdigit() else _seconds_until(text)
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)


def limits_in(headers: Mapping[str, str]) -> dict[str, Limit]:
    """The limits that `RateLimit-Policy` and `RateLimit` name, by their names; what is not understood is left out."""
    policies, states = (_items(headers.get(name, "")) for name in ("ratelimit-policy", "ratelimit"))
    return {
        name: Limit(name, policies[name].get("q", 0), policies[name].get("w", 0), state["r"], state.get("t", 0))
        for name, state in states.items()
        if name in policies and "r" in state
    }


def _items(header: str) -> dict[str, dict[str, int]]:
    found = {}
    for item in header.split(","):
        name, separator, _ = item.strip().partition(";")
        if separator:
            found[name.strip('" ')] = {key: int(value) for key, value in PARAMETER.findall(item)}
    return found


def _seconds_until(date: str) -> float:
    try:
        return (parsedate_to_datetime(date).astimezone(UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return 0.0
