"""Limits of a run: past one it stands still, what happens to it meanwhile is kept, and a person is asked."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, get_args

from django.conf import settings

from observability import ledger
from workflows.models import Run, Step
from workflows.operations import questions
from workflows.operations.definitions import graph_of
from workflows.plan import CallWorkflow, Effect, Happening, Marking, OpenStep

LIMIT = "Limit of the run"
_KINDS = {kind.__name__: kind for kind in get_args(Happening)}


@dataclass(frozen=True)
class Limit:
    """A limit that was passed: its name, and what a person reads about it."""

    name: str
    reason: str


def passed(run: Run, marking: Marking, effects: Sequence[Effect]) -> Limit | None:
    """The limit that this next step of a run would pass."""
    return _too_many(run, effects) or _too_often(run, marking) or too_dear(run)


def _too_many(run: Run, effects: Sequence[Effect]) -> Limit | None:
    most = settings.FAN_OUT_AT_MOST * run.allowance
    kinds = (OpenStep, CallWorkflow)
    opened = Counter(each.node_id for each in effects if isinstance(each, kinds) and each.index is not None)
    for element, many in opened.items():
        if many > most:
            return Limit("fan-out", f"“{_name(run, element)}” would be done {many:,} times at once, at most {most:,}.")
    return None


def _too_often(run: Run, marking: Marking) -> Limit | None:
    most = settings.LOOP_TURNS_AT_MOST * run.allowance
    turns: Mapping[str, int] = getattr(marking, "passed", {})
    flow, many = max(turns.items(), key=lambda each: each[1], default=("", 0))
    if many <= most:
        return None
    target = graph_of(run.version_id).flows[flow].target
    return Limit("turns", f"The run came to “{_name(run, target)}” {many:,} times, at most {most:,}.")


def too_dear(run: Run) -> Limit | None:
    """The limit of what one run may cost, if it is passed."""
    most = settings.RUN_COST_AT_MOST * run.allowance
    if not most or run.cost <= most:
        return None
    return Limit("cost", f"The run cost {run.cost.normalize():f} {settings.CURRENCY}, at most {most.normalize():f}.")


def step_too_dear(step: Step, cost: Decimal) -> Limit | None:
    """The limit that the drawing sets for what this step may cost, if it is passed; approving takes the result."""
    most = graph_of(step.run.version_id).nodes[step.element].cost_limit
    if not most or cost <= Decimal(most):
        return None
    return Limit("step cost", f"“{step.name}” cost {cost.normalize():f} {settings.CURRENCY}, at most {most}.")


def too_deep(run: Run, depth: int) -> Limit | None:
    """The limit of runs that call runs, if a call at this depth passes it."""
    most = settings.CALL_DEPTH_AT_MOST * run.allowance
    return Limit("depth", f"Runs call each other {depth} deep, at most {most}.") if depth > most else None


def too_long(run: Run, at: datetime) -> Limit | None:
    """The limit of how long one run may take, if it is passed."""
    most = settings.RUN_DAYS_AT_MOST * run.allowance
    if (at - run.started_at).total_seconds() <= most * 86_400:
        return None
    return Limit("time", f"The run is under way for more than {most:g} days.")


def _name(run: Run, element: str) -> str:
    return graph_of(run.version_id).nodes[element].name or element


def stand_still(run: Run, limit: Limit, happenings: Iterable[Happening] = (), *, at: datetime) -> None:
    """Stop a locked run, with what has still to happen to it, and ask a person. Nothing in it is handed out, no clock
    of it rings and no message reaches it until then."""
    keep(run, happenings)
    run.over_limit = limit.name
    run.save(update_fields=["over_limit"])
    step = Step.objects.create(
        run=run, token=0, element=graph_of(run.version_id).start.id, name=LIMIT, kind=Step.Kind.PERSON,
        available_at=at, opened_at=at, status=Step.Status.WAITING, error=limit.reason,
    )  # fmt: skip
    ledger.record("run.stood_still", run, by=ledger.SYSTEM, at=at, why=limit.reason, data={"limit": limit.name})
    questions.ask_about_limit(step, reason=limit.reason, at=at)


def is_about_limit(step: Step) -> bool:
    """Whether this is the question about a limit of its run."""
    return step.token == 0 and step.name == LIMIT


def keep(run: Run, happenings: Iterable[Happening]) -> None:
    """Keep what happens to a run that stands still."""
    run.kept = [*run.kept, *({"is": type(each).__name__, **asdict(each)} for each in happenings)]
    run.save(update_fields=["kept"])


def let_go(run: Run) -> list[Happening]:
    """Allow a locked run as much again as it was allowed; what was kept has to happen now."""
    kept, run.kept = [_read(each) for each in run.kept], []
    run.over_limit = ""
    run.allowance += 1
    run.save(update_fields=["kept", "over_limit", "allowance"])
    return kept


def _read(row: Mapping[str, Any]) -> Happening:
    given = {name: value for name, value in row.items() if name != "is"}
    happening: Happening = _KINDS[row["is"]](**given)
    return happening
