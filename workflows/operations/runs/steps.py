"""Steps of a run: opened, one or ten thousand by the same statements, and taken back."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime

from django.db.models import QuerySet

from governance import operations as governance
from observability import ledger
from workflows.models import Run, Step
from workflows.operations import questions
from workflows.operations.definitions import graph_of
from workflows.operations.sharing import key_of
from workflows.operations.writing import open_for_agents, open_for_people, written_together
from workflows.plan import CancelStep, LoopKind, NodeKind, OpenStep

AT_ONCE = 1_000


def open_steps(run: Run, effects: Sequence[OpenStep], *, at: datetime) -> list[Step]:
    """Open these steps in their order; for each of a person the people of its path are asked. Those that look into
    shared memory before anybody works on them."""
    steps = [_new(run, effect, at) for effect in effects]
    with written_together() if len(steps) > 1 else nullcontext():
        for step in steps:
            _write(step)
    ledger.record_all(
        [
            ledger.event_of("step.opened", step, by=ledger.SYSTEM, at=at, after=step.status, data=_place(step))
            for step in steps
        ]
    )
    for step in steps:
        if step.kind == Step.Kind.PERSON:
            questions.ask_about_step(step, at=at)
    return [step for step in steps if step.memory_key]


def _write(step: Step) -> None:
    if step.kind == Step.Kind.AGENT:
        open_for_agents(step, graph_of(step.run.version_id).nodes[step.element])
    else:
        open_for_people(step)


def _place(step: Step) -> dict[str, int]:
    # Turns of a loop count as circles, instances that a list asks for do not.
    loop = graph_of(step.run.version_id).nodes[step.element].loop
    return {} if step.index is None or loop is LoopKind.STANDARD else {"instance": step.index}


def _new(run: Run, effect: OpenStep, at: datetime) -> Step:
    node = graph_of(run.version_id).nodes[effect.node_id]
    kind = Step.Kind.AGENT if node.kind is NodeKind.SERVICE_TASK else Step.Kind.PERSON
    return Step(
        run=run, token=effect.token, element=node.id, name=node.name or node.id, kind=kind, role=node.role,
        index=effect.index, item=effect.item, available_at=at, opened_at=at,
        status=Step.Status.READY if kind == Step.Kind.AGENT else Step.Status.WAITING,
        memory_key=key_of(run, effect) if kind == Step.Kind.AGENT else "",
    )  # fmt: skip


def cancel_steps(run: Run, effects: Sequence[CancelStep], *, at: datetime) -> None:
    """Take back what is open for these tokens: their steps, or questions about what stopped them."""
    tokens = [effect.token for effect in effects]
    for start in range(0, len(tokens), AT_ONCE):
        for step in unsettled(run).filter(token__in=tokens[start : start + AT_ONCE]):
            step.run = run
            close_step(
                step, Step.Status.CANCELLED, verb="step.cancelled", by=ledger.SYSTEM, at=at, why="No longer needed."
            )


def unsettled(run: Run) -> QuerySet[Step]:
    """The steps of a run that have not ended, or about which a person is still asked."""
    return run.steps.select_for_update(of=("self",)).select_related("escalation").unsettled()


def close_step(step: Step, to: str, *, verb: str, by: ledger.Acts, at: datetime, why: str) -> None:
    """End a step before its time; a question that waits for a person because of it is withdrawn."""
    ledger.move(
        step, to, by=by, verb=verb, at=at, why=why, ended_at=at, leased_until=None, lease_token=step.lease_token + 1
    )  # fmt: skip
    governance.release_step(str(step.uid), at=at, why=why)
    if step.escalation is not None and step.escalation.is_pending:
        governance.withdraw(step.escalation, by=by, at=at, why=why)


def raise_incident(run: Run, element: str, reason: str, token: int, *, at: datetime) -> None:
    """Put to a person that the run cannot go on at this element."""
    node = graph_of(run.version_id).nodes[element]
    step = Step.objects.create(
        run=run, token=token, element=element, name=node.name or element, kind=Step.Kind.PERSON, available_at=at,
        opened_at=at, status=Step.Status.WAITING, error=reason,
    )  # fmt: skip
    ledger.record("step.opened", step, by=ledger.SYSTEM, at=at, after=step.status, why=reason)
    questions.ask_about_incident(step, reason=reason, at=at)
