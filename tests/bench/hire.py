"""Bench: hiring an agent from a blueprint, in process, beside bare SQL that keeps the same rows.

DATABASE_URL=postgresql://... python tests/bench/hire.py
"""

import time
from typing import TYPE_CHECKING, Any

import psycopg
from measuring.database import company, own_database
from measuring.times import header, measured, show

if TYPE_CHECKING:
    from autonomy_site.demo.company import Halden

ROUNDS = 500
BAR_MILLISECONDS = 10
BAR_PER_SECOND = 150
BARE = """
CREATE TABLE bare_account (id bigserial PRIMARY KEY, name text UNIQUE, password text);
CREATE TABLE bare_agent (id bigserial PRIMARY KEY, code text UNIQUE, account bigint REFERENCES bare_account, row jsonb);
CREATE TABLE bare_right (id bigserial PRIMARY KEY, account bigint REFERENCES bare_account, what text, on_row text);
CREATE TABLE bare_version (id bigserial PRIMARY KEY, code text, number int, document jsonb, UNIQUE (code, number));
CREATE TABLE bare_event (id bigserial PRIMARY KEY, verb text, subject text, data jsonb);
"""
ACCOUNT = "INSERT INTO bare_account (name, password) VALUES (%s, '!') RETURNING id"
AGENT = "INSERT INTO bare_agent (code, account, row) VALUES (%s, %s, %s)"
RIGHT = "INSERT INTO bare_right (account, what, on_row) VALUES (%s, 'view_unit', '2')"
VERSION = "INSERT INTO bare_version (code, number, document) VALUES (%s, 1, %s)"
EVENT = "INSERT INTO bare_event (verb, subject, data) VALUES ('agent.hired', %s, '{}')"
DOCUMENT = '{"name": "Second clerk", "purpose": "Pays.", "blueprint": "payments-clerk", "unit": "finance"}'


def bare(database: psycopg.Connection[Any], number: int) -> None:
    """Account, agent, right, version and event, kept in one transaction."""
    code = f"B-{number}"
    database.execute("SELECT id FROM bare_agent WHERE code = %s", [code])
    (account,) = database.execute(ACCOUNT, [code]).fetchone() or (0,)
    database.execute(AGENT, [code, account, DOCUMENT])
    database.execute(RIGHT, [account])
    database.execute(VERSION, [code, DOCUMENT])
    database.execute(EVENT, [code])
    database.commit()


def hired(halden: "Halden", number: int) -> None:
    """The room's own function, as every door calls it, by a person of IT."""
    from agents import operations
    from observability.ledger import database_now

    job = operations.Hired(
        code=f"B{number}", name="Second clerk", purpose="Pays.", unit=halden.units["finance"],
        blueprint=halden.agents["AP-04"].blueprint, accountable=halden.people["maria"],
    )  # fmt: skip
    operations.hire(job, by=halden.people["jonas"], at=database_now())


def main() -> None:
    with own_database("hire") as url:
        halden = company()
        with psycopg.connect(url) as database:
            database.execute(BARE)
            database.commit()
            header("Hiring an agent, in milliseconds")
            floor = measured("bare SQL: account, agent, right, version, event", lambda n: bare(database, n), ROUNDS)
            show(floor)
            begun = time.perf_counter()
            room = measured("in process: agents.operations.hire", lambda n: hired(halden, n), ROUNDS, warm_up=0)
            seconds = time.perf_counter() - begun
            show(room, beside=floor, bar=BAR_MILLISECONDS)
            rate = ROUNDS / seconds
            kept = "keeps" if rate > BAR_PER_SECOND else "MISSES"
            print(f"  {rate:.0f} agents per second, one after the other: {kept} the bar of {BAR_PER_SECOND}")


if __name__ == "__main__":
    main()
