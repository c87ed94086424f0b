"""A small real HTTP server that speaks the agents' API, with faults on demand: what the client is tested against."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import uuid
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from autonomy_client import Autonomy

ROLES = {"read": "reader", "match": "matcher", "anomalies": "scout", "pay": "clerk"}
LEASE_SECONDS = 60
LONGEST_WAIT_SECONDS = 25


class Platform:
    """Runs "invoice to payment" in memory: the same answers as the product, none of its rules."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.faults: list[Any] = []
        self.given: dict[str, tuple[int, Any]] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.steps: dict[str, dict[str, Any]] = {}
        self.facts: dict[tuple[str, str], dict[str, Any]] = {}
        self.failures: list[str] = []
        self.limit = 5000.0
        self.lease_seconds: float = LEASE_SECONDS
        self.expected_runs: int | None = None

    def answer(self, method: str, path: str, who: str, body: Any) -> tuple[int, Any]:
        """Status and JSON of one request by the agent `who`."""
        url = urlsplit(path)
        parts = url.path.removeprefix("/api/v1/").split("/")
        if not who:
            return problem(401, "unauthorized", "No such key.")
        match [method, *parts]:
            case ["GET", "me"]:
                me = {"code": who, "name": who, "role": who, "unit": "finance", "autonomy_level": 2}
                return 200, me | {"status": "active"}
            case ["POST", "work", "claim"]:
                return self.claim(who, body["wait_seconds"])
            case ["POST", "runs"]:
                return self.start(body)
            case ["POST", "steps", step, act]:
                return self.report(self.steps[step], act, body, who)
            case ["POST", "actions"]:
                return 200, self.decide(body)
            case ["POST", "memory", "facts"]:
                self.facts[body["space"], body["key"]] = body
                return 201, {"fact": body}
            case ["GET", "memory", "facts"]:
                asked = {name: values[0] for name, values in parse_qs(url.query).items()}
                return 200, {"fact": self.facts.get((asked["space"], asked["key"]))}
        return problem(404, "not_found", f"There is no {path}.")

    def start(self, body: Any) -> tuple[int, Any]:
        """A run, once for each key."""
        if body["key"] in self.runs:
            return 200, self.runs[body["key"]]
        run = {"id": str(uuid.uuid4()), "key": body["key"], "workflow": body["workflow"], "status": "running"}
        with self.changed:
            self.runs[body["key"]] = run | {"variables": {"input": body["input"]}}
            self.open(run["key"], "read")
        return 201, run

    def open(self, key: str, element: str, **more: Any) -> dict[str, Any]:
        """A step ready to be claimed."""
        with self.changed:
            step = {"step": str(uuid.uuid4()), "key": key, "element": element, "lease_token": 0, "approval": None}
            self.steps[step["step"]] = step | {"status": "ready"} | more
            self.changed.notify_all()
            return self.steps[step["step"]]

    def claim(self, who: str, wait_seconds: float) -> tuple[int, Any]:
        """The agent's next work, after a wait for it: as long as it wishes, or where the number of runs of the day is
        known until there is work or the day is over; on a slow machine the agent has to ask for it several times.
        No work is the answer only when nothing can become ready any more, so no agent goes home before the end."""
        with self.changed:
            if self.expected_runs is None:
                self.changed.wait_for(lambda: self._next(who), wait_seconds)
            else:
                self.changed.wait_for(lambda: self._next(who) or self._is_over(), LONGEST_WAIT_SECONDS)
                if not (self._next(who) or self._is_over()):
                    return problem(503, "unavailable", "The day is not over; ask again.")
            return 200, self._taken(who)

    def _taken(self, who: str) -> Any:
        step = self._next(who)
        if step is None:
            return {"work": None}
        step |= {"status": "working", "lease_token": step["lease_token"] + 1}
        return {"work": self._work(step)}

    def _is_over(self) -> bool:
        busy = any(step["status"] in ("ready", "working") for step in self.steps.values())
        return len(self.runs) >= (self.expected_runs or 0) and not busy

    def _next(self, who: str) -> dict[str, Any] | None:
        ready = (step for step in self.steps.values() if step["status"] == "ready")
        return next((step for step in ready if ROLES.get(step["element"]) == who), None)

    def _work(self, step: dict[str, Any]) -> dict[str, Any]:
        run = self.runs[step["key"]]
        return {
            "step": step["step"],
            "lease_token": step["lease_token"],
            "lease_seconds": self.lease_seconds,
            "attempt": 1,
            "element": step["element"],
            "name": step["element"],
            "run": {"id": run["id"], "key": run["key"], "workflow": run["workflow"]},
            "variables": run["variables"],
            "approval": step["approval"],
        }

    def report(self, step: dict[str, Any], act: str, body: Any, who: str) -> tuple[int, Any]:
        """Heartbeat, finish or fail of a step that is held."""
        with self.changed:
            answer = self._reported(step, act, body, who)
            self.changed.notify_all()
            return answer

    def _reported(self, step: dict[str, Any], act: str, body: Any, who: str) -> tuple[int, Any]:
        if step["lease_token"] != body["lease_token"] or step["status"] != "working":
            return problem(409, "stale_lease", "Somebody else has this step.")
        if act == "heartbeat":
            return 200, {"lease_seconds": self.lease_seconds}
        step["status"] = "done"
        if act == "fail":
            self.failures.append(body["reason"])
            return 200, {"status": "failed"}
        step["cost"] = body["cost"]
        self.go_on(step, body["output"])
        return 200, self._taken(who) if body["claim_next"] else {"work": None}

    def go_on(self, step: dict[str, Any], output: dict[str, Any]) -> None:
        """Open what comes after a finished step."""
        key, variables = step["key"], self.runs[step["key"]]["variables"]
        variables[step["element"]] = output
        if step["element"] == "read" and output["readable"]:
            self.open(key, "match")
            self.open(key, "anomalies")
        fine = {"match", "anomalies"} <= variables.keys() and "pay" not in variables
        if fine and variables["match"]["matched"] and variables["anomalies"]["findings"] == 0:
            self.open(key, "pay")

    def decide(self, body: Any) -> Any:
        """Allow up to the limit, ask a person above it; an approval lifts the limit."""
        allowed = float(body["context"]["amount"]) <= self.limit or body["approval"]
        answer = {"decision": str(uuid.uuid4()), "reason": "by amount", "rule": "limit", "policy": "pay"}
        if allowed:
            return answer | {"effect": "allow", "obligations": [], "escalation": None}
        with self.changed:
            self.steps[body["step"]]["status"] = "waiting"
            self.changed.notify_all()
        escalation = {"id": "e-1", "due_at": "2026-11-22T14:00:00Z"}
        return answer | {"effect": "escalate", "obligations": [], "escalation": escalation}

    def settle(self, step: dict[str, Any], status: str, reason: str) -> None:
        """A person answered: the step comes back."""
        with self.changed:
            approval = {"id": "a-1", "escalation": "e-1", "status": status, "reason": reason}
            step |= {"status": "ready", "approval": approval}
            self.changed.notify_all()

    def sent(self, path: str) -> list[tuple[str, str, dict[str, str], Any]]:
        """The requests to one path."""
        return [request for request in self.requests if request[1].split("?")[0] == f"/api/v1/{path}"]


def problem(status: int, code: str, detail: str, **more: Any) -> tuple[int, Any]:
    """An answer in problem+json."""
    return status, {"type": "about:blank", "title": code, "status": status, "code": code, "detail": detail, **more}


class Door(BaseHTTPRequestHandler):
    """Reads a request, applies the next fault if there is one, answers, and repeats the answer for the same key."""

    protocol_version = "HTTP/1.1"
    # Headers and body go out as two packets; without this the second waits for the first to be acknowledged.
    disable_nagle_algorithm = True
    platform: Platform

    def do_GET(self) -> None:
        self.serve(None)

    def do_POST(self) -> None:
        self.serve(json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}"))

    def serve(self, body: Any) -> None:
        platform = self.platform
        platform.requests.append((self.command, self.path, dict(self.headers), body))
        fault = platform.faults.pop(0) if platform.faults else None
        key = self.headers.get("Idempotency-Key", "")
        who = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if fault == "drop":
            self.hang_up()
            return
        if fault is not None and fault != "lose":
            self.say(*fault)
            return
        if self.command == "POST" and key in platform.given:
            answer = platform.given[key]
        else:
            answer = platform.answer(self.command, self.path, who, body)
            if answer[0] != 503:
                platform.given[key] = answer
        if fault == "lose":
            self.hang_up()
        else:
            self.say(*answer)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def say(self, status: int, body: Any, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        # The program at the other end may have stopped meanwhile.
        with contextlib.suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the tests' output quiet."""


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def server(platform: Platform) -> Iterator[str]:
    """The address of a running server for `platform`."""
    door = type("OneDoor", (Door,), {"platform": platform})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), door)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_address[1]}"
    listening.shutdown()
    listening.server_close()
    thread.join()


@pytest.fixture
def client(server: str) -> Iterator[Autonomy]:
    """The clerk's client, quick with its retries."""
    with Autonomy(server, "clerk", retries=3, backoff_seconds=0.001) as client:
        yield client


@pytest.fixture(scope="session")
def real_invoices() -> Path:
    """Invoices that other people made; the test is skipped where they are absent."""
    folder = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "invoices"
    if not folder.is_dir():
        pytest.skip("the folder of real invoices is not here")
    return folder.resolve()
