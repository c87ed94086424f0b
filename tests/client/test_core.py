"""The client's core is arithmetic: when a try is followed by another, how long after, what an answer says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from autonomy_client import AutonomyError
from autonomy_client.answers import limits_in, read_answer
from autonomy_client.errors import BY_STATUS, error_for
from autonomy_client.keeping import Lease
from autonomy_client.patience import LONGEST_PAUSE_SECONDS, LOOK_AGAIN_SECONDS, Patience, Tries
from autonomy_client.shapes import Decision, Work
from autonomy_client.tools import in_words
from hypothesis import given, settings
from hypothesis import strategies as st

LUCK = st.floats(0, 1)
SECONDS = st.floats(0, 1e6)
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "RateLimit", "RateLimit-Policy", "ETag", "X-Request-ID"]), st.text(max_size=40)
)


@pytest.mark.parametrize(
    ("status", "code", "asked", "repeated"),
    [
        (409, "in_flight", 0, True),
        (409, "wrong_status", 0, False),
        (409, "stale_lease", 0, False),
        (429, "rate_limited", 0, True),
        (429, "rate_limited", 60, True),
        (429, "rate_limited", 61, False),
        (502, "http_502", 0, True),
        (503, "unavailable", 2, True),
        (503, "unavailable", 3600, False),
        (504, "http_504", 0, True),
        (500, "internal", 0, False),
        (400, "invalid", 0, False),
        (401, "unauthorized", 0, False),
        (403, "not_allowed", 0, False),
        (404, "not_found", 0, False),
        (412, "changed_since", 0, False),
        (413, "too_large", 0, False),
        (422, "idempotency_key_reused", 0, False),
        (428, "if_match_missing", 0, False),
    ],
)
def test_what_is_sent_again(status: int, code: str, asked: float, repeated: bool) -> None:
    tries = Tries(Patience(30, 5, 0.25), 30, now=0)

    pause = tries.pause_after(error_for(status, {"code": code}, asked), now=100, luck=0.5)

    assert (pause is not None) == repeated
    assert pause is None or pause >= asked


@pytest.mark.parametrize(
    ("attempt", "asked", "luck", "pause"),
    [
        (0, 0, 0, 0.125),
        (0, 0, 1, 0.25),
        (1, 0, 1, 0.5),
        (3, 0, 1, 2.0),
        (9, 0, 1, LONGEST_PAUSE_SECONDS),
        (999, 0, 0, LONGEST_PAUSE_SECONDS / 2),
        (0, 30, 0, 30),
        (0, 30, 1, 33),
    ],
)
def test_how_long_the_pause_is(attempt: int, asked: float, luck: float, pause: float) -> None:
    assert Patience(30, 5, 0.25).pause(attempt, asked, luck) == pytest.approx(pause)


@settings(deadline=None)
@given(st.integers(0, 10**9), st.floats(0, 60), LUCK, st.floats(0, 1e9))
def test_a_pause_is_bounded_and_never_shorter_than_asked(
    attempt: int, asked: float, luck: float, backoff: float
) -> None:
    pause = Patience(30, 5, backoff).pause(attempt, asked, luck)

    assert asked <= pause <= max(LONGEST_PAUSE_SECONDS, asked * 1.1)


@settings(deadline=None)
@given(st.integers(0, 9), st.lists(st.sampled_from([429, 502, 503, 504]), min_size=20, max_size=20), LUCK)
def test_a_request_is_tried_once_and_then_as_often_as_wished(retries: int, refusals: list[int], luck: float) -> None:
    tries = Tries(Patience(30, retries, 0.25), 30, now=0)

    pauses = [tries.pause_after(error_for(status, {}), now=1, luck=luck) for status in refusals]

    assert [pause is None for pause in pauses] == [number >= retries for number in range(20)]


@settings(deadline=None)
@given(st.floats(0.1, 100), SECONDS, LUCK)
def test_what_is_under_way_is_waited_for_until_it_cannot_be_any_more(longest: float, now: float, luck: float) -> None:
    tries = Tries(Patience(30, 0, 0.25), longest, now=0)

    pause = tries.pause_after(error_for(409, {"code": "in_flight"}), now=now, luck=luck)

    assert (pause is not None) == (now < 2 * longest)
    assert pause is None or pause <= LOOK_AGAIN_SECONDS


@settings(deadline=None)
@given(st.integers(100, 599), HEADERS, st.binary(max_size=60))
def test_any_answer_is_read_or_is_a_typed_error(status: int, headers: dict[str, str], content: bytes) -> None:
    try:
        answer = read_answer(status, headers, content)
    except AutonomyError as refused:
        assert refused.status == status
        assert 0 <= refused.retry_after <= 86_400
    else:
        assert 200 <= status < 300
        assert isinstance(answer.body, dict)


@settings(deadline=None)
@given(
    st.integers(400, 599),
    st.dictionaries(
        st.sampled_from(["code", "detail", "errors", "trace_id"]),
        st.none() | st.text() | st.integers() | st.lists(st.text()),
    ),
)
def test_any_problem_has_its_class_its_code_and_a_sentence(status: int, problem: dict[str, Any]) -> None:
    error = error_for(status, problem)

    assert isinstance(error, BY_STATUS.get(status, AutonomyError))
    assert error.code
    assert error.detail
    assert str(error).startswith(f"{status} ")


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["ratelimit", "ratelimit-policy"]), st.text(max_size=60)))
def test_no_header_about_limits_breaks_anything(headers: dict[str, str]) -> None:
    assert all(limit.remaining >= 0 for limit in limits_in(headers).values())


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_numbers_are_read_exactly(amount: Decimal) -> None:
    answer = read_answer(200, {}, b'{"amount": %s}' % format(amount, "f").encode())

    assert answer.body["amount"] == amount


@settings(deadline=None)
@given(st.floats(0.01, 1000), st.lists(st.booleans(), max_size=30))
def test_a_lease_is_lost_only_after_a_whole_length_of_silence(seconds: float, heard: list[bool]) -> None:
    lease, now = Lease(Work.from_wire({"step": "s", "lease_token": 1, "lease_seconds": seconds}), now=0), 0.0
    silent_since = 0.0
    for is_heard in heard:
        now += lease.beat_seconds
        if is_heard:
            lease.renewed(seconds, now)
            silent_since = now
        else:
            lease.failed(error_for(503, {}), now)
        assert lease.lost <= (now - silent_since >= seconds * 0.999)
        if lease.lost:
            break


@pytest.mark.parametrize("status", [401, 403, 404, 409])
def test_a_lease_that_the_server_denies_is_lost_at_once(status: int) -> None:
    lease = Lease(Work.from_wire({"step": "s", "lease_token": 1}), now=0)

    lease.failed(error_for(status, {}), now=0)

    assert lease.lost


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        ({"effect": "allow"}, "YES: go on."),
        (
            {"effect": "allow", "obligations": [{"type": "cap", "max": Decimal("5.0")}]},
            'YES: go on, and keep to [{"type": "cap", "max": "5.0"}].',
        ),
        ({"effect": "deny", "reason": "Too much."}, "NO: Too much. Do not do it."),
        ({}, "NO: it is not allowed. Do not do it."),
        ({"effect": "escalate"}, "WAIT: a person decides. Stop here and do nothing else."),
    ],
)
def test_a_decision_in_words_for_a_model(wire: dict[str, Any], words: str) -> None:
    assert in_words(Decision.from_wire(wire)) == words
