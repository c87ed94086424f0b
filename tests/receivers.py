"""Somebody on this machine who takes what the server sends: HTTP and mail, each on a port of its own."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Taken:
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What arrived, and how the next request is answered: a status, or a function of the open request."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    answer: int | Callable[[BaseHTTPRequestHandler], None] = 204

    @property
    def host(self) -> str:
        """Host and port, as a list of allowed hosts names them."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}/hook"


@contextmanager
def http_receiver() -> Iterator[Receiver]:
    """A receiver of HTTP on loopback."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            receiver.taken.append(Taken(self.path, dict(self.headers.items()), body))
            if callable(receiver.answer):
                receiver.answer(self)
                return
            self.send_response(receiver.answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


@contextmanager
def mail_receiver() -> Iterator[Receiver]:
    """A receiver of mail (SMTP without encryption) on loopback; each mail is the body of one `Taken`."""
    receiver = Receiver()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 here")
            while line := self.rfile.readline():
                word = line.strip().upper()
                if word == b"DATA":
                    self.say("354 go on")
                    receiver.taken.append(Taken("mail", {}, self.text()))
                    self.say("250 taken")
                elif word == b"QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 fine")

        def text(self) -> bytes:
            lines = []
            while (line := self.rfile.readline()) and line != b".\r\n":
                lines.append(line)
            return b"".join(lines)

        def say(self, words: str) -> None:
            self.wfile.write(f"{words}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()
