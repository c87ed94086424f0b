"""Maria brings a log in the browser, watches it being read and looks at what it tells; each page is accessible."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from autonomy_site.demo.by_hand import log_text
from tests.browser.conftest import PHONE
from tests.browser.test_all_pages import faults_of


def test_a_log_is_brought_read_and_looked_at(visitor: Callable[..., Page], tmp_path: Path) -> None:
    file = tmp_path / "invoices.csv"
    file.write_text(log_text())
    page = visitor("maria")
    page.goto("/event-logs/new")
    page.set_input_files("input[type=file]", str(file))
    page.select_option("select[name=unit]", label="Finance")
    page.click("text=Bring the log")
    expect(page.locator("h1")).to_have_text("Which column is what?")
    faults = faults_of(page, page.url)
    page.select_option("select[name=case]", "invoice")
    page.click("text=Read the log")

    expect(page.locator("#map svg")).to_be_visible()
    here = page.url
    faults += faults_of(page, here)
    for end in ("baseline", "draft"):
        faults += faults_of(page, f"{here}/{end}")
    phone = visitor("maria", size=PHONE)
    for address in (here, f"{here}/columns", "/event-logs", "/event-logs/new"):
        faults += faults_of(phone, address)

    assert not faults, "\n".join(faults)
