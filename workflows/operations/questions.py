"""The questions that work puts to people: a step of theirs, or work that failed."""

import hashlib
from datetime import datetime
from typing import Any

import rfc8785
from django.utils.text import Truncator
from django.utils.timezone import get_default_timezone

from agents.models import Principal
from governance import operations as governance
from governance.models import Escalation, EscalationPath, Risk
from observability import ledger
from workflows.models import Run, Step
from workflows.operations.definitions import graph_of
from workflows.plan import INPUT, EventKind, Graph, Node
from workflows.plan.times import read_length

LIKENESS_AT_MOST = 200
RISKS = {"low": Risk.LOW, "medium": Risk.MEDIUM, "high": Risk.HIGH}


def ask_about_step(step: Step, *, at: datetime) -> None:
    """Put a step of a person to the people of its path."""
    run, graph = step.run, graph_of(step.run.version_id)
    node = graph.nodes[step.element]
    loop = {} if step.index is None else {"index": step.index, "item": step.item}
    asked = governance.Asked(
        kind=Escalation.Kind.STEP, title=graph.title(node.id, run.variables, loop)[:300],
        path=EscalationPath.objects.get(key=node.path),
        risk=RISKS.get(node.risk, Risk.MEDIUM), effect=node.effect, seconds=_seconds(graph, node, at),
        likeness=f"{run.workflow.code}:{node.id}"[:LIKENESS_AT_MOST],
        reason_asked=f"The workflow asks a person at “{step.name}”.",
        if_approved=node.if_approved, if_rejected=node.if_rejected, if_nobody=node.if_timed_out,
        shown=_shown(graph, run), evidence=_evidence(run), not_by=requester(run), **_about(run, step),
    )  # fmt: skip
    _open(step, asked, at)


def ask_about_incident(step: Step, *, reason: str, at: datetime) -> None:
    """Put failed work to the people who look after the workflow: approve to try again, reject to give up."""
    run = step.run
    asked = governance.Asked(
        kind=Escalation.Kind.INCIDENT, path=run.workflow.incident_path,
        title=f"Try “{Truncator(step.name).chars(130)}” of {Truncator(run.key).chars(130)} again?",
        likeness=f"{run.workflow.code}:incident:{step.element}"[:LIKENESS_AT_MOST], reason_asked=reason,
        if_approved="The step is tried again.",
        if_rejected="The run ends as failed.", if_nobody="The run ends as failed.", **_about(run, step),
    )  # fmt: skip
    _open(step, asked, at)


def ask_about_limit(step: Step, *, reason: str, at: datetime) -> None:
    """Put a limit that a run passed to the people who look after the workflow: approve to let it go on."""
    run = step.run
    asked = governance.Asked(
        kind=Escalation.Kind.INCIDENT, path=run.workflow.incident_path,
        title=f"Let {Truncator(run.key).chars(250)} go on?",
        likeness=f"{run.workflow.code}:limit"[:LIKENESS_AT_MOST], reason_asked=reason,
        if_approved="The run goes on, with as much again as it was allowed.",
        if_rejected="The run ends as failed.", if_nobody="The run ends as failed.", **_about(run, step),
    )  # fmt: skip
    _open(step, asked, at)


def requester(run: Run) -> tuple[Principal, ...]:
    """The person who started the run and therefore does not decide in it; empty when an agent did."""
    starter = run.started_by
    return (starter,) if starter is not None and starter.is_person else ()


def _open(step: Step, asked: governance.Asked, at: datetime) -> None:
    step.escalation = governance.open_escalation(asked, by=ledger.SYSTEM, at=at)
    step.save(update_fields=["escalation"])
    step.run.people_asked += 1
    step.run.save(update_fields=["people_asked"])


def _about(run: Run, step: Step) -> dict[str, Any]:
    request = {"run": str(run.uid), "step": str(step.uid), "element": step.element, "variables": run.variables}
    place = governance.Place(
        workflow=run.workflow.code,
        workflow_name=run.workflow.name,
        run=str(run.uid),
        run_key=run.key,
        step=str(step.uid),
    )
    digest = hashlib.sha256(rfc8785.dumps(request)).hexdigest()
    return {"unit": run.unit, "request": request, "request_sha256": digest, "place": place}


def _seconds(graph: Graph, node: Node, at: datetime) -> int | None:
    timers = [each for each in (graph.nodes[name] for name in node.boundaries) if each.event is EventKind.TIMER]
    return min((_length(each, at) for each in timers if each.interrupting and each.duration_seconds), default=None)


def _length(timer: Node, at: datetime) -> int:
    length = read_length(timer.duration) if timer.duration else None
    if length is None:
        return timer.duration_seconds
    return int((length.after(at, get_default_timezone()) - at).total_seconds())


def _shown(graph: Graph, run: Run) -> list[dict[str, str]]:
    shown = []
    for element, values in run.variables.items():
        node = graph.start if element == INPUT else graph.nodes.get(element)
        shown += [
            {"label": output.label or output.name, "value": str(values[output.name]), "group": element}
            for output in (node.outputs if node else ())
            if output.name in values
        ]
    return shown


def _evidence(run: Run) -> list[dict[str, Any]]:
    done = run.steps.filter(status=Step.Status.DONE).select_related("agent")
    return [
        {"kind": "step", "name": step.name, "proves": step.note or "Finished.", "by": str(step.agent or "")}
        for step in done
    ]  # fmt: skip
