"""Bench: what a step costs while ended runs heap up. The same workflows of five steps are worked off beside 1,000 and
more and more ended runs, each time in turn with plain SQL whose speed says how busy the machine is.

DATABASE_URL=postgresql://... python tests/bench/growth.py [most ended runs] [seconds for each way]

1,000,000 ended runs are 5,000,000 steps and 2,000,000 events, and take some minutes to write.
"""

import sys
import time
from typing import Any

MOST = int(sys.argv.pop(1)) if len(sys.argv) > 1 else 100_000
FIRST, TIMES, ROUNDS = 1_000, 10, 3
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0

import psycopg  # noqa: E402 (the arguments are its own)
from five_steps import BARE, Speed, bare, in_process_at_once, in_process_batches, measured, publish  # noqa: E402
from measuring.database import company, own_database  # noqa: E402
from measuring.history import copied  # noqa: E402

YARDSTICK = "bare SQL, one by one"
OF_RUNS = ("run.started", "run.finished")


def worked_off(workflow: Any, act: Any) -> Any:
    """A run that was really worked off, of which the others are copies."""
    from workflows.models import Run

    act()
    return Run.objects.filter(workflow=workflow, status=Run.Status.DONE).latest("pk")


def heap_up(run: Any, before: int, until: int) -> None:
    """Copy the run, its steps, its beginning and its end, so often that so many ended ones are there."""
    from django.db import connection

    begun = time.perf_counter()
    copied(run, before + 1, until, verbs=OF_RUNS)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE workflows_run, workflows_step, observability_event")
    print(f"  {until:,} ended runs, the last of them written in {time.perf_counter() - begun:.0f} s", flush=True)


def main() -> None:
    with own_database("growth") as url:
        halden = company()
        workflow, reader = publish(halden), halden.agents["AP-01"]
        with psycopg.connect(url, autocommit=True) as database:
            database.execute(BARE)
        ways = {
            "finish and claim": in_process_at_once(workflow, reader),
            "batches of ten": in_process_batches(workflow, reader), YARDSTICK: bare(url, 1),
        }  # fmt: skip
        run, before, size = worked_off(workflow, ways["finish and claim"]), 0, min(FIRST, MOST)
        found: dict[int, dict[str, Speed]] = {}
        while size <= MOST and size > before:
            heap_up(run, before, size)
            found[size] = taken(ways)
            before, size = size, min(size * TIMES, MOST)
        show(found)


def taken(ways: dict[str, Any]) -> dict[str, Speed]:
    """All in turn, several rounds, after one of each that does not count."""
    speeds = {name: Speed(name) for name in ways}
    for act in ways.values():
        act()
    for _ in range(ROUNDS):
        for name, act in ways.items():
            measured(speeds[name], act, SECONDS / ROUNDS)
    return speeds


def show(found: dict[int, dict[str, Speed]]) -> None:
    """For each size and way: milliseconds of a step, processor time of it here, and times the yardstick. What grows
    with the runs that ended grows in the last column."""
    print(f"\n  {'ended runs':>12}  {'way':22}{'ms a step':>11}{'CPU ms':>9}{': bare SQL':>12}{': fewest runs':>15}")
    fewest = next(iter(found.values()))
    for size, speeds in found.items():
        for name, each in speeds.items():
            ratio = speeds[YARDSTICK].per_second / each.per_second
            first = fewest[YARDSTICK].per_second / fewest[name].per_second
            step, cpu = 200 / each.per_second, each.processor / each.done * 200
            print(f"  {size:12,}  {name:22}{step:11.2f}{cpu:9.2f}{ratio:12.1f}{ratio / first:15.2f}")


if __name__ == "__main__":
    main()
