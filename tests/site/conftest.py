"""A whole server of its own for what only a whole server shows: a broken database, bodies without an end, sockets."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from autonomy_site.demo.company import Halden
from tests.site.world import World, built

# Only what never happens runs into it; a busy machine may take its time.
PATIENCE_SECONDS = 120
PASSWORD = "correct horse battery staple"
PREPARE = f"""
from django.core.management import call_command
from agents.operations import add_unit, admit_person, define_people_roles
from observability.ledger import SYSTEM, database_now

call_command("migrate", verbosity=0)
at = database_now()
define_people_roles()
acme = add_unit("acme", "Acme", parent=None, by=SYSTEM, at=at)
admit_person("rita", "Rita Ruiz", unit=acme, roles=["auditor"], password="{PASSWORD}", by=SYSTEM, at=at)
"""


@dataclass(frozen=True)
class Site:
    """A running server with a data folder of its own, which a test may take away with the database in it."""

    port: int
    data: Path

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def visited(self) -> httpx.Client:
        """A stranger's browser."""
        return httpx.Client(base_url=self.address, timeout=PATIENCE_SECONDS)

    def signed_in(self) -> httpx.Client:
        """Rita's browser."""
        browser = self.visited()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get("/sign-in").text)
        assert token
        given = {"csrfmiddlewaretoken": token[1], "username": "rita", "password": PASSWORD}
        assert browser.post("/sign-in", data=given).status_code == 302
        return browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The product behind uvicorn on SQLite, whatever database the other tests use."""
    folder = tmp_path_factory.mktemp("site")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    variables = {**kept, "DATA_FOLDER": str(folder)}
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", PREPARE], cwd=settings.BASE, env=variables, check=True
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # The socket listens before the server runs: the first request waits until it takes it, nobody has to ask.
        command = [sys.executable, "-m", "uvicorn", "autonomy_site.asgi:application", "--log-level", "critical"]
        server = subprocess.Popen(
            [*command, "--fd", str(listening.fileno())], cwd=settings.BASE, env={**variables, "LOG_LEVEL": "CRITICAL"},
            pass_fds=[listening.fileno()],
        )  # fmt: skip
        yield Site(listening.getsockname()[1], folder)
        server.terminate()
        server.wait(timeout=PATIENCE_SECONDS)


@pytest.fixture
def world(halden: Halden, now: datetime) -> World:
    """Two units with the same things each, and one caller of every kind."""
    return built(halden, now)
