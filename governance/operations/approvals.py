"""Approvals where one is not enough: who approved on which level, and whose turn it is then."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from agents.models import Principal
from governance.models import Escalation, EscalationPath, PathStep, Vote
from governance.operations.paths import levels_of, reminder
from governance.operations.standing import Standing, handed_on
from governance.rules.approving import Progress, level_for, progress
from observability import ledger

GONE = -1


def told_for(instead_of: Principal | None) -> dict[str, Any]:
    """For whom somebody decides, as the ledger keeps it; nothing for oneself."""
    return {"for": str(instead_of), "for_id": instead_of.username} if instead_of else {}


def enough(
    escalation: Escalation,
    reviewer: Principal,
    standing: Standing,
    at: datetime,
    reason: str,
    confirmed: dict[str, Any],
) -> bool:
    """Whether the question is approved with this approval; otherwise it is noted, and who comes next is asked. Raises
    TooLate for a second approval by or for the same person."""
    if escalation.approvals_needed == 1:
        return True
    if escalation.votes.filter(instead_of=reviewer).exists():
        raise ledger.TooLate("Somebody approved this for you already; another person has to approve as well.")
    levels = levels_of(escalation.path)
    _vote(escalation, reviewer, standing.instead_of, level_of(escalation, reviewer, standing, levels), at, reason)
    now = progress(*_path(escalation, levels), escalation.approvals_asked, given_on(escalation, levels))
    if now.is_settled:
        return True
    _second(escalation, levels, now, by=reviewer, at=at, reason=reason, told=told_for(standing.instead_of) | confirmed)
    return False


def level_of(
    escalation: Escalation, reviewer: Principal, standing: Standing, levels: Sequence[PathStep]
) -> PathStep:  # fmt: skip
    """The level for which the reviewer speaks now: one that asks them, or on which it was handed to them."""
    handed = handed_on(escalation, standing.instead_of or reviewer)
    asking = [
        number for number, level in enumerate(levels) if level.pk in handed or standing.is_on(level, reviewer)
    ]  # fmt: skip
    return levels[level_for(*_path(escalation, levels), given_on(escalation, levels), asking)]


def _path(escalation: Escalation, levels: Sequence[PathStep]) -> tuple[str, list[int], int]:
    place = next((number for number, level in enumerate(levels) if level.pk == escalation.asked_id), 0)
    return escalation.path.mode, [level.quorum for level in levels], place


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
    """How many approved on each level, by its place; what was approved on a level that is gone counts on none of them,
    and what was approved before levels were kept on the first."""
    places: dict[int | None, int] = {None: 0} | {level.pk: number for number, level in enumerate(levels)}
    return Counter(places.get(pk, GONE) for pk in escalation.votes.values_list("level", flat=True))


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
