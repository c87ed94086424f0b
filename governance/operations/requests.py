"""Access requests: an agent that was told to ask has a person asked, and reads what came of it.

The shapes of the AuthZEN Access Request and Approval profile (draft): a task is the escalation of one evaluation."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from agents.models import Agent, Principal
from governance.models import Decision, Escalation
from governance.operations.asking import asked_about
from governance.operations.callbacks import CallbackWish, keep_callback
from governance.operations.decisions import answer_to, ask_people, request_of
from governance.operations.escalations import withdraw
from governance.operations.facts import Circumstances, Question
from governance.operations.flooding import TooManyOpen, has_room
from governance.rules import Verdict
from observability import ledger

REQUESTABLE_FOR = timedelta(hours=1)
FAMILY = "urn:openid:authzen:access-request:error:"


class NotRequestable(ledger.Invalid):
    """Nobody can be asked about this evaluation: it did not end in a question to people."""

    code = "not_requestable"
    family = FAMILY


class InvalidDenialBinding(ledger.Invalid):
    """This is not what was evaluated. Send subject, action, resource and context as they were."""

    code = "invalid_denial_binding"
    family = FAMILY


class ExpiredDenial(ledger.Refused):
    """The evaluation no longer holds. Evaluate again."""

    status = 410
    code = "expired_denial"
    family = FAMILY


class DuplicateRequest(ledger.Refused):
    """This Idempotency-Key was used for another request. Use a new key for a new request."""

    code = "duplicate_request"
    family = FAMILY


class UnknownTask(ledger.NotFound):
    """There is no such access request, or you may not see it."""

    code = "unknown_task"
    family = FAMILY


class InvalidTaskState(ledger.Refused):
    """This access request is settled; that does not change any more."""

    code = "invalid_task_state"
    family = FAMILY


@dataclass(frozen=True)
class Requested:
    """What is asked for: the evaluation, the question as it was evaluated, with the agent's words for the person, and
    where it wants to be told what came of it, under the address `base` of this decision point."""

    evaluation: UUID
    question: Question
    callback: CallbackWish | None = None
    base: str = ""


def request_until(decision: Decision) -> datetime:
    """Until when a person can be asked about this decision."""
    return decision.at + REQUESTABLE_FOR


@transaction.atomic
def request_access(requested: Requested, *, known: Circumstances, by: ledger.Acts) -> Escalation:
    """The open question to people about an evaluation that ended in `escalate`; the one that is open already when the
    same was asked before. Raises NotRequestable, InvalidDenialBinding, ExpiredDenial or TooManyOpen."""
    task = _asked_for(requested, known, by)
    if requested.callback is not None:
        keep_callback(requested.callback, task, base=requested.base, at=known.at)
    return task


def _asked_for(requested: Requested, known: Circumstances, by: ledger.Acts) -> Escalation:
    decision = _evaluated(requested, known)
    if known.at > request_until(decision):
        raise ExpiredDenial
    open_already = (
        Escalation.objects.pending().real().filter(agent=known.agent, request_sha256=decision.request_sha256, run="")
    )
    before = Escalation.objects.filter(decision=decision).first() or open_already.order_by("id").first()
    if before is not None:
        return before
    question = replace(requested.question, not_by=_oneself(by))
    answer = answer_to(question, decision.request, decision.request_sha256, known)
    if answer.ruling.verdict is not Verdict.ESCALATE or list(answer.ruling.because) != decision.because:
        raise ExpiredDenial("The answer would be another one now. Evaluate again.")
    if not has_room(known.agent):
        raise TooManyOpen
    return ask_people(decision, answer, by=by)


def _evaluated(requested: Requested, known: Circumstances) -> Decision:
    mine = Decision.objects.filter(uid=requested.evaluation, agent=known.agent)
    decision = mine.select_for_update(of=("self",)).select_related("agent__unit").first()
    if decision is None:
        raise InvalidDenialBinding(fields={"denial.evaluation_id": "You have no evaluation with this id."})
    if decision.effect != Decision.Effect.ESCALATE or decision.run:
        raise NotRequestable
    asked, was = request_of(requested.question, known.agent), decision.request
    other = [name for name in {**was, **asked} if asked.get(name) != was.get(name)]
    if other:
        raise InvalidDenialBinding(fields=dict.fromkeys(other, "This is not what was evaluated."))
    return decision


def _oneself(by: ledger.Acts) -> tuple[Principal, ...]:
    # Who has a person asked for an agent does not answer as well.
    return (by,) if isinstance(by, Principal) and by.is_person else ()


def task_asked_by(uid: UUID, *, by: Agent | Principal) -> Escalation:
    """The access request, if it is about oneself or an agent that one may ask about. Raises UnknownTask."""
    asked = Escalation.objects.real().filter(kind=Escalation.Kind.ACTION, run="", agent__in=asked_about(by))
    found = asked.select_related("decision", "agent", "path", "settled_by").filter(uid=uid).first()
    if found is None:
        raise UnknownTask
    return found


@transaction.atomic
def cancel_access(task: Escalation, *, by: ledger.Acts, at: datetime) -> None:
    """The person need not answer any more. Raises InvalidTaskState for what is settled."""
    if not task.is_pending:
        raise InvalidTaskState
    try:
        withdraw(task, by=by, at=at, why="The agent no longer needs it.")
    except ledger.TooLate as late:
        raise InvalidTaskState from late


# --- an approval that did not help ----------------------------------------------------------------------------
def why_not_approved(approval: str, decision: Decision) -> dict[str, str]:
    """Why the approval that was sent along did not make this decision an allow, and what to do next, in the words of
    the profile."""
    found = _approval(approval, decision)
    if found is None:
        return _next("approval_unverifiable", "none")
    if found.request_sha256 != decision.request_sha256:
        return _next("out_of_scope", "request" if decision.effect == Decision.Effect.ESCALATE else "none")
    if found.is_pending:
        return _next("grant_pending", "retry")
    if found.approved_until is not None and found.approved_until <= decision.at:
        return _next("approval_expired", "request" if decision.effect == Decision.Effect.ESCALATE else "none")
    return _next("policy_denied", "request" if decision.effect == Decision.Effect.ESCALATE else "none")


def _approval(text: str, decision: Decision) -> Escalation | None:
    try:
        uid = UUID(text)
    except ValueError:
        return None
    mine = Escalation.objects.real().filter(agent=decision.agent, kind=Escalation.Kind.ACTION)
    return mine.filter(uid=uid).first()


def _next(reason: str, action: str) -> dict[str, str]:
    return {"reason": reason, "next_action": action}
