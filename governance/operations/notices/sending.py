"""Sending: what is due for one place goes out as one message; what nobody takes is tried again for a day."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

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
EACH_SWEEP = 200
STILL_OPEN = frozenset(set(Happening) - {Happening.DECIDED})


@dataclass(frozen=True)
class Outcome:
    """What came of one message: nothing went wrong, or what did, and whether the place is gone for good."""

    trouble: str = ""
    is_gone: bool = False


def take_notices(*, at: datetime) -> dict[NoticePlace, list[Notice]]:
    """What is to be sent now, for each place; taken by one caller. What is not needed any more is dropped."""
    taken: defaultdict[NoticePlace, list[Notice]] = defaultdict(list)
    for notice in Notice.objects.due(at)[:EACH_SWEEP]:
        if not _is_needed(notice):
            _drop(notice, at)
        elif _is_taken(notice, at):
            taken[notice.place].append(notice)
    return taken


def _is_needed(notice: Notice) -> bool:
    person, escalation = notice.place.person, notice.escalation
    if not (person.is_active and escalation.is_visible_to(person)):
        return False
    if Happening(notice.happening) is Happening.DECIDED:
        return True
    return Escalation.objects.open().for_person(person).filter(pk=escalation.pk).exists()


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
