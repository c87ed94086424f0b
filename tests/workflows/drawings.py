"""Small drawings that several stories use."""

MESSAGES = """
<message id="m1" name="Goods received"/><message id="m2" name="Order placed"/><signal id="s1" name="Year closed"/>
<error id="e1" name="Broken" errorCode="broken"/>"""


def process(code: str, elements: str, *, declared: str = MESSAGES) -> bytes:
    """A drawing with these elements in one process."""
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="x"'
        f' xmlns:aos="https://autonomy-os.org/bpmn/1">{declared}<process id="p" name="{code}" isExecutable="true">'
        f"{elements}</process></definitions>"
    ).encode()


def line(*names: str) -> str:
    """Flows from one to the next."""
    pairs = zip(names, names[1:], strict=False)
    return "".join(f'<sequenceFlow id="{a}-{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in pairs)


def agent(name: str, *, role: str = "invoice-reader", outputs: str = "", loop: str = "", more: str = "") -> str:
    """A task of an agent; `outputs` such as "total:decimal"."""
    typed = "".join(
        f'<aos:output name="{each.partition(":")[0]}" type="{each.partition(":")[2]}"/>' for each in outputs.split()
    )
    inner = f"<extensionElements>{typed}</extensionElements>" if typed else ""
    return f'<serviceTask id="{name}" name="{name.title()}" aos:role="{role}" {more}>{inner}{loop}</serviceTask>'


RECEIVES = (
    '<startEvent id="start"><extensionElements><aos:input name="order" type="string"/></extensionElements></startEvent>'
    '<intermediateCatchEvent id="goods" aos:correlation="vars.input.order"><extensionElements>'
    '<aos:output name="pallets" type="int"/></extensionElements><messageEventDefinition messageRef="m1"/>'
    "</intermediateCatchEvent>" + agent("book") + '<endEvent id="end" name="Booked"/>'
    + line("start", "goods", "book", "end")
)  # fmt: skip
STARTS = (
    '<startEvent id="placed"><extensionElements><aos:input name="order" type="string"/></extensionElements>'
    '<messageEventDefinition messageRef="m2"/></startEvent>' + agent("read") + '<endEvent id="end" name="Read"/>'
    + line("placed", "read", "end")
)  # fmt: skip
HEARS = (
    '<startEvent id="start"/><intermediateCatchEvent id="closed"><signalEventDefinition signalRef="s1"/>'
    '</intermediateCatchEvent><endEvent id="end" name="Closed"/>' + line("start", "closed", "end")
)  # fmt: skip
_ORDER = '<extensionElements><aos:input name="order" type="string"/></extensionElements>'
EITHER = (
    f'<startEvent id="start">{_ORDER}</startEvent><eventBasedGateway id="which"/>'
    '<intermediateCatchEvent id="goods" aos:correlation="vars.input.order"><messageEventDefinition messageRef="m1"/>'
    '</intermediateCatchEvent><intermediateCatchEvent id="late"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
    "</timerEventDefinition></intermediateCatchEvent>" + agent("book") + agent("remind")
    + '<endEvent id="end" name="Over"/>' + line("start", "which", "goods", "book", "end")
    + line("which", "late", "remind", "end")
)  # fmt: skip
CALLED = (
    f'<startEvent id="start">{_ORDER}</startEvent>' + agent("check") + '<endEvent id="end" name="Checked"/>'
    + line("start", "check", "end")
)  # fmt: skip
CALLS_ONE = (
    f'<startEvent id="start">{_ORDER}</startEvent><callActivity id="ask" calledElement="checking"/>'
    '<endEvent id="end" name="Asked"/>' + line("start", "ask", "end")
)  # fmt: skip
