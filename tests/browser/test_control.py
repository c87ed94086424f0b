"""Stopping one workflow in the browser: what stops is read first, the press stops it, other open pages hear of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from governance.models import ControlState
from tests.browser.conftest import PHONE
from tests.browser.test_all_pages import ASK_AXE, RULES

Visitor = Callable[..., Page]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_maria_pauses_one_workflow_and_lets_it_go(visitor: Visitor, robot: Any, script: bool) -> None:
    body = {"workflow": "invoice-to-payment", "key": "2026-1", "input": {"document": "1.xml"}}
    robot("AP-01").call("post", "runs", body)
    robot("AP-01").claim()
    priya = visitor("priya", at="/runs") if script else None
    maria = visitor("maria", at="/workflows/invoice-to-payment", java_script_enabled=script)
    maria.get_by_role("link", name="Stop", exact=True).click()
    expect(maria.locator("#main")).to_contain_text("1 step is with an agent now: 1 goes back to the queue")

    maria.get_by_label("Why", exact=True).fill("Forged invoices.")
    maria.get_by_role("button", name="Pause workflow Invoice to payment").click()

    expect(maria.locator("#main")).to_contain_text("Paused from now on. 1 step went back to the queue.")
    expect(maria.locator("#posture")).to_contain_text("Paused: 1 scope")
    if priya is not None:
        expect(priya.locator("#posture")).to_contain_text("Paused: 1 scope")
    maria.get_by_label("Why", exact=True).fill("They were genuine.")
    maria.get_by_role("button", name="End the stop of workflow Invoice to payment").click()
    expect(maria.locator("#posture")).to_contain_text("Normal operation")
    assert ControlState.objects.get().status == "normal"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_a_phone(visitor: Visitor, sign_in: Any, theme: str, tmp_path: Path) -> None:
    sign_in("maria").post("/control", {"scope": "agent:AP-04", "state": "paused", "why": "Strange payments."})

    page = visitor("ingrid", at="/control?scope=agent:AP-04", theme=theme, size=PHONE)

    expect(page.get_by_role("region", name="Stopped now", exact=True)).to_contain_text("Strange payments.")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.screenshot(path=tmp_path / f"phone-{theme}.png", full_page=True)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.screenshot(path=tmp_path / f"desktop-{theme}.png", full_page=True)


def test_one_scope_is_accessible(visitor: Visitor, sign_in: Any) -> None:
    ingrid = sign_in("ingrid")
    ingrid.post("/control", {"scope": "workflow:invoice-to-payment", "state": "paused", "why": "Forged."})
    ingrid.post("/control/practise", {"drill-why": "Quarterly."})
    for at in ("/control?scope=workflow:invoice-to-payment", "/workflows/invoice-to-payment"):
        page = visitor("ingrid", at=at)
        page.evaluate(Axe().axe_script)
        assert page.evaluate(ASK_AXE, RULES) == [], at
