"""Reading OpenTelemetry's requests: both encodings give the same records, and what is wrong is refused by its words."""

import gzip
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from observability.rules.otlp import Batch, Body, Encoding, Signal, WrongBody, failed, opened, read, taken
from observability.rules.otlp.reading import FUTURE, NO_IDS, NO_TIME
from tests.observability import otlp

MB = 1024 * 1024


def as_json(request: Any, signal: Signal = Signal.TRACES) -> Batch:
    return read(signal, Body(Encoding.JSON, otlp.written(request)), now=otlp.NOW)


def as_protobuf(request: Any, signal: Signal = Signal.TRACES) -> Batch:
    return read(signal, Body(Encoding.PROTOBUF, otlp.binary(request, signal)), now=otlp.NOW)


WHOLE = otlp.span(
    {"gen_ai.request.model": "m", "n": 3, "f": 0.5, "yes": True, "list": ["a", 1], "map": {"a": {"b": "c"}}},
    parentSpanId="eee19b7ec3c1b173", status={"code": 2, "message": "broke"},
    events=[{"name": "exception", "timeUnixNano": str(otlp.NOW), "attributes": otlp.pairs({"exception.type": "E"})}],
)  # fmt: skip


@pytest.mark.parametrize("reading", [as_json, as_protobuf])
def test_a_span_is_read_whole(reading: Any) -> None:
    (record,) = reading(otlp.spans(WHOLE, resource={"service.name": "desk"})).records

    assert (record.trace_id, record.span_id, record.parent_id) == (otlp.TRACE, otlp.SPAN, "eee19b7ec3c1b173")
    assert (record.started, record.ended) == (otlp.NOW - 2 * otlp.SECOND, otlp.NOW - otlp.SECOND)
    assert (record.outcome, record.message, record.scope) == (2, "broke", "tests")
    assert record.attributes == {
        "gen_ai.request.model": "m", "n": 3, "f": 0.5, "yes": True, "list": ["a", 1], "map": {"a": {"b": "c"}},
    }  # fmt: skip
    assert record.resource == {"service.name": "desk"}
    assert record.events == [{"name": "exception", "at": otlp.NOW, "attributes": {"exception.type": "E"}}]


def test_both_encodings_give_the_same_records() -> None:
    assert as_json(otlp.spans(WHOLE)) == as_protobuf(otlp.spans(WHOLE))
    metric = otlp.points("claude_code.cost.usage", otlp.point(0.25, {"model": "m"}), unit="USD")
    assert as_json(metric, Signal.METRICS) == as_protobuf(metric, Signal.METRICS)
    log = otlp.line("claude_code.api_request", {"cost_usd": 0.5}, body={"stringValue": "told"}, severityText="INFO")
    assert as_json(log, Signal.LOGS) == as_protobuf(log, Signal.LOGS)


@pytest.mark.parametrize("name", ["trace", "metrics", "logs", "events"])
def test_the_examples_of_the_protocol_are_read(name: str) -> None:
    path = otlp.DATA / "otlp_json_examples" / f"{name}.json"
    if not path.exists():
        pytest.skip("the examples are not here")
    signal = {"trace": Signal.TRACES, "metrics": Signal.METRICS}.get(name, Signal.LOGS)

    batch = read(signal, Body(Encoding.JSON, path.read_bytes()), now=otlp.NOW)

    assert not batch.refused
    assert len(batch.records) == {"trace": 1, "metrics": 4, "logs": 1, "events": 1}[name]
    if name == "trace":
        (record,) = batch.records
        assert (record.trace_id, record.span_id) == (otlp.TRACE, otlp.SPAN)
        assert record.attributes == {"my.span.attr": "some value"}
        assert (record.ended - record.started, record.scope) == (otlp.SECOND, "my.library")


def test_names_that_nobody_knows_are_ignored_and_numbers_may_be_text() -> None:
    strange = otlp.span(flags=1, zukunft={"a": 1}, startTimeUnixNano=otlp.NOW - 5, endTimeUnixNano=str(otlp.NOW))

    (record,) = as_json({**otlp.spans(strange), "more": []}).records

    assert record.ended - record.started == 5


@pytest.mark.parametrize("request_", [{}, {"resourceSpans": []}, {"resourceSpans": None}, otlp.spans()])
def test_an_empty_request_is_no_error(request_: Any) -> None:
    assert as_json(request_).size == 0
    assert as_protobuf({} if None in request_.values() else request_).size == 0


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"traceId": "5b8e"}, NO_IDS),
        ({"traceId": "0" * 32}, NO_IDS),
        ({"spanId": "00" * 8}, NO_IDS),
        ({"spanId": "ab" * 9}, NO_IDS),
        ({"parentSpanId": "ab"}, NO_IDS),
        ({"startTimeUnixNano": "0"}, NO_TIME),
        ({"endTimeUnixNano": "1"}, NO_TIME),
        ({"endTimeUnixNano": str(otlp.NOW + 2 * 3600 * otlp.SECOND)}, FUTURE),
        ({"startTimeUnixNano": str(2**63 - 1), "endTimeUnixNano": str(2**63 - 1)}, FUTURE),
    ],
)
@pytest.mark.parametrize("reading", [as_json, as_protobuf])
def test_one_wrong_span_is_counted_and_the_others_are_read(reading: Any, wrong: Any, why: str) -> None:
    batch = reading(otlp.spans(otlp.span(**wrong), otlp.span()))

    assert dict(batch.refused) == {why: 1}
    assert len(batch.records) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"{", b'"text"', b"\xff", b'{"resourceSpans": {}}', b'{"resourceSpans": [1]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 5}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "soon"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": 1.5}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": 1' + b"0" * 5000 + b"}]}]}]}",
        otlp.written(otlp.spans({"attributes": [{"key": "a", "value": {"intValue": "x"}}]})),
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_whole(body: bytes) -> None:
    with pytest.raises(WrongBody) as told:
        read(Signal.TRACES, Body(Encoding.JSON, body), now=otlp.NOW)
    assert told.value.code == 400


def test_logs_that_came_to_the_address_of_traces_are_refused_whole() -> None:
    logs = otlp.binary(otlp.line("e", {"a": "b"}, traceId=otlp.TRACE, spanId=otlp.SPAN), "logs")

    with pytest.raises(WrongBody, match="traces"):
        read(Signal.TRACES, Body(Encoding.PROTOBUF, logs), now=otlp.NOW)
    with pytest.raises(WrongBody):
        read(Signal.TRACES, Body(Encoding.PROTOBUF, b"\xff\xff\xff"), now=otlp.NOW)


@pytest.mark.parametrize("ids", [{"traceId": "5b"}, {"traceId": "x" * 60}, {"spanId": "ab" * 20}])
def test_a_line_of_a_log_whose_trace_is_none_is_kept_without(ids: Any) -> None:
    (record,) = as_json(otlp.line("e", {}, **ids), Signal.LOGS).records

    assert (record.trace_id, record.span_id) == ("", "")


def test_more_records_than_fit_are_refused_whole() -> None:
    with pytest.raises(WrongBody) as told:
        as_json(otlp.spans(*[{"name": "x"}] * 10_001))
    assert told.value.code == 413


def test_attributes_are_limited_and_what_is_left_out_is_counted() -> None:
    many = {f"a{number}": number for number in range(200)} | {"n" * 300: 1}
    deep: Any = "x"
    for _ in range(20):
        deep = {"in": deep}

    (record,) = as_json(otlp.spans(otlp.span({"deep": deep, "long": "y" * 9000, "nul": "a\0b", **many}))).records

    assert len(record.attributes) == 128
    assert record.dropped == 203 - 128 + 1
    assert len(record.attributes["long"]) == 4096
    assert record.attributes["nul"] == "a\N{REPLACEMENT CHARACTER}b"
    assert json.dumps(record.attributes["deep"]).count("in") == 8


# --- bodies -----------------------------------------------------------------------------------------------------
def test_gzip_is_opened_and_the_type_may_have_parameters() -> None:
    body = opened(gzip.compress(b"{}"), media_type="Application/JSON; charset=utf-8", compression="gzip", at_most=MB)

    assert body == Body(Encoding.JSON, b"{}")


@pytest.mark.parametrize(
    ("content", "media_type", "compression", "status"),
    [
        (b"{}", "text/plain", "", 415),
        (b"{}", "", "", 415),
        (b"{}", "application/json", "br", 415),
        (b"{}", "application/json", "gzip", 400),
        (gzip.compress(b"{}")[:-4], "application/json", "gzip", 400),
        (b"x" * (MB + 1), "application/json", "", 413),
        (otlp.bomb(MB + 1), "application/json", "gzip", 413),
        (gzip.compress(b"x") * 100 + otlp.bomb(MB), "application/json", "gzip", 413),
    ],
)
def test_a_body_that_cannot_be_taken_is_refused(content: bytes, media_type: str, compression: str, status: int) -> None:
    with pytest.raises(WrongBody) as told:
        opened(content, media_type=media_type, compression=compression, at_most=MB)
    assert told.value.code == status


def test_a_bomb_takes_no_memory() -> None:
    bomb = otlp.bomb(400 * MB)
    tracemalloc.start()
    try:
        with pytest.raises(WrongBody):
            opened(bomb, media_type="application/json", compression="gzip", at_most=MB)
        assert tracemalloc.get_traced_memory()[1] < 4 * MB
    finally:
        tracemalloc.stop()


# --- answers ----------------------------------------------------------------------------------------------------
def test_a_full_success_says_nothing_and_a_partial_one_says_what_and_why() -> None:
    refused = as_json(otlp.spans(otlp.span(traceId="1"), otlp.span())).refused

    assert taken(Signal.TRACES, Batch().refused, Encoding.JSON).content == b"{}"
    assert taken(Signal.TRACES, Batch().refused, Encoding.PROTOBUF).content == b""
    told = json.loads(taken(Signal.TRACES, refused, Encoding.JSON).content)
    assert told == {"partialSuccess": {"rejectedSpans": "1", "errorMessage": f"1 not kept: {NO_IDS}"}}
    whole = ExportTraceServiceResponse.FromString(taken(Signal.TRACES, refused, Encoding.PROTOBUF).content)
    assert (whole.partial_success.rejected_spans, whole.partial_success.error_message) == (1, f"1 not kept: {NO_IDS}")


@pytest.mark.parametrize("message", ["no", "ä" * 300])
def test_an_error_is_a_status_in_the_encoding_of_the_request(message: str) -> None:
    told = failed(400, message, Encoding.PROTOBUF).content

    # google.rpc.Status has its code in field 1 and its message in field 2, as protobuf reads any message.
    from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message_factory import GetMessageClass

    status = DescriptorProto(name="Status")
    status.field.add(name="code", number=1, type=5, label=1)
    status.field.add(name="message", number=2, type=9, label=1)
    pool = DescriptorPool()
    pool.Add(FileDescriptorProto(name="s.proto", syntax="proto3", message_type=[status]))
    read_back = GetMessageClass(pool.FindMessageTypeByName("Status")).FromString(told)
    assert (read_back.code, read_back.message) == (3, message)
    assert json.loads(failed(413, message, Encoding.JSON).content) == {"code": 3, "message": message}


# --- whatever comes ---------------------------------------------------------------------------------------------
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["resourceSpans", "scopeSpans", "spans", "attributes", "value", "key", "traceId", "events",
                         "status", "stringValue", "arrayValue", "values", "startTimeUnixNano", "name", "resource"]),
        inner, max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(trees)
def test_any_json_is_read_or_refused(tree: Any) -> None:
    try:
        batch = read(Signal.TRACES, Body(Encoding.JSON, json.dumps(tree).encode()), now=otlp.NOW)
    except WrongBody as wrong:
        assert wrong.code == 400
    else:
        assert not batch.records


@given(st.binary(max_size=200), st.sampled_from(list(Signal)), st.sampled_from(list(Encoding)))
def test_any_bytes_are_read_or_refused(content: bytes, signal: Signal, encoding: Encoding) -> None:
    try:
        read(signal, Body(encoding, content), now=otlp.NOW)
    except WrongBody as wrong:
        assert wrong.code == 400
