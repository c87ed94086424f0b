"""Reviewers at work in the browser: sign-in, live arrival, approve and reject by key, and who was first."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Page, expect

from governance.models import Escalation
from tests.invoices import ask_to_pay

PASSWORD = "correct horse battery staple"
Visitor = Callable[..., Page]


def test_priya_signs_in_and_sees_the_workforce(browser: Browser, site: str, halden: Any) -> None:
    page = browser.new_page(base_url=site)
    page.goto("/escalations")
    page.get_by_label("User").or_(page.get_by_label("Name")).first.fill("priya")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    page.context.close()


def test_a_new_question_waits_behind_the_bar_and_the_page_does_not_move(
    visitor: Visitor, live: Callable[[Page], None], robot: Any
) -> None:
    ask_to_pay(robot, "2026-1")
    page = visitor("priya", at="/escalations")
    live(page)
    shown = page.locator(".os-item")
    expect(shown).to_have_count(1)

    ask_to_pay(robot, "2026-2", amount="7000.00")

    bar = page.get_by_role("link", name="1 new · show them")
    expect(bar).to_be_visible()
    expect(shown).to_have_count(1)
    expect(page.locator("#announce")).to_contain_text("1 new")
    page.keyboard.press(".")
    expect(shown).to_have_count(2)
    expect(bar).to_have_count(0)


def test_a_question_for_others_does_not_raise_the_bar(
    visitor: Visitor, live: Callable[[Page], None], robot: Any
) -> None:
    ask_to_pay(robot, "2026-1")
    page = visitor("priya", at="/escalations")
    live(page)

    with page.expect_response("**/escalations/new*"):
        ask_to_pay(robot, "2026-2", resource=fresh_account("2026-2"))

    expect(page.locator(".os-new")).to_have_count(0)


def fresh_account(number: str) -> dict[str, Any]:
    """A seller whose bank account is new: treasury is asked, not Priya."""
    known = {"seller": "Kessler", "order_matched": True, "findings": 0, "bank_changed_days": 3}
    return {"type": "invoice", "id": number, "properties": known}


def test_priya_approves_with_a_and_stands_at_the_next_question(visitor: Visitor, robot: Any) -> None:
    first = ask_to_pay(robot, "2026-1", amount="9000.00")
    second = ask_to_pay(robot, "2026-2", amount="7000.00")
    page = visitor("priya", at=f"/escalations/{first.uid}")

    page.keyboard.press("a")

    page.wait_for_url(f"**/escalations/{second.uid}")
    expect(page.locator(".os-ask")).to_have_text(second.title)
    expect(page.locator(".os-ask")).to_be_focused()
    expect(page.locator("#announce")).to_contain_text("Approved")
    first.refresh_from_db()
    assert (first.status, first.held_answer, str(first.settled_by)) == ("held", "approved", "Priya Nair")


def test_priya_takes_it_back_with_z_while_the_seconds_run(visitor: Visitor, robot: Any) -> None:
    asked = ask_to_pay(robot, "2026-1")
    page = visitor("priya", at=f"/escalations/{asked.uid}")
    page.keyboard.press("a")
    page.wait_for_url("**/escalations")
    expect(page.locator("#undo")).to_contain_text("It takes effect in")
    expect(page.locator("#undo").get_by_role("button")).to_be_in_viewport()

    page.keyboard.press("z")

    page.wait_for_url(f"**/escalations/{asked.uid}")
    expect(page.locator("#main").get_by_text(f"Undone: {asked.title}")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    asked.refresh_from_db()
    assert (asked.status, asked.settled_by) == ("open", None)


def test_priya_rejects_with_r_and_says_why(visitor: Visitor, robot: Any) -> None:
    asked = ask_to_pay(robot, "2026-1")
    page = visitor("priya", at=f"/escalations/{asked.uid}")

    page.keyboard.press("r")
    expect(page.get_by_label("Kind of reason")).to_be_focused()
    page.get_by_label("Kind of reason").select_option("duplicate")
    page.get_by_label("Your reason").fill("Paid by card in March.")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    asked.refresh_from_db()
    assert (asked.held_answer, asked.reason, asked.reason_code) == ("rejected", "Paid by card in March.", "duplicate")


def test_rejecting_without_a_reason_asks_for_one_and_keeps_the_kind(visitor: Visitor, robot: Any) -> None:
    asked = ask_to_pay(robot, "2026-1")
    page = visitor("priya", at=f"/escalations/{asked.uid}", java_script_enabled=False)

    page.locator(".os-reject > summary").click()
    page.get_by_label("Kind of reason").select_option("too_risky")
    with page.expect_response(f"**/escalations/{asked.uid}/answer") as answered:
        page.get_by_role("button", name="Reject with this reason").click()

    assert answered.value.status == 400
    expect(page.get_by_text("Say why you reject it")).to_be_visible()
    expect(page.get_by_label("Kind of reason")).to_have_value("too_risky")
    assert Escalation.objects.get().is_open


def test_the_second_reviewer_sees_who_was_first_and_loses_no_word(
    visitor: Visitor, live: Callable[[Page], None], robot: Any, settings: Any
) -> None:
    settings.UNDO_SECONDS = 0
    asked = ask_to_pay(robot, "2026-1")
    priya = visitor("priya", at=f"/escalations/{asked.uid}")
    maria = visitor("maria", at=f"/escalations/{asked.uid}")
    live(maria)
    maria.keyboard.press("r")
    maria.get_by_label("Your reason").fill("I know this seller")

    priya.keyboard.press("a")
    priya.wait_for_url("**/escalations")

    expect(maria.get_by_text("Decided by Priya Nair, approved").first).to_be_visible()
    expect(maria.locator(".os-item.gone")).to_contain_text("Decided by Priya Nair, approved")
    expect(maria.get_by_label("Your reason")).to_have_value("I know this seller")
    maria.get_by_label("Kind of reason").select_option("too_risky")
    with maria.expect_response("**/answer") as answered:
        maria.get_by_role("button", name="Reject with this reason").click()
    assert answered.value.status == 409
    expect(maria.get_by_role("alert")).to_contain_text("Priya Nair settled this first")
    expect(maria.get_by_role("alert")).to_contain_text("I know this seller")


def test_an_idle_card_loses_its_buttons_when_somebody_else_decides(
    visitor: Visitor, live: Callable[[Page], None], robot: Any, settings: Any
) -> None:
    settings.UNDO_SECONDS = 0
    asked = ask_to_pay(robot, "2026-1")
    priya, maria = (visitor(name, at=f"/escalations/{asked.uid}") for name in ("priya", "maria"))
    live(maria)
    expect(maria.get_by_role("button", name="Approve")).to_be_visible()

    priya.keyboard.press("a")

    expect(maria.get_by_role("button", name="Approve")).to_have_count(0)
    expect(maria.get_by_text("Decided by Priya Nair, approved").first).to_be_visible()


def test_j_and_k_walk_through_the_list_and_back_goes_back(visitor: Visitor, robot: Any) -> None:
    first = ask_to_pay(robot, "2026-1", amount="9000.00")
    second = ask_to_pay(robot, "2026-2", amount="7000.00")
    page = visitor("priya", at=f"/escalations/{first.uid}")
    title = page.locator(".os-ask")

    page.keyboard.press("j")
    expect(title).to_have_text(second.title)
    assert page.url.endswith(str(second.uid))
    page.keyboard.press("k")
    expect(title).to_have_text(first.title)

    page.go_back()
    expect(title).to_have_text(second.title)


def test_a_pause_reaches_every_open_page(visitor: Visitor, live: Callable[[Page], None], halden: Any) -> None:
    priya, daniel = visitor("priya", at="/"), visitor("daniel", at="/control")
    live(priya)
    expect(priya.locator("#posture")).to_have_text("Normal operation")

    daniel.get_by_label("Why", exact=True).fill("A supplier reports forged invoices.")
    daniel.get_by_role("button", name="Pause all work").click()

    expect(daniel.locator(".os-msg.success")).to_contain_text("Paused from now on.")
    expect(priya.locator("#posture")).to_have_text("Paused")


def test_the_numbers_beside_the_places_follow_what_happens(
    visitor: Visitor, live: Callable[[Page], None], robot: Any
) -> None:
    page = visitor("priya", at="/policies")
    escalations = page.locator(".os-nav [data-count='/escalations']")
    expect(escalations).to_be_hidden()

    ask_to_pay(robot, "2026-1")

    expect(escalations).to_have_text("1 wait for you")
    expect(page.locator(".os-nav [data-count='/runs']")).to_have_text("1")


def test_the_numbers_follow_also_where_only_polling_works(visitor: Visitor, robot: Any) -> None:
    page = visitor("priya")
    page.route_web_socket("**/ws/live*", lambda socket: socket.close())
    page.goto("/policies")

    ask_to_pay(robot, "2026-1")

    expect(page.locator(".os-nav [data-count='/escalations']")).to_have_text("1 wait for you")
