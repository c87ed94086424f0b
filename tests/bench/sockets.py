"""Bench: how soon open pages hear of an approval, with one of them and with a thousand on one server process.

DATABASE_URL=postgresql://... python tests/bench/sockets.py
"""

import base64
import os
import resource
import select
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from measuring.database import company, own_database
from measuring.serving import Caller, Server, cookies, person, served
from measuring.times import Times, header, show
from measuring.work import escalations

ROUNDS = 60
WARM_UP = 5
MANY = 1000
WHO = ("maria", "ingrid", "daniel", "priya", "jonas")
PATIENCE_SECONDS = 30
MARK = b'"escalation.approved"'
PING, PONG_HEAD = 0x9, 0x8A


@dataclass
class Page:
    """One open page as plainly as can be, so that reading a thousand costs little beside what is measured."""

    line: socket.socket
    unread: bytes = b""
    heard: list[int] = field(default_factory=list)

    def read(self) -> int:
        """Read what is there; how many approvals were in it."""
        now = time.perf_counter_ns()
        taken = self.line.recv(1 << 18)
        if not taken:
            raise SystemExit("The server closed a page.")
        self.unread += taken
        found = sum(self._frame(kind, body) for kind, body in self._frames())
        self.heard += [now] * found
        return found

    def _frame(self, kind: int, body: bytes) -> int:
        if kind == PING:
            mask = os.urandom(4)
            masked = bytes(each ^ mask[place % 4] for place, each in enumerate(body))
            self.line.sendall(bytes([PONG_HEAD, 0x80 | len(body)]) + mask + masked)
        return body.count(MARK)

    def _frames(self) -> Any:
        while len(self.unread) >= 2:
            length, start = self.unread[1] & 0x7F, 2
            if length >= 126:
                start = 4 if length == 126 else 10
                length = int.from_bytes(self.unread[2:start])
            if len(self.unread) < start + length:
                return
            kind, body = self.unread[0] & 0xF, self.unread[start : start + length]
            self.unread = self.unread[start + length :]
            yield kind, body


def opened(server: Server, username: str) -> Page:
    """An open page of this person with a session of its own."""
    line = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS)
    host, key = f"127.0.0.1:{server.port}", base64.b64encode(os.urandom(16)).decode()
    lines = [
        "GET /ws/live HTTP/1.1", f"Host: {host}", f"Origin: http://{host}", f"Cookie: {cookies(username)}",
        "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
    ]  # fmt: skip
    line.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += line.recv(4096)
    if b" 101 " not in answer.partition(b"\r\n")[0]:
        raise SystemExit(f"A page was not opened: {answer[:200]!r}")
    return Page(line, answer.partition(b"\r\n\r\n")[2])


class Ears(threading.Thread):
    """Reads all pages, and knows how many approvals they have heard of together."""

    def __init__(self, pages: Sequence[Page]) -> None:
        super().__init__(daemon=True)
        self.pages, self.total, self.news = pages, 0, threading.Condition()
        self._ready, self._by_number = select.epoll(), {page.line.fileno(): page for page in pages}
        for number in self._by_number:
            self._ready.register(number, select.EPOLLIN)
        self.is_over = False

    def run(self) -> None:
        while not self.is_over:
            found = sum(self._by_number[number].read() for number, _ in self._ready.poll(0.2))
            if found:
                with self.news:
                    self.total += found
                    self.news.notify_all()

    def wait_for(self, total: int) -> None:
        """Wait until that many approvals were heard of."""
        with self.news:
            if not self.news.wait_for(lambda: self.total >= total, timeout=PATIENCE_SECONDS):
                raise SystemExit(f"Only {self.total} of {total} arrived.")


def pushed(priya: Caller, ears: Ears, asked: Sequence[Any], name: str) -> tuple[Times, Times]:
    """(each page's wait for each approval, from the start of its POST; the wait until the last page has it)."""
    each, last = Times(f"{name}: until a page has it"), Times(f"{name}: until the last page has it")
    for number, escalation in enumerate(asked):
        start = time.perf_counter_ns()
        priya.post(f"escalations/{escalation.uid}/approve", {"request_sha256": escalation.request_sha256}).json()
        ears.wait_for((number + 1) * len(ears.pages))
        waits = [(page.heard[number] - start) / 1e6 for page in ears.pages]
        if number >= WARM_UP:
            each.taken += waits
            last.taken.append(max(waits))
        time.sleep(0.05)
    return each, last


def with_pages(server: Server, priya: Caller, asked: Sequence[Any], many: int) -> None:
    """Measure with so many open pages."""
    pages = [opened(server, WHO[number % len(WHO)]) for number in range(many)]
    time.sleep(2)  # every page has caught up
    ears = Ears(pages)
    ears.start()
    before = server.processor_seconds
    each, last = pushed(priya, ears, asked, f"{many} open page{'s' if many > 1 else ''}")
    spent = (server.processor_seconds - before) * 1000 / len(asked)
    show(each, bar=20 if many == 1 else None)
    show(last)
    print(f"  processor time of the server for one approval: {spent:.1f}")
    if many > 1:
        kept = "keeps" if each.quantile(99) < 150 else "MISSES"
        print(
            f"  p99 of all pages {each.quantile(99):.1f}: {kept} the bar of 150; {server.resident_mb:.0f} MB resident"
        )
    ears.is_over = True
    ears.join()
    for page in pages:
        page.line.close()


def main() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    with own_database("sockets"):
        halden = company()
        asked = escalations(halden, 2 * (ROUNDS + WARM_UP), "S")
        with served() as server:
            priya = person(server, "priya")
            header("From the start of an approval until open pages have it, in milliseconds")
            with_pages(server, priya, asked[: ROUNDS + WARM_UP], 1)
            with_pages(server, priya, asked[ROUNDS + WARM_UP :], MANY)


if __name__ == "__main__":
    main()
