"""Workflows, rules: a drawing tried out with given answers, faults and delays on a clock that is only reckoned."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from governance.language import Kind
from workflows.plan.advance import StaleHappening, advance
from workflows.plan.graph import OUTCOME, OUTCOMES, Flow, Graph, Node, NodeKind, Output
from workflows.plan.happenings import (
    Assign,
    CallWorkflow,
    CancelCall,
    CancelStep,
    CancelTimer,
    Effect,
    EndRun,
    EventCaught,
    Gathered,
    GatherOutputs,
    Happening,
    OpenStep,
    RaiseIncident,
    Send,
    Started,
    StartTimer,
    StepEscalated,
    StepFailed,
    StepFinished,
    Subscribe,
    TellEscalation,
    TimerFired,
    Unsubscribe,
)
from workflows.plan.marking import Marking
from workflows.plan.times import read_length
from workflows.plan.translating import is_foreign

MOST_HAPPENINGS = 5_000
USUAL_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What an element does when its turn comes: what it leaves behind, after how long; with `error` it fails with that
    code, with `escalation` it reports that first, with `never` nothing comes of it."""

    outputs: Mapping[str, object] = field(default_factory=dict)
    seconds: int = USUAL_SECONDS
    error: str = ""
    escalation: str = ""
    never: bool = False


@dataclass(frozen=True)
class Trial:
    """What is given to a try-out: the inputs, the answers by element in the order they are asked for (the last one
    stays), which ways are open and which are not, whatever their conditions say (by flow), where it begins, and at
    which moment (ISO 8601)."""

    inputs: Mapping[str, object] = field(default_factory=dict)
    answers: Mapping[str, Sequence[Answer]] = field(default_factory=dict)
    choices: Mapping[str, bool] = field(default_factory=dict)
    start: str = ""
    at: str = "2026-01-05T08:00:00+00:00"


@dataclass(frozen=True)
class Visit:
    """One thing that happened, so many seconds after the start: what it was (opened, finished, failed, fired, caught,
    sent, told, decided, stuck, cancelled, ended), where, and what is to be said about it."""

    seconds: int
    what: str
    element: str
    text: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of a try-out. `end` is the end that was reached, empty when it stands still or was stopped, for the
    `reason` that is told."""

    visits: tuple[Visit, ...]
    marking: Marking
    variables: Mapping[str, object]
    passed: Mapping[str, int]
    elements: frozenset[str]
    seconds: int
    end: str = ""
    reason: str = ""
    coverage: float = 0.0


def simulate(graph: Graph, trial: Trial | None = None) -> Outcome:
    """Try a drawing out to its end: nothing is opened, sent or kept; what has no answer gives a sample."""
    run = _Run(graph, trial or Trial())
    run.play()
    return run.outcome()


def coverage(graph: Graph, outcomes: Sequence[Outcome]) -> float:
    """The share of the flows that at least one of these try-outs took."""
    taken = {flow for each in outcomes for flow in each.passed}
    return len(taken & set(graph.flows)) / len(graph.flows) if graph.flows else 1.0


def sample(node: Node) -> dict[str, object]:
    """Values that fit what an element declares to leave behind."""
    found = {output.name: _sample(output) for output in node.outputs}
    return {OUTCOME: OUTCOMES[0], **found} if node.kind is NodeKind.USER_TASK else found


SAMPLES: Mapping[Kind, object] = {
    Kind.BOOL: True, Kind.INT: 1, Kind.DECIMAL: "1.00", Kind.STRING: "sample", Kind.TIMESTAMP: "2026-01-05T08:00:00Z",
    Kind.DURATION: "1h", Kind.MAP: {},
}  # fmt: skip


def _sample(output: Output) -> object:
    return [SAMPLES[Kind(output.item)]] if output.kind is Kind.LIST and output.item else SAMPLES.get(output.kind, [])


class _Run:
    def __init__(self, graph: Graph, trial: Trial) -> None:
        self.graph = _tried(graph, trial)
        self.trial = trial
        begin = next((each for each in graph.starts if each.id == trial.start), None) if trial.start else graph.start
        self.begin = begin.id if begin is not None else trial.start
        inputs = {**(sample(begin) if begin is not None else {}), **trial.inputs}
        self.variables: dict[str, object] = {"input": inputs}
        self.marking = Marking()
        self.visits: list[Visit] = []
        self.asked: dict[str, int] = {}
        self.now = 0
        self.due: list[tuple[int, int, Happening, str, Mapping[str, object]]] = []
        self.order = count()
        self.left: dict[int, Mapping[str, object]] = {}
        self.end = ""
        self.reason = ""

    def play(self) -> None:
        self._happen(Started(start=self.trial.start))
        for _ in range(MOST_HAPPENINGS):
            if self.marking.ended or not self.due:
                break
            self.now, _, happening, element, values = heapq.heappop(self.due)
            self._take(happening, element, values)
        if self.marking.ended:
            return
        if self.due:
            self.reason = f"It was stopped after {MOST_HAPPENINGS:,} happenings."
        elif not self.reason:
            self.reason = "It waits for something that does not come."

    def _take(self, happening: Happening, element: str, values: Mapping[str, object]) -> None:
        before = self.variables.get(element)
        if isinstance(happening, StepFinished | EventCaught):
            self.variables[element] = dict(values)
            self.left[happening.token] = dict(values)
        try:
            self._happen(happening, element)
        except StaleHappening:  # something else was faster
            if before is None:
                self.variables.pop(element, None)
            else:
                self.variables[element] = before

    def _happen(self, happening: Happening, element: str = "") -> None:
        marking, effects = advance(self.graph, self.marking, happening, self.variables)
        self.marking = marking
        if element:
            self._visit(HAPPENED[type(happening)], element)
        for effect in effects:
            self._follow(effect)

    def _visit(self, what: str, element: str, text: str = "") -> None:
        self.visits.append(Visit(self.now, what, element, text))

    def _follow(self, effect: Effect) -> None:
        match effect:
            case OpenStep(token, node_id) | CallWorkflow(token, node_id):
                self._visit("opened", node_id)
                self._answer(token, node_id)
            case StartTimer(token, node_id, _, seconds, at, length):
                if at or length:
                    seconds = self._seconds_until(at) if at else self._seconds_of(length)
                self._later(seconds, TimerFired(token), node_id)
            case Subscribe(token, node_id):
                self._await(token, node_id)
            case Assign(node_id, values):
                self.variables[node_id] = dict(values)
                self._visit("decided", node_id)
            case GatherOutputs(token, node_id, first, how_many):
                rows = [self.left.get(number) for number in range(first, first + how_many)]
                self.variables[node_id] = {"items": rows}
                self._later(0, Gathered(token), node_id)
            case CancelStep(_, node_id) | CancelCall(_, node_id):
                self._visit("cancelled", node_id)
            case _:
                self._tell(effect)

    def _tell(self, effect: Effect) -> None:
        match effect:
            case Send(node_id, _, name):
                self._visit("sent", node_id, name)
            case TellEscalation(node_id, code):
                self._visit("told", node_id, code)
            case RaiseIncident(node_id, reason):
                self._visit("stuck", node_id, reason)
                self.reason = reason
            case EndRun(node_id):
                self._visit("ended", node_id)
                self.end = node_id
            case CancelTimer() | Unsubscribe():
                pass

    def _next_answer(self, node_id: str) -> Answer | None:
        given = self.trial.answers.get(node_id, ())
        if not given:
            return None
        place = self.asked[node_id] = self.asked.get(node_id, -1) + 1
        return given[min(place, len(given) - 1)]

    def _answer(self, token: int, node_id: str) -> None:
        answer = self._next_answer(node_id) or Answer()
        values = {**sample(self.graph.nodes[node_id]), **answer.outputs}
        if answer.escalation:
            self._later(0, StepEscalated(token, answer.escalation), node_id)
        if answer.error:
            self._later(answer.seconds, StepFailed(token, answer.error, "As the try-out says."), node_id)
        elif not answer.never:
            self._later(answer.seconds, StepFinished(token), node_id, values)

    def _await(self, token: int, node_id: str) -> None:
        node, answer = self.graph.nodes[node_id], self._next_answer(node_id)
        if answer is None and node.kind in (NodeKind.BOUNDARY, NodeKind.START):
            return  # what could come in between comes only when the try-out says so
        answer = answer or Answer()
        if not answer.never:
            self._later(answer.seconds, EventCaught(token), node_id, {**sample(node), **answer.outputs})

    def _later(
        self, seconds: int, happening: Happening, element: str, values: Mapping[str, object] | None = None
    ) -> None:
        heapq.heappush(self.due, (self.now + seconds, next(self.order), happening, element, values or {}))

    def _seconds_until(self, at: str) -> int:
        return max(int((_moment(at) - _moment(self.trial.at)).total_seconds()) - self.now, 0)

    def _seconds_of(self, text: str) -> int:
        length, now = read_length(text), _moment(self.trial.at) + timedelta(seconds=self.now)
        return int((length.after(now, UTC) - now).total_seconds()) if length is not None else 0

    def outcome(self) -> Outcome:
        passed = dict(self.marking.passed)
        elements = {self.begin, *(visit.element for visit in self.visits)}
        for flow in passed:
            elements |= {self.graph.flows[flow].source, self.graph.flows[flow].target}
        share = len(passed) / len(self.graph.flows) if self.graph.flows else 1.0
        return Outcome(
            tuple(self.visits), self.marking, self.variables, passed, frozenset(elements), self.now, self.end,
            "" if self.end else self.reason, share,
        )  # fmt: skip


HAPPENED: Mapping[type, str] = {
    StepFinished: "finished", StepFailed: "failed", StepEscalated: "told", TimerFired: "fired",
    EventCaught: "caught", Gathered: "gathered",
}  # fmt: skip


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _tried(graph: Graph, trial: Trial) -> Graph:
    """The graph with conditions that are answered beforehand, and with samples for what nothing is said about yet."""
    choices = trial.choices
    flows: dict[str, Flow] = {
        name: replace(flow, condition=str(choices[name]).lower()) if name in choices else flow
        for name, flow in graph.flows.items()
    }
    return replace(graph, flows=flows, nodes={name: _said(node, graph, trial) for name, node in graph.nodes.items()})


def _said(node: Node, graph: Graph, trial: Trial) -> Node:
    if node.kind is NodeKind.RULE_TASK and (node.decision not in graph.tables or node.id in trial.answers):
        node = replace(node, kind=NodeKind.SERVICE_TASK)
    if is_foreign(node.timer_value):
        node = replace(node, timer_value="", duration_seconds=USUAL_SECONDS, duration="")
    if node.collection and not node.collection.startswith("vars."):
        node = replace(node, collection="", loop_count="2")
    return node
