"""docs/first-policy.md, step by step: from an empty page to a rule that the next question meets."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from governance.models import Decision, PolicyVersion
from governance.operations import policies
from governance.rules.texts import read_text
from tests.docs import test_credentials_page as commands
from tests.policies import look_at_replay

PAGE = (Path(__file__).parents[2] / "docs" / "first-policy.md").read_text()
KEY = "finance.no-order"


def shown(mark: str) -> str:
    """The example below the comment `mark`."""
    found = re.search(rf"<!-- {mark} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    assert found, f"the page has no example marked {mark}"
    return found[1]


def words_of(mark: str) -> list[list[str]]:
    """The words of each command of an example."""
    return [shlex.split(line) for line in shown(mark).replace("\\\n", " ").splitlines() if line.strip()]


def send(sign_in: Any, words: list[str]) -> Any:
    """The answer to a curl command of the page, sent by the person whose file it names."""
    person = sign_in(words[words.index("-K") + 1].removesuffix(".curl"))
    path = next(word for word in words if word.startswith("$SERVER")).removeprefix("$SERVER/api/v1/")
    body = words[words.index("-d") + 1] if "-d" in words else ""
    if not body:
        return person.call("get", path)
    asked = {"text": shown("policy"), "unit": "finance"} if body == "@policy.json" else json.loads(body)
    return person.call("post", path, asked, match="*" if "If-Match: *" in words else "")


def test_the_policy_of_the_page_is_whole(halden: Any) -> None:
    assert policies.problems_of(shown("policy")) == []
    assert [each for each in policies.tests_of(read_text(shown("policy"))) if not each.passed] == []


def test_from_an_empty_page_to_a_rule_that_the_next_question_meets(
    halden: Any, sign_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (watch,) = words_of("watch")
    key = {"KEY": halden.keys["AP-04"]}
    assert commands.send(watch, **key).json()["effect"] == "allow", "nothing asks before"

    (warning,), (draft,), (bench,) = (words_of(mark) for mark in ("warning", "draft", "bench"))
    refused = send(sign_in, warning)
    assert refused.status_code == 400
    assert "Did you mean `context.amount`?" in refused.content.decode()
    assert not PolicyVersion.objects.filter(policy__key=KEY).exists()
    (body,) = words_of("body")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no-order.yaml").write_text(shown("policy"))
    assert json.loads(commands.printed(body[2])) == {"text": shown("policy"), "unit": "finance"}
    kept = send(sign_in, draft)
    assert (kept.status_code, kept.json()["version"]) == (201, 1), kept.content
    tried = send(sign_in, bench)
    assert tried.status_code == 200, tried.content
    assert "no-order" in tried.content.decode()

    ask, approve, gate, activate = words_of("life")
    for step in (ask, approve):
        answer = send(sign_in, step)
        assert answer.status_code == 200, answer.content
    assert send(sign_in, gate).status_code == 200
    look_at_replay(sign_in("daniel"), 1, KEY)
    before = Decision.objects.count()
    assert send(sign_in, activate).json()["status"] == "active"

    told = commands.send(watch, **key).json()
    assert (told["effect"], told["rule"]) == ("escalate", "no-order")
    assert Decision.objects.count() == before + 1


def test_the_same_from_a_file_waits_for_a_second_person(
    halden: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no-order.yaml").write_text(shown("policy"))

    for words in words_of("command"):
        assert words[:2] == [".venv/bin/python", "manage.py"]
        call_command(*words[2:])

    version = PolicyVersion.objects.get(policy__key=KEY)
    assert (version.status, str(version.author_id and version.author.username)) == ("in_review", "daniel")
