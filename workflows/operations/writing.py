"""What many runs write at once: their new state and the steps that open, by one statement each."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.db import connection

from observability.prepared import Insertion, Swap
from workflows.models import Run, Step
from workflows.operations.turns import next_turn, share_of
from workflows.plan import Node

_NEW_STEP, _KEPT_RUN = Insertion(Step), Swap(Run)
KEPT = ("marking", "variables", "cost", "people_asked")


@dataclass
class _Waiting:
    """What waits to be written; `level` is how many savepoints deep it belongs."""

    level: int
    runs: dict[int, tuple[Run, tuple[str, ...]]] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    turns: dict[tuple[str, int, int], float] = field(default_factory=dict)


_waiting: ContextVar[_Waiting | None] = ContextVar("waiting", default=None)


@contextmanager
def written_together() -> Iterator[None]:
    """Write what `keep` and `open_for_agents` are given in this block at its end; nothing of it when the block fails.
    Call it inside a transaction."""
    before = _waiting.set(_Waiting(len(connection.savepoint_ids)))
    try:
        yield
        write_now()
    finally:
        _waiting.reset(before)


def _now_waiting() -> _Waiting | None:
    waiting = _waiting.get()
    return waiting if waiting is not None and waiting.level == len(connection.savepoint_ids) else None


def write_now() -> None:
    """Write what waits, for who reads the steps of a run next."""
    waiting = _now_waiting()
    if waiting is None:
        return
    runs, steps, waiting.runs, waiting.steps = list(waiting.runs.values()), waiting.steps, {}, []
    for names in dict.fromkeys(names for _, names in runs):
        _KEPT_RUN.swap_all([(run.pk, {}, _kept(run, names)) for run, its_names in runs if its_names == names])
    if steps:
        _NEW_STEP.insert_all(steps)


def keep(run: Run, names: Sequence[str] = KEPT) -> None:
    """Write how far a locked run is: these of its columns."""
    waiting = _now_waiting()
    if waiting is None:
        _KEPT_RUN.swap(run.pk, {}, _kept(run, names))
        return
    _, before = waiting.runs.get(run.pk, (run, ()))
    waiting.runs[run.pk] = run, tuple(name for name in KEPT if name in names or name in before)


def _kept(run: Run, names: Sequence[str]) -> dict[str, object]:
    return {name: getattr(run, name) for name in names}


def open_for_agents(step: Step, node: Node) -> Step:
    """Write a new step that agents may take, behind those of its unit."""
    waiting = _now_waiting()
    step.rank(node)
    step.turn = next_turn(step) if waiting is None else _turn_among(waiting.turns, step)
    if waiting is not None:
        waiting.steps.append(step)
        return step
    return _NEW_STEP.insert(step)


def _turn_among(turns: dict[tuple[str, int, int], float], step: Step) -> float:
    place = (step.role, step.run.unit_id, step.priority)
    turns[place] = turns[place] + share_of(step) if place in turns else next_turn(step)
    return turns[place]


def open_for_people(step: Step) -> Step:
    """Write a new step that waits for a person."""
    write_now()
    return _NEW_STEP.insert(step)
