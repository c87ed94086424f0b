"""Rates, permits and stops under many hands at once: no limit is passed together, and a storm of agents is held."""

import random
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection

from agents import operations as agents
from agents.models import Agent, System
from governance import operations
from governance.models import Decision, Incident, SystemGuard
from governance.operations import CircuitChange, Question
from governance.rules.breaking import Fuse
from observability import ledger

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway"),
]
SEQUENCES, AT_ONCE, PER_HOUR, SUM = 125, 8, 5, 50  # 125 rounds of 8 at once: 1,000 questions
STORM, EACH = 50, 6
KEYS = count()
RULES = [
    {"id": "rc-count", "effect": "deny", "when": f"rate.hour.count >= {PER_HOUR}", "reason": "Often enough."},
    {"id": "rc-sum", "effect": "deny", "when": f"rate.hour.amount + context.amount > {SUM}", "reason": "Enough."},
    {
        "id": "rc-twice", "effect": "deny",
        "when": 'history.resource.count_day >= 1 && resource.id.startsWith("once")', "reason": "Once.",
    },
    {"id": "rc-allow", "effect": "allow", "reason": "Allowed."},
]  # fmt: skip


@pytest.fixture
def desk(halden: Any, now: Any) -> None:
    """A desk that hands out money under limits of number, sum and once for each thing."""
    fields = [{"path": "context.amount", "kind": "decimal"}, {"path": "context.currency", "kind": "string"}]
    agents.add_system(
        "desk", "Desk", unit=halden.units["finance"], resource="note", by=ledger.SYSTEM, at=now,
        actions=[{"name": "desk.pay", "label": "Pay", "risk": 2, "effect": ""}], fields=fields,
    )  # fmt: skip
    document = {
        "apiVersion": "autonomyos/v1", "kind": "Policy", "key": "desk", "version": 1, "title": "Desk", "owner": "risk",
        "priority": 100, "scope": {"actions": ["desk.pay"]}, "rules": RULES, "tests": [],
    }  # fmt: skip
    version = operations.add_policy(
        document, unit=halden.units["finance"], owner=halden.people["maria"], by=ledger.SYSTEM, at=now
    )
    operations.activate(version, by=ledger.SYSTEM, at=now)


def may_pay(agent: Agent) -> None:
    agent.blueprint.actions = [{"system": "desk", "action": "desk.pay", "scope": {}}]
    agent.blueprint.save(update_fields=["actions"])


def pay(agent: Agent, note: str, amount: str, at: Any) -> Decision:
    question = Question(
        action="desk.pay", resource={"type": "note", "id": note, "properties": {}},
        context={"amount": amount, "currency": "EUR"}, request_key=f"r{next(KEYS)}",
    )  # fmt: skip
    return operations.decide(question, agent=Agent.objects.get(pk=agent.pk), at=at)


def test_no_sequence_of_questions_at_once_passes_a_limit(desk: None, halden: Any, now: Any, together: Any) -> None:
    crew, dice = [halden.agents[code] for code in ("AP-01", "AP-02", "AP-04")], random.Random(18)
    for agent in crew:
        may_pay(agent)
    for number in range(SEQUENCES):
        # Each round has hours of its own, so that no earlier one counts; amounts, agents and things are random.
        at = now - timedelta(hours=30 * (number + 1))
        asked = [
            (dice.choice(crew), dice.choice(["once", "other"]) + f"-{number}", f"{dice.randint(1, 30)}.00")
            for _ in range(AT_ONCE)
        ]

        results = together(AT_ONCE, lambda n, a=asked, at=at: pay(a[n][0], a[n][1], a[n][2], at))

        assert all(isinstance(result, Decision) for result in results), results
        allowed = [result for result in results if result.effect == "allow"]
        for agent in crew:
            own = [each for each in allowed if each.agent_id == agent.pk]
            assert len(own) <= PER_HOUR
            assert sum(float(each.request["context"]["amount"]) for each in own) <= SUM
        assert sum(each.resource_id.startswith("once") for each in allowed) <= 1
        # Decisions are told apart by their time alone: what was now becomes long ago.
        Decision.objects.filter(agent__in=crew).update(at=now - timedelta(days=3000 - number))


def test_as_many_get_through_on_trial_as_there_are_permits(desk: None, halden: Any, now: Any, together: Any) -> None:
    clerk = halden.agents["AP-04"]
    may_pay(clerk)
    change = CircuitChange(System.objects.get(code="desk"), Fuse(at_least=1, trials=2), is_untrusted=False)
    operations.set_circuit(change, by=halden.people["ingrid"], at=now, why="A drill.")
    operations.report(pay(clerk, "a", "1.00", now), failed=True, at=now)
    later = now + timedelta(hours=2)

    results = together(AT_ONCE, lambda n: pay(clerk, f"n{n}", "1.00", later))

    assert sorted(result.effect for result in results) == ["allow"] * 2 + ["deny"] * (AT_ONCE - 2), results
    assert SystemGuard.objects.get().status == "half_open"


def test_fifty_agents_in_a_storm_are_held(desk: None, halden: Any, now: Any, together: Any) -> None:
    """Each of fifty asks for the same again and again, and many at the same moment."""
    first = halden.agents["AP-04"]
    may_pay(first)
    crew = [first, *(_another(first, number, now) for number in range(1, STORM))]
    for _ in range(EACH):
        for begin in range(0, STORM, AT_ONCE):
            some = crew[begin : begin + AT_ONCE]
            together(len(some), lambda n, some=some: pay(some[n], f"s{some[n].code}", "1.00", now))

    for agent in crew:
        assert Decision.objects.filter(agent=agent, effect="allow").count() == PER_HOUR
    assert Decision.objects.filter(effect="deny", rule="rc-count").count() == STORM * (EACH - PER_HOUR)
    last = crew[-1]
    together(AT_ONCE, lambda n: [pay(last, "again", "1.00", now) for _ in range(5)])

    assert Incident.objects.open().filter(kind="loop").count() == 1, "one incident however many see it at once"
    assert Incident.objects.open().filter(kind="quarantine").count() == 1
    assert Agent.objects.filter(status="paused").values_list("code", flat=True).get() == last.code


def _another(agent: Agent, number: int, at: Any) -> Agent:
    job = agents.Hired(
        code=f"ST-{number:02}", name="Storm", purpose="A drill.", unit=agent.unit, blueprint=agent.blueprint,
        accountable=agent.accountable, autonomy_level=2, ends_on=agent.ends_on,
    )  # fmt: skip
    hired = agents.hire(job, by=ledger.SYSTEM, at=at)
    agents.activate(hired, by=ledger.SYSTEM, at=at)
    return hired
