"""A run begins: asked for by a person or an agent, called by another run, or by what was waited for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from agents.models import Agent, Principal
from agents.operations import require, require_at_work
from governance import operations as governance
from observability import ledger
from observability.prepared import Insertion, Prepared
from workflows.models import Run, Workflow
from workflows.operations.definitions import graph_of, newest_version
from workflows.operations.runs.going import happen
from workflows.operations.runs.rows import checked_values
from workflows.plan import EventKind, Node, Started


@dataclass(frozen=True)
class Origin:
    """What else a run begins with: the start event, the run that called it and from where, how deep that is, the person
    for whom it is, who then decides nothing in it, whether it takes nothing from shared memory, and how important it
    is."""

    start: str = ""
    parent: Run | None = None
    parent_token: int = 0
    depth: int = 0
    starter: Principal | None = None
    works_anew: bool = False
    priority: int = 0


PLAIN = Origin()
_NEW_RUN = Insertion(Run)
_STARTED = Prepared(lambda workflow, key: Run.objects.filter(workflow=workflow, key=key), "key", workflow=int)


def start(
    workflow: Workflow,
    *,
    key: str,
    variables: Mapping[str, Any],
    by: ledger.Acts,
    at: datetime,
    works_anew: bool = False,
    priority: int = 0,
) -> tuple[Run, bool]:
    """A run of the newest version for the business key, and whether it is new: the same key gets the run it has. One
    that `works_anew` takes nothing from shared memory. Raises Paused where work is paused: whoever wants the run keeps
    what it is about, and asks again."""
    require(by, "workflows.start_workflow", workflow)
    if isinstance(by, Agent):
        require_at_work(by, at=at)
    origin = Origin(works_anew=works_anew, priority=priority)
    return begin(workflow, key=key, variables=variables, by=by, at=at, origin=origin)


def begin(
    workflow: Workflow, *, key: str, variables: Mapping[str, Any], by: ledger.Acts, at: datetime, origin: Origin = PLAIN
) -> tuple[Run, bool]:
    """The same for whoever needs no right of its own: a schedule, a call, a message."""
    existing = _STARTED.first(workflow=workflow.pk, key=key)
    if existing is not None:
        return existing, False
    try:
        with transaction.atomic():
            return _begin(workflow, key, variables, by, at, origin), True
    except IntegrityError:
        return workflow.runs.get(key=key), False


def _begin(
    workflow: Workflow, key: str, variables: Mapping[str, Any], by: ledger.Acts, at: datetime, origin: Origin
) -> Run:
    agent = by if isinstance(by, Agent) else None
    reach = governance.reach_of(agent, workflow=workflow.code, path=workflow.unit.path)
    glance = governance.glance_now()
    governance.require_running(reach, governance.stops_for_work(at) if glance.stops else (), at=at)
    version = newest_version(workflow)
    graph = graph_of(version.pk)
    element = origin.start or graph.start.id
    inputs = _inputs(graph.nodes[element], version.pk, variables)
    run = Run(
        key=key, workflow=workflow, version=version, unit=workflow.unit, variables=inputs, started_at=at,
        started_by=origin.starter or _person(by), parent=origin.parent, parent_token=origin.parent_token,
        depth=origin.depth, works_anew=origin.works_anew, priority=origin.priority,
    )  # fmt: skip
    _NEW_RUN.insert(run)
    if glance.budgets:
        spender = governance.Spender(agent, workflow.unit, workflow.code, str(run.uid))
        governance.count_run(spender=spender, what=f"Run {run.key}", at=at)
    with ledger.gathered():
        ledger.record("run.started", run, by=by, at=at, after=run.status, data={"version": version.number})
        happen(run, Started(start=origin.start), by=by, at=at)
    return run


def _inputs(node: Node, version_id: int, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The first variables of a run: what a message or signal carries stands under its event as well, and of more than
    the event declares only what it does."""
    if node.event not in (EventKind.MESSAGE, EventKind.SIGNAL):
        return {"input": checked_values(version_id, node.id, variables)}
    declared = {output.name for output in node.outputs}
    given = {name: value for name, value in variables.items() if name in declared}
    checked = checked_values(version_id, node.id, given)
    return {"input": checked, node.id: checked if declared else dict(variables)}


def _person(by: ledger.Acts) -> Principal | None:
    starter = by.principal if isinstance(by, Agent) else by
    return starter if isinstance(starter, Principal) else None
