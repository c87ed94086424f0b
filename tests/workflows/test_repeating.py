"""Maria says how often a step is done, what it waits for and sends, and what a call hands on: by the outline, and in
the settings of the canvas. What is said already, also in the words of other products, stays as it is written."""

import json
from typing import Any

import pytest
from django.urls import reverse

from tests.workflows.test_editing import found, same
from tests.workflows.test_outline import drawn, send
from tests.workflows.test_step_settings import settings_of
from workflows.plan import LoopKind, editing, read_bpmn
from workflows.plan.naming import set_called, set_told, told_name
from workflows.plan.outlining import outline_of
from workflows.plan.repeating import Repeat, repeat_of, set_repeat
from workflows.plan.sheet import Sheet
from workflows.plan.sources import declared

AT = "/workflows/invoice-to-payment"
FILE = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:aos="https://autonomy-os.org/bpmn/1"
             xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="t">
  <message id="paid" name="payment received"/>
  <message id="kept" name="kept"><extensionElements><camunda:x a="1"/></extensionElements></message>
  <error id="err" name="No stock" errorCode="no_stock"/>
  <process id="order" isExecutable="true">
    <!-- kept -->
    <startEvent id="start">
      <extensionElements><aos:input name="number" type="string"/><aos:input name="lines" type="list" of="json"/></extensionElements>
    </startEvent>
    <sequenceFlow id="f1" sourceRef="start" targetRef="confirm"/>
    <serviceTask id="confirm" name="Confirm a line" aos:role="sales">
      <extensionElements><!-- ours --><aos:output name="price" type="decimal"/></extensionElements>
      <incoming>f1</incoming>
      <multiInstanceLoopCharacteristics camunda:collection="${lines}" camunda:elementVariable="line"/>
    </serviceTask>
    <sequenceFlow id="f2" sourceRef="confirm" targetRef="tell"/>
    <sendTask id="tell" name="Tell the customer" messageRef="kept"/>
    <sequenceFlow id="f3" sourceRef="tell" targetRef="wait"/>
    <intermediateCatchEvent id="wait" name="Paid"><messageEventDefinition messageRef="paid"/></intermediateCatchEvent>
    <sequenceFlow id="f4" sourceRef="wait" targetRef="ship"/>
    <callActivity id="ship" name="Ship it"/>
    <boundaryEvent id="none" attachedToRef="ship"><errorEventDefinition errorRef="err"/></boundaryEvent>
    <sequenceFlow id="f5" sourceRef="ship" targetRef="end"/>
    <sequenceFlow id="f6" sourceRef="none" targetRef="end"/>
    <endEvent id="end"/>
  </process>
</definitions>
"""  # noqa: E501


# --- the drawing ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("repeat", "kind", "read"),
    [
        (Repeat(), LoopKind.NONE, {}),
        (Repeat("loop", goes_while="vars.confirm.price > 1.0"), LoopKind.STANDARD, {
            "loop_condition": "vars.confirm.price > 1.0", "loop_count": "", "loop_tests_before": False}),
        (Repeat("loop", most_turns="5", asks_first=True), LoopKind.STANDARD, {
            "loop_count": "5", "loop_tests_before": True}),
        (Repeat("sequential", collection="vars.input.lines"), LoopKind.SEQUENTIAL, {
            "collection": "vars.input.lines", "element": ""}),
        (Repeat("parallel", collection="vars.input.lines", element="line", enough="loop.done >= 2"), LoopKind.PARALLEL,
            {"collection": "vars.input.lines", "element": "line", "loop_condition": "loop.done >= 2"}),
        (Repeat("parallel", times="3"), LoopKind.PARALLEL, {"loop_count": "3", "collection": ""}),
        (Repeat("sequential", times="3", enough="loop.done == 2"), LoopKind.SEQUENTIAL, {"loop_count": "3"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["as it came", "a loop", "nothing"])
def test_what_is_said_about_repeating_is_what_runs(repeat: Repeat, kind: LoopKind, read: Any, before: str) -> None:
    sheet = Sheet(FILE)
    set_called(sheet, "ship", "shipping")
    if before != "as it came":
        set_repeat(sheet, "confirm", Repeat("loop", most_turns="2") if before == "a loop" else Repeat())

    set_repeat(sheet, "confirm", repeat)

    node = read_bpmn(sheet.text().encode()).nodes["confirm"]
    assert node.loop is kind
    assert {name: getattr(node, name) for name in read} == read
    assert repeat_of(found(sheet, "confirm")) == repeat
    assert [each.name for each in node.outputs] == ["price"]


def test_what_is_said_in_the_words_of_another_product_stays() -> None:
    sheet = Sheet(FILE)
    said = repeat_of(found(sheet, "confirm"))

    set_repeat(sheet, "confirm", said)

    assert said == Repeat("parallel", collection="${lines}", element="line")
    assert same(FILE, sheet.text())


def test_a_foreign_word_that_is_changed_does_not_count_twice() -> None:
    sheet = Sheet(FILE)

    set_repeat(sheet, "confirm", Repeat("parallel", times="2", element="line"))

    assert "camunda:collection" not in sheet.text()
    assert 'camunda:elementVariable="line"' in sheet.text()
    assert repeat_of(found(sheet, "confirm")) == Repeat("parallel", times="2", element="line")


def test_what_never_repeats_is_not_made_to() -> None:
    with pytest.raises(editing.CannotEdit, match="Only a task, a call or a workflow inside"):
        set_repeat(Sheet(FILE), "wait", Repeat("loop", most_turns="2"))


@pytest.mark.parametrize(("step", "name"), [("tell", "kept"), ("wait", "payment received"), ("none", "no_stock")])
def test_the_same_name_again_changes_nothing(step: str, name: str) -> None:
    sheet = Sheet(FILE)

    set_told(sheet, step, name)

    assert same(FILE, sheet.text())


def test_a_message_is_declared_once_and_goes_when_nobody_means_it() -> None:
    sheet = Sheet(FILE)

    set_told(sheet, "wait", "order paid")
    set_told(sheet, "tell", "order paid")

    names = declared(sheet.root).names
    assert sorted(names.values()) == ["kept", "no_stock", "order paid"]  # what holds more than a name stays
    assert [told_name(found(sheet, step), declared(sheet.root)) for step in ("wait", "tell")] == ["order paid"] * 2
    set_told(sheet, "none", "")
    assert "errorRef" not in sheet.text()
    assert "<error " not in sheet.text()


def test_a_list_of_amounts_comes_back_as_one(sign_in: Any) -> None:
    sheet = Sheet(FILE)
    start = next(line for line in outline_of(sheet) if line.id == "start")

    editing.set_values(sheet, "start", list(start.values))

    assert same(FILE, sheet.text())
    assert [(value.type, value.of) for value in start.values] == [("string", ""), ("list", "json")]


# --- by the outline -------------------------------------------------------------------------------------------------
@pytest.fixture
def maria(sign_in: Any) -> Any:
    """Maria, with a draft of that file."""
    maria = sign_in("maria")
    maria.post(f"{AT}/draft/begin")
    assert maria.post(f"{AT}/draft", {"bpmn": FILE, "revision": 1}).status_code == 200
    return maria


def test_a_step_is_done_for_each_line_until_enough_are_done(maria: Any) -> None:
    page = maria.get(f"{AT}/outline?step=confirm").content.decode()
    assert '<option value="parallel" selected>' in page
    assert 'value="${lines}"' in page

    answer = send(
        maria, "confirm", "repeat", repeat="sequential", collection="vars.input.lines", enough="loop.done >= 2",
        goes_while="left over from before",
    )  # fmt: skip

    assert answer.status_code == 302, answer.content.decode()[-3000:]
    node = next(line for line in outline_of(Sheet(drawn().bpmn)) if line.id == "confirm")
    assert node.repeat == Repeat("sequential", collection="vars.input.lines", enough="loop.done >= 2")
    assert "<!-- kept -->" in drawn().bpmn


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"repeat": "loop"}, "Say how long it goes on"),
        ({"repeat": "loop", "most_turns": "0"}, "Write a whole number from 1 on."),
        ({"repeat": "loop", "most_turns": "vars.input.n"}, "Write a whole number from 1 on."),
        ({"repeat": "parallel"}, "Name the list, or say how many times"),
        ({"repeat": "parallel", "times": "-2"}, "or an expression such as vars.input.copies"),
        ({"repeat": "parallel", "collection": "vars.input.lines", "element": "the line"}, "begin with a letter"),
        ({"repeat": "always"}, "Select a valid choice"),
    ],
)
def test_what_does_not_say_how_often_is_refused_beside_its_field(maria: Any, given: Any, said: str) -> None:
    before = drawn().bpmn

    answer = send(maria, "confirm", "repeat", **given)

    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert drawn().bpmn == before


def test_a_message_goes_out_with_its_name_its_key_and_what_it_says(maria: Any) -> None:
    send(maria, "tell", "step", name="Tell them", told="order confirmed", correlation="vars.input.number")
    rows = {"value-TOTAL_FORMS": "2", "value-INITIAL_FORMS": "0"}
    first = {"value-0-name": "order", "value-0-type": "string", "value-0-value": "vars.input.number"}
    wrong = send(maria, "tell", "values", **rows, **(first | {"value-0-value": ""}))
    assert "Say how it is worked out" in wrong.content.decode()

    send(maria, "tell", "values", **rows, **first)

    line = next(line for line in outline_of(Sheet(drawn().bpmn)) if line.id == "tell")
    assert (line.told, line.given["correlation"]) == ("order confirmed", "vars.input.number")
    assert [(value.name, value.value) for value in line.values] == [("order", "vars.input.number")]


def test_a_call_says_what_it_is_started_with_and_what_comes_back(maria: Any) -> None:
    send(maria, "ship", "step", name="Ship it", calls="invoice-to-payment")
    given = {"given-TOTAL_FORMS": "2", "given-INITIAL_FORMS": "0"}
    given |= {"given-0-name": "order", "given-0-type": "string", "given-0-value": "vars.input.number"}
    back = {"value-TOTAL_FORMS": "2", "value-INITIAL_FORMS": "0"}
    back |= {"value-0-name": "parcels", "value-0-type": "list of json", "value-0-label": "Parcels"}

    send(maria, "ship", "passes", **given)
    send(maria, "ship", "values", **back)

    ship = found(Sheet(drawn().bpmn), "ship")
    assert ship.get("calledElement") == "invoice-to-payment"
    line = next(line for line in outline_of(Sheet(drawn().bpmn)) if line.id == "ship")
    assert [(each.name, each.value) for each in line.passes] == [("order", "vars.input.number")]
    assert [(each.name, each.type, each.of) for each in line.values] == [("parcels", "list", "json")]


@pytest.mark.parametrize(("step", "act"), [("wait", "repeat"), ("wait", "passes"), ("end", "values")])
def test_what_a_step_does_not_have_cannot_be_sent(maria: Any, step: str, act: str) -> None:
    assert send(maria, step, act, repeat="loop", most_turns="2").status_code == 404


def test_new_steps_that_send_wait_and_call_are_put_in(maria: Any) -> None:
    for kind, tag in (("send", "sendTask"), ("hear", "messageEventDefinition"), ("call", "callActivity")):
        answer = send(maria, "start", "insert", kind=kind, name=f"A new {kind}")
        assert answer.status_code == 302
        assert f"<{tag} id=" in drawn().bpmn
    page = maria.get(f"{AT}/outline?step=message_1").content.decode()
    assert "Which message" in page
    assert "What the message brings" in page


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"wait": "2 days"}, {"duration_seconds": 172_800}),
        ({"moment": "2026-12-24T18:00:00Z"}, {"timer_at": "2026-12-24T18:00:00Z"}),
        ({"wait": "vars.input.patience"}, {"timer_value": "vars.input.patience"}),
    ],
)
def test_a_timer_waits_for_a_time_a_moment_or_what_is_worked_out(sign_in: Any, given: Any, read: Any) -> None:
    maria = sign_in("maria")
    maria.post(f"{AT}/draft/begin")
    input_ = '<aos:input name="patience" type="duration"/></bpmn:extensionElements>'
    text = drawn().bpmn.replace("</bpmn:extensionElements>", input_, 1)
    maria.post(f"{AT}/draft", {"bpmn": text, "revision": 1})

    answer = send(maria, "late", "step", name="Late", **given)

    assert answer.status_code == 302, answer.content.decode()[-3000:]
    node = read_bpmn(drawn().bpmn.encode()).nodes["late"]
    assert {name: getattr(node, name) for name in read} == read


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Say when"),
        ({"wait": "1 day", "cycle": "R3/PT1H"}, "Say it in one of these fields only"),
        ({"moment": "soon"}, "Write a moment such as"),
        ({"cycle": "often"}, "Write a cycle such as R3/PT1H"),
    ],
)
def test_a_timer_that_does_not_say_when_is_refused(sign_in: Any, given: Any, said: str) -> None:
    maria = sign_in("maria")
    maria.post(f"{AT}/draft/begin")

    answer = send(maria, "late", "step", name="Late", **given)

    assert answer.status_code == 400
    assert said in answer.content.decode()


# --- the settings of the canvas -------------------------------------------------------------------------------------
TASK = {"kind": "bpmn:ServiceTask", "id": "read", "name": "Read", "role": "invoice-reader"}
CALL = {"kind": "bpmn:CallActivity", "id": "ship", "name": "Ship it"}
HEARS = {"kind": "bpmn:IntermediateCatchEvent", "id": "w", "name": "", "event": "bpmn:MessageEventDefinition"}


def test_the_settings_say_how_often_and_forget_what_does_not_belong(sign_in: Any) -> None:
    held = TASK | {"repeat": "loop", "goes_while": "vars.a.b", "most_turns": "3"}
    person = sign_in("ingrid")
    assert '<option value="loop" selected>' in settings_of(person, held).content.decode()

    answer = settings_of(
        person, held, name="Read", role="invoice-reader", repeat="parallel", collection="vars.input.lines",
        goes_while="vars.a.b", most_turns="3",
    )  # fmt: skip

    values = answer.json()["values"]
    assert (values["repeat"], values["collection"], values["goes_while"], values["most_turns"]) == (
        "parallel", "vars.input.lines", "", "",
    )  # fmt: skip


def test_a_repetition_of_the_file_that_is_wrong_does_not_keep_the_step_from_being_renamed(sign_in: Any) -> None:
    held = TASK | {"repeat": "parallel"}

    assert settings_of(sign_in("ingrid"), held, name="New", repeat="parallel").json()["values"]["name"] == "New"


def test_a_call_shows_both_of_its_lists(sign_in: Any) -> None:
    person = sign_in("ingrid")
    page = settings_of(person, CALL).content.decode()
    assert "What it is started with" in page
    assert "What comes back" in page

    answer = settings_of(
        person, CALL, name="Ship it",
        **{"inputs-0-name": "order", "inputs-0-type": "string", "inputs-0-value": "vars.input.number",
           "outputs-0-name": "parcels", "outputs-0-type": "list of json"},
    ).json()["values"]  # fmt: skip

    assert [(row["name"], row["value"]) for row in answer["inputs"]] == [("order", "vars.input.number")]
    assert [(row["type"], row["of"]) for row in answer["outputs"]] == [("list", "json")]


def test_an_event_of_a_message_has_its_name_its_key_and_what_it_brings(sign_in: Any) -> None:
    page = settings_of(sign_in("ingrid"), HEARS).content.decode()

    assert "Wait for a message" in page
    assert 'name="told"' in page
    assert 'name="correlation"' in page
    assert "What the message brings" in page
    assert 'name="wait"' not in page


def test_a_timer_of_a_start_keeps_its_schedule(sign_in: Any) -> None:
    held = {"kind": "bpmn:StartEvent", "id": "s", "event": "bpmn:TimerEventDefinition", "cycle": "0 7 * * 1-5"}

    values = settings_of(sign_in("ingrid"), held, name="Daily", cycle="0 7 * * 1-5").json()["values"]

    assert (values["cycle"], values["wait"], values["moment"]) == ("0 7 * * 1-5", "", "")


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (TASK, "bpmn:SendTask"), (HEARS, "timer"),
        ({"kind": "bpmn:ExclusiveGateway", "id": "g"}, "bpmn:ParallelGateway"),
        ({"kind": "bpmn:EndEvent", "id": "e"}, "error"),
    ],
)  # fmt: skip
def test_a_step_can_become_what_is_near(sign_in: Any, values: Any, wanted: str) -> None:
    assert f'value="{wanted}"' in settings_of(sign_in("ingrid"), values).content.decode()
    assert settings_of(sign_in("ingrid"), values, name="x", becomes=wanted).json()["values"]["becomes"] == wanted


def test_a_trigger_that_the_form_does_not_offer_stays_as_it_is(sign_in: Any) -> None:
    held = {"kind": "bpmn:EndEvent", "id": "e", "event": "bpmn:CompensateEventDefinition"}
    door = reverse("workflow-design-step", args=["invoice-to-payment"])

    page = sign_in("ingrid").post(door, {"values": json.dumps(held)}).content.decode()

    assert 'name="becomes"' not in page
