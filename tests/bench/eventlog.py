"""Bench: how long an event log of 500,000 events takes to be read and counted, and how much memory it needs, as CSV and
as XES.

python tests/bench/eventlog.py [how many events] (without the database)
"""

import gzip
import os
import random
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from observability.eventlog.discovery import discover
from observability.eventlog.log import Limits
from observability.eventlog.reading import head_of, read

MANY = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
BAR_SECONDS, BAR_MB = 60, 1_000
STEPS = ("Receive", "Read", "Match", "Ask the buyer", "Correct", "Approve", "Book", "Pay", "File")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def cases(events: int) -> "list[list[tuple[str, str, str, str]]]":
    """Cases of about nine events with detours, times and 40 people."""
    chance, made, found = random.Random(7), 0, []
    while made < events:
        at = BEGIN + timedelta(minutes=len(found) * 3)
        case = []
        for step in STEPS:
            for _ in range(1 + (chance.random() < 0.15)):
                start = at + timedelta(minutes=chance.expovariate(1 / 240))
                at = start + timedelta(minutes=1 + chance.expovariate(1 / 6))
                case.append((step, start.isoformat(), at.isoformat(), f"person {chance.randrange(40)}"))
        found.append(case)
        made += len(case)
    return found


def as_csv(path: Path, events: int) -> None:
    """The log with the rows of all cases mixed, as exports by time are."""
    rows = [(row[1], number, row) for number, case in enumerate(cases(events)) for row in case]
    with path.open("w") as file:
        file.write("case,activity,start,end,resource\n")
        file.writelines(
            f"C{number},{step},{start},{end},{who}\n" for _, number, (step, start, end, who) in sorted(rows)
        )


def as_xes(path: Path, events: int) -> None:
    """The log as XES, packed."""
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write('<?xml version="1.0"?><log xmlns="http://www.xes-standard.org/">')
        for number, case in enumerate(cases(events)):
            file.write(f'<trace><string key="concept:name" value="C{number}"/>')
            for step, _, end, who in case:
                file.write(
                    f'<event><string key="concept:name" value="{step}"/><date key="time:timestamp" value="{end}"/>'
                    f'<string key="org:resource" value="{who}"/></event>\n'
                )
            file.write("</trace>")
        file.write("</log>")


def measure(path: Path) -> None:
    """In a process of its own: its peak of memory is that of this log."""
    begin = time.perf_counter()
    with path.open("rb") as file:
        head = head_of(file, Limits())
        file.seek(0)
        log = read(file, head.guessed, Limits())
        was_read = time.perf_counter()
        figures = discover(log)
    ended = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = ended - begin
    kept = "keeps" if seconds < BAR_SECONDS and peak < BAR_MB else "MISSES"
    print(
        f"  {path.suffixes[0][1:]:<6}{figures.events:>9,} events{path.stat().st_size / 1e6:>8.1f} MB"
        f"{was_read - begin:>8.1f} s to read{ended - was_read:>7.1f} s to count{peak:>7.0f} MB at most  {kept}",
        flush=True,
    )  # fmt: skip


def apart(make: "object", path: Path) -> None:
    """Run something in a child process, and wait for it."""
    child = os.fork()
    if not child:
        make(path)  # type: ignore[operator]
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise SystemExit(f"{path} failed")


if __name__ == "__main__":
    print(f"\nAn event log of {MANY:,} events  (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)")
    with tempfile.TemporaryDirectory() as folder:
        for name, make in (("log.csv", as_csv), ("log.xes.gz", as_xes)):
            where = Path(folder) / name
            apart(lambda path, make=make: make(path, MANY), where)
            apart(measure, where)
