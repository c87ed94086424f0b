"""What people do with a question beside answering it: ask the agent, and hand it over to somebody who may decide."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from agents.models import Agent, Principal
from governance.models import Escalation, HandOver, Inquiry
from governance.models.inquiries import TEXT_AT_MOST
from governance.operations.approvals import level_of
from governance.operations.paths import levels_of, reminder
from governance.operations.standing import could_decide, require_standing
from observability import ledger

INQUIRIES_AT_MOST = 20


class StillUnanswered(ledger.Refused):
    """The agent has not answered the last question yet."""

    code = "still_unanswered"


class AnsweredAlready(ledger.TooLate):
    """This question was answered, or nobody waits for the answer any more. Nothing was changed."""


class MayNotDecide(ledger.Invalid):
    """Whom you name may not decide this."""

    code = "may_not_decide"


# --- ask the agent --------------------------------------------------------------------------------------------
def ask_agent(escalation: Escalation, text: str, *, reviewer: Principal, at: datetime) -> Inquiry:
    """Put a question to the agent that asks; while the path lets the clock stand still, the deadline moves, at most as
    often and as long as the path says. Raises what an answer raises, Invalid, or StillUnanswered."""
    require_standing(reviewer, escalation, at=at)
    text = _bounded(text, "text", "Write the question.")
    if escalation.agent_id is None:
        raise ledger.Invalid(fields={"text": "No agent asks this, so there is nobody to ask."})
    asked = list(escalation.inquiries.all())
    if len(asked) >= INQUIRIES_AT_MOST:
        raise StillUnanswered(f"The agent was asked {INQUIRIES_AT_MOST} times; decide on what it said.")
    pause = _pause(escalation, asked)
    due_after = escalation.due_at + pause if pause else None
    try:
        with transaction.atomic():
            inquiry = Inquiry.objects.create(
                escalation=escalation, asked_by=reviewer, text=text, asked_at=at, due_after=due_after
            )  # fmt: skip
    except IntegrityError as twice:
        raise StillUnanswered from twice
    _shift(escalation, pause, verb="escalation.questioned", by=reviewer, at=at, why=text)
    return inquiry


def _pause(escalation: Escalation, asked: list[Inquiry]) -> timedelta:
    """How long the clock may still stand still: nothing once the path's number or hours are used up."""
    path, stood = escalation.path, [each for each in asked if each.due_after is not None]
    if not path.asking_pauses or len(stood) >= path.pauses_at_most:
        return timedelta(0)
    used = sum(((each.answered_at or each.asked_at) - each.asked_at for each in stood), timedelta(0))
    return max(timedelta(hours=path.pause_hours_at_most) - used, timedelta(0))


def _shift(
    escalation: Escalation, length: timedelta, *, verb: str, by: ledger.Acts, at: datetime, why: str
) -> None:  # fmt: skip
    if not escalation.is_open:  # held: the deadline is looked at again if the answer is undone
        ledger.record(verb, escalation, by=by, at=at, why=why)
        return
    due_at = escalation.due_at + length
    ledger.move(
        escalation, Escalation.Status.OPEN, by=by, verb=verb, at=at, why=why, expect={"due_at": escalation.due_at},
        due_at=due_at, remind_at=reminder(escalation.asked, due_at, at),
        data={"due_at": due_at.isoformat()} if length else {},
    )  # fmt: skip


def answer_inquiry(inquiry: Inquiry, answer: str, *, agent: Agent, at: datetime) -> Inquiry:
    """The agent's answer, once, while somebody waits for it; what the clock did not stand still is taken back. Raises
    AnsweredAlready or Invalid."""
    escalation = inquiry.escalation
    if escalation.agent_id != agent.pk or escalation.is_planted:
        raise ledger.NotFound
    answer = _bounded(answer, "answer", "Write the answer.")
    open_one = Inquiry.objects.unanswered().filter(pk=inquiry.pk)
    if not open_one.exists() or not Inquiry.objects.filter(pk=inquiry.pk, answered_at=None).update(
        answer=answer, answered_at=at
    ):
        raise AnsweredAlready
    inquiry.answer, inquiry.answered_at = answer, at
    back = timedelta(0)
    if inquiry.due_after is not None and inquiry.due_after == escalation.due_at:
        allowed = _allowed(inquiry)
        back = -max(allowed - (at - inquiry.asked_at), timedelta(0))
    _shift(escalation, back, verb="escalation.replied", by=agent, at=at, why=answer)
    return inquiry


def _allowed(inquiry: Inquiry) -> timedelta:
    # How long the clock was allowed to stand still for this question: what the earlier ones had left.
    earlier = [each for each in inquiry.escalation.inquiries.all() if each.pk < inquiry.pk]
    return _pause(inquiry.escalation, earlier)


def _bounded(text: str, field: str, missing: str) -> str:
    text = text.strip()
    if not text:
        raise ledger.Invalid(fields={field: missing})
    if len(text) > TEXT_AT_MOST:
        raise ledger.Invalid(fields={field: f"Use {TEXT_AT_MOST:,} characters at most."})
    return text


# --- hand over ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Receiver:
    """To whom a question is handed over: a person, or everybody of a role."""

    person: Principal | None = None
    group: Group | None = None

    def __str__(self) -> str:
        return str(self.person or (self.group.name if self.group else ""))


def hand_over(escalation: Escalation, to: Receiver, *, note: str, reviewer: Principal, at: datetime) -> HandOver:
    """Have somebody else asked as well, who may decide it; it leaves the reviewer's own list. Raises what an answer
    raises, or MayNotDecide."""
    standing = require_standing(reviewer, escalation, at=at)
    if len(note) > TEXT_AT_MOST:
        raise ledger.Invalid(fields={"note": f"Use {TEXT_AT_MOST:,} characters at most."})
    wrong = _why_not_to(escalation, to, reviewer)
    if wrong:
        raise MayNotDecide(fields={"to": wrong})
    HandOver.objects.filter(escalation=escalation, by__in=_people(to)).update(returned=True)
    level = level_of(escalation, reviewer, standing, levels_of(escalation.path))
    handed = HandOver.objects.create(
        escalation=escalation, by=reviewer, to_person=to.person, to_group=to.group, level=level,
        note=note.strip(), at=at,
    )  # fmt: skip
    told = {"to": str(to), "to_id": to.person.username if to.person else to.group.name if to.group else ""}
    ledger.record("escalation.handed_over", escalation, by=reviewer, at=at, why=note.strip(), data=told)
    return handed


def _people(to: Receiver) -> list[Principal]:
    if to.person is not None:
        return [to.person]
    return list(Principal.objects.people().filter(groups=to.group)) if to.group is not None else []


def _why_not_to(escalation: Escalation, to: Receiver, reviewer: Principal) -> str:
    if to.person is None and to.group is None:
        return "Choose a person or a role."
    if to.person == reviewer:
        return "Name somebody else; you are asked already."
    able = [person for person in _people(to) if person != reviewer and could_decide(person, escalation)]
    if able:
        return ""
    return (
        f"{to} may not decide this: the right, sight of the unit, the training, or distance from the case is missing."
    )
