"""Files of workflows: who hands one in and who publishes it, what is refused with its reason, and that a version never
changes."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile

from observability import ledger
from observability.models import Event
from tests.workflows.test_dmn import table
from workflows import operations
from workflows.models import WorkflowVersion
from workflows.plan import Graph, Trial, simulate

BPMN = (Path(settings.BASE) / "autonomy_site/demo/invoice_to_payment.bpmn").read_text()


def send(person: Any, bpmn: str, code: str = "invoice-to-payment", **more: Any) -> Any:
    """Hand the file in as the next version."""
    return person.call("post", "workflows", {"code": code, "bpmn": bpmn, **more})


def publish(sign_in: Any, bpmn: str) -> Any:
    """Maria hands the file in, Jonas publishes it."""
    assert send(sign_in("maria"), bpmn).status_code == 201
    jonas, at = sign_in("jonas"), "workflows/invoice-to-payment/draft"
    return jonas.call("post", f"{at}/publish", {"reason": "Fine."}, match=jonas.call("get", at)["ETag"])


def test_a_changed_file_is_the_next_version_and_the_same_file_is_the_one_it_is(sign_in: Any, robot: Any) -> None:
    first = send(sign_in("jonas"), BPMN)
    assert (first.status_code, first.json()["status"], first.json()["version"]) == (200, "published", 1)
    running = robot("AP-01").call(
        "post", "runs", {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "1"}}
    )

    assert publish(sign_in, BPMN.replace('name="Paid"', 'name="Paid in time"')).json()["version"] == 2

    started = robot("AP-01").call(
        "post", "runs", {"workflow": "invoice-to-payment", "key": "2", "input": {"document": "2"}}
    )
    assert (running.json()["version"], started.json()["version"]) == (1, 2)


def test_a_file_waits_for_a_second_person(sign_in: Any, halden: Any) -> None:
    maria, jonas, changed = sign_in("maria"), sign_in("jonas"), BPMN.replace('name="Paid"', 'name="Paid in time"')

    answer = send(jonas, changed, reason="A better name.")

    assert (answer.status_code, answer.json()["status"], answer.json()["version"]) == (201, "in_review", None)
    assert halden.workflow.versions.count() == 1, "nothing is live that one person alone handed in"
    asked = Event.objects.get(verb="workflow.asked")
    assert (asked.actor_id, asked.why) == ("jonas", "A better name.")
    at = "workflows/invoice-to-payment/draft"
    own = jonas.call("post", f"{at}/publish", {}, match=jonas.call("get", at)["ETag"])
    assert (own.status_code, own.json()["code"]) == (403, "own_draft")
    again = send(jonas, changed)
    assert (again.status_code, again.json()) == (200, answer.json())
    other = send(maria, BPMN + "\n")
    assert (other.status_code, other.json()["code"]) == (409, "draft_open")


def test_nobody_but_the_installation_publishes_alone(halden: Any, now: Any) -> None:
    with pytest.raises(ledger.NotAllowed):
        operations.publish(
            "invoice-to-payment", (BPMN + "\n").encode(), by=halden.people["jonas"], at=now,
            unit=halden.units["finance"], owner=halden.people["maria"], incident_path=halden.workflow.incident_path,
        )  # fmt: skip


def test_who_may_not_draw_hands_nothing_in(sign_in: Any) -> None:
    for name in ("priya", "daniel", "edith"):
        assert send(sign_in(name), BPMN).status_code == 403, name
    assert send(sign_in("tomasz"), BPMN).status_code == 404
    assert send(sign_in("jonas"), BPMN, code="no-such").status_code == 404


INPUT = '<aos:input name="x" type="int"/>'
WRONG = {
    "an unknown role": (BPMN.replace('aos:role="payments-clerk"', 'aos:role="pirate"'), "pay", "called pirate"),
    "an unknown path": (BPMN.replace('aos:path="document-desk"', 'aos:path="nobody"'), "handle", "No escalation path"),
    "a dangling flow": (BPMN.replace('targetRef="split"', 'targetRef="gone"'), "f_readable", ""),
    "a condition that does not compile": (BPMN.replace("vars.read.readable<", "vars.read.redable<"), "f_readable", ""),
    "a name longer than its column": (BPMN.replace('name="Paid?"', f'name="{"P" * 201}"'), "paid", "at most"),
    "a sentence longer than its column": (
        BPMN.replace('aos:effect="Money leaves the company"', f'aos:effect="{"M" * 201}"'), "exception", "at most 200",
    ),
    "an attribute that a flow does not know": (
        BPMN.replace('id="f_pay"', 'id="f_pay" aos:role="payments-clerk"'), "f_pay", "aos:role is not known",
    ),
    "a value declared on the process": (
        BPMN.replace("<bpmn:laneSet", f"<bpmn:extensionElements>{INPUT}</bpmn:extensionElements><bpmn:laneSet"),
        "invoice_to_payment", "aos:input is not known",
    ),
    "an unsupported element": (
        BPMN.replace('<bpmn:endEvent id="end_paid" name="Paid"/>', '<bpmn:callActivity id="end_paid" name="Paid"/>'),
        "end_paid", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_cannot_run_is_refused_with_element_and_reason(sign_in: Any, name: str) -> None:
    bpmn, element, reason = WRONG[name]
    assert bpmn != BPMN

    answer = send(sign_in("jonas"), bpmn)

    assert (answer.status_code, answer.json()["code"]) == (400, "bpmn_invalid")
    told = " ".join(f"{error['field']}: {error['message']}" for error in answer.json()["errors"])
    assert element in told
    assert reason in told
    assert WorkflowVersion.objects.count() == 1


@pytest.mark.parametrize(
    "bpmn",
    [
        "", " ", "not xml", "<a/>", BPMN[:2000],
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;">]><a>&y;</a>',
    ],
)  # fmt: skip
def test_what_is_no_bpmn_is_refused(sign_in: Any, bpmn: str) -> None:
    answer = send(sign_in("jonas"), bpmn)

    assert answer.status_code == 400, answer.content
    assert "root:" not in answer.content.decode()


def test_a_file_in_another_encoding_is_refused(halden: Any, now: Any) -> None:
    text = BPMN.replace('name="Paid"', 'name="Bezahlt für heute"').replace('encoding="UTF-8"', 'encoding="ISO-8859-1"')
    with pytest.raises(ledger.Invalid) as refused:
        operations.publish(
            "invoice-to-payment", text.encode("latin-1"), by=ledger.SYSTEM, at=now, unit=halden.units["finance"],
            owner=halden.people["maria"], incident_path=halden.workflow.incident_path,
        )  # fmt: skip

    assert refused.value.fields == {"file": "Save the file as UTF-8."}


def test_a_file_full_of_mistakes_names_the_first_hundred(sign_in: Any) -> None:
    flows = "".join(f'<bpmn:sequenceFlow id="x{n}" sourceRef="split" targetRef="gone{n}"/>' for n in range(500))

    answer = send(sign_in("jonas"), BPMN.replace("</bpmn:process>", f"{flows}</bpmn:process>"))

    assert (answer.status_code, len(answer.json()["errors"])) == (400, 100)


RULED = """<startEvent id="start"><extensionElements><aos:input name="amount" type="decimal"/>
    <aos:input name="kind" type="string"/></extensionElements></startEvent>
    <businessRuleTask id="approver" aos:decision="approver"><extensionElements>
    <aos:output name="who" type="string"/></extensionElements></businessRuleTask>
    <exclusiveGateway id="large" default="f3"/><endEvent id="chief"/><endEvent id="usual"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="approver"/>
    <sequenceFlow id="f2" sourceRef="approver" targetRef="large"/>
    <sequenceFlow id="f3" sourceRef="large" targetRef="usual"/>
    <sequenceFlow id="f4" sourceRef="large" targetRef="chief">
    <conditionExpression>vars.approver.who == "cfo"</conditionExpression></sequenceFlow>"""
DRAWN = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="x" '
    'xmlns:aos="https://autonomy-os.org/bpmn/1"><process id="p" name="Ruled" isExecutable="true">'
    f"{RULED}</process></definitions>"
)


def test_a_version_keeps_the_edition_of_the_table_that_it_was_published_with(halden: Any, sign_in: Any) -> None:
    ingrid, address = sign_in("ingrid"), "/workflows/invoice-to-payment/tables"
    refused = send(sign_in("jonas"), DRAWN)
    assert "The workflow has no decision table approver: publish the table first." in refused.content.decode()

    ingrid.post(address, {"file": ContentFile(table('> 1000 | - | "cfo"'), "limits.dmn"), "why": "Limits."})
    number = publish(sign_in, DRAWN).json()["version"]
    ingrid.post(address, {"file": ContentFile(table('> 9 | - | "cfo"'), "limits.dmn"), "why": "Lower."})

    graph = Graph.from_json(WorkflowVersion.objects.get(workflow=halden.workflow, number=number).graph)
    for amount in ("2000.00", "1000.01"):
        assert simulate(graph, Trial({"amount": amount, "kind": "paper"})).end == "chief"
    outcome = simulate(graph, Trial({"amount": "500.00", "kind": "paper"}))
    assert "No rule matches" in outcome.reason
