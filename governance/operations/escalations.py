"""Escalations: close a question with exactly one answer that can be taken back for a while, pass it on when nobody
decides."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from agents.models import Principal
from governance.models import Escalation, EscalationPath, Risk, standing_in
from governance.operations.approvals import enough, told_for
from governance.operations.paths import reminder
from governance.operations.standing import NotAReviewer, could_decide, standing_of
from governance.rules.amending import wrong_confirmation
from observability import ledger

APPROVAL_LASTS = timedelta(hours=24)
AT_ONCE = timedelta(0)


class RequestChanged(ledger.Refused):
    """The request changed since you opened it. Nothing was decided."""

    status = 412
    code = "request_changed"


class TakenEffect(ledger.TooLate):
    """It can no longer be undone: the answer has taken effect."""


class NotYourAnswer(ledger.NotAllowed):
    """Only who answered can undo it."""

    code = "not_your_answer"


class ReasonNeeded(ledger.Invalid):
    """Say why you reject it: the agent reads your reason."""

    code = "reason_needed"


class ConfirmationNeeded(ledger.Invalid):
    """The policy wants a confirmation before this is approved, and it is missing or wrong. Nothing was decided."""

    code = "confirmation_needed"


@dataclass(frozen=True)
class Confirmation:
    """What somebody typed and ticked to confirm an approval."""

    typed: str = ""
    ticked: tuple[str, ...] = ()


UNCONFIRMED = Confirmation()


def close(
    escalation: Escalation, to: str, *, reviewer: Principal, at: datetime, request_sha256: str, reason: str = "",
    reason_code: str = "", undo: timedelta = AT_ONCE, confirmation: Confirmation = UNCONFIRMED,
) -> bool:  # fmt: skip
    """Record the reviewer's answer, bound to the request they read; True when the question is settled by it, False
    when another person has to approve as well, or when the answer takes effect only after the time `undo`. Raises
    NotAReviewer, TooLate, RequestChanged, ReasonNeeded or ConfirmationNeeded."""
    if not escalation.is_open:
        raise _too_late(escalation)
    standing = standing_of(reviewer, escalation)
    if standing is None:
        raise NotAReviewer(about=escalation)
    if request_sha256 != escalation.request_sha256:
        raise RequestChanged
    if at >= escalation.due_at:
        raise ledger.TooLate("The deadline has passed. Nothing was decided.")
    if to == Escalation.Status.REJECTED and not reason.strip():
        raise ReasonNeeded(fields={"reason": "A reason is needed to reject."})
    instead_of, confirmed = standing.instead_of, dict[str, Any]()
    if to == Escalation.Status.APPROVED:
        confirmed = confirmed_by(escalation, confirmation)
        if not enough(escalation, reviewer, standing, at, reason, confirmed):
            return False
    answer = {"settled_by": reviewer, "settled_for": instead_of, "reason_code": reason_code}
    if undo > AT_ONCE:
        _hold(escalation, to, by=reviewer, at=at, reason=reason, told=confirmed, effect_at=at + undo, **answer)
        return False
    until = _approved_until(to, at)
    told = told_for(instead_of) | confirmed
    _settle(escalation, to, by=reviewer, at=at, reason=reason, approved_until=until, data=told, **answer)
    return True


def _approved_until(to: str, at: datetime) -> datetime | None:
    return at + APPROVAL_LASTS if to == Escalation.Status.APPROVED else None


# --- the time in which an answer can be undone -------------------------------------------------------------------
def _hold(
    escalation: Escalation, to: str, *, by: Principal, at: datetime, reason: str, told: dict[str, Any], **changes: Any
) -> None:  # fmt: skip
    instead_of = changes["settled_for"]
    with _told_who_won(escalation):
        ledger.move(
            escalation, Escalation.Status.HELD, by=by, verb="escalation.answered", at=at, why=reason, reason=reason,
            data={"answer": to} | told_for(instead_of) | told, held_answer=to, settled_at=at, **changes,
        )  # fmt: skip


def undo(escalation: Escalation, *, by: Principal, at: datetime) -> None:
    """Take one's answer back before it takes effect: the question is open again as it was. Raises TakenEffect or
    NotYourAnswer."""
    if escalation.status != Escalation.Status.HELD or escalation.effect_at is None or escalation.effect_at <= at:
        raise TakenEffect
    if escalation.settled_by_id != by.pk:
        raise NotYourAnswer(about=escalation)
    _open_again(escalation, by=by, verb="escalation.undone", at=at)


def take_effect(escalation: Escalation, *, at: datetime) -> bool:
    """Let a held answer take effect now that it can no longer be undone; False when whoever gave it may not decide any
    more, or no longer alone: then the question is open again."""
    reviewer, answer = escalation.settled_by, escalation.held_answer
    why = "" if reviewer and _may_still(reviewer, escalation) else f"{reviewer} may no longer decide this."
    why = why or _lacking(escalation)
    if why or reviewer is None:
        why += " Nothing was done."
        _open_again(escalation, by=ledger.SYSTEM, verb="escalation.returned", at=at, why=why)
        return False
    answered_at = escalation.settled_at or at
    with _told_who_won(escalation):
        ledger.move(
            escalation, answer, by=reviewer, verb=f"escalation.{answer}", at=at, why=escalation.reason,
            seconds=_seconds(escalation, answered_at), approved_until=_approved_until(answer, at), held_answer="",
            data=told_for(escalation.settled_for),
        )  # fmt: skip
    return True


def _lacking(escalation: Escalation) -> str:
    needed = escalation.approvals_needed if escalation.held_answer == Escalation.Status.APPROVED else 1
    return "" if needed == 1 or escalation.votes.count() >= needed else f"{needed} people have to approve now."


def _may_still(reviewer: Principal, escalation: Escalation) -> bool:
    instead_of, this = escalation.settled_for, Escalation.objects.filter(pk=escalation.pk)
    if not could_decide(reviewer, escalation) or not this.naming(instead_of or reviewer).exists():
        return False
    return instead_of is None or any(each.person == instead_of for each in standing_in(reviewer))


def _open_again(escalation: Escalation, *, by: ledger.Acts, verb: str, at: datetime, why: str = "") -> None:
    answered = escalation.settled_by
    escalation.votes.filter(person=answered).delete()
    ledger.move(
        escalation, Escalation.Status.OPEN, by=by, verb=verb, at=at, why=why, held_answer="", effect_at=None,
        settled_at=None, settled_by=None, settled_for=None, reason="", reason_code="",
    )  # fmt: skip


def confirmed_by(escalation: Escalation, confirmation: Confirmation) -> dict[str, Any]:
    """The confirmation as the ledger keeps it beside the approval; nothing where the policy wants none. Raises
    ConfirmationNeeded."""
    wanted = escalation.confirm
    if not wanted:
        return {}
    wrong = wrong_confirmation(wanted, escalation.request, confirmation.typed, confirmation.ticked)
    if wrong:
        raise ConfirmationNeeded(fields=wrong)
    typed = {"typed": confirmation.typed.strip()} if wanted.get("type") else {}
    return {"confirmed": {**typed, "ticked": list(wanted.get("checklist", ()))}}


def _settle(escalation: Escalation, to: str, *, by: ledger.Acts, at: datetime, reason: str, **changes: Any) -> None:
    with _told_who_won(escalation):
        ledger.move(
            escalation, to, by=by, verb=f"escalation.{to}", at=at, why=reason, seconds=_seconds(escalation, at),
            settled_at=at, reason=reason, held_answer="", **changes,
        )  # fmt: skip


def _seconds(escalation: Escalation, answered_at: datetime) -> Decimal:
    return Decimal(str(round((answered_at - escalation.opened_at).total_seconds(), 3)))


@contextmanager
def _told_who_won(escalation: Escalation) -> Iterator[None]:
    try:
        yield
    except ledger.TooLate as late:
        escalation.refresh_from_db()
        raise _too_late(escalation) from late


def _too_late(escalation: Escalation) -> ledger.TooLate:
    who = str(escalation.settled_by) if escalation.settled_by else "Autonomy OS"
    when = f" at {escalation.settled_at:%H:%M:%S} UTC" if escalation.settled_at else ""
    answer = escalation.get_held_answer_display() if escalation.held_answer else escalation.get_status_display()
    return ledger.TooLate(f"{who} settled this first{when}: {answer.lower()}.")


def expire(escalation: Escalation, *, at: datetime) -> bool:
    """Nobody decided in time: ask the next level; True when there is none, and the answer is no (or yes, where path and
    policy say so for low risk). Work to look at again is closed without an answer."""
    path = escalation.path
    if escalation.kind == Escalation.Kind.REVIEW:
        why = "Nobody looked at it again in time."
        _settle(escalation, Escalation.Status.EXPIRED, by=ledger.SYSTEM, at=at, reason=why)
        return True
    following = path.steps.filter(level__gt=escalation.asked.level).order_by("level").first()
    if following is None or path.mode != EscalationPath.Mode.PASS_ON:
        _end_unanswered(escalation, at)
        return True
    due_at = path.ends_at(at, following.seconds)
    ledger.move(
        escalation, Escalation.Status.OPEN, by=ledger.SYSTEM, verb="escalation.passed_on", at=at,
        why=f"Nobody decided in time; {following.who()} is asked now.", expect={"asked": escalation.asked},
        asked=following, due_at=due_at, remind_at=reminder(following, due_at, at),
        approvals_needed=max(escalation.approvals_asked, following.quorum),
    )  # fmt: skip
    return False


def _end_unanswered(escalation: Escalation, at: datetime) -> None:
    if approves_unanswered(escalation):
        why = "Nobody decided in time; the path approves what has low risk then."
        until = at + APPROVAL_LASTS
        _settle(escalation, Escalation.Status.APPROVED, by=ledger.SYSTEM, at=at, reason=why, approved_until=until)
        return
    _settle(escalation, Escalation.Status.EXPIRED, by=ledger.SYSTEM, at=at, reason="Nobody decided in time.")


def approves_unanswered(escalation: Escalation) -> bool:
    """Whether nobody's answer is a yes in the end: for low risk on a path that the council marked so, and where a
    policy asks, only when its rule leaves it to the path."""
    if escalation.risk != Risk.LOW or escalation.kind == Escalation.Kind.INCIDENT:
        return False
    left_to_path = escalation.kind == Escalation.Kind.STEP or escalation.on_timeout == "path"
    return left_to_path and escalation.path.approves_unanswered


def remind(escalation: Escalation, *, at: datetime) -> None:
    """Tell whoever is asked that the time is nearly over, once on each level; whom it reaches is for those to look up
    who send it."""
    due = Escalation.objects.to_remind(at).filter(pk=escalation.pk, asked=escalation.asked_id)
    with transaction.atomic():
        if due.update(remind_at=None):
            words = f"{escalation.asked.who()} has until {escalation.due_at:%H:%M} UTC."
            ledger.record("escalation.reminded", escalation, by=ledger.SYSTEM, at=at, why=words)


def withdraw(escalation: Escalation, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """The question is no longer needed."""
    _settle(
        escalation, Escalation.Status.WITHDRAWN, by=by, at=at, reason=why, settled_by=None, settled_for=None,
        effect_at=None,
    )  # fmt: skip


@transaction.atomic
def prolong(escalation: Escalation, length: timedelta, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Give whoever is asked more time; an answer that came meanwhile stands."""
    due_at = escalation.due_at + length
    remind_at = None if escalation.remind_at is None else escalation.remind_at + length
    still_open = Escalation.objects.open().filter(pk=escalation.pk, due_at=escalation.due_at)
    if not still_open.update(due_at=due_at, remind_at=remind_at):
        raise ledger.TooLate(f"{escalation.title} was changed by somebody else meanwhile.")
    escalation.due_at, escalation.remind_at = due_at, remind_at
    ledger.record("escalation.prolonged", escalation, by=by, at=at, why=why, data={"until": due_at.isoformat()})
