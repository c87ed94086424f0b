"""Event logs are read whatever program wrote them, and what cannot be read says where and what to do."""

import gzip
import io
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest

from observability.eventlog.columns import Columns
from observability.eventlog.log import Limits, Log
from observability.eventlog.opening import LogUnreadable
from observability.eventlog.reading import head_of, read
from observability.eventlog.times import Shape

pytestmark = pytest.mark.same_everywhere
PLAIN = Columns("case", "activity", "time")
HEAD = "case,activity,time\n"
TRACE = """<?xml version="1.0"?>{prolog}<log xmlns="http://www.xes-standard.org/"><trace>
<string key="concept:name" value="A1"/><event><string key="concept:name" value="Check"/>
<date key="time:timestamp" value="2026-03-01T10:00:00+01:00"/></event></trace></log>"""
XES = Columns("case:concept:name", "concept:name", "time:timestamp")


def log_of(data: str | bytes, columns: Columns = PLAIN, limits: Limits | None = None) -> Log:
    raw = data.encode() if isinstance(data, str) else data
    return read(io.BytesIO(raw), columns, limits or Limits())


def refusal(data: str | bytes, columns: Columns = PLAIN, limits: Limits | None = None) -> str:
    with pytest.raises(LogUnreadable) as refused:
        log_of(data, columns, limits)
    return str(refused.value)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_any_delimiter_and_any_line_end_is_found(mark: str, ends: str) -> None:
    rows = ["case,activity,time", "A,Check,2026-03-01 10:00", "A,Pay,2026-03-02 10:00"]
    log = log_of(ends.join(rows).replace(",", mark))

    assert (len(log), log.activities.names(), log.error_count) == (2, ["Check", "Pay"], 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_any_usual_encoding_is_read_and_latin_1_is_told(encoding: str) -> None:
    log = log_of(f"{HEAD}A,Prüfung für Fälle,2026-03-01 10:00\n".encode(encoding))

    assert log.activities.names() == ["Prüfung für Fälle"]
    told = [note for note in log.notes if "Latin-1" in note]
    assert bool(told) == (encoding in ("latin-1", "cp1252"))


def test_a_case_called_na_is_a_case_like_any_other() -> None:
    log = log_of(f"{HEAD}NA,Check,2026-03-01 10:00\nnull,Check,2026-03-01 10:00\nnan,Check,2026-03-01 10:00\n")

    assert log.cases.names() == ["NA", "null", "nan"]


def test_times_of_many_zones_are_compared_as_moments_and_naive_ones_are_told() -> None:
    rows = "A,One,2026-03-01T10:00:00+02:00\nA,Two,2026-03-01T08:30:00Z\nA,Three,2026-03-01 09:45:00\n"
    log = log_of(HEAD + rows, replace(PLAIN, zone="Europe/Vienna"))

    (places,) = log.by_case()
    assert [log.activities.names()[log.activity[place]] for place in places] == ["One", "Two", "Three"]
    assert log.notes == ["1 times name no time zone; they were read as times of Europe/Vienna."]


@pytest.mark.parametrize(
    "text, shape",
    [
        ("2026-03-31 14:05:00", Shape.ISO), ("2026-03-31T14:05:00.123456Z", Shape.ISO), ("20260331T140500", Shape.ISO),
        ("31.03.2026 14:05", Shape.DAY_FIRST), ("31/03/2026 14:05:00", Shape.DAY_FIRST),
        ("03/31/2026 2:05 PM", Shape.MONTH_FIRST), ("1774965900", Shape.EPOCH), ("1774965900000", Shape.EPOCH),
    ],
)  # fmt: skip
def test_the_way_times_are_written_is_guessed(text: str, shape: Shape) -> None:
    head = head_of(io.BytesIO(f"{HEAD}A,Check,{text}\n".encode()), Limits())

    assert (head.guessed.time, head.guessed.shape) == ("time", shape)
    assert len(log_of(f"{HEAD}A,Check,{text}\n", head.guessed)) == 1


def test_a_date_that_could_be_two_is_pointed_out() -> None:
    head = head_of(io.BytesIO(f"{HEAD}A,Check,03/04/2026 10:00\n".encode()), Limits())

    assert head.notes == ["Day and month could change places in these dates: choose how they are written."]


def test_wrong_rows_are_left_out_and_each_says_where_and_what_to_do() -> None:
    rows = "A,Check,2026-03-01\n,Check,2026-03-01\nB,,2026-03-01\nC,Check,soon\nD,Check\nE,Check,2026-03-01,x\n"
    log = log_of(HEAD + rows)

    assert len(log) == 1
    assert [(error.line, error.column) for error in log.errors] == [
        (3, "case"), (4, "activity"), (5, "time"), (6, ""), (7, ""),
    ]  # fmt: skip
    assert all(":" in error.problem for error in log.errors)


def test_of_many_errors_some_are_kept_and_all_are_counted() -> None:
    log = log_of(HEAD + "A,Check,2026-03-01\n" + ",Check,2026-03-01\n" * 1_000, limits=Limits(errors_kept=10))

    assert (len(log.errors), log.error_count) == (10, 1_000)


def test_repeated_events_are_counted_and_left_out_when_asked() -> None:
    rows = "A,Check,2026-03-01\nA,Pay,2026-03-01\nA,Check,2026-03-01\n"

    assert len(log_of(HEAD + rows)) == 3
    assert len(log_of(HEAD + rows, replace(PLAIN, keep_repeats=False))) == 2


def test_work_that_ends_before_it_starts_is_an_error() -> None:
    log = log_of(
        "case,activity,start,time\nA,Check,2026-03-02,2026-03-01\nA,Check,2026-03-01,2026-03-02\n",
        replace(PLAIN, start="start"),
    )

    assert (len(log), log.errors[0].line, log.errors[0].column) == (1, 2, "start")


@pytest.mark.parametrize(
    "data, part",
    [
        (b"", "empty"),
        (b"PK\x03\x04rest", "ZIP"),
        (gzip.compress(gzip.compress(b"x")), "packed twice"),
        (b"\x1f\x8b\x08broken", "damaged"),
        (b"case\nA\n", "fewer than two columns"),
        (b"a,b,c\n1,2,3\n", "no column case"),
        (b"case,activity,time\nA,Check,soon\n", "No row"),
        (b"\x00\x01\x02\x03" * 100, "no text"),
        (b"x" * 2_000_000, "characters"),
    ],
)
def test_what_is_no_log_is_refused_with_what_to_do(data: bytes, part: str) -> None:
    assert part in refusal(data)


def test_without_a_case_column_nothing_is_read() -> None:
    said = refusal(f"{HEAD}A,Check,2026-03-01\n", replace(PLAIN, case=""))

    assert said == "Nothing says which column is the case. Choose one for each."


def test_too_many_events_and_activities_are_refused() -> None:
    rows = HEAD + "".join(f"A,Step {number},2026-03-01\n" for number in range(20))

    assert "over 10 events" in refusal(rows, limits=Limits(events=10))
    assert "free text" in refusal(rows, limits=Limits(activities=10))


def test_a_gzip_bomb_ends_at_the_limit_in_bounded_memory() -> None:
    packer = io.BytesIO()
    with gzip.GzipFile(fileobj=packer, mode="wb", compresslevel=9) as packed:
        packed.write(HEAD.encode())
        for _ in range(300):
            packed.write(b"A,Check,2026-03-01\n" * 10_000)
    tracemalloc.start()

    said = refusal(packer.getvalue(), limits=Limits(unpacked_bytes=5_000_000))

    assert said == "Unpacked, the file is larger than 5 MB. Send a shorter period of the log."
    assert tracemalloc.get_traced_memory()[1] < 60_000_000
    tracemalloc.stop()


LAUGHS = '<!DOCTYPE log [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "prolog", [LAUGHS, '<!DOCTYPE log SYSTEM "file:///etc/passwd">', "<!--" + "x" * 100_000 + "-->" + LAUGHS]
)
def test_a_document_type_declaration_is_refused(prolog: str) -> None:
    assert "document type declaration" in refusal(TRACE.format(prolog=prolog), XES)
    with pytest.raises(LogUnreadable):
        head_of(io.BytesIO(TRACE.format(prolog=prolog).encode()), Limits())


def test_xes_is_read_with_and_without_its_name_space() -> None:
    for text in (TRACE.format(prolog=""), TRACE.format(prolog="").replace(' xmlns="http://www.xes-standard.org/"', "")):
        head = head_of(io.BytesIO(text.encode()), Limits())
        log = log_of(gzip.compress(text.encode()), head.guessed)

        assert head.guessed.named() == XES.named()
        assert (len(log), log.cases.names(), log.activities.names()) == (1, ["A1"], ["Check"])


@pytest.mark.parametrize("text", ["<html><body/></html>", "<log><trace>", "<log/>"])
def test_other_xml_is_refused(text: str) -> None:
    refusal(text, XES)


@pytest.mark.parametrize(
    "names, guessed",
    [
        (["case_id", "activity", "timestamp"], {"case": "case_id", "activity": "activity", "time": "timestamp"}),
        (["Case ID", "Task", "End", "Start", "User"],
         {"case": "Case ID", "activity": "Task", "time": "End", "start": "Start", "resource": "User"}),
        (["x", "y", "z"], {"time": "z"}),
    ],
)  # fmt: skip
def test_columns_are_guessed_by_their_names(names: list[str], guessed: dict[str, Any]) -> None:
    row = ["1", "Check", "2026-03-02 10:00", "2026-03-01 10:00", "Rita"][: len(names)]
    head = head_of(io.BytesIO(f"{','.join(names)}\n{','.join(row)}\n".encode()), Limits())

    assert head.guessed.named() == guessed
