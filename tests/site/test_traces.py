"""Every request has a trace: the caller's when it sent one, told in the answer, in each problem and in the log."""

import logging
import re
from typing import Any

import pytest
from django.test import Client

from autonomy_site import traces

GIVEN = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{GIVEN}-00f067aa0ba902b7-01"
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0[01]")


def test_the_callers_trace_goes_on_under_a_span_of_ours(robot: Any) -> None:
    headers = {"Authorization": f"Bearer {robot('AP-04').key}", "traceparent": PARENT}

    answer = Client().get("/api/v1/me", headers=headers)

    found = TRACEPARENT.fullmatch(answer["traceparent"])
    assert found
    assert (found[1], answer["X-Request-ID"]) == (GIVEN, GIVEN)
    assert found[2] != "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "wrong",
    [
        "", "x", GIVEN, f"00-{GIVEN.upper()}-00f067aa0ba902b7-01", f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{GIVEN}-{'0' * 16}-01", f"ff-{GIVEN}-00f067aa0ba902b7-01", f"{PARENT}-more", f"{PARENT},{PARENT}",
        f"00-{GIVEN}-00f067aa0ba902b7", f"00-{GIVEN}٣-00f067aa0ba902b7-01",
    ],
)  # fmt: skip
def test_what_is_no_trace_begins_a_new_one(wrong: str) -> None:
    trace = traces.begun(wrong, "", "/")

    assert trace.trace_id != GIVEN
    assert TRACEPARENT.fullmatch(trace.traceparent)
    assert trace.request_id == trace.trace_id


def test_a_later_version_of_the_header_is_read_as_far_as_it_is_known() -> None:
    assert traces.begun(f"cc-{GIVEN}-00f067aa0ba902b7-01-what-comes", "", "/").trace_id == GIVEN


@pytest.mark.parametrize(
    ("given", "told"),
    [("order-7/3", "order-7/3"), ("a b\tc", "abc"), ("x" * 500, "x" * 128), ("<b>é</b>", "<b></b>")],
)
def test_the_callers_own_id_comes_back_bounded_and_printable(given: str, told: str) -> None:
    assert traces.begun("", given, "/").request_id == told
    assert Client().get("/signed-out", headers={"X-Request-ID": given})["X-Request-ID"] == told


def test_two_requests_have_two_traces(db: None) -> None:
    first, second = (Client().get("/signed-out")["traceparent"] for _ in range(2))

    assert first != second


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/v1/me", {}, 401),
        ("/api/v1/nothing", {}, 404),
        ("/api/v1/runs/ü", {}, 404),
        ("/api/v1/me", {"Host": "evil.example"}, 400),
        ("/api/v1/agents/a%00b", {}, 400),
        ("/api/schema/", {"Accept": "text/html"}, 406),
        ("/api/v1/me", {"Content-Length": "9" * 30}, 413),
    ],
)
def test_every_problem_names_its_trace_and_its_path(
    halden: Any, path: str, headers: dict[str, str], status: int
) -> None:
    answer = Client().get(path, headers={"traceparent": PARENT, **headers})

    body = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert (body["status"], body["trace_id"]) == (status, GIVEN)
    assert body["instance"].startswith("/api/")
    assert body["instance"].isascii()
    assert set(body) == {"type", "title", "status", "detail", "code", "errors", "instance", "trace_id"}


def test_an_error_that_nobody_foresaw_tells_nothing_but_its_trace(halden: Any, monkeypatch: Any, caplog: Any) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("SELECT secret FROM keys at /srv/app/x.py")

    monkeypatch.setattr("agents.api.registry.Agent.objects", None)
    monkeypatch.setattr("agents.api.registry.MeSerializer", broken)
    client = Client(raise_request_exception=False)
    with caplog.at_level(logging.ERROR):
        answer = client.get(
            "/api/v1/me", headers={"Authorization": f"Bearer {halden.keys['AP-04']}", "traceparent": PARENT}
        )

    assert (answer.status_code, answer.json()["code"], answer.json()["trace_id"]) == (500, "internal", GIVEN)
    assert not re.search(r"SELECT|secret|/srv|Traceback|RuntimeError", answer.content.decode())


def test_a_line_of_the_log_names_the_request_that_wrote_it() -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "told", None, None)
    before = traces.current.set(traces.begun(PARENT, "", "/"))
    try:
        assert traces.WithTrace().filter(record)
    finally:
        traces.current.reset(before)

    assert record.trace_id == GIVEN  # type: ignore[attr-defined]
    traces.WithTrace().filter(record)
    assert record.trace_id == "-"  # type: ignore[attr-defined]


def test_a_form_without_its_token_is_a_page_for_people_and_a_problem_for_programs(halden: Any) -> None:
    page = Client(enforce_csrf_checks=True).post("/sign-in", {"username": "priya"})

    assert page.status_code == 403
    assert page["Content-Type"].startswith("text/html")
