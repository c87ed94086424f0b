"""Maria draws on the canvas, by clicks and by keys; Jonas draws as well; what she drew is published and runs."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from agents.models import Principal, Unit
from agents.operations import grant
from governance.models import EscalationPath
from observability import ledger
from tests.browser.conftest import PHONE
from tests.workflows.test_laying import without
from workflows.models import Run, Workflow, WorkflowDraft
from workflows.operations.drafting import NewWorkflow, begin_draft, begin_workflow
from workflows.plan import read_bpmn
from workflows.plan.outlining import outline_of
from workflows.plan.sheet import Sheet

Visitor = Callable[..., Page]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
INVOICES = "/workflows/invoice-to-payment/design"
EXPENSES = "/workflows/expenses/design"


@pytest.fixture
def expenses(halden: Any) -> Workflow:
    """A new workflow with nothing but its start and its end."""
    maria, finance = Principal.objects.get(username="maria"), Unit.objects.get(code="finance")
    path = EscalationPath.objects.get(key="finance-approver")
    terms = NewWorkflow("expenses", "Expenses", finance, maria, path)
    begin_workflow(terms, by=maria, at=ledger.database_now())
    return Workflow.objects.get(code="expenses")


@pytest.fixture
def invoices(halden: Any) -> Workflow:
    """The invoice workflow, with a draft."""
    workflow = Workflow.objects.get(code="invoice-to-payment")
    begin_draft(workflow, by=Principal.objects.get(username="maria"), at=ledger.database_now())
    return workflow


def opened(page: Page, address: str) -> Page:
    """The designer, once the drawing can be changed."""
    page.goto(address)
    expect(page.locator("[data-designer][data-ready]")).to_be_attached()
    return page


def element(page: Page, name: str) -> Locator:
    return page.locator(f"[data-element-id='{name}']").first


def middle(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def put(page: Page, piece: str, x: float, y: float) -> None:
    """Press a piece of the palette, then the place where it belongs."""
    page.get_by_role("button", name=piece, exact=True).click()
    page.mouse.move(x - 4, y)
    page.mouse.move(x, y)
    page.mouse.click(x, y)


@contextmanager
def saving(page: Page) -> Iterator[None]:
    """What is done inside is on the server afterwards."""
    designer = page.locator("[data-designer]")
    before = designer.get_attribute("data-revision") or ""
    yield
    expect(designer).not_to_have_attribute("data-revision", before)
    expect(page.locator("[data-saved]")).to_have_text("Saved")


def choose(page: Page, name: str) -> None:
    """Select an element and wait for its settings."""
    element(page, name).click()
    expect(page.locator(f"form[data-element='{name}']")).to_be_visible()


def drawn(code: str) -> str:
    return WorkflowDraft.objects.open().get(workflow__code=code).bpmn


def test_maria_draws_jonas_publishes_and_a_run_starts(visitor: Visitor, expenses: Workflow, robot: Any) -> None:
    maria = opened(visitor("maria"), EXPENSES)
    put(maria, "Agent task", *middle(maria.locator(".djs-connection").first))
    expect(maria.locator(".djs-direct-editing-content")).to_be_focused()
    maria.keyboard.type("Check the receipt")
    maria.keyboard.press("Enter")

    expect(maria.get_by_label("Name", exact=True)).to_have_value("Check the receipt")
    expect(maria.locator("[data-problem-count]")).to_have_text(re.compile("problem"))
    maria.locator("[data-problems] summary").click()
    maria.get_by_role("button", name="Fix it: “Check the receipt”").first.click()
    expect(maria.locator(":focus")).to_have_attribute("name", "role")
    maria.get_by_label("Who works").select_option("invoice-reader")
    expect(maria.locator("[data-problem-count]")).to_have_text("No problems")
    with saving(maria):
        maria.get_by_label("Name, value 1").fill("total")
        maria.get_by_label("Name, value 1").press("Tab")
        expect(maria.get_by_label("Name, value 2")).to_be_visible()
    with saving(maria):
        maria.get_by_label("Type, value 1").select_option("decimal")

    graph = read_bpmn(drawn("expenses").encode())
    (task,) = [node for node in graph.nodes.values() if node.role]
    assert (task.name, task.role, [output.name for output in task.outputs]) == (
        "Check the receipt", "invoice-reader", ["total"]
    )  # fmt: skip

    maria.get_by_role("link", name="Ask to publish").click()
    maria.get_by_label("Your reason").fill("Receipts are checked by an agent from now on.")
    maria.get_by_role("button", name="Ask to publish").click()
    expect(maria.locator("#main").get_by_text("You asked.")).to_be_visible()
    maria.goto(EXPENSES)
    expect(maria.locator("#main").get_by_text("The draft is in review and does not change meanwhile.")).to_be_visible()

    jonas = visitor("jonas", at="/workflows/expenses/review")
    jonas.get_by_role("button", name="Publish it").click()
    expect(jonas.locator("#main").get_by_text("It is live")).to_be_visible()
    reader, at = Principal.objects.get(username="agent:AP-01"), ledger.database_now()
    for right in ("start", "work_in"):
        grant(f"workflows.{right}_workflow", reader, expenses, by=ledger.SYSTEM, at=at)
    started = robot("AP-01").call("post", "runs", {"workflow": "expenses", "key": "E-1", "input": {}})
    assert started.status_code == 201, started.content
    assert Run.objects.get(key="E-1").steps.get().name == "Check the receipt"
    assert robot("AP-01").claim()["step"]


def test_what_is_done_can_be_undone_copied_and_found(visitor: Visitor, invoices: Workflow) -> None:
    page = opened(visitor("maria"), INVOICES)
    shapes = page.locator(".djs-shape:not(.djs-label-hidden)")
    before = shapes.count()

    choose(page, "read")
    with saving(page):
        page.get_by_role("button", name="Add a time limit").click()
        expect(page.get_by_label("How long")).to_be_visible()
    with saving(page):
        page.get_by_label("How long").fill("5 hours")
        page.get_by_label("How long").press("Tab")
    assert "PT5H" in drawn("invoice-to-payment")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(shapes).to_have_count(before)

    choose(page, "pay")
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+v")
    x, y = middle(element(page, "handle"))
    page.mouse.move(x, y + 40)
    page.mouse.click(x + 2, y + 80)
    expect(page.locator(".djs-shape.selected")).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(shapes).to_have_count(before)

    page.get_by_role("button", name="Find a step").click()
    page.keyboard.type("Look for")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Look for anomalies")).to_be_visible()


def test_a_step_is_added_and_set_with_the_keyboard_alone(visitor: Visitor, expenses: Workflow) -> None:
    page = opened(visitor("maria"), EXPENSES)
    page.locator("[data-canvas] svg[role=application]").focus()

    page.keyboard.press("Alt+ArrowRight")
    expect(page.locator("#announce")).to_contain_text("1 of 3")
    page.get_by_role("button", name="Approval", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".djs-direct-editing-content")).to_be_focused()
    page.keyboard.type("Approve the trip")
    expect(page.locator(".djs-direct-editing-content")).to_have_text("Approve the trip")
    page.keyboard.press("Enter")
    expect(page.locator("[data-canvas] svg[role=application]")).to_be_focused()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Approve the trip")
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_attribute("name", "name")
    expect(page.locator("[data-saved]")).to_have_text("Saved")
    page.keyboard.press("Tab")
    with saving(page):
        page.keyboard.type("Finance")
        page.keyboard.press("Tab")

    assert 'aos:path="finance-approver"' in drawn("expenses")


def set_field(page: Page, label: str, to: str) -> None:
    page.get_by_label(label, exact=True).fill(to)
    page.get_by_label(label, exact=True).press("Tab")


def test_a_step_is_repeated_sends_and_waits_as_its_settings_say(visitor: Visitor, invoices: Workflow) -> None:
    page = opened(visitor("maria"), INVOICES)

    choose(page, "read")
    page.get_by_text("How often it is done", exact=True).first.click()
    expect(page.get_by_label("Goes on while")).to_be_hidden()
    page.locator("[name=repeat]").select_option("parallel")
    expect(page.locator("#id_collection_error")).to_have_text("Name the list, or say how many times below.")
    expect(page.get_by_label("Goes on while")).to_be_hidden()
    with saving(page):
        set_field(page, "Without a list: so many times", "3")
    with saving(page):
        set_field(page, "Enough when", "loop.done >= 2")
    expect(element(page, "read")).to_contain_text("for each")
    assert "<bpmn:loopCardinality" in drawn("invoice-to-payment")
    assert "loop.done &gt;= 2" in drawn("invoice-to-payment")

    choose(page, "pay")
    with saving(page):
        page.get_by_label("What it is").select_option("bpmn:SendTask")
    expect(page.get_by_label("Which message")).to_be_visible()
    assert 'aos:role="payments-clerk"' not in re.findall(r"<bpmn:sendTask[^>]*>", drawn("invoice-to-payment"))[0]
    with saving(page):
        set_field(page, "Which message", "invoice paid")
    with saving(page):
        set_field(page, "Goes out with the key", "vars.input.document")
    choose(page, "late")
    with saving(page):
        page.get_by_label("It happens").select_option("message")
    with saving(page):
        set_field(page, "Which message", "invoice paid")
    text = drawn("invoice-to-payment")
    assert text.count('name="invoice paid"') == 1
    lines = {line.id: line for line in outline_of(Sheet(text))}
    assert (lines["pay"].told, lines["pay"].given["correlation"]) == ("invoice paid", "vars.input.document")
    assert (lines["late"].told, lines["read"].repeat.times) == ("invoice paid", "3")

    for _ in range(2):
        page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("How long")).to_have_value("4 hours")


def test_two_people_who_draw_at_once_lose_nothing(visitor: Visitor, invoices: Workflow) -> None:
    maria, jonas = opened(visitor("maria"), INVOICES), opened(visitor("jonas"), INVOICES)
    with saving(jonas):
        rename(jonas, "read", "Read it twice")

    rename(maria, "pay", "Pay at once")

    expect(maria.locator("[data-conflict]")).to_be_visible()
    assert "Read it twice" in drawn("invoice-to-payment")
    assert "Pay at once" not in drawn("invoice-to-payment")
    with maria.expect_download() as download:
        maria.get_by_role("button", name="Download mine").click()
    assert "Pay at once" in download.value.path().read_text()
    maria.get_by_role("button", name="Show theirs").click()
    expect(element(maria, "read")).to_contain_text("Read it twice")
    with saving(maria):
        rename(maria, "pay", "Pay at once")
    assert all(name in drawn("invoice-to-payment") for name in ("Read it twice", "Pay at once"))


def rename(page: Page, name: str, to: str) -> None:
    choose(page, name)
    page.get_by_label("Name", exact=True).fill(to)
    page.get_by_label("Name", exact=True).press("Tab")


def test_what_the_form_does_not_know_stays_in_the_file(visitor: Visitor, invoices: Workflow) -> None:
    draft = WorkflowDraft.objects.open().get()
    mark = '<bpmn:extensionElements><own:colour xmlns:own="https://example.com/own" name="blue"/>'
    draft.bpmn = draft.bpmn.replace("<bpmn:extensionElements>", mark, 1)
    draft.save(update_fields=["bpmn"])
    page = opened(visitor("maria"), INVOICES)

    choose(page, "start")
    with saving(page):
        page.get_by_label("Label, value 1").fill("The document")
        page.get_by_label("Label, value 1").press("Tab")

    assert re.search(r'<own:colour [^>]*name="blue"', drawn("invoice-to-payment"))
    assert 'label="The document"' in drawn("invoice-to-payment")


def test_a_file_without_a_drawing_is_laid_out_and_kept_with_the_first_change(
    visitor: Visitor, invoices: Workflow
) -> None:
    draft = WorkflowDraft.objects.open().get()
    draft.bpmn = without(draft.bpmn)
    draft.save(update_fields=["bpmn"])
    page = opened(visitor("maria"), INVOICES)
    expect(page.get_by_text("The file came without a drawing.")).to_be_visible()
    expect(page.locator(".djs-shape[data-element-id='read']")).to_be_visible()
    expect(page.locator(".djs-connection")).to_have_count(22)
    assert "BPMNShape" not in drawn("invoice-to-payment")

    with saving(page):
        rename(page, "read", "Read it twice")

    assert "BPMNShape" in drawn("invoice-to-payment")
    live = visitor("maria", at="/workflows/invoice-to-payment/outline")
    expect(live.get_by_text("Read it twice").first).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_designer_is_accessible(visitor: Visitor, invoices: Workflow, theme: str) -> None:
    page = opened(visitor("maria", theme=theme), INVOICES)
    choose(page, "exception")
    page.locator("[data-problems] summary").click()

    assert Axe().run(page, options={"runOnly": RULES}).response["violations"] == []


def test_a_phone_is_shown_the_way_to_the_outline(visitor: Visitor, invoices: Workflow) -> None:
    page = visitor("maria", at=INVOICES, size=PHONE)

    page.get_by_role("link", name="The outline").click()

    expect(page).to_have_url(re.compile("/outline$"))
