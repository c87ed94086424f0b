"""Sampled checks: touchless work comes back to be looked at again, and no answer does anything to it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from governance.models import Decision, Escalation, SampledCheck
from governance.operations import learning
from governance.tasks import note_answers, sample_work
from observability.models import Event
from tests.answers import payment
from workflows.tasks import pass_deadlines


@pytest.fixture
def everything(settings: Any) -> None:
    """The whole of touchless work comes back."""
    settings.SAMPLED_SHARE, settings.SAMPLED_PER_DAY = 1, 3


@pytest.fixture
def paid(robot: Any, everything: None) -> Decision:
    """A payment that the clerk made alone an hour ago."""
    return pay(robot, 1)


def pay(robot: Any, number: int, minutes: int = 60) -> Decision:
    """The clerk pays an invoice without a person."""
    answer = robot("AP-04").call("post", "actions", payment(number, "120.00"))
    assert answer.json()["effect"] == "allow", answer.json()
    decision = Decision.objects.get(uid=answer.json()["decision"])
    Decision.objects.filter(pk=decision.pk).update(at=decision.at - timedelta(minutes=minutes))
    return decision


def answered(person: Any, asked: Escalation, what: str, **more: Any) -> Any:
    """The answer by the ordinary form of the card."""
    form = {"request_sha256": asked.request_sha256, "answer": what, **more}
    return person.post(f"/escalations/{asked.uid}/answer", form)


def test_touchless_work_comes_back_once_and_shows_what_was_done(paid: Decision, sign_in: Any) -> None:
    assert sample_work() == 1
    assert sample_work() == 0

    check = SampledCheck.objects.get(decision=paid)
    card = sign_in("priya").get(f"/escalations/{check.escalation.uid}").content.decode()
    assert "Was this right? AP-04: Pay an invoice, L-1" in card
    assert "Your answer changes nothing about it" in card
    assert "It is noted that this was right" in card
    assert "It is closed without an answer" in card


def test_it_was_right(paid: Decision, sign_in: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 0
    sample_work()
    check = SampledCheck.objects.get(decision=paid)

    assert answered(sign_in("priya"), check.escalation, "approved").status_code == 303
    assert note_answers() == 1

    check.refresh_from_db()
    assert check.outcome == "right"
    assert Event.objects.filter(verb="sample.right", actor_id="priya").count() == 1


def test_it_was_wrong_is_told_to_who_owns_the_policy_and_does_nothing_to_the_agent(
    paid: Decision, sign_in: Any, robot: Any, settings: Any
) -> None:
    settings.UNDO_SECONDS = 0
    sample_work()
    check = SampledCheck.objects.get(decision=paid)

    why = {"reason": "It was paid twice.", "reason_code": "duplicate"}
    assert answered(sign_in("priya"), check.escalation, "rejected", **why).status_code == 303
    note_answers()

    rules = sign_in("daniel").get("/escalations/insights").context["rules"]
    (row,) = [row for row in rules if row.figures.rule == "ip-allow"]
    assert (row.figures.checked_wrong, row.figures.asks_too_little) == (1, True)
    rows = sign_in("daniel").get(row.numbers["wrong"].url).content.decode()
    assert "It was paid twice." in rows
    again = robot("AP-04").call("post", "actions", payment(1, "120.00"))
    assert again.json()["effect"] == "allow", "a no about the past denies nothing"
    assert "Take a level from AP-04" in sign_in("daniel").get(f"/escalations/{check.escalation.uid}").content.decode()


def test_the_agent_hears_nothing_of_it(paid: Decision, robot: Any) -> None:
    sample_work()
    asked = SampledCheck.objects.get().escalation

    assert robot("AP-04").call("get", f"escalations/{asked.uid}").status_code == 404
    assert robot("AP-04").call("get", "escalations").json()["results"] == []
    assert robot("AP-04").call("get", f"decisions/{paid.uid}").json()["escalation"] is None


def test_nobody_looks_and_it_is_closed_quietly(paid: Decision, sign_in: Any) -> None:
    sample_work()
    asked = SampledCheck.objects.get().escalation
    Escalation.objects.filter(pk=asked.pk).update(due_at=paid.at)

    assert pass_deadlines() == 1

    asked.refresh_from_db()
    assert (asked.status, asked.reason) == ("expired", "Nobody looked at it again in time.")
    card = sign_in("priya").get(f"/escalations/{asked.uid}?tab=done").content.decode()
    assert "Nobody looked at it again in time" in card
    assert note_answers() == 0


def test_a_day_has_only_so_many(everything: None, robot: Any, now: datetime) -> None:
    for number in range(5):
        pay(robot, number)

    assert sample_work() == 3
    assert learning.sample(at=now + timedelta(hours=1)) == 0


def test_what_is_fresh_waits_for_its_outcome(everything: None, robot: Any) -> None:
    pay(robot, 1, minutes=0)

    assert sample_work() == 0


def test_by_default_a_fiftieth_comes_back(robot: Any, settings: Any) -> None:
    assert settings.SAMPLED_SHARE == 0.02
    settings.SAMPLED_SHARE = 0
    pay(robot, 1)

    assert sample_work() == 0
