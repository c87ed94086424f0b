"""The queue of questions: look at one, give it to somebody, watch it, put it aside for a while."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from agents.models import Principal
from governance.models import Escalation, Snooze, Watch
from governance.operations.standing import NotAReviewer, may_settle
from governance.rules.queueing import BACK_BEFORE, latest_return
from observability import ledger

PUT_ASIDE_AT_MOST = timedelta(days=30)
PEOPLE_AT_MOST = 50


class LookedAt(ledger.Refused):
    """Somebody else looks at this."""

    code = "looked_at"


class TooSoonDue(ledger.Refused):
    """This is due too soon to be put aside."""

    code = "too_soon_due"


def claim_escalation(escalation: Escalation, *, by: Principal, at: datetime) -> Escalation:
    """Tell the others that this person looks at it now; it hides nothing from them and ends by itself. Raises
    NotAReviewer, or LookedAt that says who was first. Whoever looks at it already goes on for the full time."""
    if not escalation.is_open:
        raise _settled(escalation)
    if not may_settle(by, escalation):
        raise NotAReviewer
    _require_free(escalation, by, at)
    return _hand(escalation, by, by=by, at=at, verb="escalation.claimed", why="")


def assign_escalation(escalation: Escalation, *, to: Principal, by: Principal, at: datetime) -> Escalation:
    """Let another person look at it who is asked as well. Raises NotAReviewer, Invalid or LookedAt."""
    if not escalation.is_open:
        raise _settled(escalation)
    if not may_settle(by, escalation):
        raise NotAReviewer
    if not may_settle(to, escalation):
        raise ledger.Invalid("Nothing was changed.", fields={"person": "This person is not asked to decide this."})
    _require_free(escalation, by, at)
    return _hand(escalation, to, by=by, at=at, verb="escalation.assigned", why=f"{to} looks at it.")


def release_escalation(escalation: Escalation, *, by: Principal, at: datetime) -> Escalation:
    """Nobody looks at it any more. Only who looks at it says so; raises LookedAt otherwise."""
    if not escalation.is_open:
        raise _settled(escalation)
    if escalation.looker(at) != by:
        raise LookedAt("You do not look at this, so there is nothing to give back.")
    return _hand(escalation, None, by=by, at=at, verb="escalation.released", why="")


def _require_free(escalation: Escalation, by: Principal, at: datetime) -> None:
    looker = escalation.looker(at)
    if looker is not None and looker != by:
        raise LookedAt(
            f"{looker} looks at this since {escalation.claimed_at:%H:%M} UTC. You may decide it all the same."
        )


def _hand(
    escalation: Escalation, to: Principal | None, *, by: Principal, at: datetime, verb: str, why: str
) -> Escalation:
    told = {} if to is None else {"to": str(to), "to_id": to.username}
    ledger.move(
        escalation, escalation.status, by=by, verb=verb, at=at, why=why, data=told,
        expect={"claims": escalation.claims}, claims=escalation.claims + 1, claimed_by=to,
        claimed_at=None if to is None else at,
    )  # fmt: skip
    return escalation


def _settled(escalation: Escalation) -> ledger.TooLate:
    return ledger.TooLate(f"This is settled: {escalation.get_status_display().lower()}.")


@transaction.atomic
def watch_escalation(escalation: Escalation, *, by: Principal, at: datetime) -> None:
    """Keep this person told of what becomes of it; a repeat changes nothing."""
    if Watch.objects.get_or_create(escalation=escalation, person=by, defaults={"at": at})[1]:
        ledger.record("escalation.watched", escalation, by=by, at=at)


@transaction.atomic
def unwatch_escalation(escalation: Escalation, *, by: Principal, at: datetime) -> None:
    """Tell this person no more of it; a repeat changes nothing."""
    if Watch.objects.filter(escalation=escalation, person=by).delete()[0]:
        ledger.record("escalation.unwatched", escalation, by=by, at=at)


@transaction.atomic
def snooze_escalation(escalation: Escalation, *, until: datetime, by: Principal, at: datetime) -> datetime:
    """Put it aside for this person; when it comes back: at `until`, at the latest a while before its deadline. Raises
    TooSoonDue, Invalid for a moment that has passed or is far away, NotAReviewer."""
    if not escalation.is_open:
        raise _settled(escalation)
    if not may_settle(by, escalation):
        raise NotAReviewer
    if at >= escalation.due_at:
        raise TooSoonDue("This is late. It cannot be put aside.")
    latest = latest_return(escalation.due_at)
    if latest <= at:
        minutes = int(BACK_BEFORE.total_seconds() // 60)
        raise TooSoonDue(f"This is due within {minutes} minutes. It cannot be put aside.")
    if not at < until <= at + PUT_ASIDE_AT_MOST:
        raise ledger.Invalid("Nothing was changed.", fields={"until": "Name a moment in the next 30 days."})
    back = min(until, latest)
    Snooze.objects.update_or_create(escalation=escalation, person=by, defaults={"until": back})
    told = {"until": back.isoformat()}
    ledger.record("escalation.snoozed", escalation, by=by, at=at, why=f"It comes back at {back:%H:%M} UTC.", data=told)
    return back


@transaction.atomic
def wake_escalation(escalation: Escalation, *, by: Principal, at: datetime) -> None:
    """Let what this person put aside come back now; a repeat changes nothing."""
    if Snooze.objects.filter(escalation=escalation, person=by).delete()[0]:
        ledger.record("escalation.woken", escalation, by=by, at=at)


def snoozed_until(escalation: Escalation, person: Principal, at: datetime) -> datetime | None:
    """Until when this person put it aside; None for what waits."""
    if not escalation.is_open or latest_return(escalation.due_at) <= at:
        return None
    aside = Snooze.objects.filter(escalation=escalation, person=person, until__gt=at)
    return aside.values_list("until", flat=True).first()


def asked_people(escalation: Escalation) -> list[Principal]:
    """Who is asked at this level in person, by name, without those who are excluded."""
    asked = Q(pk__in=escalation.asked.people.values("pk"))
    if escalation.asked.group_id is not None:
        asked |= Q(pk__in=Principal.objects.filter(groups=escalation.asked.group_id).values("pk"))
    people = Principal.objects.people().filter(asked).exclude(pk__in=escalation.not_by.values("pk"))
    return list(people.order_by("name")[:PEOPLE_AT_MOST])
