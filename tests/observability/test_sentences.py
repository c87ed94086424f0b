"""Every verb that the product records can be read as a sentence."""

import re
from pathlib import Path

import pytest

from observability.models import Event
from observability.templatetags.ledger import DEEDS, inert, sentence

ROOT = Path(__file__).parents[2]
RECORDED = re.compile(r"""(?:verb=|record\(\s*|Status\.\w+: )f?"([a-z_]+\.[a-z_]+)\"""")


def recorded_verbs() -> set[str]:
    """The verbs written out in the operations of all apps."""
    files = [
        path for app in ("agents", "governance", "observability", "workflows") for path in (ROOT / app).rglob("*.py")
    ]
    return {verb for path in files for verb in RECORDED.findall(path.read_text())}


def test_each_recorded_verb_has_words() -> None:
    told = {name.partition(":")[0] for name in DEEDS}

    assert len(recorded_verbs()) > 25
    assert recorded_verbs() <= told


@pytest.mark.parametrize(
    "verb, after, data, words",
    [
        ("step.finished", "done", {}, "ada finished “Read”"),
        ("step.failed", "ready", {}, "ada did not succeed with “Read”; it is tried again"),
        ("run.finished", "done", {"outcome": "Paid"}, "ada finished run Read: Paid"),
        ("run.finished", "done", {}, "ada finished run Read"),
        ("control.changed", "paused", {}, "ada paused all work"),
        (
            "grant.given",
            "",
            {"permission": "agents.pay_in_system", "on": "Payables"},
            "ada gave Read the right to pay in Payables",
        ),
        ("novel.thing_done", "", {}, "ada novel thing done: Read"),
    ],
)
def test_an_event_reads_as_a_sentence(verb: str, after: str, data: dict[str, str], words: str) -> None:
    event = Event(verb=verb, after=after, data=data, actor_name="ada", subject_name="Read")

    assert sentence(event) == words


def test_hidden_characters_are_shown_and_braces_do_nothing() -> None:
    event = Event(verb="escalation.opened", actor_name="ada", subject_name="Pay \u202e{x.y}")

    assert sentence(event) == "ada asks a person: Pay <U+202E>{x.y}"
    assert inert("a\u200bb\x00\n") == "a<U+200B>b<U+0000>\n"
    assert inert(None) == ""
