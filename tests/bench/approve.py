"""Bench: how long an approval takes over HTTP with everything it writes, how many eight people at once give in a
second, and how long until another browser hears of one.

DATABASE_URL=postgresql://... python tests/bench/approve.py
"""

import json
import os
import threading
import time
from typing import Any

import psycopg
from measuring.database import company, own_database
from measuring.serving import Caller, Server, cookies, person, served
from measuring.times import Times, header, measured, show
from measuring.work import escalations

ROUNDS = 150
CALLERS, TOGETHER = 8, 400
BAR_MS, BAR_PUSHED_MS, BAR_PER_SECOND = 8, 20, 150
WARM_UP = 5
BARE = """
CREATE TABLE bare_answer (id bigserial PRIMARY KEY, key text UNIQUE, status int, body jsonb);
CREATE TABLE bare_run (id bigserial PRIMARY KEY, marking jsonb, variables jsonb);
CREATE TABLE bare_step (id bigserial PRIMARY KEY, run bigint, status text);
CREATE TABLE bare_escalation (id bigserial PRIMARY KEY, step bigint, status text, reason text);
CREATE TABLE bare_event (LIKE observability_event INCLUDING ALL);
ALTER TABLE bare_event ALTER id DROP IDENTITY IF EXISTS, ALTER id SET DEFAULT nextval('bare_answer_id_seq');
INSERT INTO bare_run SELECT n, '{}', '{}' FROM generate_series(1, 1000) n;
INSERT INTO bare_step SELECT n, n, 'waiting' FROM generate_series(1, 1000) n;
INSERT INTO bare_escalation SELECT n, n, 'open', '' FROM generate_series(1, 1000) n;
"""
EVENT = (
    "INSERT INTO bare_event (uid, at, verb, actor_kind, actor_id, actor_name, subject_kind, subject_id, subject_name,"
    " before, after, why, run, workflow, unit, data) VALUES (gen_random_uuid(), now(), %s, 'person', 'priya',"
    " 'Priya Nair', 'step', gen_random_uuid(), 'Schedule the payment', 'open', 'approved', '', gen_random_uuid(), 'w',"
    " '2', '{}')"
)


def bare(database: psycopg.Connection[Any], number: int) -> None:
    """The writes of one approval in plain SQL: answer kept, run locked, question and step moved, two events."""
    row = number + 10
    database.execute("INSERT INTO bare_answer (key) VALUES (%s)", [f"key-{row}"])
    database.commit()
    database.execute("SELECT * FROM bare_run WHERE id = %s FOR UPDATE", [row])
    database.execute("SELECT * FROM bare_escalation WHERE id = %s FOR UPDATE", [row])
    database.execute("UPDATE bare_escalation SET status = 'approved' WHERE id = %s AND status = 'open'", [row])
    database.execute(EVENT, ["escalation.approved"])
    database.execute("UPDATE bare_step SET status = 'ready' WHERE id = %s AND status = 'waiting'", [row])
    database.execute(EVENT, ["step.answered"])
    database.execute("UPDATE bare_answer SET status = 200, body = '{}' WHERE key = %s", [f"key-{row}"])
    database.commit()


class Listener(threading.Thread):
    """Another person's open page: notes when each approval arrives at its socket."""

    def __init__(self, server: Server, username: str) -> None:
        super().__init__(daemon=True)
        from websockets.sync.client import connect

        origin, headers = f"http://127.0.0.1:{server.port}", {"Cookie": cookies(username)}
        address = f"ws://127.0.0.1:{server.port}/ws/live"
        self.socket = connect(address, origin=origin, additional_headers=headers, compression=None)
        self.heard: dict[str, int] = {}
        self.news = threading.Condition()

    def run(self) -> None:
        for message in self.socket:
            now = time.perf_counter_ns()
            events = json.loads(message)["events"]
            found = [event["subject_id"] for event in events if event["verb"] == "escalation.approved"]
            with self.news:
                self.heard.update(dict.fromkeys(found, now))
                self.news.notify_all()

    def when(self, subject: str) -> int:
        """When the approval of this escalation arrived, in nanoseconds."""
        with self.news:
            if not self.news.wait_for(lambda: subject in self.heard, timeout=10):
                raise SystemExit(f"The approval of {subject} never arrived at the other browser.")
            return self.heard[subject]


def approvals(priya: Caller, listener: Listener, asked: list[Any]) -> tuple[Times, Times]:
    """(time of each POST, time from its start until the other browser has the event)."""
    answered, pushed = Times("approve over HTTP, all writes"), Times("approve, until another browser's socket has it")
    for number, escalation in enumerate(asked):
        start = time.perf_counter_ns()
        priya.post(f"escalations/{escalation.uid}/approve", {"request_sha256": escalation.request_sha256}).json()
        end = time.perf_counter_ns()
        heard = listener.when(str(escalation.uid))
        if number >= WARM_UP:
            answered.taken.append((end - start) / 1e6)
            pushed.taken.append((heard - start) / 1e6)
        time.sleep(0.01)
    return answered, pushed


def at_once(server: Server, asked: list[Any]) -> float:
    """Eight callers share the questions and approve them as fast as they can; approvals in a second."""
    callers = [person(server, "priya") for _ in range(CALLERS)]
    shares = [asked[place::CALLERS] for place in range(CALLERS)]

    def approve(caller: Caller, share: list[Any]) -> None:
        for each in share:
            caller.post(f"escalations/{each.uid}/approve", {"request_sha256": each.request_sha256}).json()

    threads = [threading.Thread(target=approve, args=pair) for pair in zip(callers, shares, strict=True)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(asked) / (time.perf_counter() - begun)


def main() -> None:
    os.environ["OPEN_QUESTIONS_PER_AGENT"] = "1000"  # one agent asks all of it here
    with own_database("approve") as url:
        halden = company()
        asked = escalations(halden, ROUNDS + WARM_UP, "A")
        together = escalations(halden, TOGETHER, "B")
        with served() as server, psycopg.connect(url) as database:
            database.execute(BARE)
            database.commit()
            priya, listener = person(server, "priya"), Listener(server, "maria")
            listener.start()
            header("An approval, in milliseconds")
            floor = measured("bare SQL with the same writes", lambda n: bare(database, n), ROUNDS)
            nothing = measured("GET /health: all of the frame, one SELECT 1", lambda _: priya.get("/health"), ROUNDS)
            answered, pushed = approvals(priya, listener, asked)
            show(floor)
            show(nothing, beside=floor)
            show(answered, beside=floor, bar=BAR_MS)
            show(pushed, beside=floor, bar=BAR_PUSHED_MS)
            rate = at_once(server, together)
            kept = "keeps" if rate > BAR_PER_SECOND else "MISSES"
            print(f"  {rate:.0f} approvals a second, {CALLERS} people at once: {kept} the bar of {BAR_PER_SECOND}")
            listener.socket.close()


if __name__ == "__main__":
    main()
