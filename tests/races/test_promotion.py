"""The council decides, and somebody takes the level at the same moment: one of both comes first, and nothing hangs."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from agents.models import Agent
from governance import operations
from governance.models import PromotionRequest
from observability import ledger
from observability.models import Event

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway"),
]
ROUNDS = 20


def asked_anew(halden: Any, at: Any) -> PromotionRequest:
    """The clerk at level 2 and the only request for it."""
    PromotionRequest.objects.all().delete()
    Agent.objects.filter(code="AP-04").update(autonomy_level=2)
    clerk = Agent.objects.get(code="AP-04")
    return operations.ask_promotion(clerk, by=halden.people["maria"], at=at, why="It earned it.")


def test_two_of_the_council_at_once_promote_once(halden: Any, now: Any, together: Any) -> None:
    halden.people["daniel"].groups.add(Group.objects.get(name="council"))
    council = [halden.people[name] for name in ("ingrid", "daniel")]
    for _ in range(ROUNDS):
        pk = asked_anew(halden, now).pk
        before = Event.objects.filter(verb="agent.promoted").count()

        results = together(
            2, lambda n, pk=pk: operations.approve_promotion(PromotionRequest.objects.get(pk=pk), by=council[n], at=now)
        )

        assert sorted(result is None for result in results) == [False, True], results
        assert any(isinstance(result, ledger.Refused) for result in results)
        assert Agent.objects.get(code="AP-04").autonomy_level == 3
        assert Event.objects.filter(verb="agent.promoted").count() == before + 1


def test_a_promotion_and_a_demotion_at_once_follow_one_another(halden: Any, now: Any, together: Any) -> None:
    for _ in range(ROUNDS):
        pk = asked_anew(halden, now).pk

        def act(number: int, pk: int = pk) -> None:
            if number:
                operations.approve_promotion(PromotionRequest.objects.get(pk=pk), by=halden.people["ingrid"], at=now)
            else:
                clerk = Agent.objects.get(code="AP-04")
                operations.demote(clerk, by=halden.people["daniel"], at=now, why="Odd payments.")

        results = together(2, act)

        assert all(result is None or isinstance(result, ledger.Refused) for result in results), results
        level, request = Agent.objects.get(code="AP-04").autonomy_level, PromotionRequest.objects.get(pk=pk)
        assert (level, request.status) in ((1, "withdrawn"), (3, "approved"), (2, "approved")), results
