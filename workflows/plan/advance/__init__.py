"""Workflows, rules: the token engine. One happening in, new marking and effects out; nothing is kept.

Each file adds to the one before: state -> waiting -> ways -> events -> activities -> turn.
"""

from __future__ import annotations

from collections.abc import Mapping

from workflows.plan.advance.state import MOST_MOVES, StaleHappening
from workflows.plan.advance.turn import Turn
from workflows.plan.graph import Graph
from workflows.plan.happenings import Effect, Happening
from workflows.plan.marking import Marking

__all__ = ["MOST_MOVES", "StaleHappening", "advance"]


def advance(
    graph: Graph, marking: Marking, happening: Happening, variables: Mapping[str, object]
) -> tuple[Marking, tuple[Effect, ...]]:
    """The next marking of a run and its effects in order; `variables` is what conditions see under `vars`.

    Raises `StaleHappening` when the run, the token or the timer is not open (any more).
    """
    turn = Turn(graph, marking, variables)
    turn.take(happening)
    turn.move_all()
    return turn.result()
