"""The page of one's notifications, and the site as an app: accessible, it fits, and without connection it says so."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_all_pages import faults_of
from tests.receivers import Receiver, http_receiver

PAGE = "/settings/notifications"
KEY = "BAgWA8Qu9rHOr3vEHiOqlfegCr_MkQVRBf3p7hYyG9sGNZ6XWml-Xdef5acwJwPG43VUQsxs3kzqJnjXRJFPJqw"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with http_receiver() as receiver:
        settings.OUTGOING_HOSTS = frozenset({receiver.host})
        yield receiver


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_place_is_added_tried_and_removed_and_the_page_is_accessible(
    visitor: Callable[..., Page], receiver: Receiver, settings: Any, size: dict[str, int]
) -> None:
    settings.VAPID = {"private": "", "public": KEY, "contact": "mailto:it@halden.example"}
    page = visitor("priya", at=PAGE, size=size)
    expect(page.get_by_role("button", name="Notify me on this device")).to_be_visible()
    page.get_by_label("Kind", exact=True).select_option("webhook")
    page.get_by_label("Address", exact=True).fill(receiver.url)
    page.get_by_role("button", name="Add the place").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator("#main").get_by_text("The test was taken")).to_be_visible()
    assert len(receiver.taken) == 1

    assert faults_of(page, PAGE) == []
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("You added none yet")).to_be_visible()


def test_without_connection_the_app_says_so_and_shows_nothing_it_kept(visitor: Callable[..., Page]) -> None:
    page = visitor("priya", at="/escalations")
    page.evaluate("navigator.serviceWorker.register('/service-worker.js').then(() => navigator.serviceWorker.ready)")
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    kept = page.evaluate(
        "caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name).then((kept) => kept.keys()))))"
        ".then((all) => all.flat().map((request) => new URL(request.url).pathname))"
    )
    assert "/offline" in kept
    assert not [path for path in kept if path != "/offline" and not path.startswith("/static/")]

    page.context.set_offline(True)
    page.goto("/runs")

    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    page.context.set_offline(False)
    page.goto("/runs")
    expect(page.get_by_role("heading", name="Runs").first).to_be_visible()
