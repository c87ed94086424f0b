"""The work queue: who gets which step, what silence costs, and that only the holder of a lease can act."""

from datetime import timedelta
from typing import Any

import pytest

from agents import operations as agents
from agents.models import Grant
from observability import ledger
from observability.models import Event
from workflows import operations
from workflows.models import Run, Step


@pytest.fixture
def reader(robot: Any) -> Any:
    """The invoice reader at the API."""
    return robot("AP-01")


def start(reader: Any, key: str) -> Any:
    """Start a run for one document."""
    body = {"workflow": "invoice-to-payment", "key": key, "input": {"document": f"{key}.xml"}}
    answer = reader.call("post", "runs", body)
    assert answer.status_code in (200, 201), answer.content
    return answer


def act(client: Any, work: Any, how: str, **more: Any) -> Any:
    """Heartbeat, finish or fail with the lease of this work."""
    return client.call("post", f"steps/{work['step']}/{how}", {"lease_token": work["lease_token"], **more})


def silence(work: Any, now: Any) -> None:
    """Let the lease of this work run out."""
    Step.objects.filter(uid=work["step"]).update(leased_until=now - timedelta(seconds=1))


def test_the_longest_waiting_comes_first_and_answered_questions_before_it(reader: Any) -> None:
    for key in ("1", "2", "3"):
        start(reader, key)
    Step.objects.filter(run__key="3").update(priority=1)

    assert [reader.claim()["run"]["key"] for _ in range(3)] == ["3", "1", "2"]
    assert reader.claim() is None


def test_an_agent_gets_only_the_work_of_its_role(reader: Any, robot: Any) -> None:
    start(reader, "1")

    assert [robot(code).claim() for code in ("AP-02", "RK-01", "AP-04")] == [None, None, None]
    work = reader.claim()
    assert (work["element"], work["lease_seconds"], work["attempt"], work["lease_token"]) == ("read", 60, 1, 1)


def test_an_agent_without_the_right_on_the_workflow_gets_nothing(reader: Any, halden: Any) -> None:
    start(reader, "1")
    Grant.objects.filter(user=halden.agents["AP-01"].principal, permission__codename="work_in_workflow").delete()

    assert reader.claim() is None


def test_a_heartbeat_keeps_the_lease(reader: Any, now: Any) -> None:
    start(reader, "1")
    work = reader.claim()
    Step.objects.update(leased_until=now + timedelta(seconds=5))

    assert act(reader, work, "heartbeat").json() == {"lease_seconds": 60}
    assert Step.objects.get().leased_until > now + timedelta(seconds=50)


def test_a_silent_agent_loses_its_step_to_the_next_one(reader: Any, halden: Any, now: Any) -> None:
    start(reader, "1")
    lost = reader.claim()
    silence(lost, now)
    assert operations.reclaim(Step.objects.get(), at=now)

    step = Step.objects.get()
    assert (step.status, step.attempt, step.error) == (
        "ready",
        1,
        "AP-01 Invoice reader was not heard of until its lease ran out.",
    )
    assert reader.claim() is None, "it waits a little before the next try"
    again = operations.claim(halden.agents["AP-01"], at=step.available_at)
    assert again is not None
    assert (again.attempt, again.lease_token) == (2, 3)

    for how, more in (("finish", {"output": {"readable": True}}), ("heartbeat", {}), ("fail", {"reason": "x"})):
        stale = act(reader, lost, how, **more)
        assert (stale.status_code, stale.json()["code"]) == (409, "stale_lease"), how
    assert Step.objects.get().status == "working", "the new holder's work stands"


def test_a_lease_ends_by_the_clock_even_before_the_sweep(reader: Any, now: Any, robot: Any, question: Any) -> None:
    start(reader, "1")
    work = reader.claim()
    silence(work, now)

    assert act(reader, work, "finish", output={"readable": True}).status_code == 409
    assert act(reader, work, "heartbeat").status_code == 409
    assert reader.call("post", "actions", question(work)).json()["code"] == "stale_lease"
    assert Step.objects.get().status == "working"


def test_a_step_heard_of_meanwhile_is_not_reclaimed(reader: Any, now: Any) -> None:
    start(reader, "1")
    reader.claim()

    assert operations.reclaim(Step.objects.get(), at=now) is False
    assert Step.objects.get().status == "working"


def test_another_agents_lease_is_of_no_use(reader: Any, halden: Any, robot: Any) -> None:
    start(reader, "1")
    work = reader.claim()

    assert act(robot("AP-02"), work, "finish", output={}).json()["code"] == "stale_lease"
    assert act(reader, {**work, "lease_token": 2}, "finish", output={}).status_code == 409
    assert act(reader, {**work, "lease_token": 0}, "finish", output={}).status_code == 409


def test_a_failed_try_is_repeated_later_and_later(reader: Any, halden: Any) -> None:
    start(reader, "1")
    work, waits = reader.claim(), []
    for _ in range(2):
        step = Step.objects.get()
        before = step.leased_until - timedelta(seconds=60)
        operations.fail(
            step,
            agent=halden.agents["AP-01"],
            lease_token=step.lease_token,
            reason="Scanner",
            retryable=True,
            at=before,
        )
        step.refresh_from_db()
        assert (step.status, step.error) == ("ready", "Scanner")
        waits.append((step.available_at - before).total_seconds())
        assert operations.claim(halden.agents["AP-01"], at=step.available_at - timedelta(seconds=1)) is None
        operations.claim(halden.agents["AP-01"], at=step.available_at)

    assert 5 <= waits[0] <= 6
    assert 10 <= waits[1] <= 12
    assert work["attempt"] == 1


def fail_for_good(reader: Any) -> None:
    """Claim and fail a step in a way that no retry helps."""
    assert (
        act(reader, reader.claim(), "fail", reason="Password protected", retryable=False).json()["status"] == "failed"
    )


def settle(person: Any, how: str, **more: Any) -> Any:
    """Answer the only open question."""
    (asked,) = person.call("get", "escalations").json()["results"]
    return person.call("post", f"escalations/{asked['id']}/{how}", {"request_sha256": asked["request_sha256"], **more})


def test_after_the_last_try_a_person_decides_and_a_yes_tries_again(reader: Any, sign_in: Any) -> None:
    start(reader, "1")
    fail_for_good(reader)
    assert reader.claim() is None

    (asked,) = sign_in("priya").call("get", "escalations").json()["results"]
    assert (asked["kind"], asked["reason_asked"]) == ("incident", "Password protected")
    assert settle(sign_in("priya"), "approve").status_code == 200

    work = reader.claim()
    assert (work["attempt"], work["approval"]) == (1, None)
    assert reader.finish(work, readable=True).status_code == 200


def test_after_the_last_try_a_no_ends_the_run_as_failed(reader: Any, sign_in: Any) -> None:
    start(reader, "1")
    fail_for_good(reader)

    assert settle(sign_in("priya"), "reject", reason="Ask the sender").status_code == 200

    run = Run.objects.get()
    assert (run.status, run.outcome) == ("failed", "Given up")
    assert reader.claim() is None
    assert Event.objects.get(verb="run.failed").why == "Ask the sender"


def test_tries_are_counted_through_silence_too(reader: Any, halden: Any, now: Any) -> None:
    start(reader, "1")
    agent, at = halden.agents["AP-01"], now + timedelta(seconds=1)
    for _ in range(3):
        step = operations.claim(agent, at=at)
        assert step is not None
        operations.reclaim(step, at=step.leased_until)
        at = Step.objects.get().available_at

    assert Step.objects.get().status == "failed"
    assert operations.claim(agent, at=at + timedelta(days=1)) is None
    assert Event.objects.filter(verb="step.reclaimed").count() == 3


def test_outputs_that_do_not_fit_are_refused_and_nothing_changes(reader: Any) -> None:
    start(reader, "1")
    work = reader.claim()
    before = Step.objects.values().get(), Run.objects.values().get(), Event.objects.count()

    answer = act(reader, work, "finish", output={"readable": "yes", "colour": "red", "total": "much"}, cost="1")

    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == {"readable", "colour", "total"}
    assert (Step.objects.values().get(), Run.objects.values().get(), Event.objects.count()) == before
    assert reader.finish(work, readable=True).status_code == 200, "it may be corrected under the same lease"


def test_finishing_twice_counts_once(reader: Any, robot: Any) -> None:
    start(reader, "1")
    work = reader.claim()
    assert reader.finish(work, readable=True).status_code == 200

    assert reader.finish(work, readable=True).json()["code"] == "stale_lease"
    assert Step.objects.filter(element="match").count() == 1
    assert str(Run.objects.get().cost) == "0.010000"


def test_finishing_can_bring_the_next_work(reader: Any) -> None:
    for key in ("1", "2"):
        start(reader, key)

    following = act(reader, reader.claim(), "finish", output={"readable": True}, claim_next=True).json()["work"]

    assert following["run"]["key"] == "2"
    assert act(reader, following, "finish", output={"readable": True}, claim_next=True).json()["work"] is None


def test_exact_amounts_stay_exact_on_their_way(reader: Any, robot: Any) -> None:
    start(reader, "1")
    reader.finish(reader.claim(), readable=True, total="12345678901234567.89")

    assert robot("AP-02").claim()["variables"]["read"]["total"] == "12345678901234567.89"


def test_a_paused_agent_cannot_finish_and_its_step_goes_to_others(reader: Any, halden: Any, now: Any) -> None:
    start(reader, "1")
    work = reader.claim()
    agents.pause(halden.agents["AP-01"], by=halden.people["maria"], at=now, why="Odd results")

    assert act(reader, work, "finish", output={"readable": True}).json()["code"] == "agent_not_active"
    with pytest.raises(agents.AgentNotActive):
        operations.claim(halden.agents["AP-01"], at=now)
    silence(work, now)
    assert operations.reclaim(Step.objects.get(), at=now)


def test_who_is_paused_while_waiting_for_work_gets_none(reader: Any, halden: Any, now: Any) -> None:
    start(reader, "1")
    waiting = type(halden.agents["AP-01"]).objects.get(code="AP-01")
    agents.pause(halden.agents["AP-01"], by=halden.people["maria"], at=now, why="Odd results")

    with pytest.raises(agents.AgentNotActive):
        operations.claim(waiting, at=now)
    assert Step.objects.get().status == "ready"


def test_the_wait_stays_bounded_up_to_the_last_of_a_hundred_tries(drawn: Any, halden: Any, now: Any) -> None:
    version = drawn(
        "patient",
        """<startEvent id="start"/><serviceTask id="work" aos:role="invoice-reader" aos:attempts="100"/>
        <endEvent id="end"/><sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
        <sequenceFlow id="f2" sourceRef="work" targetRef="end"/>""",
    )
    operations.start(version.workflow, key="1", variables={}, by=ledger.SYSTEM, at=now)
    Step.objects.update(attempt=98)
    step = operations.claim(halden.agents["AP-01"], at=now)

    assert operations.reclaim(step, at=step.leased_until)

    again = Step.objects.get()
    assert (again.status, again.attempt) == ("ready", 99)
    assert timedelta(minutes=15) <= again.available_at - step.leased_until <= timedelta(minutes=18)
