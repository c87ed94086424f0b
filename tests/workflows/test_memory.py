"""Shared memory: found once, kept under one spelling, reused with its saving, never silently changed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from agents import operations as agent_operations
from observability import ledger
from observability.models import Event
from workflows import memory
from workflows.models import Fact, Space


def put(client: Any, key: str = "PO-1", value: Any = None, **more: Any) -> Any:
    """Keep a finding in the orders space."""
    return client.call(
        "post", "memory/facts", {"space": "orders", "key": key, "value": value or {"total": "90.00"}, **more}
    )


def look(client: Any, key: str = "PO-1") -> Any:
    """The fact under the key, or None."""
    answer = client.call("get", "memory/facts", {"space": "orders", "key": key})
    assert answer.status_code == 200, answer.content
    return answer.json()["fact"]


def test_the_second_asker_gets_the_result_and_the_saving_is_recorded(robot: Any) -> None:
    assert look(robot("AP-02")) is None
    assert put(robot("AP-02"), cost="0.04", seconds="2.5").status_code == 201

    found = look(robot("RK-01"))

    assert (found["value"], found["author"], found["saved_cost"]) == ({"total": "90.00"}, "AP-02", "0.040000")
    fact, event = Fact.objects.get(), Event.objects.get(verb="fact.reused")
    assert (fact.reused, fact.saved) == (1, {"seconds": Decimal("2.5"), "cost": Decimal("0.04")})
    assert (event.actor_id, event.data["saved_cost"]) == ("RK-01", "0.040000")


def test_an_author_looking_at_its_own_finding_saves_nothing(robot: Any) -> None:
    put(robot("AP-02"))

    assert look(robot("AP-02")) is not None
    assert Fact.objects.get().reused == 0


@pytest.mark.parametrize("spelling", ["po-1", " PO-1 ", "ＰＯ-1", "Po-1"])
def test_every_spelling_of_a_key_is_one_key(robot: Any, spelling: str) -> None:
    put(robot("AP-02"))

    assert look(robot("RK-01"), spelling) is not None


def test_a_newer_finding_takes_the_place_of_the_older_which_is_kept(robot: Any) -> None:
    put(robot("AP-02"), value={"total": "1"})
    put(robot("RK-01"), value={"total": "2"})

    assert look(robot("AP-02"))["value"] == {"total": "2"}
    older, newer = Fact.objects.order_by("id")
    assert (older.value, older.superseded_at is None, newer.superseded_at) == ({"total": "1"}, False, None)


def test_what_has_expired_is_not_found(robot: Any, halden: Any, now: Any) -> None:
    put(robot("AP-02"), expires_seconds=60)
    space, agent = Space.objects.get(code="orders"), halden.agents["RK-01"]

    assert memory.get(space, "po-1", agent=agent, at=now + timedelta(seconds=30)) is not None
    assert memory.get(space, "po-1", agent=agent, at=now + timedelta(seconds=90)) is None


def test_exact_numbers_in_a_value_stay_exact(robot: Any) -> None:
    value = {"price": 0.1, "lines": [{"net": 12.30, "count": 3}], "text": "0.1", "none": None, "yes": True}
    answer = robot("AP-02").call("post", "memory/facts", {"space": "orders", "key": "n", "value": value})

    assert answer.status_code == 201, answer.content
    kept = look(robot("RK-01"), "n")["value"]
    assert kept == {"price": "0.1", "lines": [{"net": "12.3", "count": 3}], "text": "0.1", "none": None, "yes": True}


def test_the_right_to_write_is_asked_for(robot: Any) -> None:
    assert put(robot("AP-04")).status_code == 403
    assert put(robot("AP-01")).status_code == 403
    assert not Fact.objects.exists()


def test_an_unknown_space_or_run_is_not_found(robot: Any) -> None:
    agent = robot("AP-02")

    assert agent.call("get", "memory/facts", {"space": "nowhere", "key": "x"}).status_code == 404
    assert put(agent, run="0197a3a0-0000-7000-8000-000000000000").status_code == 404
    assert agent.call("get", "memory/facts", {"space": "orders"}).status_code == 400
    assert agent.call("get", "memory/facts", {"space": "orders", "key": "x", "colour": "red"}).status_code == 400


def test_a_key_of_nothing_is_refused(halden: Any, now: Any) -> None:
    for key in ("", "   ", "k" * 301):
        with pytest.raises(ledger.Invalid):
            memory.canonical_key(key)


def test_the_hash_of_a_value_depends_on_its_content_alone(robot: Any) -> None:
    first = put(robot("AP-02"), "a", {"x": "1", "y": "2"}).json()["fact"]["sha256"]
    second = put(robot("AP-02"), "b", {"y": "2", "x": "1"}).json()["fact"]["sha256"]

    assert first == second


def test_the_operation_itself_refuses_an_agent_that_may_not_see_the_space(halden: Any, now: Any) -> None:
    space, outsider = Space.objects.get(code="orders"), halden.agents["VO-01"]
    agent_operations.activate(outsider, by=ledger.SYSTEM, at=now)

    with pytest.raises(ledger.NotFound):
        memory.get(space, "PO-1", agent=outsider, at=now)


def test_looking_again_for_the_same_work_saves_nothing_more(robot: Any, bring: Any) -> None:
    runs = [bring(key) for key in ("1", "2")]
    put(robot("AP-02"), cost="0.04")
    scout = robot("RK-01")

    for run in (runs[0], runs[0], runs[1], runs[0]):
        assert scout.call("get", "memory/facts", {"space": "orders", "key": "PO-1", "run": run}).status_code == 200

    assert Fact.objects.get().reused == 2
    reused = Event.objects.filter(verb="fact.reused").order_by("id")
    assert [event.data["by_run"] for event in reused] == runs
