"""The loop of an agent program, for threads and for coroutines: every step ends reported, failed, waiting or lost."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from autonomy_client import AsyncAutonomy, Autonomy, Unauthorized
from autonomy_client.serving import aserve, serve

SERVER = "http://autonomy.example"
DECISIONS = {"yes": "allow", "no": "deny", "person": "escalate"}


class Queue:
    """Steps that are given out one after the other, then the key is revoked, which ends a program."""

    def __init__(self, *steps: str) -> None:
        self.steps = list(steps)
        self.reports: list[tuple[str, str, Any]] = []
        self.answers: list[httpx.Response] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, body = request.url.path.removeprefix("/api/v1/"), json.loads(request.content)
        if path == "work/claim":
            return self.given()
        if path == "actions":
            return httpx.Response(200, json={"effect": DECISIONS[body["step"]], "escalation": {"id": "e"}})
        _, step, act = path.split("/")
        self.reports.append((step, act, body))
        if step == "away":
            return httpx.Response(503)
        if step == "lost":
            return httpx.Response(409, json={"code": "stale_lease"})
        return httpx.Response(200, json={})

    def given(self) -> httpx.Response:
        if self.answers:
            return self.answers.pop(0)
        if not self.steps:
            return httpx.Response(401, json={"code": "unauthorized"})
        step = self.steps.pop(0)
        run = {"id": "r", "key": step}
        return httpx.Response(200, json={"work": {"step": step, "lease_token": 1, "run": run} if step else None})

    @property
    def told(self) -> list[tuple[str, str]]:
        """Which steps were reported how."""
        return [(step, act) for step, act, _ in self.reports]


def run(is_async: bool, queue: Queue, naps: list[float] | None = None) -> None:
    """Serve the queue until the key is revoked. What a step does is told by its name."""
    slept = [] if naps is None else naps
    asked = ("pay", {}, {})
    words = {"title": "t", "statement": "s", "confidence": "1"}

    def do(desk: Any) -> dict[str, Any]:
        if desk.work.step == "broken":
            raise LookupError("no such invoice")
        desk.cost, desk.note = "0.25", "Done."
        return {"paid": True}

    def one(desk: Any) -> dict[str, Any]:
        if desk.work.step in DECISIONS:
            return {"paid": desk.may(*asked, **words).allowed}
        return do(desk)

    async def other(desk: Any) -> dict[str, Any]:
        if desk.work.step in DECISIONS:
            return {"paid": (await desk.may(*asked, **words)).allowed}
        return do(desk)

    async def nap(seconds: float) -> None:
        slept.append(seconds)

    async def served() -> None:
        async with AsyncAutonomy(SERVER, "key", retries=0, transport=httpx.MockTransport(queue)) as client:
            await aserve(client, other, sleep=nap)

    with pytest.raises(Unauthorized):
        if is_async:
            asyncio.run(served())
        else:
            with Autonomy(SERVER, "key", retries=0, transport=httpx.MockTransport(queue)) as client:
                serve(client, one, sleep=slept.append)


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def is_async(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_steps_are_done_one_after_the_other_with_their_cost(is_async: bool) -> None:
    queue = Queue("a", "", "b")

    run(is_async, queue)

    assert queue.told == [("a", "finish"), ("b", "finish")]
    assert (queue.reports[0][2]["cost"], queue.reports[0][2]["note"]) == ("0.25", "Done.")
    assert queue.reports[0][2]["output"] == {"paid": True}


def test_what_a_person_decides_is_not_reported(is_async: bool) -> None:
    queue = Queue("yes", "person", "no")

    run(is_async, queue)

    assert [(step, body["output"]["paid"]) for step, _, body in queue.reports] == [("yes", True), ("no", False)]


def test_a_step_that_breaks_is_given_back_with_the_reason(is_async: bool) -> None:
    queue = Queue("broken", "a")

    run(is_async, queue)

    assert queue.told == [("broken", "fail"), ("a", "finish")]
    assert (queue.reports[0][2]["reason"], queue.reports[0][2]["retryable"]) == ("LookupError: no such invoice", True)


def test_a_step_that_went_to_somebody_else_is_dropped(is_async: bool) -> None:
    queue = Queue("lost", "a")

    run(is_async, queue)

    assert queue.told == [("lost", "finish"), ("a", "finish")]


def test_a_server_that_wants_to_be_left_alone_is(is_async: bool) -> None:
    queue, naps = Queue("a"), []
    queue.answers = [httpx.Response(429, headers={"Retry-After": "90"}), httpx.Response(503)]

    run(is_async, queue, naps)

    assert naps == [90, 2]
    assert queue.told == [("a", "finish")]


def test_work_that_is_paused_is_waited_for(is_async: bool) -> None:
    queue, naps = Queue("a"), []
    paused, not_active = {"code": "paused"}, {"code": "agent_not_active"}
    queue.answers = [httpx.Response(409, json=paused), httpx.Response(403, json=not_active)]

    run(is_async, queue, naps)

    assert naps == [2, 2]
    assert queue.told == [("a", "finish")]


def test_a_server_that_goes_away_before_the_report_leaves_the_step_to_its_lease(is_async: bool) -> None:
    queue, naps = Queue("away", "a"), []

    run(is_async, queue, naps)

    assert naps == [2]
    assert queue.told == [("away", "finish"), ("a", "finish")]
