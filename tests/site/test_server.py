"""The whole server, from outside: what it says without its database, and how much of a body it takes."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.site.conftest import PATIENCE_SECONDS

PIECE = b"x" * 64 * 1024


@pytest.fixture
def without_database(site: Any) -> Iterator[None]:
    """The database is gone, and its journal with it: one move of their folder, so that there is no moment at which the
    server could begin a new file beside the old journal."""
    away = site.data.with_suffix(".away")
    site.data.rename(away)
    yield
    away.rename(site.data)


@pytest.fixture
def rita(site: Any) -> httpx.Client:
    """Signed in before anything breaks."""
    return site.signed_in()


def test_a_signed_in_person_is_told_to_try_again_when_the_database_is_away(
    rita: httpx.Client, without_database: None
) -> None:
    for path in ("/", "/settings", "/search?q=a", "/nothing-here"):
        page = rita.get(path)
        assert page.status_code == 503, path
        assert page.headers["Retry-After"] == "2"
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        assert "The database did not answer" in page.text
        assert "sqlite" not in page.text


def test_programs_are_told_so_too(rita: httpx.Client, without_database: None) -> None:
    key = {"Authorization": f"Bearer aos_live_0123456789ab_{'s' * 43}"}
    for path, headers in (("/api/v1/runs", {}), ("/api/v1/me", key), ("/api/nothing", {}), ("/api/v1/work/claim", key)):
        answer = rita.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), path
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Retry-After"] == "2"


def test_who_is_not_signed_in_still_gets_the_pages_that_need_no_database(site: Any, without_database: None) -> None:
    assert site.visited().get("/sign-in").status_code == 200
    assert site.visited().get("/health").status_code == 503
    form = {"username": "rita", "password": "x"}
    assert site.visited().post("/sign-in", data=form).status_code == 403, "no token, no question to the database"


def test_all_is_as_before_when_the_database_is_back(site: Any, rita: httpx.Client) -> None:
    assert rita.get("/settings").status_code == 200
    assert site.visited().get("/health").json() == {"status": "ok"}


def test_a_body_in_pieces_without_a_length_is_read_like_any_other(rita: httpx.Client) -> None:
    headers = {"X-CSRFToken": rita.cookies["csrftoken"], "Content-Type": "application/json"}

    answer = rita.post("/api/v1/policies/check", content=iter([b'{"te', b'xt": ', b"5}"]), headers=headers)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["text"]


@pytest.mark.parametrize("path", ["/api/v1/runs", "/sign-in", "/nothing"])
def test_a_body_in_pieces_is_not_taken_beyond_the_limit(site: Any, path: str) -> None:
    answer = site.visited().post(path, content=(PIECE for _ in range(40)))

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_a_body_that_says_its_length_is_not_taken_either(site: Any) -> None:
    assert site.visited().post("/sign-in", content=PIECE * 40).status_code == 413
    assert site.visited().post("/api/v1/runs", content=PIECE * 16).status_code == 401, "exactly 1 MB is allowed"


@pytest.mark.parametrize(("path", "origin"), [("/ws/other", True), ("/", True), ("/ws/live", False)])
def test_a_socket_elsewhere_or_from_another_site_is_refused(site: Any, path: str, origin: bool) -> None:
    async def knock() -> None:
        address = f"ws://127.0.0.1:{site.port}{path}"
        async with connect(
            address, origin=site.address if origin else "https://evil.example", open_timeout=PATIENCE_SECONDS
        ):
            pass

    with pytest.raises(InvalidStatus) as refused:
        asyncio.run(knock())
    assert refused.value.response.status_code == 403
