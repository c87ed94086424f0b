"""Assigning: a step is kept for one agent for a time, the named one or the one with the least in hand."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q

from agents.models import Agent
from agents.operations import require
from observability import ledger
from workflows.models import Step, Workflow
from workflows.operations.work.leases import locked_with_run

RIGHT = "workflows.intervene_workflow"
ASSIGNED_FOR = timedelta(minutes=15)
ASSIGNED_AT_MOST = timedelta(days=1)


@transaction.atomic
def assign(
    step: Step, to: Agent | None = None, *, by: ledger.Acts, at: datetime, why: str, lasts: timedelta = ASSIGNED_FOR
) -> Step:
    """Keep a ready step for this agent, or for the one of those who may take it that has the least in hand: until then
    nobody else gets it. Raises WrongStatus for a step that is not ready, Invalid for an agent that cannot take it."""
    step = locked_with_run(step.pk)
    require(by, RIGHT, step.run.workflow)
    if not why.strip():
        raise ledger.Invalid(fields={"why": "Say why the step is assigned."})
    if not timedelta(minutes=1) <= lasts <= ASSIGNED_AT_MOST:
        raise ledger.Invalid(fields={"minutes": "A step is kept for one agent for 1 minute to 24 hours (1440)."})
    if step.kind != Step.Kind.AGENT or step.status != Step.Status.READY:
        raise ledger.WrongStatus(
            f"{step.name} is {step.get_status_display().lower()}; only an agent's step that is ready is assigned."
        )
    able = [agent for agent, _ in able_to_take(step, at)]
    chosen = able[0] if to is None and able else next((each for each in able if each == to), None)
    if chosen is None:
        named = to.code if to is not None else "nobody"
        raise ledger.Invalid(
            fields={"agent": f"{named} cannot take it: it takes an active {step.role} with a right on the workflow."}
        )
    step.assigned_to, step.assigned_until = chosen, at + lasts
    step.save(update_fields=["assigned_to", "assigned_until"])
    told = {"agent": chosen.code, "until": step.assigned_until.isoformat()}
    ledger.record("step.assigned", step, by=by, at=at, why=why, data=told)
    return step


def able_to_take(step: Step, at: datetime) -> list[tuple[Agent, int]]:
    """The agents at work that may take the step, each with how much it has in hand or kept for it alone; those with the
    least first."""
    kept = Q(assigned_steps__status=Step.Status.READY, assigned_steps__assigned_until__gt=at)
    held = Count("steps", filter=Q(steps__status__in=Step.IN_HAND), distinct=True)
    in_hand = held + Count("assigned_steps", filter=kept, distinct=True)
    agents = Agent.objects.at_work().filter(role__code=step.role).select_related("blueprint", "principal")
    by_load = agents.annotate(load=in_hand).order_by("load", "code")
    return [(each, each.load) for each in by_load if _fits(each, step)]


def _fits(agent: Agent, step: Step) -> bool:
    if step.capability and step.capability not in agent.blueprint.capabilities:
        return False
    return step.run.workflow_id in agent.principal.granted("workflows.work_in_workflow", Workflow)
