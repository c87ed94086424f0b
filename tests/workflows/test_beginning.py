"""Aisha, who owns customer service, begins a workflow: from nothing, from a template, from a file."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from lxml import etree

from autonomy_site.demo.company import FOLDER
from governance import operations as governance
from observability import ledger
from observability.ledger import database_now
from workflows import operations
from workflows.models import Workflow, WorkflowDraft
from workflows.operations.gallery import begun_from, gallery
from workflows.plan import BpmnInvalid, read_bpmn
from workflows.plan.texts import text_of_file

DRAWN = Path(__file__).parents[3] / "shared" / "data" / "bpmn"
FILES = sorted(DRAWN.glob("*/*")) if DRAWN.is_dir() else []


@pytest.fixture
def desk(halden: Any, now: Any) -> Any:
    """An escalation path of customer service."""
    levels = [governance.Level(3600, (halden.people["aisha"],))]
    unit = halden.units["customer-service"]
    return governance.add_path("support-desk", "Support desk", unit=unit, levels=levels, by=ledger.SYSTEM, at=now)


def form(halden: Any, desk: Any, **other: Any) -> dict[str, Any]:
    return {
        "name": "Answer tickets", "code": "", "unit": halden.units["customer-service"].pk,
        "owner": halden.people["aisha"].pk, "incident_path": desk.pk, **other,
    }  # fmt: skip


def test_a_workflow_begins_with_a_start_and_an_end_and_runs_nothing(sign_in: Any, halden: Any, desk: Any) -> None:
    aisha = sign_in("aisha")
    assert "New workflow" in aisha.get("/workflows").content.decode()

    answer = aisha.post("/workflows/new", form(halden, desk))

    assert answer.status_code == 302, answer.content.decode()
    workflow = Workflow.objects.get(code="answer-tickets")
    assert (workflow.unit.code, workflow.owner.username, workflow.incident_path) == ("customer-service", "aisha", desk)
    assert read_bpmn(workflow.drafts.get().bpmn.encode()).start.name == "Start"
    for page in ("", "/outline", "/review"):
        assert aisha.get(f"/workflows/answer-tickets{page}").status_code == 200, page
    with pytest.raises(ledger.Refused):
        operations.start(workflow, key="1", variables={}, by=ledger.SYSTEM, at=ledger.database_now())


def test_every_template_can_run_and_is_drawn() -> None:
    assert [each.name for each in gallery()] == [
        "customer-support", "invoice-to-payment", "monthly-report", "supply-chain-watch", "vendor-onboarding",
    ]  # fmt: skip
    for each in gallery():
        graph = read_bpmn(each.bpmn.encode())
        assert len(graph.nodes) == each.steps
        assert each.about and each.roles
        drawn = {shape.get("bpmnElement") for shape in etree.fromstring(each.bpmn.encode()).iter("{*}BPMNShape")}
        assert set(graph.nodes) <= drawn, each.name


def test_the_template_for_invoices_is_the_workflow_of_the_demonstration() -> None:
    demo = read_bpmn((FOLDER / "invoice_to_payment.bpmn").read_bytes())
    told = next(each for each in gallery() if each.name == "invoice-to-payment")
    assert read_bpmn(told.bpmn.encode()) == demo


@pytest.mark.parametrize("name", [each.name for each in gallery()])
def test_a_template_asks_the_people_that_one_has(name: str) -> None:
    chosen = next(each for each in gallery() if each.name == name)

    text = begun_from(chosen, known_paths={"treasury"}, path="treasury")

    assert {node.path for node in read_bpmn(text.encode()).nodes.values()} == {"", "treasury"}
    paths = {node.path for node in read_bpmn(chosen.bpmn.encode()).nodes.values()}
    assert begun_from(chosen, known_paths=paths, path="treasury") == chosen.bpmn


def test_a_workflow_begins_from_a_template(sign_in: Any, halden: Any, desk: Any) -> None:
    aisha = sign_in("aisha")
    page = aisha.get("/workflows/new?template=customer-support").content.decode()
    assert "ticket-researcher" in page, "a role that the company does not have is named"
    assert aisha.get("/workflows/new?template=nothing").status_code == 404

    aisha.post("/workflows/new", form(halden, desk, template="customer-support", code="support"))

    draft = WorkflowDraft.objects.get()
    problems = operations.problems_of(draft.bpmn, draft.workflow, at=database_now())
    assert {problem.element_id for problem in problems} == {"gather", "analyse", "refund", "update"}


def test_what_is_wrong_is_said_and_nothing_begins(sign_in: Any, halden: Any, desk: Any) -> None:
    aisha = sign_in("aisha")
    far = {"unit": halden.units["finance"].pk}
    taken = {"code": "invoice-to-payment"}
    for other, said in (
        ({"name": ""}, "Say what the workflow is called."), (taken, "There is a workflow invoice-to-payment already."),
        ({"code": "new"}, "is an address here"), ({"name": "!!!"}, "Write a code"), (far, "Select a valid choice"),
        ({"file": ContentFile(b"<a/>", "a.bpmn")}, "not BPMN 2.0"), ({"incident_path": ""}, "Say who is asked"),
    ):  # fmt: skip
        answer = aisha.post("/workflows/new", form(halden, desk, **other))
        assert answer.status_code == 400, other
        assert said in answer.content.decode(), other
    assert Workflow.objects.count() == 1
    for name in ("priya", "sofia", "edith", "daniel"):
        assert sign_in(name).get("/workflows/new").status_code == 403, name
        assert sign_in(name).post("/workflows/new", form(halden, desk)).status_code == 403, name


@pytest.mark.skipif(not FILES, reason="the drawings of others are not here")
def test_drawings_of_others_come_in_are_shown_and_go_out_as_they_came(sign_in: Any, halden: Any, desk: Any) -> None:
    aisha, came_in = sign_in("aisha"), 0
    for number, path in enumerate(FILES):
        code = f"drawn-{number}"
        answer = aisha.post("/workflows/new", form(halden, desk, code=code, file=ContentFile(path.read_bytes(), "a")))
        try:
            text = text_of_file(path.read_bytes())
        except BpmnInvalid:
            assert answer.status_code == 400, path.name
            continue
        assert answer.status_code == 302, path.name
        came_in += 1
        file = aisha.get(f"/workflows/{code}/draft.bpmn").content.decode()
        assert file == text, path.name
        canonical = [etree.canonicalize(etree.fromstring(each)) for each in (file.encode(), path.read_bytes())]
        assert canonical[0] == canonical[1], path.name
        outline = aisha.get(f"/workflows/{code}/outline")
        assert outline.status_code == 200, path.name
        problems = operations.problems_of(file, Workflow.objects.get(code=code), at=database_now())
        assert outline.context["wrong"] == sum(map(operations.stops, problems))
        for problem in problems[:5]:
            assert problem.reason in outline.context["others"] + [
                said.reason for row in outline.context["rows"] for said in row["wrong"]
            ], path.name  # fmt: skip
    assert came_in == 98
