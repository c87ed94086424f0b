"""Sweeps: a worker that fell behind does each periodic task once, and of two clocks that differ none holds it up."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery, Task

from autonomy_site import sweeps
from autonomy_site.celery import app

ALONE = "tests.alone"
NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds_after_sending", "seconds_ago", "is_done"),
    [
        (1, 0.1, True),  # it ran after the call was sent: what waited then was looked at
        (0, 0.1, False),
        (-1, 0.1, False),  # it ran before: something may have come since
        (1, sweeps.WORN - 1, True),
        (1, sweeps.WORN, False),  # a clock that is ahead would have said so for hours
        (7200, sweeps.WORN + 1, False),
    ],
)
def test_a_call_is_done_already_by_a_run_that_began_after_it_was_sent(
    seconds_after_sending: float, seconds_ago: float, is_done: bool
) -> None:
    last = (NOON + timedelta(seconds=seconds_after_sending), 1000.0)

    assert sweeps.is_done_already(last, NOON, 1000.0 + seconds_ago) is is_done


def test_what_never_ran_is_not_done() -> None:
    assert not sweeps.is_done_already(None, NOON, 1000.0)


@pytest.mark.parametrize("ends", [NOON, NOON.isoformat(), NOON.replace(tzinfo=None)])
def test_when_a_call_was_sent_follows_from_when_it_expires(ends: str | datetime) -> None:
    assert sweeps.sent_at(ends) == NOON - sweeps.CALLS_LAST


@pytest.fixture
def counted() -> Iterator[tuple[Task, list[Any]]]:
    """A task of the application's own kind, and what it was run with."""
    ran: list[Any] = []

    def count(*given: Any) -> None:
        ran.append(given)

    task = app.task(name="tests.count", shared=False)(count)
    yield task, ran
    app.tasks.unregister("tests.count")


def taken(task: Task, *, sent: datetime | None, given: Any = None) -> None:
    """The worker takes a call that was sent then; one that a program sent itself does not expire."""
    task.push_request(expires=(sent + sweeps.CALLS_LAST).isoformat() if sent else None)
    try:
        task(given)
    finally:
        task.pop_request()


def test_of_a_hundred_calls_that_wait_one_is_done(counted: tuple[Task, list[Any]]) -> None:
    task, ran = counted
    long_ago = datetime.now(UTC) - timedelta(minutes=2)

    for number in range(100):
        taken(task, sent=long_ago + timedelta(seconds=number), given=number)
    assert ran == [(0,)]

    taken(task, sent=datetime.now(UTC) + timedelta(seconds=1), given="next")
    assert ran == [(0,), ("next",)]


def test_a_call_that_is_not_periodic_is_always_done(counted: tuple[Task, list[Any]]) -> None:
    task, ran = counted

    for number in range(3):
        taken(task, sent=None, given=number)

    assert len(ran) == 3


def test_each_periodic_task_exists_is_a_sweep_and_its_calls_do_not_wait_for_ever() -> None:
    app.loader.import_default_modules()

    for entry in app.conf.beat_schedule.values():
        assert isinstance(app.tasks[entry["task"]], sweeps.Sweep)
        assert entry["options"] == {"expires": 600.0}


@pytest.fixture
def beat() -> Iterator[sweeps.EmbeddedBeat]:
    """The clock of an application of its own, whose broker is in memory and whose calls nobody takes."""
    alone = Celery("alone", broker="memory://alone/", set_as_current=False)
    alone.conf.task_default_queue = ALONE  # all brokers in memory of one process are one

    @alone.task(name="tests.often", shared=False)
    def often() -> None: ...

    @alone.task(name="tests.seldom", shared=False)
    def seldom() -> None: ...

    alone.conf.beat_schedule = sweeps.periodic({"often": ("tests.often", 1.0), "seldom": ("tests.seldom", 3600.0)})
    yield sweeps.EmbeddedBeat(alone)
    alone.close()


def waiting(beat: sweeps.EmbeddedBeat) -> int:
    return int(beat.producer.channel.queue_declare(queue=ALONE, passive=True).message_count)


def test_no_more_calls_are_sent_while_many_wait_but_those_of_seldom_tasks(beat: sweeps.EmbeddedBeat) -> None:
    for _ in range(3 * sweeps.MANY_WAIT):
        beat.apply_entry(beat.schedule["often"])
    assert waiting(beat) == sweeps.MANY_WAIT

    beat.apply_entry(beat.schedule["seldom"])
    assert waiting(beat) == sweeps.MANY_WAIT + 1

    beat.producer.channel.queue_purge(ALONE)
    beat.apply_entry(beat.schedule["often"])
    assert waiting(beat) == 1
