"""Bench: how long the server takes for the queue with 10,000 open questions, its counts included, and for a card.

DATABASE_URL=postgresql://... python tests/bench/inbox.py        on PostgreSQL
python tests/bench/inbox.py                                      on SQLite
EXPLAIN=1 also prints the plans of the slowest statements.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from measuring.database import ROOT, company, own_database
from measuring.times import header, measured, show

if TYPE_CHECKING:
    from autonomy_site.demo.company import Halden

OPEN, DONE = 10_000, 20_000
ROUNDS = 25
BAR_MS = 60
ACTIONS = ("invoice.pay", "invoice.refund", "order.change", "supplier.add", "credit.note")
SLOW_MS = 3


@contextmanager
def database() -> Iterator[None]:
    """The database of DATABASE_URL, or SQLite in a folder of its own."""
    if os.environ.get("DATABASE_URL"):
        with own_database("inbox"):
            yield
        return
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, str(ROOT))
        os.environ["DATA_FOLDER"], os.environ["SECRET_KEY"] = folder, "x" * 64
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autonomy_site.settings")
        yield


def fill(halden: "Halden", *, flood: bool) -> None:
    """Open questions of four agents along all paths, of every risk and amount, and answered ones; in a flood nine of
    ten are of one agent."""
    from governance.models import Escalation, EscalationPath
    from governance.rules.queueing import Likeness, band_of, sought_in
    from observability.ledger import database_now

    at = database_now()
    paths = list(EscalationPath.objects.prefetch_related("steps"))
    crew = [halden.agents[code] for code in ("AP-04", "AP-01", "AP-02", "RK-01")]

    def question(number: int, *, done: bool) -> Any:
        agent = crew[0] if flood and number % 10 else crew[number % 4]
        path, risk, amount = paths[number % len(paths)], 1 + number * 7 % 3, number * 37 % 60_000
        kind = f"{ACTIONS[number % len(ACTIONS)]}:finance.invoice-payment:limit-{number % 3}"
        below, key = band_of(amount), f"INV-{number}"
        settled = {"status": "approved", "settled_at": at - timedelta(seconds=number)} if done else {}
        return Escalation(
            kind="action", title=f"Pay EUR {amount:,} to seller {number % 500}", risk=risk, path=path,
            asked=path.steps.all()[0], unit=path.unit, agent=agent, likeness=kind, run_key=key,
            request_sha256="ab" * 32, workflow="invoice-to-payment", workflow_name="Invoice to payment",
            request={"context": {"amount": str(amount), "currency": "EUR"}}, statement="Nothing is unusual." * 20,
            opened_at=at - timedelta(minutes=number % 3000), due_at=at + timedelta(minutes=number % 2000 - 100),
            alike=Likeness(agent.code, kind, path.key, risk, "EUR", below).key, currency="EUR", amount_below=below,
            sought=sought_in(f"Pay EUR {amount:,} to seller {number % 500}", agent.code, agent.name, key), **settled,
        )  # fmt: skip

    Escalation.objects.bulk_create([question(n, done=False) for n in range(OPEN)], batch_size=500)
    Escalation.objects.bulk_create([question(n, done=True) for n in range(DONE)], batch_size=500)


def paths_of(person: Any) -> Iterator[tuple[str, str]]:
    """(name, path) of the pages."""
    from governance.models import Escalation

    for name, query in (
        ("for me", ""), ("my teams", "?tab=teams"), ("all", "?tab=all"), ("done", "?tab=done"),
        ("filtered", "?tab=all&risk=2&agent=AP-01&age=1h"), ("search", "?tab=all&q=seller 77"),
        ("search in done", "?tab=done&q=seller 77"), ("nobody looks", "?claimed=nobody"),
    ):  # fmt: skip
        yield name, f"/escalations{query}"
    asked = Escalation.objects.open().for_person(person).earliest("id")
    yield "card beside the list", f"/escalations/{asked.uid}"


def client_of(person: Any) -> Any:
    """The person's browser, without a network."""
    from django.test import Client

    client = Client()
    client.force_login(person, backend="agents.views.PeopleBackend")
    return client


def run(person: Any, name: str) -> None:
    """Print the time of each page, and of a card alone as the list fetches it."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_of(person)
    header(
        f"{name}: {OPEN:,} open and {DONE:,} answered questions on {connection.vendor}, as {person}, in milliseconds"
    )
    found = [(each, path, {}) for each, path in paths_of(person)]
    found.append(("card alone", found[-1][1], {"HX-Request": "true"}))
    for each, path, headers in found:
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(path, headers=headers)
        if answer.status_code != 200:
            print(f"  {each}: {path} answers {answer.status_code}")
            continue
        label = f"{each}: {len(queries)} queries"
        times = measured(
            label, lambda _, path=path, headers=headers: client.get(path, headers=headers), ROUNDS, warm_up=2
        )
        show(times, bar=BAR_MS)
        if os.environ.get("EXPLAIN"):
            explain(queries.captured_queries)


def explain(queries: list[dict[str, str]]) -> None:
    """Print each slow statement with its plan."""
    from django.db import connection

    for query in queries:
        if float(query["time"]) * 1000 < SLOW_MS:
            continue
        print(f"\n    {query['time']} s  {query['sql'][:2000]}")
        words = "EXPLAIN ANALYZE" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        with connection.cursor() as cursor:
            cursor.execute(f"{words} {query['sql']}")
            print("\n".join(f"      {row[-1]}" for row in cursor.fetchall()))


def main() -> None:
    from_one = "FLOOD" in os.environ
    with database():
        halden = company()
        from django.conf import settings
        from django.db import connection

        settings.ALLOWED_HOSTS = ["*"]
        fill(halden, flood=from_one)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        for who in ("priya", "maria"):
            run(halden.people[who], "Flood" if from_one else "Mixed")


if __name__ == "__main__":
    main()
