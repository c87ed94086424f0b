"""Whose step is next: what it asks for, how important it is, fair turns between units, and nothing waits for ever."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.models import Agent, Blueprint
from observability.ledger import SYSTEM, Invalid, WrongStatus, database_now
from observability.models import Event
from tests.workflows.queue import begin, declare, one_step
from workflows import operations
from workflows.models import Step
from workflows.operations.turns import behind


def taken(halden: Any, now: Any, many: int, code: str = "AP-01") -> list[str]:
    """The keys of the runs whose steps the agent gets, in their order."""
    halden.agents[code].refresh_from_db()
    now = max(now, database_now())
    return [step.run.key for step in operations.claim_many(halden.agents[code], count=many, at=now).steps]


def test_a_unit_with_many_steps_keeps_no_other_waiting(halden: Any, now: Any) -> None:
    flood, trickle = one_step(halden, now, "flood"), one_step(halden, now, "trickle", unit="procurement")
    begin(flood, *(f"F{number}" for number in range(40)))
    begin(trickle, *(f"T{number}" for number in range(5)))

    assert {key for key in taken(halden, now, 11) if key[0] == "T"} == {"T0", "T1", "T2", "T3", "T4"}


def test_a_unit_that_weighs_more_gets_more(halden: Any, now: Any, settings: Any) -> None:
    settings.UNIT_WEIGHTS = {"procurement": 3}
    begin(one_step(halden, now, "light"), *(f"L{number}" for number in range(30)))
    begin(one_step(halden, now, "heavy", unit="procurement"), *(f"H{number}" for number in range(30)))

    share = Counter(key[0] for key in taken(halden, now, 20))

    assert share["H"] == 15


def test_what_is_more_important_comes_first(halden: Any, now: Any) -> None:
    version = one_step(halden, now, "small")
    begin(version, "usual")
    begin(version, "urgent", priority=5)
    declare(version, priority=2)
    begin(version, "marked")

    assert taken(halden, now, 3) == ["urgent", "marked", "usual"]


def test_only_who_is_able_to_gets_a_step_that_asks_for_it(halden: Any, now: Any) -> None:
    version = one_step(halden, now, "small")
    declare(version, capability="german")
    begin(version, "a")

    assert taken(halden, now, 1) == []
    Blueprint.objects.filter(pk=halden.agents["AP-01"].blueprint_id).update(capabilities=["german", "french"])
    assert taken(halden, now, 1) == ["a"]


def test_what_is_overdue_is_told_once_and_moves_up(halden: Any, now: Any) -> None:
    version = one_step(halden, now, "small")
    begin(version, "usual")
    declare(version, due_seconds=60)
    begin(version, "due")
    later = now + timedelta(minutes=2)

    assert operations.hurry(at=later) == 1
    assert operations.hurry(at=later) == 0
    assert Event.objects.filter(verb="step.overdue").count() == 1
    assert taken(halden, later, 2) == ["due", "usual"]


def test_what_waits_long_moves_up_until_it_is_taken(halden: Any, now: Any, settings: Any) -> None:
    settings.QUEUE_PATIENCE_MINUTES = 10
    version = one_step(halden, now, "small")
    begin(version, "old")
    begin(version, "new", priority=2)
    for turn in range(1, 4):
        Step.objects.filter(run__key="new").update(ranked_at=now + timedelta(hours=9))  # it came only just now
        operations.hurry(at=now + timedelta(minutes=11 * turn))

    assert taken(halden, now + timedelta(minutes=40), 1) == ["old"]


def test_a_step_is_kept_for_one_agent_for_a_time(halden: Any, now: Any) -> None:
    begin(one_step(halden, now, "small"), "a")
    step, reader = Step.objects.get(), halden.agents["AP-01"]

    with pytest.raises(Invalid):
        operations.assign(step, halden.agents["AP-02"], by=SYSTEM, at=now, why="Knows it.")
    operations.assign(step, by=SYSTEM, at=now, why="Spread the load.")
    step.refresh_from_db()
    assert step.assigned_to == reader
    Step.objects.update(assigned_to=halden.agents["AP-02"])
    assert taken(halden, now, 1) == []
    assert taken(halden, now + timedelta(hours=1), 1) == ["a"], "only for a time"
    with pytest.raises(WrongStatus):
        operations.assign(step, reader, by=SYSTEM, at=now, why="Too late.")


def test_what_is_kept_for_an_agent_counts_as_its_load(halden: Any, now: Any) -> None:
    Agent.objects.filter(code="AP-02").update(role=halden.agents["AP-01"].role)
    version = one_step(halden, now, "small")
    for key in ("a", "b", "c"):
        begin(version, key)

    for step in Step.objects.order_by("id"):
        operations.assign(step, by=SYSTEM, at=now, why="Spread the load.")

    kept = list(Step.objects.order_by("id").values_list("assigned_to__code", flat=True))
    assert kept == ["AP-01", "AP-02", "AP-01"], "in turns, whoever has less"
    later = now + timedelta(hours=1)
    assert [load for _, load in operations.able_to_take(Step.objects.first(), later)] == [0, 0], "only for a time"


def test_a_person_keeps_a_step_for_the_least_loaded_agent_or_a_named_one(
    halden: Any, now: Any, may_start: Any, sign_in: Any
) -> None:
    begin(one_step(halden, now, "small"), "a")
    step = Step.objects.select_related("run__workflow").get()
    may_start("maria", step.run.workflow, "view_workflow", "intervene_workflow")
    maria, door = sign_in("maria"), f"steps/{step.uid}/assign"

    queue = maria.get(f"/runs/queue?role={step.role}").content.decode()
    assert f"/runs/{step.run.uid}?ask=step&amp;step={step.uid}&amp;act=assign#hand" in queue
    card = maria.get(f"/runs/{step.run.uid}?ask=step&step={step.uid}&act=assign").content.decode()
    assert "Whoever has the least in hand" in card and "0 in hand" in card
    given = {"step": str(step.uid), "agent": "", "minutes": "30", "why": "Spread the load."}
    assert maria.post(f"/runs/{step.run.uid}/assign", {**given, "minutes": "0"}).status_code == 400
    assert maria.post(f"/runs/{step.run.uid}/assign", {**given, "why": ""}).status_code == 400
    assert maria.post(f"/runs/{step.run.uid}/assign", given).status_code == 302
    step.refresh_from_db()
    assert step.assigned_to == halden.agents["AP-01"]
    assert "kept until" in maria.get(f"/runs/{step.run.uid}").content.decode()

    for wrong in ({"agent": "AP-99"}, {"minutes": 2000}, {"why": " "}):
        assert maria.call("post", door, {"why": "x", **wrong}).status_code == 400, wrong
    told = maria.call("post", door, {"why": "It knows the seller.", "agent": "AP-01", "minutes": 5})
    assert (told.status_code, told.json()["assigned_to"]) == (200, "AP-01")
    assert sign_in("priya").call("post", door, {"why": "x"}).status_code in (403, 404)


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=60), st.integers(1, 5))
def test_turns_share_by_weight_whatever_came_first(arrivals: list[str], weight: int) -> None:
    shares: dict[str, float] = {"a": 1.0, "b": 1.0 / weight}
    last: dict[str, float] = {}
    ready: list[tuple[float, str]] = []
    for unit in arrivals:
        turn = behind(last.get(unit), min((each for each, _ in ready), default=None), shares[unit])
        last[unit] = turn
        ready.append((turn, unit))

    served = Counter[str]()
    waiting = Counter(arrivals)
    for _, unit in sorted(ready):
        if all(waiting[each] > served[each] for each in "ab"):
            served[unit] += 1
            assert served["b"] <= weight * (served["a"] + 1) + 1
            assert served["a"] <= served["b"] / weight + 2
        else:
            served[unit] += 1
