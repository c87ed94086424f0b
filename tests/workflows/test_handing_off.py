"""A step goes on to another role with what its agent knows: only who holds it reads that, and nobody can forge it."""

from typing import Any

import pytest

from governance.models import Escalation
from observability.ledger import database_now
from observability.models import Event
from tests.workflows.queue import ONE_STEP, begin, declare, one_step, wrong_in
from workflows import operations
from workflows.models import HandOff, Step
from workflows.operations.work.handing import sha256_of

CONTEXT = {"order": "PO-2026-3007", "lines": [1, 2]}


@pytest.fixture
def reader(robot: Any) -> Any:
    """The invoice reader at the API, who has a step in hand that others may take too."""
    return robot("AP-01")


@pytest.fixture
def version(halden: Any, now: Any) -> Any:
    return one_step(halden, now, "small")


def hand_off(agent: Any, work: Any, to_role: str = "three-way-match", *, key: str | None = None, **more: Any) -> Any:
    body = {"lease_token": work["lease_token"], "to_role": to_role, "note": "I do not know this order.", **more}
    return agent.call("post", f"steps/{work['step']}/hand-off", body, key=key)


def read(who: Any, work: Any) -> Any:
    return who.call("get", f"steps/{work['step']}/hand-offs")


def test_the_receiver_gets_the_snapshot_with_the_step(reader: Any, robot: Any, version: Any) -> None:
    begin(version, "a")
    work, matcher = reader.claim(), robot("AP-02")

    assert hand_off(reader, work, context=CONTEXT).json() == {"status": "ready"}

    assert reader.claim() is None
    got = matcher.claim()
    given = got["hand_off"]
    assert (got["step"], given["sender"], given["from_role"], given["context"], given["number"]) == (
        work["step"], "AP-01", "invoice-reader", CONTEXT, 1,
    )  # fmt: skip
    kept = HandOff.objects.get()
    assert kept.receiver is not None
    assert given["sha256"] == kept.sha256 == sha256_of(kept.as_document())
    assert Event.objects.get(verb="step.handed_off").data["sha256"] == kept.sha256
    assert matcher.finish(got, answer="yes").status_code == 200


def test_only_who_holds_the_step_and_people_who_see_the_run_read_it(
    reader: Any, robot: Any, sign_in: Any, version: Any
) -> None:
    begin(version, "a")
    work, matcher = reader.claim(), robot("AP-02")
    hand_off(reader, work, context=CONTEXT)

    assert [read(who, work).status_code for who in (reader, matcher, robot("RK-01"))] == [404, 404, 404], "not yet"
    got = matcher.claim()
    assert read(matcher, work).json()["hand_offs"][0]["context"] == CONTEXT
    assert [read(who, work).status_code for who in (reader, robot("RK-01"))] == [404, 404]
    assert read(sign_in("maria"), work).status_code == 200
    matcher.finish(got, answer="yes")
    assert read(matcher, work).status_code == 404, "no longer its own"


def test_the_sender_is_who_calls_whatever_the_body_says(reader: Any, robot: Any, version: Any) -> None:
    begin(version, "a")
    work = reader.claim()

    forged = hand_off(reader, work, sender="AP-04")
    stolen = hand_off(robot("AP-02"), work)

    assert (forged.status_code, list(wrong_in(forged))) == (400, ["sender"])
    assert stolen.json()["code"] == "stale_lease"
    assert not HandOff.objects.exists()


def test_a_replay_hands_nothing_off_again(reader: Any, robot: Any, version: Any) -> None:
    begin(version, "a")
    work = reader.claim()

    first = hand_off(reader, work, key="once")
    repeat, replay = hand_off(reader, work, key="once"), hand_off(reader, work, key="another")

    assert first.json() == repeat.json()
    assert (replay.status_code, replay.json()["code"]) == (409, "stale_lease")
    assert HandOff.objects.count() == 1


def test_a_context_that_arrives_changed_is_refused(reader: Any, version: Any) -> None:
    begin(version, "a")
    work = reader.claim()

    refused = hand_off(reader, work, context={**CONTEXT, "order": "PO-1"}, sha256=sha256_of(CONTEXT))
    taken = hand_off(reader, work, context=CONTEXT, sha256=sha256_of(CONTEXT))

    assert (refused.status_code, refused.json()["code"]) == (400, "context_altered")
    assert taken.status_code == 200


@pytest.mark.parametrize("how", ["context", "context and digest", "sender"])
def test_what_is_changed_in_the_database_is_handed_to_nobody(
    how: str, reader: Any, robot: Any, sign_in: Any, halden: Any, version: Any
) -> None:
    begin(version, "a")
    work = reader.claim()
    hand_off(reader, work, context=CONTEXT)
    kept = HandOff.objects.select_related("step", "sender").get()
    kept.context = {"order": "PO-666"} if how != "sender" else kept.context
    kept.sender = halden.agents["AP-04"] if how == "sender" else kept.sender
    kept.sha256 = sha256_of(kept.as_document()) if how == "context and digest" else kept.sha256
    kept.save()

    assert robot("AP-02").claim() is None

    assert (Step.objects.get().status, Escalation.objects.filter(kind="incident").count()) == ("failed", 1)
    refused = read(sign_in("maria"), work)
    assert (refused.status_code, refused.json()["code"]) == (409, "hand_off_altered")


def test_a_step_that_goes_to_and_fro_is_put_to_a_person(reader: Any, robot: Any, settings: Any, version: Any) -> None:
    settings.HAND_OFFS_AT_MOST = 4
    begin(version, "a")
    agents, roles = (reader, robot("AP-02")), ("three-way-match", "invoice-reader")
    told = []
    for turn in range(5):
        work = agents[turn % 2].claim()
        told.append(hand_off(agents[turn % 2], work, roles[turn % 2]).json()["status"])

    assert told == ["ready"] * 4 + ["failed"]
    step = Step.objects.get()
    assert step.escalation is not None
    assert "4 times" in step.escalation.reason_asked
    assert [each.number for each in HandOff.objects.order_by("number")] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "body, field",
    [
        ({"to_role": "nobody"}, "to_role"), ({"to_role": "invoice-reader"}, "to_role"),
        ({"context": {"lines": "none"}}, "context.lines"),
        ({"references": [{"kind": "fact", "id": "01890d2c-0000-7000-8000-000000000000"}]}, "references.0"),
        ({"references": [{"kind": "decision", "id": "01890d2c-0000-7000-8000-000000000000"}]}, "references.0"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_and_nothing_happens(reader: Any, version: Any, body: Any, field: str) -> None:
    declare(version, input_schema='{"properties": {"lines": {"type": "array"}}}')
    begin(version, "a")
    work = reader.claim()

    refused = hand_off(reader, work, **body)

    assert (refused.status_code, list(wrong_in(refused))) == (400, [field])
    assert Step.objects.get().status == "working"
    assert not HandOff.objects.exists()


def test_nothing_is_handed_to_a_role_that_never_works_here(reader: Any, robot: Any, drawn: Any) -> None:
    begin(drawn("alone", ONE_STEP.format(role="invoice-reader")), "a")

    refused = hand_off(reader, reader.claim())

    assert "nobody would ever take the step" in wrong_in(refused)["to_role"]


def test_each_hand_off_stands_on_the_one_before(reader: Any, robot: Any, halden: Any, version: Any) -> None:
    begin(version, "a")
    hand_off(reader, reader.claim(), context={"n": 1})
    matcher = robot("AP-02")
    hand_off(matcher, matcher.claim(), "invoice-reader", context={"n": 2})

    first, second = HandOff.objects.order_by("number")
    assert second.previous_sha256 == first.sha256
    assert operations.claim(halden.agents["AP-01"], at=database_now()) is not None
