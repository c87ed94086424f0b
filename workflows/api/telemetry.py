"""The addresses that OpenTelemetry's exporters send to: /v1/traces, /v1/metrics and /v1/logs (OTLP over HTTP).

Answers and errors are those of the protocol, in the encoding of the request. Only 429 and 503 ask to try again."""

import logging
import threading
from typing import Any

from django.conf import settings
from django.db.utils import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.request import Request

from agents.api.authentication import challenge
from agents.api.doors import AgentsOnly, Door
from agents.api.limits import ByPrincipal, TooMany
from agents.rules import ANY
from observability.ledger import Refused, database_now
from observability.rules.otlp import Answer, Encoding, Signal, WrongBody, failed, opened, read, taken
from observability.rules.otlp.bodies import encoding_of, too_large
from workflows.operations.telemetry import take_figures, take_spans

log = logging.getLogger(__name__)
AT_ONCE = 8  # requests that a process reads at the same time
AGAIN_AFTER_SECONDS = 1
BUSY = "Too much telemetry comes in at the same time. Send it again after the seconds in Retry-After."
_reading = threading.BoundedSemaphore(AT_ONCE)


class TelemetryLimit(ByPrincipal):
    """A limit of its own: telemetry takes nothing from the requests that work needs."""

    policy = "telemetry"


@extend_schema(exclude=True)
class TelemetryDoor(Door):
    """One signal of OpenTelemetry, from an agent with its key or token."""

    scope = ANY
    signal = Signal.TRACES
    permission_classes = [AgentsOnly]
    throttle_classes = [TelemetryLimit]
    http_method_names = ["post"]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Whatever Accept says: the answer has the encoding of the request."""
        return super().perform_content_negotiation(request, force=True)

    def post(self, request: Request) -> HttpResponse:
        """Keep what came, and say what was not kept and why."""
        if not _reading.acquire(blocking=False):
            return told(failed(503, BUSY, encoding_in(request)), retry_after=AGAIN_AFTER_SECONDS)
        try:
            return told(self.kept(request))
        finally:
            _reading.release()

    def kept(self, request: Request) -> Answer:
        """The answer when all or part of it was kept. Raises WrongBody."""
        limit, at = settings.TELEMETRY_LIMIT_BYTES, database_now()
        body = opened(
            request._request.read(limit + 1), media_type=request.headers.get("Content-Type", ""),
            compression=request.headers.get("Content-Encoding", ""), at_most=limit,
        )  # fmt: skip
        batch = read(self.signal, body, now=int(at.timestamp()) * 10**9)
        if self.signal is Signal.TRACES:
            take_spans(batch, agent=self.agent, at=at)
        else:
            take_figures(self.signal, batch, agent=self.agent, at=at)
        return taken(self.signal, batch.refused, body.encoding)

    def handle_exception(self, exc: Exception) -> Any:
        """The error as a Status."""
        return answer_to(exc, self.request)


class TracesView(TelemetryDoor):
    """Spans: what an agent's program did."""


class MetricsView(TelemetryDoor):
    """Points of metrics, of which those about use are kept."""

    signal = Signal.METRICS


class LogsView(TelemetryDoor):
    """Events of logs, of which those about use are kept."""

    signal = Signal.LOGS


def encoding_in(request: HttpRequest | Request) -> Encoding:
    """The encoding of a request; JSON when it names none that is known."""
    try:
        return encoding_of(request.headers.get("Content-Type", ""))
    except WrongBody:
        return Encoding.JSON


def told(answer: Answer, *, retry_after: int | None = None) -> HttpResponse:
    """The answer over HTTP."""
    response = HttpResponse(answer.content, status=answer.status, content_type=answer.encoding.value)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


def refused_as_too_large(request: HttpRequest) -> HttpResponse:
    """What is said to a body over the limit before anybody reads it."""
    wrong = too_large(settings.TELEMETRY_LIMIT_BYTES)
    return told(failed(wrong.code, str(wrong), encoding_in(request)))


def answer_to(error: Exception, request: Request) -> HttpResponse:
    """The Status for an error; what nobody foresaw is logged, and none of its words are told."""
    status, words = _status_of(error)
    again = error.retry_after if isinstance(error, TooMany) else AGAIN_AFTER_SECONDS if status == 503 else None
    response = told(failed(status, words, encoding_in(request)), retry_after=again)
    if status == 401:
        response["WWW-Authenticate"] = challenge(request)
    if status == 405:
        response["Allow"] = "POST"
    return response


def _status_of(error: Exception) -> tuple[int, str]:
    if isinstance(error, WrongBody):
        return error.code, str(error)
    if isinstance(error, Refused):
        return error.status, error.detail
    if isinstance(error, exceptions.NotAuthenticated):
        return 401, "Send an agent's key or token in the Authorization header."
    if isinstance(error, exceptions.APIException):
        return error.status_code, str(error.detail)
    if isinstance(error, OperationalError | InterfaceError):
        log.error("the database did not answer", exc_info=error)
        return 503, "The database did not answer. Send it again after the seconds in Retry-After."
    if isinstance(error, DataError):
        log.warning("a value was refused by the database", exc_info=error)
        return 400, "A value is too long or cannot be kept; nothing was kept."
    log.error("an error that nobody foresaw", exc_info=error)
    return 500, "Something went wrong here; it was noted and nothing was kept."
