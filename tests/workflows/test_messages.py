"""Messages and signals: one run takes a message, all hear a signal, nothing is lost, nothing counts twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from observability import ledger
from observability.models import Event
from tests.workflows.small_drawings import HEARS, RECEIVES, STARTS, agent, line
from workflows import operations, tasks
from workflows.models import Message, Run, Step, Subscription

GOODS = {"name": "Goods received", "key": "PO-1", "payload": {"pallets": 3}}


@pytest.fixture
def receiving(drawn: Any) -> Any:
    """A workflow in which runs wait for goods."""
    return drawn("receiving", RECEIVES).workflow


@pytest.fixture
def maria(receiving: Any, sign_in: Any, may_start: Any) -> Any:
    """Maria, who may start runs of it."""
    may_start("maria", receiving)
    return sign_in("maria")


def begin(client: Any, workflow: str, key: str, **inputs: Any) -> Run:
    """A new run."""
    answer = client.call("post", "runs", {"workflow": workflow, "key": key, "input": inputs})
    assert answer.status_code == 201, answer.content
    return Run.objects.get(uid=answer.json()["id"])


def test_a_message_reaches_the_run_of_its_key_and_no_other(maria: Any) -> None:
    one, other = (begin(maria, "receiving", key, order=key) for key in ("PO-1", "PO-2"))

    answer = maria.call("post", "messages", GOODS)

    assert (answer.status_code, answer.json()["status"]) == (200, "taken")
    assert answer.json()["run"] == str(one.uid)
    one.refresh_from_db()
    assert one.variables["goods"] == {"pallets": 3}
    assert list(one.steps.values_list("element", flat=True)) == ["book"]
    assert not other.steps.exists()
    verbs = set(Event.objects.filter(run=str(one.uid)).values_list("verb", flat=True))
    assert {"subscription.opened", "subscription.caught", "message.taken"} <= verbs


def test_a_message_that_nobody_waits_for_yet_is_kept_and_then_taken(maria: Any) -> None:
    sent = maria.call("post", "messages", GOODS)
    assert (sent.status_code, sent.json()["status"]) == (202, "sent")

    run = begin(maria, "receiving", "PO-1", order="PO-1")
    assert tasks.deliver_messages() == 1

    told = maria.call("get", f"messages/{sent.json()['id']}").json()
    assert (told["status"], told["run"]) == ("taken", str(run.uid))
    assert Step.objects.get().element == "book"


def test_a_message_that_nobody_takes_is_dropped_when_its_time_is_over(maria: Any, now: Any) -> None:
    maria.call("post", "messages", GOODS)
    message = Message.objects.get()

    late = now + timedelta(seconds=settings.MESSAGE_KEPT_SECONDS + 5)
    assert not operations.deliver(message, at=now)
    assert operations.deliver(message, at=late)

    message.refresh_from_db()
    assert (message.status, message.trouble) == ("dropped", "Nobody took it in time.")
    begin(maria, "receiving", "PO-1", order="PO-1")
    assert tasks.deliver_messages() == 0


def test_the_same_message_again_is_the_same_message(maria: Any) -> None:
    run = begin(maria, "receiving", "PO-1", order="PO-1")

    answers = [maria.call("post", "messages", {**GOODS, "id": "wms-1"}).json() for _ in range(3)]

    assert len({each["id"] for each in answers}) == 1
    assert run.steps.count() == 1
    assert Message.objects.count() == 1


def test_exact_numbers_in_what_a_message_carries_arrive_as_they_were_sent(
    maria: Any, drawn: Any, may_start: Any
) -> None:
    """What the event does not declare stays out, the message keeps it exactly."""
    run = begin(maria, "receiving", "PO-1", order="PO-1")
    may_start("maria", drawn("closing", HEARS).workflow)
    closing = begin(maria, "closing", "2026")

    sent = maria.call("post", "messages", {**GOODS, "payload": {"pallets": 3, "kg": 1204.125, "each": [{"kg": 0.1}]}})
    told = maria.call("post", "signals", {"name": "Year closed", "payload": {"rate": 1.5}})
    tasks.deliver_messages()

    assert (sent.status_code, told.status_code) == (200, 202)
    assert sent.json()["payload"] == {"pallets": 3, "kg": "1204.125", "each": [{"kg": "0.1"}]}
    run.refresh_from_db()
    closing.refresh_from_db()
    assert run.variables["goods"] == {"pallets": 3}
    assert closing.variables["closed"] == {"rate": "1.5"}


def test_an_unknown_message_is_refused_by_its_name(maria: Any) -> None:
    answer = maria.call("post", "messages", {"name": "Goods recieved"})

    assert answer.status_code == 404
    assert "Goods recieved" in answer.json()["detail"]
    assert not Message.objects.exists()


def test_who_may_not_start_a_workflow_may_not_tell_its_runs_anything(receiving: Any, sign_in: Any) -> None:
    answer = sign_in("sofia").call("post", "messages", GOODS)

    assert answer.status_code == 404
    assert not Message.objects.exists()


def test_what_does_not_fit_is_refused_and_the_run_goes_on_waiting(maria: Any) -> None:
    run = begin(maria, "receiving", "PO-1", order="PO-1")

    answer = maria.call("post", "messages", {**GOODS, "payload": {"pallets": "three"}})

    assert answer.status_code == 400
    assert "pallets" in str(answer.json())
    assert not Message.objects.exists()
    assert Subscription.objects.get(run=run).status == "open"


def test_a_message_begins_a_run_where_the_drawing_says_so(drawn: Any, sign_in: Any, may_start: Any) -> None:
    may_start("maria", drawn("ordering", STARTS).workflow)
    placed = {"name": "Order placed", "key": "PO-7", "payload": {"order": "PO-7", "more": 1}}

    answer = sign_in("maria").call("post", "messages", placed)

    run = Run.objects.get()
    assert (answer.status_code, answer.json()["run"]) == (200, str(run.uid))
    assert (run.key, run.variables["input"]) == ("PO-7", {"order": "PO-7"})
    assert run.started_by is not None and run.started_by.username == "maria"


def test_all_runs_that_wait_now_hear_a_signal_and_later_ones_do_not(drawn: Any, sign_in: Any, may_start: Any) -> None:
    may_start("maria", drawn("closing", HEARS).workflow)
    maria = sign_in("maria")
    waiting = [begin(maria, "closing", str(number)) for number in range(3)]

    assert maria.call("post", "signals", {"name": "Year closed", "payload": {"year": 2026}}).status_code == 202
    later = begin(maria, "closing", "later")
    tasks.deliver_messages()
    tasks.deliver_messages()

    assert {Run.objects.get(pk=run.pk).status for run in waiting} == {"done"}
    assert Run.objects.get(pk=later.pk).status == "running"
    assert Message.objects.get().status == "taken"


def test_a_run_that_stands_still_keeps_no_other_from_hearing_a_signal(
    drawn: Any, sign_in: Any, may_start: Any, now: Any
) -> None:
    may_start("maria", drawn("closing", HEARS).workflow)
    maria = sign_in("maria")
    runs = [begin(maria, "closing", str(number)) for number in range(3)]
    operations.pause_run(runs[0], by=ledger.SYSTEM, at=now, why="An audit.")

    maria.call("post", "signals", {"name": "Year closed"})
    tasks.deliver_messages()
    assert [Run.objects.get(pk=run.pk).status for run in runs] == ["paused", "done", "done"]
    assert Message.objects.get().trouble == "The run 0 stands still."

    operations.resume_run(runs[0], by=ledger.SYSTEM, at=now, why="It is over.")
    message = Message.objects.get()
    assert operations.deliver(message, at=message.due_at)
    assert Run.objects.get(pk=runs[0].pk).status == "done"


@pytest.mark.parametrize(("kind", "path"), [("message", "messages"), ("signal", "signals")])
@override_settings(CALL_DEPTH_AT_MOST=3)
def test_workflows_that_begin_each_other_come_to_an_end(
    kind: str, path: str, drawn: Any, sign_in: Any, may_start: Any
) -> None:
    """Two drawings begin with what both of them send at their end: without a bound there would be ever more runs."""
    named = f'<{kind}EventDefinition {kind}Ref="{kind[0]}{2 if kind == "message" else 1}"/>'
    echo = (
        f'<startEvent id="heard">{named}</startEvent><endEvent id="end" name="Told">{named}</endEvent>'
        + line("heard", "end")
    )  # fmt: skip
    for code in ("ping", "pong"):
        may_start("maria", drawn(code, echo).workflow)
    name = "Order placed" if kind == "message" else "Year closed"

    sign_in("maria").call("post", path, {"name": name})
    for _ in range(6):
        tasks.deliver_messages()

    assert Run.objects.count() == (4 if kind == "message" else 2 + 4 + 8 + 16)
    assert max(Run.objects.values_list("depth", flat=True)) == 3
    assert not Message.objects.filter(status="sent").exists()
    said = set(Event.objects.filter(verb__in=("message.dropped", "message.not_heard")).values_list("why", flat=True))
    assert said == {"Runs begin each other 4 deep."}


def test_one_run_tells_another(drawn: Any, sign_in: Any, may_start: Any, robot: Any) -> None:
    """The store throws a message with a payload; the run that waits for it takes it, delivered apart from both."""
    throws = (
        '<startEvent id="start"><extensionElements><aos:input name="order" type="string"/></extensionElements>'
        '</startEvent><intermediateThrowEvent id="tell" aos:correlation="vars.input.order"><extensionElements>'
        '<aos:output name="pallets" type="int" value="5"/></extensionElements>'
        '<messageEventDefinition messageRef="m1"/></intermediateThrowEvent><endEvent id="end" name="Told"/>'
        + line("start", "tell", "end")
    )
    for code, elements in (("receiving", RECEIVES), ("store", throws)):
        may_start("maria", drawn(code, elements).workflow)
    maria = sign_in("maria")
    waits = begin(maria, "receiving", "PO-1", order="PO-1")
    sender = begin(maria, "store", "PO-1", order="PO-1")

    assert Message.objects.get().status == "sent"
    assert tasks.deliver_messages() == 1

    message = Message.objects.get()
    assert (message.status, message.sender, message.receiver) == ("taken", sender, waits)
    waits.refresh_from_db()
    assert waits.variables["goods"] == {"pallets": 5}


def test_a_message_and_a_clock_at_a_gateway_only_one_of_them_is_heard(
    drawn: Any, sign_in: Any, may_start: Any, now: Any
) -> None:
    either = (
        '<startEvent id="start"/><eventBasedGateway id="which"/>'
        '<intermediateCatchEvent id="goods"><messageEventDefinition messageRef="m1"/></intermediateCatchEvent>'
        '<intermediateCatchEvent id="late"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
        "</timerEventDefinition></intermediateCatchEvent>" + agent("book") + agent("remind")
        + '<endEvent id="end" name="Over"/>' + line("start", "which", "goods", "book", "end")
        + line("which", "late", "remind", "end")
    )  # fmt: skip
    may_start("maria", drawn("either", either).workflow)
    maria = sign_in("maria")
    run = begin(maria, "either", "1")
    timer = run.timers.get()

    assert maria.call("post", "messages", {"name": "Goods received"}).json()["status"] == "taken"

    assert not operations.fire_timer(timer, at=now + timedelta(hours=2))
    assert list(run.steps.values_list("element", flat=True)) == ["book"]
    assert run.subscriptions.get().status == "caught"
