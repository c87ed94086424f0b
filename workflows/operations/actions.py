"""An agent asks before it acts: the rules answer, or a person is asked and the step waits."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from agents.models import Agent
from governance import operations as governance
from governance.models import Decision, Escalation
from governance.operations import Place, Question
from observability import ledger
from workflows.models import Run, Step
from workflows.operations.questions import requester
from workflows.operations.stopping import PAUSED_RUN, LeaseVoid, has_acted, put_back
from workflows.operations.work.leases import held

WHILE_STOPPED = timedelta(seconds=15)


def request_action(
    question: Question, *, agent: Agent, at: datetime, step: Step | None = None, lease_token: int = 0
) -> Decision:
    """The decision on the agent's question. With a step it must hold the lease; when a person is asked the step waits
    and the lease ends, when work is stopped the step goes back to the queue."""
    if step is None:
        return governance.decide(question, agent=agent, at=at)
    given = Decision.objects.filter(agent=agent, request_key=question.request_key, step=str(step.uid)).first()
    if given is not None:
        return governance.decide(replace(question, place=place_of(step)), agent=agent, at=at)
    with transaction.atomic():
        return _ask_for_step(question, step, agent, lease_token, at)


def _ask_for_step(question: Question, step: Step, agent: Agent, lease_token: int, at: datetime) -> Decision:
    step = held(step, agent=agent, lease_token=lease_token, at=at)
    if step.run.is_paused:
        raise LeaseVoid(f"{PAUSED_RUN} Nothing new is begun in it.")
    asked = replace(question, place=place_of(step), not_by=requester(step.run))
    decision = governance.decide(asked, agent=agent, at=at)
    if decision.effect == Decision.Effect.ESCALATE:
        _wait(step, decision, agent, at)
    elif decision.rule in governance.STOPPED_FOR_NOW and not has_acted(step):  # who acted before reports on it
        put_back(step, by=agent, why=decision.reason, at=at, delay=WHILE_STOPPED)
    return decision


def _wait(step: Step, decision: Decision, agent: Agent, at: datetime) -> None:
    ledger.move(
        step, Step.Status.WAITING, by=agent, verb="step.waits", at=at, why=decision.reason,
        escalation=decision.escalation,
        lease_token=step.lease_token + 1, leased_until=None,
    )  # fmt: skip
    step.run.people_asked += 1
    step.run.save(update_fields=["people_asked"])


def place_of(step: Step) -> Place:
    """Where in a workflow a question of this step comes up."""
    workflow, run = step.run.workflow, step.run
    return Place(
        workflow=workflow.code, workflow_name=workflow.name, run=str(run.uid), run_key=run.key, step=str(step.uid),
        approved=_approved(run), unit_path=run.unit.path,
    )  # fmt: skip


def _approved(run: Run) -> tuple[str, ...]:
    # The newest question of an element counts: a yes in an earlier round of a loop does not outlive a later no.
    asked = run.steps.filter(escalation__kind=Escalation.Kind.STEP).order_by("id")
    newest = {element: (status, output) for element, status, output in asked.values_list("element", "status", "output")}
    yes = (Step.Status.DONE, {"outcome": Escalation.Status.APPROVED})
    return tuple(element for element, answer in newest.items() if answer == yes)
