"""The addresses of OpenTelemetry: what agents' programs tell is kept once, under the agent of the key, at its run."""

import gzip
import json
import time
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from observability.models import Event, ModelPrice, Reported, Span
from observability.operations import keeping
from tests.observability import langfuse, otlp
from workflows.api import telemetry

NOW = int(time.time()) * 10**9
TIMES = {"startTimeUnixNano": str(NOW - 2 * otlp.SECOND), "endTimeUnixNano": str(NOW - otlp.SECOND)}
CALL = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "halden-models", "gen_ai.request.model": "small-1",
    "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100,
}  # fmt: skip


def span(attributes: Any = CALL, **more: Any) -> dict[str, Any]:
    return otlp.span(attributes, **{**TIMES, "spanId": uuid.uuid4().hex[:16], **more})


@pytest.fixture
def send(robot: Any) -> Any:
    """`send("AP-04", request)` sends telemetry as that agent."""

    def sent(code: str, request: Any, *, signal: str = "traces", media: str = otlp.JSON, **headers: str) -> Any:
        agent = robot(code)
        body = request if isinstance(request, bytes) else otlp.written(request)
        if media == otlp.PROTOBUF and not isinstance(request, bytes):
            body = otlp.binary(request, signal)
        own = {"Authorization": f"Bearer {agent.key}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        # The client leaves the type of an empty body out; programs do not.
        return agent.generic("POST", f"/v1/{signal}", body, media, headers=own, CONTENT_TYPE=media)

    return sent


# --- answers ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("media", "nothing"), [(otlp.JSON, b"{}"), (otlp.PROTOBUF, b"")])
def test_what_was_taken_is_answered_in_the_encoding_it_came_in(send: Any, media: str, nothing: bytes) -> None:
    for signal in ("traces", "metrics", "logs"):
        answer = send("AP-04", {}, signal=signal, media=media)
        assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, nothing, media)
    answer = send("AP-04", otlp.spans(span()), media=media)

    assert (answer.status_code, answer.content) == (200, nothing)
    told = Span.objects.get()
    assert (told.agent, told.kind, told.model, told.input_tokens) == ("AP-04", "model", "small-1", 1000)
    assert (told.trace_id, told.nanoseconds, told.cost) == (otlp.TRACE, otlp.SECOND, None)


def test_a_batch_may_be_compressed_and_is_limited_on_both_sides(send: Any, settings: Any) -> None:
    settings.TELEMETRY_LIMIT_BYTES = 100_000
    small = gzip.compress(otlp.written(otlp.spans(span())))

    assert send("AP-04", small, Content_Encoding="gzip").status_code == 200
    bomb = send("AP-04", otlp.bomb(200_000), Content_Encoding="gzip")
    large = send("AP-04", b" " * 100_001, media=otlp.PROTOBUF)

    assert (bomb.status_code, bomb.json()["code"]) == (413, 3)
    assert (large.status_code, large["Content-Type"]) == (413, otlp.PROTOBUF)
    assert b"100,000" in large.content
    assert Span.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "media", "encoding", "status"),
    [
        (b"{}", "text/plain", "", 415),
        (b"{}", otlp.JSON, "br", 415),
        (b"{", otlp.JSON, "", 400),
        (b"\xff\xff", otlp.PROTOBUF, "", 400),
        (b"{}", otlp.JSON, "gzip", 400),
    ],
)
def test_what_is_no_request_is_answered_with_a_status(
    send: Any, body: bytes, media: str, encoding: str, status: int
) -> None:
    answer = send("AP-04", body, media=media, **({"Content_Encoding": encoding} if encoding else {}))

    assert answer.status_code == status
    assert answer["Content-Type"] == (media if media == otlp.PROTOBUF else otlp.JSON)
    if media != otlp.PROTOBUF:
        assert set(answer.json()) == {"code", "message"}


def test_only_agents_send_and_are_told_how_to_show_who_they_are(sign_in: Any, client: Any, halden: Any) -> None:
    nobody = client.post("/v1/traces", b"{}", content_type=otlp.JSON)
    wrong = client.post("/v1/traces", b"{}", content_type=otlp.JSON, headers={"Authorization": "Bearer aos_live_no"})
    person = sign_in("maria").post("/v1/traces", b"{}", content_type=otlp.JSON)
    asked = client.get("/v1/traces", headers={"Authorization": f"Bearer {halden.keys['AP-04']}"})

    assert [each.status_code for each in (nobody, wrong, person, asked)] == [401, 401, 403, 405]
    assert nobody["WWW-Authenticate"].startswith("Bearer")
    assert asked["Allow"] == "POST"
    assert all(set(each.json()) == {"code", "message"} for each in (nobody, wrong, person, asked))


def test_who_sends_too_often_is_told_when_to_come_again_and_work_goes_on(send: Any, robot: Any, settings: Any) -> None:
    settings.RATE_LIMIT_PER_MINUTE = 2

    answers = [send("AP-04", {}) for _ in range(3)]

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert int(answers[2]["Retry-After"]) > 0
    assert answers[2].json()["code"] == 8
    assert robot("AP-04").call("get", "events").status_code == 200


def test_when_too_much_comes_at_once_it_is_to_come_again(send: Any) -> None:
    taken = [telemetry._reading.acquire(blocking=False) for _ in range(telemetry.AT_ONCE)]
    try:
        answer = send("AP-04", otlp.spans(span()), media=otlp.PROTOBUF)
    finally:
        for _ in taken:
            telemetry._reading.release()

    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert send("AP-04", otlp.spans(span())).status_code == 200


def test_when_the_database_is_silent_it_is_to_come_again(send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: Any, **__: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(keeping._NEW_SPAN, "insert_new", silent)

    answer = send("AP-04", otlp.spans(span()))

    assert (answer.status_code, answer["Retry-After"]) == (503, "1")


def test_single_wrong_spans_are_refused_and_the_others_kept(send: Any) -> None:
    far = str(NOW + 10 * 3600 * otlp.SECOND)
    wrong = [
        span(traceId="12"), span({**CALL, "gen_ai.usage.cost": -1}), span(endTimeUnixNano=far),
        span({**CALL, "gen_ai.usage.input_tokens": -5}),
    ]  # fmt: skip

    told = send("AP-04", otlp.spans(span(), *wrong)).json()["partialSuccess"]
    binary = send("AP-04", otlp.spans(span(), *wrong), media=otlp.PROTOBUF).content

    assert told["rejectedSpans"] == "4"
    for words in ("32 hex digits", "gen_ai.usage.cost is negative", "in the future", "input_tokens is negative"):
        assert words in told["errorMessage"]
    assert ExportTraceServiceResponse.FromString(binary).partial_success.rejected_spans == 4
    assert Span.objects.count() == 2


# --- kept once --------------------------------------------------------------------------------------------------
def test_what_is_sent_again_is_counted_once(send: Any) -> None:
    same = otlp.spans(span(), span(), span())

    first, again = send("AP-04", same), send("AP-04", same, media=otlp.PROTOBUF)
    doubled = send("AP-04", otlp.spans(*[span(spanId="ab" * 8)] * 2))

    assert (first.content, again.content) == (b"{}", b"")
    assert doubled.json() == {}
    assert Span.objects.count() == 4


def test_nobody_can_take_the_place_of_anothers_span(send: Any) -> None:
    mine = otlp.spans(span(spanId="ab" * 8))
    send("AP-04", mine)

    told = send("AP-01", mine).json()["partialSuccess"]

    assert told == {"rejectedSpans": "1", "errorMessage": f"1 not kept: {keeping.ANOTHERS}"}
    assert Span.objects.get().agent == "AP-04"


def test_spans_may_come_in_any_order_and_late(send: Any) -> None:
    late = {"startTimeUnixNano": str(NOW - 90_000 * otlp.SECOND), "endTimeUnixNano": str(NOW - 89_000 * otlp.SECOND)}
    root, child = span({}, spanId="aa" * 8, **late), span(parentSpanId="aa" * 8)

    send("AP-04", otlp.spans(child))
    send("AP-04", otlp.spans(root))

    assert set(Span.objects.filter(trace_id=otlp.TRACE).values_list("span_id", "parent_id")) >= {("aa" * 8, "")}
    assert Span.objects.count() == 2


# --- whose, and of what -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("claimed", "claims"),
    [({}, ""), ({"gen_ai.agent.id": "AP-04"}, ""), ({"gen_ai.agent.name": "payments clerk"}, ""),
     ({"gen_ai.agent.id": "AP-01"}, "other"), ({"agent.name": "Invoice reader"}, "other"),
     ({"gen_ai.agent.name": "researcher"}, "unknown")],
)  # fmt: skip
def test_the_key_says_who_it_was_and_another_name_is_flagged(
    send: Any, halden: Any, claimed: dict[str, str], claims: str
) -> None:
    names = {"payments clerk": halden.agents["AP-04"].name, "Invoice reader": halden.agents["AP-01"].name}
    claimed = {name: names.get(value, value) for name, value in claimed.items()}

    send("AP-04", otlp.spans(span({**CALL, **claimed})))

    told = Span.objects.get()
    assert (told.agent, told.unit, told.claims) == ("AP-04", str(halden.agents["AP-04"].unit_id), claims)
    assert told.claim == (next(iter(claimed.values())) if claims else "")


def test_a_trace_is_found_at_the_run_that_its_requests_were_for(send: Any, robot: Any, bring: Any) -> None:
    run = bring()
    clerk = robot("AP-04")
    work = clerk.post(
        "/api/v1/work/claim", "{}", content_type="application/json",
        headers={"Authorization": f"Bearer {clerk.key}", "Idempotency-Key": "k",
                 "traceparent": f"00-{otlp.TRACE}-{otlp.SPAN}-01"},
    ).json()["work"]  # fmt: skip

    send("AP-04", otlp.spans(span()))
    send("AP-01", otlp.spans(span()))

    assert work is not None
    assert Span.objects.get(agent="AP-04").run == run
    assert Span.objects.get(agent="AP-01").run == ""  # it sent no request in this trace


def test_a_span_may_say_its_step_and_what_lies_below_it_belongs_there_too(send: Any, robot: Any, bring: Any) -> None:
    run = bring()
    work = robot("AP-04").claim()
    top = span({"autonomy.step": work["step"]}, spanId="aa" * 8)
    below = span(parentSpanId="aa" * 8)

    send("AP-04", otlp.spans(below, top))

    assert set(Span.objects.values_list("run", "step")) == {(run, work["step"])}


def test_nobody_puts_spans_into_a_run_that_is_not_theirs(send: Any, robot: Any) -> None:
    reader = robot("AP-01")
    body = {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "1.xml"}}
    run = reader.call("post", "runs", body).json()["id"]
    work = reader.claim()

    for said in ({"autonomy.run": run}, {"autonomy.step": work["step"]}, {"autonomy.run": "no id"},
                 {"autonomy.run": str(uuid.uuid4())}):  # fmt: skip
        assert send("AP-04", otlp.spans(span(said))).status_code == 200
    assert set(Span.objects.values_list("run", "step")) == {("", "")}

    send("AP-01", otlp.spans(span({"autonomy.run": run})))
    assert Span.objects.get(agent="AP-01").run == run


def test_what_people_wrote_is_not_kept(send: Any) -> None:
    words = {"gen_ai.input.messages": "[the salary of …]", "note": "aos_live_abcdefabcdef_0123456789"}

    send("AP-04", otlp.spans(span({**CALL, **words, "server.port": 443})))

    told = Span.objects.get()
    assert "salary" not in json.dumps(told.attributes)
    assert told.attributes["note"] == "…"
    assert (told.attributes["server.port"], told.left_out) == (443, 1)


# --- cost -------------------------------------------------------------------------------------------------------
def test_a_call_costs_by_the_table_or_as_it_says_and_never_nothing(send: Any, now: Any) -> None:
    for version, (kind, amount) in enumerate((("input", "2"), ("output", "10")), 1):
        ModelPrice.objects.create(
            version=version, model="small-*", kind=kind, per_million=Decimal(amount), currency="EUR",
            valid_from=now.replace(year=2020), set_at=now, set_by="Maria", why="The price list.",
        )  # fmt: skip

    send("AP-04", otlp.spans(
        span(spanId="aa" * 8), span({**CALL, "gen_ai.usage.cost": 0.5}, spanId="bb" * 8),
        span({**CALL, "gen_ai.request.model": "other"}, spanId="cc" * 8),
        span({**CALL, "gen_ai.operation.name": "invoke_agent", "gen_ai.usage.cost": 9}, spanId="dd" * 8),
    ))  # fmt: skip

    found = {s.span_id[:2]: (s.cost, s.currency, s.cost_source, s.price_version) for s in Span.objects.all()}
    assert found == {
        "aa": (Decimal("0.003"), "EUR", "price", 2), "bb": (Decimal("0.5"), "USD", "emitter", None),
        "cc": (None, "", "", None), "dd": (None, "", "", None),
    }  # fmt: skip


@pytest.mark.skipif(not langfuse.NAMES, reason="the traces are not here")
def test_the_traces_of_frameworks_are_kept_with_their_known_totals(send: Any) -> None:
    known = [langfuse.answers(name) for name in langfuse.NAMES]

    for name in langfuse.NAMES:
        assert send("AP-04", langfuse.request(name)).content == b"{}"
        assert send("AP-04", langfuse.request(name), media=otlp.PROTOBUF).content == b""

    assert Span.objects.count() == sum(each["observations"] for each in known) == 48
    assert not Span.objects.exclude(error="").exists()
    total = sum((each.cost for each in Span.objects.exclude(cost=None)), Decimal(0))
    estimated = Decimal("0.001375") - Decimal("0.000927499999")  # see tests/observability/test_genai.py
    assert total + estimated == pytest.approx(sum(Decimal(str(each["total_cost_usd"])) for each in known))


# --- metrics and logs -------------------------------------------------------------------------------------------
def times(request: Any) -> Any:
    return json.loads(json.dumps(request).replace(str(otlp.NOW), str(NOW)))


def test_figures_of_metrics_and_logs_are_kept_once_and_the_rest_is_told(send: Any) -> None:
    used = times(otlp.points("claude_code.token.usage", otlp.point(12, {"type": "input", "model": "c"})))
    cost = times(otlp.points("claude_code.cost.usage", otlp.point(0.25, {"model": "c"}), unit="USD"))
    other = times(otlp.points("system.cpu.time", otlp.point(3, {})))
    asked = times(otlp.line("claude_code.api_request", {"cost_usd": "0.25", "model": "c", "input_tokens": 12}))

    for _ in range(2):
        assert send("AP-04", used, signal="metrics").json() == {}
        assert send("AP-04", cost, signal="metrics", media=otlp.PROTOBUF).content == b""
        assert send("AP-04", asked, signal="logs").json() == {}
        told = send("AP-04", other, signal="metrics").json()["partialSuccess"]
    line = send("AP-04", times(otlp.line("", {}, body={"stringValue": "Hello."})), signal="logs").json()

    assert told["rejectedDataPoints"] == line["partialSuccess"]["rejectedLogRecords"] == "1"
    assert "docs/telemetry.md" in told["errorMessage"]
    assert set(Reported.objects.values_list("what", "amount", "cost")) == {
        ("tokens", Decimal(12), None), ("cost", Decimal("0.25"), Decimal("0.25")),
        ("claude_code.api_request", None, Decimal("0.25")),
    }  # fmt: skip
    assert not Event.objects.filter(verb__startswith="span").exists()
