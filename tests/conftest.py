"""What every test can ask for: the Halden Group, its people signed in, its agents with their keys."""

import json
import pickle
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache, caches
from django.db import connection
from django.test import Client, override_settings

from agents.models import Agent, Principal
from autonomy_site.demo.company import Halden, build
from governance.operations.policies import rulebook
from observability import ledger
from observability.ledger import database_now
from tests.kept import Kept
from workflows.operations.definitions import graph_of

PASSWORD = "correct horse battery staple"
APPS = ("agents", "governance", "observability", "workflows")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--only-database`: for a second run on another database."""
    said = "leave out the tests that are the same on each database: those that open none, and how pages look"
    parser.addoption("--only-database", action="store_true", help=said)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The tests that start whole demos first: they mostly wait, and beside them all others fit."""
    items.sort(key=lambda item: "tests/demo/" not in item.nodeid)
    if config.getoption("--only-database"):
        left_out = [item for item in items if is_the_same_everywhere(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not is_the_same_everywhere(item)]


def is_the_same_everywhere(item: pytest.Item) -> bool:
    """Whether no database changes anything: the test is marked so, or is one of an app and may not open any. Those of
    whole programs start processes that do."""
    if item.get_closest_marker("same_everywhere"):
        return True
    opens = item.get_closest_marker("django_db") or {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    return item.path.parent.name in APPS and not opens


@dataclass(frozen=True)
class Company:
    """The Halden Group as it was built: its rows in the database, and as objects nobody has used."""

    nothing: Kept
    all: Kept
    halden: bytes

    def fresh(self) -> Halden:
        """The company's objects, none of which has read a right yet."""
        built: Halden = pickle.loads(self.halden)
        return built


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Parallel runs get a database each."""


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    # Argon2 costs 50 ms for each of the ten people; its strength is not what these tests are about.
    # Nor are limits: some tests send more in a minute than one caller may.
    many = 10_000_000
    quick = {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}
    with override_settings(**quick, RATE_LIMIT_PER_MINUTE=many, SIGN_IN_LIMIT_PER_MINUTE=many):
        yield


@pytest.fixture(scope="session", autouse=True)
def _redis_of_ones_own() -> None:
    # Two processes of tests share a Redis but no database: one must not ring for what the other wrote, nor empty what
    # the other counts.
    if settings.REDIS_URL:
        own = f"tests-{uuid.uuid4()}"
        settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] = own
        settings.CACHES["default"]["KEY_PREFIX"] = own  # of the connections that other threads will make
        caches["default"].key_prefix = own


@pytest.fixture(scope="session")
def django_db_setup(_quick_passwords: None, django_db_setup: None, django_db_blocker: Any) -> Iterator[Company]:
    """The test database of this process with the Halden Group, built once: every test begins with it. One with real
    transactions puts it back in the end, where Django would leave empty tables."""
    with django_db_blocker.unblock():
        nothing = Kept("nothing")
        built = pickle.dumps(build(database_now(), password=PASSWORD))
        ledger.seal()
        kept = Company(nothing, Kept("all"), built)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(connection.ops), "sql_flush", lambda *_, **__: kept.all.statements())
        yield kept


@pytest.fixture(scope="session")
def company(django_db_setup: Company) -> Company:
    """What was built in the test database."""
    return django_db_setup


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """No test finds what an earlier one left in this process's memory: other rows had the same keys."""
    cache.clear()
    graph_of.cache_clear()
    rulebook._shelf = rulebook._Shelf()  # also for the threads of a server that goes on
    ledger.bell.is_closed = False  # a server that an earlier test started in this process has closed it


@pytest.fixture
def now() -> datetime:
    """The database's time."""
    return database_now()


@pytest.fixture
def halden(db: None, company: Company) -> Halden:
    """The whole Halden Group, everybody with the same password."""
    return company.fresh()


@pytest.fixture
def empty(db: None, company: Company) -> None:
    """No company: only what the migrations leave."""
    company.nothing.put_back()


class Person(Client):
    """A signed-in person: `get` and `post` as the browser does, `call` for the API."""

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None, match: str = "") -> Any:
        headers = {"Idempotency-Key": key or str(uuid.uuid4())} if method == "post" else {}
        headers |= {"If-Match": match} if match else {}
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
        if method != "get":
            return self.generic(
                method.upper(), f"/api/v1/{path}", json.dumps(body or {}), "application/json", headers=headers
            )
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


def let_in(client: Client, username: str, *methods: str) -> None:
    """Sign somebody in just now, with password and second factor unless `methods` says otherwise."""
    principal = Principal.objects.get(username=username)
    client.force_login(principal, backend="agents.views.PeopleBackend")
    session = client.session
    records = [{"method": method, "at": time.time()} for method in methods or ("password", "mfa")]
    session["account_authentication_methods"] = records
    session["account_authentication_methods_user"] = str(principal.pk)
    session.save()


@pytest.fixture
def sign_in(halden: Halden) -> Any:
    """`sign_in("priya")` gives Priya's browser."""

    def signed_in(username: str) -> Person:
        person = Person()
        let_in(person, username)
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
