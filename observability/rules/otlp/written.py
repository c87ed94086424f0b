"""OTLP in JSON: ids are hex, enums whole numbers, 64-bit numbers text or number, unknown names are ignored."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from observability.rules.otlp.bodies import WrongBody
from observability.rules.otlp.records import DEPTH_AT_MOST, EVENTS_AT_MOST, RECORDS_AT_MOST, Record, Signal
from observability.rules.otlp.values import attributes, number, text

KINDS = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")
BYTES = "bytesValue"
TOTAL = 2
LARGEST = 2**63 - 1


def records(signal: Signal, content: bytes) -> list[Record]:
    """The records of a request, their ids in lower case whatever their length. Raises WrongBody."""
    try:
        whole = json.loads(content.decode("utf-8") or "{}")
    except (ValueError, RecursionError):
        raise WrongBody(400, "The body is not JSON in UTF-8.") from None
    found: list[Record] = []
    try:
        for record in READERS[signal](_object(whole)):
            found.append(record)
            if len(found) > RECORDS_AT_MOST:
                raise WrongBody(413, f"At most {RECORDS_AT_MOST:,} records fit into one request. Send smaller batches.")
    except _WrongShape as wrong:
        raise WrongBody(400, f"The body is no JSON request for {signal}: {wrong}") from None
    return found


class _WrongShape(ValueError):
    pass


def _spans(request: Mapping[str, Any]) -> Iterator[Record]:
    for whole in _objects(request, "resourceSpans"):
        resource = _resource(whole)
        for part in _objects(whole, "scopeSpans"):
            scope = _text(_inner(part, "scope"), "name", 200)
            for span in _objects(part, "spans"):
                found, left_out = attributes(_pairs(span))
                status = _inner(span, "status")
                yield Record(
                    name=_text(span, "name", 300), started=_whole(span, "startTimeUnixNano"),
                    ended=_whole(span, "endTimeUnixNano"), trace_id=_id(span, "traceId"), span_id=_id(span, "spanId"),
                    parent_id=_id(span, "parentSpanId"), outcome=_outcome(status), message=_text(status, "message"),
                    attributes=found, resource=resource, scope=scope,
                    dropped=left_out + _whole(span, "droppedAttributesCount"),
                    events=[_event(each) for each in _objects(span, "events")[:EVENTS_AT_MOST]],
                )  # fmt: skip


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    found, _ = attributes(_pairs(event))
    return {"name": _text(event, "name", 200), "at": _whole(event, "timeUnixNano"), "attributes": found}


def _outcome(status: Mapping[str, Any]) -> int:
    code = status.get("code", 0)
    names = {"STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}
    return code if type(code) is int and code in (0, 1, 2) else names.get(str(code), 0)


def _points(request: Mapping[str, Any]) -> Iterator[Record]:
    for whole in _objects(request, "resourceMetrics"):
        resource = _resource(whole)
        for part in _objects(whole, "scopeMetrics"):
            scope = _text(_inner(part, "scope"), "name", 200)
            for metric in _objects(part, "metrics"):
                for kind in KINDS:
                    yield from _points_of(metric, kind, resource, scope)


def _points_of(metric: Mapping[str, Any], kind: str, resource: Mapping[str, Any], scope: str) -> Iterator[Record]:
    data = _inner(metric, kind)
    for point in _objects(data, "dataPoints"):
        found, left_out = attributes(_pairs(point))
        yield Record(
            name=_text(metric, "name", 300), unit=_text(metric, "unit", 60), kind=kind,
            started=_whole(point, "startTimeUnixNano"), ended=_whole(point, "timeUnixNano"),
            value=_value_of(point, kind), attributes=found, resource=resource, scope=scope, dropped=left_out,
            is_total=data.get("aggregationTemporality") in (TOTAL, "AGGREGATION_TEMPORALITY_CUMULATIVE"),
        )  # fmt: skip


def _value_of(point: Mapping[str, Any], kind: str) -> float | int | None:
    name = "asDouble" if kind in ("gauge", "sum") else "sum"
    if "asInt" in point:
        return _signed(point["asInt"], "asInt")
    if name not in point:
        return None
    return _double(point[name], name)


def _lines(request: Mapping[str, Any]) -> Iterator[Record]:
    for whole in _objects(request, "resourceLogs"):
        resource = _resource(whole)
        for part in _objects(whole, "scopeLogs"):
            scope = _text(_inner(part, "scope"), "name", 200)
            for line in _objects(part, "logRecords"):
                found, left_out = attributes(_pairs(line))
                at = _whole(line, "timeUnixNano") or _whole(line, "observedTimeUnixNano")
                yield Record(
                    name=_text(line, "eventName", 300), started=at, ended=at, trace_id=_id(line, "traceId"),
                    span_id=_id(line, "spanId"), attributes=found, resource=resource, scope=scope,
                    dropped=left_out + _whole(line, "droppedAttributesCount"),
                    body=_value(line.get("body"), 0), severity=_text(line, "severityText", 20),
                )  # fmt: skip


READERS = {Signal.TRACES: _spans, Signal.METRICS: _points, Signal.LOGS: _lines}


def _resource(whole: Mapping[str, Any]) -> dict[str, Any]:
    return attributes(_pairs(_inner(whole, "resource")))[0]


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _WrongShape("an object is needed where another value stands.")
    return value


def _inner(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = whole.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _WrongShape(f"{name} has to be an object.")
    return value


def _objects(whole: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = whole.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise _WrongShape(f"{name} has to be a list of objects.")
    return value


def _text(whole: Mapping[str, Any], name: str, at_most: int = 4096) -> str:
    value = whole.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _WrongShape(f"{name} has to be text.")
    return text(value, at_most)


def _id(whole: Mapping[str, Any], name: str) -> str:
    return _text(whole, name, 64).lower()


def _whole(whole: Mapping[str, Any], name: str) -> int:
    value = _signed(whole.get(name) or 0, name)
    if value < 0:
        raise _WrongShape(f"{name} has to be a whole number, not below 0.")
    return value


def _signed(value: Any, name: str) -> int:
    if isinstance(value, str) and len(value) <= 20 and value.isascii() and value.removeprefix("-").isdecimal():
        value = int(value)
    if type(value) is not int or not -LARGEST - 1 <= value <= LARGEST:
        raise _WrongShape(f"{name} has to be a whole number of 64 bits.")
    return value


def _double(value: Any, name: str) -> float:
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _WrongShape(f"{name} has to be a number.")
    try:
        return float(value)
    except OverflowError:
        raise _WrongShape(f"{name} has to be a number of 64 bits.") from None


def _pairs(whole: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    given = _objects(whole, "attributes")
    return ((_text(pair, "key", 300), _value(pair.get("value"), 0)) for pair in given)


def _value(value: Any, depth: int) -> Any:
    if value is None:
        return None
    for kind, given in _object(value).items():
        if kind in VALUES:
            return VALUES[kind](given, depth)
    return None


def _array(given: Any, depth: int) -> Any:
    if depth >= DEPTH_AT_MOST:
        return "…"
    return [_value(each, depth + 1) for each in _objects(_object(given), "values")[:1000]]


def _map(given: Any, depth: int) -> Any:
    if depth >= DEPTH_AT_MOST:
        return "…"
    pairs = _objects(_object(given), "values")[:1000]
    return {_text(pair, "key", 200): _value(pair.get("value"), depth + 1) for pair in pairs}


def _flag(given: Any, depth: int) -> bool:
    if not isinstance(given, bool):
        raise _WrongShape("boolValue has to be true or false.")
    return given


VALUES = {
    "stringValue": lambda given, depth: _text({"stringValue": given}, "stringValue"),
    "boolValue": _flag,
    "intValue": lambda given, depth: _signed(given, "intValue"),
    "doubleValue": lambda given, depth: number(_double(given, "doubleValue")),
    BYTES: lambda given, depth: _text({BYTES: given}, BYTES),
    "arrayValue": _array,
    "kvlistValue": _map,
}
