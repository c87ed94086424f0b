"""People look at running work: what waits for time, what holds a value, what failed, the queue; and act together."""

from datetime import timedelta
from typing import Any

import pytest

from observability.ledger import database_now
from tests.workflows.test_intervening import again, asked, broken, start
from tests.workflows.test_runs_page import keys
from workflows import operations
from workflows.models import Run, Step, Timer


def test_the_list_tells_paused_failed_and_sleeping_runs_apart(robot: Any, sign_in: Any, halden: Any) -> None:
    broken(robot, "broken")
    operations.pause_run(start(robot, "paused"), by=halden.people["maria"], at=database_now(), why="Stocktaking")
    sleeping = start(robot, "sleeping")
    sleeping.steps.update(status="done")
    Timer.objects.create(run=sleeping, element="exception", token=9, due_at=database_now() + timedelta(days=1))
    start(robot, "plain")
    priya = sign_in("priya")

    for state, wanted in {
        "under_way": ["plain", "sleeping", "paused", "broken"], "running": ["plain"], "waiting": ["broken"],
        "stuck": ["broken"], "paused": ["paused"], "sleeping": ["sleeping"],
    }.items():  # fmt: skip
        assert keys(priya.get(f"/runs?state={state}")) == wanted, state
    assert "Waits for time" in priya.get("/runs?q=sleeping").content.decode()


def test_runs_are_found_by_a_value_a_step_a_version_and_their_age(robot: Any, sign_in: Any) -> None:
    asked(robot, "one")
    start(robot, "two")
    Run.objects.filter(key="one").update(started_at=database_now() - timedelta(days=2))
    priya, of = sign_in("priya"), "workflow=invoice-to-payment"

    for query, wanted in {
        "value=read.total=9000.00": ["one"], "value=input.document=two.xml": ["two"], "value=document=two.xml": ["two"],
        f"{of}&value=total=9000.00": ["one"], "value=total=9000.00": [], "value=anomalies.findings=1": ["one"],
        "value=read.readable=yes": ["one"], "value=read.total=1": [], f"{of}&step=read": ["two"],
        f"{of}&step=exception": ["one"], "version=1": ["two", "one"], "version=7": [], "version=x": [],
        "age=1d": ["one"], "age=1h": ["one"], "age=7d": [], "sort=oldest": ["one", "two"],
        "value=a__icontains.b=1": [],
    }.items():  # fmt: skip
        assert keys(priya.get(f"/runs?{query}")) == wanted, query
    assert "was left out" in priya.get("/runs?value=total").content.decode()


def test_the_oldest_first_go_on_by_key_as_well(halden: Any, sign_in: Any) -> None:
    version, at = halden.workflow.versions.get(), database_now()
    common = {"workflow": halden.workflow, "version": version, "unit": halden.workflow.unit, "started_at": at}
    Run.objects.bulk_create(Run(key=f"{n:03}", **common) for n in range(120))
    priya, seen, query = sign_in("priya"), [], "?sort=oldest"

    while query:
        answer = priya.get(f"/runs{query}")
        seen += keys(answer)
        query = answer.context["page"].newer

    assert seen == [f"{n:03}" for n in range(120)]
    back = priya.get(f"/runs{answer.context['page'].older}")
    assert keys(back) == [f"{n:03}" for n in range(50, 100)]


def test_the_buttons_count_exactly_what_the_filter_shows(robot: Any, sign_in: Any) -> None:
    steps = [broken(robot, key) for key in ("a-1", "a-2")]
    start(robot, "b-1")
    maria = sign_in("maria")

    page = maria.get("/runs?q=a-").content.decode()
    assert ("Try 2 runs again" in page, "Pause 2 runs" in page, "Cancel 2 runs" in page) == (True, True, True)
    assert "Pause 2 runs" not in sign_in("priya").get("/runs?q=a-").content.decode()
    listed = maria.get("/runs/together?q=a-&act=retry").content.decode()
    assert ("a-1" in listed, "a-2" in listed, "b-1" in listed) == (True, True, False)

    runs = [str(step.run.uid) for step in steps]
    assert maria.post("/runs/together?q=a-", {"act": "retry", "run": runs, "why": ""}).status_code == 400
    operations.cancel(steps[1].run, by=maria_of(steps), at=database_now(), why="Sent twice")
    told = maria.post("/runs/together?q=a-", {"act": "retry", "run": runs, "why": "A new file"}).content.decode()

    assert "1 run tried again, 1 not" in told
    assert [again(step).status for step in steps] == ["ready", "cancelled"]


def maria_of(steps: list[Step]) -> Any:
    """Who manages the unit of the runs."""
    return steps[0].run.workflow.owner


@pytest.mark.parametrize("query", ["act=delete", "", "act=pause&state=done"])
def test_nothing_is_offered_for_what_does_not_fit(query: str, robot: Any, sign_in: Any) -> None:
    start(robot)
    answer = sign_in("maria").get(f"/runs/together?{query}")

    assert answer.status_code == 404 or "Nothing to do" in answer.content.decode()


def test_failed_work_is_listed_with_its_reason_and_leads_to_the_question(robot: Any, sign_in: Any) -> None:
    step = broken(robot)
    maria = sign_in("maria")

    page = maria.get("/runs/failed").content.decode()
    assert "The file is not XML." in page
    assert f"/escalations/{step.escalation_id and again(step).escalation.uid}" in page
    assert f"ask=step&amp;step={step.uid}" in page
    assert "There is none." in maria.get("/runs/failed?role=payments-clerk").content.decode()
    assert "ask=step" not in sign_in("priya").get("/runs/failed").content.decode()

    maria.call("post", f"steps/{step.uid}/retry", {"why": "A new file"})
    assert "There is none." in maria.get("/runs/failed").content.decode()


def test_the_queue_counts_by_role_and_shows_who_carries_what(robot: Any, sign_in: Any, halden: Any) -> None:
    for key in ("1", "2", "3"):
        start(robot, key)
    work = robot("AP-01").claim()
    paused = Run.objects.exclude(steps__uid=work["step"]).earliest("pk")
    operations.pause_run(paused, by=halden.people["maria"], at=database_now(), why="Stocktaking")
    maria = sign_in("maria")

    answer = maria.get("/runs/queue?role=invoice-reader")

    (row,) = [row for row in answer.context["rows"] if row["code"] == "invoice-reader"]
    assert (row["ready"], row["working"], row["waiting"], row["paused"], row["agents"]) == (1, 1, 0, 1, 1)
    assert [load["working"] for load in answer.context["agents"]] == [1]
    assert len(answer.context["steps"]) == 3
    assert maria.get("/runs/queue?role=nobody&workflow=none").status_code == 200
