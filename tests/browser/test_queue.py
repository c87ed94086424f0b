"""The queue in the browser: by keyboard alone, on a phone, without JavaScript, and what others do meanwhile."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from governance.models import Escalation
from tests.browser.conftest import PHONE
from tests.invoices import ask_to_pay
from tests.refunds import ask_refunds

Visitor = Callable[..., Page]


@pytest.fixture
def refunds(halden: Any, now: datetime) -> Any:
    """`refunds(14)` are that many questions about small refunds, all alike."""
    return partial(ask_refunds, halden, now)


def statuses() -> dict[str, int]:
    """How many questions stand where."""
    found = list(Escalation.objects.values_list("status", flat=True))
    return {status: found.count(status) for status in set(found)}


def test_priya_clears_the_queue_with_the_keyboard_alone(visitor: Visitor, robot: Any, refunds: Any) -> None:
    ask_to_pay(robot, "2026-1")
    refunds(5)
    refunds(2, amount=60)
    page = visitor("priya", at="/escalations")
    press = page.keyboard.press
    selected = page.locator("[data-selected]")
    expect(page.locator(".os-item")).to_have_count(4)

    press("/")
    expect(page.get_by_role("searchbox", name="Search in this list")).to_be_focused()
    page.keyboard.type("AP-04-60")
    press("Enter")
    page.wait_for_url("**/escalations?q=AP-04-60")
    expect(page.locator(".os-item")).to_have_count(2)
    press("x")
    press("j")
    press("Shift+X")
    expect(selected).to_have_text("2 selected")
    press("Escape")
    expect(selected).to_be_hidden()
    press("k")
    press("x")
    press("j")
    press("Shift+X")
    press("a")
    page.wait_for_url("**/escalations/together?**")
    expect(page.get_by_role("heading", name="Approve 2 questions")).to_be_visible()
    page.get_by_role("button", name="Approve 2").press("Enter")
    expect(page.get_by_role("heading", name="2 approved")).to_be_visible()
    assert statuses() == {"held": 2, "open": 6}


def test_filters_views_and_piles_are_reached_by_keys(visitor: Visitor, robot: Any, refunds: Any) -> None:
    high = ask_to_pay(robot, "2026-1")
    refunds(5)
    page = visitor("priya", at="/escalations")
    press = page.keyboard.press

    press("f")
    expect(page.get_by_label("Workflow")).to_be_visible()
    press("Escape")
    press("v")
    page.get_by_role("link", name="High risk", exact=True).press("Enter")
    page.wait_for_url("**/escalations?view=*")
    expect(page.locator(".os-item")).to_have_count(1)
    expect(page.locator(".os-item .ti")).to_have_text(high.title)

    page.goto("/escalations?tab=me")
    pile = page.locator(".os-item.pile")
    pile.focus()
    press("Enter")
    page.wait_for_url("**unfold=*")
    expect(page.locator(".os-pile ol .os-item")).to_have_count(5)
    page.locator(".os-item.pile").focus()
    press("x")
    expect(page.locator("[data-selected]")).to_have_text("5 selected")
    press("r")
    page.get_by_label("Kind of reason").select_option("duplicate")
    page.get_by_label("Your reason").fill("Paid in March.")
    press("Control+Enter")
    expect(page.get_by_role("heading", name="5 rejected")).to_be_visible()
    assert statuses() == {"held": 5, "open": 1}


def test_who_looks_at_a_question_shows_on_the_pages_of_the_others(
    visitor: Visitor, live: Callable[[Page], None], robot: Any
) -> None:
    asked = ask_to_pay(robot, "2026-1")
    priya, maria = (visitor(name, at=f"/escalations/{asked.uid}") for name in ("priya", "maria"))
    live(maria)

    priya.get_by_role("button", name="More").click()
    priya.get_by_role("button", name="I look at it").click()

    expect(priya.locator(".os-lookedat")).to_contain_text("You look at it")
    expect(maria.locator(".os-lookedat")).to_contain_text("Priya Nair looks at it")
    expect(maria.locator(".os-item .looks")).to_contain_text("Priya Nair looks at it")
    expect(maria.get_by_role("button", name="Approve")).to_be_visible()
    priya.get_by_role("button", name="More").click()
    priya.get_by_role("button", name="Leave it to others").click()
    expect(maria.locator(".os-lookedat")).to_have_count(0)
    expect(maria.locator(".os-item .os-looks")).to_have_count(0)


def test_on_a_phone_a_pile_is_decided_by_touch(visitor: Visitor, refunds: Any) -> None:
    refunds(6)
    page = visitor("priya", at="/escalations", size=PHONE, has_touch=True)

    page.locator(".os-pick").tap()
    page.locator(".os-together").get_by_role("button", name="Approve").tap()
    expect(page.get_by_role("heading", name="Approve 6 questions")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="Approve 6").tap()

    expect(page.get_by_role("heading", name="6 approved")).to_be_visible()
    assert statuses() == {"held": 6}


def test_without_javascript_everything_is_a_plain_form(visitor: Visitor, robot: Any, refunds: Any) -> None:
    high = ask_to_pay(robot, "2026-1")
    refunds(4)
    page = visitor("priya", at="/escalations", java_script_enabled=False)

    page.locator(".os-item.pile").click()
    expect(page.locator(".os-pile ol .os-item")).to_have_count(4)
    for box in page.locator(".os-pile ol .os-pick input").all()[:3]:
        box.check()
    page.locator(".os-together").get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Approve 3").click()
    expect(page.get_by_role("heading", name="3 approved")).to_be_visible()

    page.goto(f"/escalations/{high.uid}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Put it aside").click()
    expect(page.get_by_text("You put it aside until")).to_be_visible()
    page.goto("/escalations")
    expect(page.locator(".os-item")).to_have_count(1)
    page.get_by_role("searchbox").fill("kessler")
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_text("No escalation fits the filter.")).to_be_visible()
