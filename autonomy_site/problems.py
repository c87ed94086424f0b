"""The one place where an error becomes an HTTP answer: problem+json (RFC 9457) with a stable code."""

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db.utils import DataError, InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from observability.ledger import Refused

log = logging.getLogger(__name__)


def problem(error: Exception, context: Mapping[str, Any]) -> Response:
    """The one place where an error becomes an HTTP answer."""
    set_rollback()
    if isinstance(error, Refused):
        answer = _answer(error.status, error.code, error.detail, error.fields)
    elif isinstance(error, Http404):
        answer = _answer(404, "not_found", "There is no such thing, or you may not see it.")
    elif isinstance(error, RequestDataTooBig):
        answer = _answer(413, "too_large", "The body is larger than 1 MB.")
    elif isinstance(error, OperationalError | InterfaceError):
        log.exception("the database did not answer")
        answer = _answer(503, "unavailable", "The database did not answer; try again with the same key.")
        answer["Retry-After"] = "2"
    elif isinstance(error, exceptions.APIException):
        answer = _from_framework(error)
    elif isinstance(error, DataError):
        log.warning("a value was refused by the database", exc_info=error)
        answer = _answer(400, "invalid", "A value is too long or cannot be kept; nothing was changed.")
    else:
        log.error("an error that nobody foresaw", exc_info=error)
        answer = _answer(500, "internal", "Something went wrong here; it was noted and nothing was changed.")
    if answer.status_code == 401:
        answer["WWW-Authenticate"] = 'Bearer realm="autonomy-os"'
    return answer


def _from_framework(error: exceptions.APIException) -> Response:
    if isinstance(error, exceptions.ValidationError):
        return _answer(400, "invalid", "The request has errors; nothing was changed.", _flat(error.detail))
    status = 400 if isinstance(error, exceptions.UnsupportedMediaType) else error.status_code
    code = str(error.get_codes()) if isinstance(error.get_codes(), str) else "invalid"
    answer = _answer(status, code, str(error.detail))
    wait = getattr(error, "wait", None)
    if wait:
        answer["Retry-After"] = str(int(wait) + 1)
    return answer


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


def _answer(status: int, code: str, detail: str, fields: Mapping[str, str] | None = None) -> Response:
    body: dict[str, Any] = {
        "type": f"urn:autonomy-os:problem:{code}", "title": code.replace("_", " ").capitalize(), "status": status,
        "detail": detail, "code": code,
    }  # fmt: skip
    if fields:
        body["errors"] = [{"field": name, "message": message} for name, message in fields.items()]
    return Response(body, status=status, content_type="application/problem+json")
