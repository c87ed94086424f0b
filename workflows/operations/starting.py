"""Who may start runs: one rule for calls, messages, schedules, addresses and connections."""

from agents.models import Principal
from workflows.models import Workflow

START = "workflows.start_workflow"


def may_start(principal: Principal, workflow: Workflow) -> bool:
    """Whether somebody sees the workflow and may start its runs: who has the right by a role has it for what there is
    to see."""
    return principal.may(START, workflow) and Workflow.objects.visible_to(principal).filter(pk=workflow.pk).exists()


def startable_by(principal: Principal) -> list[int]:
    """The keys of all workflows that somebody may start. One by one: who has the right by a role may have it in the own
    unit alone."""
    visible = Workflow.objects.visible_to(principal).select_related("unit")
    return [each.pk for each in visible if principal.may(START, each)]


def is_answered_for(author: Principal | None, workflow: Workflow) -> bool:
    """Whether what begins runs by itself still has somebody who may start them; what nobody made belongs to the
    system."""
    return author is None or may_start(author, workflow)
