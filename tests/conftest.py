"""What every test can ask for: the Halden Group, its people signed in, its agents with their keys."""

import json
import uuid
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from agents.models import Agent, Principal
from autonomy_site.demo.company import Halden, build
from governance.operations import policies
from observability.ledger import bell, database_now
from workflows.operations.definitions import graph_of

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Parallel runs get a database each."""


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    # Argon2 costs 50 ms for each of the ten people; its strength is not what these tests are about.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Each test begins with an empty database, whose keys and editions count from 1 again."""
    graph_of.cache_clear()
    policies._shelf.edition = ()
    bell.is_closed = False  # a server that an earlier test started in this process has closed it


@pytest.fixture(autouse=True)
def _flush_past_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the test database be emptied after a test with real transactions, which the ledger's triggers refuse.
    PostgreSQL deletes where Django would truncate: a server that still reads must not meet locks on whole tables."""
    ops = type(connection.ops)
    emptying = ops.sql_flush

    def past_the_triggers(self: Any, style: Any, tables: list[str], **options: Any) -> list[str]:
        if connection.vendor == "postgresql":
            return [
                "ALTER TABLE observability_event DISABLE TRIGGER USER",
                *(f"DELETE FROM {self.quote_name(table)}" for table in tables),
                "SET CONSTRAINTS ALL IMMEDIATE", "ALTER TABLE observability_event ENABLE TRIGGER USER",
            ]  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'ledger_no_delete'")
            (trigger,) = cursor.fetchone()
        return ["DROP TRIGGER ledger_no_delete", *emptying(self, style, tables, **options), trigger]

    monkeypatch.setattr(ops, "sql_flush", past_the_triggers)


@pytest.fixture
def now() -> datetime:
    """The database's time."""
    return database_now()


@pytest.fixture
def halden(db: None) -> Halden:
    """The whole Halden Group, everybody with the same password."""
    return build(database_now(), password=PASSWORD)


class Person(Client):
    """A signed-in person: `get` and `post` as the browser does, `call` for the API."""

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        headers = {"Idempotency-Key": key or str(uuid.uuid4())} if method == "post" else {}
        return getattr(self, method)(f"/api/v1/{path}", body, content_type="application/json", headers=headers)


class Robot(Client):
    """An agent at the API, with its key."""

    key = ""

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        if method == "post":
            headers["Idempotency-Key"] = key or str(uuid.uuid4())
            return self.post(
                f"/api/v1/{path}", json.dumps(body or {}), content_type="application/json", headers=headers
            )
        if method == "delete":
            return self.delete(f"/api/v1/{path}", headers=headers)
        return self.get(f"/api/v1/{path}", body or {}, headers=headers)

    def claim(self) -> dict[str, Any] | None:
        """The next work, None without any."""
        answer = self.call("post", "work/claim", {})
        assert answer.status_code == 200, answer.content
        return answer.json()["work"]

    def finish(self, work: dict[str, Any], **output: Any) -> Any:
        """Finish the work with these outputs."""
        body = {"lease_token": work["lease_token"], "output": output, "cost": "0.01", "note": "Done."}
        return self.call("post", f"steps/{work['step']}/finish", body)


@pytest.fixture
def sign_in(halden: Halden) -> Any:
    """`sign_in("priya")` gives Priya's browser."""

    def signed_in(username: str) -> Person:
        person = Person()
        person.force_login(
            Principal.objects.get(username=username), backend="agents.views.PeopleBackend"
        )  # fmt: skip
        return person

    return signed_in


@pytest.fixture
def robot(halden: Halden) -> Any:
    """`robot("AP-01")` gives that agent's client."""

    def at_work(code: str) -> Robot:
        agent = Robot()
        agent.key = halden.keys[code]
        return agent

    return at_work


@pytest.fixture
def payer(halden: Halden) -> Agent:
    """The payments clerk."""
    return halden.agents["AP-04"]


@pytest.fixture
def bring(robot: Any) -> Any:
    """`bring("2026-1187")` starts a run and does its first three steps; with findings it waits for a person's yes."""

    def brought(key: str = "2026-1187", *, findings: int = 0) -> str:
        reader, matcher, scout = (robot(code) for code in ("AP-01", "AP-02", "RK-01"))
        body = {"workflow": "invoice-to-payment", "key": key, "input": {"document": f"{key}.xml"}}
        run: str = reader.call("post", "runs", body).json()["id"]
        read = {"readable": True, "number": key, "seller": "Kessler Maschinenbau GmbH", "total": "9000.00"}
        assert reader.finish(reader.claim(), **read, currency="EUR").status_code == 200
        assert matcher.finish(matcher.claim(), matched=True, status="matched").status_code == 200
        assert scout.finish(scout.claim(), findings=findings).status_code == 200
        return run

    return brought


@pytest.fixture
def question() -> Any:
    """`question(work, amount="9000.00")` asks whether invoice 2026-1187 may be paid; 5,000.00 is the agent's limit."""

    def asked(
        work: Any = None, *, amount: str = "9000.00", properties: Any = None, context: Any = None, **more: Any
    ) -> Any:
        known = {"seller": "Kessler Maschinenbau GmbH", "order_matched": True, "findings": 0, "bank_changed_days": 412}
        place = {"step": work["step"], "lease_token": work["lease_token"]} if work else {}
        return {
            **place, "action": "invoice.pay",
            "resource": {"type": "invoice", "id": "2026-1187", "properties": {**known, **(properties or {})}},
            "context": {"amount": amount, "currency": "EUR", **(context or {})}, **more,
        }  # fmt: skip

    return asked
