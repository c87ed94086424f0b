"""Who is to be told of what: the sealed ledger, read once from position to position, becomes one notice per place."""

from collections import defaultdict
from datetime import datetime

from django.db import transaction

from agents.models import Principal
from governance.models import Escalation, Notice, NoticeMark, NoticePlace, NoticeWish
from governance.operations.notices.wishes import wish_of
from governance.rules.notifying import AFTER, Happening, when_told
from observability import ledger
from observability.models import Event

EACH_SWEEP = 2000
THE_MARK = 1


def collect_notices(*, at: datetime) -> int:
    """Make the notices of everything that was sealed since the last time; how many. The mark moves in the same
    transaction: nothing is lost, and nobody is told twice."""
    mark, _ = NoticeMark.objects.get_or_create(pk=THE_MARK, defaults={"position": ledger.last_position()})
    if mark.position >= ledger.last_position():
        return 0
    with transaction.atomic():
        mark = NoticeMark.objects.select_for_update().get(pk=THE_MARK)
        until = min(ledger.last_position(), mark.position + EACH_SWEEP)
        events = Event.objects.sealed_after(mark.position).filter(position__lte=until, verb__in=AFTER)
        made = _notices(list(events), at)
        Notice.objects.bulk_create(made, ignore_conflicts=True)
        NoticeMark.objects.filter(pk=THE_MARK).update(position=until)
    return len(made)


def _notices(events: list[Event], at: datetime) -> list[Notice]:
    escalations = {str(each.uid): each for each in Escalation.objects.filter(uid__in={e.subject_id for e in events})}
    told = [event for event in events if event.subject_id in escalations]
    made: list[Notice] = []
    for person, places in _listeners().items() if told else ():
        wish, concerned = wish_of(person), _Concerned(person, list(escalations.values()))
        for event in told:
            if AFTER[event.verb] in wish.happenings and concerned.by(event, escalations[event.subject_id]):
                made += [_notice(event, escalations[event.subject_id], place, wish, at) for place in places]
    return made


def _listeners() -> dict[Principal, list[NoticePlace]]:
    found: defaultdict[Principal, list[NoticePlace]] = defaultdict(list)
    for place in NoticePlace.objects.filter(person__is_active=True).select_related("person"):
        found[place.person].append(place)
    return found


class _Concerned:
    """Which of these questions are a person's affair; asked once for all of them."""

    def __init__(self, person: Principal, escalations: list[Escalation]) -> None:
        self.person = person
        these = Escalation.objects.filter(pk__in=[each.pk for each in escalations])
        self.waiting = set(these.for_person(person).values_list("pk", flat=True))
        self.asked = set(these.asked_of(person).values_list("pk", flat=True))

    def by(self, event: Event, escalation: Escalation) -> bool:
        """Whether the person is to hear of this event; never of what they did themselves."""
        if event.actor_kind == "person" and event.actor_id == self.person.username:
            return False
        if AFTER[event.verb] is Happening.HANDED:
            return event.data.get("to_id") == self.person.username and escalation.is_visible_to(self.person)
        if AFTER[event.verb] is Happening.DECIDED:
            return escalation.pk in self.asked
        return escalation.pk in self.waiting


def _notice(event: Event, escalation: Escalation, place: NoticePlace, wish: NoticeWish, at: datetime) -> Notice:
    wanted = max(when_told(event.at, wish.hours), event.at)
    return Notice(
        place=place, escalation=escalation, position=event.position or 0, happening=AFTER[event.verb],
        made_at=event.at, wanted_at=wanted, due_at=max(wanted, at),
    )  # fmt: skip
