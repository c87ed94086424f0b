"""The engine with much of everything: what one happening costs must not grow with what is done already."""

import json

import pytest

from tests.workflows.drawings import Play, end, flows, start, sub, task, xml
from workflows.plan import (
    CancelStep,
    EndRun,
    GatherOutputs,
    Marking,
    OpenStep,
    RaiseIncident,
    RunCancelled,
    Started,
    StepFinished,
    advance,
    read_bpmn,
)

MANY = 10_000
OVER = '<multiInstanceLoopCharacteristics aos:collection="vars.input.items"/>'
ITEMS = '<startEvent id="s"><extensionElements><aos:input name="items" type="list"/></extensionElements></startEvent>'


def size(marking: Marking) -> int:
    return len(json.dumps(marking.to_json()))


@pytest.fixture(scope="module")
def graph():
    return read_bpmn(xml(ITEMS + task("a", inside=OVER, outputs="ok:bool") + end(), "s -> a\na -> e"))


def test_ten_thousand_instances_are_one_entry_and_finish_in_any_order(graph):
    variables = {"input": {"items": [f"item {n}" for n in range(MANY)]}}
    marking, effects = advance(graph, Marking(), Started(), variables)
    assert len(effects) == MANY
    assert effects[-1] == OpenStep(MANY + 1, "a", MANY - 1, f"item {MANY - 1}")

    largest = size(marking)
    for turn in range(MANY):
        number = 2 + (turn * 7_919) % MANY  # a prime, so that every one comes once
        marking, effects = advance(graph, marking, StepFinished(number), variables)
        assert (len(marking.tokens), len(marking.instances)) == (1, 1)
        assert len(effects) <= 1
        if turn % 500 == 0:
            marking = Marking.from_json(json.loads(json.dumps(marking.to_json())))
            largest = max(largest, size(marking))

    assert effects == (GatherOutputs(1, "a", 2, MANY),)
    assert largest < 4_000


def test_what_is_left_of_ten_thousand_is_taken_back(graph):
    variables = {"input": {"items": ["x"] * MANY}}
    marking, _ = advance(graph, Marking(), Started(), variables)
    for number in range(2, 102):
        marking, _ = advance(graph, marking, StepFinished(number), variables)

    marking, effects = advance(graph, marking, RunCancelled(), variables)

    assert effects[0] == CancelStep(102, "a")
    assert len(effects) == MANY - 100


def test_a_thousand_sub_processes_run_side_by_side_and_more_are_refused():
    body = start(name="is") + task("b") + end("ie") + flows("is -> b\nb -> ie") + OVER
    document = xml(ITEMS + sub("a", body) + end(), "s -> a\na -> e")

    play = Play(document, {"items": ["x"] * 1_000})
    assert len(play.effects) == 1_000
    assert all(isinstance(each, OpenStep) for each in play.effects)
    more = Play(document, {"items": ["x"] * 1_001})
    (incident,) = more.effects
    assert isinstance(incident, RaiseIncident)
    assert "1,001 instances are more than the 1,000" in incident.reason


def test_five_thousand_turns_through_a_gateway_stay_as_small_as_one():
    gate = '<exclusiveGateway id="x" default="x_e"/>'
    ways = "s -> a\na -> x\nx -> a | vars.a.again\nx -> e"
    graph = read_bpmn(xml(start() + task("a", outputs="again:bool") + gate + end(), ways))
    marking, _ = advance(graph, Marking(), Started(), {})
    first = size(marking)

    for turn in range(5_000):
        token = marking.tokens[0].id
        marking, effects = advance(graph, marking, StepFinished(token), {"a": {"again": turn < 4_999}})
        assert len(effects) == 1

    assert effects == (EndRun("e"),)
    assert size(marking) < first + 100
    assert marking.passed["x_a"] == 4_999


def test_five_thousand_turns_of_a_loop_stay_small():
    loop = (
        "<standardLoopCharacteristics><loopCondition>loop.index &lt; 5000</loopCondition></standardLoopCharacteristics>"
    )
    graph = read_bpmn(xml(start() + task("a", inside=loop) + end(), "s -> a\na -> e"))
    marking, effects = advance(graph, Marking(), Started(), {})

    turns = 0
    while not marking.ended:
        (step,) = effects
        marking, effects = advance(graph, marking, StepFinished(step.token), {})
        turns += 1
        assert len(marking.tokens) <= 1

    assert turns == 5_000


def test_a_loop_of_scripts_without_an_end_is_stopped_and_can_go_on():
    loop = "<standardLoopCharacteristics><loopCondition>true</loopCondition></standardLoopCharacteristics>"
    script = '<scriptTask id="a"><extensionElements><aos:output name="n" type="int" value="loop.index"/>'
    script += f"</extensionElements>{loop}</scriptTask>"
    play = Play(xml(start() + script + end(), "s -> a\na -> e"))

    incident = play.effects[-1]
    assert isinstance(incident, RaiseIncident)
    assert "moves without any work" in incident.reason
    assert play.variables["a"]["n"] > 500


def test_sub_processes_within_one_another_need_no_recursion():
    depth = 60
    body = task("a")
    for level in range(depth):
        body = sub(f"p{level}", body)
    play = Play(xml(start() + body + end(), f"s -> p{depth - 1}\np{depth - 1} -> e"))

    assert len(play.open) == depth + 1
    assert play.finish("a") == (EndRun("e"),)
