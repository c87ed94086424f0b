"""Shape of coordination: a run's time line and log, and the states that a workflow's drawing shows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from observability.models import Event
from observability.templatetags.ledger import inert, sentence
from workflows.models import Run, Step
from workflows.plan import Graph

AGENT, PERSON, FAILED = "agent", "person", "failed"
BEGINS = {"step.claimed": AGENT, "step.waits": PERSON, "step.opened:waiting": PERSON, "step.failed:failed": PERSON,
          "step.reclaimed:failed": PERSON}  # fmt: skip
TONES = {
    "step.finished": "done", "run.finished": "done", "run.failed": "fail", "run.cancelled": "fail",
    "step.failed": "fail",
    "step.reclaimed": "fail", "escalation.opened": "wt", "escalation.passed_on": "wt", "escalation.expired": "fail",
    "escalation.approved": "done", "escalation.rejected": "fail", "decision.made:allow": "done",
    "decision.made:escalate": "wt", "decision.made:deny": "fail",
}  # fmt: skip
TOLD = {
    "run.started", "run.paused", "run.resumed", "run.variable_changed", "run.moved", "run.migrated", "run.restarted",
    "step.skipped", "step.reassigned", "step.hurried", "step.returned", "step.retried", "step.resolved",
    "escalation.seconded", "escalation.withdrawn", "fact.stored", *(verb.partition(":")[0] for verb in TONES),
}  # fmt: skip


def run_states(run: Run, rows: Iterable[TimeRow], who: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What each element of the drawing shows about one run; the newest step of an element counts. `who` says by element
    who does it, see `doers`."""
    found: dict[str, dict[str, Any]] = {element: {"sub": name} for element, name in who.items()}
    for row in rows:
        found[row.step.element] = {**found.get(row.step.element, {}), **_element_state(row)}
    last_end = run.marking.get("last_end", "")
    if last_end:
        found[last_end] = {"state": "done"}
    return found


def doers(graph: Graph, roles: Mapping[str, str], paths: Mapping[str, str]) -> dict[str, str]:
    """Who does each task: the name of the role or of the path, by element."""
    named = {node.id: roles.get(node.role) or paths.get(node.path) for node in graph.nodes.values()}
    return {element: name for element, name in named.items() if name}


def _element_state(row: TimeRow) -> dict[str, Any]:
    step = row.step
    state, word = STATES[Step.Status(step.status)]
    kind = PERSON if step.kind == Step.Kind.PERSON or step.status == Step.Status.WAITING else AGENT
    shown: dict[str, Any] = {"state": state, "word": word}
    if state:
        shown["seconds"] = row.total(kind).total_seconds()
    if step.agent is not None:
        shown["sub"] = str(step.agent)
    if step.escalation is not None:
        shown["url"] = reverse("escalation", args=[step.escalation.uid])
    return shown


def workflow_states(counts: Iterable[tuple[str, str, int]], who: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What each element shows about all runs under way, from (element, step status, count) and `doers`."""
    pots: dict[str, dict[str, int]] = defaultdict(dict)
    for element, status, count in counts:
        pots[element][status] = count
    found: dict[str, dict[str, Any]] = {element: {"sub": name} for element, name in who.items()}
    for element, pot in pots.items():
        found[element] = {**found.get(element, {}), **_crowd(pot)}
    return found


def _crowd(pot: Mapping[str, int]) -> dict[str, Any]:
    waiting, failed = pot.get(Step.Status.WAITING, 0), pot.get(Step.Status.FAILED, 0)
    working = pot.get(Step.Status.READY, 0) + pot.get(Step.Status.WORKING, 0)
    parts = [
        f"{count} {word}" for count, word in ((failed, "failed"), (waiting, "waiting"), (working, "running")) if count
    ]
    state = "failed" if failed else "waiting" if waiting else "running"
    return {"state": state, "word": ", ".join(parts)}
