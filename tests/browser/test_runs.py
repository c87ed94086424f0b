"""Runs in the browser: sorted by keyboard, kept as a view, and a run's page that hears of what it called."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.invoices import ask_to_pay
from tests.workflows.test_calls import CALLS, CHECKS
from workflows import tasks
from workflows.models import Run

Visitor = Callable[..., Page]


def test_the_list_is_sorted_and_kept_as_a_view_with_the_keyboard_alone(visitor: Visitor, robot: Any) -> None:
    ask_to_pay(robot, "2026-1")
    page = visitor("priya", at="/runs?state=waiting")
    press = page.keyboard.press

    page.get_by_role("link", name="Cost").focus()
    press("Enter")
    page.wait_for_url("**sort=-cost**")
    expect(page.get_by_role("columnheader", name="Cost")).to_have_attribute("aria-sort", "descending")
    press("v")
    menu = page.get_by_role("navigation", name="Saved views")
    expect(menu).to_be_visible()
    menu.get_by_role("link", name="Save or change views").focus()
    press("Enter")
    page.wait_for_url("**/runs/views?**")
    expect(page.get_by_text("It shows: Waits for a person, most expensive first.")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Dear ones")
    press("Enter")
    page.wait_for_url("**/runs?state=waiting&sort=-cost")
    expect(page.get_by_role("heading", level=1, name="Dear ones")).to_be_visible()
    press("v")
    expect(menu.get_by_role("link", name="Dear ones")).to_have_attribute("aria-current", "true")


def test_a_run_shows_what_becomes_of_those_that_it_called_without_a_reload(
    visitor: Visitor, drawn: Any, may_start: Any, sign_in: Any, robot: Any, live: Any
) -> None:
    drawn("checking", CHECKS)
    may_start("maria", drawn("calling", CALLS).workflow)
    begun = sign_in("maria").call("post", "runs", {"workflow": "calling", "key": "P-1", "input": {"order": "P-1"}})
    tasks.deliver_messages()
    caller = Run.objects.get(uid=begun.json()["id"])
    page = visitor("maria", at=f"/runs/{caller.uid}", size=PHONE)
    live(page)
    tree = page.get_by_role("list", name="Who called whom")
    called = tree.get_by_role("listitem").filter(has_text=caller.children.get().key).last
    expect(called).to_contain_text("Running")

    robot("AP-01").finish(robot("AP-01").claim(), sound=True)

    expect(called).to_contain_text("Done")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0, "nothing stands out at the side of a phone"
