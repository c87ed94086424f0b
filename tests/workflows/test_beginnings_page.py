"""The pages about how runs begin: a form made of the start event's inputs, schedules, addresses."""

from typing import Any

import pytest

from tests.workflows.small_drawings import agent, line
from workflows.models import Hook, Run, Schedule

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
