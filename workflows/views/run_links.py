"""What ties a run to others: who called it and whom it called, what it was told and told others, what it waits for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q

from agents.models import Principal
from workflows.models import Message, Run, Subscription
from workflows.operations.definitions import graph_of
from workflows.plan import Graph, Marking
from workflows.views.run_filter import state_of
from workflows.views.values import plain

RUNS_AT_MOST = 100
MESSAGES_AT_MOST = 50
DEEPEST = 50
TOLD = (Message.Kind.MESSAGE, Message.Kind.SIGNAL, Message.Kind.START)
CONDITION = "condition"


@dataclass
class Branch:
    """One run of the tree: `run` is None where the reader may not see it, `here` is the run of the page; `waits` says
    of a call that has not become a run why not."""

    state: str
    run: Run | None = None
    place: str = ""
    here: bool = False
    waits: str = ""
    branches: list["Branch"] = field(default_factory=list)
    more: int = 0


def family(run: Run, user: Principal) -> Branch | None:
    """The tree of the runs that called each other down to this one and from it, None where nobody called anybody."""
    callers = _callers(run)
    below, uncalled = _called(run), _not_begun(run)
    if not (callers or below or uncalled):
        return None
    everybody = [*callers, *(each for group in below.values() for each in group)]
    seen, places = _shown(user, everybody), _places([run, *everybody])
    here = Branch(state_of(run), run, here=True, branches=_branches(run, below, seen, places))
    here.branches += uncalled
    here.more = max(0, run.children.count() - len(below.get(run.pk, ()))) if below else 0
    top, under = here, run
    for caller in callers:
        top.place = places.get((caller.pk, under.parent_token), "") if caller.pk in seen else ""
        under = caller
        known = seen.get(caller.pk)
        top = Branch(state_of(known) if known else caller.status, known, branches=[top])
    return top


def _callers(run: Run) -> list[Run]:
    found, above = list[Run](), run.parent_id
    while above is not None and len(found) < DEEPEST:
        caller = Run.objects.only("status", "parent", "parent_token", "version").get(pk=above)
        found.append(caller)
        above = caller.parent_id
    return found


def _called(run: Run) -> Mapping[int, list[Run]]:
    # Level by level, what is under way before what has ended: those that a reader looks for.
    below: dict[int, list[Run]] = defaultdict(list)
    level, left = [run.pk], RUNS_AT_MOST
    while level and left > 0:
        found = Run.objects.filter(parent__in=level).order_by(F("ended_at").asc(nulls_first=True), "id")
        rows = list(found.only("pk", "parent", "parent_token", "status", "version")[:left])
        for each in rows:
            below[each.parent_id or 0].append(each)
        level, left = [each.pk for each in rows], left - len(rows)
    return below


def _shown(user: Principal, runs: Sequence[Run]) -> Mapping[int, Run]:
    visible = Run.objects.visible_to(user).filter(pk__in=[each.pk for each in runs]).with_waiting()
    return {each.pk: each for each in visible.select_related("workflow").defer("marking", "variables", "kept")}


def _branches(
    run: Run, below: Mapping[int, list[Run]], seen: Mapping[int, Run], places: Mapping[tuple[int, int], str]
) -> list[Branch]:
    return [
        Branch(
            state_of(seen[each.pk]) if each.pk in seen else each.status, seen.get(each.pk),
            place=places.get((run.pk, each.parent_token), ""), branches=_branches(each, below, seen, places),
        )
        for each in below.get(run.pk, ())
    ]  # fmt: skip


def _places(runs: Sequence[Run]) -> Mapping[tuple[int, int], str]:
    # At which call activity each was called, by the run that called and the token there.
    versions = {each.pk: each.version_id for each in runs}
    calls = Message.objects.filter(kind=Message.Kind.CALL, sender__in=versions)
    found = calls.values_list("sender", "token", "element")
    return {(pk, token): name_of(graph_of(versions[pk]), element) for pk, token, element in found if pk is not None}


def _not_begun(run: Run) -> list[Branch]:
    graph = graph_of(run.version_id)
    calls = run.sent.on_its_way().filter(kind=Message.Kind.CALL).order_by("id")[:MESSAGES_AT_MOST]
    return [
        Branch("calling", place=name_of(graph, each.element), waits=each.trouble or "It is about to begin.")
        for each in calls
    ]


def name_of(graph: Graph, element: str) -> str:
    """An element by the name that it has in the drawing."""
    node = graph.nodes.get(element)
    return (node.name if node else "") or element


def calls_in(tree: Branch | None) -> list[Branch]:
    """Of the run of the page what it called and what has not ended: for that it waits."""
    if tree is None:
        return []
    if tree.here:
        return [each for each in tree.branches if each.waits or each.state not in Run.ENDS]
    return [call for each in tree.branches for call in calls_in(each)]


def ids_in(tree: Branch | None) -> list[str]:
    """The runs of a tree, so that the page hears of each."""
    if tree is None:
        return []
    own = [str(tree.run.uid)] if tree.run is not None else []
    return own + [uid for each in tree.branches for uid in ids_in(each)]


def waits_for(run: Run, may: bool) -> list[dict[str, Any]]:
    """The messages, signals and conditions that the run waits for now; `token` is there for who may move it on."""
    graph, marking = graph_of(run.version_id), Marking.from_json(run.marking)
    stands = {each.id for each in marking.tokens} if may else set()
    rows = [
        {
            "name": name_of(graph, each.element), "kind": each.kind, "message": each.name, "key": each.key,
            "since": each.opened_at, "token": each.token if each.token in stands else None,
        }
        for each in run.subscriptions.open().order_by("id")[:MESSAGES_AT_MOST]
    ]  # fmt: skip
    conditions = [each for each in marking.waits if each.kind == CONDITION] if run.is_under_way else []
    return rows + [
        {"name": name_of(graph, each.node), "kind": CONDITION, "token": each.id if each.id in stands else None}
        for each in conditions[:MESSAGES_AT_MOST]
    ]


def messages_of(run: Run, user: Principal) -> dict[str, Any]:
    """What the run sent and received, the newest first; `more` says that there is more than that."""
    graph = graph_of(run.version_id)
    both = Q(sender=run) | Q(receiver=run)
    found = Message.objects.filter(both, kind__in=TOLD).select_related("workflow")
    told = list(found.order_by("-id")[: MESSAGES_AT_MOST + 1])
    others = {pk for each in told for pk in (each.sender_id, each.receiver_id) if pk not in (None, run.pk)}
    seen = {each.pk: each for each in Run.objects.visible_to(user).filter(pk__in=others).only("uid", "key")}
    heard = run.subscriptions.filter(kind="signal", status=Subscription.Status.CAUGHT).order_by("-id")
    rows = [_told_row(run, each, graph, seen) for each in told[:MESSAGES_AT_MOST]]
    rows += [_heard_row(each, graph) for each in heard[:MESSAGES_AT_MOST]]
    return {"rows": sorted(rows, key=lambda row: row["at"], reverse=True), "more": len(told) > MESSAGES_AT_MOST}


def _told_row(run: Run, message: Message, graph: Graph, seen: Mapping[int, Run]) -> dict[str, Any]:
    sent = message.sender_id == run.pk
    other = message.receiver_id if sent else message.sender_id
    starts = message.kind == Message.Kind.START
    return {
        "sent": sent, "kind": message.get_kind_display(), "key": message.key, "status": message.status,
        "name": str(message.workflow or message.name) if starts else message.name,
        "element": name_of(graph, message.element) if sent and message.element else "",
        "at": message.sent_at if sent else message.settled_at or message.sent_at,
        "run": seen.get(other) if other else None, "hidden": bool(other) and other not in seen,
        "trouble": message.trouble, "values": [] if starts else _values(message.values.items()),
    }  # fmt: skip


def _heard_row(row: Subscription, graph: Graph) -> dict[str, Any]:
    return {
        "sent": False, "kind": Message.Kind.SIGNAL.label, "name": row.name, "key": "", "status": "taken",
        "element": name_of(graph, row.element), "at": row.closed_at or row.opened_at, "run": None, "hidden": False,
        "trouble": "", "values": [],
    }  # fmt: skip


def _values(pairs: Iterable[tuple[str, Any]]) -> list[dict[str, str]]:
    return [{"label": name.replace("_", " ").capitalize(), "value": plain(value)} for name, value in pairs]
