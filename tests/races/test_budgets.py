"""Many agents spend from one budget at the same moment, through the door: never above the limit, and nobody fails."""

import json
import random
import uuid
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from django.test import Client

from governance import operations
from governance.models import Budget, BudgetPeriod, Decision, Reservation
from governance.rules.breaking import DEFAULTS
from observability import ledger
from observability.models import Event

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway"),
]
MANY, STORM, SEQUENCES = 64, 50, 1000


def budget(at: Any, limit: int, **more: Any) -> Budget:
    """A budget for the payments clerk."""
    terms = {
        "name": "Race", "scope": "agent", "about": "AP-04", "metric": "money", "period": "total",
        "hard_limit": Decimal(limit), "why": "A drill.", **more,
    }  # fmt: skip
    return operations.open_budget(operations.BudgetTerms(**terms), by=ledger.SYSTEM, at=at)


def send(key: str, path: str, body: Any) -> Any:
    """The answer to an agent's POST."""
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": str(uuid.uuid4())}
    client = Client(raise_request_exception=False)
    try:
        return client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers)
    finally:
        connection.close()  # as a server does after each request: the others wait for it


def used_truly(of: Budget) -> Decimal:
    """What the rows behind a budget add up to."""
    held = Reservation.objects.filter(period__budget=of, status="held").aggregate(sum=Sum("amount"))["sum"]
    spent = Reservation.objects.filter(period__budget=of).aggregate(sum=Sum("settled_amount"))["sum"]
    return (held or Decimal(0)) + (spent or Decimal(0))


def test_sixty_four_at_once_never_pass_a_limit_together(halden: Any, now: Any, together: Any, question: Any) -> None:
    wide, tight = budget(now, 1_000_000, period="day"), budget(now, 30_000)
    bodies = [question(amount="1000.00", resource={**question()["resource"], "id": str(n)}) for n in range(MANY)]

    answers = together(MANY, lambda n: send(halden.keys["AP-04"], "actions", bodies[n]))

    assert {answer.status_code for answer in answers} == {200}, [answer.content for answer in answers]
    effects = [answer.json()["effect"] for answer in answers]
    assert (effects.count("allow"), effects.count("deny")) == (30, MANY - 30)
    for each in (wide, tight):
        row = BudgetPeriod.objects.get(budget=each)
        assert (row.spent, row.reserved, row.overspent, used_truly(each)) == (0, 30_000, False, 30_000)
    told = Event.objects.filter(subject_id=str(tight.uid)).exclude(verb="budget.opened")
    assert sorted(told.values_list("verb", flat=True)) == ["budget.near_limit", "budget.used_up"]


def test_a_storm_of_random_sequences_breaks_no_limit(halden: Any, now: Any, together: Any, question: Any) -> None:
    daily, calls = budget(now, 40_000, period="day"), budget(now, 400, metric="calls")
    # So many denials would put the clerk in quarantine, which is another story.
    unlimited = operations.SafeguardChange("", replace(DEFAULTS, denials=None, repeats=None))
    operations.set_safeguards(unlimited, by=halden.people["ingrid"], at=now, why="A drill.")
    key = halden.keys["AP-04"]

    def live(number: int) -> list[int]:
        dice, codes, mine = random.Random(number), [], []
        for turn in range(SEQUENCES // STORM):
            if mine and dice.random() < 0.5:
                done = dice.random() < 0.5
                codes.append(send(key, f"decisions/{mine.pop()}/outcome", {"done": done}).status_code)
            resource = {**question()["resource"], "id": f"{number}-{turn}"}
            amount = f"{dice.randint(1, 4000)}.{dice.randint(0, 99):02d}"
            answer = send(key, "actions", question(amount=amount, resource=resource))
            codes.append(answer.status_code)
            if answer.status_code == 200 and answer.json()["effect"] == "allow":
                mine.append(answer.json()["decision"])
        return codes

    results = together(STORM, live)

    assert {code for codes in results for code in codes} == {200}, results
    for each in (daily, calls):
        row = BudgetPeriod.objects.get(budget=each)
        assert row.spent + row.reserved == used_truly(each) <= row.hard_limit
        assert not row.overspent
    assert Decision.objects.filter(effect="allow").exists()
    assert Decision.objects.filter(rule="budget").exists()
