"""The ledger's promises: nothing is changed or removed, no position is left out or given twice."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, close_old_connections, connection, transaction

from observability import ledger
from observability.models import Event

AT = datetime(2026, 11, 22, tzinfo=UTC)
WRITERS, EACH = 8, 40
PAUSE_SECONDS = 0.002


def stored(name: str = "INV-1", **more: Any) -> Event:
    """An event in the ledger."""
    return Event.objects.create(
        at=AT, verb="run.started", actor_kind="system", actor_id="x", actor_name="X", subject_kind="run",
        subject_id="1", subject_name=name, **more,
    )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", [{"why": "forged"}, {"at": AT.replace(year=2020)}, {"data": {"x": 1}}, {"cost": 1}, {"unit": "9"}]
)
def test_the_database_refuses_to_change_an_event(change: dict[str, Any]) -> None:
    event = stored()

    with pytest.raises(DatabaseError), transaction.atomic():
        Event.objects.filter(pk=event.pk).update(**change)

    assert Event.objects.filter(pk=event.pk, why="", at=AT, unit="").exists()


@pytest.mark.django_db
def test_the_database_refuses_to_remove_an_event() -> None:
    event = stored()

    with pytest.raises(DatabaseError), transaction.atomic():
        event.delete()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM observability_event")
    if connection.vendor == "postgresql":
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE observability_event CASCADE")

    assert Event.objects.filter(pk=event.pk).exists()


@pytest.mark.django_db
def test_a_position_is_given_once_and_never_changed() -> None:
    event = stored()
    ledger.seal()
    event.refresh_from_db()

    for position in (event.position + 5, None):
        with pytest.raises(DatabaseError), transaction.atomic():
            Event.objects.filter(pk=event.pk).update(position=position)

    assert ledger.seal() == 0, "nothing is left to seal"


def test_sealing_goes_on_where_it_stopped_oldest_first(empty: None) -> None:
    for number in range(7):
        stored(str(number))

    reached = [ledger.seal(at_most=3), ledger.seal(at_most=3), ledger.seal(at_most=3), ledger.seal(at_most=3)]

    assert reached == [3, 6, 7, 0]
    assert list(Event.objects.order_by("position").values_list("subject_name", flat=True)) == list("0123456")


def _write(number: int, errors: list[BaseException]) -> None:
    try:
        for place in range(EACH):
            with transaction.atomic():
                stored(f"{number}/{place}")
                if place % 8 == 7:
                    transaction.set_rollback(True)  # what did not happen must not leave a gap
    except BaseException as error:
        errors.append(error)
    finally:
        connection.close()


def _seal(done: threading.Event, errors: list[BaseException]) -> None:
    try:
        while not done.wait(PAUSE_SECONDS):
            ledger.seal(at_most=50)
    except BaseException as error:
        errors.append(error)
    finally:
        connection.close()


@pytest.mark.postgresql
def test_eight_writers_and_two_sealers_leave_no_gap_and_a_follower_misses_nothing(transactional_db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("writers side by side need PostgreSQL")
    errors: list[BaseException] = []
    done, seen, start = threading.Event(), [], ledger.last_position()
    writers = [threading.Thread(target=_write, args=(number, errors)) for number in range(WRITERS)]
    sealers = [threading.Thread(target=_seal, args=(done, errors)) for _ in range(2)]
    for thread in (*writers, *sealers):
        thread.start()

    position = start
    while any(thread.is_alive() for thread in writers):
        close_old_connections()
        seen += list(Event.objects.sealed_after(position).values_list("position", flat=True))
        position = seen[-1] if seen else start
    done.set()
    for thread in (*writers, *sealers):
        thread.join()
    while ledger.seal():
        pass
    seen += list(Event.objects.sealed_after(position).values_list("position", flat=True))

    assert not errors
    assert seen == list(range(start + 1, start + WRITERS * EACH * 7 // 8 + 1)), (
        "every position once, in order, none left out"
    )
    assert not Event.objects.filter(position=None).exists()
