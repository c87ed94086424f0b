"""Sending: what is due for one place goes out as one message; what nobody takes is tried again for a day."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from agents.models import Principal
from governance.models import Escalation, Notice, NoticePlace
from governance.operations.notices.devices import DeviceGone
from governance.operations.notices.ways import Message, tell
from governance.operations.notices.wishes import forget_place
from governance.operations.sealing import Unreadable, unseal
from governance.rules.notifying import Happening
from governance.rules.retrying import is_given_up, next_try
from observability import ledger
from observability.operations import NotDelivered, NowhereToSend, Resolve, looked_up

__all__ = ["Message", "Outcome", "deliver", "note_sent", "take_notices"]
EACH_SWEEP = 500
STILL_OPEN = frozenset(Happening) - {Happening.DECIDED}
"""What is told only as long as the question waits for the person."""


@dataclass(frozen=True)
class Outcome:
    """What came of one message: nothing went wrong, or what did, and whether the place is gone for good."""

    trouble: str = ""
    is_gone: bool = False


def take_notices(*, at: datetime) -> dict[NoticePlace, list[Notice]]:
    """What is to be sent now, for each place; taken by one caller. What is not needed any more is dropped."""
    of_person: defaultdict[Principal, list[Notice]] = defaultdict(list)
    taken: defaultdict[NoticePlace, list[Notice]] = defaultdict(list)
    for notice in Notice.objects.due(at)[:EACH_SWEEP]:
        of_person[notice.place.person].append(notice)
    for person, due in of_person.items():
        needed = _needed(person, due)
        for notice in due:
            if notice.pk not in needed:
                _drop(notice, at)
            elif _is_taken(notice, at):
                taken[notice.place].append(notice)
    return taken


def _needed(person: Principal, due: list[Notice]) -> set[int]:
    """Those of these that the person still has to hear of, asked once for all."""
    if not person.is_active:
        return set()
    these = Escalation.objects.filter(pk__in={notice.escalation_id for notice in due})
    seen = set(these.visible_to(person).values_list("pk", flat=True))
    waiting = set(these.open().for_person(person).values_list("pk", flat=True))
    return {
        notice.pk for notice in due if notice.escalation_id in (waiting if notice.happening in STILL_OPEN else seen)
    }


def _drop(notice: Notice, at: datetime) -> None:
    why = "Nobody waits for this person any more."
    ledger.move(notice, Notice.Status.DROPPED, by=ledger.SYSTEM, verb="notice.dropped", at=at, why=why)


def _is_taken(notice: Notice, at: datetime) -> bool:
    # Counted and put off before it is sent: a worker that dies on the way costs one try.
    this = Notice.objects.filter(pk=notice.pk, status=notice.status, attempts=notice.attempts)
    notice.attempts += 1
    notice.due_at = next_try(notice.attempts, at)
    return this.update(attempts=notice.attempts, due_at=notice.due_at) == 1


def deliver(place: NoticePlace, message: Message, *, resolve: Resolve = looked_up) -> Outcome:
    """Send one message to one place; what came of it. Touches no row."""
    try:
        tell(place.kind, unseal(place.sealed), message, resolve=resolve)
    except Unreadable:
        return Outcome("The address was sealed with another key. Add the place again.")
    except DeviceGone as gone:
        return Outcome(str(gone), is_gone=True)
    except (NotDelivered, NowhereToSend) as failed:
        return Outcome(str(failed))
    return Outcome()


@transaction.atomic
def note_sent(place: NoticePlace, notices: list[Notice], outcome: Outcome, *, at: datetime) -> None:
    """Write down what came of a message, for each notice in it and for the place."""
    if outcome.is_gone:
        forget_place(place, at=at, why=outcome.trouble)
        return
    changed = {"trouble": outcome.trouble[:200]} | ({} if outcome.trouble else {"told_at": at})
    if not NoticePlace.objects.filter(pk=place.pk).update(**changed):
        return  # removed meanwhile, and its notices with it
    for notice in notices:
        _note(notice, outcome, at)


def _note(notice: Notice, outcome: Outcome, at: datetime) -> None:
    told = {"to": str(notice.place.person), "to_id": notice.place.person.username, "by": notice.place.kind}
    if not outcome.trouble:
        ledger.move(notice, Notice.Status.SENT, by=ledger.SYSTEM, verb="notice.sent", at=at, data=told)
    elif is_given_up(notice.wanted_at, at):
        ledger.move(
            notice, Notice.Status.GIVEN_UP, by=ledger.SYSTEM, verb="notice.given_up", at=at, why=outcome.trouble,
            data=told,
        )  # fmt: skip
