"""Workflows are published: a BPMN file is read, checked, and kept as the next version; an older one can come back."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from django.db import transaction
from django.db.models import Max

from agents.models import Principal, Role, Unit
from agents.operations import require
from governance.models import EscalationPath
from observability import ledger
from observability.prepared import PreparedList
from workflows import memory
from workflows.models import Workflow, WorkflowVersion
from workflows.operations.drawn import keep_schedules, listen, wrong_schedules
from workflows.operations.starting import may_start
from workflows.operations.tables import tables_named
from workflows.plan import BpmnInvalid, ElementProblem, Graph, Node, NodeKind, read_bpmn


class BpmnRefused(ledger.Invalid):
    """The drawing cannot be executed; nothing was published. Each element that is wrong is named."""

    code = "bpmn_invalid"


@transaction.atomic
def publish(
    code: str, bpmn: bytes, *, by: ledger.Acts, at: datetime, unit: Unit, owner: Principal,
    incident_path: EscalationPath,
) -> WorkflowVersion:  # fmt: skip
    """The next version of the workflow `code`, without a second person: what the installation itself sets up. The file
    of the newest version again gives that version, unless one of its decision tables has a newer edition. Raises
    BpmnRefused with a reason for every element that cannot run, NotAllowed for anybody but the system."""
    if by is not ledger.SYSTEM:
        raise ledger.NotAllowed("A second person publishes: put the file before one as a draft.")
    existing = Workflow.objects.filter(code=code).first()
    graph = graph_in(bpmn, at=at, unit=existing.unit if existing else unit, workflow=existing)
    workflow, _ = Workflow.objects.get_or_create(
        code=code, defaults={"name": graph.name, "unit": unit, "owner": owner, "incident_path": incident_path}
    )
    lock_workflow(workflow)
    newest = workflow.versions.first()
    graph = _with_tables(workflow, graph)
    if newest is not None and _says_the_same(newest, bpmn, graph):
        return newest
    return keep(workflow, bpmn, graph, author=None, by=by, at=at)


def published_as(workflow: Workflow, bpmn: bytes, *, at: datetime) -> WorkflowVersion | None:
    """The newest version if it has this drawing and the newest edition of each of its decision tables, None otherwise.
    Raises BpmnRefused for what cannot run."""
    newest = workflow.versions.first()
    graph = _with_tables(workflow, graph_in(bpmn, at=at, unit=workflow.unit, workflow=workflow))
    return newest if newest is not None and _says_the_same(newest, bpmn, graph) else None


def _says_the_same(version: WorkflowVersion, bpmn: bytes, graph: Graph) -> bool:
    """Whether a version has this drawing and these editions of its tables."""
    tables = json.loads(json.dumps(graph.to_json().get("tables") or {}))
    same_tables = (version.graph.get("tables") or {}) == tables
    return version.sha256 == hashlib.sha256(bpmn).hexdigest() and same_tables


def lock_workflow(workflow: Workflow) -> None:
    """Hold the workflow until the end of the transaction: two files at once get two numbers."""
    Workflow.objects.select_for_update(of=("self",)).order_by().get(pk=workflow.pk)


@transaction.atomic
def roll_back(version: WorkflowVersion, *, by: ledger.Acts, at: datetime, why: str) -> WorkflowVersion:
    """A new version that says what this older one said, for the runs that start from now on. What it says was
    published before, so one person with the right may do it, with a reason."""
    require(by, "workflows.publish_workflow", version.workflow)
    if not why.strip():
        raise ledger.Invalid("Nothing was published.", fields={"reason": "Say why; the audit trail keeps it."})
    lock_workflow(version.workflow)
    newest = version.workflow.versions.latest("number")
    if newest.sha256 == version.sha256:
        raise ledger.WrongStatus(f"Version {newest.number} is live and says the same as version {version.number}.")
    bpmn, workflow = version.bpmn.encode(), version.workflow
    graph = graph_in(bpmn, at=at, unit=workflow.unit, workflow=workflow)
    return keep(
        workflow, bpmn, graph, author=by if isinstance(by, Principal) else None, by=by, at=at,
        why=why.strip(), restores=version.number,
    )  # fmt: skip


def graph_in(bpmn: bytes, *, at: datetime, unit: Unit, workflow: Workflow | None) -> Graph:
    """The graph of a drawing that can run here. Raises BpmnRefused with a reason for every element that cannot."""
    try:
        bpmn.decode()
        graph = read_bpmn(bpmn)
    except UnicodeDecodeError as wrong:
        raise BpmnRefused(fields={"file": "Save the file as UTF-8."}) from wrong
    except BpmnInvalid as invalid:
        raise refused_for(invalid) from invalid
    problems = found_here(graph, at=at, unit=unit, workflow=workflow)
    if problems:
        raise BpmnRefused(fields={problem.element_id: problem.reason for problem in problems})
    return graph


def refused_for(invalid: BpmnInvalid) -> BpmnRefused:
    """The refusal that names each element and what is wrong with it."""
    told = enumerate(invalid.problems, 1)
    return BpmnRefused(fields={f"{number}. {problem.element_id}": str(problem) for number, problem in told})


def found_here(
    graph: Graph, *, at: datetime, unit: Unit, workflow: Workflow | None
) -> list[ElementProblem]:  # fmt: skip
    """What is wrong with a graph in this company: texts that are too long, roles, paths and spaces that there are not,
    schedules that cannot be read."""
    wrong = wrong_schedules(graph, at=at) | memory.problems_of(graph, unit=unit, workflow=workflow)
    elsewhere = [ElementProblem(name, graph.nodes[name].name, reason) for name, reason in wrong.items()]
    return list(_too_long(graph)) or [*_unknown_names(graph), *elsewhere]


def _with_tables(workflow: Workflow, graph: Graph) -> Graph:
    """The graph with the newest edition of each decision table that it asks; running runs keep what they have."""
    missing = tables_missing(workflow, graph)
    if missing:
        raise BpmnRefused(fields={problem.element_id: problem.reason for problem in missing})
    return replace(graph, tables=tables_named(workflow, _asked(graph)))


def tables_missing(workflow: Workflow, graph: Graph) -> list[ElementProblem]:
    """The steps that ask a decision table which the workflow does not have."""
    asked = _asked(graph)
    there = tables_named(workflow, asked) if asked else {}
    return [
        ElementProblem(node.id, node.name, f"The workflow has no decision table {code}: publish the table first.")
        for code, node in asked.items() if code not in there
    ]  # fmt: skip


def _asked(graph: Graph) -> dict[str, Node]:
    return {node.decision: node for node in graph.nodes.values() if node.kind is NodeKind.RULE_TASK and node.decision}


def _too_long(graph: Graph) -> Iterator[ElementProblem]:
    if len(graph.name) > 200:
        yield ElementProblem("process", "", "The name of the process has more than 200 characters.")
    for node in graph.nodes.values():
        for what, text, most in _bounded(node):
            if len(text) > most:
                said = f"{what} has at most {most} characters, this one {len(text)}."
                yield ElementProblem(node.id[:120], node.name[:60], said)


def _bounded(node: Node) -> tuple[tuple[str, str, int], ...]:
    return (
        ("An id", node.id, 120), ("A name", node.name, 200), ("aos:effect", node.effect, 200),
        ("aos:approve", node.if_approved, 300), ("aos:reject", node.if_rejected, 300),
        ("aos:timeout", node.if_timed_out, 300), ("aos:capability", node.capability, 60),
        ("The name of a message, signal, link or code", node.event_name, 200), ("calledElement", node.calls, 80),
    )  # fmt: skip


def _unknown_names(graph: Graph) -> Iterator[ElementProblem]:
    roles = set(Role.objects.values_list("code", flat=True))
    paths = set(EscalationPath.objects.values_list("key", flat=True))
    for node in graph.nodes.values():
        if node.kind is NodeKind.SERVICE_TASK and node.role and node.role not in roles:
            said = f"No agent role is called {node.role}; roles are {', '.join(sorted(roles))}."
            yield ElementProblem(node.id, node.name, said)
        if node.kind is NodeKind.USER_TASK and node.path not in paths:
            said = f"No escalation path is called {node.path}; paths are {', '.join(sorted(paths))}."
            yield ElementProblem(node.id, node.name, said)


def keep(
    workflow: Workflow, bpmn: bytes, graph: Graph, *, author: Principal | None, by: ledger.Acts, at: datetime,
    approved_by: Principal | None = None, why: str = "", restores: int | None = None,
) -> WorkflowVersion:  # fmt: skip
    """The next version of a workflow that the caller has locked, with the newest edition of each decision table."""
    _require_calls(workflow, graph, author, by)
    graph = _with_tables(workflow, graph)
    last = workflow.versions.aggregate(last=Max("number"))["last"] or 0
    digest = hashlib.sha256(bpmn).hexdigest()
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=last + 1, bpmn=bpmn.decode(), graph=graph.to_json(), sha256=digest, created_at=at,
        author=author, approved_by=approved_by, why=why,
    )  # fmt: skip
    listen(workflow, graph_of(version.pk))
    keep_schedules(workflow, graph_of(version.pk), by=by, at=at)
    verb = "workflow.published" if restores is None else "workflow.restored"
    data = {"version": version.number, "sha256": digest} | ({} if restores is None else {"restores": restores})
    ledger.record(verb, workflow, by=by, at=at, why=why, data=data)
    return version


def _require_calls(workflow: Workflow, graph: Graph, *people: ledger.Acts | None) -> None:
    # A call hands out what the called run leaves behind: who draws or who publishes it could begin such a run as well.
    callers = {node.calls: node for node in graph.nodes.values() if node.calls and node.calls != workflow.code}
    called = Workflow.objects.select_related("unit").filter(code__in=list(callers))
    wrong = {
        callers[each.code].id: f"Who draws or who publishes this may start runs of {each.code}; neither of you may."
        for each in called
        if not _may_call(people, each)
    }
    if wrong:
        raise BpmnRefused(fields=wrong)


def _may_call(people: Iterable[ledger.Acts | None], called: Workflow) -> bool:
    concerned = [each for each in people if isinstance(each, Principal)]
    return not concerned or any(may_start(each, called) for each in concerned)


def require_callable(version: WorkflowVersion, called: Workflow) -> None:
    """Raise NotAllowed for a call of a workflow that came after this version was published, when neither who drew nor
    who published that may start its runs: what there was before was looked at then."""
    first = called.versions.order_by("number").values_list("created_at", flat=True).first()
    is_later = first is not None and first > version.created_at
    if is_later and not _may_call((version.author, version.approved_by), called):
        raise ledger.NotAllowed(
            f"{called.code} came after version {version.number} was published, and neither who drew nor who published "
            "that may start its runs."
        )


def newest_version(workflow: Workflow) -> WorkflowVersion:
    """The version with which runs start now, without its drawing. Raises Invalid when none is published."""
    found = _NEWEST.all(workflow=workflow.pk)
    if not found:
        raise ledger.Invalid(f"{workflow} has no published version.")
    return found[0]


_NEWEST: PreparedList[WorkflowVersion] = PreparedList(
    lambda workflow: WorkflowVersion.objects.filter(workflow=workflow).defer("bpmn", "graph").order_by("-number")[:1],
    workflow=int,
)


@lru_cache(maxsize=256)
def graph_of(version_id: int) -> Graph:
    """The graph of a version; versions never change, so each process reads it once."""
    return Graph.from_json(WorkflowVersion.objects.values_list("graph", flat=True).get(pk=version_id))
