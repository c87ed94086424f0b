"""Many hands on one agent at the same moment, on PostgreSQL: each code once, each change a version, one beginning."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from agents import operations as agents
from agents.models import Agent, Blueprint, Principal, Version
from governance import operations as governance
from observability import ledger
from observability.models import Event

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway"),
]
HANDS = 4


def job(halden: Any, code: str) -> agents.Hired:
    return agents.Hired(
        code=code, name="Clerk", purpose="Pays.", unit=halden.units["finance"],
        blueprint=halden.agents["AP-04"].blueprint, accountable=halden.people["maria"],
    )  # fmt: skip


def test_one_code_is_given_once(halden: Any, now: Any, together: Any) -> None:
    results = together(HANDS, lambda _: agents.hire(job(halden, "AP-09"), by=ledger.SYSTEM, at=now).code)

    assert results.count("AP-09") == 1
    refused = [result for result in results if isinstance(result, ledger.Invalid)]
    assert [set(each.fields) for each in refused] == [{"code"}] * (HANDS - 1)
    assert Principal.objects.filter(username="agent:AP-09").count() == 1


def test_changes_at_once_are_versions_in_a_row(halden: Any, now: Any, together: Any) -> None:
    jonas = halden.people["jonas"]

    def change(number: int) -> int:
        agent, blueprint = Agent.objects.get(code="AP-04"), Blueprint.objects.get(code="payments-clerk")
        agents.change_blueprint(blueprint, {"purpose": f"Purpose {number}."}, by=jonas, at=now, why="x")
        return agents.change_agent(agent, {"purpose": f"Purpose {number}."}, by=jonas, at=now, why="x").number

    assert sorted(together(HANDS, change)) == list(range(2, HANDS + 2))
    for code in ("AP-04", "payments-clerk"):
        newest = Version.objects.filter(subject_id=code).first()
        row = {"AP-04": Agent, "payments-clerk": Blueprint}[code].objects.get(code=code)
        assert newest is not None
        assert newest.document["purpose"] == row.purpose


def test_two_people_let_an_agent_begin_once(halden: Any, now: Any, together: Any) -> None:
    agent = agents.hire(job(halden, "AP-09"), by=ledger.SYSTEM, at=now)
    words = agents.Assessed(does="Pays.", data="Amounts.", risks="Twice.", measures="Asks.")
    agents.assess(agent, words, by=halden.people["daniel"], at=now)
    agents.submit(agent, by=halden.people["maria"], at=now)

    def begin(number: int) -> str:
        by = halden.people[("ingrid", "jonas")[number % 2]]
        row = Agent.objects.get(code="AP-09")
        governance.activate_agent(row, by=by, at=now)
        return row.status

    results = together(HANDS, begin)

    assert results.count("active") == 1, results
    assert all(isinstance(each, ledger.WrongStatus) for each in results if each != "active")
    assert Event.objects.filter(verb="agent.activated", subject_id="AP-09").count() == 1


def test_a_missing_sponsor_is_told_once_however_many_watch(halden: Any, now: Any, together: Any) -> None:
    Principal.objects.filter(username="maria").update(is_active=False)

    together(HANDS, lambda _: agents.watch_sponsor(Agent.objects.get(code="AP-04"), at=now, grace=timedelta(days=7)))

    assert Event.objects.filter(verb="agent.sponsor_missing").count() == 1
