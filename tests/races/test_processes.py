"""Two server processes that share the database and nothing else: what one changes, the other's next answer knows."""

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings
from django.db import connection

from autonomy_site.demo.company import FOLDER
from governance.models import Decision
from tests.policies import approved, look_at_replay
from tests.races.conftest import PATIENCE_SECONDS

SEEN_WITHIN_SECONDS = 1.0
CSRF = "b" * 32
LIMIT = "context.amount > 5000 && context.amount <= 25000"
TEXT = (FOLDER / "policies" / "invoice_payment.yaml").read_text()


def shared_database(folder: Path) -> dict[str, str]:
    """What tells another process to use the database of this test."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        (folder / "autonomy.sqlite3").symlink_to(name)
        return {}
    return {"DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()}


@dataclass(frozen=True)
class Process:
    """A server process, and who calls it."""

    address: str
    halden: Any
    cookies: Any

    def call(self, path: str, body: Any, *, who: str) -> httpx.Response:
        """An agent by its key, or a signed-in person, posts to the API."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        if who in self.halden.keys:
            headers["Authorization"] = f"Bearer {self.halden.keys[who]}"
        else:
            session = self.cookies(who).cookies["sessionid"].value
            headers |= {"Cookie": f"sessionid={session}; csrftoken={CSRF}", "X-CSRFToken": CSRF, "If-Match": "*"}
        answer = httpx.post(f"{self.address}{path}", json=body, headers=headers, timeout=PATIENCE_SECONDS)
        assert answer.status_code == 200, answer.text
        return answer

    def evaluated(self, amount: str) -> dict[str, Any]:
        """What the process answers when the payments clerk asks to pay."""
        known = {"seller": "Kessler Maschinenbau GmbH", "order_matched": True, "findings": 0, "bank_changed_days": 412}
        answer = self.call("/access/v1/evaluation", {
            "subject": {"type": "agent", "id": "AP-04"}, "action": {"name": "invoice.pay"},
            "resource": {"type": "invoice", "id": str(uuid.uuid4()), "properties": known},
            "context": {"amount": amount, "currency": "EUR"},
        }, who="AP-04")  # fmt: skip
        return dict(answer.json())


@pytest.fixture
def processes(halden: Any, sign_in: Any, tmp_path: Path) -> Iterator[list[Process]]:
    """Two servers, each in its own process, whose Redis is down."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    variables = {
        **kept, **shared_database(tmp_path), "DATA_FOLDER": str(tmp_path), "SECRET_KEY": settings.SECRET_KEY,
        "REDIS_URL": f"redis://127.0.0.1:{nobody}/0", "LOG_LEVEL": "CRITICAL", "RATE_LIMIT_PER_MINUTE": "10000000",
    }  # fmt: skip
    command = [sys.executable, "-m", "uvicorn", "autonomy_site.asgi:application", "--log-level", "critical"]
    running, found = [], []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            # The socket listens before the server runs: the first request waits until it is taken.
            running.append(subprocess.Popen(
                [*command, "--fd", str(listening.fileno())], cwd=settings.BASE, env=variables,
                pass_fds=[listening.fileno()],
            ))  # fmt: skip
            found.append(Process(f"http://127.0.0.1:{listening.getsockname()[1]}", halden, sign_in))
    yield found
    for server in running:
        server.terminate()
    for server in running:
        server.wait(timeout=PATIENCE_SECONDS)


def first_seen(process: Process, amount: str, wanted: Any) -> float:
    """After how many seconds the process answers as wanted; asked again and again until then."""
    began = time.monotonic()
    while True:
        asked_at = time.monotonic()
        if wanted(process.evaluated(amount)):
            return asked_at - began  # when the question was put that knew of it
        assert time.monotonic() - began < PATIENCE_SECONDS, "the other process never sees it"


def test_a_policy_that_one_process_puts_in_force_decides_in_the_other_within_a_second(
    processes: list[Process], sign_in: Any
) -> None:
    one, other = processes
    assert [each.evaluated("900.00")["decision"] for each in processes] == [True, True], "both have read the rules"
    text = TEXT.replace(LIMIT, "context.amount > 500 && context.amount <= 25000")
    text = text.replace(
        "small matched invoice, expect", "small matched invoice, request: {context: {amount: 1}}, expect"
    )
    text = text.replace('amount: "5000.00"', 'amount: "500.00"').replace('amount: "1210.50"', 'amount: "210.50"')
    assert approved(sign_in, text) == 2
    look_at_replay(sign_in("daniel"), 2)

    one.call("/api/v1/policies/finance.invoice-payment/activate", {"version": 2}, who="daniel")
    seconds = first_seen(other, "901.00", lambda told: not told["decision"])

    assert seconds < SEEN_WITHIN_SECONDS
    assert one.evaluated("902.00")["decision"] is False
    versions = Decision.objects.order_by("pk").values_list("policy_version", flat=True)
    assert set(versions[:2]) == {1}
    assert set(versions[2:]) == {2}


def test_a_pause_in_one_process_refuses_the_next_question_in_the_other(processes: list[Process]) -> None:
    one, other = processes
    assert [each.evaluated("900.00")["decision"] for each in processes] == [True, True]

    one.call("/api/v1/control", {"kind": "everything", "state": "paused", "why": "A drill."}, who="ingrid")
    refused = other.evaluated("901.00")
    one.call("/api/v1/control", {"kind": "everything", "state": "normal", "why": "It is over."}, who="ingrid")
    allowed = other.evaluated("902.00")

    assert (refused["decision"], refused["context"]["rule"]) == (False, "control-state")
    assert allowed["decision"] is True
    assert list(Decision.objects.order_by("pk").values_list("effect", flat=True)) == ["allow", "allow", "deny", "allow"]


def test_a_pause_of_one_agent_holds_in_the_other_process_as_well(processes: list[Process]) -> None:
    one, other = processes
    assert other.evaluated("900.00")["decision"] is True

    one.call("/api/v1/control", {"kind": "agent", "id": "AP-04", "state": "paused", "why": "A drill."}, who="ingrid")

    assert other.evaluated("901.00")["context"]["rule"] == "control-state"
