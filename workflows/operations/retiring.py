"""An agent retires: its keys open nothing, its work goes back, its questions are withdrawn, its rights go on or end."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from agents import operations as agents
from agents.models import Agent
from agents.operations.versions import require_reason
from governance import operations as governance
from governance.models import Escalation
from observability import ledger
from workflows.models import Fact, Space, Step, Workflow
from workflows.operations.runs import locked

HANDED_ON = ("work_in_workflow", "start_workflow")
CLOSED = ("write_space",)


@dataclass(frozen=True)
class Leaves:
    """What an agent leaves behind: steps that go back to the queue, questions that are withdrawn, facts that others go
    on reading, workflows that it worked in, spaces that it could write to."""

    steps: int
    questions: int
    facts: int
    workflows: tuple[str, ...]
    spaces: tuple[str, ...]


class NoSuccessor(ledger.Invalid):
    """This agent cannot take its place."""

    code = "no_successor"


def leaves(agent: Agent) -> Leaves:
    """What the agent would leave behind if it retired now."""
    rights = list(_rights(agent))
    return Leaves(
        steps=agent.steps.in_hand().count(),
        questions=Escalation.objects.pending().filter(agent=agent).count(),
        facts=Fact.objects.filter(author=agent, superseded_at=None).count(),
        workflows=tuple(sorted({str(row) for name, row in rights if name in HANDED_ON})),
        spaces=tuple(sorted({str(row) for name, row in rights if name in CLOSED})),
    )


def possible_successors(agent: Agent) -> QuerySet[Agent]:
    """Employed agents that do the same kind of work."""
    others = Agent.objects.employed().filter(role=agent.role).exclude(pk=agent.pk)
    return others.select_related("principal", "unit", "role")


@transaction.atomic
def retire_agent(agent: Agent, *, by: ledger.Acts, at: datetime, why: str, successor: Agent | None = None) -> Leaves:
    """End the agent's work for good. Its open steps go back to the queue, its questions are withdrawn, it may write to
    no space any more, and the successor, if one is named, takes steps where it did. Raises NoSuccessor."""
    agents.require(by, "agents.change_agent", agent)
    require_reason(why, "the agent retires")
    _check_successor(agent, successor)
    left = leaves(agent)
    # The runs first, as everywhere, and all in one order.
    for run in sorted(set(agent.steps.in_hand().values_list("run", flat=True))):
        _return_work(run, agent, by, at)
    agents.retire(agent, by=by, at=at, why=why)
    governance.resolve_retired(agent, by=by, at=at, why=why)
    for asked in Escalation.objects.pending().filter(agent=agent):
        governance.withdraw(asked, by=by, at=at, why=f"{agent} retired.")
    for name, row in list(_rights(agent)):
        taker = successor if name in HANDED_ON else None
        agents.hand_over(f"workflows.{name}", row, giver=agent, taker=taker, by=by, at=at)
    told = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(left).items()}
    told["successor"] = successor.code if successor else ""
    ledger.record("agent.handed_over", agent, by=by, at=at, why=why, data=told)
    return left


def _check_successor(agent: Agent, successor: Agent | None) -> None:
    if successor is not None and not possible_successors(agent).filter(pk=successor.pk).exists():
        said = f"{successor} does another kind of work, or is retired."
        raise NoSuccessor(said, fields={"successor": said})


def _return_work(run_id: int, agent: Agent, by: ledger.Acts, at: datetime) -> None:
    run = locked(run_id)
    for step in run.steps.select_for_update(of=("self",)).in_hand().filter(agent=agent).select_related("escalation"):
        step.run = run
        governance.release_step(str(step.uid), at=at, why=f"{agent} retired.")
        if step.escalation is not None and step.escalation.is_pending:
            governance.withdraw(step.escalation, by=by, at=at, why=f"{agent} retired.")
        ledger.move(
            step, Step.Status.READY, by=by, verb="step.returned", at=at, why=f"{agent} retired.", available_at=at,
            lease_token=step.lease_token + 1, leased_until=None, attempt=max(step.attempt - 1, 0), escalation=None,
        )  # fmt: skip


def _rights(agent: Agent) -> Iterator[tuple[str, Workflow | Space]]:
    agent.principal.forget_grants()
    for model, names in ((Workflow, HANDED_ON), (Space, CLOSED)):
        for name in names:
            held = agent.principal.granted(f"workflows.{name}", model)
            for row in model.objects.filter(pk__in=held):
                yield name, row
