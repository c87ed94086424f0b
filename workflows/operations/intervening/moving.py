"""A run goes on at another place of its drawing."""

from datetime import datetime

from django.db import transaction

from observability import ledger
from workflows.models import Run
from workflows.operations.definitions import graph_of
from workflows.operations.intervening.entering import entered, require_not_acted
from workflows.operations.questions import requester
from workflows.operations.runs import happen
from workflows.plan import EventKind, Marking, Node, NodeKind, StaleHappening, TokenMoved

NO_PLACE = frozenset({
    NodeKind.START, NodeKind.BOUNDARY, NodeKind.EVENT_SUB_PROCESS,
})  # fmt: skip


def places_for(run: Run, element: str) -> list[Node]:
    """The elements at which the run can go on instead of at this one: those of the same scope."""
    nodes = graph_of(run.version_id).nodes
    scope = nodes[element].parent if element in nodes else ""
    return [
        node for node in nodes.values()
        if node.kind not in NO_PLACE and node.parent == scope and node.id != element
        and not (node.kind is NodeKind.CATCH and node.event is EventKind.LINK)
    ]  # fmt: skip


@transaction.atomic
def move_token(run: Run, token: int, to: str, *, by: ledger.Acts, at: datetime, why: str) -> Run:
    """Take back what is open under the token and let the run go on at the element `to`. Raises Invalid for an element
    that is no place to go on, and NotAllowed when whoever started the run would pass by a person's decision."""
    run = entered(run, by=by, why=why)
    stands = next((each for each in Marking.from_json(run.marking).tokens if each.id == token), None)
    if stands is None:
        raise ledger.WrongStatus(f"Run {run} does not stand there any more.")
    steps = run.steps.select_for_update(of=("self",)).select_related("escalation", "agent").unsettled()
    step = steps.filter(token=token).first()
    place = next((node for node in places_for(run, stands.node) if node.id == to), None)
    if place is None:
        raise ledger.Invalid(fields={"to": f"The run cannot go on at “{to}”. Choose an element of the same level."})
    if step is not None:
        step.run = run
        require_not_acted(step)
        _require_another(run, by, asks=step.escalation is not None)
    told = {"from": stands.node, "to": place.name or place.id, "element": place.id, "token": token}
    ledger.record("run.moved", run, by=by, at=at, why=why, data=told)
    try:
        happen(run, TokenMoved(token, to), by=by, at=at)
    except StaleHappening as stale:
        raise ledger.WrongStatus(str(stale)) from stale
    return run


def _require_another(run: Run, by: ledger.Acts, *, asks: bool) -> None:
    if asks and by in requester(run):
        raise ledger.NotAllowed("You started this run: somebody else moves it past a question to people.")
