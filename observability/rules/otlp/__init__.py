"""OpenTelemetry's protocol (OTLP 1.x over HTTP): a request body in, plain records out, whatever its encoding."""

from observability.rules.otlp.answers import Answer, failed, taken
from observability.rules.otlp.bodies import Body, WrongBody, opened
from observability.rules.otlp.reading import read
from observability.rules.otlp.records import Batch, Encoding, Record, Signal

__all__ = [
    "Answer", "Batch", "Body", "Encoding", "Record", "Signal", "WrongBody", "failed", "opened", "read", "taken",
]  # fmt: skip
