"""Requests of OpenTelemetry for tests, in both encodings."""

import base64
import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "traces"
NOW = 1_790_000_000 * 10**9
SECOND = 10**9
TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
JSON, PROTOBUF = "application/json", "application/x-protobuf"
REQUESTS: dict[str, Any] = {
    "traces": ExportTraceServiceRequest, "metrics": ExportMetricsServiceRequest, "logs": ExportLogsServiceRequest,
}  # fmt: skip


def value(given: Any) -> dict[str, Any]:
    """An AnyValue of the protocol."""
    if isinstance(given, bool):
        return {"boolValue": given}
    if isinstance(given, int):
        return {"intValue": str(given)}
    if isinstance(given, float):
        return {"doubleValue": given}
    if isinstance(given, list):
        return {"arrayValue": {"values": [value(each) for each in given]}}
    if isinstance(given, dict):
        return {"kvlistValue": {"values": pairs(given)}}
    return {"stringValue": given}


def pairs(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Attributes of the protocol."""
    return [{"key": name, "value": value(each)} for name, each in given.items()]


def span(attributes: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """One good span that took a second."""
    return {
        "traceId": TRACE, "spanId": SPAN, "name": "chat", "startTimeUnixNano": str(NOW - 2 * SECOND),
        "endTimeUnixNano": str(NOW - SECOND), "kind": 3, "attributes": pairs(attributes or {}), **more,
    }  # fmt: skip


def spans(*given: Mapping[str, Any], resource: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A request with these spans."""
    scope = {"scope": {"name": "tests", "version": "1"}, "spans": list(given)}
    return {"resourceSpans": [{"resource": {"attributes": pairs(resource or {})}, "scopeSpans": [scope]}]}


def points(name: str, *given: Mapping[str, Any], unit: str = "1", total: bool = False) -> dict[str, Any]:
    """A request with the points of one counter."""
    data = {"aggregationTemporality": 2 if total else 1, "isMonotonic": True, "dataPoints": list(given)}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": name, "unit": unit, "sum": data}]}]}]}


def point(number: float, attributes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """One point of a counter."""
    times = {"startTimeUnixNano": str(NOW - 60 * SECOND), "timeUnixNano": str(NOW)}
    return {"asDouble": number, "attributes": pairs(attributes), **times, **more}


def line(name: str, attributes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A request with one line of a log."""
    record = {"timeUnixNano": str(NOW), "eventName": name, "attributes": pairs(attributes), **more}
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}


def written(request: Mapping[str, Any]) -> bytes:
    """The request in JSON."""
    return json.dumps(request).encode()


def binary(request: Mapping[str, Any], signal: str = "traces") -> bytes:
    """The same request in protobuf; the general reader takes ids for base64, so they are put right first."""

    def right(part: Any) -> Any:
        if isinstance(part, dict):
            ids = ("traceId", "spanId", "parentSpanId")
            return {
                k: base64.b64encode(bytes.fromhex(v)).decode() if k in ids else right(v) for k, v in part.items()
            }  # fmt: skip
        return [right(each) for each in part] if isinstance(part, list) else part

    message = json_format.ParseDict(right(request), REQUESTS[signal](), ignore_unknown_fields=True)
    return bytes(message.SerializeToString())


def bomb(size: int) -> bytes:
    """A small body that is `size` bytes of zeros inside."""
    return gzip.compress(b"\0" * size)
