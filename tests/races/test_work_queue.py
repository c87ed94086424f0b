"""Many agents at one queue, on PostgreSQL: no step is held by two, none waits for ever, each counts once."""

import random
import threading
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from agents.models import Agent, Blueprint
from observability import ledger
from observability.models import Event
from tests.races.conftest import PATIENCE_SECONDS
from tests.workflows.queue import begin, one_step
from workflows import operations
from workflows.models import HandOff, Run, Step
from workflows.operations import Failure, Given, Report, Result

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway"),
]
HANDS, RUNS = 6, 60
DONE = Result({"answer": "yes"})


def fresh(code: str = "AP-01") -> Agent:
    """The agent as a request reads it."""
    rows = Agent.objects.select_related("unit", "role", "blueprint", "principal")
    return rows.get(code=code)


def held_by_two(run: str) -> list[str]:
    """What the ledger says about leases of each step of the run that overlap: a claim while another one holds."""
    overlaps, holder = [], defaultdict[str, bool](bool)
    ends = {"step.finished", "step.failed", "step.returned", "step.reclaimed", "step.handed_off", "step.waits"}
    told = Event.objects.filter(run=run, subject_kind="step").order_by("id").values_list("verb", "subject_id")
    for verb, step in told:
        if verb == "step.claimed":
            if holder[step]:
                overlaps.append(step)
            holder[step] = True
        elif verb in ends:
            holder[step] = False
    return overlaps


def test_no_step_is_held_by_two_and_each_run_ends_once(halden: Any, now: Any, together: Any) -> None:
    runs = begin(one_step(halden, now, "small"), *map(str, range(RUNS)))
    until = threading.Event()

    def work(number: int) -> int:
        chance, agent, done = random.Random(number), fresh(), 0
        while not until.is_set():
            at = ledger.database_now() + timedelta(hours=1) * chance.randrange(2)  # some tries come after a back-off
            steps = operations.claim_many(agent, count=chance.randrange(1, 6), at=at).steps
            says = [DONE if chance.random() < 0.8 else Failure("It slipped.") for _ in steps]
            reports = [Report(step, step.lease_token, said) for step, said in zip(steps, says, strict=True)]
            told = operations.report_together(agent, reports, at=at)
            done += sum(each.refused is None and each.step.status == "done" for each in told.reports)
            if not Run.objects.filter(status="running").exclude(steps__status="failed").exists():
                until.set()
        return done

    results = together(HANDS, work)

    assert not [each for each in results if isinstance(each, Exception)], results
    assert [step for run in runs for step in held_by_two(str(run.uid))] == []
    assert sum(results) == Step.objects.filter(status="done").count() == Run.objects.filter(status="done").count()
    finished = Counter(Event.objects.filter(verb="run.finished").values_list("subject_id", flat=True))
    assert set(finished.values()) <= {1}
    assert Run.objects.filter(status="running").exclude(steps__status="failed").count() == 0


def test_two_batches_about_the_same_runs_in_another_order_never_wait_in_a_ring(
    halden: Any, now: Any, together: Any
) -> None:
    begin(one_step(halden, now, "small"), *map(str, range(20)))
    agent = fresh()
    steps = operations.claim_many(agent, count=20, at=ledger.database_now()).steps

    def report(number: int) -> list[bool]:
        mine = list(steps) if number % 2 else list(reversed(steps))
        told = operations.report_together(
            fresh(), [Report(each, each.lease_token, DONE) for each in mine], at=ledger.database_now()
        )
        return [each.refused is None for each in told.reports]

    results = together(HANDS, report)

    assert not [each for each in results if isinstance(each, Exception)], results
    assert sum(sum(each) for each in results) == 20, "each report counts once"
    assert Run.objects.filter(status="done").count() == 20


def test_a_limit_holds_however_many_ask_at_once(halden: Any, now: Any, together: Any) -> None:
    begin(one_step(halden, now, "small"), *map(str, range(30)))
    Blueprint.objects.filter(pk=halden.agents["AP-01"].blueprint_id).update(work_limit=4)

    results = together(HANDS, lambda _: operations.claim_many(fresh(), count=3, at=ledger.database_now()).steps)

    assert not [each for each in results if isinstance(each, Exception)], results
    assert sum(map(len, results)) == Step.objects.filter(status="working").count() == 4


def test_a_step_is_handed_off_or_finished_but_not_both(halden: Any, now: Any, together: Any) -> None:
    version = one_step(halden, now, "small")
    for turn in range(12):
        begin(version, str(turn))
        agent = fresh()
        (step,) = operations.claim_many(agent, count=1, at=ledger.database_now()).steps
        token = step.lease_token

        def act(number: int, step: Step = step, token: int = token) -> str:
            at = ledger.database_now()
            if number % 2:
                operations.hand_off(step, Given("three-way-match"), agent=fresh(), lease_token=token, at=at)
                return "handed"
            operations.finish(step, agent=fresh(), lease_token=token, output={"answer": "yes"}, at=at)
            return "done"

        results = together(4, act)
        won = [each for each in results if isinstance(each, str)]
        assert len(won) == 1, results
        step.refresh_from_db()
        assert (step.status, HandOff.objects.filter(step=step).count()) == (
            ("ready", 1) if won == ["handed"] else ("done", 0)
        )  # fmt: skip
        Step.objects.filter(status="ready").update(status="cancelled")


def test_nothing_starves_while_a_unit_floods_the_queue(halden: Any, now: Any) -> None:
    flood, other = one_step(halden, now, "flood"), one_step(halden, now, "other", unit="procurement")
    begin(flood, *(f"F{number}" for number in range(80)))
    agent, waited = fresh(), []
    stop, failed = threading.Event(), []

    def keep_flooding() -> None:
        try:
            number = 1000
            while not stop.is_set() and number < 1400:
                begin(flood, f"F{number}")
                number += 1
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    flooding = threading.Thread(target=keep_flooding)
    flooding.start()
    try:
        for turn in range(10):
            begin(other, f"O{turn}")
            claims = 0
            while True:
                (step,) = operations.claim_many(agent, count=1, at=ledger.database_now()).steps
                claims += 1
                operations.finish(
                    step, agent=agent, lease_token=step.lease_token, output={"answer": "yes"}, at=ledger.database_now()
                )
                if step.run.key == f"O{turn}":
                    break
            waited.append(claims)
    finally:
        stop.set()
        flooding.join(PATIENCE_SECONDS)

    assert failed == []
    assert max(waited) <= 4, waited
