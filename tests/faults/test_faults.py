"""Real processes are killed while agents and a reviewer work: nothing is lost, nothing is done twice, all is told.

Without more, one order of kills is tried in which each process may be the next victim. FAULT_SEEDS=20 tries twenty
orders of it, and twenty for each process alone.
"""

import json
import os
import random
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.faults.hands import Caller, Counted, World, decide, sign_in, work
from tests.faults.processes import PATIENCE_SECONDS, Installation, postgresql, until

SEEDS = int(os.environ.get("FAULT_SEEDS", "0"))
RUNS = 8
KILLS = 4
VICTIMS = ("web", "worker", "beat", "redis", "postgresql")
SECRET = "faults-" + "x" * 64
PROGRAMS = postgresql()

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(
        PROGRAMS is None or not shutil.which("redis-server") or "REDIS_URL" not in os.environ,
        reason="Needs PostgreSQL's and Redis's programs here, and is run with the tests on them",
    ),
]


@pytest.fixture(scope="module")
def installation() -> Iterator[tuple[Installation, dict[str, Any]]]:
    """A running installation with the company in it, and the secrets of its agents and people."""
    # Not pytest's own folder: that is closed to everybody else, and PostgreSQL runs as somebody else.
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    settings = {
        "SECRET_KEY": SECRET, "SWEEP_EVERY_SECONDS": "0.5", "RATE_LIMIT_PER_MINUTE": "10000000", "DEBUG": "0",
        "LOG_LEVEL": "ERROR", "SAMPLED_SHARE": "0", "PLANTED_PER_DAY": "0", "ALLOWED_HOSTS": "127.0.0.1",
    }  # fmt: skip
    assert PROGRAMS is not None
    made = Installation(folder, PROGRAMS, settings)
    try:
        secrets = json.loads(made.prepare(Path(__file__).with_name("company.py")))
        made.start()
        yield made, secrets
    finally:
        made.stop()
        shutil.rmtree(folder)


@pytest.mark.parametrize("victim", ["any", *(VICTIMS if SEEDS else ())])
@pytest.mark.parametrize("seed", range(SEEDS or 1))
def test_work_survives_that_processes_are_killed(
    installation: tuple[Installation, dict[str, Any]], victim: str, seed: int
) -> None:
    made, secrets = installation
    chance, counted, ended, world = random.Random(f"{victim}-{seed}"), Counted(), threading.Event(), World()
    name = f"{victim}-{seed}"
    hands = [
        Caller(made.address, {"Authorization": f"Bearer {key}"}, counted, ended)
        for key in [*secrets["keys"].values()] * 2
    ]
    reviewer = Caller(made.address, sign_in(made.address, "priya", secrets["password"]), counted, ended)
    threads = [threading.Thread(target=work, args=(hand, world)) for hand in hands]
    threads.append(threading.Thread(target=decide, args=(reviewer,)))
    starter = Caller(made.address, hands[0].headers, counted, threading.Event())
    for number in range(RUNS):
        begun = starter.post("runs", {"workflow": "faults", "key": f"{name}-{number}", "input": {}})
        assert begun is not None
        assert begun.status_code == 201, begun.text

    for thread in threads:
        thread.start()
    try:
        kill(made, victim, chance, counted, ended)
        until(lambda: finished(made, name) == RUNS, f"the work of {name}", seconds=2 * PATIENCE_SECONDS)
    finally:
        ended.set()
        for thread in threads:
            thread.join(timeout=PATIENCE_SECONDS)

    strange = {error for each in [*hands, reviewer] for error in each.errors if " " in error}
    assert not strange
    look(made, name, world)


def kill(made: Installation, victim: str, chance: random.Random, counted: Counted, ended: threading.Event) -> None:
    """Kill the victim a few times, each time after some more requests, and start it again."""
    at = counted.sent
    for _ in range(KILLS):
        at += chance.randint(3, 25)
        counted.wait_for(at, ended)
        process = made.processes[chance.choice(VICTIMS) if victim == "any" else victim]
        process.kill()
        process.start()
        at = counted.sent


def ask(made: Installation, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of a question to the installation's database."""
    with psycopg.connect(made.database_url) as database:
        return database.execute(sql, values).fetchall()


def finished(made: Installation, name: str) -> int:
    """How many runs of this test are done."""
    sql = "SELECT count(*) FROM workflows_run WHERE key LIKE %s AND status = 'done'"
    return int(ask(made, sql, f"{name}-%")[0][0])


def look(made: Installation, name: str, world: World) -> None:
    """What must hold after every fault."""
    mine = "SELECT uid::text FROM workflows_run WHERE key LIKE %s"
    steps = ask(
        made, f"SELECT s.uid::text, s.status, s.kind, s.element FROM workflows_step s JOIN workflows_run r ON"
        f" r.id = s.run_id WHERE r.uid::text IN ({mine})", f"{name}-%",
    )  # fmt: skip
    assert len(steps) == RUNS * 5
    assert {status for _, status, _, _ in steps} == {"done"}
    by_agents = {uid for uid, _, kind, _ in steps if kind == "agent"}
    assert set(world.effects) == by_agents
    assert set(world.effects.values()) == {1}

    told = ask(
        made, "SELECT subject_kind, verb, count(*), count(DISTINCT subject_id) FROM observability_event WHERE run IN"
        f" ({mine}) GROUP BY subject_kind, verb", f"{name}-%",
    )  # fmt: skip
    times = {verb: (times, subjects) for _, verb, times, subjects in told}
    assert times["run.started"] == times["run.finished"] == (RUNS, RUNS)
    assert times["step.opened"] == (RUNS * 5, RUNS * 5)
    assert times["step.finished"] == (RUNS * 4, RUNS * 4)
    assert times["step.decided"] == times["escalation.opened"] == times["escalation.approved"] == (RUNS, RUNS)

    until(lambda: not ask(made, "SELECT 1 FROM observability_event WHERE position IS NULL"), "the sealing of events")
    gaps = ask(made, "SELECT count(*), min(position), max(position) FROM observability_event")[0]
    assert gaps[0] == gaps[2] - gaps[1] + 1
    late = "SELECT count(*) FROM workflows_step WHERE status = 'working' AND leased_until < now() - interval '60 s'"
    assert ask(made, late) == [(0,)]
