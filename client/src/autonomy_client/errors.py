"""What can go wrong on the wire: one typed error for each kind of problem+json answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class AutonomyError(Exception):
    """The server refused the request, or no usable answer came.

    `code` is stable, `detail` is a sentence, `errors` names each wrong field, `trace_id` is what to tell whoever runs
    the server."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[Mapping[str, Any]] = (),
        retry_after: float = 0,
        *,
        trace_id: str = "",
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or code)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.trace_id = trace_id
        self.problem = dict(problem or {})

    def __str__(self) -> str:
        fields = "; ".join(f"{item.get('field', '?')}: {item.get('message', '')}" for item in self.errors)
        head = f"{self.status} {self.code}: {self.detail}"
        traced = f" [trace {self.trace_id}]" if self.trace_id else ""
        return f"{head} ({fields}){traced}" if fields else f"{head}{traced}"


class Unauthorized(AutonomyError):
    """401: the key or token is unknown, expired or revoked."""


class TokenRefused(Unauthorized):
    """The token endpoint gave no token; `code` is its OAuth error, such as `invalid_client`."""


class Forbidden(AutonomyError):
    """403: the key is good, but this agent may not do that."""


class NotFound(AutonomyError):
    """404: it does not exist, or this agent may not see it."""


class Conflict(AutonomyError):
    """409: it is in another state by now."""


class StaleLease(Conflict):
    """409 `stale_lease`: the lease ran out and somebody else may hold the work."""


class InFlight(Conflict):
    """409 `in_flight`: the first request with this Idempotency-Key had not ended after all retries."""


class ChangedSince(AutonomyError):
    """412: it was changed since you read it; read it again and decide anew."""


class MatchNeeded(AutonomyError):
    """428: say with `match` which state of it you read."""


class Invalid(AutonomyError):
    """400 or 422: a field is wrong; `errors` names it."""


class TooLarge(AutonomyError):
    """413: the body is over the server's limit."""


class RateLimited(AutonomyError):
    """429: too many requests, and still so after all retries; `retry_after` says how many seconds to wait."""


class ServerFault(AutonomyError):
    """5xx: the server failed, and still so after all retries; nothing of the request was kept."""


class Unavailable(ServerFault):
    """502, 503 or 504: the server is busy or being restarted."""


class Unreachable(AutonomyError):
    """Status 0: no answer came, after all retries."""


class NotUnderstood(AutonomyError):
    """An answer came that is not what this client expects; client and server may not belong together."""


BY_STATUS: Mapping[int, type[AutonomyError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: ChangedSince,
    413: TooLarge,
    422: Invalid,
    428: MatchNeeded,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}
BY_CODE: Mapping[str, type[AutonomyError]] = {"stale_lease": StaleLease, "in_flight": InFlight}


def error_for(status: int, problem: Mapping[str, Any], retry_after: float = 0, *, trace_id: str = "") -> AutonomyError:
    """The typed error that says what a problem+json answer says."""
    code = str(problem.get("code") or f"http_{status}")
    kind = BY_CODE.get(code) or BY_STATUS.get(status) or (ServerFault if status >= 500 else AutonomyError)
    detail = str(problem.get("detail") or problem.get("title") or "The server gave no reason.")
    listed = problem.get("errors")
    errors = [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []
    told = str(problem.get("trace_id") or trace_id)
    return kind(status, code, detail, errors, retry_after, trace_id=told, problem=problem)
