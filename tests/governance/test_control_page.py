"""The control state: who may change it, what is asked for, what a change stops, and that it holds at once."""

from typing import Any

import pytest
from django.urls import reverse

from governance.operations import control_now
from observability.models import Event
from tests.invoices import ask_to_pay

CONTROL = "/control"
FORGED = "A supplier reports forged invoices."


def change(person: Any, state: str, why: str = FORGED) -> Any:
    """What the form of the page sends."""
    return person.post(CONTROL, {"state": state, "why": why})


def test_daniel_pauses_all_work_and_nothing_is_handed_out(robot: Any, sign_in: Any) -> None:
    daniel, reader = sign_in("daniel"), robot("AP-01")
    reader.call("post", "runs", {"workflow": "invoice-to-payment", "key": "2026-1", "input": {"document": "1.xml"}})

    assert change(daniel, "paused").status_code == 302

    shown = daniel.get(CONTROL).content.decode()
    assert "Paused from now on." in shown
    assert "Set by Daniel Okafor, <time" in shown
    assert FORGED in shown
    assert "Daniel Okafor</b> paused all work" in shown
    assert reader.call("post", "work/claim", {}).status_code == 409
    change(daniel, "normal", "They were genuine.")
    assert reader.claim() is not None


def test_the_page_says_before_the_press_what_stops(robot: Any, sign_in: Any) -> None:
    ask_to_pay(robot, "2026-1")
    robot("AP-01").call(
        "post", "runs", {"workflow": "invoice-to-payment", "key": "2026-2", "input": {"document": "2.xml"}}
    )
    robot("AP-01").claim()

    shown = sign_in("jonas").get(CONTROL).content.decode()

    assert '2 runs</b> under way and <b class="num">4 agents</b> at work. 1 step is with an agent now' in shown
    assert "Pause all work" in shown
    assert "Return to normal operation" not in shown, "it is normal already"


@pytest.mark.parametrize("name", ["priya", "maria", "sofia", "edith"])
def test_who_has_no_right_reads_and_changes_nothing(sign_in: Any, name: str) -> None:
    person = sign_in(name)

    shown = person.get(CONTROL).content.decode()
    assert "You may read the control state, not change it." in shown
    assert 'name="state"' not in shown
    refused = change(person, "paused")
    assert refused.status_code == 403
    assert "Nothing was changed" in refused.content.decode()
    assert control_now().status == "normal"


@pytest.mark.parametrize("state, why", [("paused", ""), ("paused", "   "), ("stopped", FORGED), ("", FORGED)])
def test_a_change_needs_a_known_state_and_a_reason(sign_in: Any, state: str, why: str) -> None:
    refused = change(sign_in("ingrid"), state, why)

    assert refused.status_code == 400
    assert why.strip() in refused.content.decode()
    assert control_now().status == "normal"
    assert not Event.objects.filter(verb="control.changed").exists()


def test_the_second_to_pause_reads_who_was_first(sign_in: Any) -> None:
    change(sign_in("daniel"), "paused")

    late = change(sign_in("jonas"), "paused", "I saw it too.")

    assert late.status_code == 409
    assert "the control state is “Paused” already, set by Daniel Okafor." in late.content.decode()
    assert "I saw it too." in late.content.decode()


def test_the_button_on_every_page_can_be_fetched_alone(sign_in: Any) -> None:
    priya = sign_in("priya")
    change(sign_in("daniel"), "restricted")

    button = priya.get(reverse("control-posture")).content.decode()

    assert "Restricted" in button
    assert "os-posture restricted" in button
    assert "<html" not in button


def test_everybody_hears_of_a_change_whatever_their_unit(sign_in: Any, halden: Any) -> None:
    change(sign_in("daniel"), "paused")

    assert Event.objects.visible_to(halden.people["lukas"]).filter(verb="control.changed").count() == 1


def test_nobody_looks_without_signing_in(client: Any, db: None) -> None:
    assert client.get(CONTROL).status_code == 302
    assert client.get(reverse("control-posture")).status_code == 302
