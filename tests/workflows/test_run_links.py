"""Why a run stands still: who called it, whom it called, what it was told and told others, what it waits for."""

from datetime import timedelta
from typing import Any

from governance.operations import Paused
from tests.workflows.small_drawings import HEARS, RECEIVES, agent, line
from tests.workflows.test_calls import CALLS, CHECKS, ORDER
from workflows import operations, tasks
from workflows.models import Message, Run, Timer, Workflow

SENDS = (
    f'<startEvent id="start">{ORDER}</startEvent>'
    '<sendTask id="tell" name="Tell the warehouse" messageRef="m1" aos:correlation="vars.input.order">'
    "<extensionElements>"
    '<aos:output name="order" type="string" value="vars.input.order"/></extensionElements></sendTask>'
    + agent("book") + '<endEvent id="end" name="Told"/>' + line("start", "tell", "book", "end")
)  # fmt: skip


def begin(client: Any, workflow: str, key: str) -> Run:
    """A run, and what it sends is delivered."""
    answer = client.call("post", "runs", {"workflow": workflow, "key": key, "input": {"order": key}})
    assert answer.status_code == 201, answer.content
    tasks.deliver_messages()
    return Run.objects.get(uid=answer.json()["id"])


def test_a_run_shows_whom_it_called_and_a_called_one_who_called_it(
    drawn: Any, may_start: Any, sign_in: Any, robot: Any
) -> None:
    drawn("checking", CHECKS)
    may_start("maria", drawn("calling", CALLS).workflow)
    maria = sign_in("maria")
    caller = begin(maria, "calling", "PO-1")
    called = caller.children.get()

    above = maria.get(f"/runs/{caller.uid}")
    below = maria.get(f"/runs/{called.uid}")

    tree = above.context["tree"]
    assert (tree.run, tree.here, [each.run for each in tree.branches]) == (caller, True, [called])
    assert tree.branches[0].place == "ask"
    assert [each.run for each in above.context["calls"]] == [called] and below.context["calls"] == []
    assert "Waits for another run" in above.content.decode()
    assert f'href="/runs/{called.uid}"' in above.content.decode()
    assert f'data-live-also="{caller.uid} {called.uid}"' in above.content.decode(), "it hears of both"
    tree = below.context["tree"]
    assert (tree.run, tree.here, tree.branches[0].run, tree.branches[0].here) == (caller, False, called, True)
    robot("AP-01").finish(robot("AP-01").claim(), sound=True)
    after = maria.get(f"/runs/{caller.uid}")
    assert (after.context["tree"].branches[0].state, after.context["calls"]) == ("done", [])


def test_of_a_called_run_that_one_may_not_see_only_the_state_is_shown(
    drawn: Any, may_start: Any, sign_in: Any, halden: Any
) -> None:
    secret = drawn("checking", CHECKS).workflow
    may_start("maria", drawn("calling", CALLS).workflow)
    maria = sign_in("maria")
    caller = begin(maria, "calling", "PO-1")
    Workflow.objects.filter(pk=secret.pk).update(unit=halden.units["procurement"])
    called = caller.children.get()

    page = maria.get(f"/runs/{caller.uid}").content.decode()

    assert "A run that you may not see" in page
    assert called.key not in page and str(called.uid) not in page
    assert maria.get(f"/runs/{called.uid}").status_code == 404


def test_a_call_that_has_not_begun_says_why(drawn: Any, may_start: Any, sign_in: Any) -> None:
    drawn("checking", CHECKS)
    may_start("maria", drawn("calling", CALLS).workflow)
    maria = sign_in("maria")
    maria.call("post", "runs", {"workflow": "calling", "key": "PO-1", "input": {"order": "PO-1"}})
    run = Run.objects.get()
    assert "It is about to begin." in maria.get(f"/runs/{run.uid}").content.decode()
    Message.objects.update(trouble=Paused("All work is paused.").detail)

    page = maria.get(f"/runs/{run.uid}").content.decode()

    assert "All work is paused." in page and "Not begun yet" in page


def test_a_run_says_which_message_it_waits_for_and_with_which_key(drawn: Any, may_start: Any, sign_in: Any) -> None:
    may_start("maria", drawn("receiving", RECEIVES).workflow)
    maria = sign_in("maria")
    run = begin(maria, "receiving", "PO-1")

    page = maria.get(f"/runs/{run.uid}").content.decode()
    assert "Waits for a message" in page
    assert "the message “Goods received”" in page and "with the key PO-1" in page
    maria.call("post", "messages", {"name": "Goods received", "key": "PO-1", "payload": {"pallets": 3}})

    after = maria.get(f"/runs/{run.uid}").content.decode()
    assert "Received: Goods received" in after and "Taken" in after
    assert "<dt>Pallets</dt><dd>3</dd>" in after
    assert "with the key PO-1" not in after


def test_what_a_run_sent_stands_there_with_who_took_it(drawn: Any, may_start: Any, sign_in: Any) -> None:
    may_start("maria", drawn("receiving", RECEIVES.replace("pallets", "order").replace('"int"', '"string"')).workflow)
    may_start("maria", drawn("sending", SENDS).workflow)
    maria = sign_in("maria")
    waiting = begin(maria, "receiving", "PO-1")
    sender = begin(maria, "sending", "PO-1")

    page = maria.get(f"/runs/{sender.uid}").content.decode()
    other = maria.get(f"/runs/{waiting.uid}").content.decode()

    assert "Sent: Goods received" in page and "at Tell the warehouse" in page
    assert f'to <a href="/runs/{waiting.uid}">' in page
    assert "Received: Goods received" in other and f'from <a href="/runs/{sender.uid}">' in other


def test_signals_that_were_heard_stand_among_the_messages(drawn: Any, may_start: Any, sign_in: Any) -> None:
    may_start("maria", drawn("hearing", HEARS).workflow)
    maria = sign_in("maria")
    maria.call("post", "runs", {"workflow": "hearing", "key": "PO-1", "input": {}})
    run = Run.objects.get()
    waits = maria.get(f"/runs/{run.uid}").context["waits"][0]
    maria.call("post", "signals", {"name": waits["message"], "payload": {}})
    tasks.deliver_messages()

    page = maria.get(f"/runs/{run.uid}").content.decode()

    assert waits["kind"] == "signal"
    assert f"Received: {waits['message']}" in page


def test_clocks_stand_in_what_is_open_until_they_ring(drawn: Any, may_start: Any, sign_in: Any, now: Any) -> None:
    waits = (
        '<startEvent id="start"/><intermediateCatchEvent id="nap" name="Wait a day"><timerEventDefinition>'
        "<timeDuration>P1D</timeDuration></timerEventDefinition></intermediateCatchEvent>"
        '<endEvent id="end"/>' + line("start", "nap", "end")
    )
    may_start("maria", drawn("napping", waits).workflow)
    maria = sign_in("maria")
    answer = maria.call("post", "runs", {"workflow": "napping", "key": "n", "input": {}})
    run = Run.objects.get(uid=answer.json()["id"])

    assert "Wait a day" in maria.get(f"/runs/{run.uid}").content.decode()
    operations.fire_timer(Timer.objects.get(), at=now + timedelta(days=2))
    page = maria.get(f"/runs/{run.uid}")
    assert page.context["clocks"] == [] and page.context["tree"] is None


def test_a_run_that_passed_a_limit_says_that_it_stands_still(drawn: Any, may_start: Any, sign_in: Any) -> None:
    may_start("maria", drawn("receiving", RECEIVES).workflow)
    maria = sign_in("maria")
    run = begin(maria, "receiving", "PO-1")
    Run.objects.filter(pk=run.pk).update(over_limit="cost")

    assert "It passed a limit and stands still" in maria.get(f"/runs/{run.uid}").content.decode()
