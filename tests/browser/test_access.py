"""Access in the browser: a review from its start to its evidence, by keyboard and on a phone; every page accessible."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from agents import operations as agents
from agents.models import Grant, Review
from agents.tasks import attend_reviews
from governance import operations as governance
from observability import ledger
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_all_pages import faults_of

DAY = timedelta(days=1)


@pytest.fixture
def places(halden: Any, now: Any) -> list[str]:
    """The addresses of all pages about access, with something on each."""
    people = halden.people
    end = now + 5 * DAY
    right = agents.grant(
        "agents.pause_agent", people["sofia"], halden.agents["AP-04"], by=people["jonas"], at=now, expires_at=end,
        reason="She stands in on Fridays.",
    )  # fmt: skip
    terms = governance.Terms(person=people["maria"], delegate=people["ingrid"], ends_at=end, reason="On leave")
    delegation = governance.delegate(terms, by=people["maria"], at=now)
    named = {"answered_by": Review.AnsweredBy.NAMED, "named": people["ingrid"]}
    scope = agents.Scope(name="Winter review", due_at=end, units=(halden.units["finance"],), **named)
    review = agents.start_review(scope, by=people["daniel"], at=now)
    closed = agents.start_review(agents.Scope(name="Autumn", due_at=end, kinds=("space",)), by=people["daniel"], at=now)
    Review.objects.filter(pk=closed.pk).update(due_at=now)
    attend_reviews()
    item = review.items.first()
    assert item is not None
    thing, who = reverse("access-object", args=["agent", "AP-04"]), reverse("access-principal", args=["sofia"])
    return [
        *(reverse(name) for name in ("access", "access-principals", "access-delegations", "access-reviews")),
        reverse("access-review-new"), thing, f"{thing}?take={right.uid}", f"{thing}?prolong={right.uid}", who,
        reverse("access-principal", args=["ingrid"]), reverse("access-principal", args=["agent:AP-04"]),
        f"{reverse('access-delegations')}?end={delegation.uid}", reverse("access-review", args=[review.uid]),
        f"{reverse('access-review', args=[review.uid])}?show=all",
        f"{reverse('access-review', args=[review.uid])}?revoke={item.pk}", reverse("access-review", args=[closed.uid]),
        reverse("settings"),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("who", ["ingrid", "jonas"])
def test_every_page_about_access_is_accessible_and_fits(
    who: str, visitor: Callable[..., Page], places: list[str], size: dict[str, int]
) -> None:
    page = visitor(who, size=size)

    faults = [f"{address}: {fault}" for address in places for fault in faults_of(page, address)]

    assert faults == [], "\n".join(faults)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_access_review_from_its_start_to_its_evidence(
    visitor: Callable[..., Page], now: Any, halden: Any, size: dict[str, int]
) -> None:
    daniel = visitor("daniel", at="/access/reviews/new", size=size)
    daniel.get_by_label("Name", exact=True).fill("Winter review")
    daniel.get_by_label("Last day").fill((now + 9 * DAY).strftime("%Y-%m-%d"))
    daniel.get_by_label("Memory spaces").check()
    daniel.get_by_label("Policies").check()
    daniel.get_by_role("button", name="Start the review").press("Enter")
    expect(daniel.get_by_role("heading", name="Winter review")).to_be_visible()
    address = daniel.url

    maria = visitor("maria", at="/", size=size)
    maria.get_by_role("link", name="Answer").press("Enter")
    expect(maria.get_by_role("heading", name="Winter review")).to_be_visible()
    first = maria.get_by_role("checkbox").first
    first.press("Space")
    maria.get_by_role("button", name="Certify the chosen ones").press("Enter")
    expect(maria.locator("#main").get_by_text("1 right certified.")).to_be_visible()
    maria.get_by_role("link", name="Take away").first.press("Enter")
    maria.get_by_label("Why is it no longer needed?").fill("It matches orders in another way now.")
    maria.keyboard.press("Enter")
    expect(maria.locator("#main").get_by_text("Taken away:")).to_be_visible()
    button = maria.get_by_role("button", name="Certify all")
    if button.count():
        button.press("Enter")
    review = Review.objects.get()
    for item in review.items.filter(status="waiting").select_related("reviewer"):
        agents.certify(review, [item.pk], by=item.reviewer, at=ledger.database_now())

    daniel.goto(address)
    expect(daniel.get_by_text("Unchanged since it was closed")).to_be_visible()
    with daniel.expect_download() as loading:
        daniel.get_by_role("link", name="CSV").press("Enter")
    assert "It matches orders in another way now." in loading.value.path().read_text()
    revoked = review.items.get(status="revoked")
    assert not Grant.objects.filter(uid=revoked.grant).exists()


def test_a_right_is_given_and_taken_away_by_keyboard(visitor: Callable[..., Page], halden: Any) -> None:
    page = visitor("maria", at="/")
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page.get_by_role("heading", name="Access", exact=True)).to_be_visible()
    page.get_by_role("link", name="AP-04 Payments clerk").press("Enter")
    page.get_by_label("For whom").fill("sofia")
    page.get_by_label("May", exact=True).select_option("agents.pause_agent")
    page.get_by_label("Reason", exact=True).fill("She stands in on Fridays.")
    page.get_by_role("button", name="Give the right").press("Enter")
    expect(page.locator("#main").get_by_text("may pause AP-04")).to_be_visible()
    page.get_by_role("link", name="Take away Sofia Marin: pause").press("Enter")
    page.get_by_label("Why is it taken away?").fill("Fridays are over.")
    page.keyboard.press("Enter")
    expect(page.locator("#main").get_by_text("may no longer pause")).to_be_visible()
