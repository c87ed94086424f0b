"""The token engine on processes nobody thought of: random blocks, finished in random order."""

import json
from dataclasses import dataclass, field, replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from governance.language import Kind
from workflows.plan import (
    CancelStep,
    CancelTimer,
    EndRun,
    EventKind,
    Flow,
    Graph,
    Happening,
    Marking,
    Node,
    NodeKind,
    OpenStep,
    Output,
    RaiseIncident,
    Started,
    StartTimer,
    StepFinished,
    TimerFired,
    advance,
)

WORK, DECISION = "work", "decision"
blocks = st.recursive(
    st.sampled_from([WORK, DECISION]),
    lambda inner: st.tuples(st.sampled_from(["sequence", "choice", "parallel", "loop"]), st.lists(inner, max_size=3)),
    max_leaves=8,
)


@dataclass
class Drawer:
    """Draws a block between two nodes; ids are counted up."""

    nodes: dict[str, Node] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)

    def node(self, kind: NodeKind, **more: object) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes[name] = Node(name, name, kind, **more)
        return name

    def flow(self, source: str, target: str, condition: str = "") -> str:
        name = f"f{len(self.flows)}"
        self.flows[name] = Flow(name, source, target, condition=condition)
        return name

    def block(self, block: object) -> tuple[str, str]:
        """The first and the last node of a block."""
        if block == WORK:
            return (name := self.node(NodeKind.SERVICE_TASK, outputs=(Output("go", Kind.BOOL),))), name
        if block == DECISION:
            return self.decision()
        kind, inner = block
        parts = [self.block(each) for each in inner] or [self.block(WORK)]
        return getattr(self, kind)(parts)

    def decision(self) -> tuple[str, str]:
        host, after = self.node(NodeKind.USER_TASK), self.node(NodeKind.EXCLUSIVE)
        late = self.node(NodeKind.BOUNDARY, event=EventKind.TIMER, attached_to=host, duration_seconds=60)
        self.nodes[host] = replace(self.nodes[host], boundaries=(late,))
        self.flow(host, after)
        self.flow(late, after)
        return host, after

    def sequence(self, parts: list[tuple[str, str]]) -> tuple[str, str]:
        for (_, last), (first, _) in pairwise(parts):
            self.flow(last, first)
        return parts[0][0], parts[-1][1]

    def choice(self, parts: list[tuple[str, str]]) -> tuple[str, str]:
        asked, split = self.block(WORK)[0], self.node(NodeKind.EXCLUSIVE)
        self.flow(asked, split)
        merge = self.node(NodeKind.EXCLUSIVE)
        for first, last in parts:
            self.flow(split, first, f"vars.{asked}.go")
            self.flow(last, merge)
        self.nodes[split] = replace(self.nodes[split], default_flow=self.flow(split, merge))
        return asked, merge

    def parallel(self, parts: list[tuple[str, str]]) -> tuple[str, str]:
        split, join = self.node(NodeKind.PARALLEL), self.node(NodeKind.PARALLEL)
        for first, last in parts:
            self.flow(split, first)
            self.flow(last, join)
        return split, join

    def loop(self, parts: list[tuple[str, str]]) -> tuple[str, str]:
        first, last = self.sequence(parts)
        entry, asked, out = self.node(NodeKind.EXCLUSIVE), self.block(WORK)[0], self.node(NodeKind.EXCLUSIVE)
        for source, target in ((entry, first), (last, asked), (asked, out)):
            self.flow(source, target)
        self.flow(out, entry, f"vars.{asked}.go")
        after = self.node(NodeKind.EXCLUSIVE)
        self.nodes[out] = replace(self.nodes[out], default_flow=self.flow(out, after))
        return entry, after


def graph_of(block: object) -> Graph:
    drawer = Drawer()
    first, last = drawer.block(block)
    drawer.flow(drawer.node(NodeKind.START), first)
    drawer.flow(last, drawer.node(NodeKind.END))
    nodes = {
        name: replace(
            node,
            incoming=tuple(flow.id for flow in drawer.flows.values() if flow.target == name),
            outgoing=tuple(flow.id for flow in drawer.flows.values() if flow.source == name),
        )
        for name, node in drawer.nodes.items()
    }
    return Graph("process", "Process", nodes, drawer.flows)


class World:
    """What the effects say is open, kept apart from the marking so that the two can be compared."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.marking = Marking()
        self.variables: dict[str, object] = {}
        self.steps: dict[int, str] = {}
        self.timers: dict[int, int] = {}
        self.ends = 0
        self.story: list[tuple[Happening, str]] = []

    def happen(self, happening: Happening) -> None:
        self.story.append((happening, json.dumps(self.variables)))
        self.marking, effects = advance(self.graph, self.marking, happening, self.variables)
        for effect in effects:
            self.apply(effect)
        assert self.steps == {token.id: token.node for token in self.marking.tokens}
        assert self.timers == {timer.id: timer.host for timer in self.marking.timers}

    def apply(self, effect: object) -> None:
        match effect:
            case OpenStep(token, node_id):
                assert token not in self.steps
                self.steps[token] = node_id
            case CancelStep(token):
                del self.steps[token]
            case StartTimer(token, _, host):
                self.timers[token] = host
            case CancelTimer(token):
                del self.timers[token]
            case EndRun():
                self.ends += 1
            case RaiseIncident():
                raise AssertionError(effect)

    def move(self, draw: st.DataObject, patience: int) -> None:
        fire = self.timers and draw.draw(st.booleans())
        if fire:
            token = draw.draw(st.sampled_from(sorted(self.timers)))
            del self.timers[token]
            self.happen(TimerFired(token))
            return
        token = draw.draw(st.sampled_from(sorted(self.steps)))
        node_id = self.steps.pop(token)
        go = patience > 0 and draw.draw(st.booleans())
        self.variables[node_id] = {"go": go, "outcome": "approved"}
        self.happen(StepFinished(token))


@settings(max_examples=150, deadline=None)
@given(block=blocks, draw=st.data())
def test_every_run_of_blocks_ends_once_and_loses_no_token(block, draw):
    world = World(graph_of(block))
    world.happen(Started())
    patience = 15
    while not world.marking.ended:
        assert world.steps, "a run that has not ended has something open"
        world.move(draw, patience)
        patience -= 1

    assert world.ends == 1
    assert (world.marking.tokens, world.marking.timers, world.marking.arrived) == ((), (), {})


@settings(max_examples=50, deadline=None)
@given(block=blocks, draw=st.data())
def test_the_same_happenings_give_the_same_marking_also_through_json(block, draw):
    world = World(graph_of(block))
    world.happen(Started())
    for _ in range(draw.draw(st.integers(0, 6))):
        if not world.marking.ended:
            world.move(draw, 6)

    graph = Graph.from_json(json.loads(json.dumps(world.graph.to_json())))
    marking = Marking()
    for happening, variables in world.story:
        marking, _ = advance(graph, marking, happening, json.loads(variables))
        marking = Marking.from_json(json.loads(json.dumps(marking.to_json())))

    assert graph == world.graph
    assert marking == world.marking
