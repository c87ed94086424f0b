"""Somebody intervenes in the moment in which the work goes on, on PostgreSQL: one of the two happens, never half of
each."""

from typing import Any

import pytest
from django.db import connection

from observability import ledger
from observability.ledger import database_now
from observability.models import Event
from workflows import operations
from workflows.models import Run, Step
from workflows.operations.stopping import LeaseVoid
from workflows.operations.work import StaleLease

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway"),
]
ROUNDS = 40
READ = {"readable": True, "number": "1", "seller": "Kessler", "currency": "EUR", "total": "1.00"}


def begun(halden: Any, key: str) -> Run:
    run, _ = operations.start(
        halden.workflow, key=key, variables={"document": "1.xml"}, by=ledger.SYSTEM, at=database_now()
    )
    return run


def in_turn(first: Any, second: Any) -> Any:
    return lambda number: (first, second)[number]()


def outcome(result: Any) -> str:
    return type(result).__name__ if isinstance(result, Exception) else "done"


def test_a_step_is_skipped_or_finished_and_never_both(halden: Any, together: Any) -> None:
    reader, maria = halden.agents["AP-01"], halden.people["maria"]
    for number in range(ROUNDS):
        run = begun(halden, f"skip-{number}")
        step = operations.claim(reader, at=database_now())
        assert step is not None

        def skip(pk: int = step.pk) -> Any:
            held = Step.objects.select_related("run__workflow").get(pk=pk)
            return operations.skip(held, {**READ, "total": "2.00"}, by=maria, at=database_now(), why="By hand")

        def finish(pk: int = step.pk, token: int = step.lease_token) -> Any:
            held = Step.objects.get(pk=pk)
            return operations.finish(held, agent=reader, lease_token=token, output=READ, at=database_now())

        told = [outcome(each) for each in together(2, in_turn(skip, finish))]

        assert told in (["done", "StaleLease"], ["WrongStatus", "done"]), told
        run.refresh_from_db()
        assert run.variables["read"]["total"] == ("2.00" if told[0] == "done" else "1.00")
        assert sorted(run.steps.filter(status="ready").values_list("element", flat=True)) == ["anomalies", "match"]
        run.steps.update(status="cancelled")


def test_a_run_is_paused_and_nothing_of_it_is_worked_on(halden: Any, together: Any) -> None:
    reader, maria = halden.agents["AP-01"], halden.people["maria"]
    for number in range(ROUNDS):
        run = begun(halden, f"pause-{number}")

        def pause(pk: int = run.pk) -> Any:
            held = Run.objects.select_related("workflow").get(pk=pk)
            return operations.pause_run(held, by=maria, at=database_now(), why="Stocktaking")

        _, work = together(2, in_turn(pause, lambda: operations.claim(reader, at=database_now())))

        if work is not None:
            with pytest.raises((LeaseVoid, StaleLease)):
                operations.finish(work, agent=reader, lease_token=work.lease_token, output=READ, at=database_now())
        operations.void_leases(at=database_now())
        assert (Run.objects.get(pk=run.pk).status, run.steps.get().status) == ("paused", "ready")


def test_a_run_is_moved_or_goes_on_and_stands_in_one_place(halden: Any, together: Any) -> None:
    reader, maria = halden.agents["AP-01"], halden.people["maria"]
    for number in range(ROUNDS):
        run = begun(halden, f"move-{number}")
        step = operations.claim(reader, at=database_now())
        assert step is not None

        def move(pk: int = run.pk, token: int = step.token) -> Any:
            held = Run.objects.select_related("workflow").get(pk=pk)
            return operations.move_token(held, token, "pay", by=maria, at=database_now(), why="Read already")

        def finish(pk: int = step.pk, token: int = step.lease_token) -> Any:
            held = Step.objects.get(pk=pk)
            return operations.finish(held, agent=reader, lease_token=token, output=READ, at=database_now())

        told = [outcome(each) for each in together(2, in_turn(move, finish))]

        ready = sorted(run.steps.filter(status="ready").values_list("element", flat=True))
        assert (told, ready) in ((["done", "StaleLease"], ["pay"]), (["WrongStatus", "done"], ["anomalies", "match"]))
        run.steps.update(status="cancelled")


def test_two_people_change_the_same_value_and_one_of_them_is_told(halden: Any, together: Any) -> None:
    maria = halden.people["maria"]
    for number in range(ROUNDS):
        run = begun(halden, f"value-{number}")

        def change(which: int, pk: int = run.pk) -> Any:
            held = Run.objects.select_related("workflow").get(pk=pk)
            return operations.change_variable(
                held, "input.document", f"{which + 2}.xml", by=maria, at=database_now(), why="Wrong", before="1.xml"
            )

        told = sorted(outcome(each) for each in together(2, change))

        assert told == ["TooLate", "done"]
        (event,) = Event.objects.filter(run=str(run.uid), verb="run.variable_changed")
        assert Run.objects.get(pk=run.pk).variables["input"]["document"] == event.data["after"]


def test_two_people_try_the_same_step_again_and_one_of_them_is_told(halden: Any, together: Any) -> None:
    reader, maria = halden.agents["AP-01"], halden.people["maria"]
    for number in range(ROUNDS):
        run = begun(halden, f"retry-{number}")
        step = operations.claim(reader, at=database_now())
        assert step is not None
        operations.fail(
            step, agent=reader, lease_token=step.lease_token, reason="Broken", retryable=False, at=database_now()
        )

        def retry(_: int, pk: int = step.pk) -> Any:
            held = Step.objects.select_related("run__workflow").get(pk=pk)
            return operations.retry(held, by=maria, at=database_now(), why="A new file")

        told = sorted(outcome(each) for each in together(2, retry))

        assert told == ["WrongStatus", "done"]
        assert Event.objects.filter(run=str(run.uid), verb="step.retried").count() == 1
        run.steps.update(status="cancelled")
