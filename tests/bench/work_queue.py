"""Bench: how fast agents take and finish steps over HTTP, beside a bare loop with SKIP LOCKED; starts and hand-overs.

DATABASE_URL=postgresql://... python tests/bench/work_queue.py [seconds for each round]
"""

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from measuring.database import company, own_database
from measuring.serving import Caller, Server, agent, served
from measuring.times import Times, header, measured, show, together
from measuring.work import READ
from measuring.work import start as started

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 6.0
STARTS = 100
HAND_OVERS = 60
START_BAR, HAND_OVER_BAR, HAND_OVER_P99 = 5, 15, 60
BARE = """
CREATE TABLE bare_queue (id bigserial PRIMARY KEY, status text NOT NULL DEFAULT 'ready', token int NOT NULL DEFAULT 0);
CREATE INDEX bare_ready ON bare_queue (id) WHERE status = 'ready';
INSERT INTO bare_queue SELECT FROM generate_series(1, 100000);
"""
CLAIM = (
    "UPDATE bare_queue SET status = 'working', token = token + 1 WHERE id = (SELECT id FROM bare_queue"
    " WHERE status = 'ready' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, token"
)


def bare_loop(url: str) -> Callable[[], object]:
    """Claim a row and finish it, in two transactions of plain SQL."""
    database = psycopg.connect(url, autocommit=True)

    def step() -> None:
        row, token = database.execute(CLAIM).fetchone() or (0, 0)
        database.execute("UPDATE bare_queue SET status = 'done' WHERE id = %s AND token = %s", [row, token])

    return step


def agent_loop(server: Server, key: str) -> Callable[[], object]:
    """Finish the step in hand and claim the next one in the same request."""
    caller = agent(server, key)
    work = caller.post("work/claim", {}).json()["work"]

    def step() -> None:
        nonlocal work
        body = {"lease_token": work["lease_token"], "output": READ, "cost": "0.0123", "note": "Done."}
        work = caller.post(f"steps/{work['step']}/finish", {**body, "claim_next": True}).json()["work"]

    return step


def at_once(name: str, loops: list[Callable[[], object]]) -> tuple[Times, float]:
    """(time of each step, steps per second) when all loops run side by side for a while."""
    parts, until = [Times(name) for _ in loops], time.monotonic() + SECONDS

    def run(part: Times, step: Callable[[], object]) -> None:
        while time.monotonic() < until:
            part.take(step)

    threads = [threading.Thread(target=run, args=pair) for pair in zip(parts, loops, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = together(parts, name)
    return everything, len(everything.taken) / SECONDS


def start(caller: Caller, number: int | str) -> None:
    """Start one run."""
    values = {"document": f"{number}.xml", "sha256": "0" * 64}
    caller.post("runs", {"workflow": "invoice-to-payment", "key": f"S-{number}", "input": values}).json()


def hand_overs(server: Server, reader_key: str, matcher_key: str) -> Times:
    """From the moment the reader sends its finish until the matcher, who waits in a long poll, has the next step."""
    reader, matcher = agent(server, reader_key), agent(server, matcher_key)
    while reader.post("work/claim", {}).json()["work"]:
        pass  # what is left over from before stays leased
    while matcher.post("work/claim", {}).json()["work"]:
        pass
    times = Times("hand-over: finish sent, until the waiting claim has it")
    for number in range(HAND_OVERS):
        start(reader, f"H-{number}")
        work = reader.post("work/claim", {}).json()["work"]
        times.taken.append(_hand_over(reader, matcher, work))
    return times


def _hand_over(reader: Caller, matcher: Caller, work: dict[str, Any]) -> float:
    arrived: list[int] = []

    def wait() -> None:
        if matcher.post("work/claim", {"wait_seconds": 20}).json()["work"]:
            arrived.append(time.perf_counter_ns())

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.1)
    begun = time.perf_counter_ns()
    reader.post(f"steps/{work['step']}/finish", {"lease_token": work["lease_token"], "output": READ}).json()
    waiting.join()
    return (arrived[0] - begun) / 1e6


def main() -> None:
    with own_database("queue") as url:
        halden = company()
        with psycopg.connect(url, autocommit=True) as database:
            database.execute(BARE)
        with served() as server:
            reader = agent(server, halden.keys["AP-01"])
            header("The work queue, in milliseconds")
            bare_step = bare_loop(url)
            floor = measured("bare SQL: claim and finish one row", lambda _: bare_step(), 500)
            show(floor)
            nothing = measured("GET /api/v1/me: key, frame, serializer", lambda _: reader.get("/api/v1/me"), 100)
            show(nothing, beside=floor)
            within = measured("start a run, in process", lambda n: started(halden, f"P-{n}"), STARTS)
            show(within, beside=floor, bar=START_BAR)
            show(measured("start a run over HTTP", lambda n: start(reader, n), STARTS), beside=floor, bar=START_BAR)
            fill(halden)
            speeds = []
            for count in (1, 4, 8):
                name = f"finish and claim the next, {count} agents"
                taken, speed = at_once(name, [agent_loop(server, halden.keys["AP-01"]) for _ in range(count)])
                _, bare = at_once("bare", [bare_loop(url) for _ in range(count)])
                speeds.append((count, speed, bare))
                show(taken, beside=floor)
            handed = hand_overs(server, halden.keys["AP-01"], halden.keys["AP-02"])
            show(handed, beside=floor, bar=HAND_OVER_BAR)
            kept = "keeps" if handed.quantile(99) < HAND_OVER_P99 else "MISSES"
            print(f"  of these the slowest hundredth took {handed.quantile(99):.1f}: {kept} the bar of {HAND_OVER_P99}")
            print("\n  agents   steps/s over HTTP   rows/s in bare SQL   ratio")
            for count, speed, bare in speeds:
                print(f"  {count:6}{speed:20.0f}{bare:21.0f}{bare / speed:8.1f}")


def fill(halden: Any) -> None:
    """Enough runs that no agent runs dry: all three rounds together finish less than 150 in a second."""
    for number in range(int(SECONDS * 450)):
        started(halden, f"Q-{number}")


if __name__ == "__main__":
    main()
