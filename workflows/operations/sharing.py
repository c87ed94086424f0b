"""Look before one works: a step that names a key of shared memory takes what is known under it, or waits while another
step finds it out."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from agents.models import Unit
from governance.language import RequestInvalid
from observability import ledger
from workflows import memory
from workflows.models import Fact, Run, Space, Step, Waiter, Workflow
from workflows.operations.definitions import graph_of
from workflows.plan import OpenStep, plain
from workflows.rules.memory import filled_key

NOT_YET = datetime(9999, 1, 1, tzinfo=UTC)
"""When a step that waits for another one may be claimed."""


def key_of(run: Run, opened: OpenStep) -> str:
    """The canonical key under which the result of the step is kept in this run; empty when it is not shared. One of
    many instances names its own item as `loop.item`."""
    node = graph_of(run.version_id).nodes[opened.node_id]
    if not node.memory_space:
        return ""
    loop = {} if opened.index is None else {"index": opened.index, "item": opened.item}
    return filled_key(node.memory_key, run.variables, loop)


def in_turn(steps: Sequence[Step]) -> list[Step]:
    """The steps in the order in which they look: that of their keys, in every run the same, so that none waits for one
    that waits for it."""
    return sorted(steps, key=lambda step: step.memory_key)


def look_first(run: Run, step: Step, *, at: datetime) -> bool:
    """Whether the step is done at once, with what shared memory knows. Otherwise an agent works on it now, or it waits
    for the one that is at it. The run is locked."""
    if run.works_anew or not _still_ready(step):
        return False
    space = _space_of(run, step)
    if space is None:
        return False
    if _take_known(run, step, space, at):
        return True
    flight, mine = memory.take(space, step.memory_key, at=at, step=step)
    # Whoever was at it may have finished between the look and here.
    if mine and _take_known(run, step, space, at):
        memory.landed(space, step.memory_key)
        return True
    if not mine:
        Waiter.objects.create(flight=flight, step=step)
        step.available_at = NOT_YET
        step.save(update_fields=["available_at"])
        holder = str(flight.step.uid) if flight.step is not None else ""
        about = {"key": step.memory_key, "step": holder, "agent": flight.agent.code if flight.agent else ""}
        ledger.record("step.shared", step, by=ledger.SYSTEM, at=at, data=about)
    return False


def _still_ready(step: Step) -> bool:
    # What another step of the same happening led to may have ended this one.
    step.refresh_from_db(fields=["status"])
    return step.status == Step.Status.READY


def _space_of(run: Run, step: Step) -> Space | None:
    code = graph_of(run.version_id).nodes[step.element].memory_space
    space: Space | None = Space.objects.select_related("unit").filter(code=code).first()
    unit: Unit = run.workflow.unit
    workflow: Workflow = run.workflow
    return space if space is not None and memory.open_to_workflow(space, unit=unit, workflow=workflow) else None


def _take_known(run: Run, step: Step, space: Space, at: datetime) -> bool:
    fact = memory.current(space, step.memory_key, at=at)
    return fact is not None and take_over_result(run, step, fact, at=at)


def take_over_result(run: Run, step: Step, fact: Fact, *, at: datetime) -> bool:
    """Let the step be done with what the fact says; False when that does not fit what the step leaves behind."""
    values = _fitting(run, step, fact)
    if values is None:
        return False
    memory.count_reuse(fact, by=ledger.SYSTEM, run=run, at=at)
    said = {
        "output": values, "fact": str(fact.uid), "author": fact.author.code, "saved_cost": str(fact.cost),
        "saved_seconds": str(fact.seconds),
    }  # fmt: skip
    note = f"Known from shared memory: {fact.space.code}/{fact.key}, found by {fact.author.code}."
    ledger.move(
        step, Step.Status.DONE, by=ledger.SYSTEM, verb="step.reused", at=at, why=note, data=said, started_at=at,
        ended_at=at, available_at=at, output=values, note=note[:2000],
    )  # fmt: skip
    run.variables[step.element] = values
    return True


def _fitting(run: Run, step: Step, fact: Fact) -> dict[str, Any] | None:
    if fact.kind != Fact.Kind.JSON:
        return None
    try:
        checked = graph_of(run.version_id).outputs_schema(step.element).coerce(fact.value)
    except RequestInvalid:
        return None
    return {name: plain(value) for name, value in checked.items()}


def keep_result(run: Run, step: Step, values: dict[str, Any], *, at: datetime, seconds: Decimal, cost: Decimal) -> None:
    """Keep what the step left behind as a fact, as the guard of shared memory allows; what it refuses is on record, and
    the step is done all the same."""
    space = _space_of(run, step) if step.memory_key and step.agent is not None else None
    if space is None or step.agent is None:
        return
    lasts = graph_of(run.version_id).nodes[step.element].memory_seconds or None
    finding = memory.Finding(
        key=step.memory_key, value=values, cost=cost, seconds=seconds, expires_seconds=lasts, run=run, step=step,
        evidence=[{"kind": "step", "name": step.name, "proves": step.note[:500] or "Finished."}],
    )  # fmt: skip
    try:
        memory.keep(space, finding, agent=step.agent, at=at)
    except ledger.Invalid as refused:
        why = " ".join(refused.fields.values()) or refused.detail
        ledger.record("step.not_kept", step, by=ledger.SYSTEM, at=at, why=why, data={"key": step.memory_key})
