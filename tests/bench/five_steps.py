"""Bench: whole workflows of five trivial steps in a second, started and worked off: ours over HTTP and in process, one
by one and in batches of ten, beside a bare loop with SKIP LOCKED and DBOS Transact, side by side in one run.

DATABASE_URL=postgresql://... python tests/bench/five_steps.py [seconds]
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
from measuring.database import company, own_database
from measuring.serving import agent, served

STEPS, TOGETHER, ROUNDS = 5, 10, 3
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 6.0
HERE = Path(__file__).resolve().parent
BARE = """
CREATE TABLE bare_steps (id bigserial PRIMARY KEY, run int NOT NULL, step int NOT NULL,
    status text NOT NULL DEFAULT 'ready', token int NOT NULL DEFAULT 0);
CREATE INDEX bare_steps_ready ON bare_steps (id) WHERE status = 'ready';
"""
CLAIM = (
    "UPDATE bare_steps SET status = 'working', token = token + 1 WHERE id IN (SELECT id FROM bare_steps"
    " WHERE status = 'ready' ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING id, run, step, token"
)
DONE = "UPDATE bare_steps SET status = 'done' WHERE id = ANY(%s)"
NEXT = "INSERT INTO bare_steps (run, step) SELECT * FROM unnest(%s::int[], %s::int[])"


@dataclass
class Speed:
    """Workflows that were done, in how long, and with how much processor time of this process."""

    name: str
    done: int = 0
    seconds: float = 0.0
    processor: float = 0.0

    @property
    def per_second(self) -> float:
        """Workflows in a second."""
        return self.done / self.seconds if self.seconds else 0.0


def drawing() -> bytes:
    """Five tasks of one role in a row."""
    tasks = "".join(
        f'<serviceTask id="s{n}" name="Step {n}" aos:role="invoice-reader"><extensionElements>'
        f'<aos:output name="answer" type="string"/></extensionElements></serviceTask>'
        for n in range(1, STEPS + 1)
    )
    line = ["begin", *(f"s{n}" for n in range(1, STEPS + 1)), "end"]
    flows = "".join(
        f'<sequenceFlow id="f{n}" sourceRef="{a}" targetRef="{b}"/>' for n, (a, b) in enumerate(pairwise(line))
    )
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="x"'
        ' xmlns:aos="https://autonomy-os.org/bpmn/1"><process id="p" name="five" isExecutable="true">'
        f'<startEvent id="begin"/>{tasks}<endEvent id="end" name="Done"/>{flows}</process></definitions>'
    ).encode()


def publish(halden: Any) -> Any:
    """The workflow, in which the invoice reader works."""
    from agents import operations as agents
    from observability import ledger
    from workflows import operations

    at, reader = ledger.database_now(), halden.agents["AP-01"]
    version = operations.publish(
        "five", drawing(), by=ledger.SYSTEM, at=at, unit=halden.units["finance"], owner=halden.people["maria"],
        incident_path=halden.workflow.incident_path,
    )  # fmt: skip
    for right in ("workflows.work_in_workflow", "workflows.start_workflow"):
        agents.grant(right, reader.principal, version.workflow, by=ledger.SYSTEM, at=at)
    reader.principal.forget_grants()
    return version.workflow


# --- ways to work them off: each call does some whole workflows and says how many --------------------------------
def in_process_batches(workflow: Any, reader: Any) -> Callable[[], int]:
    """Start ten runs, then finish ten steps and claim the next ten until all are done."""
    from observability.ledger import database_now
    from workflows import operations
    from workflows.operations import Report, Result

    count = 0

    def act() -> int:
        nonlocal count
        wanted = [operations.Wanted(f"b{os.getpid()}-{count + each}", {}) for each in range(TOGETHER)]
        count += TOGETHER
        operations.start_many(workflow, wanted, by=reader, at=database_now())
        steps = operations.claim_many(reader, count=TOGETHER, at=database_now()).steps
        while steps:
            reports = [Report(step, step.lease_token, Result({"answer": "yes"})) for step in steps]
            steps = operations.report_together(reader, reports, claim=TOGETHER, at=database_now()).claimed.steps
        return TOGETHER

    return act


def in_process(workflow: Any, reader: Any) -> Callable[[], int]:
    """Start a run, then finish each step and claim the next one."""
    from observability.ledger import database_now
    from workflows import operations

    count = 0

    def act() -> int:
        nonlocal count
        count += 1
        operations.start(workflow, key=f"o{os.getpid()}-{count}", variables={}, by=reader, at=database_now())
        while step := operations.claim(reader, at=database_now()):
            token, output = step.lease_token, {"answer": "yes"}
            operations.finish(step, agent=reader, lease_token=token, output=output, at=database_now())
        return 1

    return act


def in_process_at_once(workflow: Any, reader: Any) -> Callable[[], int]:
    """Start a run, then finish each step and claim the next one in the same transaction."""
    from observability.ledger import database_now
    from workflows import operations
    from workflows.operations import Result

    count = 0

    def act() -> int:
        nonlocal count
        count += 1
        operations.start(workflow, key=f"a{os.getpid()}-{count}", variables={}, by=reader, at=database_now())
        step = operations.claim(reader, at=database_now())
        while step:
            claimed = operations.finish_and_claim(
                step, Result({"answer": "yes"}), agent=reader, lease_token=step.lease_token, at=database_now()
            )  # fmt: skip
            step = next(iter(claimed.steps), None)
        return 1

    return act


def over_http(caller: Any) -> Callable[[], int]:
    """Start a run, then finish each step and claim the next one in the same request."""
    count = 0

    def act() -> int:
        nonlocal count
        count += 1
        caller.post("runs", {"workflow": "five", "key": f"h{id(caller)}-{count}", "input": {}}).json()
        work = caller.post("work/claim", {}).json()["work"]
        while work:
            body = {"lease_token": work["lease_token"], "output": {"answer": "yes"}, "claim_next": True}
            work = caller.post(f"steps/{work['step']}/finish", body).json()["work"]
        return 1

    return act


def over_http_in_batches(caller: Any) -> Callable[[], int]:
    """Start ten runs, then report on ten steps and claim the next ten in each request."""
    count = 0

    def act() -> int:
        nonlocal count
        runs = [{"key": f"hb{id(caller)}-{count + each}"} for each in range(TOGETHER)]
        count += TOGETHER
        caller.post("runs/batch", {"workflow": "five", "runs": runs}).json()
        work = caller.post("work/batch", {"claim": TOGETHER}).json()["work"]
        while work:
            done = [
                {"step": each["step"], "lease_token": each["lease_token"], "output": {"answer": "yes"}} for each in work
            ]
            work = caller.post("work/batch", {"finish": done, "claim": TOGETHER}).json()["work"]
        return TOGETHER

    return act


def bare(url: str, together: int) -> Callable[[], int]:
    """The same rows in plain SQL, without ledger, rights and decision."""
    database = psycopg.connect(url, autocommit=True)
    count = 0

    def act() -> int:
        nonlocal count
        database.execute(NEXT, [list(range(count, count + together)), [1] * together])
        count += together
        while rows := database.execute(CLAIM, [together]).fetchall():
            with database.transaction():
                database.execute(DONE, [[row[0] for row in rows]])
                following = [(row[1], row[2] + 1) for row in rows if row[2] < STEPS]
                if following:
                    database.execute(NEXT, [[run for run, _ in following], [step for _, step in following]])
        return together

    return act


def measured(speed: Speed, act: Callable[[], int], seconds: float) -> None:
    """Let it work for a while."""
    begun, processor = time.perf_counter(), time.process_time()
    while time.perf_counter() - begun < seconds:
        speed.done += act()
    speed.seconds += time.perf_counter() - begun
    speed.processor += time.process_time() - processor


# --- the other engine -------------------------------------------------------------------------------------------
@contextmanager
def dbos(url: str) -> Iterator[Callable[[float], Speed] | None]:
    """DBOS Transact in an environment of its own, in a database of its own; None where it cannot be installed."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "bin" / "python"
        made = subprocess.run([sys.executable, "-m", "venv", folder], check=False).returncode == 0
        wanted = [str(python), "-m", "pip", "install", "-q", "dbos==3.4.0"]
        if not made or subprocess.run(wanted, check=False).returncode != 0:
            print("DBOS Transact could not be installed and is left out.")
            yield None
            return

        def run(seconds: float) -> Speed:
            program = [str(python), str(HERE / "measuring" / "dbos_steps.py"), url, str(seconds)]
            told = subprocess.run(program, capture_output=True, text=True, check=True, cwd=folder)
            return Speed(**json.loads(told.stdout.splitlines()[-1]))

        yield run


def main() -> None:
    with own_database("five") as url:
        halden = company()
        workflow, reader = publish(halden), halden.agents["AP-01"]
        other = url.rsplit("/", 1)[0] + f"/aos_bench_dbos_{os.getpid()}"
        with psycopg.connect(url, autocommit=True) as database:
            database.execute(BARE)
            database.execute(f"CREATE DATABASE {other.rsplit('/', 1)[1]}")
        try:
            with served() as server, dbos(other) as engine:
                caller = agent(server, halden.keys["AP-01"])
                ways = {
                    "in process, one by one": in_process(workflow, reader),
                    "in process, finish and claim": in_process_at_once(workflow, reader),
                    "in process, batches of ten": in_process_batches(workflow, reader),
                    "HTTP, finish and claim": over_http(caller),
                    "HTTP, batches of ten": over_http_in_batches(caller),
                    "bare SQL, one by one": bare(url, 1), "bare SQL, batches of ten": bare(url, TOGETHER),
                }  # fmt: skip
                show(compared(url, ways, engine))
        finally:
            with psycopg.connect(url, autocommit=True) as database:
                database.execute(f"DROP DATABASE IF EXISTS {other.rsplit('/', 1)[1]} WITH (FORCE)")


def compared(
    url: str, ways: dict[str, Callable[[], int]], engine: Callable[[float], Speed] | None
) -> list[Speed]:  # fmt: skip
    """All in turn, several rounds, so that what else the machine does meets all of them. Before each round the database
    is rid of old versions of rows, as it does by itself where nobody turned that off."""
    speeds = {name: Speed(name) for name in ways}
    found = Speed("DBOS Transact, in process")
    for act in ways.values():
        act()
    for _ in range(ROUNDS):
        with psycopg.connect(url, autocommit=True) as database:
            database.execute("VACUUM ANALYZE")
        for name, act in ways.items():
            measured(speeds[name], act, SECONDS)
        if engine is not None:
            once = engine(SECONDS)
            found.done, found.seconds = found.done + once.done, found.seconds + once.seconds
            found.processor += once.processor
    return [*speeds.values(), *([found] if engine is not None else [])]


def show(speeds: list[Speed]) -> None:
    """The table; the ratio is to DBOS, or to nothing without it."""
    beside = next((each.per_second for each in speeds if each.name.startswith("DBOS")), 0.0)
    print(f"\n  {'five steps, one worker':32}{'workflows/s':>12}{'steps/s':>10}{'CPU ms each':>13}{': DBOS':>9}")
    for each in speeds:
        ratio = f"{each.per_second / beside:9.2f}" if beside else f"{'':9}"
        cpu = each.processor / each.done * 1e3 if each.done else 0
        print(f"  {each.name:32}{each.per_second:12.1f}{each.per_second * STEPS:10.0f}{cpu:13.1f}{ratio}")


if __name__ == "__main__":
    main()
