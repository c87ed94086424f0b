"""A pause while many agents claim and ask, on PostgreSQL: after it is committed nothing is allowed or handed out."""

import threading
import uuid
from typing import Any

import pytest
from django.db import connection

from agents.models import Agent
from governance import operations as governance
from governance.models import ControlState, Decision
from governance.operations import EVERYTHING
from observability import ledger
from observability.models import Event
from tests.races.conftest import PATIENCE_SECONDS
from workflows import operations
from workflows.models import Step, Workflow

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway"),
]
HANDS = 8
ROUNDS = 4


def asked() -> governance.Question:
    properties = {"seller": "Kessler Maschinenbau GmbH", "order_matched": True, "findings": 0, "bank_changed_days": 412}
    resource = {"type": "invoice", "id": str(uuid.uuid4()), "properties": properties}
    return governance.Question(
        action="invoice.pay", resource=resource, context={"amount": "1.00", "currency": "EUR"},
        request_key=str(uuid.uuid4()),
    )  # fmt: skip


def test_after_a_pause_commits_nothing_is_allowed_and_no_lease_is_given(halden: Any, now: Any, together: Any) -> None:
    workflow = Workflow.objects.get(code="invoice-to-payment")
    for number in range(60):
        operations.start(workflow, key=str(number), variables={"document": "1.xml"}, by=ledger.SYSTEM, at=now)
    # What is committed after the pause has a higher id in the ledger only if it began after it: the lock sees to that.
    for _ in range(ROUNDS):
        paused, first = threading.Event(), threading.Barrier(HANDS + 1)

        def act(hand: int, first: Any = first, paused: Any = paused) -> None:
            if hand == HANDS:
                first.wait(PATIENCE_SECONDS)
                operations.set_control(
                    EVERYTHING, "paused", by=halden.people["ingrid"], at=ledger.database_now(), why="x"
                )
                paused.set()
                return
            first.wait(PATIENCE_SECONDS)
            after = 0
            while after < 2:  # twice more once the pause is committed
                after += paused.is_set()
                if hand % 2:
                    _claims(Agent.objects.get(code="AP-01"))
                else:
                    governance.decide(asked(), agent=Agent.objects.get(code="AP-04"), at=ledger.database_now())

        results = together(HANDS + 1, act)

        assert results == [None] * (HANDS + 1), results
        at_pause = Event.objects.filter(verb="control.changed", after="paused").latest("id").pk
        later = Event.objects.filter(pk__gt=at_pause)
        assert not later.filter(verb="step.claimed").exists()
        assert not later.filter(verb="decision.made", after="allow").exists()
        assert Decision.objects.exists()
        assert not Step.objects.filter(status="working").exists(), "every lease is void, none is lost"
        assert Step.objects.filter(status="ready", attempt=0).count() == 60
        operations.set_control(EVERYTHING, "normal", by=halden.people["ingrid"], at=ledger.database_now(), why="x")


def _claims(agent: Agent) -> None:
    try:
        operations.claim(agent, at=ledger.database_now())
    except governance.Paused:
        return


def test_two_who_stop_the_same_at_once_make_one_stop(halden: Any, together: Any) -> None:
    scope = operations.find_scope("agent", "AP-04")

    def stop(number: int) -> str:
        by = halden.people[("ingrid", "daniel")[number % 2]]
        operations.set_control(scope, "paused", by=by, at=ledger.database_now(), why="x")
        return "stopped"

    results = together(HANDS, stop)

    assert results.count("stopped") == 1, results
    assert ControlState.objects.filter(scope="agent:AP-04").count() == 1
    assert Event.objects.filter(verb="control.set").count() == 1
