"""How often a caller may ask: each principal by itself, told in every answer, right over many processes."""

import re
import threading
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.conf import settings as site_settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from redis.exceptions import ConnectionError as RedisGone

from agents.api import limits

NOON = "2026-11-30T12:00:00Z"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def at_noon(settings: Any) -> Any:
    """The first second of a minute, and five requests a minute."""
    settings.RATE_LIMIT_PER_MINUTE = 5
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def test_a_burst_is_told_to_wait_and_then_goes_on(robot: Any, at_noon: Any) -> None:
    clerk = robot("AP-04")

    answers = [clerk.call("get", "me") for _ in range(5)]
    refused = clerk.call("get", "me")
    at_noon.shift(60)
    later = clerk.call("get", "me")

    assert [answer["RateLimit"] for answer in answers] == [f'"default";r={left};t=60' for left in (4, 3, 2, 1, 0)]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"default";q=5;w=60'}
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (429, "rate_limited", "60")
    assert refused["RateLimit"] == '"default";r=0;t=60'
    assert refused["Content-Type"] == "application/problem+json"
    assert (later.status_code, later["RateLimit"]) == (200, '"default";r=4;t=60')


def test_a_limit_is_that_of_one_principal(robot: Any, sign_in: Any, at_noon: Any) -> None:
    for _ in range(6):
        last = robot("AP-04").call("get", "agents")

    assert last.status_code == 429
    assert robot("AP-01").call("get", "agents").status_code == 200
    assert sign_in("priya").call("get", "agents").status_code == 200


def test_what_is_refused_counts_and_so_do_strangers_by_their_address(robot: Any, at_noon: Any) -> None:
    clerk = robot("AP-04")
    statuses = [clerk.call("post", "policies", {}).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]

    strangers = [Client().get("/api/v1/me").status_code for _ in range(6)]
    assert strangers == [401] * 5 + [429]
    assert Client(REMOTE_ADDR="10.0.0.9").get("/api/v1/me").status_code == 401


def test_counting_asks_the_database_nothing(robot: Any, django_assert_num_queries: Any, at_noon: Any) -> None:
    clerk = robot("AP-04")
    for _ in range(5):
        clerk.call("get", "me")
    statements: list[str] = []

    def heard(execute: Any, sql: str, *rest: Any) -> Any:
        statements.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(heard):
        assert clerk.call("get", "me").status_code == 429

    assert not [sql for sql in statements if re.search(r"limit|throttl|cache", sql.casefold().replace("limit 21", ""))
                and "from" not in sql.casefold()]  # fmt: skip


def test_twenty_callers_at_once_are_counted_exactly() -> None:
    found: list[int] = []

    def ask() -> None:
        for _ in range(10):
            used = limits.counter.count("default", "p1", 1000)
            assert used is not None
            found.append(used.count)

    with time_machine.travel(NOON, tick=False):
        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(found) == list(range(1, 201))


def test_without_its_counter_nobody_is_limited_and_the_log_says_so(
    robot: Any, settings: Any, monkeypatch: Any, caplog: Any
) -> None:
    settings.RATE_LIMIT_PER_MINUTE = 1
    monkeypatch.setattr(limits, "counter", limits.Counter())
    asked: list[str] = []

    def gone(key: str, *_: Any) -> int:
        asked.append(key)
        raise RedisGone("10.0.0.7 refused the connection")

    kind: Any = type(cache._connections[cache._alias])  # type: ignore[attr-defined]
    monkeypatch.setattr(kind, "count" if hasattr(kind, "count") else "incr", gone, raising=False)
    answers = [robot("AP-04").call("get", "me") for _ in range(4)]

    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers
    assert len(asked) == 1, "a counter that does not answer is left alone for a while"
    assert "nobody is limited" in caplog.text


def test_signing_in_has_a_stricter_limit_for_each_address(halden: Any, settings: Any) -> None:
    settings.SIGN_IN_LIMIT_PER_MINUTE = 2
    with time_machine.travel(NOON, tick=False):
        wrong = {"username": "priya", "password": "wrong"}
        statuses = [Client().post("/sign-in", wrong).status_code for _ in range(3)]
        elsewhere = Client(REMOTE_ADDR="10.0.0.9").post("/sign-in", wrong).status_code
        looked = Client().get("/sign-in").status_code

    assert statuses == [200, 200, 429]
    assert (elsewhere, looked) == (200, 200)


def test_a_client_that_asks_for_tokens_is_limited_from_all_addresses_together(halden: Any, settings: Any) -> None:
    settings.SIGN_IN_LIMIT_PER_MINUTE = 2

    def ask(address: str, client: str) -> Any:
        given = {"grant_type": "client_credentials", "client_id": client}
        return Client(REMOTE_ADDR=address).post("/oauth/token", urlencode(given), FORM)

    with time_machine.travel(NOON, tick=False):
        answers = [ask(f"10.0.0.{number}", "AP-04") for number in range(3)]
        other = ask("10.0.0.3", "AP-01\0" + "x" * 500)

    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert other.status_code == 400
    assert set(answers[2].json()) == {"error", "error_description"}
    assert answers[2].json()["error"] == "rate_limited"
    assert 0 < int(answers[2]["Retry-After"]) <= 60
    assert answers[2]["Cache-Control"] == "no-store"


def test_the_default_is_more_than_a_busy_agent_needs() -> None:
    from autonomy_site import settings as read

    assert read.RATE_LIMIT_PER_MINUTE == 1200
    assert site_settings.SIGN_IN_LIMIT_PER_MINUTE > 60, "the tests sign in more often than people do"


def test_counts_that_are_lost_meanwhile_refuse_nobody() -> None:
    ended = threading.Event()

    def lose() -> None:
        while not ended.is_set():
            cache.clear()

    losing = threading.Thread(target=lose)
    losing.start()
    try:
        counts = [limits.counter.count("default", "somebody", 10) for _ in range(500)]
    finally:
        ended.set()
        losing.join()

    assert all(each is not None and each.count >= 1 for each in counts)
