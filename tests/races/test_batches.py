"""Batches that ask about the same agents and things in another order, at the same moment, on PostgreSQL: nobody waits
in a ring, whether a pause comes in between or not."""

import threading
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from agents.models import Agent, Blueprint
from governance import operations
from governance.models import Budget, BudgetPeriod, Decision, Reservation
from governance.operations import EVERYTHING, Circumstances, Question
from observability import ledger
from observability.models import Event
from tests.races.conftest import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway"),
]
HANDS, ROUNDS, EACH = 6, 6, 6
WHO = ("AP-01", "AP-02", "AP-04", "RK-01")
THINGS = ("north", "east", "south", "west")
RULES = {
    "apiVersion": "autonomyos/v1", "kind": "Policy", "key": "finance.drill", "version": 1, "title": "Drill",
    "scope": {"actions": ["drill.do"]},
    "rules": [
        {"id": "open", "effect": "allow", "reason": "Anybody may practise."},
        {
            "id": "worn", "effect": "deny", "when": "history.resource.count_day > 100000",
            "reason": "It was used too often.",
        },
    ],
}  # fmt: skip


@pytest.fixture
def drill(halden: Any, now: Any) -> list[Budget]:
    """Everybody may practise, what was done with a thing is looked at, and each agent has a budget of calls."""
    Blueprint.objects.update(actions=[{"system": "*", "action": "*", "scope": {}}])
    finance, maria = halden.units["finance"], halden.people["maria"]
    version = operations.add_policy(RULES, unit=finance, owner=maria, by=ledger.SYSTEM, at=now)
    operations.activate(version, by=ledger.SYSTEM, at=now)
    return [
        operations.open_budget(
            operations.BudgetTerms(
                name=f"Calls of {code}", scope="agent", about=code, metric="calls", period="total",
                hard_limit=Decimal(100_000), why="A drill.",
            ), by=ledger.SYSTEM, at=now,
        ) for code in WHO
    ]  # fmt: skip


def asked(turn: int) -> list[tuple[Question, Circumstances]]:
    """Several agents about several things; every other batch the other way round."""
    at = ledger.database_now()
    moment = Circumstances(Agent.objects.get(code=WHO[0]), at)
    known = [moment.about(Agent.objects.select_related("role", "unit", "blueprint").get(code=code)) for code in WHO]
    questions = [
        (
            Question(
                action="drill.do", resource={"type": "place", "id": THINGS[n % len(THINGS)]},
                context={"amount": str(uuid.uuid4().int % 10**9)},  # never the same question again
                request_key=str(uuid.uuid4()),
            ), known[n % len(WHO)],
        ) for n in range(EACH)
    ]  # fmt: skip
    return questions[::-1] if turn % 2 else questions


def answers(turn: int, by: Any) -> Sequence[Any]:
    """What a batch is told; nothing ends it early."""
    return operations.evaluate_all(asked(turn), by=by, enough=lambda _: False)


def split(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said about batches whose questions had to be asked one by one."""
    return [record.getMessage() for record in caplog.records if record.name == "governance.operations.batches"]


def test_batches_in_opposite_order_never_wait_in_a_ring(
    drill: list[Budget], halden: Any, together: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def act(hand: int) -> list[str]:
        told = [each for turn in range(ROUNDS) for each in answers(hand + turn, halden.people["maria"])]
        return [getattr(each, "effect", repr(each)) for each in told]

    results = together(HANDS, act)

    assert results == [["allow"] * EACH * ROUNDS] * HANDS, results
    assert not split(caplog), "each batch was answered in one transaction"
    assert Decision.objects.filter(action="drill.do").count() == HANDS * ROUNDS * EACH
    for budget in drill:
        row = BudgetPeriod.objects.get(budget=budget)
        assert row.reserved == Reservation.objects.filter(period=row).count() > 0


def test_a_pause_comes_between_batches_and_never_into_one(
    drill: list[Budget], halden: Any, together: Any, caplog: pytest.LogCaptureFixture
) -> None:
    paused, begun = threading.Event(), threading.Event()

    def act(hand: int) -> list[list[str]]:
        if hand == 0:
            begun.wait(PATIENCE_SECONDS)
            who, at = halden.people["ingrid"], ledger.database_now()
            operations.change_control("paused", by=who, at=at, why="A drill.", scope=EVERYTHING)
            paused.set()
            return []
        told: list[list[str]] = []
        after = 0
        while after < 2:  # twice more once the pause is committed
            after += paused.is_set()
            told.append([each.effect for each in answers(hand + len(told), halden.people["maria"])])
            begun.set()
        return told

    results = together(HANDS, act)

    assert all(isinstance(each, list) for each in results), results
    assert {tuple(batch) for told in results for batch in told} == {("allow",) * EACH, ("deny",) * EACH}
    assert not split(caplog)
    at_pause = Event.objects.get(verb="control.changed", after="paused").pk
    assert not Event.objects.filter(pk__gt=at_pause, verb="decision.made", after="allow").exists()
