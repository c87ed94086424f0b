"""What time does: each sweep acts on what is due, one bad row stops no other, and a repeat does nothing."""

from datetime import timedelta
from typing import Any

import pytest

from agents import tasks as agent_tasks
from agents.models import GivenAnswer
from governance.models import Escalation
from observability.ledger import database_now
from workflows import operations, tasks
from workflows.models import Run, Step, Timer


def test_the_sweeps_do_nothing_when_nothing_is_due(bring: Any) -> None:
    bring(findings=1)

    assert [task() for task in (tasks.fire_timers, tasks.reclaim_work, tasks.pass_deadlines)] == [0, 0, 0]


def test_a_due_timer_fires_in_the_sweep(bring: Any, now: Any) -> None:
    bring(findings=1)
    Timer.objects.update(due_at=now - timedelta(seconds=1))

    assert (tasks.fire_timers(), tasks.fire_timers()) == (1, 0)
    assert Step.objects.filter(element="controller").count() == 1


@pytest.mark.parametrize("is_undone", [False, True])
def test_a_timer_takes_away_no_answer_that_was_given_in_time(
    is_undone: bool, bring: Any, sign_in: Any, now: Any
) -> None:
    bring(findings=1)
    asked, priya = Escalation.objects.get(), sign_in("priya")
    body = {"request_sha256": asked.request_sha256, "undo_seconds": 10}
    assert priya.call("post", f"escalations/{asked.uid}/approve", body).json()["status"] == "held"
    Timer.objects.update(due_at=now - timedelta(seconds=1))
    assert tasks.fire_timers() == 0

    if is_undone:
        assert priya.call("post", f"escalations/{asked.uid}/undo", {}).status_code == 200
        assert tasks.fire_timers() == 1
    else:
        operations.take_effect(Escalation.objects.get(), at=database_now() + timedelta(seconds=11))
        assert tasks.fire_timers() == 0

    asked.refresh_from_db()
    assert asked.status == ("withdrawn" if is_undone else "approved")
    assert Step.objects.filter(element="controller").exists() is is_undone


def test_a_silent_agents_step_is_taken_back_in_the_sweep(robot: Any, now: Any) -> None:
    reader = robot("AP-01")
    reader.call("post", "runs", {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "1.xml"}})
    reader.claim()
    Step.objects.update(leased_until=now - timedelta(seconds=1))

    assert (tasks.reclaim_work(), tasks.reclaim_work()) == (1, 0)
    assert Step.objects.get().status == "ready"


def test_a_passed_deadline_is_acted_on_in_the_sweep(bring: Any, robot: Any, question: Any, now: Any) -> None:
    bring()
    clerk = robot("AP-04")
    clerk.call("post", "actions", question(clerk.claim()))
    for status in ("open", "expired"):
        Escalation.objects.update(due_at=now - timedelta(seconds=1))
        assert tasks.pass_deadlines() == 1
        assert Escalation.objects.get().status == status

    assert tasks.pass_deadlines() == 0
    assert clerk.claim()["approval"]["status"] == "expired"


def test_a_question_without_a_step_expires_too(robot: Any, question: Any, now: Any) -> None:
    robot("AP-04").call("post", "actions", question(properties={"bank_changed_days": 1}))
    Escalation.objects.update(due_at=now - timedelta(seconds=1))

    assert tasks.pass_deadlines() == 1

    assert Escalation.objects.get().status == "expired"
    assert (
        robot("AP-04").call("post", "actions", question(properties={"bank_changed_days": 1})).json()["effect"] == "deny"
    )


def test_one_row_that_cannot_be_acted_on_stops_no_other(bring: Any, now: Any) -> None:
    bring("1", findings=1)
    bring("2", findings=1)
    Timer.objects.filter(run__key="1").update(status="fired", due_at=now)  # already gone when the sweep comes to it
    Timer.objects.filter(run__key="2").update(due_at=now - timedelta(seconds=1))
    Escalation.objects.update(due_at=now - timedelta(seconds=1))

    tasks.fire_timers()
    tasks.pass_deadlines()

    assert Step.objects.get(run__key="2", element="controller").status == "waiting"


def test_old_answers_are_forgotten_and_young_ones_kept(robot: Any, now: Any) -> None:
    for _ in range(2):
        robot("AP-01").call("post", "work/claim", {})
    old = GivenAnswer.objects.order_by("id").first()
    GivenAnswer.objects.filter(pk=old.pk).update(at=now - timedelta(days=3))

    assert agent_tasks.forget_answers() == 1
    assert GivenAnswer.objects.count() == 1


def test_a_run_whose_row_is_damaged_keeps_no_other_from_being_acted_on(bring: Any, now: Any) -> None:
    bring("1", findings=1)
    bring("2", findings=1)
    Run.objects.filter(key="1").update(marking={"tokens": "lost"})
    Timer.objects.update(due_at=now - timedelta(seconds=1))
    Escalation.objects.update(due_at=now - timedelta(seconds=1))

    assert tasks.pass_deadlines() == 1

    assert Step.objects.get(run__key="2", element="controller").status == "waiting"
    assert not Step.objects.filter(run__key="1", element="controller").exists()
    assert tasks.fire_timers() == 0
