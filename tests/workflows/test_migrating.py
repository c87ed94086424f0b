"""Running runs go over to another version by a plan that is checked first, each by itself, and back again."""

from typing import Any

import pytest

from observability import ledger
from observability.ledger import database_now
from observability.models import Event
from workflows import operations
from workflows.models import Run, Timer

FIRST = """
    <startEvent id="start"/>
    <serviceTask id="look" name="Look" aos:role="invoice-reader"><extensionElements>
      <aos:output name="total" type="decimal"/></extensionElements></serviceTask>
    <serviceTask id="file" name="File it" aos:role="invoice-reader"/>
    <intermediateCatchEvent id="wait" name="A week later"><timerEventDefinition>
      <timeDuration>P7D</timeDuration></timerEventDefinition></intermediateCatchEvent><endEvent id="end"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="look"/><sequenceFlow id="f2" sourceRef="look" targetRef="file"/>
    <sequenceFlow id="f3" sourceRef="file" targetRef="wait"/><sequenceFlow id="f4" sourceRef="wait" targetRef="end"/>"""
SECOND = FIRST.replace('id="look"', 'id="read"').replace('"look"', '"read"').replace('name="Look"', 'name="Read"')
ANOTHER_KIND = FIRST.replace('<serviceTask id="file" name="File it" aos:role="invoice-reader"/>',
                             '<userTask id="file" name="File it" aos:path="invoice-exceptions"/>')  # fmt: skip
WHY = {"why": "The first step was named wrongly."}


@pytest.fixture
def runs(drawn: Any, now: Any) -> list[Run]:
    """Three runs of version 1, and version 2 in which the first step has another id."""
    workflow = drawn("filing", FIRST).workflow
    begun = [operations.start(workflow, key=key, variables={}, by=ledger.SYSTEM, at=now)[0] for key in ("1", "2", "3")]
    drawn("filing", SECOND)
    return begun


def again(run: Run) -> Run:
    return Run.objects.select_related("version").get(pk=run.pk)


def move(person: Any, runs: list[Run], *, to: int = 2, since: int = 1, **more: Any) -> Any:
    body = {"from_version": since, "to_version": to, "runs": [str(run.uid) for run in runs], **WHY, **more}
    return person.call("post", "workflows/filing/migrations", body)


def test_the_plan_says_what_has_no_place_and_changes_nothing(runs: list[Run], sign_in: Any) -> None:
    maria, plan = sign_in("maria"), {"from_version": 1, "to_version": 2}

    without = maria.call("post", "workflows/filing/migrations/plan", plan).json()["results"]
    mapped = maria.call("post", "workflows/filing/migrations/plan", {**plan, "mapping": {"look": "read"}}).json()

    assert [each["possible"] for each in without] == [False] * 3
    assert "no such element" in without[0]["problems"][0]
    assert mapped["results"][0]["moves"] == [{"from": "Look", "to": "Read"}]
    assert {again(run).version.number for run in runs} == {1}


def test_no_value_is_lost_because_two_steps_become_one(runs: list[Run], sign_in: Any) -> None:
    maria = sign_in("maria")
    Run.objects.filter(pk=runs[0].pk).update(variables={"look": {"total": "12.00"}, "file": {"place": "A"}})

    answer = move(maria, runs[:1], mapping={"look": "read", "file": "read"}).json()["results"]

    assert not answer[0]["done"]
    assert "one would be lost" in answer[0]["problem"]
    assert again(runs[0]).version.number == 1


def test_runs_go_over_and_on_and_back(runs: list[Run], robot: Any, sign_in: Any) -> None:
    reader, maria = robot("AP-01"), sign_in("maria")
    reader.finish(reader.claim(), total="12.00")
    held = reader.claim()

    answer = move(maria, runs, mapping={"look": "read"})

    assert [each["done"] for each in answer.json()["results"]] == [True] * 3
    first = again(runs[0])
    assert (first.version.number, first.variables["read"]) == (2, {"total": "12.00"})
    assert reader.finish(held).json()["code"] == "stale_lease", "it went back to the queue"
    assert set(Run.objects.get(key="2").steps.values_list("element", "name")) == {("read", "Read")}
    assert Event.objects.filter(verb="run.migrated", why=WHY["why"]).count() == 3

    assert all(each["done"] for each in move(maria, runs, to=1, since=2, mapping={"read": "look"}).json()["results"])
    assert {again(run).version.number for run in runs} == {1}
    work = [reader.claim() for _ in runs]
    assert sorted(each["element"] for each in work) == ["file", "look", "look"]


def test_one_that_cannot_go_over_stays_and_the_others_go(runs: list[Run], robot: Any, sign_in: Any, drawn: Any) -> None:
    drawn("filing", ANOTHER_KIND)
    reader = robot("AP-01")
    reader.finish(reader.claim(), total="12.00")

    answer = move(sign_in("maria"), runs, to=3)

    assert [each["done"] for each in answer.json()["results"]] == [False, True, True]
    assert "File it" in answer.json()["results"][0]["problem"]
    assert [again(run).version.number for run in runs] == [1, 3, 3]
    assert runs[0].steps.filter(status="ready").get().element == "file"


def test_a_clock_goes_over_with_the_moment_at_which_it_is_due(runs: list[Run], robot: Any, sign_in: Any) -> None:
    reader = robot("AP-01")
    for _ in range(2):
        work = reader.claim()
        reader.finish(work, **({"total": "1.00"} if work["element"] == "look" else {}))
        if Timer.objects.exists():
            break
    while not Timer.objects.exists():
        work = reader.claim()
        reader.finish(work, **({"total": "1.00"} if work["element"] == "look" else {}))
    timer = Timer.objects.get()

    assert all(each["done"] for each in move(sign_in("maria"), [timer.run], mapping={"look": "read"}).json()["results"])
    assert Timer.objects.get().due_at == timer.due_at
    assert operations.fire_timer(Timer.objects.get(), at=timer.due_at) is True
    assert again(timer.run).status == "done"


def test_moving_needs_the_right_a_reason_and_runs_under_way(runs: list[Run], sign_in: Any, halden: Any) -> None:
    assert [each["code"] for each in move(sign_in("priya"), runs[:1], mapping={"look": "read"}).json()["results"]] == [
        "not_allowed"
    ]
    maria = sign_in("maria")
    assert move(maria, runs, why=" ").status_code == 400
    assert move(maria, runs, to=9).status_code == 400
    assert move(maria, runs[:1], to=1).json()["results"][0]["code"] == "wrong_status"
    operations.cancel(runs[0], by=halden.people["maria"], at=database_now(), why="Sent twice")
    assert "has ended" in move(maria, runs[:1], mapping={"look": "read"}).json()["results"][0]["problem"]
    assert {again(run).version.number for run in runs} == {1}


def test_the_page_asks_for_a_place_and_moves_those_that_have_one(runs: list[Run], sign_in: Any) -> None:
    maria = sign_in("maria")
    assert "Move runs to version 2" in maria.get("/workflows/filing").content.decode()
    asked = maria.get("/workflows/filing/move?from=1&to=2").content.decode()
    assert ("goes on at" in asked, "0 of 3 can go over" in asked) == (True, True)
    ready = maria.get("/workflows/filing/move?from=1&to=2&map.look=read").content.decode()
    assert "Move 3 runs to version 2" in ready
    body = {"from": "1", "to": "2", "map.look": "read", "run": [str(run.uid) for run in runs]}
    assert maria.post("/workflows/filing/move", {**body, "why": ""}).status_code == 400

    told = maria.post("/workflows/filing/move", {**body, **WHY}).content.decode()

    assert "3 runs moved to version 2" in told
    assert {again(run).version.number for run in runs} == {2}
    assert (
        "Move 3 runs" not in sign_in("priya").get("/workflows/filing/move?from=2&to=1&map.read=look").content.decode()
    )
