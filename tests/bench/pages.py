"""Bench: how long the server takes for each page with 10,000 runs, and how much a first visit weighs.

DATABASE_URL=postgresql://... python tests/bench/pages.py
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measuring.database import ROOT, company, own_database
from measuring.history import grow
from measuring.serving import Server, cookies, person, served
from measuring.times import Times, header, measured, show
from measuring.work import escalations

RUNS, OPEN = 10_000, 200
ROUNDS = 25
BAR_MS = 100
WEIGHTS = {"performance": 600, "run": 330, "workflow": 330}
PRODUCTION = {"PRODUCTION": "1", "ALLOWED_HOSTS": "127.0.0.1", "HTTPS_REDIRECT": "0"}
LISTS = (
    "overview", "escalations", "runs", "agents", "workflows", "memory", "policies", "audit", "performance", "control",
)  # fmt: skip
CHROMIUM = "/usr/bin/chromium"


def paths() -> Iterator[tuple[str, str]]:
    """(name, path) of every page that a person opens."""
    from django.urls import reverse

    from governance.models import Escalation, Policy
    from workflows.models import Run

    for name in LISTS:
        yield name, reverse(name)
    yield "escalation", reverse("escalation", args=[Escalation.objects.open().latest("id").uid])
    yield "run", reverse("run", args=[Run.objects.get(key="INV-70").uid])
    yield "agent", reverse("agent", args=["AP-04"])
    yield "workflow", reverse("workflow", args=["invoice-to-payment"])
    yield "policy", reverse("policy", args=[Policy.objects.all()[0].key])
    yield "runs done", reverse("runs") + "?state=done"
    yield "audit search", reverse("audit") + "?q=approved"
    for chart in ("cycle-time", "throughput"):
        yield f"chart {chart}", reverse("performance-chart", args=[chart])


def in_process(username: str, found: list[tuple[str, str]]) -> dict[str, tuple[Times, int]]:
    """Server time of each page without a network, and how many queries it takes."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = cookies(username).partition("=")[2].partition(";")[0]
    result = {}
    for name, path in found:
        with CaptureQueriesContext(connection) as queries:
            status = client.get(path).status_code
        count = len(queries)
        if status != 200:
            print(f"  {name}: {path} answers {status} and is left out")
            continue
        times = measured(name, lambda _, path=path: client.get(path), ROUNDS, warm_up=2)
        result[name] = (times, count)
    return result


def server_times(username: str, found: list[tuple[str, str]]) -> None:
    """Print the server time of each page, in process and through uvicorn."""
    with served() as server:
        browser = person(server, username)
        header(f"Pages with {RUNS:,} runs and {OPEN} open questions as {username}, in milliseconds")
        nothing = measured("GET /health, which shows nothing", lambda _: browser.get("/health"), ROUNDS)
        show(nothing)
        for name, (times, queries) in in_process(username, found).items():
            path = dict(found)[name]
            real = measured(f"{name}: through uvicorn", lambda _, path=path: browser.get(path), ROUNDS, warm_up=2)
            times.name = f"{name}: in process, {queries} queries"
            show(times, beside=nothing, bar=BAR_MS)
            show(real, beside=nothing, bar=BAR_MS)


def weights(username: str, found: list[tuple[str, str]]) -> None:
    """Print what a browser with an empty cache transfers for each page from a server in production mode."""
    if not Path(CHROMIUM).exists():
        print("\nPage weight skipped: there is no Chromium to open the pages with.")
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = {**PRODUCTION, "STATIC_ROOT": folder}
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
        subprocess.run(collect, cwd=ROOT, env={**os.environ, **environment}, check=True)
        with served(**environment) as server:
            print("\nFirst visit with an empty cache, compressed as transferred, in kB; the bar is that of all files")
            print(f"  {'':<20}{'styles':>8}{'scripts':>8}{'fonts':>8}{'files':>8}{'page':>8}{'data':>8}")
            signed_in = cookies(username).replace("sessionid", "__Host-session")
            for name, path in found:
                _show_weight(name, weigh(server, signed_in, path))


def _show_weight(name: str, parts: dict[str, float]) -> None:
    files = [parts.get(kind, 0) for kind in ("Stylesheet", "Script", "Font")]
    bar, whole = WEIGHTS.get(name, 100), sum(files)
    page = parts.get("Document", 0)
    columns = "".join(f"{kilobytes:8.1f}" for kilobytes in (*files, whole, page, sum(parts.values()) - whole - page))
    print(f"  {name:<20}{columns}  {'keeps' if whole < bar else 'MISSES'} the bar of {bar}", flush=True)


def weigh(server: Server, signed_in: str, path: str) -> dict[str, float]:
    """Transferred kB by kind of resource, headers included, when a browser opens the page for the first time."""
    from playwright.sync_api import sync_playwright

    kinds: dict[str, str] = {}
    parts: dict[str, float] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(extra_http_headers={"Cookie": signed_in})
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.on("Network.responseReceived", lambda event: kinds.__setitem__(event["requestId"], event["type"]))

        def loaded(event: dict[str, object]) -> None:
            kind = kinds.get(str(event["requestId"]), "Other")
            parts[kind] = parts.get(kind, 0.0) + float(str(event["encodedDataLength"])) / 1000

        wire.on("Network.loadingFinished", loaded)
        page.goto(f"http://127.0.0.1:{server.port}{path}", wait_until="networkidle")
        browser.close()
    return parts


def main() -> None:
    from django.db import connection

    with own_database("pages"):
        halden = company()
        grow(halden, RUNS)
        escalations(halden, OPEN, "open")
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as the database does by itself a minute later
        found = list(paths())
        for username in ("priya", "daniel"):
            server_times(username, found)
        weights("daniel", [row for row in found if not row[0].startswith("chart")])


if __name__ == "__main__":
    main()
