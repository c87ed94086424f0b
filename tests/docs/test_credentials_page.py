"""docs/credentials.md, step by step: what curl sends is answered as shown, and its scripts do what it says."""

import contextlib
import io
import itertools
import json
import re
import shlex
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from joserfc.jwk import ECKey

from agents.rules import SCOPES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "credentials.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
HOST = {"HTTP_HOST": "127.0.0.1:8000"}


def script(mark: str, page: str = PAGE) -> str:
    found = re.search(rf"<!-- {mark} -->\n```python\n(.*?)```", page, re.DOTALL)
    assert found
    return found[1]


def printed(source: str) -> str:
    """What a script of the page prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(source, "credentials.md", "exec"), {})
    return out.getvalue().strip()


def curls() -> list[list[str]]:
    """The words of each curl command of the page, in order."""
    shown = "\n".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)).replace("\\\n", " ")
    return [shlex.split(line) for line in shown.splitlines() if line.strip().startswith("curl")]


def send(words: list[str], **known: str) -> Any:
    """The server's answer to a curl command; `$NAME` stands for what is known by that name."""

    def filled(text: str) -> str:
        text = text.replace("$(date +%s%N)", str(uuid.uuid4())).replace("$SERVER", "")
        return re.sub(r"\$([A-Z]+)", lambda name: known[name[1]], text)

    pairs = list(itertools.pairwise(words))
    headers = dict(filled(value).split(": ", 1) for option, value in pairs if option == "-H")
    data = [filled(value) for option, value in pairs if option == "-d"]
    path = filled(next(word for word in words if "$SERVER" in word))
    if kind := headers.pop("Content-Type", ""):
        return Client(**HOST).post(path, data[0], content_type=kind, headers=headers)
    if data:
        form = urlencode([tuple(each.split("=", 1)) for each in data])
        return Client(**HOST).post(path, form, content_type="application/x-www-form-urlencoded", headers=headers)
    return Client(**HOST).get(path, headers=headers)


def test_the_commands_of_the_page_work_as_written(
    halden: Any, sign_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "var").mkdir()
    monkeypatch.chdir(tmp_path)
    rotate, token, me, exchange, card = curls()
    assert send(rotate, KEY=halden.keys["AP-01"]).json()["key"].startswith("aos_live_")

    sign = script("assertion")
    first = printed(sign)
    (command,) = re.findall(r'shell -v 0 -c "\n(.*?)"\n', PAGE, re.DOTALL)
    exec(compile(command, "credentials.md", "exec"), {})
    answer = send(token, ASSERTION=first)
    assert answer.status_code == 200, answer.content
    (shown,) = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
    assert {**answer.json(), "access_token": ""} == {**shown, "access_token": ""}
    text = answer.json()["access_token"]
    assert send(me, TOKEN=text).json()["code"] == "AP-01"
    assert send(card, TOKEN=text).json()["signatures"]

    body = json.loads(re.findall(r"`(\{\"agent\".*?\})`", PAGE)[0])
    consent = sign_in("maria").call("post", "me/delegated-tokens", body).json()["subject_token"]
    exchanged = send(exchange, ASSERTION=printed(sign), CONSENT=consent)
    assert exchanged.status_code == 200, exchanged.content
    assert send(me, TOKEN=exchanged.json()["access_token"]).json()["code"] == "AP-01"
    assert (tmp_path / "var" / "private.json").stat().st_mode & 0o077 == 0


def test_the_page_names_every_scope() -> None:
    (table,) = re.findall(r"## Scopes\n\n(.*?)\n\n", PAGE, re.DOTALL)

    assert set(re.findall(r"`([a-z:]+)`", table)) == set(SCOPES)


def test_the_script_for_a_signing_key_makes_one_that_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from autonomy_site import environment

    made = printed(script("signing-key", OPERATIONS))
    monkeypatch.setenv("TOKEN_SIGNING_KEY", made)
    (key,) = environment.signing_keys()

    assert key["kid"] == ECKey.import_key(json.loads(made)).kid
