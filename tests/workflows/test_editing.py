"""Changes of a drawing by the outline: each does what it says and keeps everything else as it was."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from workflows.plan import BpmnInvalid, editing, read_bpmn
from workflows.plan.document import reference
from workflows.plan.outlining import Value, outline_of
from workflows.plan.placing import Box, box
from workflows.plan.sheet import DI, STEPS, Sheet
from workflows.plan.texts import EMPTY, checked, text_of_file

ROOT = Path(__file__).parents[2]
DEMO = (ROOT / "autonomy_site" / "demo" / "invoice_to_payment.bpmn").read_text()
DRAWN = ROOT.parent / "shared" / "data" / "bpmn"
FILES = sorted(DRAWN.glob("*/*.bpmn")) if DRAWN.is_dir() else []
FOREIGN = """<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:x="urn:x" targetNamespace="t">
  <!-- kept -->
  <bpmn:process id="p" isExecutable="true" x:owner="somebody">
    <bpmn:startEvent id="s"><bpmn:outgoing>a</bpmn:outgoing></bpmn:startEvent>
    <bpmn:userTask id="t" x:form="f"><bpmn:extensionElements><x:mark>1 &lt; 2</x:mark></bpmn:extensionElements><bpmn:incoming>a</bpmn:incoming><bpmn:outgoing>b</bpmn:outgoing></bpmn:userTask>
    <bpmn:endEvent id="e"><bpmn:incoming>b</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="a" sourceRef="s" targetRef="t"/>
    <bpmn:sequenceFlow id="b" sourceRef="t" targetRef="e"/>
  </bpmn:process>
</bpmn:definitions>"""  # noqa: E501


def names(sheet: Sheet) -> list[str]:
    return [line.shown for line in outline_of(sheet)]


def leads(sheet: Sheet, step: str) -> list[str]:
    return [way.target for line in outline_of(sheet) if line.id == step for way in line.ways]


def at(sheet: Sheet, name: str) -> Box:
    place = box(sheet, name)
    assert place is not None, name
    return place


def found(sheet: Sheet, name: str) -> etree._Element:
    element = sheet.find(name)
    assert element is not None, name
    return element


def same(before: str, after: str) -> bool:
    """Whether two texts are the same document, comments and all."""
    told = (etree.canonicalize(text.partition("?>")[2] or text, with_comments=True) for text in (before, after))
    return len(set(told)) == 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[-60:])
def test_every_drawing_comes_back_as_it_went_in_and_is_listed(path: Path) -> None:
    try:
        text = text_of_file(path.read_bytes())
    except BpmnInvalid:
        pytest.skip("no well-formed BPMN")

    sheet = Sheet(text)

    assert same(text, sheet.text())
    drawn = {step.get("id") for process in sheet.processes for tag in STEPS for step in process.iter(f"{{*}}{tag}")}
    assert {line.id for line in outline_of(sheet)} == {each or "" for each in drawn}


def test_a_process_is_built_from_nothing_and_runs() -> None:
    sheet = Sheet(EMPTY)

    step = editing.insert_after(sheet, "start", "agent", "Read the invoice")
    editing.set_own(sheet, step, {"role": "invoice-reader", "lease": "PT2M"})
    editing.set_values(sheet, step, [Value("total", "decimal", "Amount due")])
    choice = editing.insert_after(sheet, step, "choice", "Large?")
    ask = editing.insert_after(sheet, choice, "person", "Approve it")
    editing.set_own(sheet, ask, {"path": "treasury"})
    editing.set_way(
        sheet, sheet.incoming(found(sheet, ask))[0].get("id", ""), name="yes", condition=f"vars.{step}.total > 1000",
        otherwise=False,
    )  # fmt: skip
    editing.connect(sheet, ask, "end")
    late = editing.add_timer(sheet, ask, "PT4H")
    editing.insert_after(sheet, late, "end", "Too late")

    graph = read_bpmn(sheet.text().encode())
    order = ["Start", "Read the invoice", "Large?", "Done", "Approve it", "Time: meanwhile", "Too late"]
    assert names(sheet) == order
    assert graph.nodes[late].duration_seconds == 14_400
    assert graph.nodes[step].outputs[0].label == "Amount due"


def test_a_step_between_two_pushes_what_follows_to_the_right() -> None:
    sheet = Sheet(DEMO)
    before = {name: at(sheet, name) for name in ("match", "pay", "end_paid", "agents", "pool", "handle")}

    new = editing.insert_after(sheet, "within", "agent", "Check the bank account", way="f_within")
    editing.set_own(sheet, new, {"role": "anomaly-scout"})

    assert leads(sheet, new) == ["pay"]
    assert leads(sheet, "within") == [new, "exception"]
    place = at(sheet, new)
    assert (place.x, place.middle[1]) == (before["pay"].x, before["pay"].middle[1])
    moved = {name: at(sheet, name).x - was.x for name, was in before.items()}
    assert moved == {"match": 0, "handle": 0, "agents": 0, "pool": 0, "pay": 208, "end_paid": 208}
    assert at(sheet, "pool").w == before["pool"].w + 208
    assert read_bpmn(sheet.text().encode()).nodes[new].lane == "Agents"


def test_a_removed_step_leaves_no_trace_and_its_way_goes_on() -> None:
    sheet = Sheet(DEMO)

    editing.remove(sheet, "exception")

    assert leads(sheet, "within") == ["pay", "exception_approved"]
    text = sheet.text()
    for gone in ('"exception"', ">exception<", '"late"', '"f_late"', '"f_decided"', "late_timer"):
        assert gone not in text, gone
    assert len(list(sheet.root.iter(f"{{{DI}}}BPMNEdge"))) == DEMO.count("<bpmndi:BPMNEdge") - 2


def test_what_others_wrote_into_a_file_stays() -> None:
    sheet = Sheet(FOREIGN)

    editing.rename(sheet, "t", "Look at it")
    editing.set_own(sheet, "t", {"path": "desk"})
    new = editing.insert_after(sheet, "t", "agent")

    text = sheet.text()
    assert "<x:mark>1 &lt; 2</x:mark>" in text
    assert "<!-- kept -->" in text
    assert 'x:form="f"' in text
    assert 'x:owner="somebody"' in text
    assert 'aos:path="desk"' in text
    listed = [entry.text for entry in found(sheet, new).iter("{*}incoming", "{*}outgoing")]
    assert listed == ["b", "flow_1"]
    assert [entry.text for entry in found(sheet, "e").iter("{*}incoming")] == ["flow_1"]


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda sheet: editing.insert_after(sheet, "end_paid", "agent"), "Nothing follows an end"),
        (lambda sheet: editing.insert_after(sheet, "read", "end"), "follows here already"),
        (lambda sheet: editing.insert_after(sheet, "read", "pirate"), "what kind"),
        (lambda sheet: editing.insert_after(sheet, "gone", "agent"), "not in the drawing any more"),
        (lambda sheet: editing.insert_after(sheet, "within", "agent", way="f_read"), "not in the drawing any more"),
        (lambda sheet: editing.connect(sheet, "read", "start"), "No way leads to a start"),
        (lambda sheet: editing.connect(sheet, "read", "late"), "No way leads to a start"),
        (lambda sheet: editing.connect(sheet, "end_paid", "read"), "No way leaves an end"),
        (lambda sheet: editing.connect(sheet, "start", "read"), "leads there already"),
        (lambda sheet: editing.add_timer(sheet, "within", "PT1H"), "choose a task"),
        (lambda sheet: editing.set_duration(sheet, "read", "PT1H"), "Only a timer"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_and_changes_nothing(change: object, said: str) -> None:
    sheet = Sheet(DEMO)

    with pytest.raises(editing.CannotEdit, match=said):
        change(sheet)  # type: ignore[operator]

    assert same(DEMO, sheet.text())


def test_the_encoding_of_a_file_does_not_matter() -> None:
    text = EMPTY.replace('name="Done"', 'name="Fertig für heute"')
    for encoding in ("iso-8859-1", "utf-16", "windows-1252"):
        kept = text_of_file(text.replace("UTF-8", encoding).encode(encoding))
        assert kept == text, encoding
    assert text_of_file("\ufeff".encode() + text.encode()) == text
    assert checked(text.replace("UTF-8", "ISO-8859-1")) == text
    for wrong in (text.encode("latin-1"), text.replace("UTF-8", "rot13").encode(), b"", b"\xff\xfe"):
        with pytest.raises(BpmnInvalid):
            text_of_file(wrong)


# --- any changes in any order --------------------------------------------------------------------------------
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["insert", "remove", "connect", "disconnect", "timer", "way"]), st.integers(0, 99),
        st.integers(0, 99), st.sampled_from(sorted(editing.KINDS)),
    ),
    max_size=12,
)  # fmt: skip


def change(sheet: Sheet, act: str, first: int, second: int, kind: str) -> None:
    lines = outline_of(sheet)
    flows = [way.id for line in lines for way in line.ways]
    step, other = lines[first % len(lines)].id, lines[second % len(lines)].id
    flow = flows[second % len(flows)] if flows else ""
    match act:
        case "insert":
            editing.insert_after(sheet, step, kind, "New")
        case "remove" if len(lines) > 2:
            editing.remove(sheet, step)
        case "connect":
            editing.connect(sheet, step, other)
        case "disconnect" if flow:
            editing.disconnect(sheet, flow)
        case "timer":
            editing.add_timer(sheet, step, "PT1H")
        case "way" if flow:
            editing.set_way(sheet, flow, name="x", condition="true", otherwise=kind == "end")


@pytest.mark.parametrize("text", [EMPTY, DEMO, FOREIGN], ids=["empty", "demo", "foreign"])
@settings(deadline=None, max_examples=40)
@given(changes=CHANGES)
def test_any_changes_leave_a_whole_drawing(text: str, changes: list[tuple[str, int, int, str]]) -> None:
    sheet = Sheet(text)
    for each in changes:
        try:
            change(sheet, *each)
        except editing.CannotEdit:
            continue

    sheet = Sheet(sheet.text())
    ids = Counter(each.get("id") for each in sheet.root.iter(etree.Element) if each.get("id"))
    assert max(ids.values()) == 1, ids.most_common(3)
    for flow in sheet.root.iter("{*}sequenceFlow"):
        assert sheet.find(reference(flow.get("sourceRef"))) is not None
        assert sheet.find(reference(flow.get("targetRef"))) is not None
    for drawn in sheet.root.iter(f"{{{DI}}}BPMNShape", f"{{{DI}}}BPMNEdge"):
        assert sheet.find(reference(drawn.get("bpmnElement"))) is not None
    for step in sheet.root.iter("{*}exclusiveGateway"):
        assert not step.get("default") or sheet.find(step.get("default", "")) is not None
    for entry in sheet.root.iter("{*}flowNodeRef"):
        assert sheet.find(entry.text or "") is not None
    if sheet.plane is not None:
        shown = {line.id for line in outline_of(sheet)}
        assert shown == {name for name in shown if box(sheet, name) is not None}
