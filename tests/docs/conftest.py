"""What the pages about the client need: clients that are answered by the server of the test, in its transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from autonomy_client import Autonomy
from django.test import Client

DOCS = Path(__file__).parents[2] / "docs"


def served(request: httpx.Request) -> httpx.Response:
    """What the server answers, in this process and in the test's transaction."""
    headers = {name.title(): value for name, value in request.headers.items()}
    kind = headers.pop("Content-Type", "")
    answer = Client().generic(
        request.method, request.url.raw_path.decode(), request.content, content_type=kind, headers=headers
    )
    return httpx.Response(answer.status_code, content=answer.content, headers=dict(answer.items()))


@pytest.fixture
def connect(halden: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Autonomy]]:
    """`connect("AP-01")` gives that agent's client; every client that a script makes is answered the same way."""
    real = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **given: real(**given | {"transport": httpx.MockTransport(served)}))
    made: list[Autonomy] = []

    def connected(code: str, key: Any = None) -> Autonomy:
        made.append(Autonomy("http://127.0.0.1:8000", key or halden.keys[code]))
        return made[-1]

    yield connected
    for each in made:
        each.close()


@pytest.fixture
def run_block() -> Callable[..., dict[str, Any]]:
    """`run_block("connect/errors.md", "lease", work=work)` runs the example below that comment and gives its names."""

    def ran(page: str, mark: str, **names: Any) -> dict[str, Any]:
        found = re.search(rf"<!-- {mark} -->\n```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
        assert found, f"{page} has no example marked {mark}"
        exec(compile(found[1], page, "exec"), names)
        return names

    return ran
