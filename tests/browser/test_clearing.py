"""Twenty mixed questions are cleared by keys, by touch, without a socket and without script; what is announced."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Protocol

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from governance.models import Escalation, HandOver, Inquiry
from tests.browser.conftest import DESKTOP, PHONE
from tests.invoices import ask_to_pay, bring
from tests.refunds import ask_refunds

Visitor = Callable[..., Page]
PAYMENTS = ("9000.00", "7000.00", "12400.00", "6100.00", "8200.00", "5600.00")
WHY, WHICH, ORDER = "Paid by card in March.", "Which order is it?", "PO-2026-3007"


class Hand(Protocol):
    """How somebody works: each act begins and ends at an open card, but for `together`, which ends at its list."""

    def begin(self, page: Page) -> None: ...
    def together(self, page: Page) -> None: ...
    def approve(self, page: Page) -> None: ...
    def undo(self, page: Page) -> None: ...
    def reject(self, page: Page) -> None: ...
    def amend(self, page: Page, amount: str) -> None: ...
    def ask(self, page: Page) -> None: ...
    def hand_over(self, page: Page) -> None: ...


class Keys:
    """Somebody without a mouse."""

    def begin(self, page: Page) -> None:
        """The first card is beside the list already."""

    def together(self, page: Page) -> None:
        for key in "jxjx":
            self._press(page, key)
        expect(page.locator("[data-selected]")).to_have_text("13 selected")
        self._press(page, "a")
        page.get_by_role("button", name="Approve 13").press("Enter")
        page.get_by_role("link", name="Back to the list").press("Enter")

    def approve(self, page: Page) -> None:
        self._press(page, "a")

    def undo(self, page: Page) -> None:
        self._press(page, "z")

    def reject(self, page: Page) -> None:
        self._press(page, "r")
        expect(page.get_by_label("Kind of reason")).to_be_focused()
        self._type(page, "Duplicate", "Tab", WHY, "Control+Enter")

    def amend(self, page: Page, amount: str) -> None:
        self._press(page, "e")
        expect(page.get_by_label("Amount")).to_be_focused()
        self._type(page, "Control+a", amount, "Enter")

    def ask(self, page: Page) -> None:
        self._press(page, "q")
        expect(page.get_by_label("Your question to AP-04")).to_be_focused()
        self._type(page, WHICH, "Control+Enter")

    def hand_over(self, page: Page) -> None:
        self._press(page, "h")
        expect(page.get_by_label("To whom")).to_be_focused()
        self._type(page, "Daniel", "Tab", "Control+Enter")

    def _press(self, page: Page, key: str) -> None:
        # Nobody is as fast as a page that stands there while its scripts are still on their way.
        page.wait_for_load_state("load")
        page.keyboard.press(key)

    def _type(self, page: Page, *given: str) -> None:
        for each in given:
            named = each in ("Tab", "Enter", "Control+Enter", "Control+a")
            (page.keyboard.press if named else page.keyboard.type)(each)


class Pointer:
    """Somebody who taps or clicks on what the page shows."""

    def __init__(self, press: Callable[[Locator], None]) -> None:
        self.press = press

    def begin(self, page: Page) -> None:
        self.press(page.locator(".os-item").first)

    def together(self, page: Page) -> None:
        for pile in page.locator(".os-pile .os-pick").all():
            self.press(pile)
        self.press(page.locator(".os-together").get_by_role("button", name="Approve"))
        self.press(page.get_by_role("button", name="Approve 13"))
        self.press(page.get_by_role("link", name="Back to the list"))

    def approve(self, page: Page) -> None:
        self._button(page, "Approve")

    def undo(self, page: Page) -> None:
        self.press(page.locator("#undo").get_by_role("button"))

    def reject(self, page: Page) -> None:
        self._open(page, "Reject")
        page.get_by_label("Kind of reason").select_option("duplicate")
        page.get_by_label("Your reason").fill(WHY)
        self._button(page, "Reject with this reason")

    def amend(self, page: Page, amount: str) -> None:
        self._open(page, "Amend")
        page.get_by_label("Amount").fill(amount)
        self._button(page, "Change the request")

    def ask(self, page: Page) -> None:
        self._open(page, "Ask")
        page.get_by_label("Your question to AP-04").fill(WHICH)
        self._button(page, "Ask the agent")

    def hand_over(self, page: Page) -> None:
        self._open(page, "Hand over")
        page.get_by_label("To whom").select_option("person:daniel")
        self._button(page, "Hand over")

    def _open(self, page: Page, word: str) -> None:
        self.press(page.locator(".os-actions summary", has_text=word))

    def _button(self, page: Page, name: str) -> None:
        self.press(page.locator(".os-actions button:visible", has_text=name))


@pytest.fixture
def mixed(robot: Any, halden: Any, now: datetime, settings: Any) -> None:
    """Twenty questions: six payments of which less may be paid, an invoice with a finding, refunds of two agents."""
    settings.UNDO_SECONDS = 60
    for number, amount in enumerate(PAYMENTS):
        asked = ask_to_pay(robot, f"2026-{number}", amount=amount)
        bounds = [{"field": "amount", "at_least": "1", "at_most": amount}]
        Escalation.objects.filter(pk=asked.pk).update(amendable=bounds)
    bring(robot, "2026-9", findings=1)
    ask_refunds(halden, now, 8)
    ask_refunds(halden, now, 5, amount=60, code="AP-02")
    assert Escalation.objects.open().count() == 20


@pytest.mark.parametrize("way", ["keys", "touch", "no-socket", "no-script"])
def test_twenty_mixed_questions_are_cleared(visitor: Visitor, robot: Any, mixed: None, way: str) -> None:
    hand: Hand = Pointer(Locator.tap) if way == "touch" else Pointer(Locator.click) if way == "no-script" else Keys()
    size = PHONE if way == "touch" else DESKTOP
    page = visitor("priya", size=size, has_touch=way == "touch", java_script_enabled=way != "no-script")
    if way == "no-socket":
        page.route_web_socket("**/ws/live*", lambda socket: socket.close())
    page.goto("/escalations", wait_until="networkidle")

    hand.together(page)
    expect(page.locator(".os-item")).to_have_count(7)
    hand.begin(page)
    acts: Iterator[Act] = iter([undoing, rejecting, amending, asking(robot, reloads=way == "no-script"), handing_over])
    for left in range(7, 0, -1):
        expect(page.locator(".os-item")).to_have_count(left)
        next(acts, approving)(hand, page)
        expect(page.locator(".os-item")).to_have_count(left - 1)

    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    assert Escalation.objects.filter(status="held").count() == 19
    assert HandOver.objects.get().escalation.is_open
    rejected = Escalation.objects.get(held_answer="rejected")
    assert (rejected.reason, rejected.reason_code) == (WHY, "duplicate")
    assert Escalation.objects.get(original__isnull=False).amended == {"amount": "5000.00"}


Act = Callable[[Hand, Page], None]


def approving(hand: Hand, page: Page) -> None:
    """A yes."""
    hand.approve(page)


def undoing(hand: Hand, page: Page) -> None:
    """A yes that is taken back, and given again."""
    title = page.locator(".os-ask").inner_text()
    hand.approve(page)
    expect(page.locator("#undo")).to_contain_text(f"Approved: {title}")
    hand.undo(page)
    expect(page.locator("#main").get_by_text(f"Undone: {title}")).to_be_visible()
    hand.approve(page)


def rejecting(hand: Hand, page: Page) -> None:
    """A no with its reason."""
    hand.reject(page)


def amending(hand: Hand, page: Page) -> None:
    """A yes to less."""
    hand.amend(page, "5000.00")
    expect(page.locator("#main").get_by_text("Changed and decided again.")).to_be_visible()
    hand.approve(page)


def asking(robot: Any, *, reloads: bool) -> Act:
    """A yes after the agent answered; without script the answer is there after reloading."""

    def act(hand: Hand, page: Page) -> None:
        hand.ask(page)
        asked = page.locator(".os-asked")
        expect(asked).to_contain_text("AP-04 has not answered yet.")
        inquiry = Inquiry.objects.select_related("escalation").get()
        path = f"escalations/{inquiry.escalation.uid}/questions/{inquiry.uid}/answer"
        assert robot("AP-04").call("post", path, {"answer": ORDER}).status_code == 200
        if reloads:
            page.reload()
        expect(asked).to_contain_text(ORDER)
        hand.approve(page)

    return act


def handing_over(hand: Hand, page: Page) -> None:
    """Somebody else is asked."""
    hand.hand_over(page)
    expect(page.locator("#main").get_by_text("Handed over to Daniel Okafor: Pay EUR")).to_be_visible()


def test_what_happens_is_announced_and_the_focus_goes_along(
    visitor: Visitor, live: Callable[[Page], None], robot: Any, settings: Any
) -> None:
    settings.UNDO_SECONDS = 60
    first = ask_to_pay(robot, "2026-1")
    page = visitor("priya")
    line = Line(page)
    page.goto(f"/escalations/{first.uid}")
    live(page)
    said, heading = page.locator("#announce"), page.locator(".os-ask")
    expect(page.get_by_role("status").and_(said)).to_have_attribute("aria-live", "polite")

    second = ask_to_pay(robot, "2026-2", amount="7000.00")
    expect(said).to_have_text("1 new · show them")
    page.keyboard.press("a")
    expect(said).to_contain_text(f"Approved: {first.title}. It takes effect")
    expect(heading).to_have_text(second.title)
    expect(heading).to_be_focused()
    page.keyboard.press("z")
    expect(said).to_contain_text(f"Undone: {first.title}.")
    expect(heading).to_have_text(first.title)
    expect(heading).to_be_focused()

    live(page)
    line.cut()
    expect(said).to_contain_text("Offline since")
    line.mend()
    expect(said).to_have_text(re.compile("^(Every 5 s|Live)$"))
    live(page)


class Line:
    """The connection of a page, which can be cut and mended."""

    def __init__(self, page: Page) -> None:
        self.is_cut = False
        self.sockets: list[WebSocketRoute] = []
        page.route_web_socket("**/ws/live*", self._connect)
        page.route("**/live/events*", lambda route: route.fulfill(status=429) if self.is_cut else route.continue_())

    def _connect(self, socket: WebSocketRoute) -> None:
        if self.is_cut:
            socket.close()
        else:
            socket.connect_to_server()
            self.sockets.append(socket)

    def cut(self) -> None:
        """Nothing comes through any more."""
        self.is_cut = True
        for socket in self.sockets:
            socket.close()

    def mend(self) -> None:
        """Everything comes through again."""
        self.is_cut = False
