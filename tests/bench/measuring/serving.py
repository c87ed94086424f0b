"""A real server on the loopback interface, and callers that talk to it over connections that stay open."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measuring.database import ROOT

CSRF = "b" * 32


@dataclass(frozen=True)
class Server:
    """A running server process."""

    port: int
    pid: int

    @property
    def resident_mb(self) -> float:
        """Its resident memory in megabytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    @property
    def processor_seconds(self) -> float:
        """The processor time that it has used."""
        user, system = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(*, workers: int = 1, **environment: str) -> Iterator[Server]:
    """The product behind uvicorn with the environment of this process, in so many processes, until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "autonomy_site.asgi:application", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--log-level", "warning", "--timeout-keep-alive", "120"]
    command += ["--workers", str(workers)] if workers > 1 else []
    unlimited = {"RATE_LIMIT_PER_MINUTE": "10000000", "SIGN_IN_LIMIT_PER_MINUTE": "10000000"}
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **unlimited, **environment})
    try:
        wait_for(port, process)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_for(port: int, process: subprocess.Popen[Any]) -> None:
    """Wait until the server answers its health check."""
    while process.poll() is None:
        try:
            if Caller(port).call("GET", "/health").status == 200:
                return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"The server ended with {process.returncode} before it served.")


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """The body as JSON; anything but a 2xx ends the benchmark."""
        if not 200 <= self.status < 300:
            raise SystemExit(f"unexpected {self.status}: {self.body[:600]!r}")
        return json.loads(self.body)


class Caller:
    """One open connection, with the headers of whoever calls."""

    def __init__(self, port: int, **headers: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = headers

    def call(self, method: str, path: str, body: bytes | None = None, **more: str) -> Answer:
        """Send a request and read the whole answer."""
        self.connection.request(method, path, body, {**self.headers, **more})
        answer = self.connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())

    def get(self, path: str) -> Answer:
        """Get a page or a resource."""
        return self.call("GET", path)

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        """Post JSON to the API, each time with a key of its own."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        return self.call("POST", f"/api/v1/{path}", json.dumps(body).encode(), **headers)


def agent(server: Server, key: str) -> Caller:
    """An agent at the API."""
    return Caller(server.port, Authorization=f"Bearer {key}")


def person(server: Server, username: str) -> Caller:
    """A signed-in person's browser."""
    return Caller(server.port, **{"Cookie": cookies(username), "X-CSRFToken": CSRF})


def cookies(username: str) -> str:
    """The cookies of a new session of this person."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from agents.models import Principal

    who = Principal.objects.get(username=username)
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(who.pk), who.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "agents.views.PeopleBackend"
    session["account_authentication_methods"] = [{"method": way, "at": time.time()} for way in ("password", "mfa")]
    session.create()
    return f"sessionid={session.session_key}; csrftoken={CSRF}"
