"""OTLP in protobuf."""

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from observability.rules.otlp.bodies import WrongBody
from observability.rules.otlp.records import DEPTH_AT_MOST, EVENTS_AT_MOST, RECORDS_AT_MOST, Record, Signal
from observability.rules.otlp.values import attributes, number, text

REQUESTS: dict[Signal, Any] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
}
TOTAL = 2  # AGGREGATION_TEMPORALITY_CUMULATIVE


def records(signal: Signal, content: bytes) -> list[Record]:
    """The records of a request, their ids in hex whatever their length. Raises WrongBody."""
    request = REQUESTS[signal]()
    try:
        request.ParseFromString(content)
    except DecodeError:
        raise WrongBody(400, f"The body is no protobuf request for {signal}.") from None
    found: list[Record] = []
    for record in READERS[signal](request):
        found.append(record)
        if len(found) > RECORDS_AT_MOST:
            raise WrongBody(413, f"At most {RECORDS_AT_MOST:,} records fit into one request. Send smaller batches.")
    return found


def _spans(request: Any) -> Iterator[Record]:
    for whole in request.resource_spans:
        resource, _ = attributes(_pairs(whole.resource.attributes))
        for part in whole.scope_spans:
            scope = text(part.scope.name, 200)
            for span in part.spans:
                found, left_out = attributes(_pairs(span.attributes))
                yield Record(
                    name=text(span.name, 300), started=span.start_time_unix_nano, ended=span.end_time_unix_nano,
                    trace_id=span.trace_id.hex(), span_id=span.span_id.hex(), parent_id=span.parent_span_id.hex(),
                    outcome=span.status.code, message=text(span.status.message), attributes=found, resource=resource,
                    scope=scope, dropped=left_out + span.dropped_attributes_count,
                    events=[_event(each) for each in span.events[:EVENTS_AT_MOST]],
                )  # fmt: skip


def _event(event: Any) -> dict[str, Any]:
    return {"name": text(event.name, 200), "at": event.time_unix_nano, **_attributes_of(event)}


def _attributes_of(event: Any) -> dict[str, Any]:
    return {"attributes": attributes(_pairs(event.attributes))[0]}


def _points(request: Any) -> Iterator[Record]:
    for whole in request.resource_metrics:
        resource, _ = attributes(_pairs(whole.resource.attributes))
        for part in whole.scope_metrics:
            for metric in part.metrics:
                kind = metric.WhichOneof("data") or ""
                data = getattr(metric, kind) if kind else None
                for point in data.data_points if data is not None else ():
                    found, left_out = attributes(_pairs(point.attributes))
                    yield Record(
                        name=text(metric.name, 300), unit=text(metric.unit, 60), kind=kind,
                        started=point.start_time_unix_nano, ended=point.time_unix_nano, value=_value_of(point, kind),
                        attributes=found, resource=resource, scope=text(part.scope.name, 200), dropped=left_out,
                        is_total=getattr(data, "aggregation_temporality", 0) == TOTAL,
                    )  # fmt: skip


def _value_of(point: Any, kind: str) -> float | int | None:
    if kind in ("histogram", "exponential_histogram", "summary"):
        return float(point.sum)
    name = point.WhichOneof("value")
    return getattr(point, name) if name else None


def _lines(request: Any) -> Iterator[Record]:
    for whole in request.resource_logs:
        resource, _ = attributes(_pairs(whole.resource.attributes))
        for part in whole.scope_logs:
            for line in part.log_records:
                found, left_out = attributes(_pairs(line.attributes))
                at = line.time_unix_nano or line.observed_time_unix_nano
                yield Record(
                    name=text(line.event_name, 300), started=at, ended=at, trace_id=line.trace_id.hex(),
                    span_id=line.span_id.hex(), attributes=found, resource=resource,
                    scope=text(part.scope.name, 200), dropped=left_out + line.dropped_attributes_count,
                    body=_value(line.body, 0), severity=text(line.severity_text, 20),
                )  # fmt: skip


READERS = {Signal.TRACES: _spans, Signal.METRICS: _points, Signal.LOGS: _lines}


def _pairs(given: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return ((pair.key, _value(pair.value, 0)) for pair in given)


def _value(value: Any, depth: int) -> Any:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return text(value.string_value)
    if kind is None:
        return None
    if kind == "double_value":
        return number(value.double_value)
    if kind == "bytes_value":
        return value.bytes_value.hex()[:4096]
    if kind not in ("array_value", "kvlist_value"):
        return getattr(value, kind)
    if depth >= DEPTH_AT_MOST:
        return "…"
    if kind == "array_value":
        return [_value(each, depth + 1) for each in value.array_value.values[:1000]]
    return {text(pair.key, 200): _value(pair.value, depth + 1) for pair in value.kvlist_value.values[:1000]}
