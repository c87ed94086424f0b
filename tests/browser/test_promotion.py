"""Maria asks for a level on the profile, Ingrid decides it: by keyboard and mouse, with a script and without."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from agents.models import Agent
from governance.models import PromotionRequest
from tests.browser.conftest import PHONE
from tests.invoices import ask_to_pay

Visitor = Callable[..., Page]


@pytest.fixture
def decided(robot: Any, sign_in: Any) -> None:
    """The clerk asked once, and Priya approved."""
    asked = ask_to_pay(robot, "2026-1")
    body = {"request_sha256": asked.request_sha256}
    assert sign_in("priya").call("post", f"escalations/{asked.uid}/approve", body).status_code == 200


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_maria_asks_and_ingrid_approves(visitor: Visitor, decided: None, script: bool) -> None:
    maria = visitor("maria", at="/agents/AP-04", java_script_enabled=script)
    maria.get_by_role("link", name="Autonomy", exact=True).click()
    expect(maria.locator("#main").get_by_text("Only 1 question was decided.")).to_be_visible()
    maria.get_by_label("Why has it earned this?").fill("Priya agreed with it.")
    maria.get_by_role("button", name="Ask the council for level 3").click()
    expect(maria.get_by_text("Waits for the council").first).to_be_visible()
    expect(maria.get_by_role("button", name="Approve level 3")).to_have_count(0)

    ingrid = visitor("ingrid", at="/", java_script_enabled=script)
    call = ingrid.get_by_role("region", name="Promotions that wait for you")
    expect(call).to_contain_text("1 request for promotion waits for the council.")
    call.get_by_role("link", name="Open").click()
    ingrid.get_by_label("Your reason").fill("Convincing.")
    ingrid.get_by_role("button", name="Approve level 3").click()

    expect(ingrid.locator("#main").get_by_text("AP-04 acts at level 3 from its next question on.")).to_be_visible()
    assert Agent.objects.get(code="AP-04").autonomy_level == 3


def test_a_rejection_without_a_reason_says_what_is_missing(visitor: Visitor, sign_in: Any) -> None:
    asking = {"reason": "It earned it."}
    assert sign_in("maria").call("post", "agents/AP-04/promotions", asking).status_code == 201
    ingrid = visitor("ingrid", at="/agents/AP-04/promotion")

    ingrid.get_by_role("button", name="Reject").click()

    expect(ingrid.locator("#main").get_by_text("A reason is needed.")).to_be_visible()
    assert PromotionRequest.objects.get().is_open


def test_a_figure_opens_its_rows_and_the_tab_stays_in_the_address(visitor: Visitor, decided: None) -> None:
    maria = visitor("maria", at="/agents/AP-04?tab=autonomy", size=PHONE)
    maria.get_by_role("region", name="Evidence, table").get_by_role("link", name="1 · 100 %").first.click()
    expect(maria.locator(".os-narrowed")).to_contain_text("AP-04, invoice.pay, approved")
    maria.go_back()

    expect(maria.get_by_role("navigation", name="Agent").locator("[aria-current]")).to_have_text("Autonomy")
    maria.reload()
    expect(maria.get_by_role("heading", name="Evidence")).to_be_visible()
