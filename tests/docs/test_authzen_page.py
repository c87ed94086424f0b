"""docs/authzen.md and docs/decision-record.md: what curl sends is answered, every field and code is told."""

import json
import re
from pathlib import Path
from typing import Any

from governance.models import Decision
from governance.operations import decisions, requests
from governance.rules.obligations import TYPES
from tests.docs import test_credentials_page as commands

DOCS = Path(__file__).parents[2] / "docs"
PAGE, RECORD = (DOCS / "authzen.md").read_text(), (DOCS / "decision-record.md").read_text()


def curls() -> list[list[str]]:
    """The words of each curl command of the page, in order; a body may go over several lines."""
    shown = "\n".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)).replace("\\\n", " ")
    found = re.findall(r"^(curl (?:[^'\n]|'[^']*')*)$", shown, re.MULTILINE)
    return [commands.shlex.split(each) for each in found]


def test_what_curl_sends_is_answered_as_told(halden: Any) -> None:
    known = {"KEY": halden.keys["AP-04"]}
    one, metadata, several, ask, look, cancel, search = curls()

    told = commands.send(one, **known).json()
    assert told["context"]["rule"] == "ip-limit"
    shown = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])  # type: ignore[index]
    assert set(shown["context"]) <= set(told["context"])
    assert commands.send(metadata).json()["policy_decision_point"] == "http://127.0.0.1:8000"
    assert len(commands.send(several, **known).json()["evaluations"]) == 2
    known["EVALUATION"] = told["context"]["evaluation_id"]
    task = commands.send(ask, **known)
    assert task.status_code == 201, task.content
    known["TASK"] = task.json()["task"]["id"]
    assert commands.send(look, **known).json()["task"]["status"] == "pending"
    assert commands.send(cancel, **known).json()["task"]["status"] == "cancelled"
    assert commands.send(search, **known).status_code == 200


def test_every_field_rule_and_code_is_told() -> None:
    fields = {field.name for field in Decision._meta.concrete_fields} - {"id"}
    assert fields <= set(re.findall(r"`([a-z_0-9]+)`", RECORD))
    source = Path(decisions.__file__).read_text()
    built_in = set(re.findall(r'_denied\(.*?"([a-z-]+)"\)', source)) | {decisions.NOT_EVALUATED}
    assert built_in <= set(re.findall(r"\| `([a-z-]+)` \|", RECORD))
    codes = set(re.findall(r'code = "(\w+)"', Path(requests.__file__).read_text()))
    assert codes == set(re.findall(r"^\| `(\w+)` \| \d", PAGE, re.MULTILINE))
    assert all(f"`{each}`" in PAGE for each in TYPES)
