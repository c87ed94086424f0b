"""Autonomy and AsyncAutonomy say the same: every verb in both, the same request sent, the same result read."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from autonomy_client import (
    AsyncAutonomy,
    Autonomy,
    AutonomyError,
    ChangedSince,
    Claim,
    Document,
    Done,
    Failed,
    File,
    Limit,
    MatchNeeded,
    NewRun,
    NotUnderstood,
    Unavailable,
    Work,
)
from autonomy_client.tools import AsyncDesk, Desk

SERVER = "http://autonomy.example"
STEP = {"step": "s-1", "lease_token": 3, "run": {"id": "r-1", "key": "INV-7"}}
WORK = Work.from_wire(STEP)
HANDED = {"id": "h-1", "number": 1, "sender": "AP-01", "from_role": "reader", "sha256": "ab", "context": {"order": 1}}
REFUSED = {"code": "invalid", "detail": "Nothing was changed.", "errors": [{"field": "output.paid", "message": "No."}]}
STARTED = {
    "results": [
        {"key": "INV-7", "run": "r-1", "is_new": True, "problem": None},
        {"key": "INV-8", "run": None, "is_new": False, "problem": {
            "code": "invalid", "detail": "It does not fit.", "errors": [{"field": "output.b", "message": "No."}],
        }},
    ]
}  # fmt: skip
BATCH = {
    "reports": [{"step": "s-1", "status": "done"}, {"step": "s-2", "status": None, "problem": REFUSED}],
    "work": [{**STEP, "hand_off": HANDED}], "why": "",
}  # fmt: skip
# What each transport has of its own: how it is closed, what only threads need, an old name.
ONLY_SYNC = {"close", "hurry", "keeping"}
ONLY_ASYNC = {"aclose"}
ASKED = {"title": "Pay", "statement": "It matches.", "confidence": "0.9"}
Handler = Callable[[httpx.Request], httpx.Response]


def public(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind, callable) if not name.startswith("_")}


class Speaker:
    """Calls a verb of one of both clients against a server of a few lines."""

    def __init__(self, is_async: bool) -> None:
        self.is_async = is_async
        self.heard: list[httpx.Request] = []

    def __call__(self, handler: Handler, verb: str, *args: Any, **kwargs: Any) -> Any:
        return self.on(handler, lambda client: getattr(client, verb)(*args, **kwargs))

    def on(self, handler: Handler, act: Callable[[Any], Any]) -> Any:
        """What `act` gives on a client for this server."""

        def answer(request: httpx.Request) -> httpx.Response:
            self.heard.append(request)
            return handler(request)

        options: dict[str, Any] = {"backoff_seconds": 0.001, "transport": httpx.MockTransport(answer)}
        if self.is_async:
            return asyncio.run(self._awaited(options, act))
        with Autonomy(SERVER, "aos_live_x", **options) as client:
            result = act(client)
            return list(result) if hasattr(result, "__next__") else result

    async def _awaited(self, options: dict[str, Any], act: Callable[[Any], Any]) -> Any:
        async with AsyncAutonomy(SERVER, "aos_live_x", **options) as client:
            result = act(client)
            if hasattr(result, "__anext__"):
                return [item async for item in result]
            return await result if inspect.isawaitable(result) else result


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def speak(request: pytest.FixtureRequest) -> Speaker:
    return Speaker(request.param)


def says(body: Any, status: int = 200, **headers: str) -> Handler:
    return lambda request: httpx.Response(status, json=body, headers=headers)


# --- parity ---------------------------------------------------------------------------------------------------
def test_every_verb_exists_in_both() -> None:
    assert public(Autonomy) - ONLY_SYNC == public(AsyncAutonomy) - ONLY_ASYNC
    assert public(Desk) == public(AsyncDesk)


@pytest.mark.parametrize("name", sorted(public(Autonomy) - ONLY_SYNC))
def test_a_verb_has_the_same_words_and_arguments_in_both(name: str) -> None:
    one, other = getattr(Autonomy, name), getattr(AsyncAutonomy, name)

    assert inspect.signature(one).parameters.keys() == inspect.signature(other).parameters.keys()
    assert inspect.getdoc(one) == inspect.getdoc(other)
    assert inspect.getdoc(one)


@pytest.mark.parametrize(
    ("verb", "args", "body"),
    [
        ("me", (), {"code": "AP-04"}),
        ("claim", (0,), {"work": STEP}),
        ("claim", (0,), {"work": None}),
        ("finish", (WORK, {"paid": True}), {"work": None}),
        ("fail", (WORK, "no answer"), {"status": "ready"}),
        ("fail", (WORK, "torn", False, "broken"), {"status": "failed"}),
        ("send_message", ("Goods received", "PO-1", {"pallets": 3}), {"id": "m-1", "status": "taken", "run": "r-1"}),
        ("signal", ("Year closed",), {"id": "m-2", "status": "sent", "run": None}),
        ("message", ("m-1",), {"id": "m-1", "status": "dropped", "trouble": "Nobody took it in time."}),
        ("heartbeat", (WORK,), {"lease_seconds": 60}),
        ("batch", ([Done(WORK, {"paid": True}, confidence="0.9")], [Failed(WORK, "no answer")]), BATCH),
        ("claim_many", (10, 0), BATCH),
        ("release", (WORK, "restarted"), {"status": "ready"}),
        ("extend", (WORK, 900), {"lease_seconds": 900}),
        ("hand_off", (WORK, "payer", {"order": "PO-1"}), {"status": "ready"}),
        ("hand_offs", (WORK,), {"hand_offs": [HANDED]}),
        ("escalate", (WORK, "too-dear", "Twice as much."), {"status": "cancelled", "heard_by": "dear"}),
        ("tasks", (WORK,), {"sub_process": "p", "tasks": [{"task": "call", "name": "Call", "open": 1}]}),
        ("choose_task", (WORK, "call", "No answer."), {"task": "call", "name": "Call", "open": 0, "waits": True}),
        ("decision", ("d-1",), {"decision": "d-1", "effect": "allow"}),
        ("outcome", ("d-1",), {"decision": "d-1", "done": True, "budgets": [{"status": "settled"}]}),
        ("start_run", ("pay", "INV-7", {}), {"id": "r-1", "key": "INV-7", "version": 2}),
        ("start_runs", ("pay", [NewRun("INV-7", {"a": 1}, 5)]), STARTED),
        ("run", ("r-1",), {"id": "r-1", "key": "INV-7", "cost": "0.30", "status": "done"}),
        ("remember", ("orders", "PO-1", {"lines": 2}), {"fact": {}}),
        ("recall", ("orders", "PO-1"), {"fact": {"space": "orders", "value": {"lines": 2}}}),
        ("claim_fact", ("orders", "PO-1"), {"answer": "yours", "token": 1}),
        ("claim_fact", ("orders", "PO-1"), {"answer": "known", "fact": {"id": "f-1", "value": {"lines": 2}}}),
        ("release_claim", (Claim("orders", "PO-1", "yours", None, 1, ""),), {"answer": None}),
        ("search_memory", ("lines",), {"results": [{"id": "f-1"}], "next": None}),
        ("fact", ("f-1",), {"fact": {"id": "f-1", "state": "superseded"}}),
        ("confirm_fact", ("f-1", "I looked."), {"fact": {"id": "f-1", "trust": "confirmed"}}),
        ("invalidate_fact", ("f-1", "Misread."), {"facts": [{"id": "f-1"}]}),
        ("remember", ("orders", "PO-1", File("a.txt", "text/plain", b"a")), {"fact": {"id": "f-1"}}),
        ("agent", ("AP-04",), {"code": "AP-04", "autonomy_level": 2}),
        ("escalation", ("e-1",), {"id": "e-1", "status": "open", "title": "Pay?"}),
        ("rotate_key", (), {"key": "aos_live_new"}),
        ("show", ("workflows",), {"results": []}),
        ("send", ("agents/AP-04", {"name": "Clerk"}), {"code": "AP-04"}),
        ("agents", (), {"results": [{"code": "AP-04"}], "next": None}),
    ],
)
def test_both_send_the_same_and_read_the_same(verb: str, args: tuple[Any, ...], body: Any) -> None:
    one, other = Speaker(False), Speaker(True)

    assert one(says(body), verb, *args) == other(says(body), verb, *args)

    sent = [[(each.method, each.url, each.content) for each in speaker.heard] for speaker in (one, other)]
    assert sent[0] == sent[1]


def test_each_run_of_many_says_what_became_of_it(speak: Speaker) -> None:
    new, wrong = speak(says(STARTED), "start_runs", "pay", [NewRun("INV-7"), NewRun("INV-8", {"b": 2})])

    assert (new.run, new.is_new, new.code) == ("r-1", True, "")
    assert (wrong.run, wrong.code, wrong.errors) == ("", "invalid", {"output.b": "No."})
    sent = json.loads(speak.heard[0].content)
    assert sent["runs"][1] == {"key": "INV-8", "input": {"b": 2}, "priority": 0}


def test_each_report_of_a_batch_says_what_became_of_it(speak: Speaker) -> None:
    told = speak(says(BATCH), "batch", [Done(WORK, {"paid": True})], [Failed(WORK, "no answer")], claim=1)

    assert [report.is_taken for report in told.reports] == [True, False]
    assert told.reports[1].errors == {"output.paid": "No."}
    assert told.work[0].context == {"order": 1}
    sent = json.loads(speak.heard[0].content)
    assert [sent[name][0]["lease_token"] for name in ("finish", "fail")] == [3, 3]


# --- lists ----------------------------------------------------------------------------------------------------
PARTS = {
    "/api/v1/runs?status=done": {
        "results": [{"id": "1", "key": "a"}, {"id": "2", "key": "b"}],
        "next": f"{SERVER}/api/v1/runs?cursor=x%2By&status=done",
    },
    "/api/v1/runs?cursor=x%2By&status=done": {"results": [], "next": "https://elsewhere.example/api/v1/runs?cursor=z"},
    "/api/v1/runs?cursor=z": {"results": [{"id": "3", "key": "c"}], "next": None},
}  # fmt: skip


def parts(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=PARTS[request.url.raw_path.decode()])


def test_a_list_is_fetched_part_by_part_to_its_end(speak: Speaker) -> None:
    runs = speak(parts, "runs", status="done")

    assert [run.key for run in runs] == ["a", "b", "c"]


def test_a_list_never_leads_the_key_to_another_server(speak: Speaker) -> None:
    speak(parts, "runs", status="done")

    assert {request.url.host for request in speak.heard} == {"autonomy.example"}


def test_a_list_that_leads_nowhere_is_a_typed_error(speak: Speaker) -> None:
    with pytest.raises(NotUnderstood, match="not the address"):
        speak(says({"results": [], "next": "/admin"}), "escalations")


def test_no_more_is_fetched_than_is_looked_at() -> None:
    speaker = Speaker(False)

    first = speaker.on(parts, lambda client: next(client.runs(status="done")).key)

    assert (first, len(speaker.heard)) == ("a", 1)


# --- states and limits ----------------------------------------------------------------------------------------
def guarded(request: httpx.Request) -> httpx.Response:
    """An agent that changes only for who has read its state."""
    if request.method == "GET":
        return httpx.Response(200, json={"code": "AP-04"}, headers={"ETag": '"v2"'})
    match request.headers.get("If-Match"):
        case '"v2"':
            return httpx.Response(200, json=json.loads(request.content), headers={"ETag": '"v3"'})
        case None:
            return httpx.Response(428, json={"code": "if_match_missing"})
    return httpx.Response(412, json={"code": "changed_since"})


def test_what_was_read_can_be_changed(speak: Speaker) -> None:
    read = speak(guarded, "show", "agents/AP-04")
    changed = speak(guarded, "send", "agents/AP-04", {"name": "Clerk"}, method="PATCH", match=read)

    assert changed == Document({"name": "Clerk"}, '"v3"')
    assert speak.heard[-1].method == "PATCH"
    assert speak(guarded, "agent", "AP-04").etag == '"v2"'


@pytest.mark.parametrize(("match", "error"), [("", MatchNeeded), ('"v1"', ChangedSince)])
def test_what_was_not_read_is_not_overwritten(speak: Speaker, match: str, error: type[AutonomyError]) -> None:
    with pytest.raises(error):
        speak(guarded, "send", "agents/AP-04", {}, method="PATCH", match=match)

    assert len(speak.heard) == 1


BOUNDARIES = {
    "agent": "A/1", "level": 2,
    "may_do_alone": [{"what": "Pay an invoice", "conditions": ["up to 5,000 EUR"], "note": ""}],
    "must_ask": [], "never": [{"what": "Change a bank account"}],
}  # fmt: skip


@pytest.mark.parametrize("name", ["boundaries", "evidence"])
def test_an_agent_reads_about_itself_without_knowing_its_code(speak: Speaker, name: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"code": "A/1"} if request.url.path == "/api/v1/me" else BOUNDARIES)

    assert speak(answer, name).body == BOUNDARIES
    assert [request.url.raw_path.decode() for request in speak.heard] == ["/api/v1/me", f"/api/v1/agents/A%2F1/{name}"]


def test_boundaries_are_told_in_words(speak: Speaker) -> None:
    told = speak(says(BOUNDARIES), "boundaries", "A/1")

    assert (told.level, told.may_do_alone[0].conditions, told.never[0].what) == (
        2,
        ("up to 5,000 EUR",),
        "Change a bank account",
    )


def test_a_key_whose_answer_was_lost_is_not_taken_for_one(speak: Speaker) -> None:
    with pytest.raises(AutonomyError, match="Rotate again"):
        speak(says({"key": None}), "rotate_key")


def test_the_limits_of_the_last_answer_can_be_read(speak: Speaker) -> None:
    told = {
        "RateLimit-Policy": '"default";q=100;w=60, "claims";q=9;w=1',
        "RateLimit": '"default";r=50;t=30, "claims";r=0;t=1, nonsense, "x";r=1',
    }
    read: list[Any] = []

    def look(client: Any) -> Any:
        read.append(client)
        return client.me()

    speak.on(says({"code": "AP-04"}, **told), look)

    assert read[0].limits == {"default": Limit("default", 100, 60, 50, 30), "claims": Limit("claims", 9, 1, 0, 1)}


def test_an_error_tells_all_that_the_problem_told(speak: Speaker) -> None:
    problem = {"code": "out_of_hours", "detail": "Closed.", "trace_id": "t-1", "opens_at": "06:00"}

    with pytest.raises(AutonomyError) as caught:
        speak(says(problem, 403), "me")

    assert (caught.value.trace_id, caught.value.problem["opens_at"]) == ("t-1", "06:00")
    assert "trace t-1" in str(caught.value)
    with pytest.raises(AutonomyError) as caught:
        speak(lambda request: httpx.Response(404, headers={"X-Request-ID": "r-9"}), "me")
    assert caught.value.trace_id == "r-9"


# --- repeats --------------------------------------------------------------------------------------------------
def test_a_repeat_carries_the_same_key_and_a_second_act_another(speak: Speaker) -> None:
    answers = iter([httpx.Response(503), httpx.Response(429), httpx.Response(200, json={"id": "r", "key": "k"})])

    speak(lambda request: next(answers), "start_run", "pay", "k", {})
    speak(says({"id": "r", "key": "k"}), "start_run", "pay", "k", {})

    keys = [request.headers["Idempotency-Key"] for request in speak.heard]
    assert keys[0] == keys[1] == keys[2] != keys[3]


def test_after_all_retries_the_last_refusal_is_raised(speak: Speaker) -> None:
    with pytest.raises(Unavailable):
        speak(says({"code": "busy"}, 503), "me")

    assert len(speak.heard) == 6


# --- the heartbeat of a coroutine -----------------------------------------------------------------------------
def beating(beat: Callable[[], Any], seconds: float, work: Callable[[Any, Any], Any]) -> Any:
    """Runs `work(client, keeper)` under a lease of so many seconds, with these answers to its beats."""

    async def run() -> Any:
        transport = httpx.MockTransport(lambda request: beat())
        async with AsyncAutonomy(SERVER, "aos_live_x", transport=transport) as client:
            async with client.working(Work.from_wire(STEP | {"lease_seconds": seconds})) as keeper:
                result = await work(client, keeper)
            return keeper, result

    return asyncio.run(run())


def test_a_coroutine_keeps_its_lease_while_it_works() -> None:
    enough = asyncio.Event()
    beats: list[int] = []

    def beat() -> httpx.Response:
        beats.append(1)
        if len(beats) == 3:
            enough.set()
        return httpx.Response(200, json={"lease_seconds": 0.03})

    keeper, _ = beating(beat, 0.03, lambda client, keeper: asyncio.wait_for(enough.wait(), 120))

    assert not keeper.lost
    assert keeper.task.done()


@pytest.mark.parametrize("answer", [httpx.Response(409, json={"code": "stale_lease"}), httpx.Response(503)])
def test_a_coroutine_notices_that_its_lease_is_lost_and_works_on(answer: httpx.Response) -> None:
    async def until_lost(client: Any, keeper: Any) -> str:
        await asyncio.wait_for(asyncio.shield(keeper.task), 120)
        return "worked on"

    keeper, result = beating(lambda: answer, 0.03, until_lost)

    assert keeper.lost
    assert result == "worked on"


def test_what_breaks_inside_a_beat_never_reaches_the_work() -> None:
    def broken() -> httpx.Response:
        raise ZeroDivisionError

    async def until_lost(client: Any, keeper: Any) -> str:
        await asyncio.wait_for(asyncio.shield(keeper.task), 120)
        return "worked on"

    keeper, result = beating(broken, 0.03, until_lost)

    assert (keeper.lost, result) == (True, "worked on")


def test_what_breaks_inside_a_thread_s_beat_never_reaches_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    escaped: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", escaped.append)

    def broken(request: httpx.Request) -> httpx.Response:
        raise ZeroDivisionError

    with (
        Autonomy(SERVER, "aos_live_x", transport=httpx.MockTransport(broken)) as client,
        client.working(Work.from_wire(STEP | {"lease_seconds": 0.03})) as keeper,
    ):
        keeper.thread.join(120)

    assert keeper.lost
    assert escaped == []


def test_work_that_is_cancelled_ends_its_heartbeat_and_stays_cancelled() -> None:
    seen: list[Any] = []

    async def cancelled() -> None:
        transport = httpx.MockTransport(says({"lease_seconds": 60}))
        async with AsyncAutonomy(SERVER, "aos_live_x", transport=transport) as client:
            started = asyncio.Event()

            async def work() -> None:
                async with client.working(WORK) as keeper:
                    seen.append(keeper)
                    started.set()
                    await asyncio.Event().wait()

            task = asyncio.create_task(work())
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancelled())

    assert seen[0].task.done()


def test_a_call_that_is_cancelled_between_two_tries_stops_at_once() -> None:
    heard: list[httpx.Request] = []

    async def cancelled() -> None:
        tried = asyncio.Event()

        def busy(request: httpx.Request) -> httpx.Response:
            heard.append(request)
            tried.set()
            return httpx.Response(503, headers={"Retry-After": "60"})

        async with AsyncAutonomy(SERVER, "aos_live_x", transport=httpx.MockTransport(busy)) as client:
            task = asyncio.create_task(client.me())
            await tried.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(asyncio.wait_for(cancelled(), 120))

    assert len(heard) == 1


# --- tools ----------------------------------------------------------------------------------------------------
def desk(speak: Speaker, handler: Handler, act: Callable[[Any], Any], **step: Any) -> tuple[Any, Any]:
    """The desk of a step, and what `act` gives at it."""
    kind, made = (AsyncDesk if speak.is_async else Desk), []

    def sit(client: Any) -> Any:
        made.append(kind(client, Work.from_wire(STEP | step)))
        return act(made[0])

    result = speak.on(handler, sit)
    return made[0], result


def pay(desk: Any) -> Any:
    return desk.may("invoice.pay", {"type": "invoice", "id": "7"}, {"amount": "9000.00"}, **ASKED)


@pytest.mark.parametrize("effect", ["allow", "deny", "escalate"])
def test_asking_at_a_desk_knows_whether_a_person_decides(speak: Speaker, effect: str) -> None:
    escalation = {"id": "e-1", "due_at": ""} if effect == "escalate" else None
    sat, decision = desk(speak, says({"effect": effect, "escalation": escalation}), pay)

    assert decision.effect == effect
    assert sat.waits == (effect == "escalate")


def test_while_a_person_decides_nothing_more_is_asked(speak: Speaker) -> None:
    escalated = says({"effect": "escalate", "escalation": {"id": "e-1"}})

    sat, decision = desk(speak, escalated, lambda desk: twice(desk, speak.is_async))

    assert (decision.effect, sat.waits, len(speak.heard)) == ("escalate", True, 1)


def twice(desk: Any, is_async: bool) -> Any:
    async def awaited() -> Any:
        await pay(desk)
        return await pay(desk)

    return awaited() if is_async else (pay(desk), pay(desk))[1]


def test_a_persons_yes_is_named_when_the_question_is_asked_again(speak: Speaker) -> None:
    desk(speak, says({"effect": "allow"}), pay, approval={"id": "e-1", "status": "approved"})

    assert json.loads(speak.heard[0].content)["approval"] == "e-1"


@pytest.mark.parametrize("status", ["rejected", "expired", "withdrawn"])
def test_a_persons_no_is_not_asked_about_again(speak: Speaker, status: str) -> None:
    sat, decision = desk(speak, says({"effect": "allow"}), pay, approval={"id": "e-1", "status": status})

    assert (decision.effect, sat.waits, speak.heard) == ("deny", False, [])
    assert status in decision.reason


def test_a_desk_keeps_and_finds_what_a_model_found_out(speak: Speaker) -> None:
    _, kept = desk(speak, says({"fact": {}}, 201), lambda desk: desk.remember("sellers", "Kessler", "Pays in time."))
    _, known = desk(speak, says({"fact": {"value": {"finding": "ok"}}}), lambda desk: desk.recall("sellers", "Kessler"))
    _, unknown = desk(speak, says({"fact": None}), lambda desk: desk.recall("sellers", "Nobody"))

    assert json.loads(speak.heard[0].content)["value"] == {"finding": "Pays in time."}
    assert (kept, known, unknown) == ("Kept.", '{"finding": "ok"}', "Nothing is known about it yet.")
