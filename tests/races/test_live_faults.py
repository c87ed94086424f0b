"""The live socket when things go wrong: rings get lost, the server restarts, a page does not read."""

import json
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.test import override_settings
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from observability import ledger
from observability.ledger import SYSTEM, Subject
from observability.models import Event
from tests.races.conftest import PATIENCE_SECONDS, running
from tests.races.test_live import heard, something

LOSSY = {"default": {"BACKEND": "tests.races.chaos.LossyChannelLayer", "CONFIG": {"lost": 0.3, "seed": 20261130}}}
NO_READER_SECONDS = 1.0


@pytest.fixture(scope="module", autouse=True)
def _lossy() -> Iterator[None]:
    """Everything here happens while three of ten rings get lost."""
    with override_settings(CHANNEL_LAYERS=LOSSY):
        yield


Opens = Callable[..., ClientConnection]


@pytest.fixture
def opened(sign_in: Any) -> Iterator[Opens]:
    """`opened(address, "priya", after=7)` opens Priya's socket."""
    open_ones = ExitStack()

    def to(address: str, who: str, *, after: Any = "", **more: Any) -> ClientConnection:
        cookie = f"sessionid={sign_in(who).cookies['sessionid'].value}"
        connecting = connect(
            f"ws://{address}/ws/live?after={after}", additional_headers={"Cookie": cookie}, origin=f"http://{address}",
            open_timeout=PATIENCE_SECONDS, compression=None, **more,
        )  # fmt: skip
        return open_ones.enter_context(connecting)

    with open_ones:
        yield to


def test_pages_hear_everything_once_and_in_order_although_three_of_ten_rings_get_lost(
    address: str, opened: Opens, halden: Any, now: Any
) -> None:
    start = something(halden.agents["AP-04"], now)
    pages = [opened(address, who, after=start) for who in ("priya", "ingrid")]
    told: list[list[int]] = [[], []]
    for _ in range(40):
        last = something(halden.agents["AP-04"], now)
        for page, positions in zip(pages, told, strict=True):
            positions += heard(page, last) if not positions or positions[-1] < last else []

    layer: Any = get_channel_layer()
    assert told == [list(range(start + 1, start + 41))] * 2
    assert layer.dropped > 0
    assert layer.passed > 0


def test_after_a_restart_of_the_server_a_page_goes_on_where_it_was(opened: Opens, halden: Any, now: Any) -> None:
    agent = halden.agents["AP-04"]
    with running() as address:
        start = something(agent, now)
        page = opened(address, "priya", after=start)
        before = heard(page, something(agent, now, 3))
    with pytest.raises(ConnectionClosed):
        while True:
            page.recv(timeout=PATIENCE_SECONDS)

    for _ in range(250):
        ledger.record("agent.noted", agent, by=SYSTEM, at=now)
    with running(int(address.rpartition(":")[2])) as again:
        last = something(agent, now)
        after = heard(opened(again, "priya", after=before[-1]), last)

    assert before + after == list(range(start + 1, start + 255))


@dataclass(frozen=True)
class Long:
    """Something of a unit with a long name that nothing makes shorter."""

    unit: str

    def as_subject(self) -> Subject:
        return Subject(kind="agent", id="AP-04", name=secrets.token_hex(150), unit=self.unit)


def flood(unit: str, now: Any, times: int) -> int:
    """Let many events happen at once; the last one's position."""
    for _ in range(times // 500):
        ledger.record_all([ledger.event_of("agent.noted", Long(unit), by=SYSTEM, at=now) for _ in range(500)])
    until = time.monotonic() + PATIENCE_SECONDS
    while Event.objects.filter(position=None).exists():
        assert time.monotonic() < until, "the server's sealer does not seal"
        time.sleep(0.01)
    return ledger.last_position()


def small_socket(address: str) -> socket.socket:
    """A connection that takes little before somebody reads it."""
    host, _, port = address.rpartition(":")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((host, int(port)))
    return connection


def test_a_page_that_does_not_read_is_closed_with_4408_and_resumes_while_others_hear_everything(
    address: str, opened: Opens, halden: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.consumers.SLOW_AFTER_SECONDS", NO_READER_SECONDS)
    agent = halden.agents["AP-04"]
    start = something(agent, now)
    slow = opened(address, "priya", after=start, sock=small_socket(address), max_queue=1, ping_interval=None)
    quick = opened(address, "ingrid", after=start)

    last = flood(str(agent.unit_id), now, 12_000)
    assert heard(quick, last) == list(range(start + 1, last + 1))
    until = time.monotonic() + 4 * NO_READER_SECONDS
    while time.monotonic() < until:
        last = something(agent, now)
        assert heard(quick, last)[-1] == last

    positions, code = read_to_the_end(slow)
    assert code == 4408
    assert positions == list(range(start + 1, positions[-1] + 1))
    assert positions[-1] < last
    resumed = heard(opened(address, "priya", after=positions[-1]), last)
    assert positions + resumed == list(range(start + 1, last + 1))


def read_to_the_end(page: ClientConnection) -> tuple[list[int], int]:
    """The positions that still arrive, and the code with which the server closes."""
    positions: list[int] = []
    try:
        while True:
            message = json.loads(page.recv(timeout=PATIENCE_SECONDS))
            positions += [event["position"] for event in message["events"]]
    except ConnectionClosed as closed:
        assert closed.rcvd is not None
        return positions, closed.rcvd.code
