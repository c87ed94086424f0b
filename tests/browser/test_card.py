"""The decision card in the browser: amend, ask, hand over and a second look, by keys, by touch and without script."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from governance.models import Escalation
from tests.browser.conftest import PHONE
from tests.invoices import ask_to_pay

Visitor = Callable[..., Page]


def amendable(robot: Any) -> Escalation:
    """A payment of 9,000.00 of which less may be paid."""
    asked = ask_to_pay(robot, "2026-1")
    Escalation.objects.filter(pk=asked.pk).update(amendable=[{"field": "amount", "at_least": "1", "at_most": "9000"}])
    return asked


def test_who_approves_a_high_risk_at_once_is_asked_once_more(visitor: Visitor, robot: Any, settings: Any) -> None:
    settings.SECOND_LOOK_SECONDS = 60
    asked = ask_to_pay(robot, "2026-1")
    page = visitor("priya", at=f"/escalations/{asked.uid}")

    page.keyboard.press("a")

    expect(page.get_by_role("alert")).to_contain_text("s ago, and its risk is high")
    assert Escalation.objects.get().is_open
    page.keyboard.press("a")
    page.wait_for_url("**/escalations")
    assert Escalation.objects.get().held_answer == "approved"


def test_everything_goes_by_keys(visitor: Visitor, robot: Any) -> None:
    asked = amendable(robot)
    page = visitor("priya", at=f"/escalations/{asked.uid}")

    page.keyboard.press("e")
    expect(page.get_by_label("Amount")).to_be_focused()
    page.get_by_label("Amount").fill("7000.00")
    page.keyboard.press("Enter")
    expect(page.locator("#main").get_by_text("Changed and decided again.")).to_be_visible()
    page.keyboard.press("q")
    expect(page.get_by_label("Your question to AP-04")).to_be_focused()
    page.keyboard.type("Which order?")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".os-asked")).to_contain_text("AP-04 has not answered yet.")
    page.keyboard.press("h")
    expect(page.get_by_label("To whom")).to_be_focused()
    page.get_by_label("To whom").select_option("person:daniel")
    page.get_by_role("button", name="Hand over").last.click()

    expect(page.locator("#main").get_by_text("Handed over to Daniel Okafor: ")).to_be_visible()
    asked.refresh_from_db()
    assert asked.amended == {"amount": "7000.00"}


def test_without_script_every_part_opens_and_a_refusal_keeps_what_was_typed(visitor: Visitor, robot: Any) -> None:
    asked = amendable(robot)
    page = visitor("priya", at=f"/escalations/{asked.uid}", java_script_enabled=False)

    page.locator("summary", has_text="Amend").click()
    page.get_by_label("Amount").fill("9000.01")
    page.get_by_label("Why").fill("More.")
    page.get_by_role("button", name="Change the request").click()

    expect(page.get_by_role("alert")).to_contain_text("At most 9000.")
    expect(page.get_by_label("Why")).to_have_value("More.")
    assert Escalation.objects.get().original is None


def test_the_agents_answer_appears_by_itself(
    visitor: Visitor, live: Callable[[Page], None], robot: Any, sign_in: Any
) -> None:
    asked = ask_to_pay(robot, "2026-1")
    question = sign_in("priya").call("post", f"escalations/{asked.uid}/ask", {"text": "Which order?"}).json()
    page = visitor("priya", at=f"/escalations/{asked.uid}")
    live(page)

    path = f"escalations/{asked.uid}/questions/{question['id']}/answer"
    assert robot("AP-04").call("post", path, {"answer": "PO-2026-3007"}).status_code == 200

    expect(page.locator(".os-asked")).to_contain_text("“PO-2026-3007”")


def test_on_the_phone_every_button_can_be_touched(visitor: Visitor, robot: Any) -> None:
    asked = amendable(robot)
    page = visitor("priya", at=f"/escalations/{asked.uid}", size=PHONE, has_touch=True)

    for box in page.locator(".os-actions .os-btn:visible").all():
        place = box.bounding_box()
        assert place and place["height"] >= 44, box.inner_text()
    page.locator(".os-actions summary", has_text="Ask").tap()
    page.get_by_label("Your question to AP-04").fill("Which order?")
    page.get_by_role("button", name="Ask the agent").tap()

    expect(page.locator(".os-asked")).to_contain_text("Which order?")
