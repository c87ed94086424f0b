"""The ledger: no change of a status without its event, none without the change, positions without a gap."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from agents.models import Agent
from observability import ledger
from observability.ledger import SYSTEM, Subject
from observability.models import Event


@dataclass
class Thing:
    """Something that an event can be about."""

    id: str = "1"

    def as_subject(self) -> Subject:
        return Subject(kind="thing", id=self.id, name=f"Thing {self.id}")


def test_a_move_changes_the_status_and_tells_it(halden: Any, now: Any) -> None:
    agent = halden.agents["AP-04"]

    event = ledger.move(agent, Agent.Status.PAUSED, by=halden.people["maria"], verb="agent.paused", at=now, why="Odd")

    agent.refresh_from_db()
    assert agent.status == "paused"
    assert (event.before, event.after, event.why, event.actor_id, event.actor_kind) == (
        "active",
        "paused",
        "Odd",
        "maria",
        "person",
    )
    assert (event.subject_kind, event.subject_id, event.unit) == ("agent", "AP-04", str(agent.unit_id))


def test_a_move_that_the_row_does_not_know_is_refused(halden: Any, now: Any) -> None:
    agent, before = halden.agents["AP-04"], Event.objects.count()
    for to in ("draft", "nonsense", "active"):
        with pytest.raises(ledger.WrongStatus):
            ledger.move(agent, to, by=SYSTEM, verb="agent.moved", at=now)

    agent.refresh_from_db()
    assert (agent.status, Event.objects.count()) == ("active", before)


def test_who_comes_second_is_told_and_changes_nothing(halden: Any, now: Any) -> None:
    agent = halden.agents["AP-04"]
    same = Agent.objects.get(pk=agent.pk)
    ledger.move(agent, Agent.Status.RETIRED, by=SYSTEM, verb="agent.retired", at=now)
    before = Event.objects.count()

    with pytest.raises(ledger.TooLate, match="it is retired now"):
        ledger.move(same, Agent.Status.PAUSED, by=SYSTEM, verb="agent.paused", at=now)

    assert (same.status, Event.objects.count()) == ("active", before)


def test_a_column_that_changed_meanwhile_stops_the_move(halden: Any, now: Any) -> None:
    agent = halden.agents["AP-04"]

    with pytest.raises(ledger.TooLate):
        ledger.move(agent, Agent.Status.PAUSED, by=SYSTEM, verb="agent.paused", at=now, expect={"autonomy_level": 0})
    assert Agent.objects.get(pk=agent.pk).status == "active"


def test_a_change_whose_event_cannot_be_written_does_not_happen(halden: Any, now: Any) -> None:
    agent = halden.agents["AP-04"]

    with pytest.raises(TypeError), transaction.atomic():
        ledger.move(agent, Agent.Status.PAUSED, by=SYSTEM, verb="agent.paused", at=now, data={"x": object()})

    assert Agent.objects.get(pk=agent.pk).status == "active"


def test_positions_have_no_gap_and_are_given_once(empty: None, now: Any) -> None:
    for number in range(7):
        ledger.record("thing.seen", Thing(str(number)), by=SYSTEM, at=now)

    assert (ledger.seal(at_most=3), ledger.seal(at_most=3), ledger.seal(), ledger.seal()) == (3, 6, 7, 0)

    ledger.record("thing.seen", Thing("8"), by=SYSTEM, at=now)
    assert ledger.seal() == ledger.last_position() == 8
    assert list(Event.objects.order_by("id").values_list("position", flat=True)) == list(range(1, 9))


def test_what_was_rolled_back_leaves_no_gap(empty: None, now: Any) -> None:
    ledger.record("thing.seen", Thing(), by=SYSTEM, at=now)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        ledger.record("thing.seen", Thing(), by=SYSTEM, at=now)
        raise ZeroDivisionError
    ledger.record("thing.seen", Thing(), by=SYSTEM, at=now)
    ledger.seal()

    assert list(Event.objects.order_by("id").values_list("position", flat=True)) == [1, 2]


def test_the_databases_clock_runs_in_utc(db: None) -> None:
    first, second = ledger.database_now(), ledger.database_now()

    assert first.utcoffset() is not None
    assert first <= second
