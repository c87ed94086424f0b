"""The BPMN reader on whole files: the workflow of the demonstration, and drawings that other people made."""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from lxml import etree

from workflows.plan import (
    BpmnInvalid,
    EndRun,
    Graph,
    Marking,
    Model,
    NodeKind,
    OpenStep,
    ProblemKind,
    Severity,
    Started,
    StepFinished,
    TimerFired,
    Trial,
    advance,
    read_bpmn,
    read_model,
    simulate,
)
from workflows.plan.graph import GATEWAYS

TASKS = (
    NodeKind.SERVICE_TASK, NodeKind.USER_TASK, NodeKind.RULE_TASK, NodeKind.SCRIPT_TASK, NodeKind.SEND_TASK,
    NodeKind.RECEIVE_TASK,
)  # fmt: skip

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "autonomy_site" / "demo" / "invoice_to_payment.bpmn"
DRAWN = ROOT.parent / "shared" / "data" / "bpmn"
FILES = sorted(DRAWN.glob("*/*")) if DRAWN.is_dir() else []
DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"


@pytest.fixture(scope="module")
def graph() -> Graph:
    return read_bpmn(DEMO.read_bytes())


READ = {"readable": True, "number": "2026-1187", "seller": "Kessler", "total": "48200.00", "currency": "EUR"}
GOOD = [("read", READ), ("match", {"matched": True}), ("anomalies", {"findings": 0})]
ODD = [("read", READ), ("anomalies", {"findings": 1}), ("match", {"matched": True})]
APPROVED, REJECTED = {"outcome": "approved"}, {"outcome": "rejected"}


def walk(graph: Graph, steps: list[tuple[str, dict[str, object] | None]]) -> tuple[Marking, list[object]]:
    """A run whose steps are finished in this order; None stands for a timer that fires instead."""
    variables: dict[str, object] = {"input": {"document": "a.xml", "sha256": "00"}}
    marking, effects = advance(graph, Marking(), Started(), variables)
    told = list(effects)
    for node_id, outputs in steps:
        token = marking.token_at(node_id)
        assert token is not None, f"{node_id} is not open"
        variables[node_id] = outputs
        timers = [timer.id for timer in marking.timers if timer.host == token.id]
        happening = TimerFired(timers[0]) if outputs is None else StepFinished(token.id)
        marking, effects = advance(graph, marking, happening, variables)
        told += effects
    return marking, told


@pytest.mark.parametrize(
    "steps, end",
    [
        ([("read", {"readable": False}), ("handle", REJECTED)], "end_returned"),
        ([*GOOD, ("pay", {"paid": True})], "end_paid"),
        ([*GOOD, ("pay", {"paid": False})], "end_not_paid"),
        ([*ODD, ("exception", APPROVED), ("pay", {"paid": True})], "end_paid"),
        ([*ODD, ("exception", REJECTED)], "end_rejected"),
        ([*ODD, ("exception", None), ("controller", APPROVED), ("pay", {"paid": True})], "end_paid"),
        ([*ODD, ("exception", None), ("controller", REJECTED)], "end_rejected"),
    ],
)
def test_every_way_through_invoice_to_payment_leads_to_its_end(graph, steps, end):
    marking, told = walk(graph, steps)

    assert told[-1] == EndRun(end)
    assert marking.ended
    opened = [effect.node_id for effect in told if isinstance(effect, OpenStep)]
    assert sorted(opened) == sorted(node_id for node_id, _ in steps)


def test_invoice_to_payment_asks_the_person_in_a_whole_sentence(graph):
    title = graph.title("exception", {"read": READ})

    assert title == "Pay 48,200.00 EUR to Kessler for invoice 2026-1187, although it is outside the limits"
    assert graph.nodes["late"].duration_seconds == 4 * 3_600
    assert {node.lane for node in graph.nodes.values()} == {"Agents", "People"}


def test_invoice_to_payment_survives_json_and_is_drawn_completely(graph):
    assert Graph.from_json(json.loads(json.dumps(graph.to_json()))) == graph

    drawing = etree.parse(DEMO).getroot()
    shapes = {each.get("bpmnElement") for each in drawing.iter(f"{DI}BPMNShape")}
    edges = {each.get("bpmnElement") for each in drawing.iter(f"{DI}BPMNEdge")}
    assert set(graph.nodes) <= shapes
    assert edges == set(graph.flows)


@pytest.mark.skipif(not FILES, reason="the folder of drawings is absent")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[-60:])
def test_a_drawing_by_others_becomes_a_graph_or_a_list_of_reasons(path):
    try:
        graph = read_bpmn(path.read_bytes())
    except BpmnInvalid as refused:
        assert refused.problems
        assert all(problem.element_id and problem.reason for problem in refused.problems)
    else:
        assert Graph.from_json(graph.to_json()) == graph
        advance(graph, Marking(), Started(), {})


WELL_FORMED = [path for path in FILES if path.suffix == ".bpmn"]


def models() -> list[tuple[Path, Model]]:
    """Every drawing that is well-formed, as it was read."""
    found = []
    for path in WELL_FORMED:
        with suppress(BpmnInvalid):
            found.append((path, read_model(path.read_bytes())))
    return found


@pytest.mark.skipif(not FILES, reason="the folder of drawings is absent")
def test_every_drawing_by_others_is_imported_and_most_could_run():
    found = models()

    assert (len(WELL_FORMED), len(found)) == (99, 98)  # one is not well-formed, and says so
    assert sum(model.graph is not None for _, model in found) >= 90
    for path, model in found:
        told = {each.kind for each in model.problems if each.severity is Severity.ERROR}
        assert model.graph is not None or told - {ProblemKind.UNASSIGNED}, path.name


@pytest.mark.skipif(not FILES, reason="the folder of drawings is absent")
def test_what_is_read_of_a_drawing_by_others_is_what_was_counted_in_it():
    counted = json.loads((DRAWN / "answers.json").read_text())["files"]
    compared = 0
    for path, model in models():
        answer = counted[f"{path.parent.name}/{path.name}"]
        if model.graph is None or answer["process"] != 1:
            continue
        compared += 1
        kinds = Counter(node.kind for node in model.graph.nodes.values())
        events = [node for node in model.graph.nodes.values() if node.kind in (NodeKind.END, NodeKind.TERMINATE)]
        assert len(model.graph.flows) == answer.get("sequenceFlow", 0), path.name
        assert kinds[NodeKind.START] == answer.get("startEvent", 0), path.name
        assert len(events) == answer.get("endEvent", 0), path.name
        assert kinds[NodeKind.BOUNDARY] == answer.get("boundaryEvent", 0), path.name
        assert kinds[NodeKind.CALL] == answer.get("callActivity", 0), path.name
        assert sum(kinds[kind] for kind in TASKS) == sum(answer.get("tasks", {}).values()), path.name
        gateways = sum(answer.get("gateways", {}).values())
        assert sum(kinds[kind] for kind in GATEWAYS) == gateways, path.name
    assert compared > 70


@pytest.mark.skipif(not FILES, reason="the folder of drawings is absent")
def test_what_could_run_of_the_drawings_by_others_runs_to_its_end():
    ended, still = 0, []
    for path, model in models():
        if model.graph is None:
            continue
        answered = {flow.id: True for flow in model.graph.flows.values() if flow.condition}
        outcome = simulate(model.graph, Trial(choices=answered))
        if outcome.end:
            ended += 1
            continue
        # with the first way of every choice some go round for ever; with the last one they do not
        choosing = [each for each in model.graph.nodes.values() if each.kind is NodeKind.EXCLUSIVE]
        last = {flow: flow == each.outgoing[-1] for each in choosing for flow in each.outgoing}
        outcome = simulate(model.graph, Trial(choices=last))
        ended += bool(outcome.end)
        still += [] if outcome.end else [(path.name, outcome.reason)]

    assert still == []
    assert ended >= 90
