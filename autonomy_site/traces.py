"""Which request this is: its trace (W3C Trace Context) and the caller's id for it, for answers and logs."""

import logging
import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import quote

TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
UNPRINTABLE = re.compile(r"[^\x21-\x7e]")
REQUEST_ID_AT_MOST, PATH_AT_MOST = 128, 500
NOT_SAMPLED = "00"


@dataclass(frozen=True)
class Trace:
    """One request: the trace that it belongs to, our own span in it, the caller's id for it, and its path."""

    trace_id: str
    span_id: str
    flags: str
    request_id: str
    path: str

    @property
    def traceparent(self) -> str:
        """Our span as a header."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def begun(traceparent: str, request_id: str, path: str) -> Trace:
    """The trace of a request that came with these headers: the caller's when it is well formed, otherwise a new one.
    The caller's id loses what is not printable and what is too long; without one the trace's id stands for it."""
    trace_id, flags = _given(traceparent) or (_random_id(16), NOT_SAMPLED)
    own = UNPRINTABLE.sub("", request_id)[:REQUEST_ID_AT_MOST] or trace_id
    return Trace(trace_id, _random_id(8), flags, own, quote(path[:PATH_AT_MOST], safe="/:@!$&'()*+,;=~-._"))


def _given(traceparent: str) -> tuple[str, str] | None:
    found = TRACEPARENT.fullmatch(traceparent.strip())
    if found is None or found["version"] == "ff" or (found["version"] == "00" and found["more"]):
        return None
    if not int(found["trace"], 16) or not int(found["span"], 16):
        return None
    return found["trace"], f"{int(found['flags'], 16) & 1:02x}"  # what the other flags mean is not known here


def _random_id(size: int) -> str:
    found = secrets.token_hex(size)
    return found if int(found, 16) else _random_id(size)


class WithTrace(logging.Filter):
    """Gives each line of the log the trace of the request that wrote it, "-" outside of one."""

    def filter(self, record: logging.LogRecord) -> bool:
        trace = current.get()
        record.trace_id = trace.trace_id if trace else "-"
        return True
