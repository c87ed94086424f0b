"""The answers of the protocol, in the encoding that the request came in: what was taken, or a Status."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from observability.rules.otlp.records import Encoding, Signal

REJECTED: dict[Signal, tuple[str, str, Any]] = {
    Signal.TRACES: ("rejected_spans", "rejectedSpans", ExportTraceServiceResponse),
    Signal.METRICS: ("rejected_data_points", "rejectedDataPoints", ExportMetricsServiceResponse),
    Signal.LOGS: ("rejected_log_records", "rejectedLogRecords", ExportLogsServiceResponse),
}
# google.rpc.Code, by the HTTP status that we answer with.
CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 413: 3, 415: 3, 429: 8, 500: 13, 503: 14}


@dataclass(frozen=True)
class Answer:
    """The status and the body of an answer."""

    status: int
    encoding: Encoding
    content: bytes


def taken(signal: Signal, refused: Counter[str], encoding: Encoding) -> Answer:
    """All was taken, or all but what is counted here with its reasons: then the caller must not send it again."""
    proto_name, json_name, response = REJECTED[signal]
    many, why = refused.total(), in_words(refused)
    if encoding is Encoding.JSON:
        told = {"partialSuccess": {json_name: str(many), "errorMessage": why}} if many else {}
        return Answer(200, encoding, json.dumps(told).encode())
    whole = response()
    if many:
        setattr(whole.partial_success, proto_name, many)
        whole.partial_success.error_message = why
    return Answer(200, encoding, whole.SerializeToString())


def in_words(refused: Counter[str]) -> str:
    """The reasons with their numbers, the most frequent first."""
    return " ".join(f"{many} not kept: {why}" for why, many in refused.most_common())


def failed(status: int, message: str, encoding: Encoding) -> Answer:
    """Nothing was taken: a google.rpc.Status with a sentence that says why."""
    code = CODES.get(status, 2)
    if encoding is Encoding.JSON:
        return Answer(status, encoding, json.dumps({"code": code, "message": message}).encode())
    text = message.encode()
    return Answer(status, encoding, b"\x08" + bytes([code]) + b"\x12" + _varint(len(text)) + text)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
