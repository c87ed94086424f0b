"""Escalations: open a question for people, close it with exactly one answer, pass it on when nobody decides."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from agents.models import Agent, Principal, Unit
from governance.models import Decision, Escalation, EscalationPath, PathStep, PolicyVersion, Risk, Vote
from governance.operations.paths import first_to_end, levels_of, reminder
from governance.operations.standing import NotAReviewer, Standing, standing_of
from governance.rules.amending import wrong_confirmation
from governance.rules.approving import Progress, level_for, needed_for, progress
from observability import ledger

APPROVAL_LASTS = timedelta(hours=24)


class RequestChanged(ledger.Refused):
    """The request changed since you opened it. Nothing was decided."""

    status = 412
    code = "request_changed"


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
    on_timeout: str = "deny"
    reach: str = ""
    reversible: str = ""
    amendable: list[dict[str, Any]] = field(default_factory=list)
    confirm: dict[str, Any] = field(default_factory=dict)
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


def open_escalation(asked: Asked, *, by: ledger.Acts, at: datetime) -> Escalation:
    """Ask the first level of the path (where all are asked at once, all of them), within the path's time or the shorter
    `seconds` of the policy. Whom the path keeps from deciding is looked up now and does not decide later either."""
    levels = levels_of(asked.path)
    if not levels:
        raise ledger.Invalid(f"The escalation path {asked.path} has no level; nobody can be asked.")
    quorums, first = [level.quorum for level in levels], first_to_end(asked.path, levels)
    due_at = asked.path.ends_at(at, min(first.seconds, asked.seconds or first.seconds))
    columns = {name: value for name, value in vars(asked).items() if name not in _NOT_COLUMNS}
    escalation = Escalation.objects.create(
        **columns, asked=levels[0], approvals_asked=asked.approvals, opened_at=at, due_at=due_at,
        approvals_needed=needed_for(asked.path.mode, quorums, 0, asked.approvals),
        remind_at=reminder(first, due_at, at), workflow=asked.place.workflow,
        workflow_name=asked.place.workflow_name, run=asked.place.run, run_key=asked.place.run_key,
    )  # fmt: skip
    escalation.not_by.set(barred(asked, by))
    ledger.record("escalation.opened", escalation, by=by, at=at, why=asked.reason_asked, after=escalation.status)
    return escalation


_NOT_COLUMNS = {"place", "seconds", "approvals", "not_by"}


def barred(asked: Asked, by: ledger.Acts) -> set[Principal]:
    """Who must not decide this question: whom the asker names, for whom an agent asks, and whom the path names."""
    people = {*asked.not_by, *_behind(by)}
    if asked.path.bars_accountable and asked.agent is not None:
        people |= {each for each in (asked.agent.accountable, asked.agent.stand_in) if each is not None}
    if asked.path.bars_author and asked.policy:
        version = PolicyVersion.objects.filter(policy__key=asked.policy, number=asked.policy_version or 0)
        people |= {each.author for each in version.select_related("author") if each.author is not None}
    return people


def _behind(by: ledger.Acts) -> set[Principal]:
    # A person for whom an agent acts does not approve what it asks in their name.
    caller = by.as_actor().caller
    names = [each["id"] for each in caller.on_behalf_of if each.get("kind") == "person"] if caller else []
    return set(Principal.objects.people().filter(username__in=names)) if names else set()


def close(
    escalation: Escalation, to: str, *, reviewer: Principal, at: datetime, request_sha256: str, reason: str = "",
    reason_code: str = "", confirmation: Confirmation = UNCONFIRMED,
) -> bool:  # fmt: skip
    """Record the reviewer's answer, bound to the request they read; True when the question is settled by it, False
    when another person has to approve as well. Raises NotAReviewer, TooLate, RequestChanged, ReasonNeeded or
    ConfirmationNeeded."""
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
    confirmed = confirmed_by(escalation, confirmation) if to == Escalation.Status.APPROVED else {}
    instead_of = standing.instead_of
    if to == Escalation.Status.APPROVED and not _enough(escalation, reviewer, standing, at, reason, confirmed):
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
        data=_told(instead_of) | confirmed,
    )
    return True


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


def _told(instead_of: Principal | None) -> dict[str, Any]:
    return {"for": str(instead_of), "for_id": instead_of.username} if instead_of else {}


def _enough(
    escalation: Escalation,
    reviewer: Principal,
    standing: Standing,
    at: datetime,
    reason: str,
    confirmed: dict[str, Any],
) -> bool:
    if escalation.approvals_needed == 1:
        return True
    if escalation.votes.filter(instead_of=reviewer).exists():
        raise ledger.TooLate("Somebody approved this for you already; another person has to approve as well.")
    levels = levels_of(escalation.path)
    place = next((number for number, level in enumerate(levels) if level.pk == escalation.asked_id), 0)
    asking = [number for number, level in enumerate(levels) if standing.is_on(level, reviewer)]
    path = (escalation.path.mode, [level.quorum for level in levels], place)
    level = levels[level_for(*path, given_on(escalation, levels), asking)]
    _vote(escalation, reviewer, standing.instead_of, level, at, reason)
    now = progress(*path, escalation.approvals_asked, given_on(escalation, levels))
    if now.is_settled:
        return True
    _second(escalation, levels, now, by=reviewer, at=at, reason=reason, told=_told(standing.instead_of) | confirmed)
    return False


def _vote(
    escalation: Escalation, reviewer: Principal, instead_of: Principal | None, level: PathStep, at: datetime,
    reason: str,
) -> None:  # fmt: skip
    try:
        with transaction.atomic():
            Vote.objects.create(
                escalation=escalation, person=reviewer, instead_of=instead_of, level=level, reason=reason, at=at
            )  # fmt: skip
    except IntegrityError as twice:
        raise ledger.TooLate("You approved this already; another person has to approve as well.") from twice


def given_on(escalation: Escalation, levels: Sequence[PathStep]) -> Counter[int]:
    """How many approved on each level, by its place; what was approved on a level that is gone counts on the first."""
    places = {level.pk: number for number, level in enumerate(levels)}
    return Counter(places.get(pk or 0, 0) for pk in escalation.votes.values_list("level", flat=True))


def _second(
    escalation: Escalation, levels: Sequence[PathStep], now: Progress, *, by: Principal, at: datetime, reason: str,
    told: dict[str, Any],
) -> None:  # fmt: skip
    """One of several approved. Where the next level is asked with that, its time begins; where all were asked at once,
    the shortest time of those that are still missing holds."""
    following, path, due_at = levels[now.place], escalation.path, escalation.due_at
    if path.mode == EscalationPath.Mode.PARALLEL:
        ends = [path.ends_at(escalation.opened_at, levels[place].seconds) for place in now.short]
        due_at = max(due_at, min(ends, default=due_at))
    elif following.pk != escalation.asked_id:
        due_at = path.ends_at(at, following.seconds)
    if following.pk == escalation.asked_id and due_at == escalation.due_at:
        ledger.record("escalation.seconded", escalation, by=by, at=at, why=reason, data=told)
        return
    ledger.move(
        escalation, Escalation.Status.OPEN, by=by, verb="escalation.seconded", at=at, why=reason, data=told,
        expect={"asked": escalation.asked}, asked=following, due_at=due_at,
        remind_at=reminder(following, due_at, at),
    )  # fmt: skip


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
    """Nobody decided in time: ask the next level; True when there is none, and the answer is no (or yes, where path and
    policy say so for low risk)."""
    path = escalation.path
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
    _settle(escalation, Escalation.Status.WITHDRAWN, by=by, at=at, reason=why)
