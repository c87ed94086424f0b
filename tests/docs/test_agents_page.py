"""docs/agents.md, step by step: what curl sends is answered as shown, and the scripts run on the real client."""

import itertools
import json
import re
import shlex
import uuid
from pathlib import Path
from typing import Any

import pytest
from autonomy_client import Autonomy, Work
from django.test import Client

from governance.models import Escalation
from workflows.models import Run, Step

PAGE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text()
READ = {"readable": True, "number": "2026-1187", "seller": "Kessler Maschinenbau GmbH", "total": "9000.00"}


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def curls() -> list[list[str]]:
    """The words of each curl command of the page, in order."""
    shown = "\n".join(blocks("console")).replace("\\\n", " ")
    return [shlex.split(line) for line in shown.splitlines() if line.startswith("curl")]


def send(words: list[str], key: str, step: str) -> Any:
    """The server's answer to a curl command, with this key, and this step where the page says STEP."""
    pairs = list(itertools.pairwise(words))
    given = dict(value.split(": ", 1) for option, value in pairs if option == "-H")
    body = next((value for option, value in pairs if option == "-d"), "")
    path = next(word for word in words if "$SERVER" in word).replace("$SERVER", "/api/v1").replace("STEP", step)
    headers = {
        name: value.replace("$KEY", key).replace("$(date +%s%N)", str(uuid.uuid4())) for name, value in given.items()
    }
    kind = headers.pop("Content-Type", "")
    return Client().generic("POST" if body else "GET", path, body, content_type=kind, headers=headers)


def claimed(client: Autonomy) -> Work:
    work = client.claim(wait_seconds=0)
    assert work
    return work


def script(start: str) -> str:
    """The one script of the page that has this in it."""
    (found,) = (each for each in blocks("python") if start in each)
    return found


def test_the_steps_by_hand_lead_to_a_person_as_the_page_says(halden: Any) -> None:
    key, step, answers = halden.keys["AP-01"], "", []
    for words in curls():
        answer = send(words, key, step)
        assert answer.status_code in (200, 201), answer.content
        answers.append(answer.json())
        step = (answers[-1].get("work") or {}).get("step", step)

    me, _, claim, _ = answers
    shown_me, shown_claim = (json.loads(block) for block in blocks("json")[:2])
    assert me == shown_me
    assert set(claim["work"]) == set(shown_claim["work"])
    assert claim["work"] | {"step": "", "run": ""} == shown_claim["work"] | {"step": "", "run": ""}
    assert Step.objects.get(element="read").note == "Read by hand."
    assert Escalation.objects.get().is_open


def test_the_command_for_a_key_prints_one_that_works(halden: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (command,) = re.findall(r'shell -v 0 -c "\n(.*?)" > var/key.txt', PAGE, re.DOTALL)

    exec(compile(command, "agents.md", "exec"), {})

    key = capsys.readouterr().out.strip()
    assert Client().get("/api/v1/me", headers={"Authorization": f"Bearer {key}"}).json()["code"] == "AP-01"


def test_the_script_of_the_page_works_until_nothing_is_left(
    halden: Any, connect: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "key.txt").write_text(halden.keys["AP-01"])
    monkeypatch.chdir(tmp_path)

    exec(compile(script("start_run"), "agents.md", "exec"), {})

    assert Run.objects.get().key == "hello-2"
    assert Step.objects.get(element="read").output["reason"] == "hello.xml is a greeting."
