"""The client against a real server that drops, delays and refuses: nothing is done twice, nothing is silent."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import pytest
from autonomy_client import (
    Autonomy,
    AutonomyError,
    Change,
    Conflict,
    Evidence,
    Forbidden,
    Invalid,
    Keeper,
    NotFound,
    RateLimited,
    StaleLease,
    TooLarge,
    Unauthorized,
    Unreachable,
    Work,
)

BUSY = (503, {"code": "busy", "detail": "Come back."})
IN_FLIGHT = (409, {"code": "in_flight", "detail": "Being worked on."})
PATIENCE_SECONDS = 120
INPUT = {"document": "a.xml", "sha256": "0" * 64}


def work_for_the_clerk(platform: Any, client: Autonomy) -> Work:
    platform.start({"key": "INV-7", "workflow": "invoice-to-payment", "input": INPUT})
    platform.open("INV-7", "pay")
    work = client.claim(0)
    assert work is not None
    return work


def keys(requests: list[Any]) -> set[str]:
    return {headers["Idempotency-Key"] for _, _, headers, _ in requests}


def test_me_says_who_the_key_belongs_to(client: Autonomy) -> None:
    me = client.me()

    assert (me.code, me.role, me.autonomy_level, me.status) == ("clerk", "clerk", 2, "active")


@pytest.mark.parametrize("fault", ["drop", "lose", BUSY, IN_FLIGHT, (502, b"<html>bad gateway</html>")])
def test_a_disturbed_request_is_repeated_with_the_same_key(platform: Any, client: Autonomy, fault: Any) -> None:
    platform.faults = [fault, fault]

    run = client.start_run("invoice-to-payment", "INV-7", INPUT)

    asked = platform.sent("runs")
    assert run.key == "INV-7"
    assert len(asked) == 3
    assert len(keys(asked)) == 1
    assert len(platform.runs) == 1


def test_a_claim_whose_answer_was_lost_gives_the_same_work_again(platform: Any, client: Autonomy) -> None:
    platform.start({"key": "INV-7", "workflow": "invoice-to-payment", "input": INPUT})
    step = platform.open("INV-7", "pay")
    platform.faults = ["lose"]

    work = client.claim(0)

    assert work is not None
    assert (work.step, work.lease_token, work.run.key) == (step["step"], 1, "INV-7")
    assert work.variables["input"] == INPUT


def test_a_repeat_waits_as_long_as_the_first_one_is_under_way(platform: Any, client: Autonomy) -> None:
    platform.start({"key": "INV-7", "workflow": "invoice-to-payment", "input": INPUT})
    step = platform.open("INV-7", "pay")
    platform.faults = ["drop", *[IN_FLIGHT] * 9]

    work = client.claim(20)

    assert work is not None
    assert work.step == step["step"]
    assert len(platform.sent("work/claim")) == 11
    assert len(keys(platform.sent("work/claim"))) == 1


def test_an_act_that_stays_under_way_for_ever_is_given_up(platform: Any, server: str) -> None:
    platform.faults = [IN_FLIGHT] * 1000
    with (
        Autonomy(server, "clerk", timeout=0.5, retries=1, backoff_seconds=0.001) as client,
        pytest.raises(Conflict, match="in_flight"),
    ):
        client.start_run("invoice-to-payment", "INV-7", INPUT)

    assert platform.faults


@pytest.mark.parametrize("status", [429, 503])
def test_the_client_comes_back_when_the_server_asks_it_to(platform: Any, client: Autonomy, status: int) -> None:
    platform.faults = [(status, {"code": "busy", "detail": "Later."}, {"Retry-After": "1"})]

    began = time.monotonic()
    client.me()

    assert time.monotonic() - began >= 1
    assert len(platform.requests) == 2


def test_a_wish_to_be_left_alone_may_be_a_date(platform: Any, client: Autonomy) -> None:
    at = datetime.now(UTC) + timedelta(seconds=2.5)
    platform.faults = [(503, {"code": "busy"}, {"Retry-After": format_datetime(at, usegmt=True)})]

    began = time.monotonic()
    client.me()

    assert time.monotonic() - began >= 1


@pytest.mark.parametrize(("asked", "understood"), [("120", 120), ("9" * 400, 86_400), ("soon", 0), ("-5", 0)])
def test_a_long_wait_is_left_to_the_caller(platform: Any, server: str, asked: str, understood: float) -> None:
    platform.faults = [(503, {"code": "busy", "detail": "Later."}, {"Retry-After": asked})]
    with Autonomy(server, "clerk", retries=0) as client, pytest.raises(AutonomyError) as caught:
        client.me()

    assert caught.value.retry_after == understood
    platform.faults = [(503, {"code": "busy"}, {"Retry-After": "61"})]
    with Autonomy(server, "clerk") as client, pytest.raises(AutonomyError, match="busy"):
        client.me()
    assert len(platform.requests) == 2


@pytest.mark.parametrize("address", ["", "127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://a:b"])
def test_an_address_that_cannot_be_one_is_refused_at_once(address: str) -> None:
    with pytest.raises(ValueError, match="not the address of a server"):
        Autonomy(address, "clerk")


@pytest.mark.parametrize("key", ["", "two\nlines", "schl\u00fcssel"])
def test_a_key_that_cannot_be_one_is_refused_at_once(key: str) -> None:
    with pytest.raises(ValueError, match="one line of plain characters"):
        Autonomy("http://127.0.0.1:8000", key)


@pytest.mark.parametrize(
    "body",
    [
        {"work": {"step": "s"}},
        {"work": [1]},
        {"work": {"step": "s", "lease_token": "x"}},
        {"work": {"step": "s", "lease_token": 1, "run": 5}},
    ],
)
def test_an_answer_of_another_form_is_a_typed_error(platform: Any, client: Autonomy, body: Any) -> None:
    platform.faults = [(200, body)]

    with pytest.raises(AutonomyError, match="not_understood"):
        client.claim(0)


def test_an_answer_that_cannot_be_unpacked_counts_as_none(platform: Any, server: str) -> None:
    platform.faults = [(200, b"no gzip at all", {"Content-Encoding": "gzip"})]

    with Autonomy(server, "clerk", retries=1, backoff_seconds=0.001) as client:
        assert client.me().code == "clerk"


def test_two_acts_never_share_a_key(platform: Any, client: Autonomy) -> None:
    client.start_run("invoice-to-payment", "INV-7", INPUT)
    client.start_run("invoice-to-payment", "INV-7", INPUT)

    assert len(keys(platform.sent("runs"))) == 2


def test_without_a_server_the_client_gives_up_after_its_retries() -> None:
    client = Autonomy("http://127.0.0.1:9", "clerk", retries=2, backoff_seconds=0.001)

    with pytest.raises(Unreachable, match="me"):
        client.me()


def test_hurry_ends_the_wait_between_retries(platform: Any, server: str) -> None:
    platform.faults = [BUSY] * 9
    with Autonomy(server, "clerk", retries=9, backoff_seconds=60) as client:
        threading.Timer(0.05, client.hurry).start()
        with pytest.raises(AutonomyError, match="busy"):
            client.me()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid", Invalid),
        (401, "unauthorized", Unauthorized),
        (403, "not_allowed", Forbidden),
        (404, "not_found", NotFound),
        (409, "wrong_status", Conflict),
        (409, "stale_lease", StaleLease),
        (413, "too_large", TooLarge),
        (422, "idempotency_key_reused", Invalid),
        (429, "rate_limited", RateLimited),  # without a word about when to come back
        (418, "teapot", AutonomyError),
    ],
)
def test_a_refusal_is_a_typed_error_and_not_repeated(
    platform: Any, client: Autonomy, status: int, code: str, kind: type[AutonomyError]
) -> None:
    errors = [{"field": "output.total", "message": "is no decimal"}]
    platform.faults = [(status, {"code": code, "detail": "No.", "errors": errors})]

    with pytest.raises(kind) as caught:
        client.start_run("invoice-to-payment", "INV-7", INPUT)

    assert type(caught.value) is kind
    assert str(caught.value) == f"{status} {code}: No. (output.total: is no decimal)"
    assert len(platform.requests) == 1


def test_an_answer_that_is_not_json_is_an_error(platform: Any, client: Autonomy) -> None:
    platform.faults = [(200, b"<html>Welcome</html>")]

    with pytest.raises(AutonomyError, match="not a JSON object"):
        client.me()


def test_finish_reports_the_output_exactly_and_claims_the_next(platform: Any, client: Autonomy) -> None:
    work = work_for_the_clerk(platform, client)
    following = platform.open("INV-7", "pay")

    next_work = client.finish(work, {"paid": True, "amount": Decimal("0.10")}, cost="0.0012", claim_next=True)

    body = platform.sent(f"steps/{work.step}/finish")[0][3]
    assert body["output"] == {"paid": True, "amount": "0.10"}
    assert body["cost"] == "0.0012"
    assert next_work is not None
    assert next_work.step == following["step"]


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity"), float("nan")])
def test_what_is_no_number_is_not_sent(platform: Any, client: Autonomy, amount: Any) -> None:
    work = work_for_the_clerk(platform, client)

    with pytest.raises(ValueError):
        client.finish(work, {"amount": amount})

    assert platform.sent(f"steps/{work.step}/finish") == []


def test_numbers_come_back_exactly(platform: Any, client: Autonomy) -> None:
    fact = b'{"fact": {"space": "s", "key": "k", "value": {"price": 0.1}, "age_seconds": 4, "saved_cost": "0.000120"}}'
    platform.faults = [(200, fact)]

    found = client.recall("s", "k")

    assert found is not None
    assert found.value["price"] == Decimal("0.1")
    assert found.saved_cost == Decimal("0.000120")


def test_a_fact_is_remembered_for_whoever_asks_next(platform: Any, client: Autonomy) -> None:
    assert client.recall("orders", "PO 1/ü") is None

    evidence = [Evidence("order", "po.xml", "what was ordered")]
    client.remember("orders", "PO 1/ü", {"lines": 2}, evidence=evidence, cost="0.01", seconds="2.5")

    found = client.recall("orders", "PO 1/ü")
    assert found is not None
    assert found.value == {"lines": 2}
    assert platform.sent("memory/facts")[1][3]["evidence"] == [
        {"kind": "order", "name": "po.xml", "proves": "what was ordered"}
    ]


def test_asking_sends_the_whole_question_and_reads_the_answer(platform: Any, client: Autonomy) -> None:
    work = work_for_the_clerk(platform, client)

    decision = client.ask(
        work,
        "invoice.pay",
        {"type": "invoice", "id": "INV-7", "properties": {"findings": 0}},
        {"amount": "9000.00", "currency": "EUR"},
        title="Pay EUR 9,000.00",
        statement="It matches.",
        confidence=Decimal("0.98"),
        changes=[Change("INV-7", "open", "scheduled")],
    )

    assert decision.waits_for_a_person
    assert not decision.allowed
    assert decision.escalation is not None
    asked = platform.sent("actions")[0][3]
    assert asked["confidence"] == "0.98"
    assert asked["changes"] == [{"field": "INV-7", "before": "open", "after": "scheduled"}]
    with pytest.raises(StaleLease):
        client.finish(work, {"paid": True})


def test_a_kept_lease_is_renewed_while_the_work_goes_on(platform: Any, client: Autonomy) -> None:
    work = work_for_the_clerk(platform, client)
    beats = f"steps/{work.step}/heartbeat"
    enough = threading.Event()
    assert client.keeping(work).beat(work, PATIENCE_SECONDS) == platform.lease_seconds

    # The lease is short, an answer may take its time: a busy machine does not lose it.
    platform.lease_seconds = 0.03
    with Keeper(replace(work, lease_seconds=0.03), lambda work, _: client.heartbeat(work)) as keeper:
        while len(platform.sent(beats)) < 3:
            enough.wait(0.005)

    assert not keeper.lost
    assert len(keys(platform.sent(beats))) >= 3


def test_a_lease_that_went_to_somebody_else_is_noticed(platform: Any, client: Autonomy) -> None:
    platform.lease_seconds = 0.3
    work = work_for_the_clerk(platform, client)
    platform.steps[work.step]["lease_token"] += 1

    with client.keeping(work) as keeper:
        keeper.thread.join(PATIENCE_SECONDS)

    assert keeper.lost


def test_a_lease_that_runs_out_while_the_server_is_silent_is_noticed(platform: Any, client: Autonomy) -> None:
    platform.lease_seconds = 0.3
    work = work_for_the_clerk(platform, client)
    platform.faults = [BUSY] * 99

    with client.keeping(work) as keeper:
        keeper.thread.join(PATIENCE_SECONDS)

    assert keeper.lost
    # A beat is not repeated: the next one is its repeat.
    assert len(keys(platform.sent(f"steps/{work.step}/heartbeat"))) == len(
        platform.sent(f"steps/{work.step}/heartbeat")
    )


def test_a_heartbeat_without_an_answer_does_not_hold_up_the_report(platform: Any, client: Autonomy) -> None:
    platform.lease_seconds = 15
    work = work_for_the_clerk(platform, client)
    hanging, over = threading.Event(), threading.Event()

    def beat(_: Work, within_seconds: float) -> float:
        hanging.set()
        over.wait(PATIENCE_SECONDS)
        return 15

    keeper = Keeper(replace(work, lease_seconds=0.03), beat)
    with keeper:
        assert hanging.wait(PATIENCE_SECONDS)
    still_hangs = keeper.thread.is_alive()
    over.set()

    assert still_hangs
    client.finish(work, {"paid": True})
