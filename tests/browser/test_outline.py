"""Maria draws with the outline: by keyboard alone, on a phone, without a script."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_all_pages import ASK_AXE, RULES
from workflows.models import WorkflowDraft
from workflows.plan import read_bpmn

AT = "/workflows/invoice-to-payment"
Visitor = Callable[..., Page]
CALLED = """() => {
  const here = document.activeElement;
  return here.matches("a, button, input, select, textarea, summary") ? (here.labels?.[0] ?? here).innerText : "";
}"""


def drawn() -> WorkflowDraft:
    return WorkflowDraft.objects.with_people().latest("pk")


def press_to(page: Page, words: str) -> None:
    """Tab to the control that is called so, and stand on it."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if words in " ".join(page.evaluate(CALLED).split()):
            return
    raise AssertionError(f"{words} cannot be reached")


def faults(page: Page) -> list[str]:
    page.evaluate(Axe().axe_script) if not page.evaluate("() => 'axe' in window") else None
    return [fault["id"] + str(fault["nodes"][0]["html"]) for fault in page.evaluate(ASK_AXE, RULES)]


def test_a_step_is_put_in_and_published_by_keyboard_alone(visitor: Visitor) -> None:
    page = visitor("maria", at=AT)
    press_to(page, "Draw a change")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Outline")).to_be_visible()
    press_to(page, "Outline")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Step by step")).to_be_visible()

    press_to(page, "Change step 11, Schedule the payment")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Put a step behind it")).to_be_visible()
    press_to(page, "What comes next")
    page.keyboard.type("A person")
    press_to(page, "Name")
    page.keyboard.type("Look at the payment file")
    page.keyboard.press("Enter")

    expect(page.get_by_label("Who decides")).to_be_visible()
    press_to(page, "Who decides")
    page.keyboard.type("Treasury")
    press_to(page, "Save the step")
    page.keyboard.press("Enter")
    expect(page.locator("#main").get_by_text("The step is changed.")).to_be_visible()
    press_to(page, "Ask to publish")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What comes next")).to_be_visible()
    press_to(page, "Your reason")
    page.keyboard.type("Two pairs of eyes.")
    press_to(page, "Ask to publish")
    page.keyboard.press("Enter")
    expect(page.locator("#main").get_by_text("You asked.")).to_be_visible()

    jonas = visitor("jonas", at="/workflows")
    jonas.get_by_role("link", name="Review it").click()
    expect(jonas.locator("#main").get_by_text("Two pairs of eyes.")).to_be_visible()
    jonas.get_by_role("button", name="Publish it").click()
    expect(jonas.locator("#main").get_by_text("Live, version 2")).to_be_visible()
    node = read_bpmn(drawn().bpmn.encode()).nodes["approval_1"]
    assert (node.name, node.path, node.outgoing) == ("Look at the payment file", "treasury", ("flow_1",))


def test_everything_works_without_a_script_on_a_phone(visitor: Visitor) -> None:
    page = visitor("maria", at=AT, size=PHONE, java_script_enabled=False)
    page.get_by_role("button", name="Draw a change").click()
    page.get_by_role("link", name="Outline", exact=True).click()
    page.get_by_role("link", name="Change step 15, 4 h").click()
    page.get_by_label("After").fill("2 hours")
    page.get_by_role("button", name="Save the step").click()

    expect(page.get_by_text("at step 12, after 2 hours")).to_be_visible()
    page.get_by_role("button", name="Take step 15 out").click()
    expect(page.locator("#main").get_by_text("It is taken out.")).to_be_visible()
    assert 'id="late"' not in drawn().bpmn


def test_how_often_a_step_is_done_is_said_by_keyboard_alone(visitor: Visitor) -> None:
    page = visitor("maria", at=AT)
    page.get_by_role("button", name="Draw a change").click()
    page.goto(f"{AT}/outline?step=read")
    press_to(page, "How often it is done")
    page.keyboard.press("Enter")
    press_to(page, "How often it is done")
    page.keyboard.type("For each item of a list, all")
    press_to(page, "Without a list: so many times")
    page.keyboard.type("3")
    press_to(page, "Save how often")
    page.keyboard.press("Enter")

    expect(page.locator("#main").get_by_text("How often the step is done is changed.")).to_be_visible()
    expect(page.get_by_label("Without a list: so many times")).to_have_value("3")
    expect(page.get_by_label("Goes on while")).to_be_hidden()
    assert read_bpmn(drawn().bpmn.encode()).nodes["read"].loop_count == "3"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_drawing_have_no_fault(visitor: Visitor, theme: str, size: dict[str, int], tmp_path: Any) -> None:
    page = visitor("maria", at=AT, theme=theme, size=size)
    page.get_by_role("button", name="Draw a change").click()
    shown = {
        "outline": f"{AT}/outline", "step": f"{AT}/outline?step=exception",
        "timer": f"{AT}/outline?step=late", "gateway": f"{AT}/outline?step=within",
        "start": f"{AT}/outline?step=start", "review": f"{AT}/review", "new": "/workflows/new?template=monthly-report",
        "list": "/workflows", "workflow": AT,
    }  # fmt: skip
    for name, address in shown.items():
        page.goto(address, wait_until="networkidle")
        assert faults(page) == [], name
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), name
        page.screenshot(path=tmp_path / f"{name}-{theme}-{size['width']}.png", full_page=True)
