"""How every intervention begins: by right, with a reason, the run locked, and only where it still fits."""

from datetime import datetime

from agents.models import Principal
from agents.operations import require
from agents.operations.reasons import check_length
from governance import operations as governance
from observability import ledger
from workflows.models import Run, Step
from workflows.operations.runs import locked
from workflows.operations.stopping import has_acted

RIGHT = "workflows.intervene_workflow"


class ActedAlready(ledger.Refused):
    """The agent was allowed an action in this step and still holds it. Wait for its report, or until its lease ends."""

    code = "acted_already"


def may_intervene(user: Principal, run: Run) -> bool:
    """Whether this person may intervene in the run."""
    return user.may(RIGHT, run.workflow)


def entered(run: Run, *, by: ledger.Acts, why: str) -> Run:
    """The run, locked and under way, for somebody who may intervene in it and says why."""
    require_reason(run, by=by, why=why)
    run = locked(run.pk)
    if not run.is_under_way:
        raise ledger.WrongStatus(f"Run {run} has ended: it is {run.status}.")
    return run


def require_reason(run: Run, *, by: ledger.Acts, why: str) -> None:
    """Raise NotAllowed without the right, Invalid without a reason."""
    require(by, RIGHT, run.workflow)
    if not why.strip():
        raise ledger.Invalid("Say why.", fields={"why": "A reason is needed."})
    check_length(why)


def entered_step(step: Step, *, by: ledger.Acts, why: str) -> Step:
    """The step as it stands now, in its run, which is locked and under way."""
    run = entered(step.run, by=by, why=why)
    step = Step.objects.select_for_update(of=("self",)).select_related("escalation", "agent").get(pk=step.pk)
    step.run = run
    return step


def require_not_acted(step: Step) -> None:
    """Raise ActedAlready while an agent holds the step in which it was allowed to act."""
    if step.status == Step.Status.WORKING and has_acted(step):
        raise ActedAlready


def withdraw_question(step: Step, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Nobody is asked about the step any more."""
    if step.escalation is not None and step.escalation.is_pending:
        governance.withdraw(step.escalation, by=by, at=at, why=why)
