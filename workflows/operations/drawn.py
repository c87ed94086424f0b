"""What a drawing asks for beside its runs: the names that it listens to, and the schedules of its timer starts."""

from datetime import datetime

from observability import ledger
from workflows.models import Listener, Schedule, Workflow
from workflows.plan import EventKind, Graph, Node, NodeKind
from workflows.plan.schedules import ScheduleInvalid, next_moment, read_rule

ONCE_AFTER = "PT1M"  # how long after its moment a start that happens once would happen again
KINDS = (NodeKind.START, NodeKind.CATCH, NodeKind.BOUNDARY)


def listen(workflow: Workflow, graph: Graph) -> None:
    """Note which messages and signals the newest version knows, and which of them begin a run."""
    workflow.listeners.all().delete()
    heard = [node for node in graph.nodes.values() if node.event_name and _hears(node)]
    Listener.objects.bulk_create(_listener(workflow, node) for node in heard)


def _hears(node: Node) -> bool:
    named = node.event in (EventKind.MESSAGE, EventKind.SIGNAL)
    return node.kind is NodeKind.RECEIVE_TASK or (node.kind in KINDS and named)


def _listener(workflow: Workflow, node: Node) -> Listener:
    return Listener(
        workflow=workflow, element=node.id, name=node.event_name[:200], kind=node.event or EventKind.MESSAGE,
        starts=node.kind is NodeKind.START and not node.parent,
    )  # fmt: skip


def wrong_schedules(graph: Graph, *, at: datetime) -> dict[str, str]:
    """The timer starts whose schedule cannot be read, and why."""
    wrong = {}
    for node in _timer_starts(graph):
        try:
            read_rule(_rule(node), "UTC", at)
        except ScheduleInvalid as problem:
            wrong[node.id[:120]] = str(problem)
    return wrong


def _timer_starts(graph: Graph) -> list[Node]:
    return [
        node
        for node in graph.nodes.values()
        if node.kind is NodeKind.START and node.event is EventKind.TIMER and not node.parent
    ]


def _rule(node: Node) -> str:
    if node.cycle:
        return node.cycle
    if node.timer_at:
        return f"R1/{node.timer_at}/{ONCE_AFTER}"
    return f"R1/{node.duration}" if node.duration else f"R1/PT{node.duration_seconds}S"


def keep_schedules(workflow: Workflow, graph: Graph, *, by: ledger.Acts, at: datetime) -> None:
    """Begin runs by the timer starts of the newest version, and no longer by those of the one before it. A schedule
    that stays as it is goes on counting."""
    wanted = {node.id: node for node in _timer_starts(graph)}
    running = workflow.schedules.exclude(status=Schedule.Status.OVER).exclude(element="")
    for schedule in running:
        node = wanted.get(schedule.element)
        if node is not None and _rule(node) == schedule.rule:
            del wanted[schedule.element]
            continue
        ledger.move(schedule, Schedule.Status.OVER, by=by, verb="schedule.ended", at=at, next_at=None)
    for node in wanted.values():
        _add(workflow, node, by, at)


def _add(workflow: Workflow, node: Node, by: ledger.Acts, at: datetime) -> None:
    rule = _rule(node)
    following = next_moment(read_rule(rule, "UTC", at), at)
    schedule = Schedule.objects.create(
        workflow=workflow, element=node.id, name=f"{node.name or node.id}"[:100] + f" ({node.id[:16]})", rule=rule,
        since=at, created_at=at, next_at=following,
    )  # fmt: skip
    ledger.record("schedule.added", schedule, by=by, at=at, after=schedule.status, data={"rule": rule, "zone": "UTC"})
