"""Runs: started once for each key, joined once, timed once, cancelled with everything that hangs on them."""

from datetime import timedelta
from typing import Any

import pytest

from agents import operations as agents
from governance.models import Escalation
from observability import ledger
from observability.models import Event
from workflows import operations
from workflows.models import Run, Step, Timer, Workflow
from workflows.operations.definitions import BpmnRefused, graph_of, publish

JOIN_THAT_NEVER_COMES = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="x"
             xmlns:aos="https://autonomy-os.org/bpmn/1">
  <process id="half" name="Half a join" isExecutable="true">
    <startEvent id="start"/><exclusiveGateway id="either" default="f2"/>
    <serviceTask id="left" name="Left" aos:role="invoice-reader"/>
    <serviceTask id="right" name="Right" aos:role="invoice-reader"/>
    <parallelGateway id="both"/><endEvent id="end" name="Done"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="either"/>
    <sequenceFlow id="f2" sourceRef="either" targetRef="left"/>
    <sequenceFlow id="f3" sourceRef="either" targetRef="right">
      <conditionExpression>1 == 2</conditionExpression>
    </sequenceFlow>
    <sequenceFlow id="f4" sourceRef="left" targetRef="both"/><sequenceFlow id="f5" sourceRef="right" targetRef="both"/>
    <sequenceFlow id="f6" sourceRef="both" targetRef="end"/>
  </process>
</definitions>"""


def start(client: Any, key: str = "1", **more: Any) -> Any:
    """Ask to start a run."""
    return client.call(
        "post", "runs", {"workflow": "invoice-to-payment", "key": key, "input": {"document": "1.xml"}, **more}
    )


def settle(person: Any, how: str = "approve", **more: Any) -> Any:
    """Answer the only open question."""
    (asked,) = person.call("get", "escalations").json()["results"]
    return person.call("post", f"escalations/{asked['id']}/{how}", {"request_sha256": asked["request_sha256"], **more})


def test_the_same_key_is_the_same_run(robot: Any) -> None:
    first, again = start(robot("AP-01")), start(robot("AP-01"))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert Run.objects.count() == Step.objects.count() == 1


def test_inputs_that_do_not_fit_start_nothing(robot: Any) -> None:
    for wrong, field in (({"document": 5}, "document"), ({"documents": "x"}, "documents")):
        answer = start(robot("AP-01"), input=wrong)
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Run.objects.exists()
    assert not Event.objects.filter(verb="run.started").exists()


def test_who_may_not_start_runs_starts_none(robot: Any, sign_in: Any) -> None:
    assert start(robot("AP-02")).status_code == 403
    assert start(sign_in("priya")).status_code == 403
    assert start(sign_in("tomasz")).status_code == 404
    assert start(sign_in("maria")).status_code == 201


def test_parallel_branches_join_once_in_either_order(robot: Any) -> None:
    reader, matcher, scout, clerk = (robot(code) for code in ("AP-01", "AP-02", "RK-01", "AP-04"))
    for key in ("1", "2"):
        start(reader, key)
        reader.finish(reader.claim(), readable=True)
    branches = [(matcher, {"matched": True}), (scout, {"findings": 0})]

    for order in (branches, branches[::-1]):
        for agent, output in order:
            assert clerk.claim() is None
            agent.finish(agent.claim(), **output)
        assert clerk.claim() is not None

    assert Step.objects.filter(element="pay").count() == 2


def test_the_timer_on_a_question_fires_once_and_asks_the_controller(bring: Any, sign_in: Any) -> None:
    bring(findings=1)
    asked, timer = Escalation.objects.get(), Timer.objects.get()
    assert asked.due_at == timer.due_at == asked.opened_at + timedelta(hours=4)
    assert asked.title.startswith("Pay 9,000.00 EUR to Kessler Maschinenbau GmbH for invoice 2026-1187")

    assert operations.fire_timer(timer, at=timer.due_at)
    assert operations.fire_timer(Timer.objects.get(pk=timer.pk), at=timer.due_at) is False
    operations.pass_deadline(asked, at=timer.due_at)

    assert list(Escalation.objects.order_by("id").values_list("status", "path__key")) == [
        ("withdrawn", "invoice-exceptions"), ("open", "group-controller"),
    ]  # fmt: skip
    assert Step.objects.get(element="exception").status == "cancelled"
    assert Step.objects.filter(element="controller").count() == 1
    assert settle(sign_in("maria")).status_code == 200
    assert Step.objects.get(element="pay").status == "ready"


def test_the_sweep_of_deadlines_fires_the_timer_too_and_only_once(bring: Any) -> None:
    bring(findings=1)
    asked, timer = Escalation.objects.get(), Timer.objects.get()

    operations.pass_deadline(asked, at=timer.due_at)

    assert operations.fire_timer(timer, at=timer.due_at) is False
    assert Step.objects.filter(element="controller").count() == 1


def test_an_answer_in_time_stops_the_timer(bring: Any, sign_in: Any) -> None:
    bring(findings=1)
    assert settle(sign_in("priya")).status_code == 200

    timer = Timer.objects.get()
    assert timer.status == "stopped"
    assert operations.fire_timer(timer, at=timer.due_at) is False
    assert Step.objects.filter(element="pay").get().status == "ready"


def test_a_no_ends_the_run_as_rejected_with_the_reason(bring: Any, sign_in: Any) -> None:
    bring(findings=1)
    settle(sign_in("priya"), "reject", reason="Not ours")

    run = Run.objects.get()
    assert (run.status, run.outcome, run.variables["exception"]) == ("done", "Rejected", {"outcome": "rejected"})
    assert Step.objects.get(element="exception").note == "Not ours"


def test_cancelling_takes_back_steps_questions_and_timers(bring: Any, robot: Any, halden: Any, now: Any) -> None:
    bring(findings=1)
    start(robot("AP-01"), "2")
    work = robot("AP-01").claim()

    for run in Run.objects.all():
        operations.cancel(run, by=halden.people["maria"], at=now, why="Sent twice")

    assert set(Run.objects.values_list("status", "outcome")) == {("cancelled", "Cancelled")}
    assert not Step.objects.open().exists()
    assert not Escalation.objects.open().exists()
    assert not Timer.objects.filter(status="set").exists()
    assert robot("AP-01").finish(work, readable=True).json()["code"] == "stale_lease"
    assert Event.objects.filter(verb="run.cancelled", why="Sent twice").count() == 2


def test_cancelling_takes_back_the_question_about_failed_work(robot: Any, halden: Any, now: Any) -> None:
    reader = robot("AP-01")
    start(reader)
    work = reader.claim()
    reader.call("post", f"steps/{work['step']}/fail", {"lease_token": 1, "reason": "Broken", "retryable": False})
    asked = Escalation.objects.get()

    operations.cancel(Run.objects.get(), by=halden.people["maria"], at=now, why="Sent twice")

    assert Escalation.objects.get().status == "withdrawn"
    assert Step.objects.get().status == "cancelled"
    with pytest.raises(ledger.TooLate):
        operations.settle(
            asked.uid, "approved", reviewer=halden.people["priya"], at=now, request_sha256=asked.request_sha256
        )
    assert reader.claim() is None, "nothing of a cancelled run comes back"


def test_giving_one_branch_up_takes_back_the_question_about_the_other(robot: Any, halden: Any, now: Any) -> None:
    start(robot("AP-01"))
    robot("AP-01").finish(robot("AP-01").claim(), readable=True)
    for code in ("AP-02", "RK-01"):
        work = robot(code).claim()
        body = {"lease_token": 1, "reason": f"{code} is broken", "retryable": False}
        robot(code).call("post", f"steps/{work['step']}/fail", body)
    first, second = Escalation.objects.order_by("id")

    operations.settle(
        first.uid, "rejected", reviewer=halden.people["priya"], at=now, request_sha256=first.request_sha256, reason="No"
    )

    second.refresh_from_db()
    assert (Run.objects.get().status, second.status) == ("failed", "withdrawn")


def test_a_run_that_ended_cannot_be_cancelled(bring: Any, sign_in: Any, halden: Any, now: Any) -> None:
    bring(findings=1)
    settle(sign_in("priya"), "reject", reason="Not ours")

    with pytest.raises(ledger.WrongStatus):
        operations.cancel(Run.objects.get(), by=halden.people["maria"], at=now, why="Late")
    assert Run.objects.get().status == "done"


def test_cancelling_needs_the_right_and_a_reason(bring: Any, halden: Any, now: Any) -> None:
    bring()
    for name in ("priya", "sofia", "edith", "tomasz"):
        with pytest.raises(ledger.NotAllowed):
            operations.cancel(Run.objects.get(), by=halden.people[name], at=now, why="x")
    with pytest.raises(ledger.Invalid):
        operations.cancel(Run.objects.get(), by=halden.people["maria"], at=now, why=" ")


def test_a_join_that_can_never_open_is_put_to_a_person_who_can_only_give_up(
    halden: Any, robot: Any, sign_in: Any, now: Any
) -> None:
    place = {"unit": halden.units["finance"], "owner": halden.people["maria"]}
    place["incident_path"] = halden.workflow.incident_path
    with pytest.raises(BpmnRefused) as refused:
        publish("half", JOIN_THAT_NEVER_COMES.encode(), by=ledger.SYSTEM, at=now, **place)
    assert any("can wait for ever" in reason for reason in refused.value.fields.values())
    # as it was published before joins were checked
    well_drawn = JOIN_THAT_NEVER_COMES.replace("parallelGateway", "inclusiveGateway").encode()
    version = publish("half", well_drawn, by=ledger.SYSTEM, at=now, **place)
    version.graph["nodes"] = [
        {**node, "kind": "parallel"} if node["kind"] == "inclusive" else node for node in version.graph["nodes"]
    ]
    version.save(update_fields=["graph"])
    graph_of.cache_clear()
    agents.grant(
        "workflows.work_in_workflow", halden.agents["AP-01"].principal, version.workflow, by=ledger.SYSTEM, at=now
    )
    operations.start(Workflow.objects.get(code="half"), key="1", variables={}, by=ledger.SYSTEM, at=now)
    robot("AP-01").finish(robot("AP-01").claim())

    priya = sign_in("priya")
    assert settle(priya).status_code == 409
    assert Run.objects.get().status == "running"

    assert settle(priya, "reject", reason="Drawn wrongly").status_code == 200
    assert Run.objects.get().status == "failed"


TERMINATED = """
    <startEvent id="start"/><parallelGateway id="fork"/>
    <serviceTask id="look" name="Look" aos:role="invoice-reader"><extensionElements>
      <aos:output name="fine" type="bool"/></extensionElements></serviceTask>
    <serviceTask id="stop" name="Stop" aos:role="invoice-reader"/>
    <exclusiveGateway id="fine" name="Fine?" default="f6"/>
    <endEvent id="yes"/><endEvent id="no"/><endEvent id="over" name="Over"><terminateEventDefinition/></endEvent>
    <sequenceFlow id="f1" sourceRef="start" targetRef="fork"/><sequenceFlow id="f2" sourceRef="fork" targetRef="look"/>
    <sequenceFlow id="f3" sourceRef="fork" targetRef="stop"/><sequenceFlow id="f4" sourceRef="look" targetRef="fine"/>
    <sequenceFlow id="f5" sourceRef="fine" targetRef="yes">
      <conditionExpression>vars.look.fine</conditionExpression>
    </sequenceFlow>
    <sequenceFlow id="f6" sourceRef="fine" targetRef="no"/><sequenceFlow id="f7" sourceRef="stop" targetRef="over"/>"""


def test_a_run_that_terminates_takes_back_the_question_about_a_branch_that_was_stuck(
    drawn: Any, robot: Any, now: Any
) -> None:
    version = drawn("terminated", TERMINATED)
    run, _ = operations.start(version.workflow, key="1", variables={}, by=ledger.SYSTEM, at=now)
    reader = robot("AP-01")
    reader.finish(reader.claim())
    asked = Escalation.objects.get()
    assert (asked.kind, asked.status) == ("incident", "open")

    assert reader.finish(reader.claim()).status_code == 200

    run.refresh_from_db()
    asked.refresh_from_db()
    assert (run.status, run.outcome, asked.status) == ("done", "Over", "withdrawn")
    assert not Step.objects.unsettled().exists()


def test_failed_work_with_the_longest_names_is_put_to_a_person_all_the_same(drawn: Any, robot: Any, now: Any) -> None:
    element, name, code, key = "e" * 120, "N" * 200, "c" * 80, "k" * 200
    version = drawn(
        code,
        f"""<startEvent id="start"/><serviceTask id="{element}" name="{name}" aos:role="invoice-reader"/>
        <endEvent id="end"/><sequenceFlow id="f1" sourceRef="start" targetRef="{element}"/>
        <sequenceFlow id="f2" sourceRef="{element}" targetRef="end"/>""",
    )
    operations.start(version.workflow, key=key, variables={}, by=ledger.SYSTEM, at=now)
    work = robot("AP-01").claim()

    body = {"lease_token": work["lease_token"], "reason": "Broken", "retryable": False}
    assert robot("AP-01").call("post", f"steps/{work['step']}/fail", body).status_code == 200

    asked = Escalation.objects.get()
    assert (len(asked.title) <= 300, len(asked.likeness)) == (True, 200)
    assert asked.title.endswith("… again?")
