"""Tests with a real browser: the whole server on a free port of this process, Chromium before it, people signed in."""

import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.conftest import let_in
from tests.workflows.conftest import drawn, may_start  # noqa: F401

HERE = Path(__file__).parent
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
# Only what never happens runs into it; a busy machine may take its time.
PATIENCE_SECONDS = 120
expect.set_options(timeout=PATIENCE_SECONDS * 1000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a browser test."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


def pytest_collection_finish(session: pytest.Session) -> None:
    """The server's threads need a database that they can share: a file, where the others use memory."""
    served = any(item.get_closest_marker("browser") for item in session.items)
    if served and connection.vendor == "sqlite":
        folder = tempfile.mkdtemp(prefix="browser-tests-")
        connection.settings_dict["TEST"]["NAME"] = str(Path(folder) / "tests.sqlite3")


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Chromium as the machine has it; the tests are skipped without one, unless REQUIRE_BROWSER is set."""
    if not CHROMIUM:
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip)("There is no Chromium here.")
    # Playwright keeps an event loop in this thread; Django must not mistake it for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    return {"executable_path": CHROMIUM, "args": ["--no-sandbox"]}


@pytest.fixture(autouse=True)
def _real_transactions(transactional_db: None) -> None:
    """The server sees only what was committed."""


@pytest.fixture(autouse=True)
def _no_second_look(settings: Any) -> None:
    """Tests press faster than people look; one asks for the second look by itself."""
    settings.SECOND_LOOK_SECONDS = 0


@pytest.fixture(scope="session")
def site(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The address of the running server, with its sealer and its worker."""
    with django_db_blocker.unblock():
        from autonomy_site.asgi import application  # not before Django is set up

        listening = socket.create_server(("127.0.0.1", 0))
        server = _Server(uvicorn.Config(application, lifespan="on", log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        if not server.ready.wait(PATIENCE_SECONDS):
            raise TimeoutError("The server did not start.")
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=PATIENCE_SECONDS)


class _Server(uvicorn.Server):
    """A server that says when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@pytest.fixture
def visitor(site: str, browser: Browser, halden: Any) -> Iterator[Callable[..., Page]]:
    """`visitor("priya")` is Priya's browser, signed in, on a page of its own; `at` is where it begins, `theme` light or
    dark, `size` DESKTOP or PHONE. An error in the page's console fails the test, a refusal (4xx) does not."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def come(username: str, *, at: str = "", theme: str = "light", size: dict[str, int] = DESKTOP, **more: Any) -> Page:
        context = browser.new_context(viewport=size, color_scheme=theme, base_url=site, **more)
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        contexts.append(context)
        context.add_cookies([session_of(username, site)])
        page = context.new_page()
        page.on("pageerror", lambda wrong: errors.append(str(wrong)))
        page.on("console", lambda said: errors.append(said.text) if is_wrong(said) else None)
        if at:
            page.goto(at, wait_until="networkidle")
        return page

    yield come
    for context in contexts:
        context.close()
    assert not errors


def is_wrong(said: ConsoleMessage) -> bool:
    """Whether what the console says is an error of the page."""
    return said.type == "error" and "the server responded with a status of 4" not in said.text


def session_of(username: str, site: str) -> dict[str, str]:
    """The cookie of a fresh session."""
    client = Client()
    let_in(client, username)
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": site}


@pytest.fixture
def live() -> Callable[[Page], None]:
    """`live(page)` waits until the page hears of every event."""

    def wait(page: Page) -> None:
        expect(page.locator("[data-connection-word]").first).to_have_text("Live")

    return wait
