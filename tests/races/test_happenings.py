"""Many hands at once, on PostgreSQL: a message counts once, a moment begins one run, an end meets a cancel."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from agents import operations as agents
from observability import ledger
from observability.ledger import database_now
from tests.workflows.small_drawings import CALLED, CALLS_ONE, EITHER, RECEIVES, process
from workflows import operations, tasks
from workflows.models import Message, Run, Schedule, Step, Timer, Workflow
from workflows.operations import Letter, Plan

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway"),
]
ROUNDS = 20


def published(halden: Any, code: str, elements: str) -> Workflow:
    """A workflow that Maria may start."""
    at = database_now()
    version = operations.publish(
        code, process(code, elements), by=ledger.SYSTEM, at=at, unit=halden.units["finance"],
        owner=halden.people["maria"], incident_path=halden.workflow.incident_path,
    )  # fmt: skip
    for right in ("view_workflow", "start_workflow"):
        agents.grant(f"workflows.{right}", halden.people["maria"], version.workflow, by=ledger.SYSTEM, at=at)
    return version.workflow


def begun(workflow: Workflow, halden: Any, key: str, **inputs: Any) -> Run:
    """A new run."""
    run, _ = operations.start(workflow, key=key, variables=inputs, by=halden.people["maria"], at=database_now())
    return run


def test_the_same_message_a_hundred_times_at_once_counts_once(halden: Any, together: Any) -> None:
    run = begun(published(halden, "receiving", RECEIVES), halden, "1", order="PO-1")
    letter = Letter("message", "Goods received", "PO-1", {"pallets": 3}, ref="wms-1")

    def send(number: int) -> uuid.UUID:
        uid: uuid.UUID = operations.send_message(letter, by=halden.people["maria"], at=database_now()).uid
        return uid

    told = [result for _ in range(5) for result in together(20, send)]

    assert len(set(told)) == 1, told
    assert Message.objects.get().status == "taken"
    assert run.steps.count() == 1


def test_a_hundred_messages_at_once_for_one_wait_are_one_taken_and_the_others_kept(halden: Any, together: Any) -> None:
    run = begun(published(halden, "receiving", RECEIVES), halden, "1", order="PO-1")

    def send(number: int) -> str:
        letter = Letter("message", "Goods received", "PO-1", {"pallets": number})
        return str(operations.send_message(letter, by=halden.people["maria"], at=database_now()).status)

    told = [result for _ in range(4) for result in together(12, send)]

    assert sorted(map(str, told)) == ["sent"] * 47 + ["taken"]
    assert run.steps.count() == 1


def test_two_workers_deliver_the_same_things_once(halden: Any, together: Any) -> None:
    receiving = published(halden, "receiving", RECEIVES)
    letters = [Letter("message", "Goods received", f"PO-{number}", {"pallets": 1}) for number in range(30)]
    for letter in letters:
        operations.send_message(letter, by=halden.people["maria"], at=database_now())
    runs = [begun(receiving, halden, str(number), order=f"PO-{number}") for number in range(30)]

    told = together(4, lambda number: tasks.deliver_messages())

    assert not [result for result in told if isinstance(result, Exception)], told
    tasks.deliver_messages()
    assert Message.objects.filter(status="taken").count() == 30
    assert Step.objects.filter(run__in=runs).count() == 30


def test_two_workers_begin_one_run_for_one_moment(halden: Any, together: Any) -> None:
    workflow, at = published(halden, "receiving", RECEIVES), database_now()
    plan = Plan("Often", "R/PT1M", variables={"order": "PO-1"}, missed="all")
    schedule = operations.add_schedule(workflow, plan, by=ledger.SYSTEM, at=at)
    late = at + timedelta(minutes=10, seconds=1)

    together(6, lambda number: operations.start_scheduled(schedule, at=late))

    assert Run.objects.count() == 10
    assert Schedule.objects.get().next_at == at + timedelta(minutes=11)


def test_a_message_and_a_clock_at_the_same_moment_are_one_way(halden: Any, together: Any) -> None:
    workflow = published(halden, "either", EITHER)
    for number in range(ROUNDS):
        run = begun(workflow, halden, str(number), order=f"PO-{number}")
        timer = Timer.objects.get(run=run)
        letter = Letter("message", "Goods received", f"PO-{number}")

        def act(side: int, letter: Letter = letter, timer: Timer = timer) -> Any:
            at = database_now()
            if side:
                return operations.send_message(letter, by=halden.people["maria"], at=at).status
            return operations.fire_timer(timer, at=at + timedelta(hours=2))

        heard, rang = together(2, act)[1], None
        rang = Timer.objects.get(pk=timer.pk).status == "fired"

        assert not isinstance(heard, Exception), heard
        assert run.steps.count() == 1
        assert (heard == "taken") is not rang


def test_two_workers_fire_each_clock_once(halden: Any, together: Any) -> None:
    workflow = published(halden, "either", EITHER)
    runs = [begun(workflow, halden, str(number), order=f"PO-{number}") for number in range(60)]
    Timer.objects.update(due_at=database_now() - timedelta(seconds=1))

    told = together(3, lambda number: tasks.fire_timers())
    fired = sum(told) + tasks.fire_timers()

    assert fired == 60, told
    assert Step.objects.filter(run__in=runs, element="remind").count() == 60


def test_a_called_run_ends_while_its_caller_is_cancelled(halden: Any, together: Any) -> None:
    called = published(halden, "checking", CALLED)
    agent = halden.agents["AP-01"]
    agents.grant("workflows.work_in_workflow", agent.principal, called, by=ledger.SYSTEM, at=database_now())
    calling = published(halden, "calling", CALLS_ONE)
    for number in range(ROUNDS):
        caller = begun(calling, halden, str(number), order="PO-1")
        tasks.deliver_messages()
        step = operations.claim(agent, at=database_now())
        assert step is not None

        def act(side: int, step: Step = step, caller: Run = caller) -> Any:
            at = database_now()
            if side:
                return operations.finish(step, agent=agent, lease_token=step.lease_token, output={}, at=at)
            return operations.cancel(caller, by=ledger.SYSTEM, at=at, why="Not wanted.")

        told = together(2, act)
        tasks.deliver_messages()

        assert not isinstance(told[0], Exception), told
        caller.refresh_from_db()
        child = caller.children.get()
        assert caller.status == "cancelled"
        assert child.status in ("done", "cancelled")
        assert not Message.objects.on_its_way().exists()
        assert not child.steps.open().exists()
