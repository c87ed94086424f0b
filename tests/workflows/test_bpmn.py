"""The BPMN reader by its tables: what is read, and what is refused with the element and the reason."""

import pytest

from governance.language import Kind
from workflows.plan import BpmnInvalid, EventKind, Graph, NodeKind, Output, read_bpmn

WORK = '<serviceTask id="work" name="Work" aos:role="clerk"/>'
INTO = '<sequenceFlow id="f1" sourceRef="start" targetRef="work"/>'
LINE = INTO + '<sequenceFlow id="f2" sourceRef="work" targetRef="end"/>'
START, END = '<startEvent id="start"/>', '<endEvent id="end"/>'


EXECUTABLE = 'id="process" isExecutable="true"'


def document(process: str, *, beside: str = "", attributes: str = EXECUTABLE) -> bytes:
    return f"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="file"
        targetNamespace="t" xmlns:t="t" xmlns:aos="https://autonomy-os.org/bpmn/1" xmlns:other="https://example.org/other">
        {beside}<process {attributes} name="Process">{process}</process></definitions>""".encode()


def line(task: str = WORK, *, start: str = START, more: str = "", flows: str = LINE) -> bytes:
    """Start, one task, end, and whatever else."""
    return document(start + task + END + more + flows)


def asked(condition: str, *, default: str = 'default="no"', free: str = "") -> bytes:
    """A task with a yes/no output, then a choice between two ends."""
    task = '<serviceTask id="work" aos:role="r"><extensionElements><aos:output name="ok" type="bool"/>'
    return line(
        task + "</extensionElements></serviceTask>",
        more=f'<exclusiveGateway id="choice" name="OK?" {default}/><endEvent id="other"/>',
        flows='<sequenceFlow id="f1" sourceRef="start" targetRef="work"/>'
        '<sequenceFlow id="f2" sourceRef="work" targetRef="choice"/>'
        f'<sequenceFlow id="yes" name="yes" sourceRef="choice" targetRef="end">{condition}</sequenceFlow>'
        f'<sequenceFlow id="no" name="no" sourceRef="choice" targetRef="other">{free}</sequenceFlow>',
    )


def when(text: str) -> str:
    return f"<conditionExpression>{text}</conditionExpression>"


def decision(inside: str, *, attached: str = "ask", more: str = "") -> bytes:
    """A user task with a boundary event, both leading to the end."""
    event = f'<boundaryEvent id="late" name="Late" attachedToRef="{attached}" {more}>'
    return line(
        '<userTask id="ask" name="Ask" aos:path="desk"/>',
        more=f"{event}{inside}</boundaryEvent>",
        flows='<sequenceFlow id="f1" sourceRef="start" targetRef="ask"/>'
        '<sequenceFlow id="f2" sourceRef="ask" targetRef="end"/>'
        '<sequenceFlow id="f3" sourceRef="late" targetRef="end"/>',
    )


def timer(text: str) -> str:
    return f"<timerEventDefinition><timeDuration>{text}</timeDuration></timerEventDefinition>"


def refusals(xml: bytes) -> list[tuple[str, str]]:
    """Element and reason of every problem."""
    with pytest.raises(BpmnInvalid) as refused:
        read_bpmn(xml)
    return [(problem.element_id, problem.reason) for problem in refused.value.problems]


def test_agent_work_is_read_with_role_lease_attempts_and_outputs():
    task = """<serviceTask id="work" name="Do&#10;the work" aos:role="clerk" aos:action="invoice.pay"
        aos:lease="PT2M" aos:attempts="5"><extensionElements>
        <aos:output name="total" type="decimal" label="Total"/></extensionElements></serviceTask>"""

    work = read_bpmn(line(task)).nodes["work"]

    assert (work.kind, work.name, work.role) == (NodeKind.SERVICE_TASK, "Do the work", "clerk")
    assert (work.action, work.lease_seconds, work.attempts) == ("invoice.pay", 120, 5)
    assert work.outputs == (Output("total", Kind.DECIMAL, "Total"),)


def test_a_decision_is_read_with_its_path_and_every_sentence():
    task = """<userTask id="work" aos:path="desk" aos:title="Pay {vars.input.number}?" aos:risk="high"
        aos:effect="Paid" aos:approve="It is paid." aos:reject="It is not."
        aos:timeout="The next one is asked."/>"""
    number = '<extensionElements><aos:input name="number" type="string"/></extensionElements>'

    graph = read_bpmn(line(task, start=f'<startEvent id="start">{number}</startEvent>'))

    work = graph.nodes["work"]
    assert (work.kind, work.path, work.risk, work.effect) == (NodeKind.USER_TASK, "desk", "high", "Paid")
    assert (work.if_approved, work.if_rejected) == ("It is paid.", "It is not.")
    assert work.if_timed_out == "The next one is asked."
    assert graph.title("work", {"input": {"number": "4711"}}) == "Pay 4711?"
    read = [path for path in graph.variables_schema().paths if path.startswith("vars.")]
    assert read == ["vars.input.number", "vars.work.outcome"]
    assert graph.outputs_schema("start").coerce({"number": "7"}) == {"number": "7"}


@pytest.mark.parametrize(
    "attribute, kind", [('aos:role="clerk"', NodeKind.SERVICE_TASK), ('aos:path="desk"', NodeKind.USER_TASK)]
)
def test_a_plain_task_is_what_its_attribute_says(attribute, kind):
    assert read_bpmn(line(f'<task id="work" {attribute}/>')).nodes["work"].kind is kind


@pytest.mark.parametrize(
    "text, seconds",
    [("PT4H", 14_400), ("P2D", 172_800), ("P1DT1H1M1S", 90_061), ("P1W", 604_800), (" PT30S ", 30)],
)
@pytest.mark.parametrize("more, interrupting", [("", True), ('cancelActivity="false"', False)])
def test_a_timer_is_read_with_its_host_and_its_seconds(text, seconds, more, interrupting):
    graph = read_bpmn(decision(timer(text), more=more))

    late = graph.nodes["late"]
    assert (late.kind, late.event) == (NodeKind.BOUNDARY, EventKind.TIMER)
    assert (late.attached_to, late.duration_seconds) == ("ask", seconds)
    assert late.interrupting is interrupting
    assert graph.nodes["ask"].boundaries == ("late",)


def test_lanes_pools_terminate_ends_and_decoration_are_read():
    lanes = """<laneSet><lane id="outer" name="Outer"><childLaneSet><lane id="inner" name="Inner">
        <flowNodeRef>t:work</flowNodeRef></lane></childLaneSet></lane></laneSet>
        <textAnnotation id="note"><text>why</text></textAnnotation>
        <association id="a" sourceRef="note" targetRef="work"/>
        <dataObject id="data"/><dataObjectReference id="paper" dataObjectRef="data"/><other:thing/>"""
    end = '<endEvent id="end"><terminateEventDefinition/></endEvent>'
    pool = '<collaboration id="c"><participant id="pool" name="Pool" processRef="process"/></collaboration>'
    flows = LINE.replace('"start"', '"t:start"')

    graph = read_bpmn(document(START + WORK + end + lanes + flows, beside=pool))

    assert graph.nodes["work"].lane == "Inner"
    assert graph.lanes == ("Inner",)
    assert graph.nodes["end"].kind is NodeKind.TERMINATE
    assert graph.name == "Process"


def test_a_choice_is_read_with_its_default_and_keeps_the_drawn_order():
    graph = read_bpmn(asked(when("vars.work.ok")))

    assert graph.nodes["choice"].default_flow == "no"
    assert graph.nodes["choice"].outgoing == ("yes", "no")
    assert graph.flows["yes"].condition == "vars.work.ok"


LOOP = """<exclusiveGateway id="x1" default="a"/><exclusiveGateway id="x2"/>
    <sequenceFlow id="a" sourceRef="x1" targetRef="end"/>
    <sequenceFlow id="b" sourceRef="x1" targetRef="x2">
        <conditionExpression>true</conditionExpression></sequenceFlow>
    <sequenceFlow id="c" sourceRef="x2" targetRef="x1"/>"""
TO_LOOP = LINE.replace('targetRef="end"', 'targetRef="x1"')
INPUTS = '<serviceTask id="work" aos:role="r"><extensionElements>{}</extensionElements></serviceTask>'


@pytest.mark.parametrize(
    "xml, element, reason",
    [
        (line('<scriptTask id="work"/>'), "work", "A script task needs aos:output with an expression"),
        (
            line(more='<complexGateway id="or"/>'),
            "or",
            "The element type complexGateway is not executed.",
        ),
        (line('<task id="work"/>'), "work", "A plain task needs aos:role"),
        (line('<serviceTask id="work"/>'), "work", "aos:role is missing"),
        (line('<userTask id="work"/>'), "work", "aos:path is missing"),
        (line('<serviceTask id="work" aos:role="r" aos:rol="x"/>'), "work", "Did you mean aos:role?"),
        (line('<serviceTask id="work" aos:role="r" aos:lease="soon"/>'), "work", "aos:lease is seconds"),
        (line('<serviceTask id="work" aos:role="r" aos:lease="P2D"/>'), "work", "aos:lease is seconds"),
        (line('<serviceTask id="work" aos:role="r" aos:attempts="0"/>'), "work", "aos:attempts is a number"),
        (
            line('<serviceTask id="work" aos:role="r" isForCompensation="true"/>'),
            "work",
            "No flow may touch what undoes something",
        ),
        (
            line('<serviceTask id="work" aos:role="r"><multiInstanceLoopCharacteristics/></serviceTask>'),
            "work",
            "Nothing says how often it is done",
        ),
        (
            line('<userTask id="work" aos:path="p" aos:risk="huge"/>'),
            "work",
            "aos:risk is low, medium or high",
        ),
        (
            line('<userTask id="work" aos:path="p" aos:title="Pay {vars.work.outcom}?"/>'),
            "work",
            "Did you mean `vars.work.outcome`?",
        ),
        (line(INPUTS.format('<aos:output name="a b" type="int"/>')), "work", "cannot be the name of a value"),
        (line(INPUTS.format('<aos:output name="a" type="float"/>')), "work", "is not one of bool, int"),
        (line(INPUTS.format('<aos:output name="a" type="int"/>' * 2)), "work", "The value a exists already."),
        (
            line(INPUTS.format('<aos:input name="a" type="int"/>')),
            "work",
            "aos:input is not known on a serviceTask.",
        ),
        (
            line(start='<startEvent id="start"><errorEventDefinition/></startEvent>'),
            "start",
            "startEvent with error",
        ),
        (line(start="", flows=LINE[LINE.index("<sequenceFlow", 1) :]), "process", "has no start event"),
        (line(more='<startEvent id="again"/>'), "again", "Only one start event"),
        (line(more='<serviceTask id="lost" aos:role="r"/>'), "lost", "No way leads here from the start."),
        (line(flows=LINE.replace('"end"', '"nowhere"')), "f2", "leads to nowhere, which does not exist."),
        (line(flows=LINE.replace('sourceRef="work"', "")), "f2", "does not say where it starts from."),
        (
            line(flows=LINE.replace('"end"', '"file"')),
            "f2",
            "leads to file, which is no step of this process.",
        ),
        (line(flows=LINE.replace('id="f2" ', "")), "sequenceFlow in line 3", "The flow has no id."),
        (line('<serviceTask aos:role="r"/>'), "serviceTask in line 3", "The element has no id."),
        (line(WORK * 2), "work", "The id is used 2 times"),
        (
            line(more='<sequenceFlow id="back" sourceRef="end" targetRef="work"/>'),
            "end",
            "No flow may leave an end",
        ),
        (
            line(more='<sequenceFlow id="back" sourceRef="work" targetRef="start"/>'),
            "start",
            "may lead into a start",
        ),
        (line(more=LOOP, flows=TO_LOOP), "x2", "in a loop without any work"),
        (
            line(flows=LINE.replace('targetRef="end"', 'targetRef="work"')),
            "work",
            "No end can be reached from here.",
        ),
        (
            line('<serviceTask id="work" aos:role="r"><outgoing>gone</outgoing></serviceTask>'),
            "work",
            "The outgoing flow gone does not exist.",
        ),
        (
            line(more='<laneSet><lane id="lane"><flowNodeRef>gone</flowNodeRef></lane></laneSet>'),
            "lane",
            "The lane holds gone, which does not exist.",
        ),
        (
            line('<serviceTask id="work" aos:role="r" default="f1"/>'),
            "work",
            "The default flow f1 does not leave",
        ),
        (
            line(flows=LINE.replace('targetRef="work"/>', f'targetRef="work">{when("true")}</sequenceFlow>')),
            "start",
            "Every way out has a condition",
        ),
        (asked(when("vars.work.ok"), default=""), "choice", "add a default flow"),
        (asked(""), "yes", "without a condition"),
        (asked(when("")), "yes", "The condition is empty."),
        (asked(when("vars.work.ok"), free=when("true")), "no", "A default flow has no condition."),
        (asked(when("vars.work.okay")), "yes", "line 1, column 1"),
        (asked(when("vars.work.okay")), "yes", "Did you mean `vars.work.ok`?"),
        (asked(when("vars.work.ok &amp;&amp;\n 1")), "yes", "line 2"),
        (decision(timer("4 hours")), "late", "“4 hours” is not a duration such as PT4H"),
        (decision(timer("P11Y")), "late", "is not a duration"),
        (decision(timer("P0M")), "late", "is not a duration"),
        (decision(timer("PT0S")), "late", "is not a duration"),
        (decision(timer("P99999D")), "late", "at most 10 years"),
        (decision("<timerEventDefinition/>"), "late", "needs a timeDuration"),
        (decision(""), "late", "A boundary event needs a timer"),
        (
            decision("<cancelEventDefinition/>"),
            "late",
            "A cancel event stands on the edge of a transaction only.",
        ),
        (decision(timer("PT1H"), attached="gone"), "late", "attached to gone, which does not exist."),
        (decision(timer("PT1H"), attached="end"), "late", "An event can be attached to a task or a sub-process only"),
        (
            document(START + WORK + END + LINE, attributes='id="process"'),
            "process",
            "not marked isExecutable",
        ),
        (
            document(START + WORK + END + LINE, attributes='isExecutable="true"'),
            "process in line 3",
            "The process has no id.",
        ),
        (
            document(START + WORK + END + LINE, beside='<process id="second" isExecutable="true"/>'),
            "second",
            "Only one process of a file can be executable.",
        ),
        (
            document(
                START + WORK + END + LINE,
                beside='<collaboration id="c"><participant id="p" processRef="gone"/></collaboration>',
            ),
            "p",
            "The process gone does not exist.",
        ),
    ],
)
def test_what_cannot_be_executed_is_refused_by_element_and_reason(xml, element, reason):
    found = refusals(xml)

    assert any(each == element and reason in text for each, text in found), found


def test_every_problem_is_told_at_once_and_none_follows_from_another():
    xml = line(
        '<complexGateway id="work" name="Inner"/>',
        more='<serviceTask id="after" name="After"/><intermediateCatchEvent id="catch"/>',
        flows='<sequenceFlow id="f1" sourceRef="start" targetRef="work"/>'
        '<sequenceFlow id="f2" sourceRef="work" targetRef="after"/>'
        '<sequenceFlow id="f3" sourceRef="after" targetRef="end"/>',
    )

    assert list(dict.fromkeys(each for each, _ in refusals(xml))) == ["work", "after", "catch"]


def test_the_name_a_person_drew_stands_in_the_problem():
    with pytest.raises(BpmnInvalid, match="work “Work”: calledElement is missing"):
        read_bpmn(line('<callActivity id="work" name="Work"/>'))


XXE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12))
    + b']><x y="&m;">&m;</x>'
)


@pytest.mark.parametrize(
    "xml, reason",
    [
        (b"", "not well-formed"),
        (b"\xff\xfe\x00", "not well-formed"),
        (b"<a>\n<b>\n</a>", "line 3"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "not well-formed"),
        (b"<html/>", "not BPMN 2.0: its first element is html"),
        (XXE, "DOCTYPE"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><!-- a --> \n" + XXE, "DOCTYPE"),
        (XXE.decode().encode("utf-16"), "DOCTYPE"),
        (LAUGHS, "DOCTYPE"),
        (b"<!-- " * 50_000 + XXE, "not well-formed"),
        (b"<a>" * 5_000, "not well-formed"),
        (b" " * 2_000_001, "larger than 2 MB"),
        (b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>', "holds no process"),
    ],
    ids=range(13),
)
def test_what_is_no_safe_bpmn_file_is_refused_with_a_reason(xml, reason):
    (refusal,) = refusals(xml)

    assert reason in refusal[1]


def test_a_large_drawing_is_read_in_linear_time():
    count = 4_000
    tasks = "".join(f'<exclusiveGateway id="x{n}"/>' for n in range(count))
    flows = "".join(f'<sequenceFlow id="g{n}" sourceRef="x{n}" targetRef="x{n + 1}"/>' for n in range(count - 1))
    into = '<sequenceFlow id="in" sourceRef="work" targetRef="x0"/>'
    out = f'<sequenceFlow id="out" sourceRef="x{count - 1}" targetRef="end"/>'

    graph = read_bpmn(line(more=tasks, flows=INTO + flows + into + out))

    assert isinstance(graph, Graph)
    assert len(graph.nodes) == count + 3
