"""Call activities: a called run tells its caller how it ended, and ends with it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings

from agents.models import Principal
from governance.models import Escalation
from observability import ledger
from observability.models import Event
from tests.workflows.small_drawings import agent, line, process
from workflows import operations, tasks
from workflows.models import Message, Run, Step, Timer, Workflow, WorkflowVersion

ORDER = '<extensionElements><aos:input name="order" type="string"/></extensionElements>'
CHECKS = (
    f'<startEvent id="start">{ORDER}</startEvent>' + agent("check", outputs="sound:bool")
    + '<endEvent id="end" name="Checked"/>' + line("start", "check", "end")
)  # fmt: skip
CALLS = (
    f'<startEvent id="start">{ORDER}</startEvent><callActivity id="ask" calledElement="checking"><extensionElements>'
    '<aos:output name="sound" type="bool"/></extensionElements></callActivity>'
    '<boundaryEvent id="bad" attachedToRef="ask"><errorEventDefinition/></boundaryEvent>'
    + agent("book") + agent("mend") + '<endEvent id="end" name="Booked"/>'
    '<endEvent id="mended" name="Mended"/>' + line("start", "ask", "book", "end") + line("bad", "mend", "mended")
)  # fmt: skip


@pytest.fixture
def maria(drawn: Any, may_start: Any, sign_in: Any) -> Any:
    """Maria, who starts runs that call others."""
    may_start("maria", drawn("checking", CHECKS).workflow, "view_workflow", "cancel_workflow")
    may_start("maria", drawn("calling", CALLS).workflow, "view_workflow", "start_workflow", "cancel_workflow")
    return sign_in("maria")


def begin(client: Any, key: str = "PO-1", workflow: str = "calling") -> Run:
    """A run that calls another one, which is on its way."""
    answer = client.call("post", "runs", {"workflow": workflow, "key": key, "input": {"order": key}})
    assert answer.status_code == 201, answer.content
    tasks.deliver_messages()
    return Run.objects.get(uid=answer.json()["id"])


def test_a_called_run_gets_inputs_and_gives_back_what_the_caller_declares(maria: Any, robot: Any) -> None:
    caller = begin(maria)
    called = caller.children.get()
    assert (called.workflow.code, called.variables["input"], called.depth) == ("checking", {"order": "PO-1"}, 1)
    assert called.started_by == caller.started_by, "who started it decides nothing in either"
    reader = robot("AP-01")

    reader.finish(reader.claim(), sound=True)
    tasks.deliver_messages()

    caller.refresh_from_db()
    assert caller.variables["ask"] == {"sound": True, "outcome": "Checked"}
    assert list(caller.steps.values_list("element", flat=True)) == ["book"]
    assert set(Message.objects.values_list("kind", "status")) == {("call", "taken"), ("ended", "taken")}


def test_a_called_run_that_is_cancelled_is_an_error_that_the_drawing_can_catch(maria: Any) -> None:
    caller = begin(maria)
    called = caller.children.get()

    answer = maria.post(f"/runs/{called.uid}/cancel", {"why": "Wrong order."})
    assert answer.status_code == 302
    tasks.deliver_messages()

    assert list(caller.steps.values_list("element", flat=True)) == ["mend"]


def test_a_cancelled_run_takes_those_that_it_called_with_it(maria: Any, halden: Any, now: Any) -> None:
    caller = begin(maria)
    called = caller.children.get()

    operations.cancel(caller, by=halden.people["maria"], at=now, why="Not wanted.")
    tasks.deliver_messages()

    called.refresh_from_db()
    assert (called.status, called.steps.get().status) == ("cancelled", "cancelled")
    assert Message.objects.get(kind="ended").status == "dropped", "nobody waits for it"


def test_a_call_that_is_still_on_its_way_is_taken_back(maria: Any, halden: Any, now: Any) -> None:
    maria.call("post", "runs", {"workflow": "calling", "key": "PO-1", "input": {"order": "PO-1"}})
    operations.cancel(Run.objects.get(), by=halden.people["maria"], at=now, why="Not wanted.")

    tasks.deliver_messages()

    assert Run.objects.count() == 1
    assert Message.objects.get().status == "dropped"


def test_a_call_waits_while_work_is_paused(maria: Any, council: Any) -> None:
    council("paused", "checking")
    caller = begin(maria)
    assert not caller.children.exists()

    message = Message.objects.get()
    assert message.status == "sent" and "paused" in message.trouble.lower()

    council("normal", "checking")
    operations.deliver(message, at=message.due_at)
    assert caller.children.get().status == "running"


def test_nobody_is_called_by_a_wrong_name(drawn: Any, may_start: Any, sign_in: Any) -> None:
    """Without an event that catches it, a person is asked."""
    nobody = CALLS.replace('calledElement="checking"', 'calledElement="nobody"')
    nobody = nobody[: nobody.index("<boundaryEvent")] + nobody[nobody.index("</boundaryEvent>") + 16 :]
    nobody = nobody.replace(agent("mend"), "").replace('<endEvent id="mended" name="Mended"/>', "")
    nobody = nobody.replace(line("bad", "mend", "mended"), "")
    may_start("maria", drawn("calling", nobody).workflow)

    begin(sign_in("maria"))

    asked = Escalation.objects.get()
    assert asked.kind == "incident"
    assert "There is no workflow nobody" in Step.objects.get().error


@override_settings(CALL_DEPTH_AT_MOST=3)
def test_runs_that_call_themselves_stop_at_a_depth_and_a_person_is_asked(
    drawn: Any, may_start: Any, sign_in: Any
) -> None:
    circle = (
        '<startEvent id="start"><extensionElements><aos:input name="order" type="string"/></extensionElements>'
        '</startEvent><callActivity id="again" calledElement="circle"/><endEvent id="end" name="Over"/>'
        + line("start", "again", "end")
    )
    may_start("maria", drawn("circle", circle).workflow)

    begin(sign_in("maria"), workflow="circle")
    for _ in range(8):
        Message.objects.on_its_way().update(due_at="2020-01-01T00:00:00Z")
        tasks.deliver_messages()

    assert Run.objects.count() == 4
    deepest = Run.objects.order_by("-depth")[0]
    assert (deepest.depth, deepest.over_limit) == (3, "depth")
    assert Escalation.objects.get().kind == "incident"


def test_many_runs_are_called_at_once_and_their_results_stand_in_order(
    drawn: Any, may_start: Any, sign_in: Any, robot: Any
) -> None:
    many = (
        '<startEvent id="start"><extensionElements><aos:input name="orders" type="list"/></extensionElements>'
        '</startEvent><callActivity id="ask" calledElement="checking"><extensionElements>'
        '<aos:output name="sound" type="bool"/></extensionElements>'
        '<multiInstanceLoopCharacteristics aos:collection="vars.input.orders" aos:element="order"/></callActivity>'
        '<endEvent id="end" name="All checked"/>' + line("start", "ask", "end")
    )
    for code, elements in (("checking", CHECKS), ("many", many)):
        may_start("maria", drawn(code, elements).workflow)
    maria = sign_in("maria")
    body = {"workflow": "many", "key": "1", "input": {"orders": ["a", "b", "c"]}}
    answer = maria.call("post", "runs", body)
    assert answer.status_code == 201, answer.content
    tasks.deliver_messages()
    reader = robot("AP-01")

    for sound in (True, False, True):
        reader.finish(reader.claim(), sound=sound)
    tasks.deliver_messages()

    run = Run.objects.get(uid=answer.json()["id"])
    assert run.status == "done", run.marking
    assert [item["sound"] for item in run.variables["ask"]["items"]] == [True, False, True]


def test_an_agent_ends_its_step_with_an_error_of_the_drawing(
    drawn: Any, may_start: Any, sign_in: Any, robot: Any
) -> None:
    caught = (
        '<startEvent id="start"/>' + agent("book") + '<boundaryEvent id="broken" attachedToRef="book">'
        '<errorEventDefinition errorRef="e1"/></boundaryEvent>' + agent("mend") + '<endEvent id="end" name="Over"/>'
        + line("start", "book", "end") + line("broken", "mend", "end")
    )  # fmt: skip
    may_start("maria", drawn("errors", caught).workflow)
    sign_in("maria").call("post", "runs", {"workflow": "errors", "key": "1", "input": {}})
    reader = robot("AP-01")
    work = reader.claim()
    failed = {"lease_token": work["lease_token"], "reason": "The file is torn.", "error_code": "broken"}

    answer = reader.call("post", f"steps/{work['step']}/fail", failed)

    assert (answer.status_code, answer.json()["status"]) == (200, "failed")
    assert list(Step.objects.order_by("pk").values_list("element", "status")) == [("book", "failed"), ("mend", "ready")]
    assert Run.objects.get().variables["broken"] == {"code": "broken", "reason": "The file is torn."}
    assert not Escalation.objects.exists()


def test_an_error_that_nobody_catches_is_put_to_a_person_who_lets_it_be_tried_again(
    drawn: Any, may_start: Any, sign_in: Any, robot: Any, now: Any
) -> None:
    plain = '<startEvent id="start"/>' + agent("book") + '<endEvent id="end"/>' + line("start", "book", "end")
    may_start("maria", drawn("plain", plain).workflow)
    sign_in("maria").call("post", "runs", {"workflow": "plain", "key": "1", "input": {}})
    reader = robot("AP-01")
    work = reader.claim()
    reader.call("post", f"steps/{work['step']}/fail", {
        "lease_token": work["lease_token"], "reason": "Torn.", "error_code": "broken",
    })  # fmt: skip
    asked = Escalation.objects.get()

    body = {"request_sha256": asked.request_sha256, "reason": "Try again."}
    assert sign_in("priya").call("post", f"escalations/{asked.uid}/approve", body).status_code == 200

    assert Step.objects.filter(element="book", status="ready").count() == 1


def test_a_start_that_follows_on_another_run_has_its_key_and_values(
    drawn: Any, may_start: Any, sign_in: Any, robot: Any
) -> None:
    files = (
        '<startEvent id="start"><extensionElements><aos:input name="sound" type="bool"/></extensionElements>'
        "</startEvent>" + agent("file") + '<endEvent id="end" name="Filed"/>' + line("start", "file", "end")
    )
    for code, elements in (("checking", CHECKS), ("filing", files)):
        may_start("maria", drawn(code, elements).workflow)
    maria = sign_in("maria")
    follow = {"workflow": "filing", "after": "checking", "outcome": "Checked"}
    assert maria.call("post", "follows", follow).status_code == 201
    assert maria.call("post", "follows", follow).status_code == 400, "once is enough"
    begin(maria, "PO-9", "checking")
    reader = robot("AP-01")

    reader.finish(reader.claim(), sound=True)
    tasks.deliver_messages()

    filed = Run.objects.get(workflow__code="filing")
    assert (filed.key, filed.variables["input"]) == ("PO-9", {"sound": True})


def test_nothing_follows_once_who_said_so_may_start_no_runs_and_the_trail_says_so(
    drawn: Any, may_start: Any, may_no_longer: Any, sign_in: Any, robot: Any
) -> None:
    for code, elements in (("checking", CHECKS), ("filing", CHECKS)):
        may_start("priya", drawn(code, elements).workflow)
    follow = {"workflow": "filing", "after": "checking"}
    assert sign_in("priya").call("post", "follows", follow).status_code == 201
    begin(sign_in("priya"), "PO-9", "checking")
    may_no_longer("priya")
    reader = robot("AP-01")

    reader.finish(reader.claim(), sound=True)
    tasks.deliver_messages()

    assert not Run.objects.filter(workflow__code="filing").exists()
    silent = Event.objects.get(verb="follow.silent")
    assert (silent.subject_kind, silent.why.split()[0]) == ("follow", "Priya")
    assert "No run begins: Priya" in sign_in("maria").get("/workflows/filing/beginnings").content.decode()


def test_a_drawing_calls_no_workflow_that_neither_who_draws_nor_who_publishes_it_may_start(
    drawn: Any, may_start: Any, halden: Any, now: Any
) -> None:
    """Sofia draws and Tomasz publishes; what runs of others leave behind they do not get by calling them."""
    checking, calling = drawn("checking", CHECKS).workflow, drawn("calling", CHECKS).workflow
    may_start("sofia", calling, "draft_workflow", "view_workflow", "start_workflow")
    may_start("tomasz", calling, "publish_workflow", "view_workflow")
    sofia, tomasz = halden.people["sofia"], halden.people["tomasz"]
    draft = operations.begin_draft(calling, bpmn=process("calling", CALLS).decode(), by=sofia, at=now)
    operations.ask_to_publish(draft, by=sofia, at=now)

    with pytest.raises(operations.BpmnRefused) as refused:
        operations.publish_draft(draft, by=tomasz, at=now)
    assert list(refused.value.fields) == ["ask"]
    assert calling.versions.count() == 1

    may_start("tomasz", checking)
    assert operations.publish_draft(draft, by=Principal.objects.get(pk=tomasz.pk), at=now).number == 2


def test_a_workflow_that_came_later_is_not_called_by_who_may_not_start_it(
    drawn: Any, may_start: Any, halden: Any, sign_in: Any
) -> None:
    calling = drawn("calling", CHECKS).workflow
    may_start("sofia", calling, "draft_workflow", "view_workflow")
    may_start("tomasz", calling, "publish_workflow", "view_workflow")
    may_start("maria", calling, "view_workflow", "start_workflow")
    sofia, tomasz, at = halden.people["sofia"], halden.people["tomasz"], ledger.database_now()
    draft = operations.begin_draft(calling, bpmn=process("calling", CALLS).decode(), by=sofia, at=at)
    operations.ask_to_publish(draft, by=sofia, at=at)
    assert operations.publish_draft(draft, by=tomasz, at=at).number == 2, "there is no such workflow to ask about yet"
    checking = drawn("checking", CHECKS)
    WorkflowVersion.objects.filter(pk=checking.pk).update(created_at=at + timedelta(hours=1))

    run = begin(sign_in("maria"))

    assert not run.children.exists()
    assert run.steps.get().element == "mend", "the call failed, as a called run that fails does"
    may_start("tomasz", checking.workflow)
    assert begin(sign_in("maria"), "PO-2").children.exists()


def test_ten_thousand_clocks_ring_once_each(drawn: Any, may_start: Any, sign_in: Any, now: Any) -> None:
    """Here forty in batches of eight; the figures for ten thousand stand with the benches."""
    waits = (
        '<startEvent id="start"/><intermediateCatchEvent id="later"><timerEventDefinition>'
        "<timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>"
        '<endEvent id="end" name="Over"/>' + line("start", "later", "end")
    )
    may_start("maria", drawn("waiting", waits).workflow)
    maria = sign_in("maria")
    for number in range(40):
        maria.call("post", "runs", {"workflow": "waiting", "key": str(number), "input": {}})

    Timer.objects.update(due_at=now - timedelta(seconds=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "AT_MOST", 8)
        assert tasks.fire_timers() == 40

    assert Run.objects.filter(status="done").count() == 40


# --- pausing ----------------------------------------------------------------------------------------------------
@pytest.fixture
def looks_after(maria: Any, may_start: Any) -> Any:
    """Maria, who may intervene in the runs that call others, and in the called ones."""
    for code in ("calling", "checking"):
        may_start("maria", Workflow.objects.get(code=code), "intervene_workflow")
    return maria


def act(client: Any, run: Run, name: str) -> Any:
    return client.call("post", f"runs/{run.uid}/{name}", {"why": "Stocktaking."})


def states(*runs: Run) -> list[str]:
    return [Run.objects.get(pk=run.pk).status for run in runs]


def test_a_paused_run_takes_those_that_it_called_with_it_and_back(looks_after: Any, robot: Any) -> None:
    caller = begin(looks_after)
    called, reader = caller.children.get(), robot("AP-01")
    held = reader.claim()

    paused = act(looks_after, caller, "pause").json()

    assert (paused["status"], paused["called"], states(caller, called)) == ("paused", 1, ["paused", "paused"])
    assert reader.claim() is None
    assert reader.finish(held, sound=True).json()["code"] == "lease_void"
    told = Event.objects.filter(verb="run.paused").order_by("pk").values_list("subject_name", "data")
    assert list(told) == [("PO-1", {"called": 1}), (called.key, {"with": "PO-1"})]
    again = act(looks_after, caller, "resume").json()
    assert (again["status"], again["called"], states(caller, called)) == ("running", 1, ["running", "running"])
    Step.objects.update(available_at=called.started_at)
    assert reader.finish(reader.claim(), sound=True).status_code == 200
    tasks.deliver_messages()
    assert list(caller.steps.values_list("element", flat=True)) == ["book"]


def test_what_was_paused_by_itself_stays_so(looks_after: Any) -> None:
    caller = begin(looks_after)
    called = caller.children.get()
    act(looks_after, called, "pause")

    assert act(looks_after, caller, "pause").json()["called"] == 0
    assert act(looks_after, caller, "resume").json()["called"] == 0

    assert states(caller, called) == ["running", "paused"]


def test_a_called_run_alone_is_paused_and_goes_on_without_its_caller(looks_after: Any) -> None:
    caller = begin(looks_after)
    called = caller.children.get()

    assert act(looks_after, called, "pause").json()["called"] == 0
    assert states(caller, called) == ["running", "paused"]
    act(looks_after, called, "resume")
    act(looks_after, caller, "pause")
    act(looks_after, called, "resume")
    assert states(caller, called) == ["paused", "running"]
    assert act(looks_after, caller, "resume").json()["called"] == 0


def test_a_call_on_its_way_waits_until_the_caller_goes_on(looks_after: Any) -> None:
    body = {"workflow": "calling", "key": "PO-1", "input": {"order": "PO-1"}}
    looks_after.call("post", "runs", body)
    caller = Run.objects.get()
    act(looks_after, caller, "pause")

    tasks.deliver_messages()

    assert not caller.children.exists()


def test_the_page_says_how_many_called_runs_are_paused_with_it(looks_after: Any) -> None:
    caller = begin(looks_after)
    page = f"/runs/{caller.uid}"
    assert "The same holds for 1 run that it called." in looks_after.get(f"{page}?ask=pause").content.decode()

    done = looks_after.post(f"{page}/pause", {"why": "Stocktaking."}, follow=True).content.decode()

    assert "Run PO-1 is paused. 1 run that it called is paused with it." in done
    assert (
        "So does what it paused with it: 1 run that it called."
        in looks_after.get(f"{page}?ask=resume").content.decode()
    )
    done = looks_after.post(f"{page}/resume", {"why": "Counted."}, follow=True).content.decode()
    assert "Run PO-1 goes on. 1 run that it called goes on with it." in done
