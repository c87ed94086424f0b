"""People in the middle of work: their steps, their reasons, and what the agent reads afterwards."""

from typing import Any

import pytest

from governance.models import Escalation
from observability import ledger
from observability.models import Event
from workflows import operations
from workflows.models import Run, Step


def test_an_unreadable_document_goes_to_a_person_and_back_to_its_sender(robot: Any, sign_in: Any) -> None:
    reader = robot("AP-01")
    reader.call("post", "runs", {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "broken.xml"}})
    reader.finish(reader.claim(), readable=False, reason="Not XML")

    priya = sign_in("priya")
    (asked,) = priya.call("get", "escalations").json()["results"]
    assert (asked["kind"], asked["title"]) == ("step", "Return broken.xml to its sender, since it cannot be read")
    priya.call("post", f"escalations/{asked['id']}/approve", {"request_sha256": asked["request_sha256"]})

    run = Run.objects.get()
    assert (run.status, run.outcome, run.people_asked) == ("done", "Returned to sender", 1)
    assert Event.objects.get(verb="run.finished").data["touchless"] is False


def test_a_run_that_needs_nobody_is_touchless(bring: Any, robot: Any, question: Any) -> None:
    bring()
    clerk = robot("AP-04")
    work = clerk.claim()
    assert clerk.call("post", "actions", question(work, amount="900")).json()["effect"] == "allow"
    clerk.finish(work, paid=True)

    event = Event.objects.get(verb="run.finished")
    assert (event.data["touchless"], event.data["people"], event.data["outcome"]) == (True, 0, "Paid")
    assert str(event.cost) == "0.040000"


def test_an_exception_that_was_approved_is_paid(bring: Any, robot: Any, sign_in: Any, question: Any) -> None:
    bring(findings=2)
    assert robot("AP-04").claim() is None
    maria = sign_in("maria")
    (asked,) = maria.call("get", "escalations").json()["results"]
    maria.call(
        "post", f"escalations/{asked['id']}/approve", {"request_sha256": asked["request_sha256"], "reason": "Known"}
    )

    clerk = robot("AP-04")
    work = clerk.claim()
    assert work["variables"]["exception"] == {"outcome": "approved"}
    assert work["approval"] is None, "the approval was for the exception, not for a request of the clerk"
    asks = question(work, amount="900", properties={"findings": 2})
    assert clerk.call("post", "actions", asks).json()["effect"] == "allow"


def test_an_agent_cannot_say_itself_that_a_person_approved(bring: Any, robot: Any, question: Any) -> None:
    bring()
    clerk = robot("AP-04")
    work = clerk.claim()

    assert (
        clerk.call("post", "actions", question(work, amount="900", properties={"findings": 2})).json()["effect"]
        == "deny"
    )
    claimed = question(work, amount="900") | {"case": {"approved": ["exception"]}}
    assert clerk.call("post", "actions", claimed).status_code == 400


def test_the_answered_step_comes_before_other_work(bring: Any, robot: Any, question: Any, sign_in: Any) -> None:
    for key in ("1", "2"):
        bring(key)
    clerk = robot("AP-04")
    first = clerk.claim()
    asked = clerk.call("post", "actions", question(first)).json()["escalation"]
    row = Escalation.objects.get(uid=asked["id"])
    sign_in("priya").call("post", f"escalations/{row.uid}/approve", {"request_sha256": row.request_sha256})

    assert clerk.claim()["step"] == first["step"]


def test_only_yes_and_no_are_answers(bring: Any, halden: Any, now: Any) -> None:
    bring(findings=1)
    asked = Escalation.objects.get()
    for answer in ("withdrawn", "expired", "open", "maybe"):
        with pytest.raises(ledger.Invalid):
            operations.settle(
                asked.uid, answer, reviewer=halden.people["priya"], at=now, request_sha256=asked.request_sha256
            )
    assert Escalation.objects.get().is_open


def test_when_the_work_was_cancelled_meanwhile_an_approval_changes_nothing(bring: Any, halden: Any, now: Any) -> None:
    bring(findings=1)
    asked = Escalation.objects.get()
    operations.cancel(Run.objects.get(), by=halden.people["maria"], at=now, why="Sent twice")
    before = Event.objects.count()

    with pytest.raises(ledger.TooLate):
        operations.settle(
            asked.uid, "approved", reviewer=halden.people["priya"], at=now, request_sha256=asked.request_sha256
        )

    assert Event.objects.count() == before
    assert not Step.objects.filter(element="pay").exists()
