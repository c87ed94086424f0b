"""Learning from answers, in the browser: a suggestion becomes a draft, a planted case is told, work comes back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from governance.models import Decision, Escalation, PlantedCase
from governance.tasks import ask_planted, note_answers, run_replays, sample_work
from observability import ledger
from tests.answers import answer, approve_many, ask, payment
from tests.browser.conftest import DESKTOP, PHONE

Visitor = Callable[..., Page]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_suggestion_becomes_a_draft_with_a_replay_and_is_revoked(
    visitor: Visitor, sign_in: Any, robot: Any, size: dict[str, int]
) -> None:
    approve_many(robot, [sign_in("priya"), sign_in("maria")])
    like = ask(robot, 99, "7000.00")
    daniel = visitor("daniel", at=f"/escalations/{like.uid}?tab=all", size=size)
    expect(daniel.locator("#card")).not_to_contain_text("make it a rule")

    priya = visitor("priya", at=f"/escalations/{like.uid}", size=size)
    priya.get_by_text("All 25 questions like this were approved: make it a rule?").click()
    expect(priya.locator("#card")).to_contain_text("The rule can be drafted by")
    daniel.goto("/escalations/insights")
    daniel.get_by_role("button", name="Make it a rule").click()

    expect(daniel.locator("#main")).to_contain_text("It decides nothing before somebody else approves it.")
    expect(daniel.get_by_role("heading", name="Replays of this version")).to_be_visible()
    run_replays()
    daniel.goto("/escalations/insights")
    learnt = daniel.get_by_role("region", name="Learnt rules, table")
    expect(learnt).to_contain_text("learnt-ip-limit")
    daniel.get_by_role("button", name="Revoke learnt-ip-limit").click()
    expect(daniel.locator("#main")).to_contain_text("People are asked again from the next question on.")
    expect(learnt).to_contain_text("Revoked")


def test_a_planted_case_is_answered_and_told(visitor: Visitor, sign_in: Any, robot: Any) -> None:
    asked = ask(robot, 1, "7000.00")
    answer(sign_in("maria"), asked)
    ingrid = visitor("ingrid", at="/escalations/insights/planted")
    ingrid.get_by_role("link", name=asked.title).click()
    ingrid.get_by_label("What is asked").fill("Pay EUR 7,950.00 to Kessler Maschinenbau")
    request = ingrid.get_by_label("The request")
    request.fill(request.input_value().replace("7000.00", "7950.00").replace("L-1", "L-77"))
    ingrid.get_by_label("Why it is the right answer").fill("The account is not the one on file.")
    ingrid.get_by_role("button", name="Plant the case").click()
    expect(ingrid.locator("#main")).to_contain_text("Not asked yet")
    PlantedCase.objects.update(ask_at=ledger.database_now())
    ask_planted()
    case = PlantedCase.objects.get().escalation
    assert case is not None

    priya = visitor("priya", at=f"/escalations/{case.uid}")
    expect(priya.locator("#main")).not_to_contain_text("planted")
    answer(sign_in("priya"), case, "reject")
    note_answers()
    following = ask(robot, 2, "6100.00")
    priya.goto(f"/escalations/{following.uid}")
    expect(priya.locator("#card")).to_contain_text("was a planted case: nothing was done. You gave the right answer.")
    priya.get_by_role("button", name="Understood").click()
    priya.goto(f"/escalations/{following.uid}")
    expect(priya.locator("#card")).not_to_contain_text("planted")
    ingrid.reload()
    expect(ingrid.locator("#main")).to_contain_text("Caught")


def test_work_comes_back_and_is_said_to_be_right(visitor: Visitor, robot: Any, settings: Any) -> None:
    settings.SAMPLED_SHARE, settings.UNDO_SECONDS = 1, 0
    assert robot("AP-04").call("post", "actions", payment(5, "120.00")).json()["effect"] == "allow"
    decision = Decision.objects.get(resource_id="L-5")
    Decision.objects.filter(pk=decision.pk).update(at=decision.at - timedelta(hours=1))
    sample_work()
    asked = Escalation.objects.get(kind="review")

    priya = visitor("priya", at=f"/escalations/{asked.uid}")
    expect(priya.locator("#card")).to_contain_text("Your answer changes nothing about it.")
    priya.locator("#answer").get_by_role("button", name="Approve").click()
    expect(priya.locator("#main")).to_contain_text("Was this right? AP-04: Pay an invoice, L-5")
    priya.goto(f"/escalations/{asked.uid}?tab=done")
    expect(priya.locator("#card")).to_contain_text("it was right")
