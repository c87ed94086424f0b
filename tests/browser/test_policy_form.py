"""Daniel writes a rule with the keyboard alone: sees the warning at its row, mends it, saves; and without a script."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from governance.models import PolicyVersion
from tests.browser.conftest import PHONE

Visitor = Callable[..., Page]
FORM = "/policies/finance.invoice-payment/versions/1/form"


def reach(page: Page, place: str) -> None:
    """Go on with Tab until the control with this id, or the button with this value, has the focus."""
    for _ in range(400):
        if page.evaluate("[document.activeElement.id, document.activeElement.value]").count(place):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{place} cannot be reached with the keyboard")


@pytest.mark.parametrize("size", [None, PHONE], ids=["desktop", "phone"])
def test_a_rule_is_written_with_the_keyboard_alone(visitor: Visitor, size: dict[str, int] | None) -> None:
    page = visitor("daniel", at=FORM, **({"size": size} if size else {}))
    keys, focus = page.keyboard, page.locator(":focus")

    reach(page, "add-rule")
    keys.press("Enter")
    expect(focus).to_have_id("r5.effect")
    keys.type("Ask")
    expect(page.locator("[id='r5.escalate.path']")).to_be_visible()
    expect(focus).to_have_id("r5.effect")
    reach(page, "add-row:r5.when")
    keys.press("Enter")
    expect(focus).to_have_id("r5.when.0.field")
    keys.type("Amount")
    expect(page.locator("[id='r5.when.0.op']")).to_contain_text("more than")
    reach(page, "r5.when.0.op")
    keys.type("more than")
    expect(page.locator("[id='r5.when.0.value']")).to_be_visible()
    reach(page, "r5.when.0.value")
    keys.type("much")
    expect(page.locator("[id='r5.when.0.wrong']")).to_contain_text("must be a number")
    expect(focus).to_have_value("much")
    keys.press("Control+A")
    keys.type("750")
    expect(page.locator("[id='r5.when.0.wrong']")).to_be_empty()
    expect(page.locator("[id='r5.says']")).to_contain_text("when Amount more than 750")
    reach(page, "r5.reason")
    keys.type("Somebody looks at it.")
    reach(page, "r5.escalate.path")
    keys.type("Treasury")
    expect(page.locator("#found")).to_contain_text("Everything can be read")
    reach(page, "save")
    keys.press("Enter")

    expect(page.locator("#main").get_by_text("is kept as a draft")).to_be_visible()
    rule = PolicyVersion.objects.order_by("-pk")[0].document["rules"][5]
    assert (rule["when"], rule["escalate"]["path"]) == ("context.amount > 750", "treasury")


def test_lists_grow_while_one_types_and_deleting_is_undone(visitor: Visitor) -> None:
    page = visitor("daniel", at=FORM)
    page.locator("[id='scope.roles']").fill("payments-clerk")
    expect(page.locator("[name='scope.roles']")).to_have_count(2)

    page.get_by_role("button", name="Delete rule 1", exact=True).click()
    expect(page.locator(":focus")).to_have_id("undo")
    page.keyboard.press("Enter")

    expect(page.locator("[id='r0.id']")).to_have_value("ip-exception")
    expect(page.locator("[id='scope.roles']")).to_have_value("payments-clerk")
    page.get_by_role("button", name="Look at the text").click()
    expect(page.locator("#text")).to_have_value(re.compile("roles:\n  - payments-clerk"))


def test_the_form_works_without_a_script(visitor: Visitor) -> None:
    page = visitor("daniel", at=FORM, java_script_enabled=False)
    page.get_by_role("button", name="Add a rule").click()
    page.locator("[id='r5.reason']").fill("Never.")
    page.get_by_role("button", name="Save as a draft").click()

    expect(page.locator("#main").get_by_text("is kept as a draft")).to_be_visible()
    assert PolicyVersion.objects.order_by("-pk")[0].document["rules"][5]["reason"] == "Never."
