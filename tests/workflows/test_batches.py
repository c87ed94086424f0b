"""Many steps in one request: each report is answered on its own, and what is in hand is claimed and given back."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Blueprint
from observability.ledger import database_now
from observability.models import Event
from tests.workflows.queue import begin, declare, one_step, wrong_in
from workflows import operations
from workflows.models import Run, Step
from workflows.operations import Failure, Report, Result

SAID = {"output": {"answer": "yes"}, "cost": "0.01", "tokens": 40, "confidence": "0.9"}


@pytest.fixture
def reader(robot: Any) -> Any:
    """The invoice reader at the API."""
    return robot("AP-01")


def batch(agent: Any, **body: Any) -> Any:
    answer = agent.call("post", "work/batch", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def lease(work: Any) -> dict[str, Any]:
    return {"step": work["step"], "lease_token": work["lease_token"]}


def test_ten_steps_are_done_and_the_next_ten_claimed_in_one_request(reader: Any, halden: Any, now: Any) -> None:
    begin(one_step(halden, now, "small"), *(f"{number:02}" for number in range(25)))
    first = batch(reader, claim=10)["work"]
    assert [each["run"]["key"] for each in first] == [f"{number:02}" for number in range(10)]

    told = batch(reader, finish=[{**lease(each), **SAID} for each in first], claim=10)

    assert {report["status"] for report in told["reports"]} == {"done"}
    assert [each["run"]["key"] for each in told["work"]] == [f"{number:02}" for number in range(10, 20)]
    assert Run.objects.filter(workflow__code="small", status="done").count() == 10
    step = Step.objects.get(uid=first[0]["step"])
    assert (step.output, step.cost, step.tokens, step.confidence) == (
        {"answer": "yes"}, Decimal("0.01"), 40, Decimal("0.9"),
    )  # fmt: skip
    assert step.seconds is not None
    verbs = Event.objects.filter(run=str(step.run.uid)).order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["run.started", "step.opened", "step.claimed", "step.finished", "run.finished"]


def test_one_bad_report_stops_no_other(reader: Any, halden: Any, now: Any) -> None:
    begin(one_step(halden, now, "small"), *"abcde")
    a, b, c, d, e = batch(reader, claim=5)["work"]
    stranger = "01890d2c-0000-7000-8000-000000000000"

    told = batch(
        reader,
        finish=[
            {**lease(a), **SAID}, {**lease(b), "output": {"answer": 7}}, {**lease(c), "lease_token": 9, **SAID},
            {"step": stranger, "lease_token": 1}, {**lease(a), **SAID},
        ],
        fail=[{**lease(d), "reason": "No paper"}, {**lease(e), "reason": "Torn", "retryable": False}],
    )  # fmt: skip

    codes = [report["problem"] and report["problem"]["code"] for report in told["reports"]]
    assert codes == [None, "invalid", "stale_lease", "not_found", "stale_lease", None, None]
    assert "answer" in str(told["reports"][1]["problem"]["errors"])
    status = dict(Step.objects.values_list("run__key", "status"))
    assert status == {"a": "done", "b": "working", "c": "working", "d": "ready", "e": "failed"}
    assert Step.objects.get(run__key="e").escalation is not None, "a person is asked"


def test_the_same_request_again_gets_the_same_answer(reader: Any, halden: Any, now: Any) -> None:
    begin(one_step(halden, now, "small"), "a", "b")
    (work,) = batch(reader, claim=1)["work"]
    body = {"finish": [{**lease(work), **SAID}], "claim": 1}

    first, again = (reader.call("post", "work/batch", body, key="once").json() for _ in range(2))

    assert first == again
    assert Step.objects.filter(status="done").count() == 1


def test_a_batch_takes_few_statements_however_many_steps(halden: Any, now: Any) -> None:
    begin(one_step(halden, now, "small"), *map(str, range(60)))
    agent, counts, now = halden.agents["AP-01"], [], database_now()
    for many in (5, 20):
        steps = operations.claim_many(agent, count=many, at=now).steps
        reports = [Report(step, step.lease_token, Result({"answer": "yes"})) for step in steps]
        with CaptureQueriesContext(connection) as asked:
            told = operations.report_together(agent, reports, claim=many, at=now)
        assert not any(each.refused for each in told.reports)
        for step in told.claimed.steps:
            operations.release(step, agent=agent, lease_token=step.lease_token, why="Counting.", at=now)
        counts.append(len(asked))
    # Each run that ends is moved, and what follows on it looked up; everything else is one statement for all of them.
    assert counts[1] - counts[0] <= 15 * 2, counts


def test_who_may_hold_two_steps_at_once_gets_no_third_and_reads_why(reader: Any, halden: Any, now: Any) -> None:
    begin(one_step(halden, now, "small"), *"abc")
    Blueprint.objects.filter(pk=halden.agents["AP-01"].blueprint_id).update(work_limit=2)

    first = batch(reader, claim=3)
    none = reader.call("post", "work/claim", {}).json()

    assert len(first["work"]) == 2
    assert none["work"] is None
    assert "2 steps" in none["why"]
    told = batch(reader, finish=[{**lease(first["work"][0]), **SAID}], claim=3)
    assert [each["run"]["key"] for each in told["work"]] == ["c"]


def test_what_is_too_large_or_breaks_the_schema_is_refused_by_its_place(
    reader: Any, halden: Any, now: Any, settings: Any
) -> None:
    version = one_step(halden, now, "small")
    declare(version, output_schema='{"properties": {"answer": {"enum": ["yes", "no"]}}, "required": ["answer"]}')
    begin(version, "a")
    work = reader.claim()
    settings.OUTPUT_AT_MOST_KB = 1

    maybe = reader.finish(work, answer="maybe")
    long = reader.finish(work, answer="x" * 1100)

    assert (maybe.status_code, long.status_code) == (400, 400)
    assert "output.answer" in str(wrong_in(maybe))
    assert "1,024" in str(wrong_in(long))
    assert reader.finish(work, answer="yes").status_code == 200


def test_a_schema_fetches_nothing(reader: Any, halden: Any, now: Any) -> None:
    version = one_step(halden, now, "small")
    declare(version, output_schema='{"$ref": "http://127.0.0.1:1/schema.json"}')
    begin(version, "a")

    refused = reader.finish(reader.claim(), answer="yes")

    assert refused.status_code == 400
    assert "cannot be used" in str(wrong_in(refused))


def test_a_step_is_given_back_without_blame(reader: Any, robot: Any, halden: Any, now: Any) -> None:
    begin(one_step(halden, now, "small"), "a")
    work = reader.claim()

    told = reader.call("post", f"steps/{work['step']}/release", {"lease_token": 1, "why": "The server is restarted."})

    assert told.json() == {"status": "ready"}
    step = Step.objects.get()
    assert (step.attempt, step.lease_token) == (0, 2)
    again = operations.claim(halden.agents["AP-01"], at=now + timedelta(seconds=10))
    assert again is not None
    late = reader.call("post", f"steps/{work['step']}/release", {"lease_token": 1, "why": "Again."})
    assert late.json()["code"] == "stale_lease"


def test_a_lease_lasts_longer_when_asked_and_has_a_bound(reader: Any, halden: Any, now: Any, settings: Any) -> None:
    begin(one_step(halden, now, "small"), "a")
    work = reader.claim()
    beat = f"steps/{work['step']}/heartbeat"

    assert reader.call("post", beat, {"lease_token": 1, "seconds": 900}).json() == {"lease_seconds": 900}
    assert Step.objects.get().leased_until > now + timedelta(seconds=800)
    settings.LEASE_AT_MOST_SECONDS = 600
    refused = reader.call("post", beat, {"lease_token": 1, "seconds": 900})
    assert (refused.status_code, list(wrong_in(refused))) == (400, ["seconds"])
    assert Event.objects.filter(verb="step.extended").count() == 1


def test_an_error_that_the_drawing_may_know_is_not_tried_again(reader: Any, halden: Any, now: Any) -> None:
    begin(one_step(halden, now, "small"), "a")
    work = reader.claim()

    body = {"lease_token": 1, "reason": "The supplier is unknown.", "error_code": "unknown-supplier"}
    told = reader.call("post", f"steps/{work['step']}/fail", body)

    assert told.json()["status"] == "failed"
    failed, asked = Step.objects.order_by("pk")
    assert failed.error == "The supplier is unknown."
    assert asked.error == "Nothing catches the error “unknown-supplier”. The supplier is unknown."
    assert asked.escalation is not None
    assert asked.escalation.is_open


def test_what_fails_in_the_middle_is_done_one_by_one(halden: Any, now: Any) -> None:
    version = one_step(halden, now, "small")
    begin(version, "a", "b")
    agent, now = halden.agents["AP-01"], database_now()
    one, two = operations.claim_many(agent, count=2, at=now).steps
    Run.objects.filter(pk=two.run_id).update(marking={**two.run.marking, "ended": True})

    told = operations.report_together(
        agent, [Report(each, each.lease_token, Result({"answer": "yes"})) for each in (one, two)], at=now
    )

    assert [each.refused is None for each in told.reports] == [True, False]
    assert dict(Step.objects.values_list("run__key", "status")) == {"a": "done", "b": "working"}
    assert isinstance(Report(one, 1, Failure("x")).says, Failure)
