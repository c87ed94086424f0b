"""The token engine by its table: one small graph per element, what happens to it, and what then is open."""

import json
from dataclasses import replace

import pytest

from governance.language import Kind
from workflows.plan import (
    CancelStep,
    CancelTimer,
    Effect,
    EndRun,
    EventKind,
    Flow,
    Graph,
    Happening,
    IncidentResolved,
    Marking,
    Node,
    NodeKind,
    OpenStep,
    Output,
    RaiseIncident,
    RunCancelled,
    StaleHappening,
    Started,
    StartTimer,
    StepFinished,
    TimerFired,
    advance,
)

KINDS = {
    "s": NodeKind.START,
    "e": NodeKind.END,
    "k": NodeKind.TERMINATE,
    "a": NodeKind.SERVICE_TASK,
    "u": NodeKind.USER_TASK,
    "x": NodeKind.EXCLUSIVE,
    "p": NodeKind.PARALLEL,
    "t": NodeKind.BOUNDARY,
}
GO = Output("go", Kind.BOOL)


def draw(ways: str, *, interrupting: bool = True) -> Graph:
    """A graph from lines such as `x -> a | vars.a.go`; the first letter is the kind, `t` sits on `u`.

    `*` in the place of the condition marks the default flow.
    """
    flows: dict[str, Flow] = {}
    defaults: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in ways.splitlines())):
        way, _, condition = (part.strip() for part in line.partition("|"))
        source, target = way.split(" -> ")
        name = f"{source}_{target}"
        if condition == "*":
            defaults[source], condition = name, ""
        flows[name] = Flow(name, source, target, condition=condition)
    ids = dict.fromkeys(each for flow in flows.values() for each in (flow.source, flow.target))
    timers = tuple(each for each in ids if each.startswith("t"))
    nodes = {
        each: Node(
            each,
            each,
            KINDS[each[0]],
            incoming=tuple(flow.id for flow in flows.values() if flow.target == each),
            outgoing=tuple(flow.id for flow in flows.values() if flow.source == each),
            default_flow=defaults.get(each, ""),
            outputs=(GO,) if each.startswith("a") else (),
            boundaries=timers if each == "u" else (),
            attached_to="u" if each.startswith("t") else "",
            interrupting=interrupting,
            event=EventKind.TIMER if each.startswith("t") else EventKind.NONE,
            duration_seconds=60 if each.startswith("t") else 0,
        )
        for each in ids
    }
    return Graph("process", "Process", nodes, flows)


class Play:
    """One run of a graph, moved by hand."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.marking = Marking()
        self.variables: dict[str, object] = {}
        self.effects: tuple[Effect, ...] = ()
        self.happen(Started())

    def happen(self, happening: Happening) -> tuple[Effect, ...]:
        self.marking, self.effects = advance(self.graph, self.marking, happening, self.variables)
        return self.effects

    def finish(self, node_id: str, **outputs: object) -> tuple[Effect, ...]:
        token = self.marking.token_at(node_id)
        assert token is not None, f"{node_id} is not open"
        self.variables[node_id] = outputs
        return self.happen(StepFinished(token.id))

    @property
    def open(self) -> list[str]:
        return [token.node for token in self.marking.tokens if not token.stuck]


DECIDED = """s -> u
             u -> x
             x -> a | vars.u.outcome == "approved"
             x -> e_no | *
             a -> e"""
FORKED = """s -> p1
            p1 -> a1
            p1 -> a2
            a1 -> p2
            a2 -> p2
            p2 -> a3
            a3 -> e"""
TIMED = """s -> u
           u -> e
           t -> a
           a -> e"""


def test_a_run_opens_its_steps_one_after_the_other_and_ends():
    play = Play(draw("s -> a1\na1 -> a2\na2 -> e"))
    assert play.effects == (OpenStep(1, "a1"),)

    assert play.finish("a1") == (OpenStep(2, "a2"),)
    assert play.finish("a2") == (EndRun("e"),)
    assert play.marking.ended


def test_a_run_without_work_ends_at_once():
    assert Play(draw("s -> e")).effects == (EndRun("e"),)


def test_an_activity_without_a_way_on_ends_its_path():
    play = Play(draw("s -> a"))

    assert play.finish("a") == (EndRun("a"),)


@pytest.mark.parametrize("outcome, opened", [("approved", OpenStep(2, "a")), ("rejected", EndRun("e_no"))])
def test_the_outcome_of_a_decision_chooses_the_way(outcome, opened):
    play = Play(draw(DECIDED))

    assert play.finish("u", outcome=outcome) == (opened,)


def test_the_first_condition_that_holds_wins_and_later_ones_are_not_asked():
    play = Play(draw("s -> a\na -> x\nx -> a1 | vars.a.go\nx -> a2 | vars.a2.go\nx -> e | *\na1 -> e\na2 -> e"))

    play.finish("a", go=True)

    assert play.open == ["a1"]


def test_branches_in_parallel_are_joined_in_any_order():
    for first, second in (("a1", "a2"), ("a2", "a1")):
        play = Play(draw(FORKED))
        assert play.open == ["a1", "a2"]

        assert play.finish(first) == ()
        assert play.finish(second) == (OpenStep(3, "a3"),)
        assert play.finish("a3") == (EndRun("e"),)


def test_a_gateway_joins_and_splits_at_once():
    play = Play(draw("s -> p1\np1 -> a1\np1 -> a2\na1 -> p\na2 -> p\np -> a3\np -> a4\na3 -> e\na4 -> e"))
    play.finish("a1")
    play.finish("a2")
    assert play.open == ["a3", "a4"]

    assert play.finish("a4") == ()
    assert play.finish("a3") == (EndRun("e"),)


def test_a_join_counts_by_flow_so_one_branch_cannot_stand_in_for_another():
    ways = "s -> a1\ns -> a2\ns -> a3\na1 -> x\na2 -> x\nx -> p\na3 -> p\np -> a4\na4 -> e"
    play = Play(draw(ways))
    play.finish("a1")
    play.finish("a2")
    assert play.open == ["a3"]

    play.finish("a3")

    assert play.open == ["a4"]
    assert play.marking.arrived == {"x_p": 1}


def test_many_flows_into_and_out_of_an_activity_merge_and_split():
    play = Play(draw("s -> a1\ns -> a2\na1 -> a3\na2 -> a3\na3 -> a4\na3 -> a5\na4 -> e\na5 -> e"))
    play.finish("a1")
    play.finish("a2")

    assert play.open == ["a3", "a3"]
    play.finish("a3")
    assert play.open == ["a3", "a4", "a5"]


@pytest.mark.parametrize("go, opened", [(True, ["a1", "a2"]), (False, ["a2"])])
def test_conditions_out_of_an_activity_open_every_way_that_holds(go, opened):
    play = Play(draw("s -> a\na -> a1 | vars.a.go\na -> a2\na1 -> e\na2 -> e"))

    play.finish("a", go=go)

    assert play.open == opened


def test_a_loop_turns_until_the_condition_holds():
    play = Play(draw("s -> a\na -> x\nx -> e | vars.a.go\nx -> a | *"))
    for _ in range(2_000):
        play.finish("a", go=False)

    assert play.finish("a", go=True) == (EndRun("e"),)
    assert play.marking.next_token == 2_002


def test_a_timer_starts_with_its_step_and_is_cancelled_with_it():
    play = Play(draw(TIMED))
    assert play.effects == (OpenStep(1, "u"), StartTimer(2, "t", 1, 60))

    assert play.finish("u") == (CancelTimer(2, "t"), EndRun("e"))


def test_an_interrupting_timer_takes_the_step_away():
    play = Play(draw(TIMED))

    assert play.happen(TimerFired(2)) == (CancelStep(1, "u"), OpenStep(3, "a"))
    with pytest.raises(StaleHappening):
        play.happen(StepFinished(1))


def test_a_timer_that_does_not_interrupt_leaves_the_step_open():
    play = Play(draw(TIMED, interrupting=False))

    assert play.happen(TimerFired(2)) == (OpenStep(3, "a"),)
    assert play.open == ["u", "a"]
    assert play.finish("u") == ()
    assert play.finish("a") == (EndRun("e"),)


def test_the_first_of_two_timers_cancels_the_other():
    play = Play(draw("s -> u\nu -> e\nt1 -> a1\nt2 -> a2\na1 -> e\na2 -> e"))

    effects = play.happen(TimerFired(3))

    assert effects == (CancelStep(1, "u"), CancelTimer(2, "t1"), OpenStep(4, "a2"))
    with pytest.raises(StaleHappening):
        play.happen(TimerFired(2))


def test_a_terminate_end_stops_everything_else():
    play = Play(draw("s -> u\ns -> a\nu -> e\nt -> e\na -> k"))

    assert play.finish("a") == (CancelStep(1, "u"), CancelTimer(2, "t"), EndRun("k"))
    assert play.marking.tokens == ()


def test_cancelling_takes_back_all_steps_and_timers():
    play = Play(draw("s -> u\ns -> a\nu -> e\nt -> e\na -> e"))

    assert play.happen(RunCancelled()) == (CancelStep(1, "u"), CancelStep(3, "a"), CancelTimer(2, "t"))
    with pytest.raises(StaleHappening):
        play.happen(RunCancelled())


@pytest.mark.parametrize(
    "happening", [Started(), StepFinished(2), StepFinished(99), TimerFired(1), IncidentResolved(1)]
)
def test_what_is_not_open_cannot_happen(happening):
    play = Play(draw(TIMED))

    with pytest.raises(StaleHappening):
        play.happen(happening)


def test_a_step_is_finished_only_once():
    play = Play(draw(FORKED))
    play.happen(StepFinished(1))

    with pytest.raises(StaleHappening):
        play.happen(StepFinished(1))


@pytest.mark.parametrize("outputs", [{}, {"go": None}, {"go": "yes"}])
def test_a_condition_that_cannot_be_evaluated_stops_there_and_never_takes_the_default(outputs):
    play = Play(draw("s -> a\na -> x\nx -> a1 | vars.a.go\nx -> e | *\na1 -> e"))

    (incident,) = play.finish("a", **outputs)

    assert isinstance(incident, RaiseIncident)
    assert incident.node_id == "x"
    assert "vars.a.go" in incident.reason
    assert play.open == []
    assert not play.marking.ended


def test_a_stuck_run_goes_on_when_the_value_was_put_right():
    play = Play(draw("s -> a\na -> x\nx -> a1 | vars.a.go\nx -> e | *\na1 -> e"))
    (incident,) = play.finish("a")

    play.variables["a"] = {"go": True}

    assert play.happen(IncidentResolved(incident.token)) == (OpenStep(3, "a1"),)


def test_a_join_that_can_never_complete_is_an_incident_not_a_silent_end():
    play = Play(draw("s -> a\na -> x\nx -> p | vars.a.go\nx -> a2 | *\na2 -> p\np -> e"))

    assert play.finish("a", go=True) == (RaiseIncident("p", "This join waits for a branch that can never come."),)
    assert not play.marking.ended


def test_too_many_moves_without_work_are_stopped_and_no_token_is_lost():
    doubling = "".join(f"p{n} -> x{n}\np{n} -> p{n}b\np{n}b -> x{n}\nx{n} -> p{n + 1}\n" for n in range(10))
    play = Play(draw(f"s -> p0\n{doubling}p10 -> a\na -> e"))
    assert any(isinstance(effect, RaiseIncident) for effect in play.effects)

    while stuck := [token for token in play.marking.tokens if token.stuck]:
        play.happen(IncidentResolved(stuck[0].id))

    assert play.open == ["a"] * 1_024


@pytest.mark.parametrize("stored", ["12.50", 12, "13"])
def test_exact_numbers_come_from_their_stored_text(stored):
    graph = draw("s -> a\na -> x\nx -> a1 | vars.a.total > 11.99\nx -> e | *\na1 -> e")
    priced = replace(graph.nodes["a"], outputs=(Output("total", Kind.DECIMAL),))
    play = Play(Graph("process", "Process", {**graph.nodes, "a": priced}, graph.flows))

    play.finish("a", total=stored)

    assert play.open == ["a1"]


def test_a_marking_and_a_graph_survive_json():
    play = Play(draw(FORKED))
    play.finish("a1")

    marking = json.loads(json.dumps(play.marking.to_json()))
    graph = json.loads(json.dumps(play.graph.to_json()))

    assert Marking.from_json(marking) == play.marking
    assert Graph.from_json(graph) == play.graph
    assert Marking.from_json({}) == Marking()


def test_a_terminate_end_takes_back_what_stopped_another_branch():
    play = Play(draw("s -> a1\ns -> a\na1 -> x\nx -> a2 | vars.a1.go\nx -> e | *\na2 -> e\na -> k"))
    (incident,) = play.finish("a1")

    assert play.finish("a") == (CancelStep(incident.token, "x"), EndRun("k"))


def test_graphs_and_markings_of_before_are_read_as_they_are():
    play = Play(draw(TIMED))
    graph = play.graph.to_json()
    for node in graph["nodes"]:
        node["kind"] = "timer" if node["kind"] == "boundary" else node["kind"]
        for later in ("event", "loop", "passes", "parent", "repeats"):
            del node[later]
        node["outputs"] = [{name: output[name] for name in ("name", "kind", "label")} for output in node["outputs"]]
    marking = {
        "tokens": [{"id": 1, "node": "u", "flow": "", "stuck": False}], "timers": [{"id": 2, "node": "t", "host": 1}],
        "arrived": {}, "next_token": 3, "last_end": "", "ended": False,
    }  # fmt: skip
    del graph["tables"]

    assert Graph.from_json(graph) == play.graph
    known = replace(play.marking, passed={})
    assert Marking.from_json(marking) == known
