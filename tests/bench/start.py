"""Bench: how long the second start of the demo takes to its first page, and how much memory the server holds.

DATABASE_URL=postgresql://... python tests/bench/start.py (on PostgreSQL), without DATABASE_URL on SQLite, the default.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from measuring.database import ROOT, own_database
from measuring.serving import Caller, Server, free_port
from measuring.times import Times, header, show

STARTS = 5
LOADS = 200
START_BAR_MS, MEMORY_BAR_MB = 5_000, 300
PAGES = (
    "/", "/escalations", "/runs", "/agents", "/workflows", "/memory", "/policies", "/audit", "/performance", "/control",
)  # fmt: skip
SETUP = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'autonomy_site.settings'; import django; django.setup()"


def first_page(server: Server) -> bool:
    """Whether the sign-in page, the first that a browser is sent to, is there."""
    try:
        return Caller(server.port).get("/sign-in").status == 200
    except OSError:
        return False


@contextmanager
def demo(folder: str, *wishes: str) -> Iterator[tuple[Server, float, list[str]]]:
    """The demo, started: (server, milliseconds from its start to the first page, the lines it printed)."""
    port, begun = free_port(), time.perf_counter_ns()
    environment = {**os.environ, "DATA_FOLDER": folder}
    command = [sys.executable, "manage.py", "demo", "--port", str(port), *wishes]
    with Path(folder, "told").open("w+") as told:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=told, stderr=subprocess.DEVNULL)
        server = Server(port, process.pid)
        while not first_page(server):
            if process.poll() is not None:
                raise SystemExit(f"The demo ended with {process.returncode} before it served.")
            time.sleep(0.01)
        taken = (time.perf_counter_ns() - begun) / 1e6
        try:
            told.seek(0)
            yield server, taken, told.read().splitlines()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def password_of(username: str, told: list[str]) -> str:
    """The password that the demo printed for this person."""
    return next(line.split()[1] for line in told if line.strip().startswith(f"{username} "))


def signed_in(server: Server, username: str, password: str) -> Caller:
    """A browser that signed in through the form."""
    browser = Caller(server.port)
    page = browser.get("/sign-in")
    token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.body)
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    form = f"csrfmiddlewaretoken={token[1].decode() if token else ''}&username={username}&password={password}"
    answer = browser.call(
        "POST", "/sign-in", form.encode(), **{"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    )
    if answer.status != 302:
        raise SystemExit(f"{username} could not sign in: {answer.status}")
    cookies = "; ".join(value.partition(";")[0] for value in answer.headers.get_all("Set-Cookie") or [])
    return Caller(server.port, Cookie=cookies)


def memory(server: Server, told: list[str]) -> None:
    """Print the resident memory of the server before and after many page loads."""
    before = server.resident_mb
    browser = signed_in(server, "daniel", password_of("daniel", told))
    for number in range(LOADS):
        answer = browser.get(PAGES[number % len(PAGES)])
        if answer.status != 200:
            raise SystemExit(f"{PAGES[number % len(PAGES)]} answers {answer.status}")
    after = server.resident_mb
    kept = "keeps" if after < MEMORY_BAR_MB else "MISSES"
    print(f"\n  memory of the server: {before:.0f} MB after its start, {after:.0f} MB after {LOADS} page loads")
    print(f"  while the agents are at work, resident: {kept} the bar of {MEMORY_BAR_MB} MB")


def main() -> None:
    engine = "PostgreSQL" if os.environ.get("DATABASE_URL") else "SQLite"
    setup, first, second = Times("Python with Django set up, nothing more"), Times("first start"), Times("second start")
    with tempfile.TemporaryDirectory() as folder, own_database("start") if engine == "PostgreSQL" else nullcontext():
        header(f"Starting the demo on {engine} until its first page, in milliseconds")
        for _ in range(STARTS):
            setup.take(lambda: subprocess.run([sys.executable, "-c", SETUP], cwd=ROOT, check=True))
        with demo(folder) as (_, taken, _):
            first.taken.append(taken)
        for _ in range(STARTS):
            with demo(folder) as (_, taken, _):
                second.taken.append(taken)
        with demo(folder, "--new-passwords") as (server, _, told):
            time.sleep(5)
            memory(server, told)
        show(setup)
        show(first, beside=setup)
        show(second, beside=setup, bar=START_BAR_MS)


if __name__ == "__main__":
    main()
