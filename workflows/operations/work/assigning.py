"""Assigning: a step is kept for one agent for a time, the named one or the one with the least in hand."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q

from agents.models import Agent
from agents.operations import require
from observability import ledger
from workflows.models import Step, Workflow
from workflows.operations.work.leases import locked_with_run

ASSIGNED_FOR = timedelta(minutes=15)


@transaction.atomic
def assign(
    step: Step, to: Agent | None = None, *, by: ledger.Acts, at: datetime, why: str, lasts: timedelta = ASSIGNED_FOR
) -> Step:
    """Keep a ready step for this agent, or for the one of those who may take it that has the least in hand: until then
    nobody else gets it. Raises WrongStatus for a step that is not ready, Invalid for an agent that cannot take it."""
    step = locked_with_run(step.pk)
    require(by, "workflows.cancel_workflow", step.run.workflow)
    if not why.strip():
        raise ledger.Invalid(fields={"why": "Say why the step is assigned."})
    if step.status != Step.Status.READY:
        raise ledger.WrongStatus(f"{step.name} is {step.get_status_display().lower()}; only a ready step is assigned.")
    able = able_to_take(step)
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


def able_to_take(step: Step) -> list[Agent]:
    """The agents at work that may take the step, those with the least in hand first."""
    in_hand = Count("steps", filter=Q(steps__status__in=Step.IN_HAND))
    agents = Agent.objects.at_work().filter(role__code=step.role).select_related("blueprint", "principal")
    return [each for each in agents.annotate(in_hand=in_hand).order_by("in_hand", "code") if _fits(each, step)]


def _fits(agent: Agent, step: Step) -> bool:
    if step.capability and step.capability not in agent.blueprint.capabilities:
        return False
    return step.run.workflow_id in agent.principal.granted("workflows.work_in_workflow", Workflow)
