"""People look at workflows: the list, the drawing, the same as a numbered list."""

from typing import Any

from autonomy_site.demo.company import FOLDER
from autonomy_site.templatetags.aos import icon
from observability import ledger
from observability.ledger import database_now
from tests.workflows.drawings import end, event, flows, start, sub, task, xml
from workflows import operations
from workflows.plan import Node, NodeKind, read_bpmn
from workflows.views.workflows import outline, shown_kind


def test_the_list_shows_what_is_under_way(halden: Any, sign_in: Any) -> None:
    operations.start(halden.workflow, key="1", variables={"document": "x"}, by=ledger.SYSTEM, at=database_now())

    page = sign_in("maria").get("/workflows").content.decode()

    assert "Invoice to payment" in page
    assert 'href="/runs?workflow=invoice-to-payment&amp;state=under_way" class="os-link">1</a>' in page


def test_each_step_of_the_drawing_stands_in_the_outline(halden: Any, sign_in: Any) -> None:
    answer = sign_in("maria").get("/workflows/invoice-to-payment")

    nodes = {node["id"] for node in halden.workflow.versions.get().graph["nodes"]}
    assert {line["node"].id for line in answer.context["outline"]} == nodes
    page = answer.content.decode()
    assert "A person decides: Invoice exceptions" in page
    assert "An agent works: Three-way match" in page


def test_the_drawing_is_the_file_that_was_published(halden: Any, sign_in: Any) -> None:
    answer = sign_in("edith").get("/workflows/invoice-to-payment/1.bpmn")

    assert answer.content == (FOLDER / "invoice_to_payment.bpmn").read_bytes()
    assert "immutable" in answer["Cache-Control"]


def test_the_drawing_counts_the_runs_at_each_step(halden: Any, sign_in: Any) -> None:
    for key in ("1", "2"):
        operations.start(halden.workflow, key=key, variables={"document": "x"}, by=ledger.SYSTEM, at=database_now())

    elements = sign_in("maria").get("/workflows/invoice-to-payment/1.json").json()["elements"]

    assert elements["read"] == {"sub": "Invoice reader", "state": "running", "word": "2 running"}


def test_what_is_not_there_or_not_visible_is_not_found(halden: Any, sign_in: Any) -> None:
    maria, lukas = sign_in("maria"), sign_in("lukas")

    for address in (
        "nothing",
        "invoice-to-payment?version=9",
        "invoice-to-payment/9.bpmn",
        "invoice-to-payment/9.json",
    ):
        assert maria.get(f"/workflows/{address}").status_code == 404, address
    for address in ("", "/1.bpmn", "/1.json"):
        assert lukas.get(f"/workflows/invoice-to-payment{address}").status_code == 404, address
    assert "Invoice to payment" not in lukas.get("/workflows").content.decode()


def test_every_kind_of_element_stands_in_the_outline_with_its_word() -> None:
    inner = start(name="is") + task("inner") + end("ie") + flows("is -> inner\ninner -> ie")
    edge = event("boundaryEvent", "stop", "message", "msg", more='attachedToRef="a"')
    body = start() + sub("part", inner) + task("a") + edge + '<callActivity id="call" calledElement="other"/>' + end()
    graph = read_bpmn(
        xml(body, "s -> part\npart -> a\na -> call\nstop -> e\ncall -> e", '<message id="msg" name="m"/>')
    )

    lines = {line["node"].id: line["word"] for line in outline(graph, {}, {})}

    assert set(lines) == set(graph.nodes)
    assert (lines["part"], lines["stop"], lines["call"]) == ("A part of its own", "A message", "Another workflow runs")
    for kind in NodeKind:
        icon(shown_kind(Node("n", "n", kind))[0])
