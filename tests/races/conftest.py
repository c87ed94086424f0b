"""Tests with many hands at once: real threads with their own connections, and a real server in this process."""

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.db import connection

HERE = Path(__file__).parent
# Only who waits for ever runs into it; a busy machine may take its time.
PATIENCE_SECONDS = 120


def pytest_collection_finish(session: pytest.Session) -> None:
    """Threads of a server need a database that they can share: a file, where the others use memory."""
    if connection.vendor == "sqlite" and any(HERE in item.path.parents for item in session.items):
        folder = tempfile.mkdtemp(prefix="race-tests-")
        connection.settings_dict["TEST"]["NAME"] = str(Path(folder) / "tests.sqlite3")


@pytest.fixture(autouse=True)
def _real_transactions(transactional_db: None) -> None:
    """Other threads see only what was committed."""


@pytest.fixture
def together() -> Callable[[int, Callable[[int], Any]], list[Any]]:
    """`together(8, act)` calls act(0) to act(7) at the same moment, each in a thread: their results or exceptions."""
    return at_once


def at_once(many: int, act: Callable[[int], Any]) -> list[Any]:
    """Results, or the exceptions raised, in the order of the numbers."""
    line, results = threading.Barrier(many), [None] * many

    def run(number: int) -> None:
        try:
            line.wait(timeout=PATIENCE_SECONDS)
            results[number] = act(number)
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_SECONDS)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    return results


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


@pytest.fixture(scope="module")
def address(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """Host and port of a running server with its sealer."""
    with django_db_blocker.unblock(), running() as at:
        yield at


@contextmanager
def running(port: int = 0) -> Iterator[str]:
    """A server with its sealer at this port, or at any, until the block ends."""
    from autonomy_site.asgi import application  # not before Django is set up

    listening = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(application, lifespan="on", log_level="warning", timeout_graceful_shutdown=1)
    server = Announced(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    assert server.is_up.wait(PATIENCE_SECONDS), "the server did not start"
    yield "{}:{}".format(*listening.getsockname())
    server.should_exit = True
    thread.join(timeout=PATIENCE_SECONDS)
