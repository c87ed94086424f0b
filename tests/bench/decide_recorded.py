"""Bench: one decision with its record, in process and over HTTP, beside bare SQL that keeps the same rows.

DATABASE_URL=postgresql://... python tests/bench/decide_recorded.py (the rules alone: decide.py)
"""

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
from measuring.database import company, own_database
from measuring.serving import agent, served
from measuring.times import header, measured, show
from measuring.work import question

if TYPE_CHECKING:
    from autonomy_site.demo.company import Halden

ROUNDS = 200
BARE = """
CREATE TABLE bare_decision (id bigserial PRIMARY KEY, key text UNIQUE, request jsonb, facts jsonb, effect text);
CREATE TABLE bare_event (id bigserial PRIMARY KEY, verb text, subject text, data jsonb);
"""
KEEP = "INSERT INTO bare_decision (key, request, facts, effect) VALUES (%s, %s, %s, 'allow')"
TELL = "INSERT INTO bare_event (verb, subject, data) VALUES ('decision.made', %s, '{}')"


def bare(database: psycopg.Connection[Any]) -> None:
    """A decision and its event, kept in one transaction."""
    key, text = str(uuid.uuid4()), '{"action": "invoice.pay", "context": {"amount": "1210.50"}}'
    database.execute("SELECT id FROM bare_decision WHERE key = %s", [key])
    database.execute(KEEP, [key, text, text])
    database.execute(TELL, [key])
    database.commit()


def decided(halden: "Halden", number: int, amount: str) -> None:
    """The room's own function, as every door calls it."""
    from governance import operations
    from observability.ledger import database_now

    given = {**question(number, amount), "confidence": Decimal("0.98")}
    asked = operations.Question(request_key=str(uuid.uuid4()), **given)
    operations.decide(asked, agent=halden.agents["AP-04"], at=database_now())


def main() -> None:
    with own_database("decide") as url:
        halden = company()
        with served() as server, psycopg.connect(url) as database:
            database.execute(BARE)
            database.commit()
            clerk = agent(server, halden.keys["AP-04"])
            header("A decision with its record, in milliseconds")
            floor = measured("bare SQL: look up, decision, event", lambda _: bare(database), ROUNDS)
            show(floor)
            for name, amount in (("allowed", "1210.50"), ("a person is asked", "9000.00")):
                room = measured(f"in process: {name}", lambda n, a=amount: decided(halden, n, a), ROUNDS)
                show(room, beside=floor)
                door = measured(
                    f"POST /api/v1/actions: {name}",
                    lambda n, a=amount: clerk.post("actions", question(n, a)).json(),
                    ROUNDS,
                )
                show(door, beside=floor, bar=5)


if __name__ == "__main__":
    main()
