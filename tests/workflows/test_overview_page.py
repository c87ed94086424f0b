"""The first page: its sentence, tiles, agents, workflows, deadlines and feed, as far as each person may see them."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent
from tests.invoices import SELLER, ask_to_pay, bring, question


def pay(robot: Any, number: str) -> None:
    """A small invoice on its whole way, without a person."""
    bring(robot, number, amount="1200.00")
    clerk = robot("AP-04")
    work = clerk.claim()
    assert clerk.call("post", "actions", question(work, "1200.00")).json()["effect"] == "allow"
    assert clerk.finish(work, paid=True, message_id=number).status_code == 200


def test_the_sentence_counts_runs_and_those_that_needed_a_person(robot: Any, sign_in: Any) -> None:
    pay(robot, "2026-1")
    pay(robot, "2026-2")

    page = sign_in("priya").get("/")

    shown = page.content.decode()
    assert "4 agents brought" in shown
    assert ">2 runs</a> to an end in the last 7 days." in shown
    assert "None needed a person." in shown
    assert [tile.label for tile in page.context["tiles"]] == [
        "Median cycle time", "Throughput", "Agent cost per run", "Error rate", "Touchless rate",
    ]  # fmt: skip
    assert page.context["flows"][0]["sums"].runs == 2


@pytest.mark.parametrize("period, words", [("24h", "24 hours"), ("7", "7 days"), ("30", "30 days"), ("x", "7 days")])
def test_the_number_in_the_sentence_opens_exactly_these_runs(robot: Any, sign_in: Any, period: str, words: str) -> None:
    pay(robot, "2026-1")
    ask_to_pay(robot, "2026-2")
    priya = sign_in("priya")

    page = priya.get(f"/?period={period}")

    assert f"in the last {words}" in page.content.decode()
    runs = priya.get(page.context["runs_url"])
    assert [row["run"].key for row in runs.context["rows"]] == ["2026-1"]


def test_what_waits_for_priya_is_called_out_and_for_edith_nothing_is(robot: Any, sign_in: Any) -> None:
    ask_to_pay(robot, "2026-1")

    assert "1 escalation waits for your decision." in sign_in("priya").get("/").content.decode()
    edith = sign_in("edith").get("/").content.decode()
    assert "for your decision" not in edith
    assert f"Pay EUR 9,000.00 to {SELLER}" in edith, "among the next deadlines"


def test_an_agent_shows_what_it_does_now(robot: Any, sign_in: Any) -> None:
    ask_to_pay(robot, "2026-1")
    robot("AP-01").call(
        "post", "runs", {"workflow": "invoice-to-payment", "key": "2026-2", "input": {"document": "2.xml"}}
    )
    robot("AP-01").claim()

    rows = {row.agent.code: row for row in sign_in("priya").get("/").context["agents"]}

    assert (rows["AP-04"].state, rows["AP-04"].load) == ("waiting", 1)
    assert (rows["AP-01"].state, rows["AP-01"].workflow) == ("working", "Invoice to payment")
    assert rows["AP-02"].state == "idle"
    assert rows["AP-02"].success == "100 %"


def test_another_unit_sees_none_of_it(robot: Any, sign_in: Any) -> None:
    pay(robot, "2026-1")
    asked = ask_to_pay(robot, "2026-2")

    lukas = sign_in("lukas").get("/")

    shown = lukas.content.decode()
    assert "No run came to an end in the last 7 days." in shown
    assert asked.title not in shown
    assert "AP-04" not in shown
    assert {row.agent.code for row in lukas.context["agents"]} == {"SC-01", "SC-03"}


def test_an_empty_company_has_a_page_too(sign_in: Any) -> None:
    Agent.objects.exclude(keys=None).update(status="retired")

    shown = sign_in("priya").get("/").content.decode()

    assert "No run came to an end in the last 7 days." in shown
    assert "Nothing waits for anybody now." in shown
    assert "None belongs to your units yet." in shown


def test_the_feed_tells_in_plain_words_what_happened(robot: Any, sign_in: Any) -> None:
    pay(robot, "2026-1")
    ask_to_pay(robot, "2026-2", title="Pay \u202enow <b>")

    shown = sign_in("priya").get("/").content.decode()

    assert "AP-04 Payments clerk</b> finished run 2026-1: Paid" in shown
    assert "asks a person: Pay &lt;U+202E&gt;now &lt;b&gt;" in shown


def test_the_number_of_queries_does_not_grow_with_the_work(robot: Any, sign_in: Any) -> None:
    priya, counts = sign_in("priya"), []

    for number in (1, 2, 3):
        pay(robot, f"2026-{number}")
        ask_to_pay(robot, f"2026-{number}-large", amount="9000.00")
        with CaptureQueriesContext(connection) as queries:
            assert priya.get("/").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[-1] < 45
