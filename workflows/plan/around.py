"""Workflows, rules: what stands around an open step: who hears it, and what can be done beside it. Nothing moves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from workflows.plan.advance.turn import Turn, may_be_chosen
from workflows.plan.graph import EventKind, Graph, NodeKind
from workflows.plan.marking import Marking


@dataclass(frozen=True)
class Task:
    """A task of an ad-hoc sub-process that can be chosen, how often it is open now, and whether it still comes in one
    that does one after the other."""

    node_id: str
    name: str
    open: int = 0
    waits: bool = False


@dataclass(frozen=True)
class AdHoc:
    """The ad-hoc sub-process around an open step: the number of its token, and its tasks in the order drawn."""

    token: int
    node_id: str
    tasks: tuple[Task, ...]


def heard_by(graph: Graph, marking: Marking, token: int, code: str) -> str:
    """The event that hears this escalation from the open step `token`; empty when none does. Raises StaleHappening."""
    turn = Turn(graph, marking, {})
    step = turn.open_step(token)
    found = next(turn.listeners(EventKind.ESCALATION, code, step.scope, step), None)
    return found[0].id if found is not None else ""


def ad_hoc_around(graph: Graph, marking: Marking, token: int) -> AdHoc | None:
    """The nearest ad-hoc sub-process around the open step `token`, None without one. Raises StaleHappening."""
    turn = Turn(graph, marking, {})
    scope = turn.open_step(token).scope
    while scope:
        around = turn.tokens[scope]
        if turn.node_of(around).kind is NodeKind.AD_HOC and scope not in turn.instances:
            return AdHoc(scope, around.node, tuple(_tasks(turn, scope)))
        scope = around.scope
    return None


def _tasks(turn: Turn, scope: int) -> list[Task]:
    is_open = Counter(each.node for each in turn.tokens.values() if each.scope == scope)
    inside = turn.graph.inside(turn.tokens[scope].node)
    line = turn.lines.get(scope, ())
    return [
        Task(each.id, each.name or each.id, is_open[each.id], each.id in line) for each in inside if may_be_chosen(each)
    ]
