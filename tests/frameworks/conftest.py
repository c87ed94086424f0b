"""Agent programs in environments of their own, as processes, before the whole server on a free port."""

import contextlib
import io
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.db import connection

from observability.ledger import bell

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROGRAMS = ROOT / "client" / "frameworks"
START_SECONDS, LONGEST_SECONDS = 20, 180
# Nobody is to be told that somebody tries something.
SILENT = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_TRACKING": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "OTEL_SDK_DISABLED": "true",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "ANONYMIZED_TELEMETRY": "False",
}


def pytest_collection_finish(session: pytest.Session) -> None:
    """The server's threads need a database that they can share: a file, where the others use memory."""
    if connection.vendor == "sqlite" and any(HERE in item.path.parents for item in session.items):
        folder = tempfile.mkdtemp(prefix="framework-tests-")
        connection.settings_dict["TEST"]["NAME"] = str(Path(folder) / "tests.sqlite3")


@pytest.fixture(autouse=True)
def _real_transactions(transactional_db: None) -> None:
    """The server sees only what was committed."""


class Announced(uvicorn.Server):
    """A server that says when it takes requests."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called once; the sockets are open afterwards."""
        await super().startup(sockets)
        if self.started:
            self.is_up.set()


@pytest.fixture(scope="session")
def address(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """Where the running server answers."""
    with django_db_blocker.unblock():
        from autonomy_site.asgi import application  # not before Django is set up

        listening = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(application, lifespan="on", log_level="warning", timeout_graceful_shutdown=1)
        server = Announced(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        assert server.is_up.wait(START_SECONDS), "the server did not start"
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=START_SECONDS)


@dataclass
class Elsewhere:
    """The rest of the world: whoever would be called there is called here, and noted."""

    listening: socket.socket
    called: list[bytes] = field(default_factory=list)

    def listen(self) -> None:
        """Note every call until the socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self.listening.accept()
                with caller:
                    self.called.append(caller.recv(200))

    @property
    def variables(self) -> dict[str, str]:
        """What leads a program here instead of out."""
        proxy = "http://127.0.0.1:{1}".format(*self.listening.getsockname())
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        return dict.fromkeys((*names, *map(str.lower, names)), proxy) | {"NO_PROXY": "127.0.0.1,localhost"}


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """A proxy that only notes who would have called out."""
    world = Elsewhere(socket.create_server(("127.0.0.1", 0)))
    thread = threading.Thread(target=world.listen, daemon=True)
    thread.start()
    yield world
    world.listening.shutdown(socket.SHUT_RDWR)
    world.listening.close()
    thread.join(10)


@pytest.fixture
def key(halden: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """What client/frameworks/prepare.py prints: the key of AP-04, for whom the workflow is ready."""
    monkeypatch.chdir(ROOT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile((PROGRAMS / "prepare.py").read_text(), "prepare.py", "exec"), {})
    return printed.getvalue().strip()


@pytest.fixture
def begin(address: str, key: str, elsewhere: Elsewhere, tmp_path: Path) -> Iterator[Any]:
    """`begin("langgraph")` starts that agent program in its own environment; it is ended with the test."""
    started: list[tuple[subprocess.Popen[str], threading.Timer]] = []

    def begun(name: str) -> subprocess.Popen[str]:
        # Frameworks like to write into the home folder.
        place = {"HOME": str(tmp_path)}
        place |= {} if has_environment(name) else {"PYTHONPATH": str(ROOT / "client" / "src")}
        mine = {"PATH": os.environ["PATH"], "AUTONOMY_SERVER": address, "AUTONOMY_KEY": key}
        with (tmp_path / "stdout").open("w") as out:
            program = subprocess.Popen(
                [python_of(name), "agent.py"], cwd=PROGRAMS / name, env=place | SILENT | elsewhere.variables | mine,
                stdout=out, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        # Whoever waits for a word of a program that hangs is told so in the end.
        patience = threading.Timer(LONGEST_SECONDS, program.kill)
        patience.start()
        started.append((program, patience))
        return program

    yield begun
    for program, patience in started:
        patience.cancel()
        program.terminate()
        program.communicate(timeout=30)
    bell.close()  # ends the waits for work that the programs left behind


def python_of(name: str) -> str:
    """The interpreter of the program's environment; skips without one, unless REQUIRE_FRAMEWORKS is set."""
    if not has_environment(name):
        return sys.executable
    python = PROGRAMS / name / ".venv" / "bin" / "python"
    if not python.exists():
        (pytest.fail if os.environ.get("REQUIRE_FRAMEWORKS") else pytest.skip)(f"{name} is not set up: make frameworks")
    return str(python)


def has_environment(name: str) -> bool:
    """Whether the program needs more than the client."""
    return (PROGRAMS / name / "pyproject.toml").exists()
