"""Claiming: the steps that stand ready for an agent become its own, each under a lease."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.db import transaction
from django.db.models import QuerySet

from agents.models import Agent
from agents.operations import look_again, require_at_work
from governance import operations as governance
from governance.rules.stopping import strictest
from observability import ledger
from observability.prepared import PreparedList
from workflows.models import Step, Workflow
from workflows.operations.definitions import graph_of
from workflows.operations.stopping import ready_steps, without_stopped
from workflows.operations.work.handing import receive

CLAIMS_AT_MOST = 50


@dataclass(frozen=True)
class Claimed:
    """What a claim gave; `why` says in a sentence why it gave nothing though something may stand ready."""

    steps: tuple[Step, ...] = ()
    why: str = ""


def claim(agent: Agent, *, at: datetime) -> Step | None:
    """The next step for this agent, leased to it until `step.leased_until`; None when there is none.
    `at` is the database's time. Each claim raises the step's lease token, which all later calls must name."""
    return next(iter(claim_many(agent, count=1, at=at).steps), None)


def claim_many(agent: Agent, *, count: int, at: datetime) -> Claimed:
    """The next steps for this agent, at most `count` and no more than it may hold at once; each as `claim` gives it."""
    look_again(agent)  # who waits for work may have been paused meanwhile
    require_at_work(agent, at=at)
    with transaction.atomic():
        oversight = governance.Oversight(agent, {}, at=at)
        governance.require_running(governance.reach_of(agent), oversight.stops, at=at)
        return claim_under(oversight, min(count, CLAIMS_AT_MOST))


def claim_under(oversight: governance.Oversight, count: int) -> Claimed:
    """The same in a transaction that has begun already, for an agent that is at work."""
    agent, at = oversight.agent, oversight.at
    free = _free(agent)
    if free is not None and free <= 0:
        limit = agent.blueprint.work_limit
        return Claimed(why=f"You hold {limit} steps; that is as many as your job description allows at once.")
    steps = _next(oversight, count if free is None else min(count, free))
    with ledger.gathered():
        _take(steps, agent, at)
    return Claimed(tuple(receive(steps, agent=agent, at=at)))


def _free(agent: Agent) -> int | None:
    # One claim of the agent after the other, so that two at once do not go beyond the limit together.
    if not agent.blueprint.work_limit:
        return None
    Agent.objects.select_for_update(of=("self",), no_key=True).get(pk=agent.pk)
    return agent.blueprint.work_limit - Step.objects.filter(agent=agent, status=Step.Status.WORKING).count()


def _next(oversight: governance.Oversight, count: int) -> list[Step]:
    agent, at = oversight.agent, oversight.at
    stopped = oversight.stopped_runs()
    if oversight.stops or stopped:
        ready = ready_steps(agent, oversight.stops, at=at).exclude(run__uid__in=stopped)
        return list(_locked(ready)[:count])
    workflows = agent.principal.granted("workflows.work_in_workflow", Workflow)
    if not workflows:
        return []
    capabilities = ["", *agent.blueprint.capabilities]
    return _ready(count).all(
        role=agent.role.code, capabilities=capabilities, agent=agent.pk, at=at, workflows=sorted(workflows)
    )


def _locked(ready: QuerySet[Step]) -> QuerySet[Step]:
    # Not the tokens of a run: who claims does not move them.
    return ready.select_for_update(skip_locked=True, of=("self",)).select_related("run__workflow").defer("run__marking")


@cache
def _ready(count: int) -> PreparedList[Step]:
    def ask(role: str, capabilities: list[str], agent: int, at: datetime, workflows: list[int]) -> QuerySet[Step]:
        return _locked(Step.objects.ready(role, capabilities, agent, at).filter(run__workflow__in=workflows))[:count]

    return PreparedList(ask, role=str, capabilities=str, agent=int, at=datetime, workflows=int)


def _take(steps: list[Step], agent: Agent, at: datetime) -> None:
    moves = [
        ledger.Move(
            step, expect={"lease_token": step.lease_token},
            changes={
                "agent": agent, "lease_token": step.lease_token + 1, "leased_until": at + _lease(step),
                "attempt": step.attempt + 1, "started_at": step.started_at or at,
            },
        )
        for step in steps
    ]  # fmt: skip
    ledger.move_all(moves, Step.Status.WORKING, by=agent, verb="step.claimed", at=at)


def _lease(step: Step) -> timedelta:
    return timedelta(seconds=graph_of(step.run.version_id).nodes[step.element].lease_seconds)


def has_work(agent: Agent, *, at: datetime) -> bool:
    """Whether a step stands ready for the agent that `claim` would hand out."""
    stops = governance.stops_for_work(at)
    stop = strictest(stops, governance.reach_of(agent), at)
    if stop is not None and stop.is_paused:
        return False
    return without_stopped(ready_steps(agent, stops, at=at)).exists()
