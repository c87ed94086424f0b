"""Bench: one question of AuthZEN with its record, a batch of 50, a search, and how many questions two workers answer.

DATABASE_URL=postgresql://... python tests/bench/evaluation.py (the room alone: decide_recorded.py)
"""

import json
import threading
import time
from typing import Any

import psycopg
from decide_recorded import BARE, bare
from measuring.database import company, own_database
from measuring.serving import Caller, Server, agent, served
from measuring.times import Times, header, measured, show
from measuring.work import PROPERTIES

ROUNDS = 300
BATCH = 50
CALLERS = 8
SECONDS = 6.0


def asked(number: int | str, amount: str = "1210.50") -> dict[str, Any]:
    """May the payments clerk pay this invoice?"""
    return {
        "subject": {"type": "agent", "id": "AP-04"}, "action": {"name": "invoice.pay"},
        "resource": {"type": "invoice", "id": f"INV-{number}", "properties": PROPERTIES},
        "context": {"amount": amount, "currency": "EUR"},
    }  # fmt: skip


def post(caller: Caller, path: str, body: Any) -> Any:
    """The answer of the decision point."""
    headers = {"Content-Type": "application/json"}
    return caller.call("POST", f"/access/v1/{path}", json.dumps(body).encode(), **headers).json()


def batch(caller: Caller, number: int) -> None:
    """Fifty questions in one request."""
    many = [{"resource": asked(f"{number}-{each}")["resource"]} for each in range(BATCH)]
    answers = post(caller, "evaluations", {**asked(0), "evaluations": many})["evaluations"]
    denied = [each["context"] for each in answers if not each["decision"]]
    assert len(answers) == BATCH and not denied, denied[:1]


def load(server: Server, key: str) -> None:
    """Several callers at once for some seconds: how many questions are answered in a second."""
    times, until, lock = (
        Times(f"POST evaluation, {CALLERS} callers, 2 workers"),
        time.monotonic() + SECONDS,
        threading.Lock(),
    )

    def ask(place: int) -> None:
        caller, mine = agent(server, key), Times("")
        while time.monotonic() < until:
            mine.take(lambda: post(caller, "evaluation", asked(f"{place}-{len(mine.taken)}")))
        with lock:
            times.taken += mine.taken

    threads = [threading.Thread(target=ask, args=[place]) for place in range(CALLERS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    show(times)
    print(f"  {len(times.taken) / SECONDS:.0f} questions a second (the bar is 300)")


def main() -> None:
    with own_database("evaluation") as url:
        halden = company()
        with served() as server, psycopg.connect(url) as database:
            database.execute(BARE)
            database.commit()
            clerk = agent(server, halden.keys["AP-04"])
            header("A question of AuthZEN with its record, in milliseconds")
            floor = measured("bare SQL: look up, decision, event", lambda _: bare(database), ROUNDS)
            show(floor)
            for name, amount in (("allowed", "1210.50"), ("a person could be asked", "9000.00")):
                one = measured(
                    f"POST evaluation: {name}", lambda n, a=amount: post(clerk, "evaluation", asked(n, a)), ROUNDS
                )
                show(one, beside=floor, bar=5)
            many = measured(f"POST evaluations: {BATCH} at once", lambda n: batch(clerk, n), 40)
            show(many, beside=floor, bar=50)
            kind = {**asked(0), "resource": {"type": "invoice"}, "page": {"limit": 20}}
            show(measured("POST search/resource: 20 of them", lambda _: post(clerk, "search/resource", kind), 20))
        with served(workers=2) as server:
            load(server, halden.keys["AP-04"])


if __name__ == "__main__":
    main()
