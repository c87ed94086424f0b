"""docs/connect: the pages show the programs that tests/frameworks runs, and every other example runs here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from autonomy_client import Autonomy, Work

from governance.models import Escalation
from workflows.models import Fact, Run, Step

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "connect"
PROGRAMS = ROOT / "client" / "frameworks"
SHOWN = {"plain-script": "plain", "langgraph": "langgraph", "crewai": "crewai", "openai-agents": "openai-agents"}
READ = {"readable": True, "number": "2026-1187", "seller": "Kessler Maschinenbau GmbH", "total": "9000.00"}


def claimed(client: Autonomy) -> Work:
    work = client.claim(wait_seconds=0)
    assert work
    return work


@pytest.fixture
def at_payment(connect: Any) -> tuple[Autonomy, Work]:
    """The payments clerk with the step in which invoice 2026-1187 is paid."""
    reader, matcher, scout, clerk = (connect(code) for code in ("AP-01", "AP-02", "RK-01", "AP-04"))
    reader.start_run("invoice-to-payment", key="2026-1187", input={"document": "1187.xml"})
    reader.finish(claimed(reader), READ)
    matcher.finish(claimed(matcher), {"matched": True})
    scout.finish(claimed(scout), {"findings": 0})
    return clerk, claimed(clerk)


# --- programs -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", SHOWN)
def test_a_page_shows_the_program_that_is_tested(page: str) -> None:
    program = (PROGRAMS / SHOWN[page] / "agent.py").read_text()

    assert re.findall(r"```python\n(.*?)```", (PAGES / f"{page}.md").read_text(), re.DOTALL) == [program]


@pytest.mark.parametrize("name", SHOWN.values())
def test_a_program_is_as_short_as_its_author_would_love(name: str) -> None:
    assert len((PROGRAMS / name / "agent.py").read_text().splitlines()) < 60


def test_every_program_has_a_page() -> None:
    assert {path.parent.name for path in PROGRAMS.glob("*/agent.py")} == set(SHOWN.values())


def test_no_example_of_a_page_is_left_out() -> None:
    marks = {mark for page in PAGES.glob("*.md") for mark in re.findall(r"<!-- (\w+) -->\n```python", page.read_text())}
    tests = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    used = set(re.findall(r'run_block\(\s*"connect/[\w-]+\.md",\s*"(\w+)"', tests))
    unmarked = [
        page.name for page in PAGES.glob("*.md")
        if page.stem not in SHOWN and re.search(r"(?<!-->\n)```python", page.read_text())
    ]  # fmt: skip

    assert marks == used
    assert unmarked == []


def test_the_prepared_agent_can_begin(
    halden: Any, connect: Any, run_block: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile((PROGRAMS / "prepare.py").read_text(), "prepare.py", "exec"), {})
    monkeypatch.setenv("AUTONOMY_KEY", capsys.readouterr().out.strip())

    run_block("connect/README.md", "start")

    assert claimed(connect("AP-04")).variables["input"]["seller"] == "Kessler Maschinenbau GmbH"


# --- ask and wait ---------------------------------------------------------------------------------------------
def test_the_question_is_put_to_a_person_and_asked_again_with_the_answer(
    at_payment: Any, run_block: Any, sign_in: Any
) -> None:
    clerk, work = at_payment
    names = run_block("connect/ask-and-wait.md", "ask", autonomy=clerk, work=work, sha256="0" * 64)
    assert names["decision"].waits_for_a_person
    asked = Escalation.objects.get()
    assert asked.title == "Pay EUR 9,000.00 to Kessler Maschinenbau GmbH"
    assert [question.title for question in clerk.escalations()] == [asked.title]

    told = {"request_sha256": asked.request_sha256, "reason": "Right."}
    assert sign_in("priya").call("post", f"escalations/{asked.uid}/approve", told).status_code == 200
    names = run_block("connect/ask-and-wait.md", "again", autonomy=clerk)
    assert names["work"].approval.granted
    names = run_block("connect/ask-and-wait.md", "ask", autonomy=clerk, work=names["work"], sha256="0" * 64)

    assert names["decision"].allowed


def test_a_no_ends_the_step_with_the_persons_reason(at_payment: Any, run_block: Any, sign_in: Any) -> None:
    clerk, work = at_payment
    run_block("connect/ask-and-wait.md", "ask", autonomy=clerk, work=work, sha256="0" * 64)
    asked = Escalation.objects.get()
    told = {"request_sha256": asked.request_sha256, "reason": "Not ours."}
    assert sign_in("priya").call("post", f"escalations/{asked.uid}/reject", told).status_code == 200

    run_block("connect/ask-and-wait.md", "again", autonomy=clerk)

    assert Step.objects.get(element="pay").output["reason"] == "Not ours."


def test_a_person_asks_back_and_the_agent_answers(at_payment: Any, run_block: Any, sign_in: Any) -> None:
    clerk, work = at_payment
    run_block("connect/ask-and-wait.md", "ask", autonomy=clerk, work=work, sha256="0" * 64)
    asked, priya = Escalation.objects.get(), sign_in("priya")
    assert priya.call("post", f"escalations/{asked.uid}/ask", {"text": "Which order?"}).status_code == 201

    run_block("connect/ask-and-wait.md", "inquiries", autonomy=clerk, look_up=lambda text: f"{text} PO-2026-3007.")

    told = priya.call("get", f"escalations/{asked.uid}/questions").json()["results"]
    assert [each["answer"] for each in told] == ["Which order? PO-2026-3007."]
    assert [each.is_answered for each in clerk.inquiries_about(str(asked.uid))] == [True]
    assert list(clerk.inquiries()) == []


def test_the_agent_learns_what_a_person_changed(at_payment: Any, run_block: Any, sign_in: Any) -> None:
    clerk, work = at_payment
    run_block("connect/ask-and-wait.md", "ask", autonomy=clerk, work=work, sha256="0" * 64)
    asked, priya = Escalation.objects.get(), sign_in("priya")
    Escalation.objects.update(amendable=[{"field": "amount", "at_most": "9000"}])
    change = {"values": {"amount": "7000.00"}, "request_sha256": asked.request_sha256}
    assert priya.call("post", f"escalations/{asked.uid}/amend", change).status_code == 200
    asked.refresh_from_db()
    yes = {"request_sha256": asked.request_sha256}
    assert priya.call("post", f"escalations/{asked.uid}/approve", yes).status_code == 200

    names = run_block("connect/ask-and-wait.md", "amended", work=claimed(clerk))

    assert names["context"] == {"amount": "7000.00", "currency": "EUR"}


# --- share ----------------------------------------------------------------------------------------------------
def test_what_is_shared_is_not_looked_up_again(connect: Any, run_block: Any) -> None:
    reader, matcher = connect("AP-01"), connect("AP-02")
    reader.start_run("invoice-to-payment", key="2026-1187", input={"document": "1187.xml"})
    reader.finish(claimed(reader), READ)
    looked: list[str] = []

    def look_up(order: str) -> dict[str, str]:
        looked.append(order)
        return {"order": order}

    work = claimed(matcher)
    for _ in range(2):
        run_block("connect/share-a-result.md", "share", autonomy=matcher, work=work, look_up=look_up)

    assert looked == ["PO-2026-3007"]
    assert Fact.objects.get().value == {"order": "PO-2026-3007"}


# --- errors ---------------------------------------------------------------------------------------------------
def test_an_error_names_the_field_that_is_wrong(connect: Any, run_block: Any) -> None:
    names = run_block("connect/errors.md", "errors", autonomy=connect("AP-01"))

    assert names["problem"] == ["dokument"]
    assert not Run.objects.exists()


def test_who_may_not_is_told_so(connect: Any, run_block: Any) -> None:
    names = run_block("connect/errors.md", "errors", autonomy=connect("AP-02"))

    assert isinstance(names["problem"], str)


def test_work_goes_on_while_its_lease_is_held(at_payment: Any, run_block: Any) -> None:
    clerk, work = at_payment
    read: list[str] = []

    names = run_block("connect/errors.md", "lease", autonomy=clerk, work=work, pages=["a", "b"], read=read.append)

    assert read == ["a", "b"]
    assert not names["lease"].lost
