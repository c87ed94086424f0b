"""The four programs at work on the demo's documents, over a real connection, until nothing is left to do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from autonomy_client.examples.invoices import clerk, matcher, reader, scout
from lxml import etree

from autonomy_site.demo.documents import Defect, Document, generate

PROGRAMS = {"reader": reader, "matcher": matcher, "scout": scout, "clerk": clerk}
PATIENCE_SECONDS = 120
AMOUNT = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.03}InstdAmt"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "documents"


@pytest.fixture
def documents(inbox: Path) -> list[Document]:
    documents = generate(inbox, count=24)
    settle(inbox)
    return documents


def settle(inbox: Path) -> None:
    """Give all files an age at which they are taken for complete."""
    for path in inbox.rglob("*.xml"):
        os.utime(path, (1_700_000_000, 1_700_000_000))


def arguments(server: str, inbox: Path, program: str, idle_seconds: float = 0.2) -> list[str]:
    out = inbox.parent / "out"
    out.mkdir(exist_ok=True)
    key = out / f"{program}.key"
    key.write_text(program)
    wanted = {"--server": server, "--key-file": key, "--documents": inbox, "--out": out, "--idle-seconds": idle_seconds}
    return [str(part) for option in wanted.items() for part in option] + ["--once"]


def work_all_day(platform: Any, server: str, inbox: Path) -> list[int]:
    """Run the four programs side by side until nothing is left to do; their exit codes."""
    codes: list[int] = []
    platform.expected_runs = sum(1 for _ in (inbox / "invoices").iterdir())
    threads = [
        threading.Thread(target=lambda name=name: codes.append(PROGRAMS[name].main(arguments(server, inbox, name))))
        for name in PROGRAMS
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


def outcome(variables: dict[str, Any]) -> set[str]:
    """What the agents found in one run."""
    if not variables["read"]["readable"]:
        return {str(Defect.UNREADABLE)}
    status, kinds = variables["match"]["status"], variables["anomalies"]["kinds"]
    found = [kind.replace(" ", "_") for kind in kinds.split(", ")]
    return {kind for kind in [*found, status] if kind not in ("", "matched")}


def test_all_documents_are_worked_on_and_the_sound_ones_are_paid_once(
    platform: Any, server: str, inbox: Path, documents: list[Document]
) -> None:
    assert work_all_day(platform, server, inbox) == [0, 0, 0, 0]

    runs = {run["variables"]["input"]["document"]: run["variables"] for run in platform.runs.values()}
    assert platform.failures == []
    assert {name: outcome(variables) for name, variables in runs.items()} == {
        document.file: {document.defect} if document.defect else set() for document in documents
    }

    payments = sorted((inbox.parent / "out" / "payments").iterdir())
    paid = sorted(Decimal(etree.parse(path).findtext(f".//{AMOUNT}") or "0") for path in payments)
    sound = [Decimal(document.total) for document in documents if document.defect is None]
    assert paid == sorted(total for total in sound if total <= 5000)
    waiting = [step for step in platform.steps.values() if step["status"] == "waiting"]
    assert len(waiting) == sum(total > 5000 for total in sound) > 0

    # The first of the large ones is approved, the others are rejected; everybody comes to work again.
    platform.settle(waiting[0], "approved", "")
    for step in waiting[1:]:
        platform.settle(step, "rejected", "not this month")
    work_all_day(platform, server, inbox)

    asked_again = platform.sent("actions")[-1][3]
    assert asked_again["approval"] == "a-1"
    assert len(list((inbox.parent / "out" / "payments").iterdir())) == len(payments) + 1
    answers = [platform.runs[step["key"]]["variables"]["pay"] for step in waiting]
    assert [answer["paid"] for answer in answers] == [True] + [False] * (len(waiting) - 1)
    assert all("not this month" in answer["reason"] for answer in answers[1:])

    # Nothing was started twice, orders came from memory the second time, each step told its cost.
    assert len(platform.runs) == len(documents)
    stored = [body["key"] for _, _, _, body in platform.sent("memory/facts") if body and body["space"] == "orders"]
    assert len(stored) == len(set(stored))
    assert all(Decimal(step["cost"]) > 0 for step in platform.steps.values() if step["status"] == "done")


def test_a_payment_that_is_done_again_overwrites_its_own_file(
    platform: Any, server: str, inbox: Path, documents: list[Document]
) -> None:
    work_all_day(platform, server, inbox)
    before = sorted(path.name for path in (inbox.parent / "out" / "payments").iterdir())
    for step in [step for step in platform.steps.values() if step["element"] == "pay"]:
        step["status"] = "ready" if step["status"] == "done" else step["status"]

    assert clerk.main(arguments(server, inbox, "clerk")) == 0

    assert sorted(path.name for path in (inbox.parent / "out" / "payments").iterdir()) == before


def test_a_program_that_may_not_be_idle_works_as_long_as_there_is_work(
    platform: Any, server: str, inbox: Path, documents: list[Document]
) -> None:
    for name in ("reader", "matcher", "scout"):
        assert PROGRAMS[name].main(arguments(server, inbox, name, idle_seconds=0)) == 0

    assert len(platform.runs) == len(documents)
    assert {step["element"] for step in platform.steps.values() if step["status"] != "done"} == {"pay"}


def test_a_changed_file_of_the_same_name_is_another_document(platform: Any, server: str, inbox: Path) -> None:
    inbox.mkdir()
    (inbox / "a.xml").write_text("<a/>")
    settle(inbox)
    reader.main(arguments(server, inbox, "reader"))
    reader.main(arguments(server, inbox, "reader"))
    assert len(platform.runs) == 1

    (inbox / "a.xml").write_text("<b/>")
    settle(inbox)
    reader.main(arguments(server, inbox, "reader"))

    assert len(platform.runs) == 2
    assert all(run["variables"]["read"]["readable"] is False for run in platform.runs.values())


def test_files_that_are_no_invoices_end_with_a_reason(platform: Any, server: str, inbox: Path) -> None:
    hostile = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    files = {
        "xxe.xml": hostile,
        "empty.XML": b"",
        "deep/huge.xml": b"0" * 10_000_001,
        "orders/o.xml": b"<a/>",
        "a.txt": b"",
    }
    for name, data in files.items():
        (inbox / name).parent.mkdir(parents=True, exist_ok=True)
        (inbox / name).write_bytes(data)
        os.utime(inbox / name, (1_700_000_000, 1_700_000_000))
    (inbox / "link.xml").symlink_to("/etc/passwd")

    reader.main(arguments(server, inbox, "reader"))

    read = {run["variables"]["input"]["document"]: run["variables"]["read"] for run in platform.runs.values()}
    assert read.keys() == {"xxe.xml", "empty.XML", "deep/huge.xml"}
    assert "DOCTYPE" in read["xxe.xml"]["reason"]
    assert "empty" in read["empty.XML"]["reason"]
    assert "too large" in read["deep/huge.xml"]["reason"]


def test_a_run_cannot_point_a_program_outside_of_its_folder(platform: Any, server: str, inbox: Path) -> None:
    inbox.mkdir()
    outside = inbox.parent / "secret.xml"
    outside.write_text("<a/>")
    digest = "b8bcf4d6d62fd8bfe3ed34d9bde1f1f8ca4b1c7cc1bc0ad4e6d2a3fa1c4d3d55"
    given = {"document": "../secret.xml", "sha256": digest}
    platform.start({"key": "k", "workflow": "invoice-to-payment", "input": given})
    platform.open("k", "match")

    reader.main(arguments(server, inbox, "reader"))
    matcher.main(arguments(server, inbox, "matcher"))

    assert platform.runs["k"]["variables"]["read"]["readable"] is False
    assert platform.failures == ["../secret.xml is no longer there as it was when it arrived."]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_program_ends_cleanly_when_it_is_told_to(
    platform: Any, server: str, inbox: Path, number: signal.Signals
) -> None:
    inbox.mkdir()
    command = [sys.executable, "-m", "autonomy_client.examples.invoices.reader"]
    program = subprocess.Popen([*command, *arguments(server, inbox, "reader")[:-1]], stderr=subprocess.PIPE, text=True)
    assert has_asked_for_work(platform, within_seconds=PATIENCE_SECONDS)

    program.send_signal(number)
    _, told = program.communicate(timeout=PATIENCE_SECONDS)

    assert program.returncode == 0, told
    assert "Traceback" not in told


def test_a_program_ends_when_whoever_started_it_is_gone(platform: Any, server: str, inbox: Path) -> None:
    inbox.mkdir()
    command = [sys.executable, "-m", "autonomy_client.examples.invoices.reader", "--until-input-ends"]
    program = subprocess.Popen(
        [*command, *arguments(server, inbox, "reader")[:-1]], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert has_asked_for_work(platform, within_seconds=PATIENCE_SECONDS)
    assert program.stdin

    program.stdin.close()

    assert program.wait(timeout=PATIENCE_SECONDS) == 0
    assert program.stderr
    assert "Traceback" not in program.stderr.read()
    program.stderr.close()


def has_asked_for_work(platform: Any, within_seconds: float) -> bool:
    asked = threading.Event()
    for _ in range(int(within_seconds / 0.05)):
        if platform.sent("work/claim"):
            return True
        asked.wait(0.05)
    return False


def test_a_key_that_is_not_accepted_ends_the_program(server: str, platform: Any, inbox: Path) -> None:
    inbox.mkdir()
    platform.faults = [(401, {"code": "unauthorized", "detail": "This key was revoked."})]

    assert scout.main(arguments(server, inbox, "scout")) == 2


def test_without_a_key_a_program_says_so(monkeypatch: pytest.MonkeyPatch, inbox: Path) -> None:
    monkeypatch.delenv("AUTONOMY_KEY", raising=False)
    inbox.mkdir()

    with pytest.raises(SystemExit, match="No key"):
        scout.main(["--documents", str(inbox), "--out", str(inbox)])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"--key-file": "nowhere.key"}, "nowhere.key"),
        ({"--server": "127.0.0.1:8000"}, "write it like http://127.0.0.1:8000"),
        ({"--server": "ftp://127.0.0.1"}, "write it like http://127.0.0.1:8000"),
        ({"--documents": "nowhere"}, "2"),
    ],
)
def test_a_program_says_what_is_wrong_with_its_command_line(
    server: str, inbox: Path, capsys: pytest.CaptureFixture[str], wrong: dict[str, str], said: str
) -> None:
    inbox.mkdir()
    given = arguments(server, inbox, "scout")[:-1]
    options = dict(zip(given[::2], given[1::2], strict=True)) | wrong

    with pytest.raises(SystemExit, match=said):
        scout.main([part for option in options.items() for part in option])

    assert "nowhere is not a folder" in capsys.readouterr().err or "--documents" not in wrong


def test_files_with_odd_names_and_times_are_read_like_all_others(platform: Any, server: str, inbox: Path) -> None:
    inbox.mkdir()
    odd = [b"a\xff.xml", b"b\n\x07.xml", "c " + "\u00fc" * 100 + ".xml", b"d.xml"]
    for name in odd:
        path = Path(os.fsdecode(inbox), os.fsdecode(name))
        path.write_text(f"<a>{path.name!a}</a>")
        os.utime(path, (4_000_000_000, 4_000_000_000) if name == b"d.xml" else (1_700_000_000, 1_700_000_000))

    assert reader.main(arguments(server, inbox, "reader")) == 0

    runs = [run["variables"] for run in platform.runs.values()]
    names = sorted(run["input"]["document"] for run in runs)
    assert names == ["a\ufffd.xml", "b\ufffd\ufffd.xml", "c " + "\u00fc" * 100 + ".xml", "d.xml"]
    # Each was opened, also the one whose name cannot be sent: the reason speaks about what is in it.
    assert all("root element is a" in run["read"]["reason"] for run in runs)


def test_many_files_are_begun_without_a_wait_for_work_in_between(platform: Any, server: str, inbox: Path) -> None:
    inbox.mkdir()
    for number in range(reader.RUNS_AT_ONCE * 2 + 1):
        (inbox / f"{number}.xml").write_text(f"<a>{number}</a>")
    settle(inbox)
    reader.main(arguments(server, inbox, "reader"))
    platform.requests.clear()

    # A second start meets the same files again, and the runs that they have.
    reader.main(arguments(server, inbox, "reader", idle_seconds=1))

    waits = [body["wait_seconds"] for _, _, _, body in platform.sent("work/claim")]
    assert waits[:3] == [0, 0, 0]
    assert set(waits[3:]) == {1}
    assert len(platform.runs) == reader.RUNS_AT_ONCE * 2 + 1


def test_a_vendor_master_that_is_wrong_is_named_with_its_entry(platform: Any, server: str, inbox: Path) -> None:
    generate(inbox, count=1)
    settle(inbox)
    (inbox / "vendors.json").write_text('[{"id": "V-1", "name": "A", "vat": "NL1", "iban_since": "2020-01-01"}]')

    reader.main(arguments(server, inbox, "reader"))
    scout.main(arguments(server, inbox, "scout"))

    assert platform.failures == ["BrokenMaster: Entry 1 of the vendor master is wrong: 'iban' is missing."]


def test_the_question_stays_the_same_when_it_is_asked_again(
    platform: Any, server: str, inbox: Path, documents: list[Document]
) -> None:
    work_all_day(platform, server, inbox)
    waiting = next(step for step in platform.steps.values() if step["status"] == "waiting")
    platform.settle(waiting, "approved", "")
    clerk.main(arguments(server, inbox, "clerk"))

    first, again = (body for _, _, _, body in platform.sent("actions") if body["step"] == waiting["step"])

    bound = ("action", "resource", "context", "title", "statement", "changes", "evidence")
    assert json.dumps([first[name] for name in bound]) == json.dumps([again[name] for name in bound])
    assert first["resource"]["properties"]["bank_changed_days"] > 30
