"""Daniel replays a stricter version in the browser: it runs while he watches, and leads him to the reasons."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from autonomy_site.demo.company import FOLDER
from governance.tasks import run_replays
from tests.browser.conftest import DESKTOP, PHONE

TEXT = (FOLDER / "policies" / "invoice_payment.yaml").read_text()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_daniel_watches_a_replay_and_opens_a_decision(
    visitor: Callable[..., Page], sign_in: Any, robot: Any, question: Any, size: dict[str, int]
) -> None:
    for amount in ("500.00", "1210.50", "9000.00"):
        robot("AP-04").call("post", "actions", question(amount=amount))
    stricter = TEXT.replace("context.amount > 5000 &&", "context.amount > 1000 &&")
    assert sign_in("daniel").call("post", "policies", {"text": stricter}).status_code == 201
    page = visitor("daniel", size=size)
    page.goto("/policies/finance.invoice-payment?version=2")

    page.get_by_role("link", name="Replay").click()
    page.get_by_role("button", name="The last 7 days").click()
    expect(page.get_by_role("heading", name="Replays of this version")).to_be_visible()
    run_replays()  # the worker of the server may have been faster, where it has one

    expect(page.get_by_text("Of 3 decisions 1 that was allowed would ask a person.")).to_be_visible()
    matrix = page.get_by_role("region", name="From answer to answer, table")
    matrix.get_by_role("row", name="Allowed").get_by_role("link", name="1").click()
    page.get_by_role("link", name="invoice.pay 2026-1187").click()
    expect(page.get_by_role("heading", name="With version 2")).to_be_visible()
    expect(page.get_by_role("heading", name="With the rules in force now")).to_be_visible()
