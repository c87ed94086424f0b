"""docs/agents.md, step by step: what curl sends is answered as shown, and the scripts run on the real client."""

import itertools
import json
import re
import shlex
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from autonomy_client import Autonomy, Work
from django.test import Client

from governance.models import Escalation
from workflows.models import Fact, Run, Step

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


def served(request: httpx.Request) -> httpx.Response:
    """What the server answers, in this process and in the test's transaction."""
    headers = {name.title(): value for name, value in request.headers.items()}
    kind = headers.pop("Content-Type", "")
    answer = Client().generic(
        request.method, request.url.raw_path.decode(), request.content, content_type=kind, headers=headers
    )
    return httpx.Response(answer.status_code, content=answer.content, headers=dict(answer.items()))


@pytest.fixture
def connect(halden: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Autonomy]]:
    """`connect("AP-01")` gives that agent's client; the same for every client that a script makes."""
    real = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **given: real(**given | {"transport": httpx.MockTransport(served)}))
    made: list[Autonomy] = []

    def connected(code: str) -> Autonomy:
        made.append(Autonomy("http://127.0.0.1:8000", halden.keys[code]))
        return made[-1]

    yield connected
    for each in made:
        each.close()


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


def test_the_question_of_the_page_is_put_to_a_person(halden: Any, connect: Any) -> None:
    reader, matcher, scout, clerk = (connect(code) for code in ("AP-01", "AP-02", "RK-01", "AP-04"))
    reader.start_run("invoice-to-payment", key="2026-1187", input={"document": "1187.xml"})
    reader.finish(claimed(reader), READ)
    matcher.finish(claimed(matcher), {"matched": True})
    scout.finish(claimed(scout), {"findings": 0})

    names: dict[str, Any] = {"autonomy": clerk, "work": claimed(clerk), "sha256": "0" * 64}
    exec(compile(script("autonomy.ask("), "agents.md", "exec"), names)

    assert names["decision"].waits_for_a_person
    assert Escalation.objects.get().title == "Pay EUR 9,000.00 to Kessler Maschinenbau GmbH"


def test_what_the_page_remembers_is_not_looked_up_again(halden: Any, connect: Any) -> None:
    reader, matcher = connect("AP-01"), connect("AP-02")
    reader.start_run("invoice-to-payment", key="2026-1187", input={"document": "1187.xml"})
    reader.finish(claimed(reader), READ)
    looked: list[str] = []

    def look_up(order: str) -> dict[str, str]:
        looked.append(order)
        return {"order": order}

    names: dict[str, Any] = {"autonomy": matcher, "work": claimed(matcher), "look_up": look_up}
    for _ in range(2):
        exec(compile(script("autonomy.recall("), "agents.md", "exec"), names)

    assert looked == ["PO-2026-3007"]
    assert Fact.objects.get().value == {"order": "PO-2026-3007"}
