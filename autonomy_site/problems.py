"""The one place where an error becomes an HTTP answer: problem+json (RFC 9457) with a stable code."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db.utils import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions

from agents.api.authentication import challenge
from agents.api.limits import TooMany
from agents.api.permissions import InsufficientScope
from autonomy_site import traces
from observability.ledger import NotFound, Refused, record_refusal

log = logging.getLogger(__name__)


AGAIN_AFTER_SECONDS = 2  # what 503 says when nobody knows better


@dataclass(frozen=True)
class Problem:
    """What is told about an error: its status, a stable code, a sentence, and one for each wrong field."""

    status: int
    code: str
    detail: str
    fields: Mapping[str, str] = field(default_factory=dict)
    retry_after: int | None = None
    family: str = Refused.family

    @property
    def body(self) -> dict[str, Any]:
        """The problem as JSON, with the path and the trace of the request that it is about."""
        body: dict[str, Any] = {
            "type": f"{self.family}{self.code}", "title": self.code.replace("_", " ").capitalize(),
            "status": self.status, "detail": self.detail, "code": self.code,
            "errors": [{"field": name, "message": message} for name, message in self.fields.items()],
        }  # fmt: skip
        if trace := traces.current.get():
            body |= {"instance": trace.path, "trace_id": trace.trace_id}
        return body

    @property
    def headers(self) -> dict[str, str]:
        """What a caller's program acts on: when to come again."""
        seconds = AGAIN_AFTER_SECONDS if self.retry_after is None and self.status == 503 else self.retry_after
        return {} if seconds is None else {"Retry-After": str(seconds)}

    def as_json(self) -> JsonResponse:
        """The problem as an HTTP answer."""
        return JsonResponse(
            self.body, status=self.status, content_type="application/problem+json", headers=self.headers
        )  # fmt: skip


TOO_LARGE = Problem(413, "too_large", "The body is larger than 1 MB.")
NOT_FOUND = Problem(404, NotFound.code, str(NotFound()))
UNREADABLE = Problem(400, "unreadable", "The request cannot be read: its address, host or form is not as it should be.")
UNAVAILABLE = Problem(503, "unavailable", "The database did not answer; try again with the same key.")
UNKEEPABLE = Problem(400, "invalid", "A value is too long or cannot be kept; nothing was changed.")
INTERNAL = Problem(500, "internal", "Something went wrong here; it was noted and nothing was changed.")


SENTENCES = {
    "authentication_failed": "The Authorization header cannot be read.",
    "method_not_allowed": "This address does not take this method; the Allow header says which it takes.",
    "not_acceptable": "The answers of the API are application/json; say so in Accept, or send no Accept.",
    "not_authenticated": "Send an agent's key in the Authorization header, or sign in as a person.",
    "unsupported_media_type": "The body has to be application/json.",
}


def concerns_api(request: HttpRequest) -> bool:
    """Whether a program asks, so that the answer is a problem and not a page."""
    return request.path.startswith(("/api/", "/v1/", "/access/v1/", "/oauth/", "/.well-known/"))


def answer(error: Exception, context: Mapping[str, Any]) -> JsonResponse:
    """The API's answer to an error, whatever format was asked for; Django REST framework calls it."""
    if isinstance(error, Refused) and error.about is not None:
        # Only then: who has no valid key is nobody, and asking who it is would refuse once more.
        record_refusal(error, by=context["request"].user)
    answered = problem_of(error).as_json()
    if answered.status_code == 401:
        answered["WWW-Authenticate"] = challenge(context["request"])
    if isinstance(error, InsufficientScope):
        answered["WWW-Authenticate"] = challenge(context["request"], error=error.code, scope=error.scope)
    return answered


def problem_of(error: BaseException | None) -> Problem:
    """What is told about this error; what nobody foresaw is logged, and none of its words are told."""
    if isinstance(error, TooMany):
        return Problem(error.status, error.code, error.detail, retry_after=error.retry_after)
    if isinstance(error, Refused):
        return Problem(error.status, error.code, error.detail, error.fields, family=error.family)
    if isinstance(error, exceptions.APIException):
        return _from_framework(error)
    if isinstance(error, Http404):
        return NOT_FOUND
    if isinstance(error, RequestDataTooBig):
        return TOO_LARGE
    if isinstance(error, SuspiciousOperation | BadRequest | MultiPartParserError):
        return UNREADABLE
    return _unforeseen(error)


def _unforeseen(error: BaseException | None) -> Problem:
    if isinstance(error, OperationalError | InterfaceError):
        log.error("the database did not answer", exc_info=error)
        return UNAVAILABLE
    if isinstance(error, DataError):
        log.warning("a value was refused by the database", exc_info=error)
        return UNKEEPABLE
    log.error("an error that nobody foresaw", exc_info=error)
    return INTERNAL


def _from_framework(error: exceptions.APIException) -> Problem:
    if isinstance(error, exceptions.ValidationError):
        return Problem(400, "invalid", "The request has errors; nothing was changed.", _flat(error.detail))
    status = 400 if isinstance(error, exceptions.UnsupportedMediaType) else error.status_code
    code = error.get_codes()
    code = code if isinstance(code, str) else "invalid"
    return Problem(status, code, SENTENCES.get(code, str(error.detail)))


def _flat(detail: Any, prefix: str = "") -> dict[str, str]:
    if isinstance(detail, dict):
        found: dict[str, str] = {}
        for name, inner in detail.items():
            place = f"[{name}]" if isinstance(name, int) else f".{name}"
            found.update(_flat(inner, f"{prefix}{place}" if prefix else str(name)))
        return found
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        return {k: v for n, inner in enumerate(detail) for k, v in _flat(inner, f"{prefix}[{n}]").items()}
    return {prefix or "body": " ".join(str(part) for part in detail) if isinstance(detail, list) else str(detail)}
