"""The whole engine on drawings nobody thought of: blocks of every element within one another, moved at random."""

import json
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workflows.drawings import duration, end, event, start, sub, task, xml
from workflows.plan import (
    Assign,
    CallWorkflow,
    CancelCall,
    CancelStep,
    CancelTimer,
    EndRun,
    EventCaught,
    Gathered,
    GatherOutputs,
    Graph,
    Happening,
    IncidentResolved,
    Marking,
    NodeKind,
    OpenStep,
    RaiseIncident,
    Send,
    Severity,
    StaleHappening,
    Started,
    StartTimer,
    StepEscalated,
    StepFailed,
    StepFinished,
    Subscribe,
    TellEscalation,
    TimerFired,
    Unsubscribe,
    advance,
    read_bpmn,
    read_model,
)
from workflows.plan.graph import ACTIVITIES

LEAVES = ["work", "call", "script", "many", "row", "race", "timer", "message", "rescued", "reminded", "undoable"]
COMPOSED = ["sequence", "choice", "parallel", "inclusive", "loop", "sub", "subs", "watched", "turning"]
blocks = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.tuples(st.sampled_from(COMPOSED), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=7,
)
BESIDE = '<message id="msg" name="m"/><error id="bad" errorCode="E1"/><escalation id="esc" escalationCode="X1"/>'


@dataclass
class Drawer:
    """Draws blocks; each gives the names of its first and its last element."""

    count: int = 0
    body: list[list[str]] = field(default_factory=lambda: [[]])

    def add(self, text: str) -> None:
        self.body[-1].append(text)

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}_{self.count}"

    def flow(self, source: str, target: str, condition: str = "") -> str:
        name = self.name("f")
        inside = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
        self.add(f'<sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>')
        return name

    def gate(self, kind: str, default: str = "") -> str:
        name = self.name("g")
        self.add(f'<{kind}Gateway id="{name}" {f"default={chr(34)}{default}{chr(34)}" if default else ""}/>')
        return name

    def block(self, block: object) -> tuple[str, str]:
        if isinstance(block, str):
            return getattr(self, block)()
        kind, inner = block
        if kind in ("sub", "subs", "watched", "turning"):
            return self.nested(kind, inner)
        return getattr(self, kind)([self.block(each) for each in inner])

    # leaves

    def work(self, inside: str = "") -> tuple[str, str]:
        name = self.name("a")
        self.add(task(name, inside=inside, outputs="go:bool"))
        return name, name

    def call(self) -> tuple[str, str]:
        name = self.name("c")
        self.add(f'<callActivity id="{name}" calledElement="other"/>')
        return name, name

    def script(self) -> tuple[str, str]:
        name = self.name("z")
        value = '<aos:output name="n" type="int" value="1 + 1"/>'
        self.add(f'<scriptTask id="{name}"><extensionElements>{value}</extensionElements></scriptTask>')
        return name, name

    def many(self, more: str = "") -> tuple[str, str]:
        tag = "multiInstanceLoopCharacteristics"
        return self.work(f"<{tag} {more}><loopCardinality>3</loopCardinality></{tag}>")

    def row(self) -> tuple[str, str]:
        return self.many('isSequential="true"')

    def race(self) -> tuple[str, str]:
        gate, merge = self.gate("eventBased"), self.gate("exclusive")
        for kind in ("timer", "message"):
            name = self.wait(kind)
            self.flow(gate, name)
            self.flow(name, merge)
        return gate, merge

    def wait(self, kind: str) -> str:
        name = self.name("w")
        inside = duration("PT1H") if kind == "timer" else ""
        self.add(event("intermediateCatchEvent", name, kind, "msg", inside=inside))
        return name

    def timer(self) -> tuple[str, str]:
        return (name := self.wait("timer")), name

    def message(self) -> tuple[str, str]:
        return (name := self.wait("message")), name

    def rescued(self) -> tuple[str, str]:
        host, merge, edge = self.work()[0], self.gate("exclusive"), self.name("b")
        self.add(event("boundaryEvent", edge, "error", "bad", more=f'attachedToRef="{host}"'))
        self.flow(host, merge)
        self.flow(edge, merge)
        return host, merge

    def reminded(self) -> tuple[str, str]:
        host, edge, more = self.work()[0], self.name("b"), self.work()[0]
        self.add(event("boundaryEvent", edge, "timer", more=f'attachedToRef="{host}" cancelActivity="false"',
                       inside="<timeCycle>R2/PT1H</timeCycle>"))  # fmt: skip
        self.flow(edge, more)
        return host, host

    def undoable(self) -> tuple[str, str]:
        host, edge, back = self.work()[0], self.name("b"), self.name("u")
        self.add(event("boundaryEvent", edge, "compensate", more=f'attachedToRef="{host}"'))
        self.add(task(back, 'isForCompensation="true"'))
        self.add(f'<association id="{self.name("l")}" sourceRef="{edge}" targetRef="{back}"/>')
        undo = self.name("t")
        self.add(event("intermediateThrowEvent", undo, "compensate", host))
        self.flow(host, undo)
        return host, undo

    # composed

    def sequence(self, parts: list[tuple[str, str]]) -> tuple[str, str]:
        for (_, last), (first, _) in pairwise(parts):
            self.flow(last, first)
        return parts[0][0], parts[-1][1]

    def choice(self, parts: list[tuple[str, str]], kind: str = "exclusive") -> tuple[str, str]:
        asked, merge, split = self.work()[0], self.gate(kind), self.name("g")
        default = self.flow(split, merge)
        self.add(f'<{kind}Gateway id="{split}" default="{default}"/>')
        self.flow(asked, split)
        for first, last in parts:
            self.flow(split, first, f"vars.{asked}.go")
            self.flow(last, merge)
        return asked, merge

    def inclusive(self, parts: list[tuple[str, str]]) -> tuple[str, str]:
        return self.choice(parts, "inclusive")

    def parallel(self, parts: list[tuple[str, str]]) -> tuple[str, str]:
        split, join = self.gate("parallel"), self.gate("parallel")
        for first, last in parts:
            self.flow(split, first)
            self.flow(last, join)
        return split, join

    def loop(self, parts: list[tuple[str, str]]) -> tuple[str, str]:
        first, last = self.sequence(parts)
        entry, asked, out = self.gate("exclusive"), self.work()[0], self.name("g")
        for source, target in ((entry, first), (last, asked), (asked, out)):
            self.flow(source, target)
        self.flow(out, entry, f"vars.{asked}.go")
        after = self.gate("exclusive")
        self.add(f'<exclusiveGateway id="{out}" default="{self.flow(out, after)}"/>')
        return entry, after

    def nested(self, kind: str, inner: list[object]) -> tuple[str, str]:
        name = self.name("p")
        self.body.append([])
        begin, over = self.name("s"), self.name("e")
        self.add(start(name=begin) + end(over))
        first, last = self.sequence([self.block(each) for each in inner])
        self.flow(begin, first)
        self.flow(last, over)
        if kind == "watched":
            self.watch()
        if kind == "subs":
            self.add("<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality>"
                     "</multiInstanceLoopCharacteristics>")  # fmt: skip
        if kind == "turning":
            self.add('<standardLoopCharacteristics loopMaximum="2"/>')
        body = "".join(self.body.pop())
        self.add(sub(name, body))
        if kind != "watched":
            return name, name
        merge, edge = self.gate("exclusive"), self.name("b")
        self.add(event("boundaryEvent", edge, "timer", more=f'attachedToRef="{name}"', inside=duration("PT1H")))
        self.flow(name, merge)
        self.flow(edge, merge)
        return name, merge

    def watch(self) -> None:
        begin, over, name = self.name("s"), self.name("e"), self.name("a")
        more = 'isInterrupting="false"'
        self.body.append([])
        self.add(event("startEvent", begin, "message", "msg", more=more) + task(name) + end(over))
        self.flow(begin, name)
        self.flow(name, over)
        body = "".join(self.body.pop())
        self.add(sub(self.name("h"), body, 'triggeredByEvent="true"'))


def drawn(block: object) -> bytes:
    drawer = Drawer()
    first, last = drawer.block(block)
    drawer.add(start(name="start") + end("end"))
    drawer.flow("start", first)
    drawer.flow(last, "end")
    return xml("".join(drawer.body[0]), beside=BESIDE)


class World:
    """What the effects say is open, kept apart from the marking so that the two can be compared."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.marking = Marking()
        self.variables: dict[str, object] = {}
        self.steps: dict[int, str] = {}
        self.timers: dict[int, str] = {}
        self.subscriptions: dict[int, str] = {}
        self.stuck: dict[int, str] = {}
        self.gathering: list[int] = []
        self.used: set[int] = set()
        self.ends = 0
        self.events = 0
        self.story: list[tuple[Happening, str]] = []

    def happen(self, happening: Happening) -> None:
        self.story.append((happening, json.dumps(self.variables)))
        self.marking, effects = advance(self.graph, self.marking, happening, self.variables)
        for effect in effects:
            self.apply(effect)
        self.compare()

    def apply(self, effect: object) -> None:
        match effect:
            case OpenStep(token, node_id) | CallWorkflow(token, node_id):
                assert token not in self.steps
                self.steps[token] = node_id
            case CancelStep(token) | CancelCall(token):
                assert (self.steps.pop(token, None) or self.stuck.pop(token, None)) is not None
            case StartTimer(token, node_id):
                assert token not in self.used
                self.used.add(token)
                self.timers[token] = node_id
            case CancelTimer(token):
                del self.timers[token]
            case Subscribe(token, node_id):
                assert token not in self.used
                self.used.add(token)
                self.subscriptions[token] = node_id
            case Unsubscribe(token):
                del self.subscriptions[token]
            case GatherOutputs(token):
                self.gathering.append(token)
            case Assign(node_id, values):
                self.variables[node_id] = dict(values)
            case RaiseIncident(node_id, _, token):
                assert token, effect
                self.stuck[token] = node_id
            case EndRun():
                self.ends += 1
            case Send() | TellEscalation():
                pass
            case _:
                raise AssertionError(effect)

    def compare(self) -> None:
        """The marking and the world know the same things."""
        open_steps: dict[int, str] = {}
        for token in self.marking.tokens:
            turns = self.marking.turns_of(token.id)
            kind = self.graph.nodes[token.node].kind
            if kind in ACTIVITIES | {NodeKind.CALL} and not token.stuck:
                numbers = [token.id] if turns is None else turns.open_numbers
                open_steps |= dict.fromkeys(numbers, token.node)
        failed = {turns.first + index for turns in self.marking.instances for index in turns.stuck}
        assert {number: node for number, node in open_steps.items() if number not in failed} == self.steps
        assert {each.id: each.node for each in self.marking.timers} == self.timers
        assert {each.id: each.node for each in self.marking.waits} == self.subscriptions
        assert {each.id for each in self.marking.tokens if each.stuck} | failed == set(self.stuck)

    def move(self, draw: st.DataObject, patience: int) -> None:
        if self.gathering:
            self.happen(Gathered(self.gathering.pop()))
            return
        kinds = [(kind, token) for kind, open_now in (("step", self.steps), ("timer", self.timers),
                 ("message", self.subscriptions), ("stuck", self.stuck)) for token in sorted(open_now)]  # fmt: skip
        if patience <= 0:  # what does not end anything is left out, so that the run comes to its end
            kinds = [each for each in kinds if each[0] != "message" or not self.is_start(each[1])]
        kind, token = draw.draw(st.sampled_from(kinds))
        if kind == "timer":
            del self.timers[token]
            self.happen(TimerFired(token))
        elif kind == "message":
            del self.subscriptions[token]
            self.happen(EventCaught(token))
        elif kind == "stuck":
            del self.stuck[token]
            self.happen(IncidentResolved(token))
        else:
            self.work(draw, token, patience)

    def is_start(self, token: int) -> bool:
        return self.graph.nodes[self.subscriptions[token]].kind is NodeKind.START

    def work(self, draw: st.DataObject, token: int, patience: int) -> None:
        how = draw.draw(st.sampled_from(["finish"] * 6 + ["fail", "escalate"])) if patience > 0 else "finish"
        if how == "escalate":
            self.happen(StepEscalated(token, "X1"))
            return
        node_id = self.steps.pop(token)
        if how == "fail":
            self.happen(StepFailed(token, "E1"))
            return
        self.variables[node_id] = {"go": patience > 0 and draw.draw(st.booleans())}
        self.happen(StepFinished(token))
        if not self.marking.ended:
            with pytest.raises(StaleHappening):
                advance(self.graph, self.marking, StepFinished(token), self.variables)


QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(block=blocks, draw=st.data())
def test_every_run_of_every_drawing_ends_once_and_leaves_nothing_open(block, draw):
    world = World(read_bpmn(drawn(block)))
    world.happen(Started())
    patience = 20
    for _ in range(2_000):
        if world.marking.ended:
            break
        assert world.steps or world.timers or world.subscriptions or world.stuck or world.gathering
        world.move(draw, patience)
        patience -= 1

    assert world.ends == 1
    assert not (world.steps or world.timers or world.subscriptions or world.stuck or world.gathering)
    left = world.marking
    assert (left.tokens, left.timers, left.waits, left.instances, left.undoing) == ((), (), (), (), ())
    assert left.arrived == {}


@QUICK
@given(block=blocks, draw=st.data())
def test_the_same_happenings_give_the_same_marking_also_through_json(block, draw):
    world = World(read_bpmn(drawn(block)))
    world.happen(Started())
    for _ in range(draw.draw(st.integers(0, 8))):
        if not world.marking.ended:
            world.move(draw, 8)

    graph = Graph.from_json(json.loads(json.dumps(world.graph.to_json())))
    marking = Marking()
    for happening, variables in world.story:
        marking, _ = advance(graph, marking, happening, json.loads(variables))
        marking = Marking.from_json(json.loads(json.dumps(marking.to_json())))

    assert graph == world.graph
    assert marking == world.marking


@QUICK
@given(block=blocks)
def test_no_dead_end_is_found_in_what_is_drawn_of_whole_blocks(block):
    problems = read_model(drawn(block)).problems

    assert [each for each in problems if each.severity is Severity.ERROR] == []
