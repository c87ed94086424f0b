"""The reviewers' answers on the page: how one is taken, undone, and refused."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from agents.models import Principal
from governance import operations as governance
from governance.models import Escalation
from observability import ledger
from observability.models import Event
from tests.invoices import ask_to_pay
from tests.workflows.test_escalations_page import answer, card, let_take_effect
from workflows import operations
from workflows.models import Run, Step


def test_priya_approves_and_goes_on_to_the_next(robot: Any, sign_in: Any) -> None:
    first, second = ask_to_pay(robot, "2026-1"), ask_to_pay(robot, "2026-2", amount="7000.00")
    priya = sign_in("priya")

    answered = answer(priya, first, "approved")

    assert answered.status_code == 303
    assert answered["Location"] == reverse("escalation", args=[second.uid])
    shown = priya.get(answered["Location"])
    assert shown.context["undo"] == first
    assert "Approved:</b> Pay EUR 9,000.00 to Kessler Maschinenbau GmbH" in shown.content.decode()
    let_take_effect()
    first.refresh_from_db()
    assert first.status == "approved"
    assert priya.get(answered["Location"]).context["undo"] is None


def test_priya_takes_her_approval_back_and_nothing_was_done(robot: Any, sign_in: Any) -> None:
    asked, priya, clerk = ask_to_pay(robot, "2026-1"), sign_in("priya"), robot("AP-04")
    answer(priya, asked, "approved")
    assert clerk.claim() is None, "nothing starts before the time to undo is over"

    undone = priya.post(reverse("escalation-undo", args=[asked.uid]))

    assert f"Undone: {asked.title}." in priya.get(undone["Location"]).content.decode()
    let_take_effect()
    asked.refresh_from_db()
    assert (asked.status, asked.settled_by, asked.reason) == ("open", None, "")
    answer(priya, asked, "rejected", reason_code="duplicate", reason="Paid in March.")
    let_take_effect()
    asked.refresh_from_db()
    assert (asked.status, asked.reason) == ("rejected", "Paid in March.")
    story = Event.objects.filter(subject_id=str(asked.uid)).order_by("pk").values_list("verb", flat=True)
    assert list(story) == [
        "escalation.opened", "escalation.answered", "escalation.undone", "escalation.answered", "escalation.rejected",
    ]  # fmt: skip


def test_only_who_answered_undoes_it_and_only_in_time(robot: Any, sign_in: Any) -> None:
    asked, priya, maria = ask_to_pay(robot, "2026-1"), sign_in("priya"), sign_in("maria")
    answer(priya, asked, "approved")

    tried = maria.post(reverse("escalation-undo", args=[asked.uid]))
    assert tried.status_code == 403
    assert "Only who answered can undo it." in tried.content.decode()
    assert Event.objects.filter(verb="escalation.refused", subject_id=str(asked.uid)).count() == 1
    let_take_effect()
    late = priya.post(reverse("escalation-undo", args=[asked.uid]))

    assert late.status_code == 409
    assert "It can no longer be undone" in late.content.decode()
    asked.refresh_from_db()
    assert asked.status == "approved"


def test_an_answer_of_somebody_who_lost_the_right_does_not_take_effect(robot: Any, sign_in: Any) -> None:
    asked = ask_to_pay(robot, "2026-1")
    answer(sign_in("priya"), asked, "approved")
    priya = Principal.objects.get(username="priya")
    priya.is_active = False
    priya.save(update_fields=["is_active"])

    let_take_effect()

    asked.refresh_from_db()
    assert (asked.status, asked.settled_by) == ("open", None)
    told = Event.objects.filter(verb="escalation.returned", subject_id=str(asked.uid)).get()
    assert told.why == "Priya Nair may no longer decide this. Nothing was done."


def test_pressing_twice_shows_the_result_and_no_error(robot: Any, sign_in: Any) -> None:
    asked, priya = ask_to_pay(robot, "2026-1"), sign_in("priya")

    assert [answer(priya, asked, "approved").status_code for _ in range(2)] == [303, 303]
    assert "Approved:" in priya.get("/escalations").content.decode()


@pytest.mark.parametrize("given", [{}, {"reason": "No receipt."}, {"reason_code": "other"}, {"reason": "  "}])
def test_a_rejection_needs_both_kinds_of_reason_and_keeps_what_was_typed(
    robot: Any, sign_in: Any, given: dict[str, str]
) -> None:
    asked = ask_to_pay(robot, "2026-1")

    refused = answer(sign_in("priya"), asked, "rejected", **given)

    assert refused.status_code == 400
    assert given.get("reason", "").strip() in refused.content.decode()
    asked.refresh_from_db()
    assert asked.is_open


def test_who_comes_second_reads_who_was_first_and_keeps_the_reason(robot: Any, sign_in: Any) -> None:
    asked = ask_to_pay(robot, "2026-1")
    answer(sign_in("priya"), asked, "approved")
    let_take_effect()

    late = answer(sign_in("maria"), asked, "rejected", reason_code="too_risky", reason="I know this seller.")

    assert late.status_code == 409
    shown = late.content.decode()
    assert "Priya Nair settled this first" in shown
    assert "Your reason was not used: “I know this seller.”" in shown
    asked.refresh_from_db()
    assert asked.status == "approved"


def test_an_answer_to_another_request_decides_nothing(robot: Any, sign_in: Any) -> None:
    asked = ask_to_pay(robot, "2026-1")

    refused = answer(sign_in("priya"), asked, "approved", request_sha256="0" * 64)

    assert refused.status_code == 412
    assert "The request changed since you opened it." in refused.content.decode()
    asked.refresh_from_db()
    assert asked.is_open


def test_after_the_deadline_the_card_says_so(robot: Any, sign_in: Any, now: datetime) -> None:
    asked = ask_to_pay(robot, "2026-1")
    Escalation.objects.filter(pk=asked.pk).update(due_at=now - timedelta(minutes=1))
    priya = sign_in("priya")

    assert 'name="answer"' not in card(priya, asked)
    refused = answer(priya, asked, "approved")
    assert refused.status_code == 409
    assert "The deadline has passed. Nothing was decided." in refused.content.decode()


def test_a_large_payment_waits_for_a_second_person(robot: Any, sign_in: Any) -> None:
    asked = ask_to_pay(robot, "2026-1", amount="48200.00")
    priya, maria = sign_in("priya"), sign_in("maria")
    assert "2 people have to approve" in card(priya, asked)
    assert "Nothing yet: another person has to approve as well." in card(priya, asked)

    told = answer(priya, asked, "approved")

    assert "another person has to approve as well" in priya.get(told["Location"]).content.decode()
    assert "You approved this. 1 more person has to approve." in card(priya, asked)
    assert "Priya Nair</b> approved" in card(maria, asked)
    answer(maria, asked, "approved")
    let_take_effect()
    asked.refresh_from_db()
    assert (asked.status, str(asked.settled_by)) == ("approved", "Maria Lindqvist")


def test_a_settled_card_stays_readable_for_ever(robot: Any, sign_in: Any) -> None:
    asked, priya = ask_to_pay(robot, "2026-1"), sign_in("priya")
    answer(priya, asked, "rejected", reason_code="duplicate", reason="Paid in March.")
    let_take_effect()

    shown = card(sign_in("edith"), asked, "?tab=done")

    assert "Decided by Priya Nair, rejected" in shown
    assert "Done before: “Paid in March.”" in shown
    assert "above the limit of 5,000" in shown
    assert 'name="answer"' not in shown


def test_work_that_failed_is_tried_again_when_a_person_says_so(
    halden: Any, robot: Any, sign_in: Any, now: datetime
) -> None:
    reader = robot("AP-01")
    reader.call("post", "runs", {"workflow": "invoice-to-payment", "key": "2026-1", "input": {"document": "1.xml"}})
    work = reader.claim()
    body = {"lease_token": work["lease_token"], "reason": "The document store did not answer.", "retryable": False}
    reader.call("post", f"steps/{work['step']}/fail", body)
    asked = Escalation.objects.get()

    assert "The step is tried again." in card(sign_in("maria"), asked)
    assert answer(sign_in("maria"), asked, "approved").status_code == 303
    let_take_effect()
    assert Step.objects.get(uid=work["step"]).status == Step.Status.READY


def test_a_withdrawn_question_says_that_nobody_has_to_decide_it(robot: Any, sign_in: Any, now: datetime) -> None:
    asked = ask_to_pay(robot, "2026-1")
    operations.cancel(Run.objects.get(), by=ledger.SYSTEM, at=now, why="Ordered by mistake.")

    assert "Withdrawn: nobody has to decide it any more" in card(sign_in("priya"), asked)


def test_when_nobody_decided_the_next_people_are_asked(robot: Any, sign_in: Any, now: datetime) -> None:
    asked = ask_to_pay(robot, "2026-1")
    governance.expire(Escalation.objects.select_related("asked", "path", "unit").get(pk=asked.pk), at=now)

    shown = card(sign_in("daniel"), asked)

    assert "Asked before, for 4 h:" in shown
    assert "Why you are asked" in shown
    assert "Asked now" in shown


def test_no_agent_reads_an_answer_in_the_ledger_that_can_be_undone(robot: Any, sign_in: Any) -> None:
    asked = ask_to_pay(robot, "2026-1")
    answer(sign_in("priya"), asked, "approved")

    told = Event.objects.get(verb="escalation.answered", subject_id=str(asked.uid))

    assert robot("AP-04").call("get", f"events/{told.uid}").status_code == 404
    assert sign_in("priya").call("get", f"events/{told.uid}").status_code == 200
