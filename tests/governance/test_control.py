"""The control state: who may stop everything, and that stopped means stopped everywhere at once."""

from typing import Any

import pytest

from governance import operations
from governance.models import ControlState
from governance.operations import EVERYTHING
from observability import ledger
from observability.models import Event
from workflows import operations as work_operations
from workflows.models import Step


def test_paused_hands_out_no_work_until_it_is_resumed(robot: Any, halden: Any, now: Any) -> None:
    reader = robot("AP-01")
    reader.call("post", "runs", {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "1.xml"}})
    operations.change_control("paused", by=halden.people["ingrid"], at=now, why="Audit")

    answer = reader.call("post", "work/claim", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "paused")
    assert "Audit" in answer.json()["detail"]

    operations.change_control("normal", by=halden.people["ingrid"], at=now, why="Done")
    assert reader.claim() is not None


def test_restricted_hands_out_work(robot: Any, halden: Any, now: Any) -> None:
    reader = robot("AP-01")
    reader.call("post", "runs", {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "1.xml"}})
    operations.change_control("restricted", by=halden.people["jonas"], at=now, why="Night")

    assert reader.claim() is not None


def test_work_in_hand_when_everything_stops_goes_back_and_loses_no_attempt(robot: Any, halden: Any, now: Any) -> None:
    reader = robot("AP-01")
    reader.call("post", "runs", {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "1.xml"}})
    work = reader.claim()
    _, void = work_operations.set_control(EVERYTHING, "paused", by=halden.people["ingrid"], at=now, why="Audit")

    late = reader.finish(work, readable=True)

    assert (late.status_code, late.json()["code"], void) == (409, "lease_void", 1)
    assert "Audit" in late.json()["detail"]
    step = Step.objects.get(uid=work["step"])
    assert (step.status, step.attempt, step.error) == ("ready", 0, "")
    operations.change_control("normal", by=halden.people["ingrid"], at=now, why="Done")
    assert reader.finish(work, readable=True).json()["code"] == "stale_lease"
    again = reader.claim()
    assert again["step"] == work["step"]
    assert Step.objects.get(uid=work["step"]).attempt == 1


@pytest.mark.parametrize("who", ["priya", "sofia", "maria", "edith", "tomasz"])
def test_others_cannot_stop_everything(halden: Any, now: Any, who: str) -> None:
    with pytest.raises(ledger.NotAllowed):
        operations.change_control("paused", by=halden.people[who], at=now, why="I want to")

    assert operations.control_now().status == "normal"


def test_the_switch_needs_a_reason_and_a_known_state(halden: Any, now: Any) -> None:
    for to, why in (("paused", " "), ("off", "x"), ("normal", "It is already")):
        with pytest.raises(ledger.Refused):
            operations.change_control(to, by=halden.people["ingrid"], at=now, why=why)

    assert not Event.objects.filter(verb="control.changed").exists()


def test_who_stopped_when_and_why_is_kept(halden: Any, now: Any) -> None:
    operations.change_control("paused", by=halden.people["daniel"], at=now, why="Fraud")

    state = ControlState.objects.get()
    assert (state.status, state.why, state.changed_by, state.changed_at) == (
        "paused",
        "Fraud",
        halden.people["daniel"],
        now,
    )
    event = Event.objects.get(verb="control.changed")
    assert (event.before, event.after, event.why, event.actor_id) == ("normal", "paused", "Fraud", "daniel")
