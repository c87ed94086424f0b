"""Drawings tried out, compared, and runs moved over to another version."""

from dataclasses import replace

import pytest

from tests.workflows.drawings import Play, duration, end, event, flows, person, start, sub, task, xml
from workflows.plan import (
    Answer,
    CancelTimer,
    EndRun,
    OpenStep,
    StartTimer,
    StepFinished,
    Subscribe,
    Trial,
    Unsubscribe,
    compare,
    coverage,
    migrate,
    read_bpmn,
    simulate,
)

CHECK = '<exclusiveGateway id="x" default="x_e"/>'
LATE = event("boundaryEvent", "t", "timer", more='attachedToRef="u"', inside=duration("PT1H"))
WAYS = "s -> a\na -> x\nx -> u | vars.a.go\nx -> e\nu -> e\nt -> b\nb -> e"
BODY = start("n:int") + task("a", outputs="go:bool") + CHECK + person("u") + LATE + task("b") + end()


# tried out


def test_a_tryout_goes_its_way_with_the_answers_given_on_a_clock_of_its_own():
    graph = read_bpmn(xml(BODY, WAYS))

    outcome = simulate(graph, Trial({"n": 1}, {"a": [Answer({"go": False}, seconds=30)]}))

    assert [(each.seconds, each.what, each.element) for each in outcome.visits] == [
        (0, "opened", "a"), (30, "finished", "a"), (30, "ended", "e"),
    ]  # fmt: skip
    assert (outcome.end, outcome.seconds, outcome.reason) == ("e", 30, "")
    assert outcome.passed == {"s_a": 1, "a_x": 1, "x_e": 1}


def test_a_delay_lets_the_clock_run_out():
    graph = read_bpmn(xml(BODY, WAYS))

    outcome = simulate(graph, Trial(answers={"u": [Answer(seconds=7_200)]}))

    assert [each.element for each in outcome.visits if each.what == "fired"] == ["t"]
    assert outcome.end == "e"
    assert "b" in outcome.elements


def test_several_tryouts_together_cover_every_way():
    graph = read_bpmn(xml(BODY, WAYS))
    trials = [Trial(answers={"a": [Answer({"go": False})]}), Trial(), Trial(answers={"u": [Answer(never=True)]})]

    outcomes = [simulate(graph, each) for each in trials]

    assert all(each.end for each in outcomes)
    assert coverage(graph, outcomes[:1]) < 0.5
    assert coverage(graph, outcomes) == 1.0


def test_a_fault_goes_to_the_event_that_catches_it_or_stands_still_with_its_reason():
    edge = event("boundaryEvent", "w", "error", "bad", more='attachedToRef="a"')
    body = xml(start() + task("a") + edge + task("b") + end(), "s -> a\na -> e\nw -> b\nb -> e",
               '<error id="bad" errorCode="E1"/>')  # fmt: skip
    graph = read_bpmn(body)

    caught = simulate(graph, Trial(answers={"a": [Answer(error="E1")]}))
    stuck = simulate(graph, Trial(answers={"a": [Answer(error="E2")]}))

    assert (caught.end, "b" in caught.elements) == ("e", True)
    assert stuck.end == ""
    assert "Nothing catches the error “E2”" in stuck.reason


def test_answers_come_in_their_order_and_the_last_one_stays():
    gate = '<exclusiveGateway id="x" default="x_e"/>'
    graph = read_bpmn(
        xml(start() + task("a", outputs="go:bool") + gate + end(), "s -> a\na -> x\nx -> a | vars.a.go\nx -> e")
    )
    answers = [Answer({"go": True}), Answer({"go": True}), Answer({"go": False})]

    outcome = simulate(graph, Trial(answers={"a": answers}))

    assert outcome.passed["x_a"] == 2


def test_a_run_that_never_ends_is_stopped():
    gate = '<exclusiveGateway id="x" default="x_e"/>'
    graph = read_bpmn(
        xml(start() + task("a", outputs="go:bool") + gate + end(), "s -> a\na -> x\nx -> a | vars.a.go\nx -> e")
    )

    outcome = simulate(graph)

    assert outcome.end == ""
    assert "stopped after" in outcome.reason


def test_what_is_awaited_comes_and_what_could_come_in_between_only_if_told():
    catch = event("intermediateCatchEvent", "m", "message", "msg")
    edge = event("boundaryEvent", "stop", "message", "msg", more='attachedToRef="a"')
    document = xml(start() + catch + task("a") + edge + task("b") + end(),
                   "s -> m\nm -> a\na -> e\nstop -> b\nb -> e", '<message id="msg" name="m"/>')  # fmt: skip
    graph = read_bpmn(document)

    assert "b" not in simulate(graph).elements
    assert "b" in simulate(graph, Trial(answers={"stop": [Answer(seconds=5)]})).elements
    assert "does not come" in simulate(graph, Trial(answers={"m": [Answer(never=True)]})).reason


def test_many_instances_leave_their_list():
    loop = "<multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics>"
    graph = read_bpmn(xml(start() + task("a", inside=loop, outputs="n:int") + end(), "s -> a\na -> e"))

    outcome = simulate(graph, Trial(answers={"a": [Answer({"n": 5}), Answer({"n": 6}), Answer({"n": 7})]}))

    assert outcome.variables["a"] == {"items": [{"n": 5}, {"n": 6}, {"n": 7}]}


# compared


def test_two_versions_are_compared_element_by_element_in_words():
    old = read_bpmn(xml(BODY, WAYS))
    body = BODY.replace('aos:path="p"', 'aos:path="board" aos:risk="high"').replace(task("b"), task("c"))
    new = read_bpmn(xml(body, WAYS.replace("t -> b\nb -> e", "t -> c\nc -> e")))

    changes = {each.element_id: each for each in compare(old, new)}

    assert changes["u"].before == {"the escalation path": "p", "the risk": ""}
    assert changes["u"].sentences == (
        "The decision “u”: the escalation path was p, is now board.",
        "The decision “u”: the risk was empty, is now high.",
    )
    assert changes["c"].sentences == ("The work of an agent “c” was added.",)
    assert changes["b"].difference == "removed"
    assert {"t_b", "t_c", "b_e", "c_e"} <= set(changes)
    assert "a" not in changes


def test_the_same_drawing_has_no_differences():
    graph = read_bpmn(xml(BODY, WAYS))

    assert compare(graph, graph) == ()


def test_outputs_conditions_and_tables_are_told_as_well():
    old = read_bpmn(xml(BODY, WAYS))
    new = read_bpmn(xml(BODY.replace(task("a", outputs="go:bool"), task("a", outputs="go:bool sum:decimal")),
                        WAYS.replace("vars.a.go", "vars.a.sum > 5")))  # fmt: skip
    changes = {each.element_id: each for each in compare(old, new)}

    assert changes["a"].after == {"what it leaves behind": "go (bool), sum (decimal)"}
    assert changes["x_u"].before == {"the condition": "vars.a.go"}
    ruled = read_bpmn(xml(start() + '<businessRuleTask id="r" aos:decision="d"/>' + end(), "s -> r\nr -> e"))
    (change,) = compare(replace(ruled, tables={"d": {"n": 1}}), replace(ruled, tables={"d": {"n": 2}}))
    assert change.element_id == "r"


# moved over


def at_decision() -> Play:
    play = Play(xml(BODY, WAYS), {"n": 1})
    play.finish("a", go=True)
    return play


def test_a_run_goes_over_to_a_version_with_other_names_and_goes_on_there():
    play = at_decision()
    renamed = BODY.replace('"u"', '"decide"').replace('"t"', '"late"')
    new = read_bpmn(xml(renamed, "s -> a\na -> x\nx -> decide | vars.a.go\nx -> e\ndecide -> e\nlate -> b\nb -> e"))

    moved = migrate(play.graph, new, play.marking, {"u": "decide", "t": "late", "x_u": "x_decide"})

    assert (moved.problems, moved.effects) == ((), ())
    assert moved.elements == {2: "decide", 3: "late"}
    assert moved.marking.passed == {"s_a": 1, "a_x": 1, "x_decide": 1}
    play.graph, play.marking = new, moved.marking
    assert play.finish("decide")[-1] == EndRun("e")


@pytest.mark.parametrize("mapping, reason", [
    ({}, "no such element: say where it goes on"),
    ({"u": "b"}, "It is a user task, and b in the new version is a service task."),
    ({"u": "inner"}, "inner lies in another part"),
    ({"gone": "b", "u": "v"}, "the old version does not have it"),
])  # fmt: skip
def test_a_plan_that_does_not_fit_is_refused_and_nothing_has_changed(mapping, reason):
    play = at_decision()
    nested = sub("p", start(name="is") + person("inner") + flows("is -> inner"))
    body = start("n:int") + task("a", outputs="go:bool") + CHECK + person("v") + task("b") + nested + end()
    new = read_bpmn(xml(body, "s -> a\na -> x\nx -> v | vars.a.go\nx -> e\nv -> b\nb -> p\np -> e"))

    moved = migrate(play.graph, new, play.marking, mapping)

    assert moved.marking is None
    assert any(reason in each.reason for each in moved.problems), moved.problems


def test_a_clock_that_is_gone_is_stopped_and_a_new_one_is_started():
    play = at_decision()
    stop = event("boundaryEvent", "stop", "message", "msg", more='attachedToRef="u"')
    body = start("n:int") + task("a", outputs="go:bool") + CHECK + person("u") + stop + task("b") + end()
    ways = WAYS.replace("t -> b", "stop -> b")
    new = read_bpmn(xml(body, ways, '<message id="msg" name="halt"/>'))

    moved = migrate(play.graph, new, play.marking, {})
    assert moved.effects == (CancelTimer(3, "t"), Subscribe(4, "stop", "message", "halt"))
    back = migrate(new, play.graph, moved.marking, {})
    assert back.effects == (Unsubscribe(4, "stop"), StartTimer(5, "t", 2, 3_600))


def test_what_waits_at_a_join_goes_over_with_its_way():
    gates = '<parallelGateway id="f"/><parallelGateway id="p"/>'
    ways = "s -> f\nf -> a\nf -> b\na -> p\nb -> p\np -> e"
    old = xml(start() + task("a") + task("b") + gates + end(), ways)
    new = read_bpmn(
        xml(start() + task("a") + task("b") + task("c") + gates + end(), ways.replace("p -> e", "p -> c\nc -> e"))
    )
    play = Play(old)
    play.finish("a")

    moved = migrate(play.graph, new, play.marking, {})
    play.graph, play.marking = new, moved.marking

    assert play.finish("b") == (OpenStep(3, "c"),)
    gone = read_bpmn(xml(start() + task("b") + end(), "s -> b\nb -> e"))
    assert migrate(read_bpmn(old), gone, Play(old).marking, {}).marking is None


def test_many_instances_and_sub_processes_go_over_as_they_stand():
    loop = "<multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics>"
    inner = start(name="is") + task("a", inside=loop) + end("ie") + flows("is -> a\na -> ie")
    old = xml(start() + sub("p", inner) + end(), "s -> p\np -> e")
    new = read_bpmn(xml(start() + sub("q", inner) + task("z") + end(), "s -> q\nq -> z\nz -> e"))
    play = Play(old)
    play.happen(StepFinished(4))

    moved = migrate(play.graph, new, play.marking, {"p": "q", "s_p": "s_q"})
    play.graph, play.marking = new, moved.marking
    play.happen(StepFinished(3))

    assert play.happen(StepFinished(5))[-1].node_id == "z"
