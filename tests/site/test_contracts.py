"""Promises of the code about itself: statuses change in the ledger alone, verbs are past facts, events have actors."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from observability.models import Event
from workflows.operations import writing

APPS = ("agents", "governance", "workflows", "observability")
VERB = re.compile(r"[a-z_]+\.[a-z_]+")


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the four apps but migrations, by its path."""
    for app in APPS:
        for path in sorted((Path(settings.BASE) / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(settings.BASE)), ast.parse(path.read_text())


def calls(tree: ast.Module, *names: str) -> Iterator[ast.Call]:
    """Calls of a method or function with one of these names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in names:
                yield node


def writes_of_a_status(tree: ast.Module) -> Iterator[int]:
    """Lines that set a status other than at creation: `x.status = ...`, `update(status=...)`, `save(["status"])`, and
    every swap, whatever it swaps: of one row or of many."""
    for node in ast.walk(tree):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        )
        if any(isinstance(target, ast.Attribute) and target.attr == "status" for target in targets):
            yield node.lineno
    for call in calls(tree, "update", "update_or_create", "setattr", "bulk_update", "save"):
        words = [each.value for each in ast.walk(call) if isinstance(each, ast.Constant)]
        if any(keyword.arg == "status" for keyword in call.keywords) or "status" in words:
            yield call.lineno
    yield from (call.lineno for call in calls(tree, "swap", "swap_all"))


def test_a_status_is_written_by_the_ledger_alone() -> None:
    found = {path: list(writes_of_a_status(tree)) for path, tree in modules()}

    writers = {path for path, lines in found.items() if lines}
    # How far runs are is written by a swap as well, of named columns, none of which is a status.
    writers -= {"observability/prepared.py", "workflows/operations/writing.py"}
    assert writers == {"observability/ledger/writing.py"}, {path: found[path] for path in writers}
    assert "status" not in writing.KEPT


def test_the_test_above_sees_what_it_should() -> None:
    wrong = "step.status = 1\nrows.update(status=1)\nrow.save(update_fields=['status'])\nsetattr(row, 'status', 1)"
    wrong += "\nSwap(Step).swap(1, before, changes)"

    assert sorted(writes_of_a_status(ast.parse(wrong))) == [1, 2, 3, 4, 5]
    assert not list(writes_of_a_status(ast.parse("rows.filter(status='done').update(why='x')\nRow(status='new')")))


def verbs(tree: ast.Module) -> Iterator[str]:
    """The verbs that a module records, those put together at run time with `x` in the gap."""
    for call in calls(tree, "record", "move", "close_step", "_give_back"):
        said = [keyword.value for keyword in call.keywords if keyword.arg == "verb"]
        if getattr(call.func, "attr", "") == "record":
            said += call.args[:1]
        for value in said:
            if isinstance(value, ast.Constant):
                yield str(value.value)
            elif isinstance(value, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in value.values)


def test_every_verb_is_a_past_fact() -> None:
    found = {verb for _, tree in modules() for verb in verbs(tree)}

    assert len(found) > 25
    assert {"run.started", "escalation.x", "agent.paused"} <= found
    assert [verb for verb in found if not VERB.fullmatch(verb)] == []


def test_every_event_of_a_whole_path_has_an_actor_a_subject_and_a_unit(
    bring: Any, robot: Any, question: Any, sign_in: Any
) -> None:
    bring(findings=1)
    priya, clerk = sign_in("priya"), robot("AP-04")
    (asked,) = priya.call("get", "escalations").json()["results"]
    priya.call("post", f"escalations/{asked['id']}/approve", {"request_sha256": asked["request_sha256"]})
    work = clerk.claim()
    clerk.call("post", "actions", question(work, amount="1"))
    clerk.finish(work, paid=True)

    for event in Event.objects.all():
        assert VERB.fullmatch(event.verb), event.verb
        assert event.actor_kind in ("person", "agent", "system"), event.verb
        assert event.actor_id, event.verb
        assert event.actor_name, event.verb
        assert event.subject_kind, event.verb
        assert event.subject_id, event.verb
        assert event.unit, event.verb
    of_run = Event.objects.exclude(run="").filter(run=Event.objects.get(verb="run.started").run)
    assert {"run.started", "step.claimed", "decision.made", "escalation.approved", "run.finished"} <= {
        event.verb for event in of_run
    }
