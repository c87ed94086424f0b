"""Workflows are published: a BPMN file is read, checked, and kept as the next version."""

import hashlib
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import Max

from agents.models import Principal, Role, Unit
from agents.operations import require
from governance.models import EscalationPath
from observability import ledger
from workflows.models import Workflow, WorkflowVersion
from workflows.operations.tables import tables_named
from workflows.plan import BpmnInvalid, Graph, Node, NodeKind, read_bpmn


class BpmnRefused(ledger.Invalid):
    """The file cannot be executed and was not saved."""

    code = "bpmn_invalid"


@transaction.atomic
def publish(
    code: str, bpmn: bytes, *, by: ledger.Acts, at: datetime, unit: Unit, owner: Principal,
    incident_path: EscalationPath,
) -> WorkflowVersion:  # fmt: skip
    """The next version of the workflow `code`; the same file again gives the version it already is. Raises
    BpmnRefused with a reason for every element that cannot be executed."""
    existing = Workflow.objects.filter(code=code).first()
    require(by, "workflows.publish_workflow", existing)
    graph = _graph(bpmn)
    workflow, _ = Workflow.objects.get_or_create(
        code=code, defaults={"name": graph.name, "unit": unit, "owner": owner, "incident_path": incident_path}
    )
    Workflow.objects.select_for_update().get(pk=workflow.pk)  # two files at once get two numbers
    graph = _with_tables(workflow, graph)
    digest = hashlib.sha256(bpmn).hexdigest()
    same = workflow.versions.filter(sha256=digest).first()
    return same or _keep(workflow, bpmn, graph.to_json(), digest, by, at)


def _graph(bpmn: bytes) -> Graph:
    try:
        bpmn.decode()
        graph = read_bpmn(bpmn)
    except UnicodeDecodeError as wrong:
        raise BpmnRefused(fields={"file": "Save the file as UTF-8."}) from wrong
    except BpmnInvalid as invalid:
        fields = {f"{n}. {problem.element_id}": str(problem) for n, problem in enumerate(invalid.problems, 1)}
        raise BpmnRefused(fields=fields) from invalid
    problems = _too_long(graph) or _unknown_names(graph)
    if problems:
        raise BpmnRefused(fields=problems)
    return graph


def _with_tables(workflow: Workflow, graph: Graph) -> Graph:
    """The graph with the newest edition of each decision table that it asks; running runs keep what they have."""
    codes = {node.decision: node.id for node in graph.nodes.values() if node.kind is NodeKind.RULE_TASK}
    tables = tables_named(workflow, codes)
    absent = [code for code in codes if code not in tables]
    missing = {codes[code]: f"The workflow has no decision table {code}: publish the table first." for code in absent}
    if missing:
        raise BpmnRefused(fields=missing)
    return replace(graph, tables=tables)


def _too_long(graph: Graph) -> dict[str, str]:
    wrong = {"process": "The name of the process has more than 200 characters."} if len(graph.name) > 200 else {}
    for node in graph.nodes.values():
        for what, text, most in _bounded(node):
            if len(text) > most:
                wrong[node.id[:120]] = f"{what} has at most {most} characters, this one {len(text)}."
    return wrong


def _bounded(node: Node) -> tuple[tuple[str, str, int], ...]:
    return (
        ("An id", node.id, 120), ("A name", node.name, 200), ("aos:effect", node.effect, 200),
        ("aos:approve", node.if_approved, 300), ("aos:reject", node.if_rejected, 300),
        ("aos:timeout", node.if_timed_out, 300), ("aos:capability", node.capability, 60),
        ("The name of a message, signal, link or code", node.event_name, 200), ("calledElement", node.calls, 80),
    )  # fmt: skip


def _unknown_names(graph: Graph) -> dict[str, str]:
    roles = set(Role.objects.values_list("code", flat=True))
    paths = set(EscalationPath.objects.values_list("key", flat=True))
    wrong = {}
    for node in graph.nodes.values():
        if node.kind is NodeKind.SERVICE_TASK and node.role and node.role not in roles:
            wrong[node.id] = f"No agent role is called {node.role}; roles are {', '.join(sorted(roles))}."
        if node.kind is NodeKind.USER_TASK and node.path not in paths:
            wrong[node.id] = f"No escalation path is called {node.path}; paths are {', '.join(sorted(paths))}."
    return wrong


def _keep(
    workflow: Workflow, bpmn: bytes, graph: dict[str, Any], digest: str, by: ledger.Acts, at: datetime
) -> WorkflowVersion:
    last = workflow.versions.aggregate(last=Max("number"))["last"] or 0
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=last + 1, bpmn=bpmn.decode(), graph=graph, sha256=digest, created_at=at,
        author=by if isinstance(by, Principal) else None,
    )  # fmt: skip
    ledger.record("workflow.published", workflow, by=by, at=at, data={"version": version.number, "sha256": digest})
    return version


@lru_cache(maxsize=256)
def graph_of(version_id: int) -> Graph:
    """The graph of a version; versions never change, so each process reads it once."""
    return Graph.from_json(WorkflowVersion.objects.values_list("graph", flat=True).get(pk=version_id))
