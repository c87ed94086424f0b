"""People bring logs of manual work, say which column is what, and have them read; other units hear nothing of it."""

import gzip
import hashlib
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from autonomy_site.demo.company import Halden
from observability import ledger, operations
from observability.eventlog.columns import Columns
from observability.models import Event, EventLog
from observability.operations.event_logs import STANDS_STILL, bytes_of
from observability.tasks import read_logs

CSV = (
    "case,activity,start,end,resource\n"
    "NA,Check,2026-03-02T08:00:00Z,2026-03-02T08:30:00Z,Rita\n"
    "NA,Pay,2026-03-02T10:00:00Z,2026-03-02T10:05:00Z,Tom\n"
    "B,Check,2026-03-03T08:00:00Z,2026-03-03T08:20:00Z,Rita\n"
    "B,Pay,soon,2026-03-03T09:00:00Z,Tom\n"
)
COLUMNS = Columns("case", "activity", "end", start="start", resource="resource")


def bring(halden: Halden, who: str, *, unit: str = "finance", data: bytes = CSV.encode()) -> EventLog:
    given = operations.Upload(halden.units[unit].pk, "Payments by hand", "log.csv", io.BytesIO(data))
    return operations.upload(given, by=halden.people[who], at=ledger.database_now())


def verbs() -> list[str]:
    return list(Event.objects.filter(verb__startswith="eventlog.").order_by("id").values_list("verb", flat=True))


def test_a_log_is_brought_mapped_and_read_and_each_step_is_in_the_ledger(halden: Halden) -> None:
    log = bring(halden, "maria")
    assert (log.status, log.sha256) == ("uploaded", hashlib.sha256(CSV.encode()).hexdigest())
    assert log.columns["start"] == "start"

    operations.choose_columns(log, COLUMNS, by=halden.people["maria"], at=ledger.database_now())
    assert read_logs() == 1

    log.refresh_from_db()
    assert (log.status, log.progress, log.figures["cases"], log.figures["events"]) == ("ready", 100, 2, 3)
    assert log.problems["count"] == 1
    assert log.problems["rows"][0]["line"] == 5
    assert verbs() == ["eventlog.uploaded", "eventlog.mapped", "eventlog.begun", "eventlog.read"]
    assert b"".join(bytes_of(log)) == CSV.encode()


def test_a_large_file_is_kept_in_parts_and_comes_back_as_it_was(halden: Halden, monkeypatch: Any) -> None:
    monkeypatch.setattr("observability.operations.event_logs.PART_BYTES", 100)
    data = gzip.compress(CSV.encode() * 1, mtime=0)

    log = bring(halden, "maria", data=data)

    assert log.parts.count() == -(-len(data) // 100)
    assert b"".join(bytes_of(log)) == data
    operations.choose_columns(log, COLUMNS, by=halden.people["maria"], at=ledger.database_now())
    assert read_logs() == 1


def test_only_who_manages_the_unit_and_the_council_bring_logs(halden: Halden) -> None:
    allowed = {
        name: operations.may_upload(person, halden.units["finance"].pk) for name, person in halden.people.items()
    }

    assert allowed["maria"]
    for name, may in allowed.items():
        if not may:
            with pytest.raises((ledger.NotAllowed, ledger.NotFound)):
                bring(halden, name)
    assert not EventLog.objects.exists()
    assert not verbs()


def test_what_is_no_log_is_refused_and_nothing_is_kept(halden: Halden) -> None:
    with pytest.raises(operations.LogRefused) as refused:
        bring(halden, "maria", data=b"PK\x03\x04")

    assert "ZIP" in refused.value.fields["file"]
    assert not EventLog.objects.exists()


def test_a_file_larger_than_allowed_is_refused(halden: Halden, settings: Any) -> None:
    settings.EVENT_LOG_BYTES = 50

    with pytest.raises(operations.LogRefused, match="Nothing was saved"):
        bring(halden, "maria")


def test_the_same_file_is_brought_to_a_unit_once(halden: Halden) -> None:
    bring(halden, "maria")

    with pytest.raises(operations.LogRefused) as refused:
        bring(halden, "maria")

    assert refused.value.fields == {"file": "This file is here already: open it in the list of event logs."}


@pytest.mark.parametrize(
    "columns, field",
    [
        (Columns("", "activity", "end"), "case"), (Columns("case", "case", "end"), "activity"),
        (Columns("case", "activity", "when"), "time"), (Columns("case", "activity", "end", zone="Moon/Sea"), "zone"),
    ],
)  # fmt: skip
def test_columns_that_cannot_be_are_refused_by_field(halden: Halden, columns: Columns, field: str) -> None:
    log = bring(halden, "maria")

    with pytest.raises(operations.LogRefused) as refused:
        operations.choose_columns(log, columns, by=halden.people["maria"], at=ledger.database_now())

    assert field in refused.value.fields
    log.refresh_from_db()
    assert log.status == "uploaded"


def test_a_log_that_cannot_be_read_says_why_and_can_be_mapped_again(halden: Halden) -> None:
    log, maria = bring(halden, "maria"), halden.people["maria"]
    operations.choose_columns(log, Columns("case", "activity", "resource"), by=maria, at=ledger.database_now())

    read_logs()
    log.refresh_from_db()
    assert (log.status, log.failure[:14]) == ("failed", "No row of the ")

    operations.choose_columns(log, COLUMNS, by=maria, at=ledger.database_now())
    read_logs()
    log.refresh_from_db()
    assert log.status == "ready"


def test_reading_that_a_restart_cut_off_begins_anew_and_is_given_up_after_three_tries(halden: Halden) -> None:
    log = bring(halden, "maria")
    operations.choose_columns(log, COLUMNS, by=halden.people["maria"], at=ledger.database_now())
    long_ago = ledger.database_now() - 2 * STANDS_STILL
    assert operations.begin_reading(log, at=long_ago)

    assert read_logs() == 1  # the next sweep takes it up
    log.refresh_from_db()
    assert log.status == "ready"

    operations.choose_columns(log, COLUMNS, by=halden.people["maria"], at=ledger.database_now())
    for _ in range(3):
        assert operations.begin_reading(log, at=long_ago)
        operations.release_log(log, at=long_ago)
    assert log.status == "failed"


def test_a_log_that_is_removed_while_it_is_read_leaves_nothing(halden: Halden) -> None:
    log, maria = bring(halden, "maria"), halden.people["maria"]
    operations.choose_columns(log, COLUMNS, by=maria, at=ledger.database_now())
    assert operations.begin_reading(log, at=ledger.database_now())
    copy = EventLog.objects.get(pk=log.pk)

    operations.remove_log(copy, by=maria, at=ledger.database_now(), why="Names of people in it.")

    assert not operations.read_log(log, clock=ledger.database_now)
    assert not EventLog.objects.exists()
    removed = Event.objects.get(verb="eventlog.removed")
    assert (removed.why, removed.data["sha256"]) == ("Names of people in it.", log.sha256)


def upload_file(data: bytes = CSV.encode(), name: str = "log.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)
