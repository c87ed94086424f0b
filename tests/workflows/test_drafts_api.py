"""A program draws for Maria by the API, Jonas publishes it there; nobody writes over what was not read."""

from typing import Any

import pytest

from autonomy_site.demo.company import FOLDER
from workflows.models import Workflow

BPMN = (FOLDER / "invoice_to_payment.bpmn").read_text()
AT = "workflows/invoice-to-payment"


def read(person: Any) -> tuple[dict[str, Any], str]:
    answer = person.call("get", f"{AT}/draft")
    assert answer.status_code == 200, answer.content
    return answer.json(), answer["ETag"]


def act(person: Any, name: str, **body: Any) -> Any:
    return person.call("post", f"{AT}/draft/{name}", body, match=read(person)[1])


def test_a_draft_goes_its_whole_way_by_the_api(sign_in: Any, halden: Any) -> None:
    maria, jonas = sign_in("maria"), sign_in("jonas")
    begun = maria.call("post", f"{AT}/draft", {})
    assert (begun.status_code, begun.json()["base"], begun.json()["bpmn"]) == (201, 1, BPMN)
    tag = read(maria)[1]
    changed = {"bpmn": BPMN.replace('name="Paid"', 'name="Paid in time"')}
    assert maria.call("patch", f"{AT}/draft", changed).status_code == 428
    assert maria.call("patch", f"{AT}/draft", changed, match=tag).json()["revision"] == 2
    assert maria.call("patch", f"{AT}/draft", changed, match=tag).status_code == 412
    assert maria.call("post", f"{AT}/draft/check", changed).json() == {"problems": []}

    assert act(maria, "ask", reason="A better name.").json()["status"] == "in_review"
    assert act(maria, "publish").status_code == 403
    assert act(jonas, "send-back").status_code == 400
    assert act(jonas, "send-back", reason="Which time?").json()["status"] == "draft"
    assert act(maria, "ask").status_code == 200
    assert act(maria, "withdraw").json()["status"] == "draft"
    assert act(maria, "ask").status_code == 200
    published = act(jonas, "publish", reason="Fine.")

    told = {"version": 2, "author": "Maria Lindqvist", "approved_by": "Jonas Weber", "why": "Fine."}
    assert published.status_code == 200
    assert published.json().items() >= told.items()
    versions = maria.call("get", f"{AT}/versions").json()["results"]
    assert [each["version"] for each in versions] == [2, 1]
    assert maria.call("get", f"{AT}/draft").status_code == 404
    assert maria.call("post", f"{AT}/versions/1/restore", {"reason": "No."}).status_code == 403
    restored = jonas.call("post", f"{AT}/versions/1/restore", {"reason": "It was a mistake."})
    assert (restored.status_code, restored.json()["version"]) == (201, 3)


def test_a_workflow_begins_by_the_api(sign_in: Any, halden: Any) -> None:
    maria = sign_in("maria")
    names = [each["name"] for each in maria.call("get", "workflow-templates").json()["templates"]]
    terms = {
        "code": "report", "name": "Report", "unit": "finance", "owner": "maria", "incident_path": "document-desk",
        "template": "monthly-report",
    }  # fmt: skip

    answer = maria.call("post", "workflows/begin", terms)

    assert (answer.status_code, answer.json()["workflow"], answer.json()["base"]) == (201, "report", None)
    assert "monthly-report" in names
    wrong = maria.call("post", "workflows/begin", {**terms, "unit": "procurement", "owner": "nobody"})
    assert {each["field"] for each in wrong.json()["errors"]} == {"unit", "owner"}
    assert maria.call("post", "workflows/begin", {**terms, "template": "none"}).status_code == 400
    assert maria.call("post", "workflows/begin", terms).status_code == 400
    assert sign_in("sofia").call("post", "workflows/begin", terms).status_code == 403


@pytest.mark.parametrize("body", [{"bpmn": "<a/>"}, {"version": 9}])
def test_what_is_not_there_begins_no_draft(sign_in: Any, body: dict[str, Any]) -> None:
    assert sign_in("maria").call("post", f"{AT}/draft", body).status_code in (400, 404)
    assert sign_in("maria").call("get", f"{AT}/draft").status_code == 404


def test_a_first_draft_that_is_discarded_leaves_no_workflow(sign_in: Any) -> None:
    maria, at = sign_in("maria"), "workflows/dunning/draft"
    terms = {
        "code": "dunning",
        "name": "Dunning",
        "unit": "finance",
        "owner": "maria",
        "incident_path": "document-desk",
    }
    maria.call("post", "workflows/begin", terms)

    gone = maria.call("post", f"{at}/discard", {}, match=maria.call("get", at)["ETag"])

    assert (gone.status_code, gone.json()["status"], gone.json()["workflow"]) == (200, "discarded", "dunning")
    assert maria.call("get", at).status_code == 404
    assert not Workflow.objects.filter(code="dunning").exists()
    assert maria.call("post", "workflows/begin", terms).status_code == 201


def test_a_discarded_draft_is_gone_by_the_api(sign_in: Any) -> None:
    maria = sign_in("maria")
    maria.call("post", f"{AT}/draft", {"version": 1})

    assert act(maria, "discard").json()["status"] == "discarded"
    assert maria.call("get", f"{AT}/draft").status_code == 404
