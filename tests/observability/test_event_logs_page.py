"""Maria brings a log of how invoices were paid by hand, reads what it tells, and keeps it as the baseline; others see
nothing of it."""

import csv
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from autonomy_site.demo.company import Halden
from observability.models import Baseline, Event, EventLog
from observability.tasks import read_logs
from workflows.models import Workflow

HEAD = "case,activity,start,end,resource\n"
FORMULA = "=1+1"


def invoices(cases: int = 20) -> str:
    """Invoices that are read, matched and paid; every fourth is asked about, one activity begins like a formula."""
    lines = []
    for number in range(cases):
        day = f"2026-03-{1 + number:02d}"
        steps = ["Read", "Match", *(["Ask", "Match"] if number % 4 == 0 else []), "Pay" if number else FORMULA]
        for hour, step in enumerate(steps, 8):
            lines.append(f"I{number},{step},{day}T{hour:02d}:00:00Z,{day}T{hour:02d}:15:00Z,person {hour % 2}\n")
    return HEAD + "".join(lines)


def bring(browser: Any, unit: Any, data: str | None = None, **more: Any) -> Any:
    file = SimpleUploadedFile("invoices.csv", (data or invoices()).encode())
    return browser.post("/event-logs/new", {"file": file, "unit": unit.pk, "name": "Invoices by hand", **more})


def columns(**more: Any) -> dict[str, Any]:
    return {
        "case": "case", "activity": "activity", "time": "end", "start": "start", "resource": "resource",
        "shape": "iso", "zone": "UTC", "keep_repeats": "on", **more,
    }  # fmt: skip


@pytest.fixture
def log(halden: Halden, sign_in: Any) -> EventLog:
    """A log of finance that was read."""
    maria = sign_in("maria")
    assert bring(maria, halden.units["finance"]).status_code == 302
    found = EventLog.objects.get()
    assert maria.post(f"/event-logs/{found.uid}/columns", columns()).status_code == 302
    assert read_logs() == 1
    found.refresh_from_db()
    return found


def test_a_log_goes_from_the_file_to_the_result_without_a_script(halden: Halden, sign_in: Any) -> None:
    maria = sign_in("maria")
    assert "Bring an event log" in maria.get("/event-logs").content.decode()
    assert maria.get("/event-logs/new").status_code == 200
    answer = bring(maria, halden.units["finance"])
    log = EventLog.objects.get()
    assert answer["Location"] == f"/event-logs/{log.uid}/columns"

    page = maria.get(answer["Location"]).content.decode()
    assert '<option value="end" selected>' in page
    assert "person 0" in page
    maria.post(answer["Location"], columns())
    assert "as soon as a worker is free" in maria.get(f"/event-logs/{log.uid}").content.decode()
    part = maria.get(f"/event-logs/{log.uid}?progress=1", headers={"HX-Request": "true"})
    assert "<progress" in part.content.decode()
    read_logs()
    assert maria.get(f"/event-logs/{log.uid}?progress=1", headers={"HX-Request": "true"})["HX-Refresh"] == "true"

    page = maria.get(f"/event-logs/{log.uid}").content.decode()
    assert "<svg" in page and "Worth automating" in page
    assert "Done again" in page and "person 1" in page
    assert "Invoices by hand" in maria.get("/event-logs").content.decode()


@pytest.mark.parametrize("query", ["", "?map=waiting&top=5&sort=wait", "?map=x&top=999999&sort=y", "?sort=name"])
def test_the_result_is_shown_for_any_query(log: EventLog, sign_in: Any, query: str) -> None:
    assert sign_in("maria").get(f"/event-logs/{log.uid}{query}").status_code == 200


def test_a_wrong_file_and_wrong_columns_name_their_field(halden: Halden, sign_in: Any) -> None:
    maria = sign_in("maria")
    refused = bring(maria, halden.units["finance"], data="no log")
    assert (refused.status_code, EventLog.objects.count()) == (400, 0)
    assert "fewer than two columns" in refused.content.decode()
    assert maria.post("/event-logs/new", {"unit": halden.units["finance"].pk}).status_code == 400
    bring(maria, halden.units["finance"])
    uid = EventLog.objects.get().uid

    for wrong in ({"case": ""}, {"activity": "case"}, {"zone": "Moon/Sea"}, {"time": "nothing"}, {"shape": "x"}):
        assert maria.post(f"/event-logs/{uid}/columns", columns(**wrong)).status_code == 400, wrong
    assert EventLog.objects.get().status == "uploaded"


def test_other_units_see_nothing_of_it(log: EventLog, sign_in: Any) -> None:
    tomasz = sign_in("tomasz")
    assert "Invoices by hand" not in tomasz.get("/event-logs").content.decode()
    for path in ("", "/columns", "/baseline", "/draft", "/activities.csv", "/charts/week.json"):
        assert tomasz.get(f"/event-logs/{log.uid}{path}").status_code == 404, path
    for path, data in (("/columns", columns()), ("/remove", {"why": "x"}), ("/baseline", {}), ("/draft", {})):
        assert tomasz.post(f"/event-logs/{log.uid}{path}", data).status_code == 404, path
    assert EventLog.objects.get().status == "ready"


@pytest.mark.parametrize("name", ["activities", "ways", "variants", "resources", "candidates", "errors"])
def test_no_cell_of_a_table_begins_like_a_formula(log: EventLog, sign_in: Any, name: str) -> None:
    text = sign_in("maria").get(f"/event-logs/{log.uid}/{name}.csv").content.decode()
    rows = list(csv.reader(io.StringIO(text)))

    assert len(rows) > 1 or name == "errors"
    assert not any(cell.startswith("=") for row in rows for cell in row)
    if name == "activities":
        assert "'=1+1" in [row[0] for row in rows]


@pytest.mark.parametrize("name", ["durations", "week"])
def test_figures_are_drawn(log: EventLog, sign_in: Any, name: str) -> None:
    drawn = json.loads(sign_in("maria").get(f"/event-logs/{log.uid}/charts/{name}.json").content)

    assert drawn["data"] and drawn["layout"]["meta"]["takeaway"]


def test_it_is_removed_with_a_reason(log: EventLog, sign_in: Any) -> None:
    maria = sign_in("maria")
    maria.post(f"/event-logs/{log.uid}/remove", {"why": " "})
    assert EventLog.objects.exists()

    maria.post(f"/event-logs/{log.uid}/remove", {"why": "It names customers."})

    assert not EventLog.objects.exists()
    assert Event.objects.get(verb="eventlog.removed").why == "It names customers."


def baseline(halden: Halden, **more: Any) -> dict[str, Any]:
    return {
        "workflow": halden.workflow.pk, "cost_per_hour": "48.00", "minutes_per_case": "67.5", "error_percent": "2.5",
        "source": "Invoices by hand, 20 cases, 2026", "why": "Measured instead of guessed.", **more,
    }  # fmt: skip


def test_a_log_becomes_the_baseline_and_the_former_one_stays_in_the_ledger(
    halden: Halden, log: EventLog, sign_in: Any
) -> None:
    maria = sign_in("maria")
    former = Baseline.objects.get(workflow=halden.workflow.code)
    page = maria.get(f"/event-logs/{log.uid}/baseline").content.decode()
    assert 'value="Invoices by hand, 20 cases, 2026"' in page

    answer = maria.post(f"/event-logs/{log.uid}/baseline", baseline(halden))

    assert answer["Location"] == f"/performance?workflow={halden.workflow.code}"
    now = Baseline.objects.get(workflow=halden.workflow.code)
    assert (now.cost, now.error_share) == (Decimal("54.0000"), Decimal("0.0250"))
    assert now.cycle_seconds == Decimal(str(log.figures["duration"]["median"]))
    event = Event.objects.get(verb="baseline.kept")
    assert event.data["former"]["cost"] == str(former.cost)
    assert (event.why, event.workflow, event.data["sha256"]) == (
        "Measured instead of guessed.", halden.workflow.code, log.sha256,
    )  # fmt: skip
    assert "invoices by hand, 20 cases, 2026" in maria.get(answer["Location"]).content.decode()


@pytest.mark.parametrize("wrong", [{"why": ""}, {"cost_per_hour": "-1"}, {"error_percent": "101"}, {"workflow": "0"}])
def test_a_baseline_that_cannot_be_changes_nothing(
    halden: Halden, log: EventLog, sign_in: Any, wrong: dict[str, str]
) -> None:
    before = Baseline.objects.get(workflow=halden.workflow.code).cost

    assert sign_in("maria").post(f"/event-logs/{log.uid}/baseline", baseline(halden, **wrong)).status_code == 400

    assert Baseline.objects.get(workflow=halden.workflow.code).cost == before
    assert not Event.objects.filter(verb="baseline.kept").exists()


def test_a_log_becomes_the_draft_of_a_workflow_that_opens_in_the_designer(
    halden: Halden, log: EventLog, sign_in: Any
) -> None:
    maria = sign_in("maria")
    assert maria.get(f"/event-logs/{log.uid}/draft").status_code == 200
    given = {
        "name": "Invoices as they are", "code": "", "unit": halden.units["finance"].pk,
        "owner": halden.people["maria"].pk, "incident_path": halden.workflow.incident_path_id, "share": "95",
    }  # fmt: skip

    answer = maria.post(f"/event-logs/{log.uid}/draft", given)

    assert answer["Location"] == "/workflows/invoices-as-they-are/design"
    draft = Workflow.objects.get(code="invoices-as-they-are").drafts.get()
    assert 'name="Match"' in draft.bpmn and "exclusiveGateway" in draft.bpmn and 'default="f_t2_' in draft.bpmn
    assert maria.get(answer["Location"]).status_code == 200
    drawing = maria.get("/workflows/invoices-as-they-are/draft.bpmn?as=drawing").content.decode()
    assert "BPMNShape" in drawing
    assert "Nobody" not in str(maria.post(f"/event-logs/{log.uid}/draft", given).status_code)
