"""The examples of the documents work: the workflow runs, the scripts run, the console lines are commands."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from agents.models import Agent, Key
from governance.models import Escalation
from workflows import operations
from workflows.models import Run

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = {
    "make", "export", "set", "curl", "pg_dump", "pg_restore", "pip", "python", "useradd", "install", "cp", "systemctl",
}  # fmt: skip


def marked(document: str, mark: str) -> str:
    """The example below the comment `mark` in a document."""
    found = re.search(rf"<!-- {mark} -->\n```\w+\n(.*?)```", (ROOT / "docs" / document).read_text(), re.DOTALL)
    assert found, f"{document} has no example marked {mark}"
    return found[1]


def blocks(document: Path, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", document.read_text(), re.DOTALL)


@pytest.fixture
def published(halden: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reminder workflow of the page, published by the script of the page."""
    (tmp_path / "reminder.bpmn").write_text(marked("workflows.md", "workflow"))
    monkeypatch.chdir(tmp_path)
    exec(compile(marked("workflows.md", "publish"), "workflows.md", "exec"), {})


def reminded(reader: Any, amount: str) -> None:
    """AP-01 starts a run for a reminder and reads it."""
    reader.call("post", "runs", {"workflow": "payment-reminder", "key": "R-1", "input": {"document": "r1.pdf"}})
    answer = reader.finish(reader.claim(), sender="Kessler Maschinenbau GmbH", amount=amount)
    assert answer.status_code == 200, answer.content


@pytest.mark.usefixtures("published")
def test_a_small_reminder_is_accepted_without_a_person(robot: Any) -> None:
    reminded(robot("AP-01"), "1000.00")

    assert (Run.objects.get().status, Run.objects.get().outcome) == ("done", "Accepted")


@pytest.mark.usefixtures("published")
def test_a_large_reminder_is_what_priya_says(robot: Any, sign_in: Any) -> None:
    reminded(robot("AP-01"), "1000.01")
    asked = Escalation.objects.get()
    assert asked.title == "Accept the reminder of Kessler Maschinenbau GmbH about 1,000.01 EUR"

    body = {"request_sha256": asked.request_sha256, "reason": "We paid in March."}
    answer = sign_in("priya").call("post", f"escalations/{asked.uid}/reject", body)

    assert answer.status_code == 200, answer.content
    assert Run.objects.get().outcome == "Disputed"


@pytest.mark.usefixtures("published")
def test_a_large_reminder_that_nobody_answers_is_disputed_after_its_time(robot: Any) -> None:
    reminded(robot("AP-01"), "1000.01")
    timer = Run.objects.get().timers.get()

    operations.fire_timer(timer, at=timer.due_at)

    assert Run.objects.get().outcome == "Disputed"
    assert Escalation.objects.get().status == "withdrawn"


def test_the_script_for_a_company_of_ones_own_ends_with_a_key_that_works(
    empty: None, capsys: pytest.CaptureFixture[str], client: Any
) -> None:
    exec(compile(marked("operations.md", "company"), "operations.md", "exec"), {})

    key = capsys.readouterr().out.strip()
    assert Key.objects.get().agent == Agent.objects.get(code="AP-01")
    me = client.get("/api/v1/me", headers={"Authorization": f"Bearer {key}"})
    assert me.json()["code"] == "AP-01"


def commands(document: Path) -> list[list[str]]:
    """The words of every command in a document's console blocks; a quotation may go over several lines."""
    found, line = [], ""
    for part in "\n".join(blocks(document, "console")).splitlines(keepends=True):
        line += part
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # a quotation, or a line, goes on
            continue
        if not line.endswith("\\\n"):
            found.append(words)
            line = ""
    assert not line, f"{document.name} has a command that does not end: {line}"
    return [words for words in found if words]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_line_for_the_console_is_a_command(document: Path) -> None:
    first = [words[0] for words in commands(document)]

    assert [word for word in first if word not in COMMANDS and not word.startswith(".venv/bin/")] == []


def test_the_file_of_variables_reads_the_same_in_a_shell_and_in_a_unit() -> None:
    lines = (ROOT / "deploy" / "environment.example").read_text().splitlines()
    given = [line for line in lines if line and not line.startswith("#")]

    assert [line for line in given if len(shlex.split(line)) != 1 or "$" in line] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_script_is_python(document: Path) -> None:
    for script in blocks(document, "python"):
        compile(script, document.name, "exec")
