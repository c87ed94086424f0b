"""An agent's life with a browser: hired, submitted, assessed, let begin by a second person, paused, retired."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from agents.models import Agent
from observability.models import Event


def test_hire_review_activate_pause_retire(visitor: Callable[..., Page]) -> None:
    jonas = visitor("jonas", at="/blueprints")
    jonas.get_by_role("link", name="Payments clerk").click()
    jonas.get_by_role("link", name="Hire an agent").click()
    jonas.get_by_label("Code").fill("AP-09")
    jonas.get_by_label("Name", exact=True).fill("Second clerk")
    jonas.get_by_label("Accountable person").select_option("maria")
    jonas.get_by_label("Monday").check()
    jonas.get_by_role("button", name="Hire as draft").click()

    expect(jonas.locator(".os-summary")).to_contain_text("Times are written as in 08:00.")
    jonas.get_by_label("Monday").uncheck()
    jonas.get_by_role("button", name="Hire as draft").click()
    expect(jonas.get_by_text("1 missing")).to_be_visible()
    jonas.get_by_role("button", name="Submit for review").click()
    expect(jonas.get_by_text("so somebody else lets it begin")).to_be_visible()

    ingrid = visitor("ingrid", at="/agents?state=in_review")
    ingrid.get_by_role("link", name="Second clerk").click()
    ingrid.get_by_role("link", name="Review", exact=True).click()
    expect(ingrid.get_by_role("button", name="Let it begin")).to_have_count(0)
    ingrid.get_by_role("link", name=re.compile("Mend it.*Assessment of risk")).click()
    for label, text in {
        "What does it do?": "Pays.", "Which data is touched?": "Amounts.", "What can go wrong?": "Pays twice.",
        "What is done about it?": "A person approves.",
    }.items():  # fmt: skip
        ingrid.get_by_label(label).fill(text)
    ingrid.get_by_role("button", name="Keep the assessment").click()
    expect(ingrid.get_by_text("Everything is in place")).to_be_visible()
    ingrid.get_by_role("button", name="Let it begin").click()
    expect(ingrid.get_by_text("begins to work").first).to_be_visible()

    ingrid.get_by_role("link", name="Pause").click()
    ingrid.get_by_label("Why is it paused?").fill("Odd payments.")
    ingrid.get_by_role("button", name="Pause AP-09").click()
    expect(ingrid.get_by_text("is paused. It gets no work").first).to_be_visible()

    ingrid.get_by_role("button", name="More about AP-09").click()
    ingrid.get_by_role("link", name="Retire").click()
    ingrid.get_by_label("Who takes its place?").select_option("AP-04")
    ingrid.get_by_label("Why does it retire?").fill("One clerk is enough.")
    ingrid.get_by_role("button", name="Retire AP-09").click()
    expect(ingrid.locator(".os-head")).to_contain_text("Retired")

    assert Agent.objects.get(code="AP-09").status == "retired"
    told = Event.objects.filter(subject_id="AP-09").order_by("id").values_list("verb", "actor_id")
    assert [verb.partition(".")[2] for verb, _ in told] == [
        "hired", "submitted", "assessed", "activated", "paused", "retired", "handed_over",
    ]  # fmt: skip
    assert dict(told)["agent.activated"] == "ingrid"


def test_the_org_chart_is_read_without_scripts_on_a_phone(visitor: Callable[..., Page]) -> None:
    page = visitor("maria", size={"width": 390, "height": 844}, java_script_enabled=False)
    page.goto("/agents/chart")

    expect(page.get_by_role("list", name="Maria Lindqvist answers for").get_by_role("listitem")).to_have_count(3)
    page.get_by_role("link", name="Payments clerk").click()
    expect(page.locator("h1")).to_contain_text("Payments clerk")
