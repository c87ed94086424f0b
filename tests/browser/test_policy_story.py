"""From an empty page to a rule that decides, on the pages alone: Ingrid writes it, Daniel approves it, AP-04 asks."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from governance.models import Decision, PolicyVersion
from governance.tasks import run_replays
from tests.browser.conftest import DESKTOP, PHONE

Visitor = Callable[..., Page]
REASON = "{context.amount} {context.currency} without an order: the group controller decides."
CONDITIONS = (
    ("context.amount", "more", "2000"), ("resource.order", "missing", ""), ("perm.pay", "yes", ""),
)  # fmt: skip


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_rule_goes_from_the_form_into_force(
    visitor: Visitor, robot: Any, question: Any, size: dict[str, int]
) -> None:
    clerk = robot("AP-04")
    before = [clerk.call("post", "actions", question(amount=amount)).json() for amount in ("2500.00", "900.00")]
    assert [each["effect"] for each in before] == ["allow", "allow"]
    ingrid = visitor("ingrid", at="/policies", size=size)

    ingrid.get_by_role("link", name="New policy").click()
    write_the_rule(ingrid)
    ingrid.get_by_role("button", name="Save as a draft").click()
    expect(ingrid.locator("#main")).to_contain_text("Version 1 is kept as a draft. It decides nothing yet.")

    try_it_on_the_bench(ingrid)
    replay_it(ingrid)
    version = ingrid.locator(".os-crumb").get_by_role("link", name="Payments without an order")
    version.click()
    ingrid.get_by_label("Your reason").fill("Too many payments have no order.")
    ingrid.get_by_role("button", name="Ask for review").click()
    expect(ingrid.locator("#main")).to_contain_text("You asked. Somebody else approves it; nothing has changed yet.")
    expect(ingrid.get_by_role("button", name="Approve")).to_have_count(0)
    assert clerk.call("post", "actions", question(amount="2600.00")).json()["effect"] == "allow"

    daniel = visitor("daniel", at="/", size=size)
    approve_it(daniel)
    daniel.get_by_role("button", name="Put in force").click()
    expect(daniel.locator("#main")).to_contain_text("It decides from the next question on.")

    answer = clerk.call("post", "actions", question(amount="2500.00")).json()
    assert (answer["effect"], answer["rule"]) == ("escalate", "no-order")
    assert answer["reason"] == "2,500.00 EUR without an order: the group controller decides."
    assert clerk.call("post", "actions", question(amount="900.00")).json()["effect"] == "allow"
    assert Decision.objects.get(uid=answer["decision"]).policy == "finance.no-order"
    maria = visitor("maria", at="/escalations", size=size)
    expect(maria.locator("#main")).to_contain_text("invoice.pay 2026-1187")


def write_the_rule(page: Page) -> None:
    """The rule of docs/first-policy.md, with a mistake that the page tells at once."""
    expect(page.locator("#found")).to_contain_text("Still to fill in")
    expect(page.locator("[aria-invalid=true]")).to_have_count(0)
    page.get_by_label("Key", exact=True).fill("finance.no-order")
    page.get_by_label("Title", exact=True).fill("Payments without an order")
    page.get_by_label("Actions, add one", exact=True).fill("invoice.pay")
    page.get_by_label("Unit", exact=True).select_option("finance")
    page.get_by_label("Name of the rule").fill("no-order")
    for number, (field, operator, value) in enumerate(CONDITIONS):
        page.get_by_role("button", name="Condition", exact=True).click()
        row = f"r0.when.{number}"
        page.locator(f"[id='{row}.field']").select_option(field)
        expect(page.locator(f"[id='{row}.op'] option[value='{operator}']")).to_have_count(1)
        page.locator(f"[id='{row}.op']").select_option(operator)
        if value:
            page.locator(f"[id='{row}.value']").fill("two thousand")
            expect(page.locator(f"[id='{row}.wrong']")).to_contain_text("must be a number")
            expect(page.locator("#found")).to_contain_text("1 problem to mend")
            page.locator(f"[id='{row}.value']").fill(value)
            expect(page.locator(f"[id='{row}.wrong']")).to_be_empty()
    page.get_by_label("Reason given", exact=True).fill(REASON.replace("context.currency", "context.curency"))
    expect(page.locator("[id='r0.reason.wrong']")).to_contain_text("Did you mean `context.currency`?")
    page.get_by_label("Reason given", exact=True).fill(REASON)
    page.get_by_label("Whom to ask").select_option(label="Group controller")
    page.get_by_label("Within", exact=True).fill("24h")
    page.get_by_label("Is an approval enough?").select_option("yes")
    expect(page.locator("[id='r0.says']")).to_contain_text("Amount more than 2,000")
    expect(page.locator("#found")).to_contain_text("Everything can be read")


def try_it_on_the_bench(page: Page) -> None:
    """A question that the rule is about, and one beside it, both kept as tests of the draft."""
    for number, (amount, says, name) in enumerate(
        (("2500", "Ask", "without an order"), ("2000", "Allowed", "exactly at the limit"))
    ):
        page.get_by_role("link", name="Test bench").last.click()
        page.get_by_label("Agent", exact=True).select_option("AP-04")
        page.get_by_role("button", name="Show its fields").click()
        page.get_by_label("Its number or name").fill("INV-9")
        page.get_by_label("Amount").fill(amount)
        page.get_by_label("Currency").fill("EUR")
        page.get_by_label("Order matches").select_option("yes")
        page.get_by_label("Findings").fill("0")
        page.get_by_label("Age of the bank account").fill("412")
        page.get_by_role("button", name="Try it").click()
        answer = page.get_by_role("region", name="The answer")
        expect(answer).to_contain_text(says)
        expect(answer).to_contain_text(
            "ask by no-order" if number == 0 else "denied, because no rule of it allows this"
        )
        page.get_by_label("Keep it as a test of the draft").fill(name)
        page.get_by_role("button", name="Keep as test").click()
        expect(page.locator("#main")).to_contain_text("The test is kept in version 1, a draft. Every rule has a test.")
        version = PolicyVersion.objects.get(policy__key="finance.no-order")
        assert len(version.document["tests"]) == number + 1


def replay_it(page: Page) -> None:
    """What the rule would have changed; the worker of the server does the work."""
    page.get_by_role("link", name="Replay").click()
    page.get_by_role("button", name="The last 7 days").click()
    run_replays()
    expect(page.get_by_text("Of 2 decisions 1 that was allowed would ask a person.")).to_be_visible()


def approve_it(page: Page) -> None:
    """What waits stands on the overview; Daniel reads the rule and the gate, and says yes."""
    call = page.get_by_role("region", name="Policies that wait for you")
    expect(call).to_contain_text("Payments without an order")
    call.get_by_role("link").first.click()
    expect(page.locator("#main")).to_contain_text("Amount above 2,000")
    page.get_by_role("link", name="Gate").click()
    expect(page.locator("#main")).to_contain_text("It waits for somebody else than Ingrid Halden to approve it.")
    page.get_by_label("Your reason").fill("Agreed.")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#main")).to_contain_text("You approved it. It decides when it is put in force.")
