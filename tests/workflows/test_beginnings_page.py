"""The pages about how runs begin: a form made of the start event's inputs, schedules, addresses."""

from typing import Any

import pytest

from observability.ledger import database_now
from tests.workflows.small_drawings import agent, line
from workflows.models import Follow, Hook, Run, Schedule, Workflow

INPUTS = (
    '<startEvent id="start"><extensionElements><aos:input name="order" type="string" label="Order"/>'
    '<aos:input name="pallets" type="int"/><aos:input name="total" type="decimal"/>'
    '<aos:input name="urgent" type="bool"/></extensionElements></startEvent>' + agent("book")
    + '<endEvent id="end" name="Booked"/>' + line("start", "book", "end")
)  # fmt: skip


@pytest.fixture
def maria(drawn: Any, may_start: Any, sign_in: Any) -> Any:
    """Maria, who may start runs and say how they begin."""
    may_start("maria", drawn("booking", INPUTS).workflow)
    return sign_in("maria")


def test_a_run_is_started_with_the_form_that_its_start_event_makes(maria: Any) -> None:
    page = maria.get("/workflows/booking/start").content.decode()
    assert all(name in page for name in ("Business key", ">Order<", ">Pallets<", ">Urgent<"))
    given = {"key": "PO-1", "in-order": "PO-1", "in-pallets": "3", "in-total": "12.50", "in-urgent": "no"}

    answer = maria.post("/workflows/booking/start", given)

    run = Run.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{run.uid}")
    assert run.variables["input"] == {"order": "PO-1", "pallets": 3, "total": "12.50", "urgent": False}
    again = maria.post("/workflows/booking/start", given, follow=True)
    assert "was started before" in again.content.decode()


def test_a_wrong_input_is_told_at_its_field_and_nothing_starts(maria: Any) -> None:
    answer = maria.post("/workflows/booking/start", {"key": "", "in-pallets": "three"})

    page = answer.content.decode()
    assert answer.status_code == 400
    assert "Pallets: Enter a whole number" in page and "Business key: This field is required" in page
    assert not Run.objects.exists()


def test_who_may_not_start_finds_no_way_to(drawn: Any, may_start: Any, sign_in: Any) -> None:
    may_start("priya", drawn("booking", INPUTS).workflow, "view_workflow")
    priya = sign_in("priya")

    assert "Start a run" not in priya.get("/workflows/booking").content.decode()
    assert priya.get("/workflows/booking/start").status_code == 403
    assert priya.post("/workflows/booking/start", {"key": "1"}).status_code == 403
    assert "Add a schedule" not in priya.get("/workflows/booking/beginnings").content.decode()


def test_a_schedule_is_added_paused_resumed_and_ended_on_the_page(maria: Any) -> None:
    given = {"name": "Mornings", "rule": "0 7 * * *", "zone": "Europe/Berlin", "missed": "once", "variables": "{}"}
    wrong = maria.post("/workflows/booking/schedules", {**given, "rule": "often"})
    assert wrong.status_code == 400 and "Write five fields" in wrong.content.decode()

    page = maria.post("/workflows/booking/schedules", given, follow=True).content.decode()
    assert "Mornings" in page and "0 7 * * *" in page
    schedule = Schedule.objects.get()
    for act, status in (("pause", "paused"), ("resume", "active"), ("end", "over")):
        assert maria.post(f"/schedules/{schedule.uid}/{act}", {"why": "Holidays."}).status_code == 302
        schedule.refresh_from_db()
        assert schedule.status == status


def test_an_address_is_opened_with_its_secret_shown_once(maria: Any) -> None:
    page = maria.post("/workflows/booking/hooks", {"name": "Warehouse", "message": "", "key_path": ""})

    hook = Hook.objects.get()
    assert "whsec_" in page.content.decode() and str(hook.uid) in page.content.decode()
    assert "whsec_" not in hook.secret
    assert page["Cache-Control"] == "no-store"
    again = maria.get("/workflows/booking/beginnings").content.decode()
    assert "Warehouse" in again and "whsec_" not in again
    assert maria.post(f"/hooks/{hook.uid}/revoke", {"why": "Not needed."}).status_code == 302
    hook.refresh_from_db()
    assert hook.status == "revoked"


def test_what_does_not_show_stays_unseen(drawn: Any, sign_in: Any) -> None:
    drawn("booking", INPUTS)

    stranger = sign_in("sofia")
    seen = stranger.get("/workflows/booking").status_code
    assert stranger.get("/workflows/booking/beginnings").status_code == seen


def test_a_workflow_is_let_follow_on_another_and_no_more(maria: Any, drawn: Any, may_start: Any, sign_in: Any) -> None:
    may_start("maria", drawn("shipping", INPUTS).workflow)
    seen = maria.get("/workflows/shipping/beginnings").content.decode()
    assert "No run begins because another one ended." in seen and "Begin after runs of another workflow" in seen

    given = {"after": "booking", "status": "done", "outcome": "Booked"}
    page = maria.post("/workflows/shipping/follows", given, follow=True).content.decode()

    assert "A run begins from now on after each of" in page
    follow = Follow.objects.get()
    assert (follow.workflow.code, follow.after.code, follow.outcome) == ("shipping", "booking", "Booked")
    assert "after each that is done: Booked" in maria.get("/workflows/booking/beginnings").content.decode()
    again = maria.post("/workflows/shipping/follows", given)
    assert again.status_code == 400 and "follows on that already" in again.content.decode()
    stopped = maria.post(f"/follows/{follow.uid}/drop", follow=True).content.decode()
    assert "No run begins after those of" in stopped and "No run begins because another one ended." in stopped
    assert not Follow.objects.exists()


def test_nobody_lets_a_workflow_follow_on_itself_or_on_one_that_is_not_theirs(
    maria: Any, drawn: Any, may_start: Any, sign_in: Any, halden: Any
) -> None:
    other = drawn("secret", INPUTS).workflow
    Workflow.objects.filter(pk=other.pk).update(unit=halden.units["procurement"])
    for after in ("booking", "secret", "nothing", ""):
        answer = maria.post("/workflows/booking/follows", {"after": after, "status": "done"})
        assert answer.status_code == 400, after
        assert "After runs of: " in answer.content.decode()
    may_start("priya", Workflow.objects.get(code="booking"), "view_workflow")
    priya = sign_in("priya")
    assert priya.post("/workflows/booking/follows", {"after": "secret", "status": "done"}).status_code == 403
    mine = Workflow.objects.get(code="booking")
    follow = Follow.objects.create(workflow=mine, after=other, status="done", created_at=database_now())
    assert priya.post(f"/follows/{follow.uid}/drop").status_code == 403
    page = priya.get("/workflows/booking/beginnings").content.decode()
    assert "a workflow that you may not see" in page and "Stop it" not in page
