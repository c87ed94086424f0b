"""The live socket of a real server: nothing missed, nothing twice, nothing foreign, closed to who must not listen."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from django.db import transaction
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from agents.models import Agent, Principal
from observability import ledger
from observability.models import Event
from tests.races.conftest import PATIENCE_SECONDS


@pytest.fixture
def live(address: str, sign_in: Any) -> Iterator[Callable[..., ClientConnection]]:
    """`live("priya", after=7)` opens Priya's socket."""
    opened = ExitStack()

    def listening(
        who: str, *, after: Any = "", origin: str | None = "same", cookie: str | None = None
    ) -> ClientConnection:
        session = cookie if cookie is not None else sign_in(who).cookies["sessionid"].value
        connecting = connect(
            f"ws://{address}/ws/live?after={after}", additional_headers={"Cookie": f"sessionid={session}"},
            origin=f"http://{address}" if origin == "same" else origin, open_timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        return opened.enter_context(connecting)

    with opened:
        yield listening


def heard(socket: ClientConnection, until: int) -> list[int]:
    """The positions that the socket is told, in the order told, until it has reached `until`."""
    positions: list[int] = []
    reached = 0
    while reached < until:
        message = json.loads(socket.recv(timeout=PATIENCE_SECONDS))
        positions += [event["position"] for event in message["events"]]
        assert message["position"] > reached
        reached = message["position"]
    return positions


def something(agent: Agent, now: Any, times: int = 1) -> int:
    """Let events about the agent happen; the position of the last once all are sealed."""
    for _ in range(times):
        ledger.record("agent.noted", agent, by=ledger.SYSTEM, at=now)
    until = time.monotonic() + PATIENCE_SECONDS
    while Event.objects.filter(position=None).exists():
        assert time.monotonic() < until, "the server's sealer does not seal"
        time.sleep(0.01)
    return ledger.last_position()


def test_after_a_break_a_page_gets_exactly_what_it_missed_in_order_once(live: Any, halden: Any, now: Any) -> None:
    agent = halden.agents["AP-04"]
    start = something(agent, now)
    socket = live("priya", after=start)
    first = heard(socket, something(agent, now, 3))
    socket.close()

    missed_until = something(agent, now, 450)
    again = live("priya", after=first[-1])
    caught_up = heard(again, missed_until)
    more = heard(again, something(agent, now, 2))

    assert first == [start + 1, start + 2, start + 3]
    assert caught_up + more == list(range(start + 4, start + 456))


def test_a_page_without_a_position_hears_from_now_on(live: Any, halden: Any, now: Any) -> None:
    agent = halden.agents["AP-04"]
    start = something(agent, now)

    socket = live("priya")
    positions: list[int] = []
    while not positions:  # an event may happen before the server knows that the page listens
        last = something(agent, now)
        with suppress(TimeoutError):
            positions = [event["position"] for event in json.loads(socket.recv(timeout=1))["events"]]

    assert positions == list(range(positions[0], last + 1))
    assert positions[0] > start


def test_a_page_hears_of_what_another_process_sealed_even_when_no_ring_came(live: Any, halden: Any, now: Any) -> None:
    start = something(halden.agents["AP-04"], now)
    socket = live("priya", after=start)
    with transaction.atomic():
        ledger.record("agent.noted", halden.agents["AP-04"], by=ledger.SYSTEM, at=now)
        assert ledger.seal() == start + 1

    assert heard(socket, start + 1) == [start + 1]


def test_two_pages_of_two_people_hear_the_same(live: Any, halden: Any, now: Any) -> None:
    start = something(halden.agents["AP-04"], now)
    sockets = [live(name, after=start) for name in ("priya", "ingrid")]
    last = something(halden.agents["AP-04"], now, 5)

    assert [heard(socket, last) for socket in sockets] == [list(range(start + 1, last + 1))] * 2


def test_events_of_another_unit_never_arrive(live: Any, halden: Any, now: Any) -> None:
    start = something(halden.agents["AP-04"], now)
    tomasz, ingrid = live("tomasz", after=start), live("ingrid", after=start)
    for code in ("AP-04", "VO-01", "AP-04", "VO-01", "AP-04"):
        last = something(halden.agents[code], now)

    mine = set(Event.objects.filter(subject_id="VO-01", position__gt=start).values_list("position", flat=True))
    assert heard(ingrid, last) == list(range(start + 1, last + 1))
    assert set(heard(tomasz, last)) == mine


def test_a_position_from_the_future_or_of_nonsense_does_no_harm(live: Any, halden: Any, now: Any) -> None:
    something(halden.agents["AP-04"], now)
    for after in ("9" * 30, "9" * 5000, "-1", "x", "1e3", "%00"):
        socket = live("priya", after=after)
        socket.send(json.dumps({"after": ledger.last_position()}))
        expected = ledger.last_position() + 1
        assert heard(socket, something(halden.agents["AP-04"], now)) == [expected], after


def test_a_page_may_ask_to_look_again_from_a_position(live: Any, halden: Any, now: Any) -> None:
    last = something(halden.agents["AP-04"], now, 5)
    socket = live("priya", after=last)
    socket.send(json.dumps({"after": last - 3}))

    assert heard(socket, last) == [last - 2, last - 1, last]


def test_a_message_that_says_no_position_closes_one_socket_and_harms_no_other(live: Any, halden: Any, now: Any) -> None:
    start = something(halden.agents["AP-04"], now)
    for wrong in ("{", b"\x00\xff", "[" * 5000, '{"after": "x"}', "17"):
        socket = live("priya", after=start)
        socket.send(wrong)
        assert closed_with(socket) == 4400
    good = live("priya", after=start)

    assert heard(good, something(halden.agents["AP-04"], now)) == [start + 1]


def closed_with(socket: ClientConnection) -> int:
    """The code with which the server closes the socket."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            socket.recv(timeout=PATIENCE_SECONDS)
    return closed.value.rcvd.code


def test_a_person_who_is_disabled_hears_nothing_more(live: Any, halden: Any, now: Any) -> None:
    start = something(halden.agents["AP-04"], now)
    socket = live("priya", after=start)
    heard(socket, something(halden.agents["AP-04"], now))

    Principal.objects.filter(username="priya").update(is_active=False)
    something(halden.agents["AP-04"], now)

    assert closed_with(socket) == 4401


def test_signing_out_ends_the_socket(live: Any, halden: Any, now: Any, sign_in: Any) -> None:
    priya = sign_in("priya")
    start = something(halden.agents["AP-04"], now)
    socket = live("priya", after=start, cookie=priya.cookies["sessionid"].value)
    heard(socket, something(halden.agents["AP-04"], now))

    priya.logout()
    something(halden.agents["AP-04"], now)

    assert closed_with(socket) == 4401


def test_nobody_listens_without_a_persons_session(live: Any, halden: Any, client: Any) -> None:
    assert closed_with(live("", cookie="")) == 4401
    assert closed_with(live("", cookie="x" * 32)) == 4401

    client.force_login(halden.agents["AP-04"].principal, backend="agents.views.PeopleBackend")

    assert closed_with(live("", cookie=client.cookies["sessionid"].value)) == 4401


def test_a_page_from_elsewhere_is_refused(live: Any) -> None:
    for origin in ("http://evil.example", "null", None, "http://127.0.0.1.evil.example"):
        with pytest.raises(InvalidStatus) as refused:
            live("priya", origin=origin)
        assert refused.value.response.status_code == 403, origin


def test_what_an_agent_does_over_http_arrives_at_the_reviewers_page(
    live: Any, bring: Any, robot: Any, question: Any, halden: Any, now: Any
) -> None:
    bring()
    start = something(halden.agents["AP-04"], now)
    socket = live("priya", after=start)
    clerk = robot("AP-04")
    clerk.call("post", "actions", question(clerk.claim()))

    told: list[str] = []
    while "escalation.opened" not in told:
        told += [event["verb"] for event in json.loads(socket.recv(timeout=PATIENCE_SECONDS))["events"]]
    assert "decision.made" in told
