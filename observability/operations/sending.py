"""What leaves this server: one request to an address that was looked up once, checked, and is the one connected to."""

import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from functools import cache

import httpcore

from observability.rules import NotReachable, Target, is_public, target_of

SECONDS_AT_MOST = 10.0
SECONDS_TO_LOOK_UP = 3.0
BODY_AT_MOST = 20_000
Resolve = Callable[[str, int], Collection[str]]
_lookups = ThreadPoolExecutor(4, thread_name_prefix="lookup")


class NotDelivered(Exception):
    """The other side did not take it; the text says why."""


class NowhereToSend(Exception):
    """Nothing is sent to this address; the text says why."""


@dataclass(frozen=True)
class Received:
    """What the other side answered: its status and the beginning of its body."""

    status: int
    body: bytes

    @property
    def is_taken(self) -> bool:
        """Whether the other side took it."""
        return 200 <= self.status < 300


def looked_up(host: str, port: int) -> Collection[str]:
    """The addresses of a host as the system's resolver knows them, soon or not at all."""
    asked = _lookups.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        return [str(found[4][0]) for found in asked.result(SECONDS_TO_LOOK_UP)]
    except (OSError, UnicodeError, TookTooLong) as unknown:
        raise NowhereToSend("This host was not found.") from unknown


def checked(url: str, *, allowed: Collection[str], resolve: Resolve = looked_up) -> tuple[Target, tuple[str, ...]]:
    """Where `url` leads now, and its addresses, each of them public unless the host is among `allowed`. Raises
    NowhereToSend."""
    try:
        target = target_of(url, allowed)
    except NotReachable as wrong:
        raise NowhereToSend(str(wrong)) from wrong
    found = tuple(resolve(target.host, target.port))
    if not found or not (target.allowed or all(map(is_public, found))):
        raise NowhereToSend("This host is not one of the open internet.")
    return target, found


def send(
    url: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    allowed: Collection[str],
    resolve: Resolve = looked_up,
    seconds: float = SECONDS_AT_MOST,
) -> Received:
    """What the other side answers to a POST of `body`. No redirect is followed, no proxy asked; the whole exchange
    takes at most `seconds`. Raises NowhereToSend for an address that is refused, NotDelivered when nobody answers."""
    target, addresses = checked(url, allowed=allowed, resolve=resolve)
    told = [("Host", target.authority), *headers.items()]
    where = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    line = _Line(addresses, time.monotonic() + seconds)
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_trusted(), network_backend=line) as pool,
            pool.stream("POST", where, headers=told, content=body) as answer,
        ):
            return Received(answer.status, _beginning(answer.iter_stream()))
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as failed:
        raise NotDelivered(f"Nobody took it: {type(failed).__name__}.") from failed


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


def _beginning(pieces: Iterable[bytes]) -> bytes:
    taken = b""
    for piece in pieces:
        taken += piece
        if len(taken) > BODY_AT_MOST:
            raise NotDelivered("The answer was too long.")
    return taken


class _Line(httpcore.NetworkBackend):
    """Connects to the addresses that were checked, whatever the host's name leads to by now, until its time is over."""

    def __init__(self, addresses: tuple[str, ...], until: float) -> None:
        self._addresses, self._until = addresses, until

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first of the checked addresses that answers."""
        failed: Exception = httpcore.ConnectError("there is no address")
        for address in self._addresses:
            try:
                stream = httpcore.SyncBackend().connect_tcp(
                    address, port, _left(self._until), local_address, socket_options
                )
                return _Timed(stream, self._until)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as none:
                failed = none
        raise failed


class _Timed(httpcore.NetworkStream):
    """A stream whose every part ends with the time of the whole: who answers drop by drop gains nothing."""

    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self._stream, self._until = stream, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._until))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, _left(self._until))
        return _Timed(secured, self._until)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time is over")
    return left
