"""docs/connect/take-many.md: every example runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from agents.operations import grant
from observability import ledger
from observability.models import Event
from tests.workflows.drawings import end, event, flows, start, sub
from tests.workflows.small_drawings import agent, process
from workflows import operations
from workflows.models import HandOff, Run, Step

READ = {"readable": True, "number": "2026-1187"}


@pytest.fixture
def reader(connect: Any) -> Any:
    """The invoice reader, with three documents to read."""
    agent = connect("AP-01")
    for number in range(3):
        agent.start_run("invoice-to-payment", key=f"2026-{number}", input={"document": f"{number}.xml"})
    return agent


def test_many_steps_are_reported_and_claimed_at_once(reader: Any, run_block: Any) -> None:
    def read(work: Any) -> dict[str, Any]:
        if work.run.key == "2026-1":
            raise OSError("torn")
        return READ

    names = run_block("connect/take-many.md", "many", autonomy=reader, read=read)

    assert names["refused"] == []
    assert dict(Step.objects.filter(element="read").values_list("run__key", "status")) == {
        "2026-0": "done", "2026-1": "ready", "2026-2": "done",
    }  # fmt: skip


def test_many_runs_are_started_at_once(reader: Any, run_block: Any) -> None:
    arrived = {"2026-8": {"document": "8.xml"}, "2026-9": {"file": "9.xml"}}

    names = run_block("connect/take-many.md", "start", autonomy=reader, arrived=arrived)

    assert [(each.key, each.is_new) for each in names["told"]] == [("2026-8", True), ("2026-9", False)]
    assert names["wrong"] == {"2026-9": {"file": "is not a known field."}}


def test_a_step_is_kept_longer_and_given_back(reader: Any, run_block: Any) -> None:
    work = reader.claim(wait_seconds=0)

    run_block("connect/take-many.md", "time", autonomy=reader, work=work)

    step = Step.objects.get(uid=work.step)
    assert (step.status, step.attempt) == ("ready", 0)


def test_a_step_is_handed_off(reader: Any, connect: Any, run_block: Any) -> None:
    run_block("connect/take-many.md", "hand", autonomy=reader, work=reader.claim(wait_seconds=0))

    matcher = connect("AP-02")
    work = matcher.claim(wait_seconds=0)
    assert work.context["order"] == "PO-2026-3007"
    assert [each.sender for each in matcher.hand_offs(work)] == ["AP-01"]
    assert HandOff.objects.count() == 1


@pytest.fixture
def in_a_free_part(halden: Any, connect: Any, now: datetime) -> tuple[Any, Any]:
    """The invoice reader with a step of an ad-hoc sub-process; an escalation is heard at its edge."""
    edge = event("boundaryEvent", "dear", "escalation", "too-dear", more='attachedToRef="free" cancelActivity="false"')
    tasks = agent("read", outputs="total:decimal") + agent("call", role="three-way-match")
    ways = flows("s -> free\nfree -> e\ndear -> e2")
    drawing = start() + sub("free", tasks, tag="adHocSubProcess") + edge + end() + end("e2") + ways
    workflow = operations.publish(
        "free", process("free", drawing), by=ledger.SYSTEM, at=now, unit=halden.units["finance"],
        owner=halden.people["maria"], incident_path=halden.workflow.incident_path,
    ).workflow  # fmt: skip
    for code in ("AP-01", "AP-02"):
        grant("workflows.work_in_workflow", halden.agents[code].principal, workflow, by=ledger.SYSTEM, at=now)
    operations.start(workflow, key="a", variables={}, by=ledger.SYSTEM, at=ledger.database_now())
    reader = connect("AP-01")
    return reader, reader.claim(wait_seconds=0)


def test_an_agent_tells_what_it_found(in_a_free_part: tuple[Any, Any], run_block: Any) -> None:
    reader, work = in_a_free_part

    names = run_block("connect/take-many.md", "tell", autonomy=reader, work=work)

    assert (names["heard"].by, names["heard"].is_mine) == ("dear", True)
    assert Step.objects.get(element="read").status == "done"


def test_an_agent_has_a_task_done_once_more(in_a_free_part: tuple[Any, Any], connect: Any, run_block: Any) -> None:
    reader, work = in_a_free_part
    matcher = connect("AP-02")
    matcher.finish(matcher.claim(wait_seconds=0), {})

    run_block("connect/take-many.md", "choose", autonomy=reader, work=work)

    assert [step.status for step in Step.objects.filter(element="call")] == ["done", "ready"]
    assert Event.objects.get(verb="run.task_chosen").why == "The order number is missing."
    assert Run.objects.get(key="a").status == "running"


def test_a_message_says_that_work_is_ready(reader: Any, run_block: Any) -> None:
    secret, body = "whsec_c2VjcmV0", json.dumps({"type": "work.ready"})
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "m-1", "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("m-1", now, body),
    }  # fmt: skip

    given = {"autonomy": reader, "secret": secret, "request_body": body, "request_headers": headers}
    names = run_block("connect/take-many.md", "pushed", **given)

    assert names["work"].run.key == "2026-0"
