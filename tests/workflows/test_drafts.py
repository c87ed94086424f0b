"""Maria, who owns finance, draws a workflow; Jonas of IT publishes it; nobody writes over what the other drew."""

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError

from agents.models import Grant
from agents.operations import grant
from autonomy_site.demo.company import FOLDER
from observability import ledger
from observability.models import Event
from tests.workflows.test_dmn import table
from workflows import operations
from workflows.models import Workflow, WorkflowDraft, WorkflowVersion

BPMN = (FOLDER / "invoice_to_payment.bpmn").read_text()
CODE = "invoice-to-payment"
AT = f"/workflows/{CODE}"


def begun(person: Any, **given: Any) -> None:
    """A draft of the invoice workflow."""
    answer = person.post(f"{AT}/draft/begin", given)
    assert answer.status_code == 302, answer.content


def save(person: Any, bpmn: str, revision: int = 1) -> Any:
    return person.post(f"{AT}/draft", {"bpmn": bpmn, "revision": revision})


def installed(bpmn: str, halden: Any, now: Any) -> WorkflowVersion:
    """What the installation itself publishes."""
    return operations.publish(
        CODE, bpmn.encode(), by=ledger.SYSTEM, at=now, unit=halden.units["finance"], owner=halden.people["maria"],
        incident_path=halden.workflow.incident_path,
    )  # fmt: skip


def drawn() -> WorkflowDraft:
    return WorkflowDraft.objects.with_people().latest("pk")


def test_a_draft_begins_with_what_is_live_and_is_saved_revision_by_revision(sign_in: Any) -> None:
    maria = sign_in("maria")
    begun(maria)
    file = maria.get(f"{AT}/draft.bpmn")
    assert (file.content.decode(), file["ETag"]) == (BPMN, '"1"')

    answer = save(maria, BPMN.replace('name="Paid"', 'name="Paid in time"'))

    assert (answer.status_code, answer.json()["revision"], answer.json()["problems"]) == (200, 2, [])
    assert 'name="Paid in time"' in maria.get(f"{AT}/draft.bpmn").content.decode()
    told = Event.objects.filter(subject_id=CODE).order_by("-pk").values_list("verb", "actor_name")[:2]
    assert list(told) == [("workflow.redrawn", "Maria Lindqvist"), ("workflow.drafted", "Maria Lindqvist")]


def test_the_same_drawing_again_changes_nothing(sign_in: Any) -> None:
    maria = sign_in("maria")
    begun(maria)

    answer = save(maria, BPMN.replace("\n", "\r\n"), revision=7)

    assert (answer.status_code, answer.json()["revision"]) == (200, 1)
    assert not Event.objects.filter(verb="workflow.redrawn").exists()


def test_who_saves_over_what_somebody_else_drew_gets_both(sign_in: Any) -> None:
    maria, jonas = sign_in("maria"), sign_in("jonas")
    begun(maria)
    theirs = BPMN.replace('name="Paid"', 'name="Paid by Jonas"')
    save(jonas, theirs)

    answer = save(maria, BPMN.replace('name="Paid"', 'name="Paid by Maria"'))

    assert (answer.status_code, answer.json()["code"]) == (409, "drawing_changed")
    assert (answer.json()["revision"], answer.json()["bpmn"]) == (2, theirs)
    assert drawn().bpmn == theirs


@pytest.mark.parametrize("bpmn", ["", "no xml", "<a/>", BPMN[:999], "<!DOCTYPE a><a/>", "\ud800"])
def test_what_is_no_bpmn_is_refused_and_the_draft_stays(sign_in: Any, bpmn: str) -> None:
    maria = sign_in("maria")
    begun(maria)

    answer = save(maria, bpmn.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))

    assert (answer.status_code, answer.json()["code"]) == (400, "bpmn_invalid")
    assert answer.json()["errors"]
    assert (drawn().bpmn, drawn().revision) == (BPMN, 1)


def test_a_drawing_that_cannot_run_is_saved_and_its_problems_are_named(sign_in: Any) -> None:
    maria = sign_in("maria")
    begun(maria)
    odd = BPMN.replace('aos:role="payments-clerk"', 'aos:role="pirate"')

    checked = maria.post(f"{AT}/draft/check", {"bpmn": odd}).json()["problems"]
    saved = save(maria, odd).json()

    assert saved["problems"] == checked
    assert (checked[0]["element"], checked[0]["severity"]) == ("pay", "error")
    assert "called pirate" in checked[0]["reason"]


def test_who_may_not_draw_does_not(sign_in: Any, halden: Any, now: Any) -> None:
    for name, status in (("priya", 403), ("sofia", 403), ("edith", 403), ("tomasz", 404)):
        assert sign_in(name).post(f"{AT}/draft/begin").status_code == status, name
    begun(sign_in("maria"))
    for name, status in (("priya", 403), ("edith", 403), ("lukas", 404)):
        assert save(sign_in(name), BPMN + "\n").status_code == status, name
        assert sign_in(name).post(f"{AT}/draft/check", {"bpmn": BPMN}).status_code == status, name
        assert sign_in(name).post(f"{AT}/draft/discard").status_code == status, name
    with pytest.raises(ledger.NotAllowed):
        operations.begin_draft(halden.workflow, by=halden.agents["AP-01"], at=now)


def test_a_workflow_has_one_draft_at_a_time(sign_in: Any, halden: Any, now: Any) -> None:
    maria = sign_in("maria")
    begun(maria)

    assert maria.post(f"{AT}/draft/begin").status_code == 409
    with pytest.raises(IntegrityError):
        WorkflowDraft.objects.create(workflow=halden.workflow, bpmn=BPMN, created_at=now, updated_at=now)


def test_a_discarded_draft_is_gone_and_what_is_live_stays(sign_in: Any, halden: Any) -> None:
    maria = sign_in("maria")
    begun(maria)

    maria.post(f"{AT}/draft/discard")

    assert maria.get(f"{AT}/draft.bpmn").status_code == 404
    assert halden.workflow.versions.count() == 1
    begun(maria, version="1")


def test_a_workflow_that_never_was_goes_with_its_first_draft(sign_in: Any, halden: Any, now: Any) -> None:
    maria = sign_in("maria")
    rows = {
        "unit": halden.units["finance"],
        "owner": halden.people["maria"],
        "incident_path": halden.workflow.incident_path,
    }
    terms = {"name": "Dunning", "code": "dunning", **{name: row.pk for name, row in rows.items()}}
    assert maria.post("/workflows/new", terms).status_code == 302
    dunning = Workflow.objects.get(code="dunning")
    grant("workflows.work_in_workflow", halden.agents["AP-01"].principal, dunning, by=ledger.SYSTEM, at=now)

    done = maria.post("/workflows/dunning/draft/discard", {"reason": "Not needed."}, follow=True)

    assert done.redirect_chain[-1][0] == "/workflows"
    assert "Nothing of Dunning was ever live, so it is gone." in done.content.decode()
    assert not Workflow.objects.filter(code="dunning").exists()
    assert not Grant.objects.filter(object_pk=str(dunning.pk), content_type__model="workflow").exists()
    told = Event.objects.filter(subject_id="dunning").order_by("-pk").values_list("verb", flat=True)
    assert list(told[:2]) == ["workflow.removed", "workflow.discarded"]
    assert maria.post("/workflows/new", terms).status_code == 302, "its code is free again"


def test_a_workflow_with_a_decision_table_stays_without_its_draft(sign_in: Any, halden: Any) -> None:
    maria, ingrid = sign_in("maria"), sign_in("ingrid")
    body = {"code": "dunning", "name": "Dunning", "unit": "finance", "owner": "maria", "incident_path": "document-desk"}
    assert maria.call("post", "workflows/begin", body).status_code == 201
    ingrid.post("/workflows/dunning/tables", {"file": ContentFile(table('> 9 | - | "cfo"'), "a.dmn"), "why": "Limits."})
    assert Workflow.objects.get(code="dunning").tables.exists()

    assert maria.post("/workflows/dunning/draft/discard").headers["Location"] == "/workflows/dunning"

    assert Workflow.objects.filter(code="dunning").exists()


# --- the review ----------------------------------------------------------------------------------------------
def asked(person: Any) -> None:
    save(person, BPMN.replace('name="Paid"', 'name="Paid in time"'))
    answer = person.post(f"{AT}/review/ask", {"reason": "A better name."})
    assert answer.status_code == 302, answer.content


def test_somebody_asks_and_somebody_else_publishes(sign_in: Any, robot: Any, halden: Any) -> None:
    maria, jonas = sign_in("maria"), sign_in("jonas")
    before = operations.start(
        halden.workflow, key="1", variables={"document": "1"}, by=ledger.SYSTEM, at=ledger.database_now()
    )[0]
    begun(maria)
    asked(maria)
    assert "Publish it" not in maria.get(f"{AT}/review").content.decode()
    assert "Publish it" in jonas.get(f"{AT}/review").content.decode()

    jonas.post(f"{AT}/review/publish", {"revision": 2, "reason": "Fine."})

    version = halden.workflow.versions.first()
    assert (version.number, version.author, version.approved_by, version.why) == (
        2, halden.people["maria"], halden.people["jonas"], "Fine.",
    )  # fmt: skip
    assert 'name="Paid in time"' in version.bpmn
    after = robot("AP-01").call("post", "runs", {"workflow": CODE, "key": "2", "input": {"document": "2"}}).json()
    assert (before.version.number, after["version"]) == (1, 2)
    assert drawn().status == "published"


def test_nobody_publishes_what_they_drew_a_part_of(sign_in: Any, halden: Any) -> None:
    maria, jonas = sign_in("maria"), sign_in("jonas")
    begun(maria)
    save(jonas, BPMN.replace('name="Paid"', 'name="Paid!"'))
    maria.post(f"{AT}/review/ask")

    answer = jonas.post(f"{AT}/review/publish", {"revision": 2})

    assert answer.status_code == 403
    assert halden.workflow.versions.count() == 1
    assert Event.objects.filter(verb="workflow.refused", actor_id="jonas").count() == 1
    assert sign_in("ingrid").post(f"{AT}/review/publish", {"revision": 2}).status_code == 302


def test_a_draft_in_review_does_not_change_until_it_comes_back(sign_in: Any) -> None:
    maria, jonas = sign_in("maria"), sign_in("jonas")
    begun(maria)
    asked(maria)
    assert save(maria, BPMN, revision=2).status_code == 409
    assert maria.post(f"{AT}/draft/discard").status_code == 409

    assert jonas.post(f"{AT}/review/send-back", {"reason": ""}).status_code == 400
    jonas.post(f"{AT}/review/send-back", {"reason": "In time is no promise."})

    assert "In time is no promise." in maria.get(f"{AT}/review").content.decode()
    assert save(maria, BPMN, revision=2).status_code == 200
    maria.post(f"{AT}/review/ask")
    maria.post(f"{AT}/review/withdraw")
    assert drawn().status == "draft"


def test_what_cannot_run_is_not_put_before_anybody(sign_in: Any) -> None:
    maria = sign_in("maria")
    begun(maria)
    save(maria, BPMN.replace('targetRef="split"', 'targetRef="gone"'))

    assert maria.post(f"{AT}/review/ask").status_code == 400
    page = maria.get(f"{AT}/review").content.decode()
    assert "which does not exist" in page
    assert "Ask to publish</button>" not in page


def test_what_was_published_meanwhile_is_not_lost_unseen(sign_in: Any, halden: Any, now: Any) -> None:
    maria, jonas = sign_in("maria"), sign_in("jonas")
    begun(maria)
    save(maria, BPMN.replace('name="Paid"', 'name="Paid in time"'))
    installed(BPMN.replace('name="Not paid"', 'name="Refused"'), halden, now)
    assert maria.post(f"{AT}/review/ask").status_code == 409
    assert "was published after this draft began" in maria.get(f"{AT}/review").content.decode()

    maria.post(f"{AT}/review/compared")

    assert maria.post(f"{AT}/review/ask").status_code == 302
    assert jonas.post(f"{AT}/review/publish", {"revision": 2}).status_code == 409, "another revision than was seen"
    assert jonas.post(f"{AT}/review/publish", {"revision": 3}).status_code == 302
    assert halden.workflow.versions.first().number == 3


# --- go back -------------------------------------------------------------------------------------------------
def test_an_older_version_comes_back_as_a_new_one(sign_in: Any, halden: Any, now: Any) -> None:
    jonas = sign_in("jonas")
    installed(BPMN.replace('name="Paid"', 'name="Wrong"'), halden, now)
    assert jonas.post(f"{AT}/1/restore", {"reason": " "}).status_code == 400
    assert sign_in("maria").post(f"{AT}/1/restore", {"reason": "It is wrong."}).status_code == 403

    jonas.post(f"{AT}/1/restore", {"reason": "The end was wrong."})

    version = halden.workflow.versions.first()
    assert (version.number, version.bpmn, version.why) == (3, BPMN, "The end was wrong.")
    assert jonas.post(f"{AT}/3/restore", {"reason": "Again."}).status_code == 409
    assert Event.objects.get(verb="workflow.restored").data["restores"] == 1


def test_an_older_file_published_again_is_the_next_version(halden: Any, now: Any) -> None:
    installed(BPMN.replace('name="Paid"', 'name="Wrong"'), halden, now)

    assert installed(BPMN, halden, now).number == 3
    assert installed(BPMN, halden, now).number == 3
