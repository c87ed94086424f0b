"""Running runs go over to another version of their workflow: a plan is checked first, then each run goes by itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from agents.models import Principal
from observability import ledger
from workflows.models import Run, RunQuerySet, Step, Subscription, Timer, Workflow, WorkflowVersion
from workflows.operations.definitions import graph_of
from workflows.operations.intervening.entering import entered
from workflows.operations.intervening.together import RUNS_AT_MOST, RunOutcome
from workflows.operations.runs import carry_out
from workflows.operations.stopping import has_acted, put_back
from workflows.plan import ElementProblem, Graph, Marking, Migration, Node, NodeKind, migrate


class CannotMove(ledger.Refused):
    """Something of this run has no place in the other version."""

    code = "cannot_move"


@dataclass(frozen=True)
class Foreseen:
    """What would happen to one run: what stands where, and where it would; or the problems that keep it."""

    run: Run
    problems: tuple[str, ...] = ()
    moves: tuple[tuple[str, str], ...] = ()


def version_of(workflow: Workflow, number: int) -> WorkflowVersion:
    """The version of this number. Raises Invalid for none."""
    found = workflow.versions.defer("bpmn", "graph").filter(number=number).first()
    if found is None:
        raise ledger.Invalid(fields={"version": f"{workflow} has no version {number}."})
    return found


def movable(workflow: Workflow, version: WorkflowVersion) -> RunQuerySet:
    """The runs under way of one version."""
    return Run.objects.filter(workflow=workflow, version=version).under_way()


def foresee(runs: Sequence[Run], to: WorkflowVersion, mapping: Mapping[str, str]) -> list[Foreseen]:
    """What would happen to each of the runs; nothing is changed."""
    return [_foreseen(run, to, mapping) for run in runs]


def _foreseen(run: Run, to: WorkflowVersion, mapping: Mapping[str, str]) -> Foreseen:
    old, new = graph_of(run.version_id), graph_of(to.pk)
    planned = _planned(run, old, new, mapping)
    if planned.marking is None:
        return Foreseen(run, tuple(map(_told, planned.problems)))
    before = {token.id: token.node for token in Marking.from_json(run.marking).tokens}
    after = {token.id: token.node for token in planned.marking.tokens}
    moves = ((_name(old, node), _name(new, after[token])) for token, node in before.items() if token in after)
    return Foreseen(run, (), tuple(dict.fromkeys(moves)))


def _planned(run: Run, old: Graph, new: Graph, mapping: Mapping[str, str]) -> Migration:
    fresh = {name: value for name, value in mapping.items() if value}
    after = Counter(fresh.get(name, name) for name in run.variables)
    problems = [
        ElementProblem(name, "", f"Values of something else become those of {fresh[name]} as well; one would be lost.")
        for name in run.variables
        if fresh.get(name, name) != name and after[fresh[name]] > 1
    ]
    if problems:
        return Migration(problems=tuple(problems))
    return migrate(old, new, Marking.from_json(run.marking), fresh, run.variables)


def _told(problem: ElementProblem) -> str:
    return f"{problem.name or problem.element_id}: {problem.reason}"


def _name(graph: Graph, element: str) -> str:
    node = graph.nodes.get(element)
    return node.name or element if node else element


@transaction.atomic
def migrate_run(
    run: Run, to: WorkflowVersion, mapping: Mapping[str, str], *, by: ledger.Acts, at: datetime, why: str
) -> Run:
    """The run goes on by the other version: what is open keeps its place, what agents hold goes back to the queue
    without blame, what they and people answered before stays. Raises CannotMove and then changes nothing."""
    run = entered(run, by=by, why=why)
    if to.workflow_id != run.workflow_id or to.pk == run.version_id:
        raise ledger.WrongStatus(f"Run {run} cannot go over to {to}: it is of that version, or of another workflow.")
    old, new = graph_of(run.version_id), graph_of(to.pk)
    planned = _planned(run, old, new, mapping)
    if planned.marking is None:
        raise CannotMove(" ".join(map(_told, planned.problems)))
    told = {"from": run.version.number, "to": to.number, "mapping": dict(mapping)}
    ledger.record("run.migrated", run, by=by, at=at, why=why, data=told)
    run.version, run.marking = to, planned.marking.to_json()
    run.variables = {mapping.get(name) or name: value for name, value in run.variables.items()}
    run.save(update_fields=["version", "marking", "variables"])
    _rename(run, new, planned.elements, by=by, at=at, why=why)
    carry_out(run, planned.effects, by=by, at=at)
    return run


def _rename(
    run: Run, new: Graph, elements: Mapping[int, str], *, by: ledger.Acts, at: datetime, why: str
) -> None:  # fmt: skip
    for step in run.steps.select_for_update(of=("self",)).unsettled().order_by("id"):
        step.run = run
        node = new.nodes.get(elements.get(step.token, step.element))
        if node is None:
            continue
        if step.status == Step.Status.WORKING and not has_acted(step):
            put_back(step, by=by, why=f"The run went over to version {run.version.number}. {why}", at=at)
        step.element, step.name = node.id, node.name or node.id
        if step.kind == Step.Kind.AGENT and node.kind is NodeKind.SERVICE_TASK and step.assigned_to_id is None:
            step.role = node.role
        step.save(update_fields=["element", "name", "role"])
    for timer in run.timers.filter(status=Timer.Status.SET):
        timer.element = elements.get(timer.token, timer.element)
        timer.save(update_fields=["element"])
    for waits in run.subscriptions.filter(status=Subscription.Status.OPEN):
        waits.element = elements.get(waits.token, waits.element)
        waits.save(update_fields=["element"])


def migrate_together(
    uids: Sequence[UUID], to: WorkflowVersion, mapping: Mapping[str, str], *, by: Principal, at: datetime, why: str
) -> list[RunOutcome]:  # fmt: skip
    """Each of these runs in a transaction of its own: one that cannot go over stays as it is, the others go."""
    if not 0 < len(uids) <= RUNS_AT_MOST or len(set(uids)) < len(uids):
        raise ledger.Invalid("Nothing was moved.", fields={"runs": f"Name 1 to {RUNS_AT_MOST} runs, each once."})
    if not why.strip():
        raise ledger.Invalid("Say why.", fields={"why": "A reason is needed."})
    seen = Run.objects.visible_to(by).filter(uid__in=uids, workflow=to.workflow_id).select_related("workflow")
    runs = {run.uid: run for run in seen}
    return [_outcome(uid, runs.get(uid), to, mapping, by=by, at=at, why=why) for uid in uids]


def _outcome(
    uid: UUID, run: Run | None, to: WorkflowVersion, mapping: Mapping[str, str], *, by: Principal, at: datetime,
    why: str,
) -> RunOutcome:  # fmt: skip
    if run is None:
        return RunOutcome(uid, None, ledger.NotFound())
    try:
        migrate_run(run, to, mapping, by=by, at=at, why=why)
    except ledger.Refused as refused:
        return RunOutcome(uid, run, refused)
    return RunOutcome(uid, Run.objects.select_related("workflow", "version").get(pk=run.pk))


def homeless(runs: Sequence[Run], to: WorkflowVersion) -> list[Node]:
    """The elements at which something of these runs is open and that the other version does not have."""
    new, found = graph_of(to.pk), dict[str, Node]()
    for run in runs:
        old = graph_of(run.version_id)
        for token in Marking.from_json(run.marking).tokens:
            if token.node not in new.nodes:
                found[token.node] = old.nodes[token.node]
    return list(found.values())


def counterparts(node: Node, to: WorkflowVersion) -> list[Node]:
    """The elements of the other version that can take its place: those of the same kind."""
    return [each for each in graph_of(to.pk).nodes.values() if each.kind is node.kind and each.event is node.event]
