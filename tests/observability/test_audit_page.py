"""Edith, the auditor, finds what happened, who did it and why; others see what their unit did."""

import csv
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Principal
from observability import ledger
from observability.models import Event
from observability.views import audit
from workflows.models import Space

# The export is written for the asynchronous server; the test client reads it in one go and says so.
SUNDAY_EVENING = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")


def told(halden: Any, at: datetime, name: str = "INV-1", **more: Any) -> Event:
    """An event of finance."""
    given = {
        "verb": "step.finished", "actor_kind": "agent", "actor_id": "AP-02", "actor_name": "AP-02 Three-way match",
        "subject_kind": "step", "subject_id": "s-1", "subject_name": name, "why": "All three lines agree.",
        "workflow": "invoice-to-payment", "unit": str(halden.units["finance"].pk),
    } | more  # fmt: skip
    return Event.objects.create(at=at, **given)


def read(person: Any, query: str = "") -> str:
    """The page of the audit trail."""
    answer = person.get(f"/audit{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def exported(person: Any, query: str = "") -> list[list[str]]:
    """The lines of the export, without its head."""
    answer = person.get(f"/audit/export.csv{query}")
    parts: Iterable[bytes] = answer.streaming_content if not answer.is_async else list(answer)
    return list(csv.reader(StringIO(b"".join(parts).decode())))[1:]


def test_edith_reads_how_much_there_is_and_that_it_cannot_be_changed(halden: Any, sign_in: Any) -> None:
    ledger.seal()

    page = read(sign_in("edith"))

    assert f"{ledger.last_position()} entries since" in page
    assert "Nothing here can be changed or removed." in page
    assert "published Invoice to payment" in page


def test_edith_opens_an_entry_with_what_changed_and_the_agents_own_words(
    halden: Any, sign_in: Any, now: datetime
) -> None:
    event = told(halden, now, before="working", after="done", data={"output": {"matched": True}, "attempt": 1})
    ledger.seal()
    event.refresh_from_db()

    page = read(sign_in("edith"), f"?entry={event.uid}")

    assert f"Entry {event.position}" in page
    assert "“All three lines agree.”" in page
    assert "Stated by the agent." in page
    assert "output.matched" in page
    assert "working" in page and "done" in page


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("?who=AP-02", True), ("?who=AP-04", False), ("?did=step", True), ("?did=step.finished", True),
        ("?did=run", False), ("?workflow=invoice-to-payment", True), ("?workflow=other", False), ("?run=r-1", True),
        ("?run=r-2", False),
        ("?when=7-22", True), ("?when=1-22", False), ("?when=7-23", False), ("?unit=99999", False),
        ("?about=step:s-1", True), ("?about=step:s-2", False), ("?q=three-way", True), ("?q=LINES+agree", True),
        ("?q=nowhere", False), ("?decision=deny", False), ("?from=2026-01-01", True), ("?to=2026-01-01", False),
    ],
)  # fmt: skip
def test_every_filter_finds_what_fits(halden: Any, sign_in: Any, query: str, fits: bool) -> None:
    told(halden, SUNDAY_EVENING, "Match 4711", run="r-1")

    page = read(sign_in("edith"), query)

    assert ("finished “Match 4711”" in page) is fits


def test_sofia_sees_finance_and_nothing_of_procurement(halden: Any, sign_in: Any, now: datetime) -> None:
    hidden = told(halden, now, "Screen a vendor", unit=str(halden.units["procurement"].pk))
    told(halden, now, "Match 4711")
    sofia = sign_in("sofia")

    page = read(sofia)

    assert "Match 4711" in page
    assert "Screen a vendor" not in page
    assert sofia.get(f"/audit?entry={hidden.uid}").status_code == 404
    assert not any("Screen a vendor" in line for line in exported(sofia))


def test_older_entries_follow_without_a_gap_while_new_ones_arrive(halden: Any, sign_in: Any, now: datetime) -> None:
    for number in range(120):
        told(halden, now + timedelta(seconds=number), f"number {number}.", subject_id="paged", subject_kind="probe")
    edith, seen, query = sign_in("edith"), [], "?about=probe:paged"
    while query:
        page = read(edith, query)
        seen += [number for number in range(130) if f"number {number}.”" in page]
        told(halden, now, "a new one", subject_id="paged", subject_kind="probe")
        older = page.split('rel="next"')[0].rpartition('href="')[2].split('"')[0] if 'rel="next"' in page else ""
        query = older.replace("&amp;", "&")

    assert sorted(seen) == list(range(120))


def test_a_unit_reads_how_much_there_is_up_to_a_limit(
    halden: Any, sign_in: Any, now: datetime, monkeypatch: Any
) -> None:
    sofia = sign_in("sofia")
    for number in range(20):
        told(halden, now, f"number {number}")
    exact = read(sofia)
    monkeypatch.setattr(audit, "COUNT_AT_MOST", 10)

    seen = Event.objects.visible_to(Principal.objects.get(username="sofia")).count()
    assert f"{seen} entries since" in exact
    assert "More than 10 entries since" in read(sofia)


def test_a_search_says_how_far_it_looked(halden: Any, sign_in: Any, now: datetime, monkeypatch: Any) -> None:
    monkeypatch.setattr(audit, "SEARCH_AT_MOST", 10)
    told(halden, now, "the needle")
    for number in range(12):
        told(halden, now, f"hay {number}")
    edith = sign_in("edith")

    page = read(edith, "?q=needle")

    assert "finished “the needle”" not in page
    assert "Search older" in page
    older = page.split('rel="next"')[0].rpartition('href="')[2].split('"')[0].replace("&amp;", "&")
    assert "finished “the needle”" in read(edith, older)


@pytest.mark.parametrize(
    "query",
    [
        "?before=0", "?before=x", "?before=99999999999999999999", "?entry=nonsense", "?from=soon", "?to=2026-02-30",
        "?from=2026-02-01&to=2026-01-01", "?about=:", "?did=.", "?decision=perhaps", "?q=%25_%27--",
        "?from=0001-01-01", "?to=9999-12-31", "?run=" + "r" * 300,
        "?when=8-1", "?when=1-24", "?when=x", "?unit=-1", "?unit=all",
    ],
)  # fmt: skip
def test_a_wrong_address_is_answered_with_words(halden: Any, sign_in: Any, query: str) -> None:
    edith = sign_in("edith")

    read(edith, query)
    exported(edith, query)


def test_words_of_agents_cannot_hide_or_act(halden: Any, sign_in: Any, now: datetime) -> None:
    event = told(halden, now, "<img src=x onerror=alert(1)>", why="harmless \u202e txt.exe <script>alert(1)</script>",
                 data={"<b>": "\u202e"})  # fmt: skip

    page = read(sign_in("edith"), f"?entry={event.uid}")

    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert "\u202e" not in page


FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\ufeff=1", "\u200b=1", "＝1", "＋1",
    "－1", "＠A1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x")', "|cmd", "%0A=1",
)  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_the_export_begins_like_a_formula(halden: Any, sign_in: Any, now: datetime, text: str) -> None:
    told(halden, now, text, why=text, actor_name=text, run="formulas")

    (line,) = exported(sign_in("edith"), "?run=formulas")

    for cell in line:
        assert not cell.lstrip(" \u00a0\ufeff\u200b").startswith(tuple("=+-@\t\r\n＝＋－＠|%")), cell
    assert f"'{text}" in line


def test_the_export_holds_what_the_filters_show(halden: Any, sign_in: Any, now: datetime, monkeypatch: Any) -> None:
    monkeypatch.setattr(audit, "EXPORT_PAGE", 7)
    monkeypatch.setattr(audit, "EXPORT_AT_MOST", 70)
    for number in range(20):
        told(halden, now, f"number {number}", run="exported")

    lines = exported(sign_in("edith"), "?run=exported")

    assert [line[8] for line in lines] == [f"number {number}" for number in range(19, -1, -1)]
    assert lines[0][-1] == "finished “number 19”"


def test_an_export_is_recorded_with_its_filters_and_its_size(halden: Any, sign_in: Any, now: datetime) -> None:
    for number in range(3):
        told(halden, now, f"number {number}", run="exported")
    edith = sign_in("edith")

    lines = exported(edith, "?run=exported&q=number&from=2026-01-01")

    event = Event.objects.get(verb="audit.exported")
    assert (event.actor_id, event.subject_name, len(lines)) == ("edith", "3 entries", 3)
    assert event.data == {"rows": 3, "filters": {"run": "exported", "q": "number", "from": "2026-01-01"}}
    assert "exported 3 entries of the audit trail" in read(edith, "?did=audit")
    assert edith.head("/audit/export.csv").status_code == 405, (
        "asking only for the head takes nothing and records nothing"
    )


def test_priyas_export_is_seen_by_her_unit_and_the_auditor_only(halden: Any, sign_in: Any) -> None:
    exported(sign_in("priya"), "?did=step")

    seen = {name: "of the audit trail" in read(sign_in(name)) for name in ("edith", "sofia", "tomasz")}
    assert seen == {"edith": True, "sofia": True, "tomasz": False}


def test_an_export_holds_what_was_there_when_it_was_asked_for(halden: Any, sign_in: Any, now: datetime) -> None:
    told(halden, now, "before", run="exported")
    answer = sign_in("edith").get("/audit/export.csv?run=exported")

    told(halden, now, "after", run="exported")

    assert [line[8] for line in csv.reader(StringIO(b"".join(answer).decode()))][1:] == ["before"]


@pytest.mark.parametrize("text", ["a;=1+1", 'a; "=1', "a;\t@SUM(A1)", "a\n=1", "a\r\n+1", "a\t-1"])
def test_no_part_of_a_cell_becomes_a_formula_where_lists_are_split_at_semicolons(text: str) -> None:
    (cell,) = next(csv.reader(StringIO(audit.line([text]))), [""])

    assert not re.search(r'[;\t\r\n]\s*"?\s*[=+@-]', cell)
    assert cell.replace("'", "") == text


def test_an_entry_about_a_run_or_workflow_of_no_known_form_opens(halden: Any, sign_in: Any, now: datetime) -> None:
    event = told(halden, now, run="not a uuid", workflow="not a code", data={"policy": "a/b"}, verb="decision.made",
                 after="allow")  # fmt: skip

    page = read(sign_in("edith"), f"?entry={event.uid}")

    assert "Open the run" not in page
    assert "not a code" in page


def test_strangers_sign_in_first(halden: Any, client: Any) -> None:
    assert client.get("/audit").status_code == 302
    assert client.get("/audit/export.csv").status_code == 302
    assert client.get("/live/events?after=0").status_code == 401
    assert client.get("/api/v1/events").status_code == 401


def test_more_entries_need_no_more_queries(halden: Any, sign_in: Any, now: datetime) -> None:
    edith, event = sign_in("edith"), told(halden, now)
    with CaptureQueriesContext(connection) as few:
        read(edith, f"?entry={event.uid}&did=step")
    for number in range(40):
        told(halden, now, f"number {number}")

    with CaptureQueriesContext(connection) as many:
        read(edith, f"?entry={event.uid}&did=step")

    assert len(many) == len(few)


def test_every_noun_of_the_ledger_can_be_chosen(halden: Any) -> None:
    assert Space.objects.exists()
    assert {event.noun for event in Event.objects.all()} <= set(audit.NOUNS)
