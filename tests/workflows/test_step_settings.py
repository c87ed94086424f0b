"""The settings of a step as a form: what a person writes becomes what the drawing holds, or what is wrong is said."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from workflows.charts import heat

AGENT = {"kind": "bpmn:ServiceTask", "id": "read", "name": "Read the invoice", "role": "invoice-reader"}
PERSON = {"kind": "bpmn:UserTask", "id": "ask", "name": "Approve it", "path": "invoice-exceptions"}
WAY = {"kind": "bpmn:SequenceFlow", "id": "f1", "leaves": "bpmn:ExclusiveGateway", "condition": "vars.a.b == true"}


def settings_of(person: Any, values: dict[str, Any], **given: str) -> Any:
    """What the server answers about an element; with fields it is asked to set them."""
    body = {"values": json.dumps(values), **({"set": "1", **given} if given else {})}
    return person.post(reverse("workflow-design-step", args=["invoice-to-payment"]), body)


# --- the form -----------------------------------------------------------------------------------------------------
def test_ingrid_reads_the_settings_of_an_agent_task(sign_in: Any) -> None:
    page = settings_of(sign_in("ingrid"), {**AGENT, "lease": "PT4H"}).content.decode()

    assert "Read the invoice" in page
    assert 'value="4 hours"' in page
    assert '<option value="invoice-reader" selected>' in page


def test_what_ingrid_sets_comes_back_as_the_drawing_holds_it(sign_in: Any) -> None:
    answer = settings_of(sign_in("ingrid"), AGENT, name="Read it", role="payments-clerk", lease="10 min", attempts="5")

    values = answer.json()["values"]
    assert (values["name"], values["role"], values["lease"], values["attempts"]) == (
        "Read it", "payments-clerk", "PT10M", "5"
    )  # fmt: skip


def test_a_wrong_setting_is_said_beside_its_field(sign_in: Any) -> None:
    answer = settings_of(sign_in("ingrid"), AGENT, name="Read it", lease="soon", attempts="0")

    assert answer.status_code == 422
    assert "Write a length such as 30 minutes" in answer.content.decode()
    assert 'id="id_attempts_error"' in answer.content.decode()


def test_a_new_value_makes_room_for_the_next(sign_in: Any) -> None:
    first = {"outputs-0-name": "total", "outputs-0-type": "decimal", "outputs-0-label": "Total"}
    answer = settings_of(sign_in("ingrid"), AGENT, name="Read it", **first).json()

    assert answer["values"]["outputs"] == [
        {
            "name": "total",
            "type": "decimal",
            "of": "",
            "label": "Total",
            "value": "",
        }
    ]
    assert answer["reshaped"]
    assert 'name="outputs-1-name"' in answer["form"]


@pytest.mark.parametrize("name", ["two words", "1st", "a-b"])
def test_the_name_of_a_value_must_be_one_that_expressions_can_use(sign_in: Any, name: str) -> None:
    answer = settings_of(sign_in("ingrid"), AGENT, **{"outputs-0-name": name, "outputs-0-type": "string"})

    assert answer.status_code == 422


def test_two_values_cannot_share_a_name(sign_in: Any) -> None:
    held = {**AGENT, "outputs": [{"name": "total", "type": "decimal"}]}
    given = {"outputs-0-name": "total", "outputs-1-name": "total", "outputs-1-type": "int", "outputs-0-type": "int"}

    assert "The value total exists already." in settings_of(sign_in("ingrid"), held, **given).content.decode()


def test_a_schema_must_be_a_json_object(sign_in: Any) -> None:
    answer = settings_of(sign_in("ingrid"), AGENT, name="Read it", output_schema="[1]")

    assert "A schema is an object" in answer.content.decode()


def test_a_role_of_the_file_that_is_not_known_here_stays(sign_in: Any) -> None:
    held = {**AGENT, "role": "elsewhere"}
    person = sign_in("ingrid")

    assert "elsewhere (not known here)" in settings_of(person, held).content.decode()
    assert settings_of(person, held, name="x", role="elsewhere").json()["values"]["role"] == "elsewhere"


def test_only_a_way_that_leaves_a_decision_has_a_condition(sign_in: Any) -> None:
    person = sign_in("ingrid")

    assert "Taken when" in settings_of(person, WAY).content.decode()
    assert "Taken when" not in settings_of(person, {**WAY, "leaves": "bpmn:ServiceTask"}).content.decode()


def test_an_approval_asks_for_its_path_and_its_words(sign_in: Any) -> None:
    page = settings_of(sign_in("ingrid"), {**PERSON, "approve": "It is paid."}).content.decode()

    assert "Who decides" in page
    assert "What the person sees" in page
    assert "It is paid." in page


@pytest.mark.parametrize("values", ["", "[]", "{", '"x"'])
def test_values_that_are_none_are_refused(sign_in: Any, values: str) -> None:
    door = reverse("workflow-design-step", args=["invoice-to-payment"])

    assert sign_in("ingrid").post(door, {"values": values}).status_code == 400


def test_an_element_of_a_kind_without_settings_shows_its_name_alone(sign_in: Any) -> None:
    page = settings_of(sign_in("ingrid"), {"kind": "bpmn:Group", "id": "g", "name": "Later"}).content.decode()

    assert page.count("<label") == 1


# --- heat -----------------------------------------------------------------------------------------------------------
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def step(element: str, seconds: float | None, cost: str = "0", wrong: bool = False) -> Any:
    end = None if seconds is None else NOON + timedelta(seconds=seconds)
    return element, NOON, end, Decimal(cost), wrong


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("time", [("ask", 1, "1 h", 10), ("read", 3, "2 m 00 s", 0)]),
        ("cost", [("read", 3, "€0.20", 10), ("ask", 1, "€0.00", 0)]),
        ("errors", [("read", 3, "33.3 %", 10), ("ask", 1, "0 %", 0)]),
    ],
)
def test_heat_is_a_share_of_the_warmest_element(by: str, expected: list[tuple[str, int, str, int]]) -> None:
    steps = [step("read", 60, "0.10"), step("read", 120, "0.20"), step("read", 300, "0.30", True), step("ask", 3600)]

    assert [(each.element, each.reached, each.value, each.heat) for each in heat(steps, by)] == expected


def test_what_has_not_ended_has_no_time_yet() -> None:
    assert heat([step("ask", None)], "time") == []
