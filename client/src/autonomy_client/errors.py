"""What can go wrong on the wire: one typed error for each kind of problem+json answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class AutonomyError(Exception):
    """The server refused the request, or no usable answer came."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[Mapping[str, Any]] = (),
        retry_after: float = 0,
    ) -> None:
        super().__init__(detail or code)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after

    def __str__(self) -> str:
        fields = "; ".join(f"{item.get('field', '?')}: {item.get('message', '')}" for item in self.errors)
        head = f"{self.status} {self.code}: {self.detail}"
        return f"{head} ({fields})" if fields else head


class Unauthorized(AutonomyError):
    """401: the key is unknown, expired or revoked."""


class Forbidden(AutonomyError):
    """403: the key is good, but this agent may not do that."""


class NotFound(AutonomyError):
    """404: it does not exist, or this agent may not see it."""


class Conflict(AutonomyError):
    """409: it is in another state by now."""


class StaleLease(Conflict):
    """409 `stale_lease`: the lease ran out and somebody else may hold the work."""


class Invalid(AutonomyError):
    """400 or 422: a field is wrong; `errors` names it."""


class TooLarge(AutonomyError):
    """413: the body is over the server's limit."""


class RateLimited(AutonomyError):
    """429: too many requests, and still so after all retries; `retry_after` says how many seconds to wait."""


class Unreachable(AutonomyError):
    """Status 0: no answer came, after all retries."""


BY_STATUS: Mapping[int, type[AutonomyError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: Invalid,
    429: RateLimited,
}


def error_for(status: int, problem: Mapping[str, Any], retry_after: float = 0) -> AutonomyError:
    """The typed error that says what a problem+json answer says."""
    code = str(problem.get("code") or f"http_{status}")
    kind = StaleLease if code == "stale_lease" else BY_STATUS.get(status, AutonomyError)
    detail = str(problem.get("detail") or problem.get("title") or "The server gave no reason.")
    listed = problem.get("errors")
    errors = [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []
    return kind(status, code, detail, errors, retry_after)
