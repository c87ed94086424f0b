"""Bench: 64 agents' questions at the same moment against one budget, beside 64 bare guarded UPDATEs of one row: how
long they take, whether the budget is ever overspent, and whether anybody gets an error of the server.

DATABASE_URL=postgresql://... python tests/bench/budgets.py
"""

import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
from measuring.database import company, own_database
from measuring.serving import Caller, agent, served
from measuring.times import Times, header, show, together
from measuring.work import question

if TYPE_CHECKING:
    from autonomy_site.demo.company import Halden
    from governance.models import Budget

MANY, ROUNDS, AMOUNT = 64, 6, 1000
PASS = 30  # so many of the 64 fit into the budget of a round
BARE = """
CREATE TABLE bare_budget (id int PRIMARY KEY, reserved bigint, hard_limit bigint);
CREATE TABLE bare_reservation (id bigserial PRIMARY KEY, budget int, amount bigint);
"""
RESERVE = "UPDATE bare_budget SET reserved = reserved + %s WHERE id = %s AND reserved + %s <= hard_limit"


def at_once(act: Callable[[int, Times], None]) -> list[Times]:
    """Let 64 threads begin at the same moment; how long each took."""
    line, taken = threading.Barrier(MANY), [Times("") for _ in range(MANY)]

    def run(place: int) -> None:
        line.wait()
        act(place, taken[place])

    threads = [threading.Thread(target=run, args=[place]) for place in range(MANY)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return taken


def bare_reservations(url: str) -> Times:
    """The same rush in bare SQL: reserve what is left, and keep a row for it."""
    connections = [psycopg.connect(url) for _ in range(MANY)]
    with psycopg.connect(url, autocommit=True) as setup:
        setup.execute(BARE)
        setup.execute("INSERT INTO bare_budget SELECT n, 0, %s FROM generate_series(1, %s) n", [PASS * AMOUNT, ROUNDS])

    def reserve(place: int, budget: int) -> None:
        database = connections[place]
        if database.execute(RESERVE, [AMOUNT, budget, AMOUNT]).rowcount:
            database.execute("INSERT INTO bare_reservation (budget, amount) VALUES (%s, %s)", [budget, AMOUNT])
        database.commit()

    parts = [
        part
        for budget in range(1, ROUNDS + 1)
        for part in at_once(lambda place, taken, b=budget: taken.take(lambda: reserve(place, b)))  # type: ignore[misc]
    ]
    for each in connections:
        each.close()
    return together(parts, f"bare SQL: {MANY} reserve from one row")


def opened(number: int) -> "Budget":
    """A budget for this round, in place of the one before."""
    from governance import operations
    from observability import ledger
    from observability.ledger import database_now

    at = database_now()
    terms = operations.BudgetTerms(
        name=f"Round {number}", scope="agent", about="AP-04", metric="money", period="total",
        hard_limit=Decimal(PASS * AMOUNT), why="A bench.",
    )  # fmt: skip
    return operations.open_budget(terms, by=ledger.SYSTEM, at=at)


def closed(budget: "Budget") -> None:
    """End a round's budget."""
    from governance import operations
    from observability import ledger
    from observability.ledger import database_now

    operations.close_budget(budget, by=ledger.SYSTEM, at=database_now(), why="The round is over.")


def rush(callers: list[Caller], number: int, told: Counter[str]) -> list[Times]:
    """One round: everybody asks for another invoice."""
    lock = threading.Lock()

    def ask(place: int, taken: Times) -> None:
        body = json.dumps(question(f"{number}-{place}", f"{AMOUNT}.00")).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        answer: Any = taken.take(lambda: callers[place].call("POST", "/api/v1/actions", body, **headers))
        with lock:
            told["5xx" if answer.status >= 500 else str(json.loads(answer.body).get("effect", answer.status))] += 1

    return at_once(ask)


def quiet(halden: "Halden") -> None:
    """Denials for want of money are what is measured: they shall not put the agent in quarantine."""
    from dataclasses import replace

    from governance import operations
    from governance.rules.breaking import DEFAULTS
    from observability.ledger import database_now

    limits = replace(DEFAULTS, denials=None, hijack_signs=None)
    change = operations.SafeguardChange("", limits)
    operations.set_safeguards(change, by=halden.people["ingrid"], at=database_now(), why="A bench.")


def main() -> None:
    with own_database("budgets") as url:
        halden = company()
        quiet(halden)
        from governance.models import BudgetPeriod

        floor = bare_reservations(url)
        told: Counter[str] = Counter()
        parts: list[Times] = []
        overspent = Decimal(0)
        with served(workers=2) as server:
            callers = [agent(server, halden.keys["AP-04"]) for _ in range(MANY)]
            for caller in callers:
                caller.get("/api/v1/me")
            for number in range(ROUNDS):
                budget = opened(number)
                parts += rush(callers, number, told)
                row = BudgetPeriod.objects.get(budget=budget)
                overspent += max(Decimal(0), row.used - row.hard_limit)
                closed(budget)
        header(f"{MANY} questions at once against one budget for {PASS} of them, in milliseconds")
        show(floor)
        show(together(parts, f"POST /api/v1/actions: {MANY} at once, 2 workers"), beside=floor)
        print(f"  {dict(told)}, overspent {overspent}, 5xx {told['5xx']} (the bars are 0 and 0)")


if __name__ == "__main__":
    main()
