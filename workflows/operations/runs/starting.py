"""A run begins: asked for by a person or an agent, called by another run, or by what was waited for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from agents.models import Agent, Principal
from agents.operations import require, require_at_work
from governance import operations as governance
from observability import ledger
from observability.prepared import Insertion, Prepared, PreparedList
from workflows.models import Run, Workflow, WorkflowVersion
from workflows.operations.definitions import graph_of, newest_version
from workflows.operations.runs.going import happen
from workflows.operations.runs.rows import checked_values
from workflows.operations.writing import written_together
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


@dataclass(frozen=True)
class Wanted:
    """A run of many: its business key, its inputs, and how important it is."""

    key: str
    variables: Mapping[str, Any]
    priority: int = 0


@dataclass(frozen=True)
class Begun:
    """What became of it: the run, and whether it is new; or why there is none."""

    run: Run | None = None
    is_new: bool = False
    refused: ledger.Refused | None = None


@dataclass(frozen=True)
class Ground:
    """What runs of a workflow begin on: the version, what stops and budgets there are, who begins them, and when."""

    workflow: Workflow
    version: WorkflowVersion
    glance: governance.Glance
    by: ledger.Acts
    at: datetime


PLAIN = Origin()
_NEW_RUN = Insertion(Run)
_STARTED = Prepared(lambda workflow, key: Run.objects.filter(workflow=workflow, key=key), "key", workflow=int)
_STARTED_TOGETHER = PreparedList(
    lambda workflow, keys: Run.objects.filter(workflow=workflow, key__in=keys), workflow=int, keys=str
)


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


def start_many(
    workflow: Workflow, wanted: Sequence[Wanted], *, by: ledger.Acts, at: datetime, works_anew: bool = False
) -> list[Begun]:
    """The same for many business keys by a few statements, the answers in their order. Inputs that do not fit stop no
    other run. Raises Paused as `start` does."""
    require(by, "workflows.start_workflow", workflow)
    if isinstance(by, Agent):
        require_at_work(by, at=at)
    ground = _ground(workflow, by, at)
    if not ground.glance.budgets:
        try:
            with transaction.atomic():
                return _begin_together(ground, wanted, works_anew)
        except (IntegrityError, ledger.Refused):
            pass  # one of them goes wrong, or began at this moment: each for itself
    return [_begin_one(workflow, each, by, at, works_anew) for each in wanted]


def _begin_one(workflow: Workflow, wanted: Wanted, by: ledger.Acts, at: datetime, works_anew: bool) -> Begun:
    origin = Origin(works_anew=works_anew, priority=wanted.priority)
    try:
        return Begun(*begin(workflow, key=wanted.key, variables=wanted.variables, by=by, at=at, origin=origin))
    except governance.Paused:
        raise
    except ledger.Refused as refused:
        return Begun(refused=refused)


def _begin_together(ground: Ground, wanted: Sequence[Wanted], works_anew: bool) -> list[Begun]:
    found = _STARTED_TOGETHER.all(workflow=ground.workflow.pk, keys=[each.key for each in wanted])
    known = {run.key: Begun(run) for run in found}
    new: dict[str, Run] = {}
    begun = []
    for each in wanted:
        if each.key not in known:
            try:
                run = _new_run(ground, each.key, each.variables, Origin(works_anew=works_anew, priority=each.priority))
            except ledger.Invalid as wrong:
                begun.append(Begun(refused=wrong))
                continue
            new[each.key], known[each.key] = run, Begun(run)
            begun.append(Begun(run, is_new=True))
        else:
            begun.append(known[each.key])
    if new:
        _NEW_RUN.insert_all(list(new.values()))
        with ledger.gathered(), written_together():
            for run in new.values():
                _let_begin(run, ground, "")
    return begun


def begin(
    workflow: Workflow, *, key: str, variables: Mapping[str, Any], by: ledger.Acts, at: datetime, origin: Origin = PLAIN
) -> tuple[Run, bool]:
    """The same as `start` for whoever needs no right of its own: a schedule, a call, a message."""
    existing = _STARTED.first(workflow=workflow.pk, key=key)
    if existing is not None:
        return existing, False
    try:
        with transaction.atomic():
            return _begin(_ground(workflow, by, at), key, variables, origin), True
    except IntegrityError:
        return workflow.runs.get(key=key), False


def _ground(workflow: Workflow, by: ledger.Acts, at: datetime) -> Ground:
    """Raises Paused where nothing begins now."""
    agent = by if isinstance(by, Agent) else None
    reach = governance.reach_of(agent, workflow=workflow.code, path=workflow.unit.path)
    glance = governance.glance_now()
    governance.require_running(reach, governance.stops_for_work(at) if glance.stops else (), at=at)
    return Ground(workflow, newest_version(workflow), glance, by, at)


def _begin(ground: Ground, key: str, variables: Mapping[str, Any], origin: Origin) -> Run:
    run = _NEW_RUN.insert(_new_run(ground, key, variables, origin))
    if ground.glance.budgets:
        agent = ground.by if isinstance(ground.by, Agent) else None
        spender = governance.Spender(agent, run.unit, ground.workflow.code, str(run.uid))
        governance.count_run(spender=spender, what=f"Run {run.key}", at=ground.at)
    with ledger.gathered():
        _let_begin(run, ground, origin.start)
    return run


def _new_run(ground: Ground, key: str, variables: Mapping[str, Any], origin: Origin) -> Run:
    graph, workflow = graph_of(ground.version.pk), ground.workflow
    inputs = _inputs(graph.nodes[origin.start or graph.start.id], ground.version.pk, variables)
    return Run(
        key=key, workflow=workflow, version=ground.version, unit=workflow.unit, variables=inputs,
        started_at=ground.at, started_by=origin.starter or _person(ground.by), parent=origin.parent,
        parent_token=origin.parent_token, depth=origin.depth, works_anew=origin.works_anew, priority=origin.priority,
    )  # fmt: skip


def _let_begin(run: Run, ground: Ground, start: str) -> None:
    told, by, at = {"version": ground.version.number}, ground.by, ground.at
    ledger.record("run.started", run, by=by, at=at, after=run.status, data=told)
    happen(run, Started(start=start), by=by, at=at)


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
