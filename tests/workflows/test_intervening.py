"""People look after running work: they pause it, put right what failed, skip, change, give away, begin again."""

from datetime import timedelta
from typing import Any

import pytest

from agents import operations as agents
from governance.models import Escalation
from observability import ledger
from observability.ledger import database_now
from observability.models import Event
from workflows import operations, tasks
from workflows.models import Run, Step, Timer

READ = {"readable": True, "number": "2026-1187", "seller": "Kessler Maschinenbau GmbH", "currency": "EUR"}
WHY = {"why": "The supplier called."}


def start(robot: Any, key: str = "1187") -> Run:
    """A run that waits for its first step to be read."""
    body = {"workflow": "invoice-to-payment", "key": key, "input": {"document": f"{key}.xml"}}
    assert robot("AP-01").call("post", "runs", body).status_code == 201
    return Run.objects.get(key=key)


def broken(robot: Any, key: str = "1187") -> Step:
    """A step that failed for good: a person is asked about it."""
    run = start(robot, key)
    work = robot("AP-01").claim()
    body = {"lease_token": work["lease_token"], "reason": "The file is not XML.", "retryable": False}
    assert robot("AP-01").call("post", f"steps/{work['step']}/fail", body).status_code == 200
    return run.steps.get()


def asked(robot: Any, key: str = "1187") -> Run:
    """A run that waits for a person's answer to an exception, under a clock."""
    run = start(robot, key)
    for code, output in (
        ("AP-01", {**READ, "total": "9000.00"}), ("RK-01", {"findings": 1, "kinds": "price"}),
        ("AP-02", {"matched": True, "status": "matched"}),
    ):  # fmt: skip
        assert robot(code).finish(robot(code).claim(), **output).status_code == 200
    return run


def again(row: Any) -> Any:
    """The row as it stands now."""
    return type(row).objects.get(pk=row.pk)


# --- pause ----------------------------------------------------------------------------------------------------
def test_a_paused_run_hands_nothing_out_and_takes_back_what_was_held(robot: Any, sign_in: Any) -> None:
    run, maria = start(robot), sign_in("maria")
    work = robot("AP-01").claim()

    answer = maria.call("post", f"runs/{run.uid}/pause", WHY)

    assert (answer.status_code, answer.json()["status"]) == (200, "paused")
    assert robot("AP-01").claim() is None
    late = robot("AP-01").finish(work, **READ, total="1.00")
    assert (late.status_code, late.json()["code"]) == (409, "lease_void")
    step = run.steps.get()
    assert (step.status, step.attempt) == ("ready", 0), "nobody is blamed"

    assert maria.call("post", f"runs/{run.uid}/resume", WHY).json()["status"] == "running"
    assert robot("AP-01").claim()["step"] == work["step"]
    assert set(Event.objects.filter(run=str(run.uid), why=WHY["why"]).values_list("verb", flat=True)) >= {
        "run.paused", "run.resumed",
    }  # fmt: skip


def test_the_clocks_of_a_paused_run_stand_still(robot: Any, halden: Any) -> None:
    run, maria, at = asked(robot), halden.people["maria"], database_now()
    timer, question = Timer.objects.get(), Escalation.objects.get()
    operations.pause_run(run, by=maria, at=at, why="Holidays")
    long_after = timer.due_at + timedelta(days=2)

    assert timer not in Timer.objects.due(long_after)
    assert operations.fire_timer(timer, at=long_after) is False
    operations.pass_deadline(question, at=long_after)
    assert (again(timer).status, again(question).status) == ("set", "open")

    operations.resume_run(run, by=maria, at=at + timedelta(days=3), why="Back")
    assert again(timer).due_at == timer.due_at + timedelta(days=3)
    assert again(question).due_at == question.due_at + timedelta(days=3)
    assert operations.fire_timer(again(timer), at=again(timer).due_at) is True


def test_the_sweeps_leave_paused_runs_alone(robot: Any, halden: Any) -> None:
    run = asked(robot)
    yesterday = database_now() - timedelta(days=1)
    Timer.objects.update(due_at=yesterday)
    Escalation.objects.update(due_at=yesterday)
    operations.pause_run(run, by=halden.people["maria"], at=database_now(), why="Holidays")

    assert (tasks.fire_timers(), tasks.pass_deadlines()) == (0, 0)
    assert Escalation.objects.get().status == "open"


def test_who_was_allowed_to_act_still_reports_from_a_paused_run(robot: Any, halden: Any) -> None:
    run, clerk = start(robot), robot("AP-04")
    robot("AP-01").finish(robot("AP-01").claim(), **READ, total="310.00")
    robot("RK-01").finish(robot("RK-01").claim(), findings=0, kinds="")
    robot("AP-02").finish(robot("AP-02").claim(), matched=True, status="matched")
    work = clerk.claim()
    properties = {"seller": READ["seller"], "order_matched": True, "findings": 0, "bank_changed_days": 412}
    question = {
        "step": work["step"], "lease_token": work["lease_token"], "action": "invoice.pay",
        "resource": {"type": "invoice", "id": "2026-1187", "properties": properties},
        "context": {"amount": "310.00", "currency": "EUR"}, "title": "Pay EUR 310.00",
    }  # fmt: skip
    assert clerk.call("post", "actions", question).json()["effect"] == "allow"
    operations.pause_run(run, by=halden.people["maria"], at=database_now(), why="Holidays")

    assert clerk.call("post", "actions", question, key="another").json()["code"] == "lease_void"
    assert clerk.finish(work, paid=True, message_id="M-1", file="x.xml").status_code == 200
    assert again(run).status == "done"


def test_a_step_claimed_in_the_moment_of_the_pause_is_put_back_by_the_sweep(robot: Any, halden: Any) -> None:
    run, at = start(robot), database_now()
    operations.pause_run(run, by=halden.people["maria"], at=at, why="Holidays")
    Step.objects.update(status="working", agent=halden.agents["AP-01"], leased_until=at + timedelta(hours=1))

    assert tasks.keep_stops() == 1
    assert run.steps.get().status == "ready"


# --- put right ------------------------------------------------------------------------------------------------
def test_failed_work_is_tried_again_and_the_question_about_it_withdrawn(robot: Any, sign_in: Any) -> None:
    step = broken(robot)

    answer = sign_in("maria").call("post", f"steps/{step.uid}/retry", {"why": "A new file is there."})

    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert Escalation.objects.get().status == "withdrawn"
    assert robot("AP-01").claim()["attempt"] == 1


def test_work_that_waits_for_its_next_try_is_tried_at_once(robot: Any, sign_in: Any) -> None:
    start(robot)
    work = robot("AP-01").claim()
    body = {"lease_token": work["lease_token"], "reason": "No answer.", "retryable": True}
    robot("AP-01").call("post", f"steps/{work['step']}/fail", body)
    assert robot("AP-01").claim() is None

    assert sign_in("maria").call("post", f"steps/{work['step']}/retry", WHY).status_code == 200
    assert robot("AP-01").claim()["step"] == work["step"]
    once_more = sign_in("maria").call("post", f"steps/{work['step']}/retry", WHY)
    assert (once_more.status_code, once_more.json()["code"]) == (409, "wrong_status")


def test_a_step_is_skipped_with_outputs_that_fit(robot: Any, sign_in: Any) -> None:
    step, maria = broken(robot), sign_in("maria")
    wrong = maria.call("post", f"steps/{step.uid}/skip", {**WHY, "output": {"readable": "perhaps"}})
    assert wrong.status_code == 400
    assert again(step).status == "failed", "nothing half done"

    body = {**WHY, "output": {**READ, "total": "9000.00"}}
    answer = maria.call("post", f"steps/{step.uid}/skip", body)

    assert (answer.status_code, answer.json()["status"]) == (200, "skipped")
    run = again(step.run)
    assert run.variables["read"]["total"] == "9000.00"
    assert set(run.steps.filter(status="ready").values_list("element", flat=True)) == {"match", "anomalies"}
    assert Event.objects.get(verb="step.skipped").data["output"]["number"] == "2026-1187"


def test_the_agent_whose_step_was_skipped_is_told(robot: Any, sign_in: Any) -> None:
    run = start(robot)
    work = robot("AP-01").claim()
    sign_in("maria").call("post", f"steps/{work['step']}/skip", {**WHY, "output": {**READ, "total": "1.00"}})

    late = robot("AP-01").finish(work, **READ, total="2.00")

    assert (late.status_code, late.json()["code"]) == (409, "stale_lease")
    assert again(run).variables["read"]["total"] == "1.00"


def test_a_decision_of_people_is_not_skipped(robot: Any, sign_in: Any) -> None:
    run = asked(robot)
    step = run.steps.get(element="exception")

    answer = sign_in("maria").call("post", f"steps/{step.uid}/skip", {**WHY, "output": {"outcome": "approved"}})

    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")
    assert again(step).status == "waiting"


def test_work_is_given_to_one_agent_alone(robot: Any, sign_in: Any, halden: Any) -> None:
    step, maria = broken(robot), sign_in("maria")
    for body in ({"agent": "HR-99"}, {"role": "nobody"}, {"agent": "AP-01", "role": "payments-clerk"}, {}):
        answer = maria.call("post", f"steps/{step.uid}/reassign", {**WHY, **body})
        assert answer.status_code == 400, body

    assert maria.call("post", f"steps/{step.uid}/reassign", {**WHY, "agent": "AP-02"}).status_code == 200

    assert again(step).role == halden.agents["AP-02"].role.code
    assert robot("AP-01").claim() is None
    assert robot("AP-02").claim()["step"] == str(step.uid)


def test_work_of_one_agent_alone_is_open_to_its_role_once_that_agent_is_paused(robot: Any, halden: Any) -> None:
    step = broken(robot)
    operations.reassign(step, agent="AP-01", by=halden.people["maria"], at=database_now(), why="Knows it")
    other = halden.agents["AP-02"]
    other.role = halden.agents["AP-01"].role
    assert not Step.objects.ready_for(other, database_now()).exists()

    type(other).objects.filter(code="AP-01").update(status="paused")

    assert Step.objects.ready_for(other, database_now()).get() == step


# --- change what is known ----------------------------------------------------------------------------------------
def test_a_variable_is_changed_by_its_type_with_old_and_new_in_the_ledger(robot: Any, sign_in: Any) -> None:
    run, maria = asked(robot), sign_in("maria")
    change = {**WHY, "variable": "read.total", "value": "900.00", "before": "9000.00"}
    for wrong in (
        {"value": "much"}, {"variable": "read.nothing"}, {"variable": "nowhere.total"}, {"value": "9000.00"},
        {"variable": "read"}, {"why": " "},
    ):  # fmt: skip
        assert maria.call("post", f"runs/{run.uid}/variables", change | wrong).status_code == 400, wrong

    answer = maria.call("post", f"runs/{run.uid}/variables", change)

    assert (answer.status_code, answer.json()["variables"]["read"]["total"]) == (200, "900.00")
    told = Event.objects.get(verb="run.variable_changed")
    assert told.data == {"variable": "read.total", "before": "9000.00", "after": "900.00"}
    stale = maria.call("post", f"runs/{run.uid}/variables", {**change, "value": "1.00"})
    assert (stale.status_code, stale.json()["code"]) == (409, "too_late"), "somebody else was faster"


def test_whoever_is_asked_is_asked_anew_once_what_they_read_changed(robot: Any, sign_in: Any) -> None:
    run, priya = asked(robot), sign_in("priya")
    (old,) = priya.call("get", "escalations").json()["results"]

    sign_in("maria").call("post", f"runs/{run.uid}/variables", {**WHY, "variable": "read.total", "value": "900.00"})

    late = priya.call("post", f"escalations/{old['id']}/approve", {"request_sha256": old["request_sha256"]})
    assert late.status_code == 409
    (new,) = priya.call("get", "escalations").json()["results"]
    assert new["request_sha256"] != old["request_sha256"]
    body = {"request_sha256": new["request_sha256"]}
    assert priya.call("post", f"escalations/{new['id']}/approve", body).status_code == 200
    assert again(run).steps.filter(element="pay").exists()


# --- move -----------------------------------------------------------------------------------------------------
def test_a_run_goes_on_at_another_element_and_what_was_open_is_taken_back(robot: Any, sign_in: Any) -> None:
    run, maria = asked(robot), sign_in("maria")
    step = run.steps.get(element="exception")
    for to in ("nowhere", "start", "exception"):
        wrong = maria.call("post", f"runs/{run.uid}/move", {**WHY, "token": step.token, "to": to})
        assert wrong.status_code == 400, to

    answer = maria.call("post", f"runs/{run.uid}/move", {**WHY, "token": step.token, "to": "pay"})

    assert answer.status_code == 200
    assert (again(step).status, Escalation.objects.get().status) == ("cancelled", "withdrawn")
    assert Timer.objects.get().status == "stopped"
    assert run.steps.get(status="ready").element == "pay"
    assert Event.objects.get(verb="run.moved").data["from"] == "exception"
    late = maria.call("post", f"runs/{run.uid}/move", {**WHY, "token": step.token, "to": "read"})
    assert (late.status_code, late.json()["code"]) == (409, "wrong_status")


def test_who_started_a_run_moves_it_past_no_question_to_people(halden: Any, robot: Any, now: Any) -> None:
    run = asked(robot)
    maria, step = halden.people["maria"], run.steps.get(element="exception")
    Run.objects.update(started_by=maria)

    with pytest.raises(ledger.NotAllowed):
        operations.move_token(again(run), step.token, "pay", by=maria, at=now, why="In a hurry")
    assert again(step).status == "waiting"


SLOW = """
    <startEvent id="start"/><intermediateCatchEvent id="wait" name="A week later"><timerEventDefinition>
      <timeDuration>P7D</timeDuration></timerEventDefinition></intermediateCatchEvent>
    <serviceTask id="look" name="Look" aos:role="invoice-reader"/><endEvent id="end"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="wait"/><sequenceFlow id="f2" sourceRef="wait" targetRef="look"/>
    <sequenceFlow id="f3" sourceRef="look" targetRef="end"/>"""


def test_a_run_that_waits_for_time_need_not_wait(drawn: Any, sign_in: Any, now: Any) -> None:
    run, _ = operations.start(drawn("slow", SLOW).workflow, key="1", variables={}, by=ledger.SYSTEM, at=now)
    maria = sign_in("maria")
    page = maria.get(f"/runs/{run.uid}").content.decode()
    assert ("Waits for time" in page, "A week later" in page, "ask=token" in page) == (True, True, True)
    token = again(run).marking["tokens"][0]["id"]
    assert "Look" in maria.get(f"/runs/{run.uid}?ask=token&token={token}").content.decode()

    maria.post(f"/runs/{run.uid}/move", {"token": token, "to": "look", "why": "It is there already"})

    assert (run.steps.get().status, Timer.objects.get().status) == ("ready", "stopped")


# --- begin again ----------------------------------------------------------------------------------------------
def test_a_run_begins_again_as_a_new_one_with_the_same_inputs(robot: Any, sign_in: Any, halden: Any) -> None:
    run, maria = start(robot), sign_in("maria")
    assert maria.call("post", f"runs/{run.uid}/restart", WHY).status_code == 409, "it is still under way"
    operations.cancel(run, by=halden.people["maria"], at=database_now(), why="Sent twice")

    answer = maria.call("post", f"runs/{run.uid}/restart", WHY, key="once")

    assert answer.status_code == 201
    new = Run.objects.get(key="1187-2")
    assert (answer.json()["id"], new.repeats, new.variables) == (str(new.uid), run, run.variables)
    assert maria.call("post", f"runs/{run.uid}/restart", WHY, key="once").json() == answer.json()
    assert Run.objects.count() == 2
    taken = maria.call("post", f"runs/{run.uid}/restart", {**WHY, "key": "1187-2"})
    assert (taken.status_code, Run.objects.count()) == (400, 2)


# --- many at once ---------------------------------------------------------------------------------------------
def test_many_runs_are_paused_together_and_each_failure_is_told(robot: Any, sign_in: Any, halden: Any) -> None:
    runs = [start(robot, key) for key in ("1", "2", "3")]
    operations.cancel(runs[2], by=halden.people["maria"], at=database_now(), why="Sent twice")
    body = {**WHY, "act": "pause", "runs": [str(run.uid) for run in runs]}

    answer = sign_in("maria").call("post", "runs/together", body)

    assert answer.status_code == 200
    assert [each["done"] for each in answer.json()["results"]] == [True, True, False]
    assert "has ended" in answer.json()["results"][2]["problem"]
    assert [again(run).status for run in runs] == ["paused", "paused", "cancelled"]


@pytest.mark.parametrize("wrong", [{"act": "delete"}, {"runs": []}, {"why": " "}, {"runs": "twice"}])
def test_what_cannot_be_done_together_is_refused_whole(wrong: dict[str, Any], robot: Any, sign_in: Any) -> None:
    run = start(robot)
    body = {**WHY, "act": "pause", "runs": [str(run.uid)]} | wrong
    body["runs"] = [str(run.uid)] * 2 if body["runs"] == "twice" else body["runs"]

    assert sign_in("maria").call("post", "runs/together", body).status_code == 400
    assert again(run).status == "running"


def test_every_failed_step_of_the_runs_is_tried_again(robot: Any, sign_in: Any) -> None:
    steps = [broken(robot, key) for key in ("1", "2")]
    body = {**WHY, "act": "retry", "runs": [str(step.run.uid) for step in steps]}

    answer = sign_in("maria").call("post", "runs/together", body)

    assert [each["done"] for each in answer.json()["results"]] == [True, True]
    assert {again(step).status for step in steps} == {"ready"}


# --- rights ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", ["sofia", "edith", "tomasz"])
def test_intervening_needs_the_right(who: str, robot: Any, sign_in: Any) -> None:
    step = broken(robot)
    run, person = step.run, sign_in(who)

    for path, body in (
        (f"runs/{run.uid}/pause", {}), (f"runs/{run.uid}/restart", {}), (f"steps/{step.uid}/retry", {}),
        (f"steps/{step.uid}/skip", {"output": {}}), (f"steps/{step.uid}/reassign", {"agent": "AP-02"}),
        (f"runs/{run.uid}/variables", {"variable": "input.document", "value": "x"}),
    ):  # fmt: skip
        assert person.call("post", path, {**WHY, **body}).status_code in (403, 404), path
    assert (again(run).status, again(step).status) == ("running", "failed")


def test_the_right_is_given_on_one_workflow(robot: Any, sign_in: Any, halden: Any) -> None:
    step, priya = broken(robot), sign_in("priya")
    assert priya.call("post", f"steps/{step.uid}/retry", WHY).status_code == 403
    agents.grant(
        "workflows.intervene_workflow", halden.people["priya"], halden.workflow, by=ledger.SYSTEM, at=database_now()
    )

    assert sign_in("priya").call("post", f"steps/{step.uid}/retry", WHY).status_code == 200
