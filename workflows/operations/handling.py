"""People ask the agent, amend its request or hand a question over: none of it settles the question."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from agents.models import Agent, Principal
from governance import operations as governance
from governance.models import Escalation, HandOver, Inquiry
from observability import ledger
from workflows.models import Step
from workflows.operations.actions import place_of
from workflows.operations.people import together


@transaction.atomic
def ask_agent(uid: UUID, text: str, *, reviewer: Principal, at: datetime) -> Inquiry:
    """Put a question to the agent; see `governance.ask_agent`. Raises NotFound for what the reviewer may not see."""
    _, escalation = _found(uid, reviewer)
    return governance.ask_agent(escalation, text, reviewer=reviewer, at=at)


@transaction.atomic
def answer_inquiry(uid: UUID, inquiry: UUID, answer: str, *, agent: Agent, at: datetime) -> Inquiry:
    """The agent's answer to a question about what it asked; see `governance.answer_inquiry`."""
    _, _, escalation = together(uid)
    found = Inquiry.objects.filter(escalation=escalation, uid=inquiry).first()
    if found is None or escalation.agent_id != agent.pk:
        raise ledger.NotFound
    found.escalation = escalation
    return governance.answer_inquiry(found, answer, agent=agent, at=at)


@transaction.atomic
def amend(uid: UUID, amendment: governance.Amendment, *, reviewer: Principal, at: datetime) -> Escalation:
    """Change the request within the bounds of its policy, which decides it again; see `governance.amend`."""
    step, escalation = _found(uid, reviewer)
    place = place_of(step) if step is not None else None
    governance.amend(escalation, amendment, reviewer=reviewer, at=at, place=place)
    return escalation


@transaction.atomic
def hand_over(uid: UUID, to: governance.Receiver, *, note: str, reviewer: Principal, at: datetime) -> HandOver:
    """Have somebody else asked as well; see `governance.hand_over`."""
    _, escalation = _found(uid, reviewer)
    return governance.hand_over(escalation, to, note=note, reviewer=reviewer, at=at)


def _found(uid: UUID, reviewer: Principal) -> tuple[Step | None, Escalation]:
    _, step, escalation = together(uid)
    if not escalation.is_visible_to(reviewer):
        raise ledger.NotFound
    return step, escalation
