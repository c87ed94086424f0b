"""Every route that a cookie opens refuses a form from elsewhere, the sign-in too; where a key opens, no cookie does."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.conftest import PASSWORD, let_in

FILLED = {"uuid": str(uuid.UUID(int=7)), "int": "1", "slug": "x", "str": "x"}
ONLY_READ = {"health", "api-schema", "api-browse", "signed-out", "password-changed", "search", "audit-export"}


def routes(patterns: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """(path, view) of everything that the server answers."""
    for each in patterns:
        path = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, path)
        elif isinstance(each, URLPattern):
            yield path, each


def takes_post(pattern: URLPattern) -> bool:
    view = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
    return view is not None and hasattr(view, "post") and "post" in view.http_method_names


# These look at no cookie: whoever comes signs the request itself.
WITHOUT_COOKIES = {"oauth/token", "hooks/<uuid:uid>"}
POSTED = sorted(
    {path for path, pattern in routes(get_resolver().url_patterns) if takes_post(pattern)} - WITHOUT_COOKIES
)


def filled(path: str) -> str:
    return "/" + re.sub(r"<(\w+):\w+>", lambda kind: FILLED[kind[1]], path)


def test_the_table_is_not_empty_and_knows_the_sign_in() -> None:
    assert {"sign-in", "sign-out", "sign-in/code", "sign-in/passkey", "sign-in/service", "control"} <= set(POSTED)
    assert len(POSTED) > 45


@pytest.mark.parametrize("path", POSTED)
def test_a_form_without_the_token_changes_nothing(halden: Any, path: str) -> None:
    stranger, ingrid = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    let_in(ingrid, "ingrid")

    assert ingrid.post(filled(path), {}).status_code == 403
    if not path.startswith(("api/", "v1/", "access/v1/")):
        assert stranger.post(filled(path), {}).status_code == 403


def test_a_sign_in_from_another_site_does_nothing(halden: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/sign-in")
    given = {"username": "priya", "password": PASSWORD}

    for headers in ({}, {"Origin": "https://evil.example"}, {"Referer": "https://evil.example/"}):
        assert client.post("/sign-in", given, headers=headers).status_code == 403
    token = client.cookies["csrftoken"].value
    assert client.post("/sign-in", {**given, "csrfmiddlewaretoken": token}).status_code == 302


def test_where_agents_work_no_cookie_opens_anything(sign_in: Any) -> None:
    ingrid = sign_in("ingrid")

    for path in ("work/claim", "actions", f"steps/{FILLED['uuid']}/finish", "memory/facts"):
        assert ingrid.call("post", path, {}).status_code == 403, path
    assert ingrid.call("get", "me").status_code == 403
