"""What leaves this server: only to addresses of the open internet or to hosts that were named, and to no other."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from observability.operations import BODY_AT_MOST, NotDelivered, NowhereToSend, checked, send
from observability.rules import is_public, target_of
from tests.receivers import Receiver, http_receiver

PUBLIC = "93.184.215.14"
HEADERS = {"Content-Type": "application/json"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1",
        "127.0.0.01",
        "127.0.0.1.", "0", "0.0.0.0", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
        "[0:0:0:0:0:0:0:1]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[2001:0:7f00:1::]",
        "[fe80::1%25eth0]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "10.0.0.1", "10.255.255.255",
        "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "169.254.170.2", "100.64.0.1",
        "100.100.100.200",
        "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255", "①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.0.0.1", "%31%32%37.0.0.1", "127.0.0.1%00.example",
    ],
)  # fmt: skip
def test_no_way_of_writing_an_inner_address_gets_through(host: str) -> None:
    with pytest.raises(NowhereToSend):
        checked(f"https://{host}/hook", allowed=())


@pytest.mark.parametrize(
    "url",
    [
        "http://agent.example/", "ftp://agent.example/", "file:///etc/passwd", "gopher://agent.example/",
        "//agent.example/",
        "https:/agent.example/", "https:agent.example", "https://", "https:///hook", "https://:443/", "",
        "agent.example",
        "https://user@agent.example/", "https://user:pw@agent.example/", "https://agent.example@127.0.0.1/",
        "https://agent.example#@127.0.0.1/", "https://agent.example\\@127.0.0.1/", "https://127.0.0.1\\.agent.example/",
        "https://agent.example:0/", "https://agent.example:99999/", "https://agent.example:/", "https://agent.example:x/",
        "https://agent.example/\r\nX-Evil: 1", "https://agent.example/ x", "https://agent\texample/", "https://agent.example/\0",
        "https://bücher.example/", "https://-a.example/", "https://a..example/", "https://a.example./", "https://[::1/",
        "https://[agent.example]/", f"https://agent.example/{'x' * 2000}", f"https://{'a.' * 130}example/",
    ],
)  # fmt: skip
def test_what_is_no_plain_https_address_is_refused(url: str) -> None:
    with pytest.raises(NowhereToSend):
        checked(url, allowed=(), resolve=lambda *_: [PUBLIC])


def test_a_plain_address_is_taken_with_all_its_parts() -> None:
    target, found = checked(
        "https://Agent.example:8443/a%20b?c=d", allowed=(), resolve=lambda *_: [PUBLIC, "2606:2800::1"]
    )

    assert (target.host, target.port, target.path, target.authority) == (
        "agent.example", 8443, "/a%20b?c=d", "agent.example:8443",
    )  # fmt: skip
    assert found == (PUBLIC, "2606:2800::1")
    assert target_of(f"https://{PUBLIC}/").authority == PUBLIC


@pytest.mark.parametrize(
    "found", [[], ["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["::ffff:10.0.0.1"], [PUBLIC, "fe80::1%eth0"]]
)
def test_a_name_is_refused_when_one_of_its_addresses_is_an_inner_one(found: list[str]) -> None:
    with pytest.raises(NowhereToSend):
        checked("https://agent.example/", allowed=(), resolve=lambda *_: found)


def test_a_name_that_leads_inside_by_now_is_refused_although_it_was_fine_before(receiver: Receiver) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    url = f"https://agent.example:{receiver.port}/"
    checked(url, allowed=(), resolve=lambda *_: next(answers))

    with pytest.raises(NowhereToSend):
        send(url, b"{}", headers=HEADERS, allowed=(), resolve=lambda *_: next(answers))

    assert receiver.taken == []


def test_the_connection_goes_to_the_address_that_was_checked_and_the_name_is_looked_up_once(receiver: Receiver) -> None:
    asked: list[Any] = []

    def rebinding(*host: Any) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.99"]

    name = f"no-such-host.example:{receiver.port}"
    answer = send(f"http://{name}/hook?x=1", b"{}", headers=HEADERS, allowed=[name], resolve=rebinding)

    assert (answer.status, answer.is_taken) == (204, True)
    assert asked == [("no-such-host.example", receiver.port)]
    assert (receiver.taken[0].path, receiver.taken[0].headers["Host"], receiver.taken[0].body) == (
        "/hook?x=1",
        name,
        b"{}",
    )


def test_an_inner_host_is_reached_only_where_it_was_named_with_this_port(receiver: Receiver) -> None:
    for allowed in ((), ("127.0.0.1:1",), ("localhost",)):
        with pytest.raises(NowhereToSend):
            send(receiver.url, b"", headers=HEADERS, allowed=allowed)

    assert send(receiver.url, b"", headers=HEADERS, allowed=[receiver.host]).status == 204
    assert send(receiver.url, b"", headers=HEADERS, allowed=["127.0.0.1"]).status == 204


def test_no_redirect_is_followed(receiver: Receiver) -> None:
    def elsewhere(request: BaseHTTPRequestHandler) -> None:
        request.send_response(307)
        request.send_header("Location", f"http://127.0.0.1:{receiver.port}/secret")
        request.send_header("Content-Length", "0")
        request.end_headers()

    receiver.answer = elsewhere
    answer = send(receiver.url, b"", headers=HEADERS, allowed=[receiver.host])

    assert (answer.status, answer.is_taken, len(receiver.taken)) == (307, False, 1)


def test_no_proxy_of_the_environment_is_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert send(receiver.url, b"", headers=HEADERS, allowed=[receiver.host]).status == 204


def test_an_answer_that_is_too_long_is_not_read_to_its_end(receiver: Receiver) -> None:
    def long(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(BODY_AT_MOST * 1000))
        request.end_headers()
        try:
            for _ in range(1000):
                request.wfile.write(b"x" * BODY_AT_MOST)
        except OSError:
            stopped.set()

    stopped = threading.Event()
    receiver.answer = long
    with pytest.raises(NotDelivered):
        send(receiver.url, b"", headers=HEADERS, allowed=[receiver.host])

    assert stopped.wait(20)


def test_who_answers_drop_by_drop_is_left_when_the_time_is_over(receiver: Receiver) -> None:
    gone = threading.Event()

    def drops(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not gone.wait(0.05):
            request.wfile.write(b"X: y\r\n")

    receiver.answer = drops
    began = time.monotonic()
    with pytest.raises(NotDelivered):
        send(receiver.url, b"", headers=HEADERS, allowed=[receiver.host], seconds=0.5)
    gone.set()

    assert time.monotonic() - began < 5


def test_nobody_there_is_told_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        host = f"127.0.0.1:{closed.getsockname()[1]}"

    with pytest.raises(NotDelivered):
        send(f"http://{host}/", b"", headers=HEADERS, allowed=[host])


def test_addresses_of_the_open_internet_are_public() -> None:
    assert all(map(is_public, [PUBLIC, "8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8"]))
    assert not any(map(is_public, ["", "x", "127.0.0.1", "fe80::1%eth0"]))
