"""Limits: past one a run stands still, nothing that happens to it is lost, and a person says whether it goes on."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import override_settings

from governance.models import Escalation, Incident
from tests.workflows.drawings import agent, line
from workflows import tasks
from workflows.models import Run, Step

LIST = '<extensionElements><aos:input name="orders" type="list"/></extensionElements>'
MANY = (
    f'<startEvent id="start">{LIST}</startEvent>'
    + agent(
        "check", outputs="sound:bool",
        loop='<multiInstanceLoopCharacteristics aos:collection="vars.input.orders" aos:element="order"/>',
    )
    + '<endEvent id="end" name="All checked"/>' + line("start", "check", "end")
)  # fmt: skip
AGAIN = (
    '<startEvent id="start"/>' + agent("first") + agent("second") + '<endEvent id="end" name="Over"/>'
    + line("start", "first", "second", "end")
)  # fmt: skip


@pytest.fixture
def begun(drawn: Any, may_start: Any, sign_in: Any) -> Any:
    """`begun(elements, **inputs)` publishes a workflow and begins a run of it."""

    def begin(elements: str, **inputs: Any) -> Run:
        may_start("maria", drawn("limited", elements).workflow)
        body = {"workflow": "limited", "key": "1", "input": inputs}
        answer = sign_in("maria").call("post", "runs", body)
        assert answer.status_code == 201, answer.content
        return Run.objects.get()

    return begin


def answered(person: Any, answer: str) -> None:
    """Somebody answers the question that is open."""
    asked = Escalation.objects.get(status="open")
    body = {"request_sha256": asked.request_sha256, "reason": "Looked at it.", "reason_code": "other"}
    given = person.call("post", f"escalations/{asked.uid}/{answer}", body)
    assert given.status_code == 200, given.content


def test_each_instance_has_its_item_and_the_results_stand_in_the_order_of_the_list(begun: Any, robot: Any) -> None:
    run, reader = begun(MANY, orders=["a", "b", "c"]), robot("AP-01")
    works = [reader.claim() for _ in range(3)]
    assert [(work["index"], work["item"]) for work in works] == [(0, "a"), (1, "b"), (2, "c")]

    for work in reversed(works):
        assert reader.finish(work, sound=work["item"] != "b").status_code == 200

    run.refresh_from_db()
    assert run.status == "done"
    assert run.variables["check"] == {"items": [{"sound": True}, {"sound": False}, {"sound": True}]}


def test_two_hundred_instances_are_no_circle(begun: Any, robot: Any) -> None:
    begun(MANY, orders=[str(number) for number in range(200)])
    reader = robot("AP-01")

    assert reader.finish(reader.claim(), sound=True).status_code == 200

    assert not Incident.objects.exists()
    assert reader.claim() is not None


@override_settings(FAN_OUT_AT_MOST=2)
def test_too_many_instances_wait_for_a_yes_and_then_all_of_them_are_opened(
    begun: Any, robot: Any, sign_in: Any
) -> None:
    run, reader = begun(MANY, orders=["a", "b", "c"]), robot("AP-01")
    assert (run.over_limit, run.steps.filter(element="check").count()) == ("fan-out", 0)
    assert reader.claim() is None

    answered(sign_in("priya"), "approve")

    run.refresh_from_db()
    assert (run.over_limit, run.kept, run.allowance) == ("", [], 2)
    assert run.steps.filter(element="check", status="ready").count() == 3


@override_settings(FAN_OUT_AT_MOST=2)
def test_a_no_ends_a_run_that_stands_still(begun: Any, sign_in: Any) -> None:
    run = begun(MANY, orders=["a", "b", "c"])

    answered(sign_in("priya"), "reject")

    run.refresh_from_db()
    assert (run.status, run.outcome) == ("failed", "Given up")


@override_settings(RUN_COST_AT_MOST=Decimal("0.015"))
def test_a_run_that_is_over_asks_nobody_about_its_cost(begun: Any, robot: Any) -> None:
    run, reader = begun(AGAIN), robot("AP-01")
    reader.finish(reader.claim())
    assert reader.finish(reader.claim()).status_code == 200

    run.refresh_from_db()
    assert run.status == "done", "what is at its end needs no more"
    assert run.cost == Decimal("0.02")


@override_settings(RUN_COST_AT_MOST=Decimal("0.005"))
def test_nothing_more_is_handed_out_of_a_run_that_costs_too_much(begun: Any, robot: Any, sign_in: Any) -> None:
    run, reader = begun(AGAIN), robot("AP-01")
    assert reader.finish(reader.claim()).status_code == 200
    run.refresh_from_db()
    assert run.over_limit == "cost"
    assert reader.claim() is None

    answered(sign_in("priya"), "approve")

    assert reader.claim()["element"] == "second"


@override_settings(RUN_DAYS_AT_MOST=1)
def test_a_run_that_takes_too_long_stands_still_until_a_person_lets_it_go_on(
    begun: Any, robot: Any, sign_in: Any, now: Any
) -> None:
    run, reader = begun(AGAIN), robot("AP-01")
    work = reader.claim()
    Run.objects.update(started_at=now - timedelta(days=1, minutes=1))

    assert (tasks.watch_limits(), tasks.watch_limits()) == (1, 0)
    assert reader.finish(work).status_code == 200, "who holds a step still reports on it"
    assert reader.claim() is None
    run.refresh_from_db()
    assert (run.over_limit, len(run.kept)) == ("time", 1)

    answered(sign_in("priya"), "approve")

    assert reader.claim()["element"] == "second"
    assert tasks.watch_limits() == 0, "it may take as long again"


def test_a_step_that_an_agent_works_on_for_too_long_is_put_to_a_person(begun: Any, robot: Any, now: Any) -> None:
    begun(AGAIN.replace('name="First"', 'name="First" aos:timeLimit="PT1M" aos:lease="PT1H"'))
    reader = robot("AP-01")
    work = reader.claim()
    Step.objects.update(started_at=now - timedelta(minutes=2))

    assert (tasks.watch_limits(), tasks.watch_limits()) == (1, 0)

    assert reader.finish(work).json()["code"] == "stale_lease"
    assert Step.objects.get().status == "failed"
    assert Escalation.objects.get().kind == "incident"


def test_a_step_that_costs_more_than_drawn_is_put_to_a_person_before_the_run_goes_on(
    begun: Any, robot: Any, sign_in: Any
) -> None:
    run = begun(AGAIN.replace('name="First"', 'name="First" aos:costLimit="0.005"'))
    reader = robot("AP-01")
    assert reader.finish(reader.claim()).status_code == 200
    run.refresh_from_db()
    assert run.over_limit == "step cost" and reader.claim() is None

    answered(sign_in("priya"), "approve")

    assert reader.claim()["element"] == "second"


@override_settings(LOOP_TURNS_AT_MOST=2)
def test_a_loop_that_turns_too_often_stands_still(begun: Any, robot: Any) -> None:
    circle = (
        '<startEvent id="start"/><exclusiveGateway id="in"/>' + agent("try", outputs="done:bool")
        + '<exclusiveGateway id="out" default="out-in"/><endEvent id="end" name="Over"/>'
        + line("start", "in", "try", "out") + line("out", "in")
        + '<sequenceFlow id="leave" sourceRef="out" targetRef="end"><conditionExpression>vars.try.done'
        "</conditionExpression></sequenceFlow>"
    )  # fmt: skip
    run, reader = begun(circle), robot("AP-01")

    for _ in range(3):
        work = reader.claim()
        if work is None:
            break
        assert reader.finish(work, done=False).status_code == 200

    run.refresh_from_db()
    assert run.over_limit == "turns"
