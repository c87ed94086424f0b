"""Escalations: open a question for people, close it with exactly one answer, pass it on when nobody decides."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from agents.models import Agent, Principal, Unit
from agents.operations import require
from governance.models import Decision, Delegation, Escalation, EscalationPath, PathStep, Risk, Vote, standing_in
from observability import ledger
from observability.prepared import Prepared

APPROVAL_LASTS = timedelta(hours=24)


class NotAReviewer(ledger.NotAllowed):
    """You are not asked to decide this."""

    code = "not_a_reviewer"


class RequestChanged(ledger.Refused):
    """The request changed since you opened it. Nothing was decided."""

    status = 412
    code = "request_changed"


class ReasonNeeded(ledger.Invalid):
    """Say why you reject it: the agent reads your reason."""

    code = "reason_needed"


@dataclass(frozen=True)
class Level:
    """One level of a path to be added: people or a group, and how long they have."""

    seconds: int
    people: tuple[Principal, ...] = ()
    group: str = ""


@dataclass(frozen=True)
class Place:
    """Where in a workflow a question comes up; names and ids, the path of the unit whose workflow it is, and which
    steps a person approved on the way."""

    workflow: str = ""
    workflow_name: str = ""
    run: str = ""
    run_key: str = ""
    step: str = ""
    approved: tuple[str, ...] = ()
    unit_path: str = ""


@dataclass(frozen=True)
class Asked:
    """Everything that the card of a question shows, and what its answer is bound to."""

    kind: str
    title: str
    path: EscalationPath
    unit: Unit
    likeness: str
    request: dict[str, Any]
    request_sha256: str
    place: Place = Place()
    risk: int = Risk.MEDIUM
    effect: str = ""
    agent: Agent | None = None
    decision: Decision | None = None
    reason_asked: str = ""
    policy: str = ""
    policy_version: int | None = None
    seconds: int | None = None
    approvals: int = 1
    conditions: list[dict[str, Any]] = field(default_factory=list)
    shown: list[dict[str, str]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    evidence: list[dict[str, Any]] = field(default_factory=list)
    statement: str = ""
    confidence: Decimal | None = None
    if_approved: str = ""
    if_rejected: str = ""
    if_nobody: str = ""
    not_by: tuple[Principal, ...] = ()


@transaction.atomic
def add_path(key: str, name: str, *, unit: Unit, levels: list[Level], by: ledger.Acts, at: datetime) -> EscalationPath:
    """A new escalation path; its levels are asked in the order given."""
    require(by, "governance.change_policy")
    if not levels:
        raise ledger.Invalid(fields={"levels": "A path needs at least one level."})
    path = EscalationPath.objects.create(key=key, name=name, unit=unit)
    for number, level in enumerate(levels, 1):
        group = Group.objects.get(name=level.group) if level.group else None
        step = PathStep.objects.create(path=path, level=number, group=group, seconds=level.seconds)
        step.people.set(level.people)
    ledger.record("path.added", path, by=by, at=at)
    return path


def open_escalation(asked: Asked, *, by: ledger.Acts, at: datetime) -> Escalation:
    """Ask the first level of the path, within the path's time or the shorter `seconds` of the policy."""
    first = asked.path.steps.order_by("level").first()
    if first is None:
        raise ledger.Invalid(f"The escalation path {asked.path} has no level; nobody can be asked.")
    columns = {name: value for name, value in vars(asked).items() if name not in _NOT_COLUMNS}
    escalation = Escalation.objects.create(
        **columns, asked=first, approvals_needed=asked.approvals, opened_at=at,
        due_at=at + timedelta(seconds=min(first.seconds, asked.seconds or first.seconds)),
        workflow=asked.place.workflow, workflow_name=asked.place.workflow_name, run=asked.place.run,
        run_key=asked.place.run_key,
    )  # fmt: skip
    escalation.not_by.set(asked.not_by)
    ledger.record("escalation.opened", escalation, by=by, at=at, why=asked.reason_asked, after=escalation.status)
    return escalation


_NOT_COLUMNS = {"place", "seconds", "approvals", "not_by"}


@dataclass(frozen=True)
class Standing:
    """How somebody may decide a question: in person, or under a delegation."""

    delegation: Delegation | None = None

    @property
    def instead_of(self) -> Principal | None:
        """For whom the answer is given, if not for oneself."""
        return self.delegation.person if self.delegation else None


def may_settle(person: Principal, escalation: Escalation) -> bool:
    """Whether this person is asked now: active, a reviewer, on the current level, sees the unit, not excluded; or
    decides for somebody of whom all this holds."""
    return standing_of(person, escalation) is not None


def standing_of(person: Principal, escalation: Escalation) -> Standing | None:
    """How this person may decide the question now, None for somebody who is not asked. To be asked in person comes
    first, and is all that is looked up then."""
    if not (person.is_active and person.is_person and person.may("governance.settle_escalation")):
        return None
    if escalation.is_visible_to(person) and _ASKED.exists(person=person.pk, escalation=escalation.pk):
        return Standing()
    this = Escalation.objects.filter(pk=escalation.pk)
    under = (each for each in standing_in(person) if this.asked_under(each).exists())
    return next(map(Standing, under), None)


def _asked(person: int, escalation: int) -> "QuerySet[Escalation]":
    anybody = Principal(pk=person)
    anybody.sees_all_units = True  # whether the unit may be seen is asked of the row
    return Escalation.objects.asked_of_oneself(anybody).filter(pk=escalation)


_ASKED = Prepared(_asked, person=int, escalation=int)


def close(
    escalation: Escalation, to: str, *, reviewer: Principal, at: datetime, request_sha256: str, reason: str = "",
    reason_code: str = "",
) -> bool:  # fmt: skip
    """Record the reviewer's answer, bound to the request they read; True when the question is settled by it, False
    when another person has to approve as well. Raises NotAReviewer, TooLate, RequestChanged or ReasonNeeded."""
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
    instead_of = standing.instead_of
    if to == Escalation.Status.APPROVED and not _enough(escalation, reviewer, instead_of, at, reason):
        return False
    until = at + APPROVAL_LASTS if to == Escalation.Status.APPROVED else None
    _settle(
        escalation,
        to,
        by=reviewer,
        at=at,
        reason=reason,
        reason_code=reason_code,
        approved_until=until,
        settled_by=reviewer,
        settled_for=instead_of,
        data=_told(instead_of),
    )
    return True


def delegation_of(reviewer: Principal, escalation: Escalation) -> Delegation | None:
    """The delegation under which this person decides the question now; None for somebody who is asked in person."""
    standing = standing_of(reviewer, escalation)
    return standing.delegation if standing else None


def _told(instead_of: Principal | None) -> dict[str, str]:
    return {"for": str(instead_of), "for_id": instead_of.username} if instead_of else {}


def _enough(
    escalation: Escalation, reviewer: Principal, instead_of: Principal | None, at: datetime, reason: str
) -> bool:
    if escalation.approvals_needed == 1:
        return True
    if escalation.votes.filter(instead_of=reviewer).exists():
        raise ledger.TooLate("Somebody approved this for you already; another person has to approve as well.")
    try:
        with transaction.atomic():
            Vote.objects.create(
                escalation=escalation, person=reviewer, instead_of=instead_of, reason=reason, at=at
            )  # fmt: skip
    except IntegrityError as twice:
        raise ledger.TooLate("You approved this already; another person has to approve as well.") from twice
    if escalation.votes.count() >= escalation.approvals_needed:
        return True
    told = _told(instead_of)
    ledger.record("escalation.seconded", escalation, by=reviewer, at=at, why=reason, data=told)
    return False


def _settle(escalation: Escalation, to: str, *, by: ledger.Acts, at: datetime, reason: str, **changes: Any) -> None:
    seconds = Decimal(str(round((at - escalation.opened_at).total_seconds(), 3)))
    try:
        ledger.move(
            escalation, to, by=by, verb=f"escalation.{to}", at=at, why=reason, seconds=seconds, settled_at=at,
            reason=reason, **changes,
        )  # fmt: skip
    except ledger.TooLate as late:
        escalation.refresh_from_db()
        raise _too_late(escalation) from late


def _too_late(escalation: Escalation) -> ledger.TooLate:
    who = str(escalation.settled_by) if escalation.settled_by else "Autonomy OS"
    when = f" at {escalation.settled_at:%H:%M:%S} UTC" if escalation.settled_at else ""
    return ledger.TooLate(f"{who} settled this first{when}: {escalation.get_status_display().lower()}.")


def expire(escalation: Escalation, *, at: datetime) -> bool:
    """Nobody decided in time: ask the next level; True when there is none, and the answer is no. Work to look at again
    is closed without an answer."""
    if escalation.kind == Escalation.Kind.REVIEW:
        why = "Nobody looked at it again in time."
        _settle(escalation, Escalation.Status.EXPIRED, by=ledger.SYSTEM, at=at, reason=why)
        return True
    following = escalation.path.steps.filter(level__gt=escalation.asked.level).order_by("level").first()
    if following is None:
        _settle(escalation, Escalation.Status.EXPIRED, by=ledger.SYSTEM, at=at, reason="Nobody decided in time.")
        return True
    ledger.move(
        escalation, Escalation.Status.OPEN, by=ledger.SYSTEM, verb="escalation.passed_on", at=at,
        why=f"Nobody decided in time; {following.who()} is asked now.", expect={"asked": escalation.asked},
        asked=following, due_at=at + timedelta(seconds=following.seconds),
    )  # fmt: skip
    return False


def withdraw(escalation: Escalation, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """The question is no longer needed."""
    _settle(escalation, Escalation.Status.WITHDRAWN, by=by, at=at, reason=why)
