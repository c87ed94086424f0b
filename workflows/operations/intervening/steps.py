"""A step is put right by hand: tried again now, skipped with its outputs given, or given to somebody else."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from agents.models import Agent, Role
from governance import operations as governance
from governance.models import Escalation
from observability import ledger
from workflows.models import Step, Workflow
from workflows.operations.intervening.entering import entered_step, require_not_acted, withdraw_question
from workflows.operations.people import try_again
from workflows.operations.runs import checked_values, step_is_done
from workflows.plan import StaleHappening


@transaction.atomic
def retry(step: Step, *, by: ledger.Acts, at: datetime, why: str) -> Step:
    """Try the step again now, with all its attempts: one that failed for good, one that waits until its next try, or a
    place at which the run could not go on. The question about it is withdrawn."""
    step = entered_step(step, by=by, why=why)
    if is_stuck(step):
        withdraw_question(step, by=by, at=at, why=f"Tried again by hand: {why}")
        try_again(step.run, step, by=by, at=at, why=why)
        return step
    if not waits_for_next_try(step, at):
        raise ledger.WrongStatus(f"“{step.name}” is {step.status}; only work that failed can be tried again.")
    step.available_at, step.attempt = at, 0
    step.save(update_fields=["available_at", "attempt"])
    ledger.record("step.hurried", step, by=by, at=at, why=why, after=step.status)
    return step


def waits_for_next_try(step: Step, at: datetime) -> bool:
    """Whether it failed and is tried again only later."""
    return step.status == Step.Status.READY and step.attempt > 0 and step.available_at > at


def is_stuck(step: Step) -> bool:
    """Whether it failed, or the run cannot go on there, and nobody has put it right yet."""
    if step.status == Step.Status.FAILED:
        return True
    asked = step.escalation
    return step.status == Step.Status.WAITING and asked is not None and asked.kind == Escalation.Kind.INCIDENT


@transaction.atomic
def skip(step: Step, output: Mapping[str, Any], *, by: ledger.Acts, at: datetime, why: str) -> Step:
    """The run goes on as if the step had left this output, which is checked like an agent's. Raises Invalid that names
    each output that does not fit; a decision of people is never skipped."""
    step = entered_step(step, by=by, why=why)
    if step.kind != Step.Kind.AGENT:
        raise ledger.WrongStatus(f"“{step.name}” is not an agent’s work; it cannot be skipped.")
    require_not_acted(step)
    run, values = step.run, checked_values(step.run.version_id, step.element, output)
    withdraw_question(step, by=by, at=at, why=f"Skipped: {why}")
    ledger.move(
        step, Step.Status.SKIPPED, by=by, verb="step.skipped", at=at, why=why, data={"output": values}, ended_at=at,
        leased_until=None, lease_token=step.lease_token + 1, output=values, note=why[:2000],
    )  # fmt: skip
    governance.release_step(str(step.uid), at=at, why=why)
    try:
        step_is_done(run, step, values, by=by, at=at)
    except StaleHappening as stale:
        raise ledger.WrongStatus(f"The run waits for “{step.name}” no longer.") from stale
    return step


@transaction.atomic
def reassign(step: Step, *, role: str = "", agent: str = "", by: ledger.Acts, at: datetime, why: str) -> Step:
    """Give work that nobody holds to another role, or to one agent alone as long as it is active; work that failed is
    tried again there. Raises Invalid for a role or an agent that does not work in this workflow."""
    step = entered_step(step, by=by, why=why)
    if step.kind != Step.Kind.AGENT or step.status not in (Step.Status.READY, Step.Status.FAILED):
        raise ledger.WrongStatus(f"“{step.name}” is {step.status}; only work that nobody holds can be given away.")
    to, receiver = _receiver(step, role, agent)
    told = {"to": str(receiver or to), "from": str(step.assigned_to or step.role), "role": to.code}
    withdraw_question(step, by=by, at=at, why=f"Given to {told['to']}: {why}")
    if step.status == Step.Status.FAILED:
        try_again(step.run, step, by=by, at=at, why=why)
    step.role, step.assigned_to = to.code, receiver
    step.available_at, step.attempt = at, 0
    step.save(update_fields=["role", "assigned_to", "available_at", "attempt"])
    ledger.record("step.reassigned", step, by=by, at=at, why=why, after=step.status, data=told)
    return step


def _receiver(step: Step, role: str, agent: str) -> tuple[Role, Agent | None]:
    workflow = step.run.workflow
    if agent:
        receiver = Agent.objects.at_work().select_related("role").filter(code=agent).first()
        if receiver is None or not _works_in(receiver, workflow):
            raise ledger.Invalid(fields={"agent": f"No active agent {agent} works in {workflow}. Name one that does."})
        if role and role != receiver.role.code:
            raise ledger.Invalid(fields={"role": f"{agent} has the role {receiver.role.code}. Leave the role out."})
        return receiver.role, receiver
    found = Role.objects.filter(code=role).first()
    if found is None or not any(_works_in(each, workflow) for each in _in_role(found)):
        raise ledger.Invalid(fields={"role": f"No active agent in the role “{role}” works in {workflow}."})
    return found, None


def _in_role(role: Role) -> list[Agent]:
    return list(Agent.objects.at_work().filter(role=role))


def _works_in(agent: Agent, workflow: Workflow) -> bool:
    return Workflow.objects.worked_by(agent).filter(pk=workflow.pk).exists()
