"""A file that came without a drawing gets one that people can read; nothing else in the file changes."""

from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.workflows.test_editing import DEMO, FILES, FOREIGN, at, found, same
from tests.workflows.test_outline import drawn as draft_of
from workflows.plan import BpmnInvalid
from workflows.plan.document import reference, tag_of
from workflows.plan.laying import drawn, is_drawn, lay_out
from workflows.plan.placing import Box, box
from workflows.plan.sheet import DD, DI, SCOPES, STEPS, Sheet
from workflows.plan.texts import text_of_file

AT = "/workflows/invoice-to-payment"
POOLS = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">
  <!-- kept -->
  <collaboration id="both">
    <participant id="us" name="Us" processRef="work"/><participant id="them" name="Them"/>
    <messageFlow id="asks" sourceRef="read" targetRef="them"/>
  </collaboration>
  <process id="work" isExecutable="true">
    <laneSet id="lanes">
      <lane id="agents"><flowNodeRef>start</flowNodeRef><flowNodeRef>read</flowNodeRef></lane>
      <lane id="people"><flowNodeRef>ask</flowNodeRef><flowNodeRef>within</flowNodeRef><flowNodeRef>end</flowNodeRef></lane>
    </laneSet>
    <startEvent id="start"/><serviceTask id="read" name="Read"/><userTask id="ask" name="Ask"/>
    <boundaryEvent id="late" name="4 h" attachedToRef="ask"><timerEventDefinition/></boundaryEvent>
    <exclusiveGateway id="within" name="Fine?"/><endEvent id="end"/>
    <subProcess id="inside" name="Inside"><startEvent id="s2"/><task id="t2"/><sequenceFlow id="i1" sourceRef="s2" targetRef="t2"/></subProcess>
    <textAnnotation id="note"><text>Why</text></textAnnotation><association id="tie" sourceRef="note" targetRef="read"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="read"/><sequenceFlow id="f2" sourceRef="read" targetRef="ask"/>
    <sequenceFlow id="f3" sourceRef="ask" targetRef="within"/><sequenceFlow id="f4" sourceRef="within" targetRef="end"/>
    <sequenceFlow id="f5" sourceRef="within" targetRef="read" name="no"/>
    <sequenceFlow id="f6" sourceRef="late" targetRef="inside"/><sequenceFlow id="f7" sourceRef="inside" targetRef="end"/>
  </process>
</definitions>"""  # noqa: E501


def without(text: str) -> str:
    """The file without its drawing."""
    root = etree.fromstring(text.encode())
    for diagram in list(root.iterchildren(f"{{{DI}}}BPMNDiagram")):
        root.remove(diagram)
    return etree.tostring(root, encoding="unicode")


def corners(sheet: Sheet, flow: str) -> list[tuple[float, float]]:
    edge = sheet.edge(flow)
    assert edge is not None, flow
    return [(float(each.get("x", "")), float(each.get("y", ""))) for each in edge.iterchildren(f"{{{DD}}}waypoint")]


def shown(sheet: Sheet) -> list[etree._Element]:
    """Every step of what is drawn."""
    plane = sheet.plane
    assert plane is not None
    root = found(sheet, plane.get("bpmnElement", ""))
    inside = [
        found(sheet, reference(each.get("processRef")))
        for each in root.iter("{*}participant")
        if each.get("processRef")
    ]
    return [step for scope in inside or [root] for tag in STEPS for step in scope.iter(f"{{*}}{tag}") if step.get("id")]


def holds(outer: Box, inner: Box) -> bool:
    return (
        outer.x <= inner.x
        and inner.right <= outer.right + 0.1
        and outer.y <= inner.y
        and inner.bottom <= outer.bottom + 0.1
    )


def check(text: str) -> None:
    """Each step has a shape, each way a line from border to border, nothing lies on something else, and the rest of the
    file is as it was."""
    bare = without(text)
    sheet = Sheet(bare)
    if not lay_out(sheet):
        return
    steps = shown(sheet)
    places = {step.get("id", ""): box(sheet, step.get("id", "")) for step in steps}
    assert None not in places.values()
    for scope in {id(step.getparent()): step.getparent() for step in steps}.values():
        beside = [
            at(sheet, step.get("id", ""))
            for step in steps
            if step.getparent() is scope and tag_of(step) != "boundaryEvent"
        ]
        assert not any(one.meets(other) for one, other in combinations(beside[:150], 2))
        if scope is not None and tag_of(scope) in SCOPES:
            assert all(holds(at(sheet, scope.get("id", "")), each) for each in beside)
        for flow in sheet.flows(scope) if scope is not None else ():
            source, target = (places.get(reference(flow.get(end))) for end in ("sourceRef", "targetRef"))
            if flow.get("id") and source is not None and target is not None:
                line = corners(sheet, flow.get("id", ""))
                assert on_border(line[0], source), flow.get("id")
                assert on_border(line[-1], target), flow.get("id")
                assert all(one[0] == other[0] or one[1] == other[1] for one, other in pairwise(line))
    assert same(bare.rstrip(), without(sheet.text()).rstrip())


def on_border(point: tuple[float, float], place: Box) -> bool:
    x, y = point
    inside = place.x - 0.2 <= x <= place.right + 0.2 and place.y - 0.2 <= y <= place.bottom + 0.2
    near = min(abs(x - place.x), abs(x - place.right), abs(y - place.y), abs(y - place.bottom))
    return inside and near < 0.2


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[-60:])
def test_every_drawing_by_others_is_laid_out_anew(path: Path) -> None:
    try:
        text = text_of_file(path.read_bytes())
    except BpmnInvalid:
        pytest.skip("no well-formed BPMN")

    check(text)


@pytest.mark.parametrize("text", [POOLS, DEMO, FOREIGN], ids=["pools", "demo", "foreign"])
def test_our_drawings_are_laid_out_anew(text: str) -> None:
    check(text)


def test_pools_lanes_notes_and_messages_have_their_places() -> None:
    sheet = Sheet(drawn(POOLS))

    agents, people, us = at(sheet, "agents"), at(sheet, "people"), at(sheet, "us")
    assert holds(agents, at(sheet, "read"))
    assert holds(people, at(sheet, "ask"))
    assert holds(us, agents)
    assert holds(us, people)
    assert agents.bottom == people.y
    assert at(sheet, "them").y > us.bottom
    assert at(sheet, "note").bottom < at(sheet, "read").y
    assert at(sheet, "late").middle[1] == at(sheet, "ask").bottom
    assert holds(at(sheet, "inside"), at(sheet, "t2"))
    assert corners(sheet, "tie")[-1] == (at(sheet, "read").middle[0], at(sheet, "read").y)
    assert len(corners(sheet, "asks")) >= 2
    back = corners(sheet, "f5")
    assert max(y for _, y in back) > at(sheet, "inside").bottom  # it goes back below everything


def test_a_file_with_a_drawing_stays_as_it_is() -> None:
    assert drawn(DEMO) == DEMO
    assert is_drawn(Sheet(DEMO))


@pytest.mark.parametrize("text", ["<definitions/>", "<definitions><process/></definitions>"])
def test_where_nothing_can_be_drawn_nothing_is(text: str) -> None:
    text = text.replace("<definitions", '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"', 1)

    assert drawn(text) == text


def test_a_huge_file_is_laid_out_without_quadratic_work() -> None:
    steps = "".join(
        f'<task id="t{n}"/><sequenceFlow id="f{n}" sourceRef="t{n}" targetRef="t{n + 1}"/>' for n in range(3000)
    )
    far = "".join(f'<sequenceFlow id="g{n}" sourceRef="t{n}" targetRef="t{n + 1500}"/>' for n in range(0, 1500, 3))
    process = f'<process id="p">{steps}<task id="t3000"/>{far}</process>'
    text = f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">{process}</definitions>'

    sheet = Sheet(drawn(text))

    assert len(list(sheet.root.iter(f"{{{DI}}}BPMNShape"))) == 3001


# --- by the doors -----------------------------------------------------------------------------------------------------
def test_the_pages_show_a_drawing_and_the_file_stays_as_it_came(sign_in: Any) -> None:
    maria, bare = sign_in("maria"), without(DEMO)
    maria.post(f"{AT}/draft/begin")
    maria.post(f"{AT}/draft", {"bpmn": bare, "revision": 1})

    page = maria.get(f"{AT}/design").content.decode()
    file, picture = maria.get(f"{AT}/draft.bpmn"), maria.get(f"{AT}/draft.bpmn?as=drawing")

    assert "The file came without a drawing." in page
    assert same(bare, file.content.decode())
    assert picture.content.decode().count("BPMNShape ") == 23
    assert picture["ETag"] == '"2"'
    assert "BPMNShape" not in draft_of().bpmn
