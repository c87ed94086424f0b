"""What is wrong with a drawing, found before it runs: by element, with the reason, how bad it is and of which kind."""

import pytest

from tests.workflows.drawings import end, event, flows, person, start, sub, task, xml
from workflows.plan import Graph, read_model

S, A, B, E = start(), task("a", outputs="go:bool"), task("b"), end()
CODES = '<message id="msg" name="m"/><error id="bad" errorCode="E1"/>'


def found(document: bytes) -> list[tuple[str, str, str, str]]:
    """Element, severity, kind and reason of every problem."""
    return [(each.element_id, each.severity, each.kind, each.reason) for each in read_model(document).problems]


def gates(*kinds: str) -> str:
    return "".join(f'<{kind}Gateway id="{name}"/>' for name, _, kind in (each.partition(":") for each in kinds))


WAIT = "can wait for ever"


@pytest.mark.parametrize("document, element, severity, kind, reason", [
    # a parallel join fed by an exclusive split
    (xml(S + A + B + E + '<exclusiveGateway id="x" default="x_b"/>' + gates("p:parallel") + task("c"),
         "s -> a\na -> x\nx -> b\nx -> c | vars.a.go\nb -> p\nc -> p\np -> e"), "p", "error", "wrong", WAIT),
    # a parallel join behind an inclusive split
    (xml(S + A + B + E + '<inclusiveGateway id="x" default="x_b"/>' + gates("p:parallel") + task("c"),
         "s -> a\na -> x\nx -> b\nx -> c | vars.a.go\nb -> p\nc -> p\np -> e"), "p", "error", "wrong", WAIT),
    # conditions out of a task into a parallel join
    (xml(S + A + B + E + gates("p:parallel") + task("c"),
         "s -> a\na -> b\na -> c | vars.a.go\nb -> p\nc -> p\np -> e"), "p", "error", "wrong", WAIT),
    # an interrupting event that leads past a join
    (xml(S + A + B + E + gates("f:parallel", "p:parallel")
         + event("boundaryEvent", "t", "timer", more='attachedToRef="a"', inside="<timeDuration>PT1H</timeDuration>")
         + end("late"), "s -> f\nf -> a\nf -> b\na -> p\nb -> p\np -> e\nt -> late"), "p", "error", "wrong", WAIT),
    # inside a sub-process
    (xml(S + sub("sp", start(name="is") + A + '<exclusiveGateway id="x" default="x_p"/>' + gates("p:parallel") + B
         + end("ie") + flows("is -> a\na -> x\nx -> p\nx -> b | vars.a.go\nb -> p\np -> ie")) + E, "s -> sp\nsp -> e"),
     "p", "error", "wrong", WAIT),
    # branches that are never joined
    (xml(S + A + B + E + gates("f:parallel", "x:exclusive") + task("c"),
         "s -> f\nf -> a\nf -> b\na -> x\nb -> x\nx -> c\nc -> e"), "c", "warning", "wrong", "several times at once"),
    (xml(S + event("intermediateThrowEvent", "l", "link", "far") + E + A, "s -> l\na -> e"),
     "l", "error", "wrong", "No link event catches “far”"),
    (xml(S + A + event("intermediateCatchEvent", "l", "link", "far") + E, "s -> a\na -> e\nl -> e"),
     "l", "error", "wrong", "No link event leads to “far”"),
    (xml(S + A + event("boundaryEvent", "c", "compensate", more='attachedToRef="a"') + E, "s -> a\na -> e"),
     "c", "error", "wrong", "Nothing undoes it"),
    (xml(S + A + event("intermediateThrowEvent", "c", "compensate", "gone") + E, "s -> a\na -> c\nc -> e"),
     "c", "error", "wrong", "gone that shall be undone does not exist"),
    (xml(S + '<receiveTask id="r" messageRef="msg"/>'
         + event("boundaryEvent", "b1", "error", "bad", more='attachedToRef="r"') + E, 
              "s -> r\nr -> e\nb1 -> e", CODES),
     "b1", "warning", "wrong", "Nothing inside can fail"),
    (xml(S + gates("g:eventBased") + A + E, 
         "s -> g\ng -> a\na -> e"), "g", "error", "wrong", "that is waited for, not a"),
    (xml(S + sub("h", start(name="hs") + B + flows("hs -> b"), 'triggeredByEvent="true"') + A + E, "s -> a\na -> e"),
     "hs", "error", "wrong", "start of an event sub-process needs a trigger"),
    (xml(S + sub("sp", event("startEvent", "is", "message", "msg") + B + flows("is -> b")) + E, 
         "s -> sp\nsp -> e", CODES),
     "is", "error", "wrong", "start event without a trigger"),
    (xml(S + sub("sp", B) + A + E, 
         "s -> sp\nsp -> e\na -> b"), "a_b", "error", "wrong", "across the edge of a sub-process"),
    (xml(S + sub("sp", "") + E, "s -> sp\nsp -> e"), "sp", "error", "unassigned", "The sub-process is empty"),
    (xml(S + '<task id="a"/>' + E, "s -> a\na -> e"), "a", "error", "unassigned", "A plain task needs"),
    (xml(S + '<businessRuleTask id="a"/>' + E, 
         "s -> a\na -> e"), "a", "error", "unassigned", "aos:decision is missing"),
    (xml(S + '<callActivity id="a"/>' + E, "s -> a\na -> e"), "a", "error", "unassigned", "calledElement is missing"),
    (xml(S + '<sendTask id="a"/>' + E, 
         "s -> a\na -> e"), "a", "error", "unassigned", "Sending needs a message, or aos:role"),
    (xml(S + '<complexGateway id="g"/>' + E, 
         "s -> g\ng -> e"), "g", "error", "unsupported", "complexGateway is not executed"),
    (xml(S + A + event("boundaryEvent", "c", "cancel", more='attachedToRef="a"') + E, "s -> a\na -> e\nc -> e"),
     "c", "error", "wrong", "stands on the edge of a transaction only"),
    (xml(S + A + end("k", "cancel"), "s -> a\na -> k"), "k", "error", "wrong", "directly inside of a transaction only"),
    (xml(S + sub("p", start(name="is") + A + end("k", "cancel") + flows("is -> a\na -> k"), tag="transaction") + E,
         "s -> p\np -> e"), "k", "error", "wrong", "Draw a cancel event on the edge of p"),
    (xml(S + sub("p", A + B + task("c") + flows("a -> b\na -> c"), 'ordering="Sequential"', "adHocSubProcess") + E,
         "s -> p\np -> e"), "a", "error", "wrong", "only one way may leave here"),
    (xml(S + sub("p", A, 'ordering="Backwards"', "adHocSubProcess") + E,
         "s -> p\np -> e"), "p", "error", "wrong", "The ordering is Parallel or Sequential"),
    (xml(S + A + '<exclusiveGateway id="x" default="x_e"/>' + B + E, 
         "s -> a\na -> x\nx -> b | ${what}\nx -> e\nb -> e"),
     "x_b", "error", "unassigned", "“${what}” is not understood: nothing says what “what” is"),
    (xml(S + task("a", 'aos:memoryKey="k"') + E, "s -> a\na -> e"), "a", "error", "wrong", "belong together"),
    (xml(S + task("a", 'aos:priority="high"') + E, 
         "s -> a\na -> e"), "a", "error", "wrong", "aos:priority is a whole number"),
    (xml(S + task("a", 'aos:due="soon"') + E, "s -> a\na -> e"), "a", "error", "wrong", "aos:due is a duration"),
    (xml(S + task("a", 'aos:costLimit="a lot"') + E, 
         "s -> a\na -> e"), "a", "error", "wrong", "aos:costLimit is an amount"),
    (xml(S + '<scriptTask id="a"><extensionElements><aos:output name="n" type="int" value="vars.b.x"/>'
         "</extensionElements></scriptTask>" + E, "s -> a\na -> e"), "a", "error", "wrong", "The value n, line 1"),
    (xml(S + '<scriptTask id="a"><extensionElements><aos:output name="n" type="int"/></extensionElements></scriptTask>'
         + E, "s -> a\na -> e"), "a", "error", "wrong", "needs an expression"),
    (xml(S + '<serviceTask id="a" aos:role="r"><extensionElements><aos:schema of="input">{"type": </aos:schema>'
         "</extensionElements></serviceTask>" + E, "s -> a\na -> e"), "a", "error", "wrong", "is no JSON"),
])  # fmt: skip
def test_what_is_wrong_is_told_with_element_severity_and_kind(document, element, severity, kind, reason):
    problems = found(document)

    assert any(each[:3] == (element, severity, kind) and reason in each[3] for each in problems), problems


@pytest.mark.parametrize("document", [
    # an inclusive join behind an exclusive split waits for nothing that cannot come
    xml(S + A + '<exclusiveGateway id="x" default="x_j"/>' + gates("j:inclusive") + B + E,
        "s -> a\na -> x\nx -> b | vars.a.go\nx -> j\nb -> j\nj -> e"),
    # a reminder beside the work
    xml(S + person("u") + event("boundaryEvent", "t", "timer", more='attachedToRef="u" cancelActivity="false"',
        inside="<timeDuration>PT1H</timeDuration>") + B + E, "s -> u\nu -> e\nt -> b\nb -> e"),
    # both branches come, one over a loop
    xml(S + A + B + E + gates("f:parallel", "m:exclusive", "p:parallel") + '<exclusiveGateway id="x" default="x_p"/>',
        "s -> f\nf -> m\nm -> a\na -> x\nx -> m | vars.a.go\nx -> p\nf -> b\nb -> p\np -> e"),
    # a terminate end ends what waits
    xml(S + A + B + E + gates("f:parallel", "p:parallel") + '<exclusiveGateway id="x" default="x_k"/>'
        + end("k", "terminate"), "s -> f\nf -> a\nf -> b\na -> x\nx -> p | vars.a.go\nx -> k\nb -> p\np -> e"),
])  # fmt: skip
def test_what_is_well_drawn_has_no_problem(document):
    assert found(document) == []


def test_a_parallel_net_of_many_branches_is_decided_quickly():
    names = [f"t{n}" for n in range(40)]
    ways = "\n".join(f"f -> {each}\n{each} -> p" for each in names)
    document = xml(S + gates("f:parallel", "p:parallel") + "".join(map(task, names)) + E, f"s -> f\n{ways}\np -> e")

    assert found(document) == []


def test_what_cannot_be_decided_is_said():
    body, ways = S + gates("f:parallel", "j:inclusive"), "s -> f\nj -> e"
    for n in range(14):
        body += task(f"a{n}", outputs="go:bool") + f'<exclusiveGateway id="x{n}" default="x{n}_c{n}"/>'
        body += task(f"b{n}") + task(f"c{n}")
        ways += f"\nf -> a{n}\na{n} -> x{n}\nx{n} -> b{n} | vars.a{n}.go\nx{n} -> c{n}\nb{n} -> j\nc{n} -> j"

    ((element, severity, _, reason),) = found(xml(body + E, ways))

    assert (element, severity) == ("process", "warning")
    assert "was not decided: there are too many situations" in reason


def test_a_foreign_model_is_there_although_nobody_is_named_in_it():
    model = read_model(xml(S + '<userTask id="a"/><serviceTask id="b"/>' + E, "s -> a\na -> b\nb -> e"))

    assert isinstance(model.graph, Graph)
    assert {each.kind for each in model.problems} == {"unassigned"}
    assert not model.is_executable


def test_lanes_name_who_works_in_them():
    lanes = '<laneSet><lane id="l1" name="Clerks" aos:role="clerk"><flowNodeRef>a</flowNodeRef></lane>' \
            '<lane id="l2" name="desk"><flowNodeRef>b</flowNodeRef></lane></laneSet>'  # fmt: skip
    model = read_model(xml(S + lanes + '<serviceTask id="a"/><userTask id="b"/>' + E, "s -> a\na -> b\nb -> e"))

    assert model.is_executable
    assert model.graph.nodes["a"].role == "clerk"
    assert model.graph.nodes["b"].path == "desk"


def test_everything_that_can_be_said_about_a_step_is_read():
    more = 'aos:capability="ocr" aos:priority="5" aos:due="P1D" aos:backOff="PT30S" aos:costLimit="2.50" ' \
           'aos:timeLimit="PT10M" aos:memorySpace="prices" aos:memoryFor="P7D" ' \
           'aos:memoryKey="price/{vars.input.sku}"'  # fmt: skip
    schema = '<extensionElements><aos:output name="rows" type="list" of="json"/>' \
             '<aos:output name="at" type="timestamp"/>' \
             '<aos:schema of="output">{"type": "object"}</aos:schema></extensionElements>'  # fmt: skip
    document = xml(start("sku:string") + f'<serviceTask id="a" {more}>{schema}</serviceTask>' + E, "s -> a\na -> e")

    graph = read_model(document).graph
    node = graph.nodes["a"]
    assert (node.role, node.capability, node.priority, node.due_seconds) == ("", "ocr", 5, 86_400)
    assert (node.back_off_seconds, node.cost_limit, node.seconds_limit) == (30, "2.50", 600)
    assert (node.memory_space, node.memory_seconds) == ("prices", 604_800)
    assert graph.rendered(node.memory_key, "a", {"input": {"sku": "X1"}}) == "price/X1"
    assert node.output_schema == '{"type": "object"}'
    assert graph.outputs_schema("a").coerce({"rows": [{"n": 1}]}) == {"rows": [{"n": 1}]}
