"""An agent tells its surroundings what it found, and has other tasks of a free part done beside its own."""

from typing import Any

import pytest

from agents import operations as agents
from observability import ledger
from observability.models import Event
from tests.workflows.drawings import end, event, flows, start, sub
from tests.workflows.queue import wrong_in
from tests.workflows.small_drawings import agent, process
from workflows import operations
from workflows.models import Run, Step, WorkflowVersion

DEAR = '<escalation id="dear" name="Too dear" escalationCode="too-dear"/>'


def escalated(interrupts: str) -> str:
    edge = event(
        "boundaryEvent", "heard", "escalation", "dear", more=f'attachedToRef="buy" cancelActivity="{interrupts}"'
    )
    ways = flows("s -> buy\nbuy -> e\nheard -> ask\nask -> e2")
    return start() + agent("buy") + edge + agent("ask", role="three-way-match") + end() + end("e2") + ways


FREE = (
    start() + sub("free", agent("read") + agent("call", role="three-way-match")
    + agent("undo", more='isForCompensation="true"'), tag="adHocSubProcess") + end() + flows("s -> free\nfree -> e")
)  # fmt: skip


@pytest.fixture
def publish(halden: Any, now: Any) -> Any:
    """`publish(elements)` publishes a drawing and lets everybody work in it."""

    def published(elements: str) -> WorkflowVersion:
        version = operations.publish(
            "told", process("told", elements, declared=DEAR), by=ledger.SYSTEM, at=now, unit=halden.units["finance"],
            owner=halden.people["maria"], incident_path=halden.workflow.incident_path,
        )  # fmt: skip
        for worker in halden.agents.values():
            agents.grant("workflows.work_in_workflow", worker.principal, version.workflow, by=ledger.SYSTEM, at=now)
            worker.principal.forget_grants()
        operations.start(version.workflow, key="a", variables={}, by=ledger.SYSTEM, at=ledger.database_now())
        return version

    return published


def escalate(who: Any, work: Any, code: str = "too-dear", *, key: str | None = None, **more: Any) -> Any:
    body = {"lease_token": work["lease_token"], "code": code, "why": "Twice the usual price.", **more}
    return who.call("post", f"steps/{work['step']}/escalate", body, key=key)


def choose(who: Any, work: Any, task: str = "call", *, key: str | None = None, **more: Any) -> Any:
    body = {"lease_token": work["lease_token"], "task": task, "why": "The number is missing.", **more}
    return who.call("post", f"steps/{work['step']}/tasks", body, key=key)


def opened(element: str) -> int:
    return Step.objects.filter(element=element).count()


# --- escalations ------------------------------------------------------------------------------------------------
def test_the_reader_tells_and_goes_on_while_others_look_at_it(publish: Any, robot: Any) -> None:
    publish(escalated("false"))
    reader, matcher = robot("AP-01"), robot("AP-02")
    work = reader.claim()

    assert escalate(reader, work).json() == {"status": "working", "heard_by": "heard"}

    asked = matcher.claim()
    assert asked["element"] == "ask"
    assert asked["variables"]["heard"] == {"code": "too-dear", "reason": "Twice the usual price."}
    told = Event.objects.get(verb="step.escalated")
    assert (told.data["code"], told.data["heard_by"], told.why) == ("too-dear", "heard", "Twice the usual price.")
    assert reader.finish(work).status_code == 200, "the step was the reader's all the time"


def test_an_event_that_interrupts_takes_the_step_away(publish: Any, robot: Any) -> None:
    publish(escalated("true"))
    reader = robot("AP-01")
    work = reader.claim()

    assert escalate(reader, work).json() == {"status": "cancelled", "heard_by": "heard"}

    assert reader.finish(work).json()["code"] == "stale_lease"
    assert robot("AP-02").claim()["element"] == "ask"


def test_what_no_event_hears_goes_on_record(publish: Any, robot: Any) -> None:
    publish(escalated("true"))
    reader = robot("AP-01")
    work = reader.claim()

    assert escalate(reader, work, "odd").json() == {"status": "working", "heard_by": ""}

    assert Event.objects.get(verb="run.escalated").data["code"] == "odd"
    assert opened("ask") == 0


def test_a_repeat_tells_nothing_twice_and_a_new_key_does(publish: Any, robot: Any) -> None:
    publish(escalated("false"))
    reader = robot("AP-01")
    work = reader.claim()

    first, repeat = (escalate(reader, work, key="once") for _ in range(2))
    assert first.json() == repeat.json()
    assert opened("ask") == 1
    escalate(reader, work)
    assert opened("ask") == 2


def test_only_who_holds_the_step_tells(publish: Any, robot: Any, sign_in: Any) -> None:
    publish(escalated("false"))
    work = robot("AP-01").claim()

    stolen = escalate(robot("AP-02"), work)
    stale = escalate(robot("AP-01"), {**work, "lease_token": 7})

    assert (stolen.status_code, stolen.json()["code"]) == (409, "stale_lease")
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_lease")
    assert sign_in("maria").call("post", f"steps/{work['step']}/escalate", {}).status_code == 403
    assert opened("ask") == 0


def test_nothing_is_told_in_a_run_that_is_paused(publish: Any, robot: Any, sign_in: Any) -> None:
    publish(escalated("false"))
    work = robot("AP-01").claim()
    sign_in("maria").call("post", f"runs/{Run.objects.get(key='a').uid}/pause", {"why": "Wait."})

    refused = escalate(robot("AP-01"), work)

    assert (refused.status_code, refused.json()["code"]) == (409, "lease_void")
    assert opened("ask") == 0


@pytest.mark.parametrize("body, field", [({"code": ""}, "code"), ({"code": "x" * 201}, "code"), ({"to": "me"}, "to")])
def test_a_wrong_word_is_named(publish: Any, robot: Any, body: Any, field: str) -> None:
    publish(escalated("false"))
    work = robot("AP-01").claim()

    refused = escalate(robot("AP-01"), work, **body)

    assert (refused.status_code, list(wrong_in(refused))) == (400, [field])


# --- tasks of an ad-hoc sub-process -----------------------------------------------------------------------------
def test_the_reader_has_a_task_done_once_more(publish: Any, robot: Any) -> None:
    publish(FREE)
    reader, matcher = robot("AP-01"), robot("AP-02")
    work = reader.claim()
    assert reader.call("get", f"steps/{work['step']}/tasks").json() == {
        "sub_process": "free",
        "tasks": [
            {"task": "read", "name": "Read", "open": 1, "waits": False},
            {"task": "call", "name": "Call", "open": 1, "waits": False},
        ],
    }
    matcher.finish(matcher.claim())

    assert choose(reader, work).json() == {"task": "call", "name": "Call", "open": 1, "waits": False}

    told = Event.objects.get(verb="run.task_chosen")
    assert (told.data["element"], told.data["step"], told.why) == ("call", work["step"], "The number is missing.")
    reader.finish(work)
    assert Run.objects.get(key="a").status == "running", "the part is done when nothing goes on in it"
    matcher.finish(matcher.claim())
    assert Run.objects.get(key="a").status == "done"


def test_maria_has_a_task_done_once_more_on_the_page_of_the_run(publish: Any, robot: Any, sign_in: Any) -> None:
    publish(FREE)
    work, run, maria = robot("AP-01").claim(), Run.objects.get(key="a"), sign_in("maria")
    matcher = robot("AP-02")
    matcher.finish(matcher.claim())

    page = maria.get(f"/runs/{run.uid}?ask=step&step={work['step']}&act=choose").content.decode()
    assert "Have a step beside it done" in page and "Read, open now" in page and ">Call<" in page
    wrong = maria.post(f"/runs/{run.uid}/choose", {"step": work["step"], "task": "pay", "why": "Once more."})
    assert wrong.status_code == 400
    done = maria.post(f"/runs/{run.uid}/choose", {"step": work["step"], "task": "call", "why": "Nobody picked up."})

    assert done.status_code == 302
    told = Event.objects.get(verb="run.task_chosen")
    assert (told.actor_name.split()[0], told.data["element"], told.why) == ("Maria", "call", "Nobody picked up.")
    assert matcher.claim()["element"] == "call"
    assert robot("AP-01").finish(work).status_code == 200, "the reader kept its step"


def test_a_step_outside_of_any_order_offers_nothing_beside_it(publish: Any, robot: Any, sign_in: Any) -> None:
    publish(escalated("false"))
    work, run = robot("AP-01").claim(), Run.objects.get(key="a")

    page = sign_in("maria").get(f"/runs/{run.uid}?ask=step&step={work['step']}").content.decode()
    sent = {"step": work["step"], "task": "call", "why": "Once more."}
    sign_in("maria").post(f"/runs/{run.uid}/choose", sent)

    assert "Have a step beside it done" not in page
    assert not Event.objects.filter(verb="run.task_chosen").exists()


def test_where_one_is_done_after_the_other_the_chosen_one_comes_next(publish: Any, robot: Any) -> None:
    publish(
        FREE.replace('id="free"', 'id="free" ordering="Sequential"').replace(
            "</adHocSubProcess>", f"{agent('file')}</adHocSubProcess>"
        )
    )
    reader, matcher = robot("AP-01"), robot("AP-02")
    work = reader.claim()
    assert matcher.claim() is None, "one at a time"

    assert choose(reader, work, "file").json() == {"task": "file", "name": "File", "open": 0, "waits": True}

    reader.finish(work)
    filed = reader.claim()
    assert (filed["element"], matcher.claim()) == ("file", None)
    reader.finish(filed)
    matcher.finish(matcher.claim())
    assert Run.objects.get(key="a").status == "done"


def test_a_repeat_chooses_once(publish: Any, robot: Any) -> None:
    publish(FREE)
    reader = robot("AP-01")
    work = reader.claim()

    assert [choose(reader, work, key="once").json()["open"] for _ in range(2)] == [2, 2]
    assert opened("call") == 2


@pytest.mark.parametrize("task", ["undo", "free", "e", "nothing"])
def test_what_is_no_task_of_the_part_is_named(publish: Any, robot: Any, task: str) -> None:
    publish(FREE)
    reader = robot("AP-01")
    work = reader.claim()

    refused = choose(reader, work, task)

    assert (refused.status_code, wrong_in(refused)) == (400, {"task": "Choose one of read, call."})


def test_only_who_holds_a_step_of_the_part_chooses(publish: Any, robot: Any) -> None:
    publish(FREE)
    work = robot("AP-01").claim()
    other = robot("AP-04")

    assert choose(other, work).json()["code"] == "stale_lease"
    assert other.call("get", f"steps/{work['step']}/tasks").status_code == 404
    assert opened("call") == 1


def test_a_step_in_no_such_part_says_so(publish: Any, robot: Any) -> None:
    publish(escalated("false"))
    reader = robot("AP-01")
    work = reader.claim()

    for refused in (choose(reader, work), reader.call("get", f"steps/{work['step']}/tasks")):
        assert (refused.status_code, refused.json()["code"]) == (409, "wrong_status")
        assert "no ad-hoc sub-process" in refused.json()["detail"]
